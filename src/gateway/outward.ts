import type { Facts, Json } from '../domain/offer.ts';
import type { Gateway } from '../ports/gateway.ts';

export type Shown = { [key: string]: Json };
export const isoTime = (ms: number): string => new Date(ms).toISOString();

/** A provider's outward name stands beside its id everywhere. */
export const providerRef = (gateway: Gateway, id: string): { id: string; name: string } => ({
  id,
  name: gateway.providers.find((provider) => provider.id === id)?.name ?? id,
});

/** Amounts leave as JSON integers: every stored amount was checked to be a safe integer when it came in. */
export const int = (amount: bigint): number => {
  const value = Number(amount);
  if (!Number.isSafeInteger(value)) throw new RangeError('an amount is beyond the safe integers');
  return value;
};

/** Facts whose names start with `provider_` are the provider's own figures, for checks only. */
export const shownFacts = (facts: Facts): Shown => Object.fromEntries(Object.entries(facts).filter(([name]) => !name.startsWith('provider_')));
