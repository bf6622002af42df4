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
/** By a word of the API. A word of a later gateway has no text here: see `textOf`. */
export type Texts = Readonly<Record<string, string>>;

const catalogue: Record<Language, Words> = { en, de };
export const wordsOf = (language: Language): Words => catalogue[language];

/** The language to speak: the first of the wanted ones that there is. */
export const languageOf = (...wanted: readonly (string | null | undefined)[]): Language => {
  for (const tag of wanted) {
    const language = tag?.toLowerCase().split('-')[0];
    if (language === 'en' || language === 'de') return language;
  }
  return 'en';
};

/** The text of a word, else what the gateway says about it itself, in English. */
export const textOf = (texts: Texts, word: string, instead: string): string => (Object.hasOwn(texts, word) ? texts[word] : undefined) ?? instead;
