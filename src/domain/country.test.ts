import { expect, it } from 'vitest';
import { readCountry } from './country.ts';

it('codes in everyday use are read as what ISO has for them; what is no country is none', () => {
  expect(['GB', 'gb', 'UK', 'uk', 'EL', ' de ', 'XK'].map(readCountry)).toEqual(['GB', 'GB', 'GB', 'GB', 'GR', 'DE', 'XK']);
  expect(['ZZ', 'EU', 'XX', 'AN', 'D', '', '__proto__', 'constructor', 'DEU', 'ДЕ'].map(readCountry)).toEqual(Array(10).fill(undefined));
});
