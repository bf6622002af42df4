/**
 * A provider may list one way to pay several times: by tiers of the amount (10 to 1,000 at 1.5 %, 1,000 to 10,000 at 0.9 %), or a currency
 * twice. All of them are kept under the one number; the cheapest one that takes the amount is asked.
 */
import type { CatalogueOption } from '../../providers/spec.ts';

/** Cheapest first; what costs the same stays as it was listed. */
export const withTier = (tiers: readonly CatalogueOption[], tier: CatalogueOption): CatalogueOption[] =>
  [...tiers, tier].toSorted((a, b) => a.feePpm - b.feePpm);

export type Outside = 'below-minimum' | 'above-maximum' | undefined;

/**
 * The cheapest tier that takes the amount. Where none does, the one whose limit is the nearest: the highest maximum of those that are too small,
 * and where none is, the lowest minimum.
 */
export const tierFor = (tiers: readonly CatalogueOption[], outside: (tier: CatalogueOption) => Outside): CatalogueOption | undefined => {
  const tooSmall = tiers.filter((tier) => outside(tier) === 'above-maximum');
  return (
    tiers.find((tier) => outside(tier) === undefined) ??
    tooSmall.toSorted((a, b) => compare(b.maxFiat, a.maxFiat))[0] ??
    tiers.toSorted((a, b) => compare(a.minFiat, b.minFiat))[0]
  );
};

const compare = (a = 0n, b = 0n): number => (a < b ? -1 : a > b ? 1 : 0);
