/**
 * The values that providers write for each kind of member: usual forms, forms that are easily misread, and forms of a malicious provider. Each date
 * comes with its meaning, so that the gateway's reading of a date is not judged by the gateway's own code.
 */
import { encodeLnurl } from '../../src/bitcoin/lnurl.ts';

const mark = '\u{e000}';
/** Marks JSON text that JSON.stringify would not write, for `toText` in hostile.ts. */
const raw = (text: string): string => `${mark}${text}${mark}`;

const two = (value: number): string => String(value).padStart(2, '0');
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `end`: a moment to the second, `never` for the far future, `none` for no end, `unclear` if the meaning is uncertain. */
export type DateKind = { written: unknown; end: number | 'never' | 'none' | 'unclear' };
const moment = (ms: number): DateKind[] => {
  const at = Math.floor(ms / 1000) * 1000;
  const iso = new Date(at).toISOString().slice(0, 19);
  const d = new Date(at);
  const clock = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
  const east = `${new Date(at + 9_900_000).toISOString().slice(0, 19)}+02:45`;
  const [day, month, year] = [two(d.getUTCDate()), monthNames[d.getUTCMonth()], d.getUTCFullYear()];
  return [
    `${iso}Z`,
    `${iso}.999999999Z`,
    iso.replace('T', ' '),
    iso.replaceAll('-', '/').replace('T', ' '),
    `${iso.replaceAll(/[-:]/g, '')}Z`,
    iso.replaceAll(/[-:T]/g, ''),
    east,
    east.replace('T', ' ').replace('+', ' +'),
    `${iso},5-00:00`,
    `${iso}+00:00[Europe/London]`,
    `${dayNames[d.getUTCDay()]}, ${day} ${month} ${year} ${clock} GMT`,
    `${dayNames[d.getUTCDay()]} ${month} ${day} ${year} ${clock} GMT+0000 (Coordinated Universal Time)`,
    `${dayNames[d.getUTCDay()]} ${month} ${String(d.getUTCDate()).padStart(2, ' ')} ${clock} ${year}`,
    ` ${iso}Z\n`,
    at / 1000,
    at,
    at * 1000,
    String(at / 1000),
    String(at),
    `${at}000000`,
    `/Date(${at})/`,
  ].map((written) => ({ written, end: at }));
};
const nones: unknown[] = [null, '', ' ', '0001-01-01T00:00:00Z', '0001-01-01', '0000-00-00 00:00:00', -62_135_596_800];
const nevers: unknown[] = ['9999-12-31T23:59:59Z', '9999-12-31', '+275760-09-13T00:00:00.000Z', raw('9223372036854775807'), '2099-12-31 23:59:59'];
const unclears: unknown[] = [
  'tomorrow',
  'never',
  'null',
  'N/A',
  'in 15 minutes',
  '900',
  900,
  0,
  -1,
  'PT15M',
  'P1D',
  '28/11/2026 18:25',
  '11/12/2026',
  '28.11.2026 18:25',
  '2026-W48-6',
  '2026-W48-6T18:25:00Z',
  '2026-332',
  '18:25',
  '2026-11-28T18:25:00 Europe/Berlin',
  '2026-11-28T18:25:00 CET',
  '2026-11-28 06:25 PM',
  46_354,
  46_354.767,
  '46354.767',
  '2026-02-30T00:00:00Z',
  '2026-11-28T25:00:00Z',
  '2026-11-28T18:25:43+25:00',
  '٢٠٢٦-١١-٢٨T١٨:٢٥:٠٠Z',
  '２０２６-11-28T18:25:00Z',
  '28 novembre 2026 18:25',
  '2026-11-28T18:25:43Z / 19:25 CET',
  '1e3',
  raw('1e400'),
  true,
  [],
  {},
  ['2026-11-28T18:25:43Z'],
  { $date: 1_795_890_343_123 },
  'NaN',
  'Infinity',
  '1970-01-01T00:00:00Z',
];
/** Returns dates in every form, relative to the gateway's time `now`. */
export const dateKinds = (now: number): DateKind[] => [
  ...moment(now + 3_600_000),
  ...moment(now + 3 * 86_400_000),
  ...moment(now - 3_600_000),
  ...nones.map((written): DateKind => ({ written, end: 'none' })),
  ...nevers.map((written): DateKind => ({ written, end: 'never' })),
  ...unclears.map((written): DateKind => ({ written, end: 'unclear' })),
];

