import * as z from 'zod';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Problem } from '../gateway/problem.ts';
import { endpoints } from './endpoints.ts';
import { validate } from './validate.ts';

const answerTo = (schema: z.ZodObject, body: Record<string, unknown>): Problem | undefined => {
  try {
    validate(schema, body);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
};
const bodies = endpoints.flatMap(({ path, body }) => (body === undefined ? [] : [{ path, members: Object.keys(body.shape) }]));
const camelCase = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Typing mistakes, and other ways to write member names. */
const slips: ((name: string, at: number) => string)[] = [
  (name, at) => name.slice(0, at) + name.slice(at + 1),
  (name, at) => `${name.slice(0, at)}x${name.slice(at)}`,
  (name, at) => `${name.slice(0, at)}q${name.slice(at + 1)}`,
  (name, at) => name.slice(0, at) + (name[at + 1] ?? '') + (name[at] ?? '') + name.slice(at + 2),
  (name) => name.toUpperCase(),
  (name) => name.replaceAll('_', '-'),
  (name) => name.replaceAll('_', ' '),
  (name) => `${name} `,
  (name) => `${name}\u200b`,
  (name) => `${name}s`,
  (name) => camelCase(name).replace(/^./, (letter) => letter.toUpperCase()),
];

it('of every operation: a member that is misspelt is named, and never ignored', () => {
  fc.assert(
    fc.property(fc.constantFrom(...bodies), fc.nat(), fc.constantFrom(...slips), fc.nat(), ({ members }, which, slip, where) => {
      // The members accept any value, so only the name can be wrong.
      const schema = z.object(Object.fromEntries(members.map((name) => [name, z.unknown().optional()])));
      const name = members[which % members.length] ?? '';
      const written = slip(name, where % name.length);
      if (members.some((one) => one === written || camelCase(one) === written)) return;
      const problem = answerTo(schema, { [written]: 1 });
      // Short names are too much alike: "code" may be a typo, or the member "mode" of another client.
      const isShort = problem === undefined && name.length <= 5;
      expect([name, isShort ? `/${written}` : problem?.more.errors?.[0]?.pointer]).toEqual([name, `/${written}`]);
    }),
    { numRuns: 3000 },
  );
});

it('a currency or an option that is named gets its number, of the same ramp and currency, and none if the name fits several', () => {
  const schema = z.object({ currency_id: z.number(), payment_option_id: z.number() });
  const numbers = [
    { id: 1, currencyId: 1, currencyCode: 'EUR', name: 'SEPA', ramp: 'buy' },
    { id: 2, currencyId: 1, currencyCode: 'EUR', name: 'SEPA', ramp: 'sell' },
    { id: 3, currencyId: 1, currencyCode: 'EUR', name: 'Card', ramp: 'buy' },
    { id: 4, currencyId: 2, currencyCode: 'CHF', name: 'Card', ramp: 'buy' },
    { id: 5, currencyId: 3, currencyCode: 'USD', name: 'ACH', ramp: 'sell' },
  ] as const;
  const said = (ramp: 'buy' | 'sell', body: Record<string, unknown>): string | undefined => {
    try {
      validate(schema, body, { ramp, numbers });
      return undefined;
    } catch (error) {
      return (error as Problem).detail;
    }
  };
  const of = (path: string, which: string, hint = ''): string => `${which} must be a number from POST ${path}${hint}`;
  expect(said('buy', { currency_id: 1, payment_option_id: 'sepa' })).toBe(of('/payment-options', 'payment_option_id', ' (SEPA is 1)'));
  expect(said('sell', { currency_id: 1, payment_option_id: 'sepa' })).toBe(of('/sell/payment-options', 'payment_option_id', ' (SEPA is 2)'));
  expect(said('buy', { currency_id: 2, payment_option_id: 'Card' })).toBe(of('/payment-options', 'payment_option_id', ' (Card is 4)'));
  expect(said('buy', { currency_id: 'EUR', payment_option_id: 'Card' })).toBe(
    `${of('/payment-options', 'currency_id', ' (EUR is 1)')}; ${of('/payment-options', 'payment_option_id')}`,
  );
  expect(said('buy', { currency_id: 'USD', payment_option_id: 3 })).toBe(of('/payment-options', 'currency_id'));
});
