import { readOrders } from '../../gateway/following/read-orders.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint } from '../call.ts';
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
  run: async (call, body) => {
    const session = await readSession(call.gateway, body.session_id, 'owned');
    return { body: await readOrders(call.scope, session, 'buy', body) };
  },
});
