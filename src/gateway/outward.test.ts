import { expect, test } from 'vitest';
import { int, isoTime, limit } from './outward.ts';

const largest = BigInt(Number.MAX_SAFE_INTEGER);

test('an amount that is too large for a JSON integer does not fail the response', () => {
  expect([0n, largest, -largest, largest + 1n, -largest - 1n, 10n ** 30n].map(int)).toEqual([
    0,
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER,
  ]);
});

test('a limit that is too large for a JSON integer is left out', () => {
  expect([undefined, 5n, 999_999_999_999_999_999n].map((amount) => limit('min_amount_fiat', amount))).toEqual([{}, { min_amount_fiat: 5 }, {}]);
});

test('a time beyond the last possible date becomes the last date', () => {
  expect([0, 1e300, -1e300].map(isoTime)).toEqual(['1970-01-01T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', '-271821-04-20T00:00:00.000Z']);
});
