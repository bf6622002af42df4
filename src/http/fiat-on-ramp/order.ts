import * as z from 'zod';
import type { FailoverRequest } from '../../gateway/ordering/bounds.ts';
import { namedPayout, readPayoutTo } from '../../gateway/ordering/payout.ts';
import { endpoint } from '../call.ts';
import { idempotencyHeader } from '../idempotency-key.ts';
import { orderProblems, orderQuote } from '../order-quote.ts';
import { buyOrder } from '../order-shapes.ts';
import { askedFiat, askedSats, sessionId, text, uuid, webhookUrl } from '../shapes.ts';
import { webhookOf } from '../webhook-url.ts';

const minSats = askedSats.optional();
const maxFiat = askedFiat.optional();
export const failover = z.object({ max: z.int().min(1).max(3), min_amount_sats: minSats, max_amount_fiat: maxFiat });

export const askedPayoutTo = z.object({
  lightning_address: text(320).optional(),
  lnurl: text(2000).optional(),
  invoice: text(4296).optional(),
  node_pubkey: text(66).optional(),
  onchain: text(500).optional(),
});

const body = z.object({
  session_id: sessionId,
  quote_id: uuid,
  webhook_url: webhookUrl.optional(),
  webhook_events: z
    .array(z.enum(['withdrawal_ready', 'order_status_changed']))
    .max(5)
    .optional(),
  min_amount_sats: minSats,
  max_amount_fiat: maxFiat,
  failover: failover.optional(),
  payout_to: askedPayoutTo.optional(),
});

type Failover = z.output<typeof failover>;
const toFailover = ({ max, min_amount_sats: least, max_amount_fiat: most }: Failover): FailoverRequest => ({
  max,
  minReceive: least === undefined ? undefined : BigInt(least),
  maxPay: most === undefined ? undefined : BigInt(most),
});

export const order = endpoint({
  id: 'placeOrder',
  method: 'post',
  path: '/order',
  headers: idempotencyHeader,
  body,
  answer: buyOrder,
  problems: [
    ...orderProblems,
    'payout-link-refused',
    'payout-required',
    'payout-unsuitable',
    'proof-required',
    'amount-in-use',
    'account-required',
    'account-not-connected',
    'address-invalid',
    'iban-invalid',
    'client-ipv4-required',
  ],
  lane: 'reserved',
  run: async (call, request, raw) => {
    const destination = readPayoutTo(call.gateway, request.payout_to);
    return await orderQuote(call, {
      ramp: 'buy',
      own: { destination },
      path: '/order',
      sessionId: request.session_id,
      quoteId: request.quote_id,
      raw,
      failover: request.failover && toFailover(request.failover),
      inputs: {
        ...webhookOf(call, request, ['withdrawal_ready']),
        ...(request.webhook_events === undefined ? { usualEvents: true } : {}),
        ...(request.min_amount_sats === undefined ? {} : { minReceive: String(request.min_amount_sats) }),
        ...(request.max_amount_fiat === undefined ? {} : { maxPay: String(request.max_amount_fiat) }),
        named: namedPayout(destination),
      },
    });
  },
});
