import { z } from '@hono/zod-openapi';
import { endpoint } from '../call.ts';
import { idempotencyHeader } from '../idempotency-key.ts';
import { orderProblems, orderQuote } from '../order-quote.ts';
import { buyOrder } from '../order-shapes.ts';
import { amount, sessionId, uuid, webhookUrl } from '../shapes.ts';
import { webhookOf } from '../webhook-url.ts';

const body = z.object({
  session_id: sessionId,
  quote_id: uuid,
  webhook_url: webhookUrl.optional(),
  webhook_events: z
    .array(z.enum(['withdrawal_ready', 'order_status_changed']))
    .max(5)
    .optional(),
  min_amount_sats: amount.optional().openapi({ description: 'Refuse an order that pays out less' }),
  max_amount_fiat: amount.optional().openapi({ description: 'Refuse an order that costs more' }),
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
      inputs: {
        ...webhookOf(call, request, ['withdrawal_ready']),
        ...(request.min_amount_sats === undefined ? {} : { minReceive: String(request.min_amount_sats) }),
        ...(request.max_amount_fiat === undefined ? {} : { maxPay: String(request.max_amount_fiat) }),
      },
    }),
});
