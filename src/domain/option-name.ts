/** Trade marks are decoration; the choice between text and picture of an emoji is, too. */
const DECORATION = /[\u00ae\u00a9\u2120\u2117\p{Cf}\p{Variation_Selector}]/gu;

/**
 * NFKC, lower case, punctuation and blanks to one space: "SEPA-Instant" and "Sepa instant" are one option. Letters with their vowel signs,
 * digits, + and pictures tell options apart ("SEPA+", "💳", "बैंक"); of a name without any of them the name itself.
 */
export const normalForm = (name: string): string => {
  const plain = name.replaceAll(DECORATION, '').normalize('NFKC').toLowerCase();
  const words = plain.replaceAll(/[^\p{L}\p{N}\p{M}\p{Sc}\p{So}+]+/gu, ' ').trim();
  return words === '' ? plain.replaceAll(/\s+/gu, ' ').trim() : words;
};

/** Whether what a provider echoed is another currency or option than expected. What was not echoed, or not expected, does not differ. */
export const namesDiffer = (echoed: string | undefined, expected: string | undefined): boolean =>
  echoed !== undefined && expected !== undefined && echoed !== expected && normalForm(echoed) !== normalForm(expected);
