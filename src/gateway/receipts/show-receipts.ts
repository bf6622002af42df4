import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import { isoTime } from '../outward.ts';
import type { StoredOffers } from '../pricing/store-route.ts';
import { closedDaysOf, inclusionIn } from './inclusion.ts';
import { receiptsOf } from './make-receipt.ts';

/** Shows the receipts of a decision for POST /route, and makes the missing ones. */
export const showReceipts = async (gateway: Gateway, stored: StoredOffers & { chosen?: number }, order?: Order) => {
  const made = await receiptsOf(gateway, stored, order);
  const closed = await closedDaysOf(gateway, made);
  const receipts = await Promise.all(
    made.map(async (one) => {
      const day = closed.get(one.day);
      return { kind: one.kind, receipt: one.jws, made_on: isoTime(one.madeOn), ...(day ? { inclusion: await inclusionIn(gateway, day, one) } : {}) };
    }),
  );
  return { receipt: made[0]?.jws ?? '', receipts };
};
