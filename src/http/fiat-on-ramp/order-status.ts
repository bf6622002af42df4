import { z } from '@hono/zod-openapi';
import { readOrders } from '../../gateway/following/read-orders.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint } from '../call.ts';
import { buyStatus } from '../order-shapes.ts';
import { sessionId, time, uuid } from '../shapes.ts';

const orderStatusBody = z.object({
  session_id: sessionId,
  order_id: uuid.optional().openapi({ description: 'Absent: every order of the customer, newest first' }),
  limit: z.int().min(1).max(200).optional(),
  changed_since: time.optional(),
});

export const orderStatus = endpoint({
  method: 'post',
  path: '/order-status',
  tag: 'FLS01',
  summary: 'One order, or all of the customer',
  body: orderStatusBody,
  answer: buyStatus,
  problems: ['order-not-found', 'misconfigured'],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readSession(call.gateway, body.session_id, 'owned');
    return { body: await readOrders(call.scope, session, 'buy', body) };
  },
});
