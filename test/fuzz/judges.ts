/**
 * Judges whether a response may be shown to a wallet, from the request, the quote and the provider's own words. Uses none of the gateway's code,
 * except to compare names.
 */
import { normalForm } from '../../src/domain/option-name.ts';
import { dateKinds, type DateKind } from './kinds.ts';
import type { Said } from './lying-provider.ts';

export type Json = Record<string, unknown>;

export const askedFor = 10_000;
/** Returns what is wrong with an offer that was shown, whichever provider made it. */
export const offerFlaws = (offer: Json, now = Date.now()): string[] => {
  const [pay, receive, fee] = [Number(offer['amount_fiat']), Number(offer['amount_sats']), Number(offer['order_fee'])];
  const flaws = [
    ...(pay <= askedFor && pay * 10_000 >= askedFor * 9_950 ? [] : ['pays another amount than asked']),
    ...(Number.isSafeInteger(receive) && receive > 0 ? [] : ['pays out nothing']),
    ...(Number.isSafeInteger(fee) && fee >= 0 && fee < pay ? [] : ['has an impossible fee']),
    ...(offer['currency_id'] === 1 && offer['payment_option_id'] === 1 ? [] : ['is for something else']),
    ...(offer['expires_on'] === undefined || Date.parse(offer['expires_on'] as string) > now - slackMs ? [] : ['has expired']),
  ];
  return flaws.map((flaw) => `an offer ${flaw}: ${JSON.stringify(offer).slice(0, 300)}`);
};

const numeric = (value: unknown): number | undefined =>
  typeof value === 'number' || (typeof value === 'string' && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value)) ? Number(value) : undefined;

const invisible = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;
const isForeign = (text: string): boolean =>
  /www\.|lnurl1[a-z0-9]{20}|(?:lightning|bitcoin|javascript|data):\S/i.test(text) ||
  (text.match(/https?:\S*/gi) ?? []).some((one) => !/^http:\/\/127\.0\.0\.1[:/]/i.test(one));
const halfMonthMs = 15 * 86_400_000;
/** Slack for the time between making and judging a lie, and for the rounding of its form. */
const slackMs = 70_000;

/** Returns the meaning of a date that `dateKinds(madeAt)` wrote, or undefined for anything else. */
const meantBy = (written: unknown, madeAt: number): DateKind['end'] | undefined =>
  dateKinds(madeAt).find((kind) => JSON.stringify(kind.written) === JSON.stringify(written))?.end;

/**
 * Returns what is wrong with the expiry of an offer: it must not be later than its provider said, and there must be no offer if the provider's words
 * are unclear.
 */
export const quoteEndFlaws = (written: unknown, madeAt: number, offer: Json | undefined): string[] => {
  const meant = meantBy(written, madeAt);
  if (!offer || meant === undefined || meant === 'none' || meant === 'never') return [];
  const shown = Date.parse(String(offer['expires_on']));
  const isKept = meant !== 'unclear' && shown <= meant + 1000;
  return isKept ? [] : [`an offer until ${String(offer['expires_on'])}, while its provider wrote ${JSON.stringify(written)}`];
};

const nearMs = 10 * 60_000;
/**
 * Returns what is wrong with the expiry of a link: it must be what its provider meant, or ten minutes from now at most if that is unclear or was over
 * when the link was made.
 */
export const linkEndFlaws = (written: unknown, madeAt: number, shown: unknown, now: number): string[] => {
  const meant = meantBy(written, madeAt);
  const end = Date.parse(String(shown));
  const isFar = end > now + halfMonthMs;
  const isNear = meant === 'unclear' || (typeof meant === 'number' && meant < now);
  const isRight = isNear ? Math.abs(end - now) <= nearMs : typeof meant === 'number' ? Math.abs(end - meant) < 1000 : isFar;
  return meant === undefined || isRight ? [] : [`a link until ${String(shown)}, while its provider wrote ${JSON.stringify(written)}`];
};

