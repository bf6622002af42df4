import fc from 'fast-check';
import { expect, it } from 'vitest';
import { normalForm } from './option-name.ts';

it.each([
  ['SEPA-Instant', ' sepa  instant'],
  ['PayPal®', 'paypal'],
  ['💳\ufe0f', '💳'],
  ['ＳＥＰＡ', 'sepa'],
  ['SEPA\u200b', 'SEPA'],
  ['Card (Visa)', 'card visa'],
])('%j and %j are one option', (a, b) => expect(normalForm(a)).toBe(normalForm(b)));

it.each([
  ['💳', '🏦'],
  ['SEPA', 'SEPA+'],
  ['Card €', 'Card $'],
  ['कि', 'की'],
  ['ไทย', 'ไท'],
  ['--', '//'],
  ['é', 'e'],
  ['SEPA', 'SEPА'],
])('%j and %j are two', (a, b) => expect(normalForm(a)).not.toBe(normalForm(b)));

it('a visible name never becomes nothing, and is its own normal form', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(normalForm(normalForm(name))).toBe(normalForm(name));
      expect(normalForm(name) === '').toBe(!/[^\s\p{Cf}\p{Variation_Selector}®©\u2120\u2117]/u.test(name));
    }),
  );
});
