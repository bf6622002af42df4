/** Makes other people's text safe to show and store: removes what is invisible or turns the writing direction. */

/** Control, format and bidi marks, lone surrogates, private use, blank fillers. Spaces and line breaks are handled before. */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** Joiners carry meaning inside words (Persian, Indic scripts) and emoji. Elsewhere they are just invisible. */
const INVISIBLE_IN_TEXT = /(?!\u200c|\u200d|\ufe0f)[\p{C}\p{Default_Ignorable_Code_Point}]/gu;

/** Turns line breaks and tabs into a space, and removes what is invisible. */
export const withoutInvisible = (text: string): string =>
  text
    .replaceAll(/[\s\u0085]+/gu, ' ')
    .replaceAll(INVISIBLE_IN_TEXT, '')
    .trim();

/** A name for lists: at most `max` characters on one line, or undefined when nothing is visible. */
export const printableName = (text: string, max = 64): string | undefined => {
  const seen = text
    .replaceAll(/[\s\u0085]+/gu, ' ')
    .replaceAll(INVISIBLE, '')
    .replaceAll(/ +/g, ' ')
    .trim();
  const name = [...seen].slice(0, max).join('').trim();
  return name === '' ? undefined : name;
};
