import { expect, test } from 'vitest';
import { aCandidate, buyFor } from '../../test/support/offers.ts';
import { beatsByMore, behindBps, compareNet, costBps, deviationBps, exchangedOf, netOf, priceOf } from './net-result.ts';
import type { Asked, ExchangeAsked } from './offer.ts';

const buy = buyFor(10_000n);
const sell: Asked = { ramp: 'sell', fixed: 'pay', amount: 250_000n, currency: 'EUR', option: 'SEPA' };
const liquidity: Asked = { ramp: 'liquidity', inboundSats: 1_000_000n, clientSats: 0n };
const bought = aCandidate('a').offer;
const sold = aCandidate('a', { pay: 250_001n, receive: 22_720n, fee: 230n }).offer;

test('what is received per paid, or one by the fee', () => {
  expect(netOf(buy, bought)).toEqual({ n: 107_869n, d: 10_000n });
  expect(netOf(sell, sold)).toEqual({ n: 22_720n, d: 250_001n });
  expect(netOf(liquidity, bought)).toEqual({ n: 1n, d: 90n });
});

test.each<[ExchangeAsked['ramp'], bigint, bigint, bigint, bigint, bigint]>([
  ['buy', 10_000n, 107_869n, 90n, 107_869n, 9_910n],
  ['sell', 250_001n, 22_720n, 230n, 22_950n, 250_001n],
])('without the fee, a %s of %d for %d with a fee of %d is worth %d / %d', (ramp, pay, receive, fee, n, d) => {
  const request: ExchangeAsked = { ramp, fixed: 'pay', amount: pay, currency: 'EUR', option: 'SEPA' };
  expect(exchangedOf(request, { ...bought, pay, receive, fee })).toEqual({ n, d });
});

test('fractions are compared exactly', () => {
  const third = { n: 1n, d: 3n };
  expect([compareNet(third, { n: 2n, d: 6n }), compareNet(third, { n: 3n, d: 10n }), compareNet(third, { n: 2n, d: 5n })]).toEqual([0, 1, -1]);
  // A difference of 1 in the numerator decides.
  expect([compareNet({ n: 2n, d: 1n }, { n: 1n, d: 1n }), compareNet({ n: 1n, d: 1n }, { n: 2n, d: 1n })]).toEqual([1, -1]);
  expect(compareNet({ n: 1n, d: 0n }, { n: 1n, d: 1n })).toBe(1);
});

test('a lead in basis points: exactly the bound is not more than the bound', () => {
  const [second, lead, more] = [
    { n: 1_000n, d: 1n },
    { n: 1_100n, d: 1n },
    { n: 1_101n, d: 1n },
  ];
  expect([beatsByMore(lead, second, 1000), beatsByMore(more, second, 1000)]).toEqual([false, true]);
  expect([deviationBps(lead, second), deviationBps({ n: 11_001n, d: 30n }, { n: 10_000n, d: 30n })]).toEqual([1000, 1001]);
});

test('a lead of exactly ten per cent between fractions with different denominators', () => {
  const second = { n: 700_000n, d: 7n }; // 100,000
  expect(beatsByMore({ n: 330_000n, d: 3n }, second, 1000)).toBe(false);
  expect(beatsByMore({ n: 330_001n, d: 3n }, second, 1000)).toBe(true);
});

test('behind the best: rounded up, negative in front of it, nothing where all is free', () => {
  const best = { n: 3n, d: 1n };
  expect([behindBps(best, best), behindBps({ n: 2n, d: 1n }, best), behindBps({ n: 4n, d: 1n }, best)]).toEqual([0, 3334, -3333]);
  expect(behindBps({ n: 1n, d: 0n }, { n: 1n, d: 0n })).toBe(0);
  // Three halves are half of three: the denominators count.
  expect(behindBps({ n: 3n, d: 2n }, { n: 21n, d: 7n })).toBe(5000);
});

test('the price without the fee: down when bitcoin is bought, up when it is sold', () => {
  expect(priceOf(buy, bought)).toBe(9_187_069n);
  expect(priceOf(sell, sold)).toBe(9_179_964n);
  expect(priceOf(liquidity, bought)).toBeUndefined();
});

test('the cost of it all against a reference: a part of what is given', () => {
  expect(costBps(buy, bought, 9_187_070n)).toBe(90);
  expect(costBps(sell, { ...sold, pay: 250_000n }, 9_180_000n)).toBe(101);
  // The offer costs nothing at the first and third reference price, and is better than the reference at the other two.
  expect(costBps(buy, { ...bought, receive: 100_000n }, 10_000_000n)).toBe(0);
  expect(costBps(buy, { ...bought, receive: 100_000n }, 11_000_000n)).toBe(-1000);
  expect(costBps(sell, { ...sold, pay: 250_000n, receive: 22_950n }, 9_180_000n)).toBe(0);
  expect(costBps(sell, { ...sold, pay: 250_000n, receive: 22_950n }, 4_590_000n)).toBe(-10_000);
  expect(costBps(liquidity, bought, 9_187_070n)).toBeUndefined();
});
