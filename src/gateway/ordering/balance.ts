import type { Prepared } from './prepared.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Intent } from '../../ports/intents.ts';
import type { StoredQuote } from '../pricing/store-route.ts';

export const appKeyRequired = (): Problem =>
  new Problem('app-key-required', "pay_with: balance spends the operator's money, so it needs the key of an app that may do so.");

const spendOf = (at: number) => ({ day: new Date(at).toISOString().slice(0, 10), purpose: 'balance-sats', subject: 'all' });

/**
 * Counts a purchase with the operator's money in the daily sum, and returns the key that allows one such purchase at a time per seller. Throws a
 * Problem if the caller's app may not spend that money, or if the daily limit is reached.
 */
export const spending = async (gateway: Gateway, quote: StoredQuote, maySpend: boolean): Promise<Pick<Prepared, 'exclusiveKey' | 'countedOn' | 'release'>> => {
  if (!maySpend) throw appKeyRequired();
  const limit = gateway.settings.liquidity.balance_daily_sats;
  const countedOn = gateway.now();
  const counted = spendOf(countedOn);
  const { pay } = quote.offer.offer;
  if ((await gateway.stores.liquidity.take(counted, pay, BigInt(limit))) === undefined)
    throw new Problem(
      'daily-limit-reached',
      limit === 0 ? 'This gateway does not allow payments from the balance.' : 'The daily limit for payments from the balance has been reached.',
    );
  return {
    exclusiveKey: exclusiveKeyOf(gateway, `balance of ${quote.offer.providerId}`),
    countedOn,
    release: async () => await gateway.stores.liquidity.give(counted, pay),
  };
};

/**
 * Returns a key in the form of a UUID for something that only one order attempt may use at a time. The database allows one unresolved intent per
 * key, and its keys are UUIDs, so `what` is hashed into that form.
 */
export const exclusiveKeyOf = (gateway: Gateway, what: string): string => {
  const hash = gateway.hash(what);
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
};

/**
 * Takes a purchase out of the sum of its day, because it was certainly not made. The attempt's `createdOn` is the time at which the purchase was
 * counted (`countedOn`).
 */
export const releaseSpend = async (gateway: Gateway, intent: Pick<Intent, 'createdOn'>, quote: StoredQuote): Promise<void> => {
  if (quote.terms.liquidity?.payWith !== 'balance') return;
  await gateway.stores.liquidity.give(spendOf(intent.createdOn), quote.offer.offer.pay);
};
