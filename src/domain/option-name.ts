/** Matches decoration: trade mark signs, invisible format characters, and the marks that choose between an emoji's text and picture forms. */
const DECORATION = /[\u00ae\u00a9\u2120\u2117\p{Cf}\p{Variation_Selector}]/gu;

/**
 * Returns the form by which names are compared: NFKC in lower case, with each run of punctuation and spaces replaced by one space. So "SEPA-Instant"
 * and "Sepa instant" are the same option. Letters with their vowel signs, digits, currency signs, + and pictures tell options apart ("SEPA+", "💳",
 * "बैंक"). A name without any of these keeps its punctuation.
 */
export const normalForm = (name: string): string => {
  const plain = name.replaceAll(DECORATION, '').normalize('NFKC').toLowerCase();
  const words = plain.replaceAll(/[^\p{L}\p{N}\p{M}\p{Sc}\p{So}+]+/gu, ' ').trim();
  return words === '' ? plain.replaceAll(/\s+/gu, ' ').trim() : words;
};

/**
 * Returns whether a provider echoed a currency or option that differs from the expected one. A name that was not echoed or not expected does not
 * differ.
 */
export const namesDiffer = (echoed: string | undefined, expected: string | undefined): boolean =>
  echoed !== undefined && expected !== undefined && echoed !== expected && normalForm(echoed) !== normalForm(expected);
