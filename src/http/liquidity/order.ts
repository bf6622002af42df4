import * as z from 'zod';
import { bareInvoice } from '../../gateway/ordering/payout.ts';
import { endpoint } from '../call.ts';
import { idempotencyHeader } from '../idempotency-key.ts';
import { orderProblems, orderQuote } from '../order-quote.ts';
import { orderStatusOf } from '../order-status.ts';
import { liquidityOrder as orderShape, liquidityOrders } from '../order-shapes.ts';
import { askedOrNoSats, email, ordersBody, sessionId, text, uuid, webhookUrl } from '../shapes.ts';
import { webhookOf } from '../webhook-url.ts';
import { maySpend } from './offers.ts';

const body = z.object({
  session_id: sessionId,
  quote_id: uuid,
  max_pay_sats: askedOrNoSats.optional(),
  refund_onchain: text(120).optional(),
  invoice: text(4000).optional(),
  email: email.optional(),
  webhook_url: webhookUrl.optional(),
  webhook_events: z
    .array(z.enum(['order_status_changed']))
    .max(4)
    .optional(),
});

export const liquidityOrder = endpoint({
  id: 'placeLiquidityOrder',
  method: 'post',
  path: '/liquidity/order',
  headers: idempotencyHeader,
  body,
  answer: orderShape,
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
  id: 'getLiquidityOrders',
  method: 'post',
  path: '/liquidity/order-status',
  body: ordersBody,
  answer: liquidityOrders,
  problems: ['order-not-found', 'misconfigured'],
  lane: 'reserved',
  run: async (call, request) => await orderStatusOf(call, 'liquidity', request),
});
