import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import { isoTime } from '../outward.ts';
import type { StoredOffers } from '../pricing/store-route.ts';
import { inclusionOf, receiptsOf } from './make-receipt.ts';

/** The receipts of a decision as POST /route shows them. Makes the missing ones now. */
export const showReceipts = async (gateway: Gateway, stored: StoredOffers & { chosen?: number }, order?: Order) => {
  const made = await receiptsOf(gateway, stored, order);
  const receipts = await Promise.all(
    made.map(async (one) => {
      const inclusion = await inclusionOf(gateway, one);
      return { kind: one.kind, receipt: one.jws, made_on: isoTime(one.madeOn), ...(inclusion ? { inclusion } : {}) };
    }),
  );
  return { receipt: made[0]?.jws ?? '', receipts };
};
