/** Finds orders by an id, a payment reference or an amount that somebody gives without saying which of these it is. */
import type { FoundOrder, OperatorStore, OrderSearch, Place } from '../../ports/operator.ts';

/** `amounts` are in sats or in hundredths of the currency; an order that has any of them is found. */
export type Wanted = OrderSearch & { word?: string; amounts?: readonly bigint[]; /** Other things that the word may mean. */ or?: readonly OrderSearch[] };

export const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Finds the orders whose order id, quote id, attempt id, request id, payment reference, order id at the provider or customer id is `word`, newest
 * first, at most `limit`. `before` is a place in this list: only orders that come after it, which are older ones, are returned. `amounts` and the
 * members of `OrderSearch` narrow the search; if `word` is absent, they are the whole search.
 */
export const findOrders = async (
  store: Pick<OperatorStore, 'search'>,
  hash: (text: string) => string,
  { word, amounts, or = [], ...narrowed }: Wanted,
  limit: number,
  before?: Place,
): Promise<FoundOrder[]> => {
  const byWord: OrderSearch[] = word === undefined ? [{}] : [{ requestId: word }, { upstreamOrderId: word }, { referenceHash: referenceHash(hash, word) }];
  if (word !== undefined && uuidForm.test(word)) byWord.push({ customerId: word.toLowerCase() }, { id: word.toLowerCase() });
  byWord.push(...or);
  const byAmount: OrderSearch[] = amounts === undefined ? [{}] : amounts.map((amount) => ({ amount }));
  const found = new Map<string, FoundOrder>();
  for (const one of byWord)
    for (const other of byAmount) for (const order of await store.search({ ...narrowed, ...one, ...other }, limit, before)) found.set(order.intentId, order);
  return [...found.values()].toSorted((a, b) => b.createdOn - a.createdOn || (a.intentId < b.intentId ? 1 : -1)).slice(0, limit);
};

/** Returns the hash under which a payment reference is stored. A person may write the reference in lower case, or with spaces around it. */
export const referenceHash = (hash: (text: string) => string, reference: string): string => hash(reference.trim().toUpperCase());

/** Returns the stored amounts that a person may mean by `100.50 EUR`, `5000 sats` or `100`. A whole number without a unit may be fiat or sats. */
export const amountsOf = (text: string): bigint[] | undefined => {
  const [, number = '', unit] = /^(\d{1,15}(?:\.\d{1,2})?) *(sats|[A-Z]{3})?$/.exec(text) ?? [];
  if (number === '') return undefined;
  const [whole = '', fraction = ''] = number.split('.');
  const hundredths = BigInt(`${whole}${fraction.padEnd(2, '0')}`);
  if (unit === 'sats') return fraction === '' ? [BigInt(whole)] : undefined;
  return unit === undefined && fraction === '' ? [hundredths, BigInt(whole)] : [hundredths];
};

/** Returns the beginning and the end of a UTC day, given as `2026-11-24`, in Unix milliseconds. */
export const dayOf = (text: string): { from: number; to: number } | undefined => {
  const from = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(from) ? undefined : { from, to: from + 86_400_000 };
};
