/** Text of other people's as it may be shown and stored: nothing in it that cannot be seen or that turns its direction. */

/** Controls, format and bidi marks, halves of characters, private use, fillers that look like nothing. Blanks and line ends are handled before. */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** Joiners carry meaning inside words (Persian, Indic scripts) and emoji; everywhere else they are invisible like the rest. */
const INVISIBLE_IN_TEXT = /(?!\u200c|\u200d|\ufe0f)[\p{C}\p{Default_Ignorable_Code_Point}]/gu;

/** Line ends and tabs become a blank; what is invisible goes. */
export const withoutInvisible = (text: string): string =>
  text
    .replaceAll(/[\s\u0085]+/gu, ' ')
    .replaceAll(INVISIBLE_IN_TEXT, '')
    .trim();

/** A name for lists: at most `max` characters on one line, or undefined when nothing of it can be seen. */
export const printableName = (text: string, max = 64): string | undefined => {
  const seen = text
    .replaceAll(/[\s\u0085]+/gu, ' ')
    .replaceAll(INVISIBLE, '')
    .replaceAll(/ +/g, ' ')
    .trim();
  const name = [...seen].slice(0, max).join('').trim();
  return name === '' ? undefined : name;
};
