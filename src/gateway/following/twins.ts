/**
 * One upstream order is one order here. If a provider reuses an id (its counter was reset, or its database restored), a second order gets the id of
 * an earlier one. A read by that id could then return the wrong order, and one payment would fill both. We call such orders twins.
 */
import { writingsOf } from '../../domain/same-id.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Order } from '../../ports/orders.ts';

/** Finds the other intents of the same upstream order. Each may have its id in any of the usual spellings. */
export const twinsOf = async (gateway: Gateway, of: { intentId: string; providerId: string; upstreamOrderId?: string | undefined }): Promise<Intent[]> =>
  of.upstreamOrderId === undefined ? [] : await gateway.stores.intents.sharing(of.providerId, writingsOf(of.upstreamOrderId), of.intentId);

/**
 * Adds a note about the new twin to each earlier order, and alerts the operator. An earlier order continues, because the new order's customer was
 * never shown how to pay.
 */
export const markTwins = async (gateway: Gateway, intent: Intent, twins: Intent[]): Promise<void> => {
  gateway.count('order_oddities_total', { provider: intent.providerId, kind: 'twin' });
  gateway.log('error', 'upstream_order_twice', { request_id: intent.requestId, provider: intent.providerId, order: intent.orderId, count: twins.length });
  for (const twin of twins) {
    const order = await gateway.stores.orders.findAny(twin.orderId);
    if (order) await note(gateway, order, `order ${intent.orderId} has the same id at the provider`);
  }
};

const note = async (gateway: Gateway, order: Order, text: string): Promise<void> => {
  const { stage, rawStatus } = order;
  const event = { sequence: order.sequence + 1, at: gateway.now(), fromStage: stage, toStage: stage, rawStatus, source: 'place', note: text } as const;
  await gateway.stores.orders.advance(order, {}, event, []);
};
