import { z } from '@hono/zod-openapi';
import { endpoint } from '../call.ts';
import { idempotencyHeader } from '../idempotency-key.ts';
import { orderProblems, orderQuote } from '../order-quote.ts';
import { readOrders } from '../../gateway/following/read-orders.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { customerIpOf } from '../customer-ip.ts';
import { amount, ipv4, sessionId, time, uuid } from '../shapes.ts';
import { sellOrderShape, sellStatus } from '../order-shapes.ts';
import { sellEvents, webhook } from './shapes.ts';
import { webhookOf } from '../webhook-url.ts';

const body = z.object({
  session_id: sessionId,
  quote_id: uuid,
  connection_id: uuid.optional().openapi({ description: 'For a bank: the connection to pay into' }),
  min_amount_fiat: amount.optional().openapi({ description: 'Refuse an order that pays out less' }),
  customer_ip: ipv4.optional().openapi({ description: "The customer's own IPv4, from an app that shows its key" }),
  ...webhook,
});

export const sellOrder = endpoint({
  method: 'post',
  path: '/sell/order',
  headers: idempotencyHeader,
  tag: 'Sell',
  summary: 'Order a sell quote: what to pay and where; the same quote again gets the same answer',
  body,
  answer: sellOrderShape,
  problems: [
    ...orderProblems,
    'account-required',
    'account-not-connected',
    'connection-required',
    'connection-not-found',
    'amount-in-use',
    'client-ipv4-required',
    'app-key-required',
  ],
  lane: 'reserved',
  run: async (call, request, raw) => {
    const customerIp = customerIpOf(call, request.customer_ip);
    return await orderQuote(call, {
      ramp: 'sell',
      own: { connectionId: request.connection_id },
      path: '/sell/order',
      sessionId: request.session_id,
      quoteId: request.quote_id,
      raw,
      inputs: {
        ...webhookOf(call, request, sellEvents),
        ...(request.min_amount_fiat === undefined ? {} : { minReceive: String(request.min_amount_fiat) }),
        ...(customerIp === undefined ? {} : { customerIp }),
        named: request.connection_id === undefined ? {} : { connection_id: request.connection_id },
      },
    });
  },
});

export const sellOrderStatus = endpoint({
  method: 'post',
  path: '/sell/order-status',
  tag: 'Sell',
  summary: 'One sell order, or all of the customer',
  body: z.object({ session_id: sessionId, order_id: uuid.optional(), limit: z.int().min(1).max(200).optional(), changed_since: time.optional() }),
  answer: sellStatus,
  problems: ['order-not-found', 'misconfigured'],
  lane: 'reserved',
  run: async (call, request) => {
    const session = await readSession(call.gateway, request.session_id, 'owned');
    return { body: await readOrders(call.scope, session, 'sell', request) };
  },
});
