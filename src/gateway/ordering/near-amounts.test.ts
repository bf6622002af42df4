import fc from 'fast-check';
import { expect, it } from 'vitest';
import { buyFor, aCandidate } from '../../../test/support/offers.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import { nearAmounts } from './near-amounts.ts';

type Estimate = { binding?: boolean; fixed?: 'pay' | 'receive'; slippageBps?: number };
const near = (pay: bigint, bps?: number, { binding = true, fixed = 'receive', slippageBps = 100 }: Estimate = {}) => {
  const { offer } = aCandidate('acme', { pay, binding, facts: bps === undefined ? {} : { amount_tolerance_bps: bps } });
  // Only the members that nearAmounts reads.
  const range = nearAmounts({ offer: { offer }, route: { asked: { ...buyFor(pay), fixed } } } as unknown as StoredQuote, slippageBps);
  if (!range) return undefined;
  const { slippageBps: _slippage, ...rest } = range;
  return rest;
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

it('the order for an estimate may ask for more or less than the quote by the slippage, unless the customer fixed what is paid', () => {
  const amount = fc.bigInt(1n, 10_000_000n);
  const bps = fc.integer({ min: 0, max: 1_000 });
  fc.assert(
    fc.property(amount, amount, amount, fc.tuple(bps, bps), (quoted, placed, other, [tolerance, slippageBps]) => {
      const rest = BigInt(10_000 - slippageBps);
      fc.pre(placed * rest <= quoted * 10_000n && placed * 10_000n >= quoted * rest);
      const range = near(quoted, tolerance, { binding: false, slippageBps });
      const own = near(placed, tolerance);
      const isIn = (one: typeof own): boolean => one !== undefined && other >= one.least && other <= one.most;
      expect(isIn(own) && !isIn(range)).toBe(false);
    }),
  );
  expect(near(10_000n, 100, { binding: false })).toEqual({ currency: 'EUR', least: 9_801n, most: 10_203n });
  for (const sure of [{ binding: true }, { binding: false, fixed: 'pay' }, { binding: false, slippageBps: 0 }] as const)
    expect(near(10_000n, 100, sure)).toEqual({ currency: 'EUR', least: 9_900n, most: 10_101n });
  expect(near(10_000n, 0, { binding: false, slippageBps: 10_000 })?.least).toBe(1n);
});
