import { z } from '@hono/zod-openapi';
import { readOrders } from '../../gateway/following/read-orders.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint } from '../call.ts';
import { anyAmount, providerRef, sessionId, smallId, time, uuid } from '../shapes.ts';

const orderStatusBody = z.object({
  session_id: sessionId,
  order_id: uuid.optional().openapi({ description: 'Absent: every order of the customer, newest first' }),
  limit: z.int().min(1).max(200).optional(),
  changed_since: time.optional(),
});

const entry = z.looseObject({
  amount_fiat: anyAmount,
  currency_id: smallId,
  payment_option_id: smallId,
  amount_sats: anyAmount,
  btc_price: anyAmount,
  order_fee: anyAmount,
  order_status: z.string(),
  order_status_date: time,
  stage: z.string(),
  final: z.boolean(),
  quote_id: uuid,
  provider: providerRef,
  quoted_amount_sats: anyAmount,
});

export const orderStatus = endpoint({
  method: 'post',
  path: '/order-status',
  tag: 'FLS01',
  summary: 'One order, or all of the customer',
  body: orderStatusBody,
  answer: z.record(uuid, entry),
  problems: ['session-invalid', 'order-not-found'],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readSession(call.gateway, body.session_id, 'owned');
    return { body: await readOrders(call.scope, session, 'buy', body) };
  },
});
