import { isUnpaid } from '../../domain/order-life.ts';
import type { Ramp } from '../../domain/ramp.ts';
import { refreshOrder } from './follow-orders.ts';
import { lastAttempt } from '../attempts.ts';
import { Problem } from '../problem.ts';
import { defect } from '../../ports/defect.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { showOrder } from './show-order.ts';
import type { Scope } from '../../ports/scope.ts';
import { isRecent } from '../../domain/is-recent.ts';

export type ReadOrdersRequest = { order_id?: string | undefined; limit?: number | undefined; changed_since?: string | undefined };

/** A wallet that asks more often than this gets the stored state. */
const staleMs = 5_000;
const refreshedAtOnce = 5;

/**
 * Answers POST /order-status with one order, or with the newest orders, of the session's customer. Up to five orders that are not final and have not
 * been read for five seconds are first read again at their providers; the others come from the store. `mayRead` counts a read of an unpaid order, and
 * returns whether the caller may make it. If not, the stored state is shown, which background work keeps fresh. Another customer's order gets
 * `order-not-found`, like an unknown one.
 */
export const readOrders = async <R extends Ramp>(scope: Scope, session: OpenSession, ramp: R, request: ReadOrdersRequest, mayRead: () => Promise<boolean>) => {
  const { gateway } = scope;
  const orders =
    request.order_id === undefined
      ? await gateway.stores.orders.list(
          session.customerId,
          ramp,
          request.limit ?? 50,
          // PostgreSQL has no year 0, and we have nothing older than 1970.
          request.changed_since === undefined ? undefined : Math.max(0, Date.parse(request.changed_since)),
        )
      : [await findOrder(gateway, request.order_id, session.customerId, ramp)];
  const now = gateway.now();
  const stale = orders.filter((order) => !order.final && !isRecent(order.checkedOn ?? order.createdOn, now, staleMs)).slice(0, refreshedAtOnce);
  const looks = stale.map(async (order) => await lookOnce(scope, order, mayRead).catch((error: unknown) => unread(gateway, order, error)));
  const fresh = new Map((await Promise.all(looks)).map((order) => [order.id, order]));
  const entries = await Promise.all(orders.map(async (order) => [order.id, await showOrder(gateway, fresh.get(order.id) ?? order, ramp)] as const));
  return Object.fromEntries(entries);
};

/** Logs why an order could not be read, and returns its stored state, so that the list does not fail. */
const unread = (gateway: Gateway, order: Order, error: unknown): Order => {
  defect(gateway.log, 'read_orders', error, { order: order.id });
  return order;
};

/** Reads an order at its provider at most once in `staleMs`. All callers share the result, whether or not the provider answers. */
const lookOnce = async (scope: Scope, order: Order, mayRead: () => Promise<boolean>): Promise<Order> => {
  const { gateway } = scope;
  const { reading } = gateway.flights;
  const now = gateway.now();
  const last = reading.get(order.id);
  if (last && isRecent(last.on, now, staleMs)) {
    const seen = await last.order;
    return seen.checks > order.checks ? seen : order;
  }
  for (const [id, { on }] of reading) {
    if (isRecent(on, now, staleMs)) break;
    reading.delete(id);
  }
  const look = (async () => (!isUnpaid(order.stage) || (await mayRead()) ? await refreshOrder(scope, order, 'read') : order))();
  // The old entry is deleted first, so that the map stays sorted by time. The loop above relies on that.
  reading.delete(order.id);
  reading.set(order.id, { on: now, order: look });
  try {
    return await look;
  } catch (error) {
    reading.delete(order.id);
    throw error;
  }
};

export const findOrder = async (gateway: Gateway, orderId: string, customerId: string, ramp: Ramp): Promise<Order> => {
  const order = await gateway.stores.orders.find(orderId, customerId);
  if (order?.ramp === ramp) return order;
  // The caller may have sent the quote's id instead of the order's.
  const attempt = await gateway.stores.intents.findByQuote(orderId, customerId);
  const placed = attempt && (await lastAttempt(gateway, attempt));
  if (placed?.ramp === ramp && placed.state === 'confirmed')
    throw new Problem('order-not-found', `This is a quote; its order is ${placed.orderId}.`, { members: { order_id: placed.orderId } });
  throw new Problem('order-not-found', 'This customer has no such order.');
};
