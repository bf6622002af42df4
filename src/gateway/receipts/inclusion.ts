/** Finds where a receipt is in the tree of its closed day. A day may have a million leaves, so only one block of leaves is read for a receipt. */
import { blockSize, inclusionProofInBlocks, rootOf } from '../../domain/merkle.ts';
import type { Inclusion } from '../../domain/receipt.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { StoredDay, StoredReceipt } from '../../ports/receipts.ts';

/** How many blocks are read at a time. Hashing them takes a few milliseconds; other requests run in between. */
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

type ClosedDay = StoredDay & { blockRoots: string[] };

/** Reads the closed days of the receipts, each only once: the receipts of an order are mostly from the same day. */
export const closedDaysOf = async (gateway: Gateway, receipts: readonly StoredReceipt[]): Promise<Map<string, ClosedDay>> => {
  const store = gateway.stores.receipts;
  const closed = new Map<string, ClosedDay>();
  for (const name of new Set(receipts.map(({ day }) => day))) {
    const day = await store.day(name);
    if (day) closed.set(name, { ...day, blockRoots: (await store.blockRoots(name)) ?? (await addBlockRoots(gateway, day)) });
  }
  return closed;
};

/** Returns the proof that a receipt is in its closed day: its position, the path to the root, and the signed root. */
export const inclusionIn = async ({ stores }: Gateway, { day, size, root, jws, blockRoots }: ClosedDay, { number }: StoredReceipt): Promise<Inclusion> => {
  const block = await stores.receipts.leaves(day, number - (number % blockSize), blockSize);
  return { day, index: number, size, proof: inclusionProofInBlocks(block, blockRoots, number), root, signed_root: jws };
};

/** Adds the block roots to a day that the previous release closed without them. */
const addBlockRoots = async (gateway: Gateway, { day }: StoredDay): Promise<string[]> => {
  const { blockRoots } = await blocksOf(gateway, day);
  await gateway.stores.receipts.addBlockRoots(day, blockRoots);
  return blockRoots;
};
