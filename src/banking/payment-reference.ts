/** Finds, among a provider's payment details, the reference that the transfer must carry. */

/**
 * A longer key is cut. Keys come from a provider, and matching one takes time that grows with the square of its length. Real names are far shorter.
 */
const longestKey = 200;
/** Splits a key into words, however it is spelt: paymentReference, Payment-Reference, PAYMENT_REFERENCE. Leaves out what is in parentheses. */
const wordsOf = (key: string): string[] =>
  key
    .slice(0, longestKey)
    .replaceAll(/\(.*?\)/g, ' ')
    .replaceAll(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

const NOUNS = ['reference', 'ref', 'referenz', 'referencia', 'riferimento'];
/** Matches paymentreference and Zahlungsreferenz, but not "preference". */
const JOINED = /^(?!.*preference)(\p{L}+?)s?(?:reference|referenz|referencia)$/u;
/** Words next to "reference" that make it the reference of the payment, surest first. "Reference" alone counts, too. */
const OF_THE_PAYMENT = ['provider', 'payment', 'transfer', 'remittance', 'deposit', 'bank', 'wire', 'sepa', 'transaction', ''];
/** Words that, after "reference", show that the key names a property of the reference ("reference_type"), not the reference itself. */
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
/** Words that show that the reference may be another party's. Such a key is the least sure. */
const SOMEBODY_ELSES = ['customer', 'user', 'client', 'your', 'merchant', 'partner', 'external', 'internal', 'our', 'invoice'];
/** Other names that banks and forms give the reference, without the word "reference". */
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

/** Ranks a key: lower is surer. Returns undefined if the key does not name a reference. */
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
 * Returns the values that are most likely the provider's reference, judged by their keys. The list is empty if no key names a reference. If it has
 * several values, they are equally likely, and a payment with the wrong one could be lost.
 */
export const likelyReferences = (details: Record<string, string>): string[] => {
  const candidates = Object.entries(details).flatMap(([key, value]) => {
    const rank = value.trim() === '' ? undefined : rankOf(key);
    return rank === undefined ? [] : [{ rank, value: value.trim() }];
  });
  const best = Math.min(...candidates.map(({ rank }) => rank));
  return [...new Set(candidates.filter(({ rank }) => rank === best).map(({ value }) => value))];
};
