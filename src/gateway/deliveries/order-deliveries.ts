import { orderStatus } from '../../domain/order-life.ts';
import type { Stage } from '../../domain/order.ts';
import { isClaimed } from '../../domain/ramp.ts';
import { webhookPlace } from '../places.ts';
import type { NewDelivery } from '../../ports/deliveries.ts';
import type { Order, OrderEvent, OrderTerms, OrderWatch } from '../../ports/orders.ts';
import { newDelivery, type Telling } from './new-delivery.ts';

/**
 * Builds the webhooks for a step of an order, which are stored in the same transaction as the step. A wallet can ask for two: `withdrawal_ready`,
 * exactly as in FLS01, when the sats can be withdrawn, and `order_status_changed` at every step except the first. A webhook only names the order and
 * its status, so a late or lost one does no harm.
 */
export const orderDeliveries = async (
  gateway: Telling,
  order: Pick<Order, 'id' | 'ramp' | 'stage' | 'webhookUrl' | 'webhookEvents' | 'appId'> & { terms: Pick<OrderTerms, 'payout'>; watch: OrderWatch },
  from: Stage | undefined,
  event: Pick<OrderEvent, 'sequence'>,
): Promise<NewDelivery[]> => {
  if (order.webhookUrl === undefined || from === undefined) return [];
  const wanted = new Set(order.webhookEvents ?? []);
  const data = { order_id: order.id, order_status: orderStatus(order.stage) };
  const bodies: [string, object][] = [];
  if (isClaimed(order.ramp, order.terms.payout) && order.stage === 'filled' && wanted.has('withdrawal_ready')) bodies.push(['withdrawal_ready', data]);
  if (wanted.has('order_status_changed')) bodies.push(['order_status_changed', { ...data, stage: order.stage }]);
  if (bodies.length === 0) return [];
  const url = await gateway.seal.open(order.webhookUrl, webhookPlace(order.id));
  return await Promise.all(
    bodies.map(([type, body]) =>
      newDelivery(gateway, {
        subjectId: order.id,
        sequence: event.sequence,
        type,
        data: body,
        url,
        // A stage is reached at most once, unless there was a review: after it, the operator may have the order continue from an earlier stage.
        key: from === 'review' || order.stage === 'review' || wasInReview(order.watch) ? `${order.stage} ${event.sequence}` : order.stage,
        ...(order.appId === undefined ? {} : { appId: order.appId }),
      }),
    ),
  );
};

const wasInReview = ({ beforeReview, reviewReason, reviewed }: OrderWatch): boolean =>
  beforeReview !== undefined || reviewReason !== undefined || reviewed !== undefined;
