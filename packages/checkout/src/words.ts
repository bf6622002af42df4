import type { Language } from './amounts.ts';
import { de } from './words-de.ts';
import { en } from './words-en.ts';

/** Every text of the checkout. Another language is one more file of this type. */
export type Words = {
  readonly [Key in keyof typeof en]: (typeof en)[Key] extends (...given: infer Given) => string
    ? (...given: Given) => string
    : (typeof en)[Key] extends string
      ? string
      : Texts;
};
/** Texts for words of the API, such as the stage `paid`. A newer gateway may send words that have no text here: see `textOf`. */
export type Texts = Readonly<Record<string, string>>;

const catalogue: Record<Language, Words> = { en, de };
export const wordsOf = (language: Language): Words => catalogue[language];

/** Returns the first of the wanted languages that the checkout has, or English. */
export const languageOf = (...wanted: readonly (string | null | undefined)[]): Language => {
  for (const tag of wanted) {
    const language = tag?.toLowerCase().split('-')[0];
    if (language === 'en' || language === 'de') return language;
  }
  return 'en';
};

/** Returns the text of a word or, if it has none, `instead`: the word itself, or what the gateway says in English. */
export const textOf = (texts: Texts, word: string, instead: string): string => (Object.hasOwn(texts, word) ? texts[word] : undefined) ?? instead;
