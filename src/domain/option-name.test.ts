import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mixesAlphabets, normalForm } from './option-name.ts';

it.each([
  ['SEPA-Instant', ' sepa  instant'],
  ['PayPal®', 'paypal'],
  ['💳\ufe0f', '💳'],
  ['ＳＥＰＡ', 'sepa'],
  ['SEPA\u200b', 'SEPA'],
  ['Card (Visa)', 'card visa'],
  ['\u0405\u0415\u0420\u0410', 'SEPA'],
  ['\u039d\u0395\u03a4', 'NET'],
  ['КАРТА', 'Карта'],
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

it.each(['SEP\u0410', '\u0405EPA', 'S\u0395PA', '\uff33\uff25\uff30\u0410', '\u0405\u0395PA', 'SE\u03a1A instant', '\u0405\u0395\u03a1\u0410'])(
  '%j mixes alphabets',
  (name) => expect(mixesAlphabets(name)).toBe(true),
);

it.each(['SEPA', 'СБП', 'Κάρτα', '银行卡 Visa', 'カード JCB', 'UPI भीम', 'Überweisung', 'Carte € 💳', 'كارت Mada', '계좌 KB', '10 µ'])('%j does not', (name) =>
  expect(mixesAlphabets(name)).toBe(false),
);

it('a visible name never becomes nothing, and is its own normal form', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(normalForm(normalForm(name))).toBe(normalForm(name));
      expect(normalForm(name) === '').toBe(!/[^\s\p{Cf}\p{Variation_Selector}®©\u2120\u2117]/u.test(name));
    }),
  );
});
