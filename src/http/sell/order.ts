import * as z from 'zod';
import { endpoint } from '../call.ts';
import { idempotencyHeader } from '../idempotency-key.ts';
import { orderProblems, orderQuote } from '../order-quote.ts';
import { orderStatusOf } from '../order-status.ts';
import { customerIpOf } from '../customer-ip.ts';
import { askedFiat, ipv4, ordersBody, sessionId, uuid } from '../shapes.ts';
import { sellOrder as orderShape, sellOrders } from '../order-shapes.ts';
import { sellEvents, webhook } from './shapes.ts';
import { webhookOf } from '../webhook-url.ts';

const body = z.object({
  session_id: sessionId,
  quote_id: uuid,
  connection_id: uuid.optional(),
  min_amount_fiat: askedFiat.optional(),
  customer_ip: ipv4.optional(),
  ...webhook,
});

export const sellOrder = endpoint({
  id: 'placeSellOrder',
  method: 'post',
  path: '/sell/order',
  headers: idempotencyHeader,
  body,
  answer: orderShape,
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
  id: 'getSellOrders',
  method: 'post',
  path: '/sell/order-status',
  body: ordersBody,
  answer: sellOrders,
  problems: ['order-not-found', 'misconfigured'],
  lane: 'reserved',
  run: async (call, request) => await orderStatusOf(call, 'sell', request),
});
