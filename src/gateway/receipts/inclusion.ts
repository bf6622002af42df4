/** Where a receipt is in the tree of its closed day. A day may have a million leaves, so only one block of them is read for a receipt. */
import { blockSize, inclusionProofInBlocks, rootOf } from '../../domain/merkle.ts';
import type { Inclusion } from '../../domain/receipt.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { StoredDay, StoredReceipt } from '../../ports/receipts.ts';

/** Blocks that are read at a time. Hashing them takes a few milliseconds; other requests run in between. */
const blocksAtOnce = 8;

/** Returns the roots of all blocks of a day, and how many leaves it has. */
export const blocksOf = async ({ stores }: Gateway, day: string): Promise<{ blockRoots: string[]; size: number }> => {
  const blockRoots: string[] = [];
  let size = 0;
  for (;;) {
    const leaves = await stores.receipts.leaves(day, size, blocksAtOnce * blockSize);
    for (let from = 0; from < leaves.length; from += blockSize) blockRoots.push(rootOf(leaves.slice(from, from + blockSize)));
    size += leaves.length;
    if (leaves.length < blocksAtOnce * blockSize) return { blockRoots, size };
  }
};

/** Returns the receipt's position in its day, or undefined while the day is not closed. */
export const inclusionOf = async (gateway: Gateway, { day, number }: StoredReceipt): Promise<(Inclusion & { signed_root: string }) | undefined> => {
  const store = gateway.stores.receipts;
  const closed = await store.day(day);
  if (!closed) return undefined;
  const blockRoots = (await store.blockRoots(day)) ?? (await addBlockRoots(gateway, closed));
  const block = await store.leaves(day, number - (number % blockSize), blockSize);
  const proof = inclusionProofInBlocks(block, blockRoots, number);
  return { day, index: number, size: closed.size, proof, root: closed.root, signed_root: closed.jws };
};

/** The previous release closed this day, without block roots. */
const addBlockRoots = async (gateway: Gateway, { day }: StoredDay): Promise<string[]> => {
  const { blockRoots } = await blocksOf(gateway, day);
  await gateway.stores.receipts.addBlockRoots(day, blockRoots);
  return blockRoots;
};
