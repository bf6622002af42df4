import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CatalogueOption } from '../../providers/spec.ts';
import { tierFor, tiersFor, withTier, type Outside } from './tiers.ts';

const tier = (id: number, feePpm: number, minFiat?: bigint, maxFiat?: bigint): CatalogueOption => ({
  currency: 'EUR',
  name: 'SEPA',
  upstream: id,
  feePpm,
  ...(minFiat === undefined ? {} : { minFiat }),
  ...(maxFiat === undefined ? {} : { maxFiat }),
});
const outside =
  (amount: bigint) =>
  ({ minFiat, maxFiat }: CatalogueOption): Outside =>
    minFiat !== undefined && amount < minFiat ? 'below-minimum' : maxFiat !== undefined && amount > maxFiat ? 'above-maximum' : undefined;
const idFor = (amount: bigint, ...tiers: CatalogueOption[]): unknown =>
  tierFor(
    tiers.reduce<CatalogueOption[]>((all, one) => withTier(all, one), []),
    outside(amount),
  )?.upstream;

it('the cheapest tier that accepts the amount is used', () => {
  const sepa = [tier(1, 15_000, 1_000n, 100_000n), tier(2, 9_000, 100_000n, 1_000_000n)];
  expect([5_000n, 100_000n, 500_000n].map((amount) => idFor(amount, ...sepa))).toEqual([1, 2, 2]);
  expect(idFor(500n, tier(1, 20_000), tier(2, 2_000))).toBe(2);
  expect(idFor(500n, tier(1, 2_000), tier(2, 2_000))).toBe(1);
});

it('if no tier accepts it, the nearest limit is shown', () => {
  const tiers = [tier(1, 9_000, 1_000n, 2_000n), tier(2, 15_000, 5_000n, 9_000n), tier(3, 1_000, 500n, 900n)];
  expect([100n, 10_000n, 950n, 3_000n].map((amount) => idFor(amount, ...tiers))).toEqual([3, 2, 3, 1]);
  expect(idFor(1n)).toBeUndefined();
});

it('of any tiers in any sequence, those that accept the amount are used, at most the three cheapest', () => {
  const limit = fc.option(fc.bigInt(1n, 50n), { nil: undefined });
  const listed = fc.array(fc.record({ fee: fc.nat(5), min: limit, max: limit }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(listed, fc.bigInt(1n, 60n), (given, amount) => {
      const all = given.map(({ fee, min, max }, id) => tier(id, fee, min, max));
      const kept = all.reduce<CatalogueOption[]>((tiers, one) => withTier(tiers, one), []);
      const takes = given.flatMap(({ fee, min = 0n, max = 100n }, id) => (amount >= min && amount <= max ? [{ id, fee }] : []));
      const cheapest = takes.toSorted((a, b) => a.fee - b.fee || a.id - b.id).slice(0, 3);
      expect(new Set(kept)).toEqual(new Set(all));
      expect(tiersFor(kept, outside(amount)).map(({ upstream }) => upstream)).toEqual(cheapest.map(({ id }) => id));
      const nearest = tierFor(kept, outside(amount))?.upstream;
      expect(takes.length > 0 ? nearest : undefined).toBe(cheapest[0]?.id);
    }),
  );
});
