import { isSafe } from '../domain/money.ts';
import type { Facts, Json } from '../domain/offer.ts';
import type { Gateway } from '../ports/gateway.ts';

export type Shown = { [key: string]: Json };
/** RFC 3339 UTC. A moment beyond what a date holds is the last one that it holds. */
export const isoTime = (ms: number): string => new Date(Math.min(Math.max(ms, -lastMoment), lastMoment)).toISOString();
const lastMoment = 8_640_000_000_000_000;

/** A provider's outward name stands beside its id everywhere. */
export const providerRef = (gateway: Gateway, id: string): { id: string; name: string } => ({
  id,
  name: gateway.providers.find((provider) => provider.id === id)?.name ?? id,
});

/**
 * Amounts leave as JSON integers. One that no integer holds (a row of before this was checked at the door) is null: it never fails the answer or
 * the list that it stands in.
 */
export const int = (amount: bigint): number | null => (isSafe(amount) ? Number(amount) : null);

/** A limit that no JSON integer holds bounds nothing: it is left away. */
export const limit = (name: string, amount: bigint | undefined): { [name: string]: number } =>
  amount === undefined || !isSafe(amount) ? {} : { [name]: Number(amount) };

/** Facts whose names start with `provider_` are the provider's own figures, for checks only. */
export const shownFacts = (facts: Facts): Shown => Object.fromEntries(Object.entries(facts).filter(([name]) => !name.startsWith('provider_')));
