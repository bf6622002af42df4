/** Matches decoration: the signs ® © ℠ ℗, invisible format characters, and the marks that choose between an emoji's text and picture forms. */
const DECORATION = /[\u00ae\u00a9\u2120\u2117\p{Cf}\p{Variation_Selector}]/gu;

/**
 * Returns the form by which names are compared: NFKC in lower case, with each run of punctuation and spaces replaced by one space. So "SEPA-Instant"
 * and "Sepa instant" are the same option. Letters with their vowel signs, digits, currency signs, + and pictures tell options apart ("SEPA+", "💳",
 * "बैंक"). A name without any of these keeps its punctuation. A name whose letters are all Greek or Cyrillic, and all look like Latin ones, has the
 * form of the Latin name.
 */
export const normalForm = (name: string): string => {
  const plain = asRead(name.replaceAll(DECORATION, '').normalize('NFKC').toLowerCase());
  const words = plain.replaceAll(/[^\p{L}\p{N}\p{M}\p{Sc}\p{So}+]+/gu, ' ').trim();
  return words === '' ? plain.replaceAll(/\s+/gu, ' ').trim() : words;
};

/** Lower-case letters that look like a Latin letter, either as they are or as capitals. In pairs: the letter, and the Latin letter. */
const LIKE_LATIN = new Map(
  'аaвbеeѕsіiјjкkмmнhоoрpсcтtуyүyхxһhԁdԍgԛqԝwαaβbεeζzηhιiκkμmνnοoρpτtυyχx'.match(/../gu)?.map((pair) => [pair.charAt(0), pair.charAt(1)]),
);
const asRead = (name: string): string => {
  const letters = name.match(/\p{L}/gu) ?? [];
  return letters.every((letter) => LIKE_LATIN.has(letter)) ? name.replaceAll(/\p{L}/gu, (letter) => LIKE_LATIN.get(letter) ?? letter) : name;
};

/** Alphabets with letters that look like those of another alphabet. Letters of other scripts, such as Chinese ones, may occur next to any of them. */
const ALPHABETS = [
  /\p{sc=Latin}/u,
  /\p{sc=Cyrillic}/u,
  /\p{sc=Greek}/u,
  /\p{sc=Armenian}/u,
  /\p{sc=Coptic}/u,
  /\p{sc=Cherokee}/u,
  /\p{sc=Lisu}/u,
  /\p{sc=Deseret}/u,
];
/** Returns whether a name mixes letters of two alphabets. A name that imitates another option's name may do that ("SEPA" with a Cyrillic А). */
export const mixesAlphabets = (name: string): boolean => ALPHABETS.filter((alphabet) => alphabet.test(name)).length > 1;

/**
 * Returns whether a provider echoed a currency or option that differs from the expected one. A name that was not echoed or not expected does not
 * differ.
 */
export const namesDiffer = (echoed: string | undefined, expected: string | undefined): boolean =>
  echoed !== undefined && expected !== undefined && echoed !== expected && normalForm(echoed) !== normalForm(expected);
