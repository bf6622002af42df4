import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bpsDown,
  bpsUp,
  btcPrice,
  decimalTimesCeil,
  decimalTimesFloor,
  divCeil,
  divFloor,
  feeInSats,
  formatHundredths,
  isSafe,
  mostSats,
  mulBps,
  parseDecimal,
} from './money.ts';

test.each([
  [7n, 2n, 3n, 4n],
  [-7n, 2n, -4n, -3n],
  [7n, -2n, -4n, -3n],
  [-7n, -2n, 3n, 4n],
  [6n, 3n, 2n, 2n],
  [-6n, 3n, -2n, -2n],
  [0n, 5n, 0n, 0n],
])('%d / %d rounds down to %d and up to %d', (a, b, down, up) => {
  expect([divFloor(a, b), divCeil(a, b)]).toEqual([down, up]);
});

test('floor and ceil enclose the true quotient by less than one', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.boolean(), (a, size, negative) => {
      const b = negative ? -size : size;
      const [down, up] = [divFloor(a, b), divCeil(a, b)];
      const [low, high] = negative ? [up * b, down * b] : [down * b, up * b];
      expect(low <= a && a <= high).toBe(true);
      expect(up - down).toBe(a % b === 0n ? 0n : 1n);
    }),
  );
});

test('dividing by zero throws', () => {
  expect(() => divFloor(1n, 0n)).toThrow(RangeError);
  expect(() => btcPrice(10_000n, 90n, 0n)).toThrow(RangeError);
});

test('basis points round as their name says', () => {
  expect([bpsUp(1n, 3n), bpsDown(1n, 3n)]).toEqual([3334, 3333]);
  expect([bpsUp(-1n, 3n), bpsDown(-1n, 3n)]).toEqual([-3333, -3334]);
  expect([bpsUp(90n, 10_000n), bpsDown(90n, 10_000n)]).toEqual([90, 90]);
  expect([bpsUp(1_000_000n, 1n), bpsDown(1_000_000n, 1n)]).toEqual([10_000_000_000, 10_000_000_000]);
  expect([mulBps(10_001n, 50), mulBps(-10_001n, 50)]).toEqual([50n, -51n]);
});

test.each([
  ['9.739384389926184e-05', 9739384389926184n, 20],
  ['25188.12', 2518812n, 2],
  ['100', 100n, 0],
  ['1e5', 100_000n, 0],
  ['1.25E+1', 125n, 1],
  ['12.5e3', 12_500n, 0],
  ['-0.5', -5n, 1],
  ['0', 0n, 0],
  ['0.000', 0n, 3],
  [`${'0'.repeat(30)}${'9'.repeat(40)}`, BigInt('9'.repeat(40)), 0],
  [`0.${'0'.repeat(60)}1`, 1n, 61],
  ['1e10', 10_000_000_000n, 0],
  ['1e100', 10n ** 100n, 0],
  ['1e-100', 1n, 100],
  [`${'0'.repeat(199)}1`, 1n, 0],
])('reads %s exactly', (text, digits, scale) => {
  expect(parseDecimal(text)).toEqual({ digits, scale });
});

test.each([
  '',
  ' 1',
  '1 ',
  '1,5',
  '.5',
  '5.',
  '+1',
  '0x10',
  'NaN',
  'Infinity',
  '1e400',
  '1e-101',
  '--1',
  '1e',
  '١',
  '9'.repeat(41),
  `${'0'.repeat(200)}1`,
  `0.${'0'.repeat(300)}1`,
])('refuses %j', (text) => {
  expect(parseDecimal(text)).toBeUndefined();
});

test('a product with a rate is rounded once, at the end', () => {
  const rate = { digits: 9739384389926184n, scale: 20 };
  expect([decimalTimesFloor(rate, 1_000_000n), decimalTimesCeil(rate, 1_000_000n)]).toEqual([97n, 98n]);
  expect([decimalTimesFloor({ digits: 15n, scale: 1 }, 2n), decimalTimesCeil({ digits: 15n, scale: 1 }, 2n)]).toEqual([3n, 3n]);
});

test('hundredths are written with two places', () => {
  expect([2000n, 5n, 0n, -5n, 123_456_789_012n].map((amount) => formatHundredths(amount, 'EUR'))).toEqual([
    '20.00 EUR',
    '0.05 EUR',
    '0.00 EUR',
    '-0.05 EUR',
    '1234567890.12 EUR',
  ]);
});

test('the outward price of the three example offers', () => {
  expect([btcPrice(10_000n, 90n, 107_869n), btcPrice(10_000n, 149n, 107_414n), btcPrice(10_000n, 50n, 107_683n)]).toEqual([9_187_069n, 9_171_057n, 9_240_084n]);
  expect(btcPrice(100_000_000n, 0n, 1n)).toBe(10_000_000_000_000_000n);
});

test.each([
  ['costs more than it delivers', 5_400n, 400n, 5_000n],
  ['costs one sat more', 401n, 400n, 1n],
  ['costs what it delivers', 400n, 400n, 0n],
  ['costs less than it delivers', 399n, 400n, 0n],
])('the fee in sats of an order that %s', (_, pay, receive, fee) => {
  expect(feeInSats(pay, receive)).toBe(fee);
});

test.each([
  [0n, true],
  [9_007_199_254_740_991n, true],
  [9_007_199_254_740_992n, false],
  [-9_007_199_254_740_991n, true],
  [-9_007_199_254_740_992n, false],
])('whether every JSON parser reads %d exactly: %s', (amount, safe) => {
  expect(isSafe(amount)).toBe(safe);
});

test('there will never be more than 21 million bitcoins', () => {
  expect(mostSats).toBe(2_100_000_000_000_000n);
});
