import * as z from 'zod';
import type { FailoverRequest } from '../../gateway/ordering/bounds.ts';
import { endpoint } from '../call.ts';
import { idempotencyHeader } from '../idempotency-key.ts';
import { orderProblems, orderQuote } from '../order-quote.ts';
import { buyOrder } from '../order-shapes.ts';
import { askedFiat, askedSats, sessionId, uuid, webhookUrl } from '../shapes.ts';
import { webhookOf } from '../webhook-url.ts';

const minSats = askedSats.optional();
const maxFiat = askedFiat.optional();
export const failover = z.object({ max: z.int().min(1).max(3), min_amount_sats: minSats, max_amount_fiat: maxFiat });

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
  problems: [...orderProblems, 'payout-link-refused'],
  lane: 'reserved',
  run: async (call, request, raw) =>
    await orderQuote(call, {
      ramp: 'buy',
      own: {},
      path: '/order',
      sessionId: request.session_id,
      quoteId: request.quote_id,
      raw,
      failover: request.failover && toFailover(request.failover),
      inputs: {
        ...webhookOf(call, request, ['withdrawal_ready']),
        ...(request.min_amount_sats === undefined ? {} : { minReceive: String(request.min_amount_sats) }),
        ...(request.max_amount_fiat === undefined ? {} : { maxPay: String(request.max_amount_fiat) }),
      },
    }),
});
