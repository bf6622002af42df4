import { rootOf } from '../../domain/merkle.ts';
import type { DayRoot } from '../../domain/receipt.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { blocksOf } from './inclusion.ts';
import { issuerOf } from './make-receipt.ts';

/**
 * Signs the roots of past days, oldest first; a day without receipts has no root. If several instances do this at the same time, they sign the same
 * tree (only `closed_on` may differ), and the first one to be stored counts. Each root names the previous root, so that none can be replaced
 * unnoticed.
 */
export const closeReceiptDays = async (gateway: Gateway, limit: number): Promise<number> => {
  const { receipts } = gateway.stores;
  const days = await receipts.openDays(limit);
  for (const day of days) {
    const { blockRoots, size } = await blocksOf(gateway, day);
    const newest = await receipts.newestDay();
    const closedOn = gateway.now();
    const root: DayRoot = {
      version: 1,
      issuer: issuerOf(gateway),
      day,
      size,
      root: rootOf(blockRoots),
      closed_on: closedOn,
      ...(newest ? { previous: { day: newest.day, root: newest.root } } : {}),
    };
    const jws = await gateway.receiptSigner.sign(root, 'receipts-root+jws');
    await receipts.close({ day, size: root.size, root: root.root, jws, blockRoots, closedOn }, await gateway.receiptSigner.key());
  }
  return days.length;
};
