import { countersOf } from '../domain/network.ts';
import { Problem } from '../gateway/problem.ts';
import type { Endpoint, HttpSettings } from './call.ts';
import type { Caller } from './limiter.ts';

/** How many requests are in progress: in all, and for each key of `sharesOf`. */
export type InProgress = { total: number; of: Map<string, number> };

/** Returns how many of the slots a lane may use. Quotes may use two thirds of them, so that quotes are refused first. */
const placesOf = (all: number, lane: Endpoint['lane']): number => (lane === 'quotes' ? Math.ceil((all * 2) / 3) : all);

/**
 * Returns the limits that a request counts against, in addition to the limit of all requests. One network may use `budget` slots. A /48 may use 16
 * times as many, but not more than half of all slots, so that an owner of many addresses leaves some for others. (If `budget` itself is more than
 * half, the /48 may use that.) Calls without a network (an app's backend, an unknown address, the operator) count only against the limit of all
 * requests.
 */
const sharesOf = ({ network, app }: Partial<Caller>, http: HttpSettings): { key: string; most: number }[] => {
  if (network === undefined) return [];
  const budget = app?.inFlight ?? http.inFlightOfNetwork;
  const prefix = app ? `${app.id} ` : '';
  return countersOf(network, budget).map(({ key, most }) => ({
    key: prefix + key,
    most: key === network.own ? most : Math.max(budget, Math.min(most, Math.ceil(http.inFlight / 2))),
  }));
};

/** Takes a slot and returns a function that frees it. Throws a Problem if there is none for this caller and lane. */
export const takePlace = (progress: InProgress, caller: Partial<Caller>, lane: Endpoint['lane'], http: HttpSettings): (() => void) => {
  const shares = sharesOf(caller, http);
  const full = shares.find(({ key, most }) => (progress.of.get(key) ?? 0) >= placesOf(most, lane));
  if (full) {
    const detail = 'Too many requests from this network are in progress. Try again when one of them has finished.';
    throw new Problem('rate-limited', detail, { retryAfterMs: 1000 });
  }
  if (progress.total >= placesOf(http.inFlight, lane))
    throw new Problem('temporary-reduced-capacity', 'Too many requests are in progress. Try again in a second.', { retryAfterMs: 1000 });
  progress.total += 1;
  for (const { key } of shares) progress.of.set(key, (progress.of.get(key) ?? 0) + 1);
  return () => {
    progress.total -= 1;
    for (const { key } of shares) {
      const left = (progress.of.get(key) ?? 0) - 1;
      if (left > 0) progress.of.set(key, left);
      else progress.of.delete(key);
    }
  };
};
