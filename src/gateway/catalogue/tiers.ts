/**
 * A provider may list one way to pay several times: in tiers (10 to 1,000 at 1.5 %, 1,000 to 10,000 at 0.9 %), or a currency twice. We keep all
 * of them under one number, and ask for those that take the amount.
 */
import type { CatalogueOption } from '../../providers/spec.ts';

/** Cheapest first; equal costs keep the listed order. */
export const withTier = (tiers: readonly CatalogueOption[], tier: CatalogueOption): CatalogueOption[] =>
  [...tiers, tier].toSorted((a, b) => a.feePpm - b.feePpm);

export type Outside = 'below-minimum' | 'above-maximum' | undefined;

/**
 * The cheapest tier that takes the amount. If none does, the one with the nearest limit: the highest maximum below the amount, else the lowest
 * minimum above it.
 */
export const tierFor = (tiers: readonly CatalogueOption[], outside: (tier: CatalogueOption) => Outside): CatalogueOption | undefined => {
  const tooSmall = tiers.filter((tier) => outside(tier) === 'above-maximum');
  return (
    tiers.find((tier) => outside(tier) === undefined) ??
    tooSmall.toSorted((a, b) => compare(b.maxFiat, a.maxFiat))[0] ??
    tiers.toSorted((a, b) => compare(a.minFiat, b.minFiat))[0]
  );
};

const mostAsked = 3;

/** Every tier that takes the amount, cheapest first. The listed fee is only a hint; the offer has the price. */
export const tiersFor = (tiers: readonly CatalogueOption[], outside: (tier: CatalogueOption) => Outside): CatalogueOption[] =>
  tiers.filter((tier) => outside(tier) === undefined).slice(0, mostAsked);

const compare = (a = 0n, b = 0n): number => (a < b ? -1 : a > b ? 1 : 0);
