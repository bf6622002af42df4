import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseJsonExactly } from '../kit/wire-values.ts';
import { readUsualQuote } from './fiat-on-ramp-usual.ts';
import { quoteReply } from './fiat-on-ramp-wire.ts';

const usual = {
  quote_id: '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f09000',
  amount_fiat: 10_000,
  currency_id: 1,
  payment_option_id: 1,
  amount_sats: 107_000,
  is_estimate: false,
  btc_price: 9_180_000,
  order_fee: 90,
  expires_on: '2036-01-01T00:00:00.000Z',
};
const names = [...Object.keys(usual), 'amount_btc', 'message', 'more'];

/** Everything that a member may hold: usual values of any member, values that look like them, and any JSON. */
const member = fc.oneof(
  fc.constantFrom<unknown>(null, 0, -0, 1, -1, 1.5, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), 1e-7, true, false, 'true', '1', '0', '', ' ', 'a b', ' id ', '10000'),
  fc.constantFrom<unknown>('10.5', '1e5', 'x'.repeat(101), 'x'.repeat(5000), '2036-01-01', '2036-13-01', '0001-01-01', 1_796_000_000, 'ünit', [], {}, [1]),
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.jsonValue(),
);
const answer = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(fc.dictionary(fc.constantFrom(...names), member), fc.subarray(Object.keys(usual), { maxLength: 2 })) },
  { weight: 1, arbitrary: fc.tuple(fc.jsonValue(), fc.constant([])) },
);

it('reads what the schema reads, or leaves it to the schema', () => {
  let read = 0;
  fc.assert(
    fc.property(answer, ([changes, left]) => {
      const made: unknown = typeof changes === 'object' && changes !== null && !Array.isArray(changes) ? { ...usual, ...changes } : changes;
      for (const name of left) delete (made as Record<string, unknown>)[name];
      const given = parseJsonExactly(JSON.stringify(made));
      const got = readUsualQuote(given);
      if (got === undefined) return;
      read += 1;
      expect(got).toStrictEqual({ amount_btc: undefined, ...allMembers, ...(quoteReply.parse(given) as object) });
    }),
    { numRuns: 3000 },
  );
  expect(read).toBeGreaterThan(300);
});
/** The schema leaves out some absent members. Readers see no difference between those and undefined. */
const allMembers = Object.fromEntries(
  ['amount_sats', 'currency_id', 'payment_option_id', 'btc_price', 'order_fee', 'expires_on'].map((name) => [name, undefined]),
);

it('reads the usual form itself', () => {
  expect(readUsualQuote(usual)).toMatchObject({ quote_id: usual.quote_id, amount_fiat: 10_000n, amount_sats: 107_000n, is_estimate: false, order_fee: 90n });
  const older = { quote_id: 'q', amount_fiat: 1, amount_btc: 2, is_estimate: true };
  expect(readUsualQuote(older)).toMatchObject({ amount_btc: 2n, amount_sats: undefined, expires_on: undefined });
});

it.each([
  ['a message', { message: 'no' }],
  ['a text', 'no'],
  ['an amount as text', { ...usual, amount_sats: '107000' }],
  ['a fraction', { ...usual, amount_fiat: 10_000.5 }],
  ['no amount of fiat', { ...usual, amount_fiat: undefined }],
  ['an id with spaces around it', { ...usual, quote_id: ' q ' }],
  ['a numeric id', { ...usual, quote_id: 7 }],
  ['an estimate that is not said', { ...usual, is_estimate: undefined }],
  ['an array', [usual]],
])('leaves %s to the schema', (_, value) => {
  expect(readUsualQuote(value)).toBeUndefined();
});
