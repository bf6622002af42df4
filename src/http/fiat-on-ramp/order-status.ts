import { endpoint } from '../call.ts';
import { orderStatusOf } from '../order-status.ts';
import { buyOrders } from '../order-shapes.ts';
import { ordersBody } from '../shapes.ts';

export const orderStatus = endpoint({
  id: 'getOrders',
  method: 'post',
  path: '/order-status',
  body: ordersBody,
  answer: buyOrders,
  problems: ['order-not-found', 'misconfigured'],
  lane: 'reserved',
  run: async (call, body) => await orderStatusOf(call, 'buy', body),
});