/** Returns what is wrong with the expiry of an order: it must be what the provider meant, and no order with an unclear expiry may be payable. */
const endFlaws = (written: unknown, end: string | undefined, quoteEnd: string | undefined, now: number): string[] => {
  const ms = Date.parse(end ?? '');
  if (!(ms > now - slackMs && ms < now + halfMonthMs + slackMs)) return [`is payable until ${end}`];
  const form = (value: unknown): string => `${typeof value} ${JSON.stringify(value)}`.replaceAll(/\d/g, '9');
  const read = typeof written === 'number' || typeof written === 'string' ? dateKinds(now).filter((kind) => form(kind.written) === form(written)) : [];
  if (read.length > 0 && read.every((kind) => kind.end === 'unclear')) return [`has an end that nobody can read: ${JSON.stringify(written)}`];
  if (written === true || (typeof written === 'object' && written !== null)) return [`has an end that is not a date: ${JSON.stringify(written)}`];
  const isNone = written === undefined || dateKinds(now).some((kind) => kind.end === 'none' && kind.written === written);
  return isNone && quoteEnd !== undefined && ms !== Date.parse(quoteEnd) ? ['has no end of its own, and not its quote’s'] : [];
};

/** Returns payment details that were lost: each string of the provider must be shown in full, or the order must not be shown. */
const lostDetails = (told: unknown, shown: Record<string, string>): string[] => {
  if (typeof told !== 'object' || told === null || Array.isArray(told)) return [];
  const plain = (text: string): string =>
    text
      .replaceAll(/[\s\u0085]+/gu, ' ')
      .replaceAll(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
      .trim();
  const texts = new Set(Object.values(shown).map(plain));
  return Object.entries(told).flatMap(([key, value]) =>
    typeof value === 'string' && plain(value) !== '' && !texts.has(plain(value)) ? [`lost ${key}: ${value.slice(0, 60)}`] : [],
  );
};

/**
 * Returns what is wrong with a payable order: it must have the quote's amounts, and the provider must not have stated other figures. `askedOf` is the
 * gateway's request for this quote, which names the currency and the option by the numbers from the provider's own listing.
 */
export const orderFlaws = (quote: Json, order: Json, said: Said | undefined, askedOf: Json | undefined, now = Date.now()): string[] => {
  const flaws: string[] = [];
  const slack = quote['is_estimate'] === true ? 0.02 : 0;
  for (const [name, worse] of [
    ['amount_fiat', 1],
    ['amount_sats', -1],
  ] as const) {
    const [is, was] = [Number(order[name]), Number(quote[name])];
    if (slack === 0 ? is !== was : (is - was) * worse > was * slack) flaws.push(`${name} ${is} was quoted as ${was}`);
  }
  for (const name of ['currency_id', 'payment_option_id']) if (order[name] !== quote[name]) flaws.push(`${name} differs from the quote's`);
  let wire: Json = {};
  try {
    wire = (JSON.parse(said?.text.replace(/^\ufeff/, '') ?? '') ?? {}) as Json;
  } catch {
    flaws.push('its answer was not even JSON');
  }
  const figures = {
    amount_fiat: order['amount_fiat'],
    amount_sats: order['amount_sats'],
    currency_id: askedOf?.['currency_id'],
    payment_option_id: askedOf?.['payment_option_id'],
  };
  for (const [name, expected] of Object.entries(figures)) {
    const given = wire[name];
    const named = numeric(given);
    if (named !== undefined && !(Math.abs(named - Number(expected)) < 1)) flaws.push(`the provider said ${name} = ${named}, not ${String(expected)}`);
    if (named === undefined && given !== undefined && given !== null) flaws.push(`${name} cannot be read: ${JSON.stringify(given).slice(0, 60)}`);
  }
  const word = wire['order_status'];
  if (typeof word === 'string' && /filled|finished|refunded|paid|cancel|reject|fail|expired/i.test(word)) flaws.push(`is payable although it is ${word}`);
  flaws.push(...endFlaws(wire['expires_on'], order['expires_on'] as string | undefined, quote['expires_on'] as string | undefined, now));
  const info = order['payment_info'] as { payment_url?: string; payment_details?: Record<string, string> };
  if (info.payment_url !== undefined && new URL(info.payment_url).hostname !== '127.0.0.1') flaws.push(`pays at ${info.payment_url}`);
  for (const [key, text] of Object.entries(info.payment_details ?? {}))
    if (invisible.test(text.replaceAll(/\u200c|\u200d|\ufe0f/g, '')) || isForeign(text)) flaws.push(`shows ${key}: ${JSON.stringify(text)}`);
  flaws.push(
    ...lostDetails((wire['payment_info'] as Json | undefined)?.['payment_details'], {
      ...info.payment_details,
      ...(info.payment_url === undefined ? {} : { url: info.payment_url }),
    }),
  );
  return flaws.map((flaw) => `a payable order: ${flaw} <- ${said?.text.slice(0, 400)}`);
};

/**
 * Returns what is wrong with a status entry: it must agree with the order as it was shown, so that no customer is asked to pay a different amount.
 */
export const statusFlaws = (quote: Json, order: Json, entry: Json | undefined): string[] => {
  if (!entry) return ['an order is not in the list of orders'];
  const flaws: string[] = [];
  const stage = String(entry['stage']);
  if (stage === 'awaiting_payment' || stage === 'underpaid') {
    if (entry['amount_fiat'] !== order['amount_fiat']) flaws.push(`asks for ${String(entry['amount_fiat'])}`);
    const [is, was] = [Number(entry['amount_sats']), Number(quote['amount_sats'])];
    if (quote['is_estimate'] === true ? is < was * 0.98 : is !== was) flaws.push(`gives ${is}, not ${was}`);
    if (JSON.stringify(entry['payment_info']) !== JSON.stringify(order['payment_info'])) flaws.push('tells another way to pay');
  } else if (entry['payment_info'] !== undefined) flaws.push(`is ${stage}, and tells how to pay`);
  const amounts = ['amount_fiat', 'amount_sats', 'order_fee'].map((name) => [name, Number(entry[name] ?? 0)] as const);
  for (const [name, amount] of amounts) if (!Number.isSafeInteger(amount) || amount < 0) flaws.push(`has ${name} = ${amount}`);
  if (Number(entry['order_fee']) > Number(entry['amount_fiat'])) flaws.push('has a fee beyond what was paid');
  if ((stage === 'filled' || stage === 'finished') && !(Number(entry['amount_sats']) > 0)) flaws.push('is filled with nothing');
  return flaws.map((flaw) => `a status ${flaw}: ${JSON.stringify(entry).slice(0, 300)}`);
};

/**
 * Returns what is wrong with the list of options: names must be short and without links or invisible characters, option 1 and no other must be SEPA
 * (in any spelling, and unless no provider lists it at the moment), and no minimum may be above its maximum.
 */
export const listFlaws = (body: Json): string[] => {
  type Listed = { currency_id: number; payment_options: { id: number; option: string; min_amount?: number; max_amount?: number }[] };
  const all = (body['currencies'] as Record<string, Listed>[]).flatMap((one) => Object.entries(one));
  const euro = all.find(([code]) => code === 'eur')?.[1];
  const flaws = (euro?.payment_options ?? [])
    .filter(({ id, option }) => (id === 1) !== (normalForm(option) === 'sepa'))
    .map(({ id, option }) => `option ${id} is ${option}`);
  for (const [code, { payment_options: options }] of all) {
    if (!/^[a-z0-9 ]{2,16}$/.test(code) || code.trim() !== code) flaws.push(`a currency ${JSON.stringify(code)}`);
    for (const { option, min_amount: min, max_amount: max } of options) {
      if (invisible.test(option) || option.trim() !== option || option === '' || [...option].length > 64 || isForeign(option))
        flaws.push(`an option ${JSON.stringify(option)}`);
      if (min !== undefined && max !== undefined && min > max) flaws.push(`${option} from ${min} to ${max}`);
    }
  }
  return flaws.map((flaw) => `a listing: ${flaw}`);
};

/** Returns the tokens that a wallet must not be asked to sign: tokens that are valid elsewhere, and tokens of another party of the session. */
export const tokenFlaws = (body: Json): string[] => {
  const { gateway: own = '', ...theirs } = (body['tokens'] ?? {}) as Record<string, string>;
  const flaws = own.startsWith('ramp-gateway:') ? [] : [`our own token is ${own}`];
  for (const [id, token] of Object.entries(theirs))
    if (!/^[\x20-\x7e]{1,200}$/.test(token) || /ramp-gateway:|\.[a-z]+:[\w-]{22}$|lnnid|lnurl1|0[23][0-9a-f]{64}/i.test(token) || token.includes(own))
      flaws.push(`${id} makes the wallet sign ${JSON.stringify(token)}`);
  return flaws.map((flaw) => `a token: ${flaw}`);
};
