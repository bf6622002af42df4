import { expect, it } from 'vitest';
import { problems } from '../../../src/http/problem.ts';
import { exclusionRules, offerWarnings } from '../../../src/domain/offer.ts';
import { faultKinds } from '../../../src/domain/fault-kind.ts';
import { refusalReasons } from '../../../src/domain/refusal.ts';
import { languageOf, textOf, wordsOf } from './words.ts';

const [en, de] = [wordsOf('en'), wordsOf('de')];
const leaves = (words: object): string[] =>
  Object.entries(words)
    .flatMap(([key, value]) => (typeof value === 'object' && value !== null ? leaves(value as object).map((leaf) => `${key}.${leaf}`) : [key]))
    .toSorted();

it('has every text in both languages', () => {
  expect(leaves(de)).toEqual(leaves(en));
});

it('says something for whatever keeps a provider from selling', () => {
  // Words about liquidity do not occur in a purchase.
  const others = /^(lease|inbound|client-balance|peer|price-needs|off-step|fee-unresolved|price-is|large-channel)/;
  const words = [...refusalReasons, ...faultKinds, ...exclusionRules].filter((word) => !others.test(word));
  expect(words.filter((word) => textOf(en.reasons, word, '') === '')).toEqual([]);
  expect(offerWarnings.filter((word) => !others.test(word) && textOf(en.warnings, word, '') === '')).toEqual([]);
});

it('translates only problems that there are, or that the client adds', () => {
  const own = ['unreachable', 'malformed-answer', 'store-failed'];
  expect(Object.keys(en.problems).filter((code) => !(code in problems) && !own.includes(code))).toEqual([]);
});

it('shows what the gateway says about a word that it does not know', () => {
  expect([textOf(en.problems, 'a-later-code', 'The gateway says so.'), textOf(en.problems, 'constructor', 'itself')]).toEqual([
    'The gateway says so.',
    'itself',
  ]);
});

it('speaks the first wanted language that there is', () => {
  expect([languageOf('fr', undefined, 'de-AT', 'en'), languageOf('EN-us'), languageOf(null, ''), languageOf('fr')]).toEqual(['de', 'en', 'en', 'en']);
});
