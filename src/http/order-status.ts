import type { Ramp } from '../domain/ramp.ts';
import { readOrders, type ReadOrdersRequest } from '../gateway/following/read-orders.ts';
import { readSession } from '../gateway/sessions/read-session.ts';
import type { Call } from './call.ts';

/**
 * Answers the order-status calls of all ramps. Reads of unpaid orders at their providers are counted; beyond the limit, the answer is the stored
 * state.
 */
export const orderStatusOf = async <R extends Ramp>(call: Call, ramp: R, request: ReadOrdersRequest & { session_id: string }) => {
  const session = await readSession(call.gateway, request.session_id, 'owned');
  return { body: await readOrders(call.scope, session, ramp, request, async () => await call.allows('order-reads', session.idHash)) };
};
