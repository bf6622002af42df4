import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readCountry } from './country.ts';

it("codes in everyday use become ISO's codes; a text that is not a country is refused", () => {
  expect(['GB', 'gb', 'UK', 'uk', 'EL', ' de ', 'XK'].map(readCountry)).toEqual(['GB', 'GB', 'GB', 'GB', 'GR', 'DE', 'XK']);
  expect(['ZZ', 'EU', 'XX', 'AN', 'D', '', '__proto__', 'constructor', 'DEU', 'ДЕ'].map(readCountry)).toEqual(Array(10).fill(undefined));
});

/**
 * Codes that ICU treats as regions but that are refused: reserved codes, groups of countries and test codes. (XK is accepted, although not in ISO
 * 3166-1.)
 */
const reserved = new Set('AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ'.split(' '));
const everyday: Record<string, string> = { UK: 'GB', EL: 'GR' };

it("of all pairs of letters, in any case, exactly ISO's country codes are read, and returned as ISO writes them", () => {
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  const blanks = fc.constantFrom('', ' ', '\n', '\u00a0', '\ufeff');
  const written = fc.sample(fc.tuple(fc.boolean(), blanks, blanks), alphabet.length ** 2);
  const codes = alphabet.flatMap((first) => alphabet.map((second) => first + second));
  for (const [i, [lower, before, after]] of written.entries()) {
    const code = codes[i] ?? '';
    const iso = everyday[code] ?? code;
    // ICU also maps the codes of former countries to their successors.
    const isCountry =
      names.of(iso) !== undefined && !reserved.has(iso) && new Intl.Locale('und', { region: iso }).maximize().region === iso && iso === canonical(iso);
    expect([code, readCountry(before + (lower ? code.toLowerCase() : code) + after)]).toEqual([code, isCountry ? iso : undefined]);
  }
});
const canonical = (region: string): string | undefined => new Intl.Locale(`und-${region}`).region;

it('nothing else is a country', () => {
  fc.assert(fc.property(fc.string(), (text) => /^[A-Za-z]{2}$/.test(text.trim()) || readCountry(text) === undefined));
});
