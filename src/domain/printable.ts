/** Makes text from others safe to show and store: removes characters that are invisible or change the writing direction. */

/**
 * Matches control, format and bidi marks, lone surrogates, private use and blank fillers. Spaces and line breaks are replaced before this is applied.
 */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/**
 * Matches the characters of INVISIBLE, except for joiners and the emoji selector, which carry meaning inside words (Persian, Indic scripts) and in
 * emoji, and except for the blank Braille pattern.
 */
const INVISIBLE_IN_TEXT = /(?!\u200c|\u200d|\ufe0f)[\p{C}\p{Default_Ignorable_Code_Point}]/gu;

/** Turns each run of spaces, tabs and line breaks into one space, and removes what is invisible. */
export const withoutInvisible = (text: string): string =>
  text
    .replaceAll(/[\s\u0085]+/gu, ' ')
    .replaceAll(INVISIBLE_IN_TEXT, '')
    .trim();

/** Returns a name for lists, with at most `max` characters on one line, or undefined when nothing in it is visible. */
export const printableName = (text: string, max = 64): string | undefined => {
  const seen = text
    .replaceAll(/[\s\u0085]+/gu, ' ')
    .replaceAll(INVISIBLE, '')
    .replaceAll(/ +/g, ' ')
    .trim();
  const name = [...seen].slice(0, max).join('').trim();
  return name === '' ? undefined : name;
};

/**
 * Returns a provider's status word for a log line or a note, if it is short and consists of words. Anything else is replaced, because it may be a
 * link, an IBAN or an e-mail address.
 */
export const statusWord = (word: string): string => (/^[a-z][a-z _+-]{0,63}$/i.test(word) ? word : '(no word)');
