import { orderStatus } from '../domain/order-life.ts';
import type { Json } from '../domain/offer.ts';
import type { Ramp } from '../domain/ramp.ts';
import { btcPrice } from '../domain/money.ts';
import { paymentPlace } from './places.ts';
import { refreshOrder } from './follow-orders.ts';
import { Problem } from './problem.ts';
import type { Gateway, Order } from './ports.ts';
import type { OpenSession } from './read-session.ts';
import { int, isoTime, providerRef } from './show-offers.ts';

type Shown = { [key: string]: Json };
export type ReadOrdersRequest = { order_id?: string | undefined; limit?: number | undefined; changed_since?: string | undefined };

/** A wallet that asks more often than this gets what is known. */
const staleMs = 5_000;
/** A list refreshes at most so many. */
const refreshedAtOnce = 5;

/** POST /order-status: from the store, refreshed when stale. Every order of the session's customer, or one; foreign ones do not exist. */
export const readOrders = async (
  gateway: Gateway,
  session: OpenSession,
  ramp: Ramp,
  request: ReadOrdersRequest,
  requestId: string,
): Promise<{ [orderId: string]: Shown }> => {
  const orders =
    request.order_id === undefined
      ? await gateway.stores.orders.list(
          session.customerId,
          ramp,
          request.limit ?? 50,
          request.changed_since === undefined ? undefined : Date.parse(request.changed_since),
        )
      : [await findOrder(gateway, request.order_id, session.customerId, ramp)];
  const now = gateway.now();
  const stale = orders.filter((order) => !order.final && now - (order.checkedOn ?? order.createdOn) > staleMs).slice(0, refreshedAtOnce);
  const fresh = new Map((await Promise.all(stale.map((order) => refreshOrder(gateway, order, 'read', requestId)))).map((order) => [order.id, order]));
  const entries = await Promise.all(orders.map(async (order): Promise<[string, Shown]> => [order.id, await showOrder(gateway, fresh.get(order.id) ?? order)]));
  return Object.fromEntries(entries);
};

export const findOrder = async (gateway: Gateway, orderId: string, customerId: string, ramp: Ramp): Promise<Order> => {
  const order = await gateway.stores.orders.find(orderId, customerId);
  if (order?.ramp !== ramp) throw new Problem('order-not-found', 'There is no such order of this customer.');
  return order;
};

const payable = new Set(['awaiting_payment', 'underpaid']);

/** FLS01's eight members, and what a wallet needs that was killed between /order and payment. */
const showOrder = async (gateway: Gateway, order: Order): Promise<Shown> => {
  const now = gateway.now();
  const canBePaid = payable.has(order.stage) && (order.expiresOn ?? Infinity) > now;
  const [fiat, sats] = order.ramp === 'buy' ? [order.pay, order.receive] : [order.receive, order.pay];
  const quotedSats = order.ramp === 'buy' ? order.quotedReceive : order.quotedPay;
  return {
    amount_fiat: int(fiat),
    currency_id: order.terms['currencyId'] ?? 0,
    payment_option_id: order.terms['paymentOptionId'] ?? 0,
    amount_sats: int(sats),
    btc_price: sats > 0n ? int(order.ramp === 'buy' ? btcPrice(fiat, order.fee, sats) : ((fiat + order.fee) * 100_000_000n) / sats) : 0,
    order_fee: int(order.fee),
    order_status: orderStatus(order.stage),
    order_status_date: isoTime(order.stageOn),
    stage: order.stage,
    final: order.final,
    quote_id: order.quoteId,
    provider: providerRef(gateway, order.providerId),
    quoted_amount_sats: int(quotedSats),
    ...(order.ramp === 'buy' ? { on_chain_fallback: order.facts['on_chain_fallback'] === true } : {}),
    ...(canBePaid && order.expiresOn !== undefined ? { expires_on: isoTime(order.expiresOn) } : {}),
    ...(order.nextCheckOn === undefined || order.final ? {} : { next_check_on: isoTime(order.nextCheckOn) }),
    ...(canBePaid ? { payment_info: JSON.parse(await gateway.seal.open(order.paymentInfo, paymentPlace(order.id))) as Json } : {}),
  };
};
