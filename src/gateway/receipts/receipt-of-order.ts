import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import { defect } from '../../ports/defect.ts';
import { Problem } from '../problem.ts';
import { findRoute } from '../pricing/store-route.ts';
import { receiptsOf } from './make-receipt.ts';

/** Makes the receipt of a decision when one of its quotes is ordered. If that fails, the first request for the receipt makes it. */
export const receiptOfOrder = async (gateway: Gateway, order: Order): Promise<void> => {
  try {
    await receiptsOf(gateway, await findRoute(gateway, order.quoteId, order.customerId), order);
  } catch (error) {
    // After a restore the route may be missing.
    if (!(error instanceof Problem)) defect(gateway.log, 'receipt', error, { order: order.id });
  }
};
