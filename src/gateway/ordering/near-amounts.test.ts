import fc from 'fast-check';
import { expect, it } from 'vitest';
import { buyFor, aCandidate } from '../../../test/support/offers.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import { nearAmounts } from './near-amounts.ts';

const near = (pay: bigint, bps?: number) => {
  const { offer } = aCandidate('acme', { pay, facts: bps === undefined ? {} : { amount_tolerance_bps: bps } });
  // Only what the function reads.
  return nearAmounts({ offer: { offer }, route: { asked: buyFor(pay) } } as unknown as StoredQuote);
};

it('two amounts are near if they differ by at most the tolerance of the larger, whichever was first', () => {
  const amount = fc.bigInt(1n, 10_000_000n);
  fc.assert(
    fc.property(amount, amount, fc.integer({ min: 0, max: 9_999 }), (one, other, bps) => {
      const [larger, gap] = one > other ? [one, one - other] : [other, other - one];
      const range = near(one, bps);
      expect(range !== undefined && other >= range.least && other <= range.most).toBe(gap * 10_000n <= larger * BigInt(bps));
    }),
  );
  expect(near(10_000n, 100)).toEqual({ currency: 'EUR', least: 9_900n, most: 10_101n });
});

it('without a tolerance, the provider tells every two amounts apart; a strange one is taken as it must mean', () => {
  expect(near(10_000n)).toBeUndefined();
  expect(near(10_000n, 0)).toEqual({ currency: 'EUR', least: 10_000n, most: 10_000n });
  expect(near(10_000n, 99.5)).toEqual(near(10_000n, 100));
  expect(near(10_000n, -5)).toEqual(near(10_000n, 0));
  expect(near(10_000n, 50_000)).toEqual(near(10_000n, 9_999));
});
