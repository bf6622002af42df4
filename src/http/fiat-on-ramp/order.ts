import { z } from '@hono/zod-openapi';
import type { FailoverRequest } from '../../gateway/ordering/bounds.ts';
import { endpoint } from '../call.ts';
import { idempotencyHeader } from '../idempotency-key.ts';
import { orderProblems, orderQuote } from '../order-quote.ts';
import { buyOrder } from '../order-shapes.ts';
import { amount, sessionId, uuid, webhookUrl } from '../shapes.ts';
import { webhookOf } from '../webhook-url.ts';

const minSats = amount.optional().openapi({ description: 'Refuse an order that pays out less' });
const maxFiat = amount.optional().openapi({ description: 'Refuse an order that costs more' });

const failover = z
  .object({
    max: z.int().min(1).max(3).openapi({ description: 'How many more providers may be tried' }),
    min_amount_sats: minSats,
    max_amount_fiat: maxFiat,
  })
  .openapi({
    description:
      'If the provider certainly did not take the order, or made one that you may not pay, the next offers of the same price request are tried, in their order and within this bound. A quote of a fixed fiat amount needs min_amount_sats; one of fixed sats needs max_amount_fiat. Never after an outcome that is unknown. The answer names the quote and provider that took it, and those left behind',
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
});

type Failover = z.output<typeof failover>;
const toFailover = ({ max, min_amount_sats: least, max_amount_fiat: most }: Failover): FailoverRequest => ({
  max,
  minReceive: least === undefined ? undefined : BigInt(least),
  maxPay: most === undefined ? undefined : BigInt(most),
});

export const order = endpoint({
  method: 'post',
  path: '/order',
  headers: idempotencyHeader,
  tag: 'FLS01',
  summary: 'Order a quote; the same quote again gets the same answer',
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
