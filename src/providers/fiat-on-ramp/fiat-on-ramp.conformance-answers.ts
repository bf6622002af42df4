/**
 * Checks a server's answers, member by member, against the text and the OpenAPI document of FLS01 v1.0. The checks are stricter than our adapter on
 * purpose: they judge providers on behalf of all clients. Both documents are at github.com/breez/fiatlink, revision bfbf811.
 */
import { printableName } from '../../domain/printable.ts';
import type { Flaw } from '../kit/kind.conformance.ts';
import type { Exchange } from '../kit/kind.dialects.ts';
import { parseJsonKeepingNumbers } from '../kit/wire-values.ts';

export type Endpoint = 'features' | 'verify' | 'session' | 'payment-options' | 'quote' | 'order' | 'order-status' | 'withdrawal';
export type Members = Record<string, unknown>;

export const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The parsed body, once as usual and once with every number as it was written. Undefined if the body is not JSON. */
export type Body = { value: unknown; written: unknown };
export const bodyOf = ({ text }: Pick<Exchange, 'text'>): Body | undefined => {
  try {
    return { value: JSON.parse(text) as unknown, written: parseJsonKeepingNumbers(text) };
  } catch {
    return undefined;
  }
};

// ---- kinds of members ------------------------------------------------------------------------------------------------------------------

/**
 * Returns what is wrong with a value, or undefined. `written`: the same value, with numbers as they were written in the answer. The result never
 * repeats ids and tokens, which are bearer secrets.
 */
type Judge = (value: unknown, written: unknown) => string | undefined;

const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : typeof value === 'string'
          ? 'a string'
          : `a ${typeof value}`;
const must = (what: string, value: unknown): string => `is ${kindOf(value)} and must be ${what}`;

