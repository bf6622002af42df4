import { z } from '@hono/zod-openapi';
import { endpoint } from '../call.ts';
import { idempotencyHeader } from '../idempotency-key.ts';
import { orderProblems, orderQuote } from '../order-quote.ts';
import { readOrders } from '../../gateway/following/read-orders.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { liquidityOrderShape, liquidityStatus } from '../order-shapes.ts';
import { sessionId, text, time, uuid, webhookUrl } from '../shapes.ts';
import { webhookOf } from '../webhook-url.ts';
import { maySpend } from './offers.ts';

const body = z.object({
  session_id: sessionId,
  quote_id: uuid,
  max_pay_sats: z
    .int()
    .min(0, 'must be an integer of at least 0')
    .max(2_100_000_000_000_000)
    .optional()
    .openapi({ description: 'Refuse an order that costs more. A channel may cost 0', example: 10_000 }),
  refund_onchain: text(120).optional().openapi({ description: 'The address for refunds of an on-chain payment' }),
  invoice: text(4000)
    .optional()
    .openapi({ description: 'recharge: the BOLT11 invoice to pay, for exactly the amount. The same quote with another invoice gets 409 quote-used' }),
  email: text(254).optional().openapi({ description: 'Only to get a receipt from a provider that sends one' }),
  webhook_url: webhookUrl.optional(),
  webhook_events: z
    .array(z.enum(['order_status_changed']))
    .max(4)
    .optional(),
});

/** The same invoice in any spelling. */
const bareInvoice = (text: string): string =>
  text
    .trim()
    .replace(/^lightning:/i, '')
    .toLowerCase();

export const liquidityOrder = endpoint({
  method: 'post',
  path: '/liquidity/order',
  headers: idempotencyHeader,
  tag: 'Liquidity',
  summary: 'Order a liquidity quote: what to pay and where; the same quote again gets the same answer',
  body,
  answer: liquidityOrderShape,
  problems: [...orderProblems, 'proof-required', 'invoice-unsuitable', 'address-invalid', 'peer-not-connected', 'app-key-required', 'daily-limit-reached'],
  lane: 'reserved',
  run: async (call, request, raw) =>
    await orderQuote(call, {
      ramp: 'liquidity',
      own: { invoice: request.invoice, refundOnchain: request.refund_onchain, email: request.email, maySpend: maySpend(call) },
      path: '/liquidity/order',
      sessionId: request.session_id,
      quoteId: request.quote_id,
      raw,
      inputs: {
        ...webhookOf(call, request, ['order_status_changed']),
        ...(request.max_pay_sats === undefined ? {} : { maxPay: String(request.max_pay_sats) }),
        named: {
          ...(request.invoice === undefined ? {} : { invoice: bareInvoice(request.invoice) }),
          ...(request.refund_onchain === undefined ? {} : { refund_onchain: request.refund_onchain }),
        },
      },
    }),
});

export const liquidityOrderStatus = endpoint({
  method: 'post',
  path: '/liquidity/order-status',
  tag: 'Liquidity',
  summary: 'One liquidity order, or all of the customer, with what to redeem',
  body: z.object({ session_id: sessionId, order_id: uuid.optional(), limit: z.int().min(1).max(200).optional(), changed_since: time.optional() }),
  answer: liquidityStatus,
  problems: ['order-not-found', 'misconfigured'],
  lane: 'reserved',
  run: async (call, request) => {
    const session = await readSession(call.gateway, request.session_id, 'owned');
    return { body: await readOrders(call.scope, session, 'liquidity', request) };
  },
});
