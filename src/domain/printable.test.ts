import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printableName, withoutInvisible } from './printable.ts';

it.each([
  ['SEPA\u200b', 'SEPA'],
  ['\u202eAPES', 'APES'],
  [' Bank\n transfer\t', 'Bank transfer'],
  ['\ufeffCard\u00ad\u0000', 'Card'],
  ['\u3164', undefined],
  ['\u2800 \u200d', undefined],
  ['', undefined],
  ['💳', '💳'],
  ['बैंक हस्तांतरण', 'बैंक हस्तांतरण'],
  ['x'.repeat(65), 'x'.repeat(64)],
  ['💳'.repeat(65), '💳'.repeat(64)],
])('the name %j is shown as %j', (given, shown) => expect(printableName(given)).toBe(shown));

const anyText = fc.array(fc.integer({ min: 0, max: 0x10_ff_ff }), { maxLength: 100 }).map((codes) => String.fromCodePoint(...codes));

it('any text is a visible name of at most 64 characters, or none', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const name = printableName(text);
      expect(name === undefined || (name.trim() === name && name !== '' && [...name].length <= 64 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name))).toBe(true);
      expect(withoutInvisible(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200b\ufeff]/u);
    }),
  );
});
