/**
 * A provider may list the same way to pay several times, for example in tiers: 10 to 1,000 at 1.5 %, 1,000 to 10,000 at 0.9 %. We keep all of these
 * options under one number, and ask for the prices of those that accept the amount.
 */
import type { CatalogueOption } from '../../providers/spec.ts';

/** Adds a tier. The tiers are sorted cheapest first; tiers with equal fees keep the listed order. */
export const withTier = (tiers: readonly CatalogueOption[], tier: CatalogueOption): CatalogueOption[] =>
  [...tiers, tier].toSorted((a, b) => a.feePpm - b.feePpm);

export type Outside = 'below-minimum' | 'above-maximum' | undefined;

/**
 * Returns the cheapest tier that accepts the amount. If no tier does, returns the tier with the highest maximum below the amount, or else the tier
 * with the lowest minimum above it.
 */
export const tierFor = (tiers: readonly CatalogueOption[], outside: (tier: CatalogueOption) => Outside): CatalogueOption | undefined => {
  const accepting = tiers.find((tier) => outside(tier) === undefined);
  if (accepting) return accepting;
  const tooSmall = tiers.filter((tier) => outside(tier) === 'above-maximum');
  return tooSmall.toSorted((a, b) => compare(b.maxFiat, a.maxFiat))[0] ?? tiers.toSorted((a, b) => compare(a.minFiat, b.minFiat))[0];
};

const mostAsked = 3;

/** Returns the tiers that accept the amount, cheapest first, at most three. The listed fee is only a hint: the offer has the real price. */
export const tiersFor = (tiers: readonly CatalogueOption[], outside: (tier: CatalogueOption) => Outside): CatalogueOption[] =>
  tiers.filter((tier) => outside(tier) === undefined).slice(0, mostAsked);

const compare = (a = 0n, b = 0n): number => (a < b ? -1 : a > b ? 1 : 0);
