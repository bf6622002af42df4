/** Finds orders by whatever a person has in hand, without knowing what it is. */
import type { FoundOrder, OperatorStore, OrderSearch } from '../../ports/operator.ts';

/** `from` and `to` are Unix milliseconds. `amounts` are in sats or hundredths: an order that has one of them is found. */
export type Wanted = { word?: string; from?: number; to?: number; amounts?: readonly bigint[] };

export const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Finds the orders whose request id, payment reference, order id at the provider or customer id is `word`, newest first, at most `limit`. The other
 * members narrow the search. Without a word, they alone decide.
 */
export const findOrders = async (
  store: Pick<OperatorStore, 'search'>,
  hash: (text: string) => string,
  { word, amounts, ...times }: Wanted,
  limit: number,
): Promise<FoundOrder[]> => {
  const byWord: OrderSearch[] = word === undefined ? [{}] : [{ requestId: word }, { upstreamOrderId: word }, { referenceHash: referenceHash(hash, word) }];
  if (word !== undefined && uuidForm.test(word)) byWord.push({ customerId: word.toLowerCase() });
  const byAmount: OrderSearch[] = amounts === undefined ? [{}] : amounts.map((amount) => ({ amount }));
  const found = new Map<string, FoundOrder>();
  for (const one of byWord)
    for (const other of byAmount) for (const order of await store.search({ ...one, ...other, ...times }, limit)) found.set(order.orderId, order);
  return [...found.values()].toSorted((a, b) => b.createdOn - a.createdOn).slice(0, limit);
};

/** Returns the hash under which a payment reference is stored. A person may write the reference in small letters, or with spaces around it. */
export const referenceHash = (hash: (text: string) => string, reference: string): string => hash(reference.trim().toUpperCase());