const uuidForm = /^[\da-f]{8}-[\da-f]{4}-([\da-f])[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/i;
const uuid: Judge = (value) => (typeof value !== 'string' ? must('a UUID', value) : uuidForm.test(value) ? undefined : 'is not a UUID');
const uuid4: Judge = (value, written) => uuid(value, written) ?? (uuidForm.exec(String(value))?.[1] === '4' ? undefined : 'is a UUID, but not of version 4');
const text: Judge = (value) => (typeof value !== 'string' ? must('a string', value) : value.trim() === '' ? 'is empty' : undefined);
const flag: Judge = (value) => (typeof value === 'boolean' ? undefined : must('true or false', value));
const object: Judge = (value) => (isObject(value) ? undefined : must('an object', value));

const integerFrom =
  (least: number): Judge =>
  (value, written) => {
    if (typeof value !== 'number') return must('an integer', value);
    if (!Number.isSafeInteger(value)) return `is ${String(written)} and must be an integer`;
    if (value < least) return `is ${String(value)}, less than ${least}`;
    return typeof written === 'string' && /[.e]/i.test(written) ? `is written as ${written.slice(0, 24)}: clients with integer types refuse that` : undefined;
  };
const integer = integerFrom(Number.MIN_SAFE_INTEGER);
const amount = integerFrom(1);
const fee = integerFrom(0);

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;
const time: Judge = (value) => {
  if (typeof value !== 'string') return must('a date-time of RFC 3339', value);
  if (!Number.isNaN(Date.parse(value)) && timeForm.test(value)) return undefined;
  return /[Z+]|-\d\d:\d\d$/.test(value.slice(10)) ? 'is not a date-time of RFC 3339' : 'has no zone, or is not a date-time of RFC 3339';
};
const words = ['placed', 'filled', 'finished', 'refunded'];
const status: Judge = (value) =>
  typeof value === 'string' && words.includes(value)
    ? undefined
    : typeof value === 'string'
      ? `is “${shown(value)}”; the standard knows ${words.join(', ')}`
      : must('a string', value);

/** Prepares a provider's words for a report: one printable line, with `…` for what looks like a UUID or a long token or key. */
export const shown = (words_: string, most = 60): string =>
  printableName(words_.replaceAll(/[\da-f]{8}-[\da-f-]{27}|[\w+/=-]{20,}/gi, '…').replaceAll('`', "'"), most) ?? '';

// ---- members of each answer ------------------------------------------------------------------------------------------------------------

type Member = { is: Judge; optional?: true; says: string };
const members: Record<'verify' | 'session' | 'quote' | 'order' | 'status' | 'withdrawal', Record<string, Member>> = {
  verify: {
    session_id: { is: uuid, says: 'identifies the client session, a UUID (text and OpenAPI of the standard)' },
    token: { is: text, optional: true, says: 'a random string to be signed; absent if no proof is demanded (text of the standard)' },
    expires_on: { is: time, says: 'a date-time (OpenAPI, required)' },
  },
  session: {
    session_id: { is: uuid, says: 'a UUID (OpenAPI, required)' },
    app_id: { is: text, optional: true, says: 'a string (OpenAPI)' },
    expires_on: { is: time, says: 'a date-time (OpenAPI, required)' },
  },
  quote: {
    quote_id: { is: uuid, says: 'the id that /order needs, a UUID (text of the standard)' },
    amount_fiat: { is: amount, says: 'an integer, in cents (text of the standard; OpenAPI, required)' },
    currency_id: { is: integer, says: 'an integer (OpenAPI, required)' },
    payment_option_id: { is: integer, says: 'an integer (OpenAPI, required)' },
    amount_sats: { is: amount, says: 'an integer, in sats (text of the standard; OpenAPI, required)' },
    is_estimate: { is: flag, says: 'true for an estimate, false for a binding quote (text of the standard; OpenAPI, required)' },
    btc_price: { is: amount, says: 'an integer, in cents (text of the standard; OpenAPI, required)' },
    order_fee: { is: fee, says: 'the fee of the quote or estimate, an integer in cents (text of the standard; OpenAPI, required)' },
    expires_on: { is: time, optional: true, says: 'the time until which the payment must arrive, a date-time (OpenAPI)' },
  },
  order: {
    order_id: { is: uuid4, says: 'must be a UUID of version 4 (text of the standard)' },
    order_status: { is: status, says: 'placed, filled, finished or refunded (text of the standard)' },
    amount_fiat: { is: amount, says: 'an integer, in cents (text and OpenAPI of the standard)' },
    currency_id: { is: integer, says: 'an integer (text and OpenAPI of the standard)' },
    payment_option_id: { is: integer, says: 'an integer (text and OpenAPI of the standard)' },
    amount_sats: { is: amount, says: 'an integer, in sats (text and OpenAPI of the standard)' },
    expires_on: { is: time, says: 'the time until which the payment must arrive, a date-time (text and OpenAPI of the standard)' },
    payment_info: { is: object, says: 'how to pay, an object (text and OpenAPI of the standard)' },
  },
  status: {
    amount_fiat: { is: amount, says: 'an integer, in cents (text and OpenAPI of the standard)' },
    currency_id: { is: integer, says: 'an integer (text and OpenAPI of the standard)' },
    payment_option_id: { is: integer, says: 'an integer (text and OpenAPI of the standard)' },
    amount_sats: { is: amount, says: 'an integer, in sats (text and OpenAPI of the standard)' },
    btc_price: { is: amount, says: 'an integer, in cents (text and OpenAPI of the standard)' },
    order_fee: { is: fee, says: 'the fee taken on the order, an integer in cents (text and OpenAPI of the standard)' },
    order_status: { is: status, says: 'placed, filled, finished or refunded (text of the standard)' },
    order_status_date: { is: time, says: 'when the status began, a date-time (text and OpenAPI of the standard)' },
  },
  withdrawal: {
    order_id: { is: uuid4, says: 'must be a UUID of version 4 (text of the standard)' },
    withdrawal_expiration_date: { is: time, says: 'when the link expires, a date-time (text and OpenAPI of the standard)' },
    lnurlw: { is: text, says: 'an LNURL of LUD-03 as text (text and OpenAPI of the standard)' },
  },
};
const endpointOf = { verify: '/verify', session: '/session', quote: '/quote', order: '/order', status: '/order-status', withdrawal: '/withdrawal' } as const;

/** Returns the flaw of an answer that is not an object. Refusals with status 200 are often like that. */
const notAnObject = (answer: keyof typeof members | 'features' | 'payment-options', value: unknown): Flaw => ({
  what: `the answer is ${kindOf(value)}, not an object`,
  clause: `${answer === 'features' || answer === 'payment-options' ? `/${answer}` : endpointOf[answer]}, answer 200: an object (OpenAPI)`,
});

/** Returns the flaws of one answer with status 200, at most one for each member. */
export const flawsOf = (answer: keyof typeof members, { value, written }: Body): Flaw[] => {
  if (!isObject(value)) return [notAnObject(answer, value)];
  const asWritten = isObject(written) ? written : {};
  return Object.entries(members[answer]).flatMap(([name, { is, optional, says }]): Flaw[] => {
    const clause = `${endpointOf[answer]}, answer, ${name}: ${says}`;
    if (value[name] === undefined) return optional ? [] : [{ what: `${name} is missing`, clause }];
    const wrong = is(value[name], asWritten[name]);
    return wrong === undefined ? [] : [{ what: `${name} ${wrong}`, clause }];
  });
};

// ---- features and payment options ------------------------------------------------------------------------------------------------------

const known = ['quotes', 'estimates', 'on_chain_fallback', 'webhook'];

export const featureFlaws = ({ value }: Body): Flaw[] => {
  if (!isObject(value)) return [notAnObject('features', value)];
  const clause = '/features, answer, supported_features: a list of objects with quotes, estimates, on_chain_fallback and webhook, each true or false (OpenAPI)';
  const { supported_features: given } = value;
  if (given === undefined) return [{ what: 'supported_features is missing', clause }];
  if (!Array.isArray(given)) return [{ what: `supported_features ${must('a list', given)}`, clause }];
  const objects = given.filter(isObject);
  const flaws: string[] = [];
  if (objects.length < given.length) flaws.push(`supported_features has ${given.length - objects.length} entries that are not objects`);
  for (const name of known) {
    const values = objects.flatMap((one) => (one[name] === undefined ? [] : [one[name]]));
    if (values.some((one) => typeof one !== 'boolean'))
      flaws.push(
        `${name} ${must(
          'true or false',
          values.find((one) => typeof one !== 'boolean'),
        )}`,
      );
    if (new Set(values).size > 1) flaws.push(`${name} appears more than once, with different values`);
  }
  return flaws.map((what) => ({ what, clause }));
};

/** Returns whether a feature is promised; undefined if the answer does not say. */
export const featureIn = (value: unknown, name: string): boolean | undefined => {
  const given = isObject(value) && Array.isArray(value['supported_features']) ? value['supported_features'].filter(isObject) : [];
  const said = given.flatMap((one) => (typeof one[name] === 'boolean' ? [one[name]] : []));
  return said.length === 0 ? undefined : said.includes(true);
};

/** One payment option as listed, whatever else is wrong with the listing. Limits are in cents. */
export type Listed = { code: string; currencyId: number; name: string; id: number; rate?: number; min?: number; max?: number };

const entriesOf = (given: unknown): [string, Members][] => {
  const objects = Array.isArray(given) ? given.filter(isObject) : isObject(given) ? [given] : [];
  return objects.flatMap((one): [string, Members][] =>
    'payment_options' in one ? [['', one]] : Object.entries(one).flatMap(([key, value]): [string, Members][] => (isObject(value) ? [[key, value]] : [])),
  );
};
const whole = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
};

