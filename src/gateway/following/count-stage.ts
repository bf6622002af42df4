import { fiatAndSats, isExchange } from '../../domain/ramp.ts';
import { isDelivered } from '../../domain/order-life.ts';
import type { Stage } from '../../domain/order.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';

/**
 * Counts that an order has reached its stage and, once it is delivered, its amounts. Some orders go straight to `finished`, so the amounts
 * are counted at whichever delivered stage comes first. `from`: the stage before.
 */
export const countStage = ({ count }: Gateway, from: Stage, { providerId: provider, ramp, stage, pay, receive, terms }: Order): void => {
  count('order_stages_total', { provider, stage });
  if (!isDelivered(stage) || isDelivered(from)) return;
  if (!isExchange(ramp)) return count('order_filled_sats_total', { provider, ramp }, Number(receive));
  const { fiat, sats } = fiatAndSats(ramp, { pay, receive });
  count('order_filled_sats_total', { provider, ramp }, Number(sats));
  count('order_filled_fiat_total', { provider, ramp, currency: terms.currency ?? 'unknown' }, Number(fiat) / 100);
};
