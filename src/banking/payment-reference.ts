/** Which of a provider's payment details is the reference that the transfer must carry. */

/** The words of a key in any spelling: paymentReference, Payment-Reference, PAYMENT_REFERENCE. */
const wordsOf = (key: string): string[] =>
  key
    .replaceAll(/\(.*?\)/g, ' ')
    .replaceAll(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

const NOUNS = ['reference', 'ref', 'referenz', 'referencia', 'riferimento'];
/** paymentreference, Zahlungsreferenz; "preference" is another word. */
const JOINED = /^(?!.*preference)(\p{L}+?)s?(?:reference|referenz|referencia)$/u;
/** What names the payment, the surer the earlier; alone it is "the reference". */
const OF_THE_PAYMENT = ['provider', 'payment', 'transfer', 'remittance', 'deposit', 'bank', 'wire', 'sepa', 'transaction', ''];
/** These say something about a reference, or are somebody else's. */
const ABOUT = [
  'type',
  'kind',
  'note',
  'format',
  'hint',
  'label',
  'length',
  'url',
  'link',
  'required',
  'optional',
  'help',
  'info',
  'description',
  'date',
  'expires',
  'copy',
];
const SOMEBODY_ELSES = ['customer', 'user', 'client', 'your', 'merchant', 'partner', 'external', 'internal', 'our', 'invoice'];
/** Words that banks and forms use for the same line, without the noun. */
const OTHER_NAMES = [
  'verwendungszweck',
  'remittance_information',
  'remittance_info',
  'payment_purpose',
  'payment_memo',
  'payment_note',
  'memo',
  'communication',
];

/** Lower is surer; undefined for no reference at all. */
const rankOf = (key: string): number | undefined => {
  const words = wordsOf(key);
  const other = OTHER_NAMES.indexOf(words.join('_'));
  if (other >= 0) return 100 + other;
  const at = words.findIndex((word) => NOUNS.includes(word) || JOINED.test(word));
  if (at < 0 || words.slice(at + 1).some((word) => ABOUT.includes(word))) return undefined;
  if (words.some((word) => SOMEBODY_ELSES.includes(word))) return 200;
  const before = (JOINED.exec(words[at] ?? '') ?? [])[1] ?? words[at - 1] ?? '';
  const named = OF_THE_PAYMENT.indexOf(before);
  return named >= 0 ? named : 50;
};

/**
 * The provider's reference under whatever name it gave it, by the precedence of keys. None: there is none. Several: they are equally likely,
 * and a wrong one would lose the payment.
 */
export const likelyReferences = (details: Record<string, string>): string[] => {
  const candidates = Object.entries(details).flatMap(([key, value]) => {
    const rank = value.trim() === '' ? undefined : rankOf(key);
    return rank === undefined ? [] : [{ rank, value: value.trim() }];
  });
  const best = Math.min(...candidates.map(({ rank }) => rank));
  return [...new Set(candidates.filter(({ rank }) => rank === best).map(({ value }) => value))];
};
