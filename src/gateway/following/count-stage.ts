import { fiatAndSats, isExchange } from '../../domain/ramp.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';

/** Counts that an order has reached its stage and, if it was filled, its amounts. */
export const countStage = ({ count }: Gateway, { providerId: provider, ramp, stage, pay, receive, terms }: Order): void => {
  count('order_stages_total', { provider, stage });
  if (stage !== 'filled') return;
  if (!isExchange(ramp)) return count('order_filled_sats_total', { provider, ramp }, Number(receive));
  const { fiat, sats } = fiatAndSats(ramp, { pay, receive });
  count('order_filled_sats_total', { provider, ramp }, Number(sats));
  count('order_filled_fiat_total', { provider, ramp, currency: terms.currency ?? 'unknown' }, Number(fiat) / 100);
};