/** Returns an amount in other forms, amounts near it, and values that are not numbers. */
const amountsLike = (old: number): unknown[] => [
  String(old),
  `${old}.00`,
  ` ${old} `,
  raw(`${old}.0`),
  raw(`${old}E0`),
  old + 1e-9, // the same amount
  old + 1,
  old - 1,
  old * 2,
  Math.floor(old / 2),
  old * 100,
  old / 100,
  -old,
  0,
  raw('-0'),
  old + 0.5,
  `${old},00`,
  `${old}'000`,
  `1.${old}`,
  `+${old}`,
  `0x${old.toString(16)}`,
  `${old}e0`,
  `${old} EUR`,
  `€${old}`,
  'NaN',
  'Infinity',
  '',
  'null',
  '١٠٠٠٠',
  '１００００',
  `${old}\u0000`,
  raw('1e400'),
  raw('9007199254740993'),
  raw('999999999999999999'),
  '999999999999999999',
  2 ** 53,
  null,
  true,
  [old],
  { value: old },
  { amount: old, currency: 'EUR' },
];
const idsLike = (old: string): unknown[] => [
  old.toUpperCase(),
  `{${old}}`,
  `urn:uuid:${old}`,
  old.replaceAll('-', ''),
  ` ${old} `,
  `${old}x`,
  old.slice(1),
  '17',
  17,
  raw('20261128175930417123'),
  '00000000-0000-0000-0000-000000000000',
  '__proto__',
  'x'.repeat(600),
  '',
  null,
  [old],
  { id: old },
];
const namesLike = (old: string): unknown[] => [
  `${old}\u200b`,
  `\u202e${old}`,
  old.replace('P', '\u0420'),
  `${old.toLowerCase()} `,
  `${old}\r\n`,
  '<script>alert(1)</script>',
  `${old} www.evil.example`,
  'evil.example/pay',
  'bitcoin:bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj',
  'x'.repeat(300),
  '\u0000',
  '\u2800',
  'EUR ',
  'eur',
  'EU\u0421',
  '',
  null,
  7,
  [old],
  { name: old },
];
const linksLike = (own: string): unknown[] => [
  'https://evil.example/',
  `${own}\\@evil.example/`,
  `https://127.0.0.1\\@evil.example/`,
  'https://127.0.0.1:443@evil.example/',
  'https://evil.example\t/x',
  'https:evil.example',
  '//evil.example/',
  'www.evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  'http://0x7f000001.evil.example/',
  'http://[fe80::1%25eth0]/',
  'http://127.0.0.1:0/',
  'http://127.0.0.1:65536/',
  'http://ｅｖｉｌ.example/',
  'http://xn--vil-5na.example/',
  'https://evil.example#@127.0.0.1/',
  encodeLnurl('https://evil.example/w'),
  `lightning:${encodeLnurl('https://evil.example/w')}`,
  `bitcoin:?lightning=${encodeLnurl('https://evil.example/w')}`,
  `lnurlw://evil.example/w`,
  `http://127.0.0.1/?lightning=${encodeLnurl('https://evil.example/w')}`,
  encodeLnurl('http://10.0.0.1/x'),
  '',
  null,
  7,
  [own],
];
const words: unknown[] = [
  'placed',
  'PLACED',
  ' filled',
  'Finished',
  'refunded',
  'paid',
  'in_progress',
  'cancelled',
  'REJECTED',
  'payment failed',
  'expired',
  'completed',
  'success',
  'unknown',
  '',
  null,
  0,
  true,
  ['filled'],
];
const tokensLike = (own: string): unknown[] => [
  'ramp-gateway:127.0.0.1:abcdefghijklmnopqrstuv',
  `x${own} RAMP-GATEWAY:other.example:1`,
  'gateway.example:abcdefghijklmnopqrstuv',
  `By_signing_this_message._Your_ID:_LNNID02${'A'.repeat(64)}`,
  `${own}\n`,
  `${own}\u200b`,
  'x'.repeat(201),
  encodeLnurl('https://evil.example/login'),
  `03${'ab'.repeat(32)}`,
  '',
  null,
  7,
];
const detailsLike = (old: string): unknown[] => [
  `${old}\u200b`,
  `\u202e${old}`,
  `${old}\r\nBcc: x`,
  `see https://evil.example/${old}`,
  `www.evil.example`,
  encodeLnurl('https://evil.example/w'),
  'x'.repeat(5000),
  raw('20261128175930417'),
  raw('1.10'),
  [old, old],
  { label: 'Reference', value: old },
  { a: { b: { c: { d: { e: old } } } } },
  '',
  null,
  true,
];

const isDate = /expir|_date$|_on$/;
const isLink = /url|link|lnurl/;
const isAmount = /amount|price|fee|rate|sats|min|max/;
const isDetail = /iban|bic|reference|_name$|details/;

/** Returns every lie that fits the member, or an empty list for a member of unknown kind. `ids` are ids of earlier orders of this provider. */
export const liesOfKind = (key: string, old: unknown, { now, ids }: { now: number; ids: readonly string[] }): unknown[] => {
  const text = String(old);
  if (isDate.test(key)) return dateKinds(now).map(({ written }) => written);
  if (key.endsWith('status')) return words;
  if (key === 'token') return tokensLike(text);
  if (isLink.test(key)) return linksLike(text);
  if (/(?:^|_)id$/.test(key) && typeof old === 'string') return [...ids.flatMap((id) => [id, id.toUpperCase(), `{${id}}`]), ...idsLike(text)];
  if (isAmount.test(key) && typeof old === 'number') return amountsLike(old);
  if (key === 'option' || key === 'currency_code') return namesLike(text);
  return isDetail.test(key) && typeof old === 'string' ? detailsLike(text) : [];
};