export const listedIn = (value: unknown): Listed[] =>
  entriesOf(isObject(value) ? value['currencies'] : undefined).flatMap(([key, currency]) => {
    const currencyId = whole(currency['currency_id']);
    const code = typeof currency['currency_code'] === 'string' ? currency['currency_code'] : key;
    const options = Array.isArray(currency['payment_options']) ? currency['payment_options'].filter(isObject) : [];
    return options.flatMap((option): Listed[] => {
      const id = whole(option['id']);
      if (id === undefined || currencyId === undefined) return [];
      const [rate, min, max] = [option['fee_rate'], whole(option['min_amount']), whole(option['max_amount'])];
      const name = typeof option['option'] === 'string' ? option['option'] : `option ${id}`;
      return [
        {
          code,
          currencyId,
          name,
          id,
          ...(typeof rate === 'number' ? { rate } : {}),
          ...(min === undefined || min <= 0 ? {} : { min }),
          ...(max === undefined || max <= 0 ? {} : { max }),
        },
      ];
    });
  });

const listing = '/payment-options, answer';
export const listingFlaws = ({ value, written }: Body): Flaw[] => {
  if (!isObject(value)) return [notAnObject('payment-options', value)];
  const given = value['currencies'];
  const flaws: Flaw[] = [];
  const shape = `${listing}, currencies: a list of objects, each with the currency's code as its one key (text and OpenAPI)`;
  if (given === undefined) return [{ what: 'currencies is missing', clause: shape }];
  if (!Array.isArray(given)) flaws.push({ what: `currencies ${must('a list', given)}`, clause: shape });
  else if (given.some((one) => !isObject(one) || 'payment_options' in one))
    flaws.push({ what: 'an entry of currencies is not keyed by its code', clause: shape });
  else if (given.some((one) => Object.keys(one as Members).length !== 1))
    flaws.push({ what: 'an entry of currencies does not have exactly one key', clause: shape });
  const currencies = entriesOf(given);
  const asWritten = entriesOf(isObject(written) ? written['currencies'] : undefined);
  currencies.forEach(([key, currency], at) => {
    const name = shown(key === '' ? String(currency['currency_code']) : key, 16);
    const say = (what: string, clause: string): void => void flaws.push({ what: `${name}: ${what}`, clause: `${listing}, ${clause}` });
    const check = (values: Members, kept: Members, member: string, is: Judge, says: string): void => {
      const wrong = values[member] === undefined ? 'is missing' : is(values[member], kept[member]);
      if (wrong !== undefined) say(`${member} ${wrong}`, `${member}: ${says} (text and OpenAPI)`);
    };
    const kept = asWritten[at]?.[1] ?? {};
    check(currency, kept, 'currency_id', integer, 'an integer');
    check(currency, kept, 'currency_code', text, 'a string');
    const options = currency['payment_options'];
    if (!Array.isArray(options))
      return say(
        `payment_options ${options === undefined ? 'is missing' : must('a list', options)}`,
        'payment_options: a list (text and OpenAPI of the standard)',
      );
    options.forEach((option: unknown, index) => {
      if (!isObject(option))
        return say('an entry of payment_options is not an object', 'payment_options: a list of objects (text and OpenAPI of the standard)');
      const keptOption = (Array.isArray(kept['payment_options']) ? (kept['payment_options'] as unknown[])[index] : undefined) ?? {};
      const of = isObject(keptOption) ? keptOption : {};
      check(option, of, 'option', text, 'a string');
      check(option, of, 'id', integer, 'an integer');
      check(option, of, 'fee_rate', rate, 'a fraction, 0.005 for half a percent');
      check(option, of, 'min_amount', integer, 'an integer, in cents');
      check(option, of, 'max_amount', integer, 'an integer, in cents');
      const [min, max] = [option['min_amount'], option['max_amount']];
      if (typeof min === 'number' && typeof max === 'number' && max > 0 && min > max)
        say(`min_amount ${min} is above max_amount ${max}`, 'min_amount and max_amount (text of the standard)');
    });
    const ids = options.filter(isObject).map((option) => option['id']);
    if (new Set(ids).size < ids.length) say('two options have the same id', 'id: payment_option_id selects an option by it (text of the standard, /quote)');
  });
  return flaws;
};
const rate: Judge = (value) =>
  typeof value !== 'number' ? must('a number', value) : value >= 0 && value < 1 ? undefined : `is ${String(value)} and must be a fraction between 0 and 1`;
