/** Checks a request against its route's shape, and describes its mistakes in sentences. */
import * as z from 'zod';
import { distanceOf } from '../domain/edit-distance.ts';
import type { ExchangeRamp, Ramp } from '../domain/ramp.ts';
import { optionLists } from '../gateway/pricing/exchange-terms.ts';
import { Problem } from '../gateway/problem.ts';

const snakeCase = (name: string): string =>
  name
    .normalize('NFKC')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[\s.-]+/g, '_')
    .toLowerCase();
const camelCase = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The names under which a shape's members may be sent. `aliases`: pairs of a member and its name in camelCase, if that differs. */
type Names = { known: ReadonlySet<string>; aliases: readonly (readonly [name: string, alias: string])[] };
const namesByShape = new WeakMap<z.ZodObject, Names>();
const namesOf = (schema: z.ZodObject): Names => {
  const made = namesByShape.get(schema);
  if (made) return made;
  const own = Object.keys(schema.shape);
  const aliases = own.map((name) => [name, camelCase(name)] as const).filter(([name, alias]) => name !== alias);
  const names = { known: new Set([...own, ...aliases.map(([, alias]) => alias)]), aliases };
  namesByShape.set(schema, names);
  return names;
};

/**
 * Accepts member names in camelCase, because FLS01's generated JavaScript client sends them. Throws if a member is present under both names with
 * different values, because it is unclear which is meant.
 */
const withAliases = (schema: z.ZodObject, value: Record<string, unknown>): Record<string, unknown> => {
  let copy: Record<string, unknown> | undefined;
  for (const [name, alias] of namesOf(schema).aliases) {
    if (Object.hasOwn(value, alias)) {
      if (Object.hasOwn(value, name) && value[name] !== value[alias]) {
        const detail = `${name} and ${alias} are the same member: send only ${name}`;
        throw new Problem('invalid-request', detail, { errors: [{ pointer: `/${alias}`, detail }] });
      }
      copy ??= { ...value };
      copy[name] = value[alias];
    }
  }
  return copy ?? value;
};

/** Drops members that are null: null means that the member is absent. */
const withoutNulls = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.values(value).includes(null) ? Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null)) : value;

type Member = { pointer: string; detail: string };

/**
 * No member has a longer name. Comparing a long name costs too much for a request that no rate limit has counted yet: one character can become 18 in
 * NFKC.
 */
const longestName = 64;

/**
 * The most members of a request, and of each object in it. Each unknown member is compared with every known one, before rate limits are counted. No
 * route has as many members.
 */
const mostMembers = 64;

/**
 * Returns the object with each alias replaced by the schema's own name and without nulls, and all misspelt members, including those of nested
 * objects. `within`: their path, ending in a slash.
 */
const readMembers = (schema: z.ZodObject, given: Record<string, unknown>, within = ''): { value: Record<string, unknown>; misspelt: Member[] } => {
  const count = Object.keys(given).length;
  const where = within === '' ? 'The request' : within.slice(0, -1);
  if (count > mostMembers) throw new Problem('invalid-request', `${where} has ${count} members; send at most ${mostMembers}.`);
  const own = withoutNulls(withAliases(schema, given));
  const misspelt = Object.keys(own).flatMap((name) => misspeltMember(name, schema, within) ?? []);
  const inner = Object.entries(own).flatMap(([name, member]) => {
    const shape = Object.hasOwn(schema.shape, name) ? unwrapped(schema.shape[name]) : undefined;
    return shape instanceof z.ZodObject && isObject(member) ? [{ name, ...readMembers(shape, member, `${within}${name}/`) }] : [];
  });
  if (inner.length === 0) return { value: own, misspelt };
  return {
    value: { ...own, ...Object.fromEntries(inner.map(({ name, value }) => [name, value])) },
    misspelt: [...misspelt, ...inner.flatMap((one) => one.misspelt)],
  };
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const unwrapped = (member: unknown): unknown => {
  let inner = member;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap();
  return inner;
};

/**
 * Validates a request. Returns the parsed members, or throws `invalid-request`. `list`: the options that the request
 * may name, to help a caller that sends a name instead of a number.
 */
export const validate = (schema: z.ZodObject, given: Record<string, unknown>, list?: OptionList): Record<string, unknown> => {
  const { value, misspelt } = readMembers(schema, given);
  const result = schema.safeParse(value);
  if (result.success && misspelt.length === 0) return result.data;
  const wrong = (result.error?.issues ?? []).map((issue) => ({
    pointer: `/${issue.path.map(String).join('/')}`,
    detail: sentenceFor(issue, schema, value, list),
  }));
  // One sentence per member: the first says what to send, whatever else is wrong with the value.
  const first = wrong.filter(({ pointer }, i) => wrong.findIndex((one) => one.pointer === pointer) === i);
  const errors = [...misspelt, ...first].slice(0, 10);
  throw new Problem('invalid-request', errors.map(({ detail }) => detail).join('; '), { errors });
};

/**
 * Returns the mistake if the name of an unknown member looks like a known name, or like a name for a price limit. Other unknown members are ignored,
 * because FLS01's clients send some.
 */
const misspeltMember = (name: string, schema: z.ZodObject, within: string): Member | undefined => {
  if (namesOf(schema).known.has(name) || name.length > longestName) return undefined;
  const known = Object.keys(schema.shape);
  const alike = known.filter((one) => isLookAlike(snakeCase(name), one)).toSorted((a, b) => distanceOf(name, a) - distanceOf(name, b))[0];
  const meant = alike ?? guardMeant(snakeCase(name), known);
  if (meant === undefined) return undefined;
  const where = within === '' ? '' : ` in ${within.slice(0, -1)}`;
  return { pointer: `/${within}${name}`, detail: `there is no member "${name.slice(0, 64)}"${where}: did you mean "${meant}"?` };
};

/**
 * Returns whether two names look alike: they differ by up to two typos (if they have more than four letters), or only by their ending (such as _id,
 * _code, _sats or _ms). A misspelt price limit must not be dropped silently.
 */
const isLookAlike = (name: string, known: string): boolean =>
  name.length <= longestName && ((name.length > 4 && distanceOf(name, known) <= 2) || stemOf(name) === stemOf(known));
/**
 * Finds the price limit that a caller meant by another name (`slippage_bps`, `max_price`, `at_least_sats`): an order must not ignore such a limit.
 */
const guardMeant = (name: string, known: readonly string[]): string | undefined => {
  const bounds = known.filter((one) => /^(?:min|max)_(?!wait)/.test(one));
  const words = name.length <= longestName ? name.split('_') : [];
  const has = (some: string): boolean => words.some((word) => some.split(' ').includes(word));
  const [least, most] = [has('min minimum least floor minimal'), has('max maximum most ceiling cap maximal')];
  if (!least && !most && !has('limit slippage tolerance bound guard')) return undefined;
  return bounds.find((one) => one.startsWith(most && !least ? 'max' : 'min')) ?? bounds[0];
};
const stemOf = (name: string): string => name.replace(/_(?:id|ids|code|codes|name|number|url|sats?|fiat|btc|cents|ms|s)$/, '');

/** The ramp whose options a request names, and the options of every ramp that have a number. `numbers` is undefined until they have been read. */
export type OptionList = { ramp: ExchangeRamp; numbers: readonly ListedNumber[] | undefined };
type ListedNumber = { id: number; currencyId: number; currencyCode: string; name: string; ramp: Ramp };
type Issue = z.core.$ZodIssue;

const sentenceFor = (issue: Issue, schema: z.ZodObject, whole: Record<string, unknown>, list: OptionList | undefined): string => {
  const name = issue.path.map(String).join('.');
  const value = issue.path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined), whole);
  if (name === '') return issue.message;
  if (value === undefined) return `${name} is missing`;
  const own = amountSentence(name, value) ?? numberSentence(name, value, whole['currency_id'], list);
  if (own !== undefined) return own;
  // Messages that begin with "must" are our own, written for this member.
  if (issue.message.startsWith('must ')) return `${name} ${issue.message}`;
  return `${name} ${wanted(issue, schema)}`;
};

const isFiat = /(?:^|_)amount_fiat$/;
const isSats = /(?:^|_)(?:amount_sats|amount_btc|pay_sats)$/;

/** Returns the message for an amount that is not an integer: a caller that sends a fraction or a string probably means euros or bitcoins. */
const amountSentence = (name: string, value: unknown): string | undefined => {
  const amount = typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (isFiat.test(name)) {
    const example = typeof amount === 'number' && !Number.isInteger(amount) && amount > 0 && amount < 1e9 ? amount : 99.5;
    if (typeof value !== 'number' || !Number.isInteger(value))
      return `${name} must be a whole number of cents (hundredths of the fiat unit), without quotes: ${example.toFixed(2)} EUR is ${Math.round(example * 100)}`;
  }
  if (isSats.test(name)) {
    const example = typeof amount === 'number' && !Number.isInteger(amount) && amount > 0 && amount < 1000 ? amount : 0.001;
    if (typeof value !== 'number' || !Number.isInteger(value))
      return `${name} must be a whole number of sats, without quotes: ${example} BTC is ${Math.round(example * 1e8)}`;
  }
  return undefined;
};

/**
 * Returns the message for a currency or an option that is not given by its number. If an option of the ramp has the given name, the message has its number,
 * unless options in several currencies have this name and the request does not say in which currency.
 */
const numberSentence = (name: string, value: unknown, currencyId: unknown, list: OptionList | undefined): string | undefined => {
  if (typeof value === 'number' || (name !== 'currency_id' && name !== 'payment_option_id')) return undefined;
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  const found = new Map<number, string>();
  for (const one of list?.numbers ?? []) {
    const [number, its] = name === 'currency_id' ? [one.currencyId, one.currencyCode] : [one.id, one.name];
    const isInCurrency = name === 'currency_id' || typeof currencyId !== 'number' || one.currencyId === currencyId;
    if (one.ramp === list?.ramp && isInCurrency && its.toLowerCase() === word) found.set(number, its);
  }
  const [only] = found;
  return `${name} must be a number from POST ${optionLists[list?.ramp ?? 'buy']}${only && found.size === 1 ? ` (${only[1]} is ${only[0]})` : ''}`;
};

const kinds: Record<string, string> = {
  int: 'must be a whole number, without quotes',
  number: 'must be a whole number, without quotes',
  string: 'must be a string, in quotes',
  boolean: 'must be true or false',
  array: 'must be a list',
  object: 'must be an object',
  record: 'must be an object',
};
const formats: Record<string, string> = {
  uuid: 'must be a UUID like 72614b08-f884-479e-8a90-b13495afd5d9',
  datetime: 'must be a time in UTC like 2026-11-21T10:15:00Z',
  ipv4: 'must be an IPv4 address like 198.51.100.7',
};

const wanted = (issue: Issue, schema: z.ZodObject): string => {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? `must be of the type ${issue.expected}`;
    case 'invalid_value':
      return `must be one of: ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return formats[issue.format] ?? 'does not have the expected form';
    case 'too_small':
    case 'too_big':
      return rangeOf(issue, schema);
    default:
      return 'does not match the API';
  }
};

/**
 * Describes what is wrong with a length or a number. For a number, states both limits or, if one of them is only technical, such as 2^53, the limit
 * that was broken.
 */
const rangeOf = (issue: Extract<Issue, { code: 'too_small' | 'too_big' }>, schema: z.ZodObject): string => {
  const bound = Number(issue.code === 'too_small' ? issue.minimum : issue.maximum);
  if (issue.origin === 'string')
    return issue.code === 'too_small' ? (bound <= 1 ? 'must not be empty' : `must have at least ${bound} characters`) : `must have at most ${bound} characters`;
  if (issue.origin === 'array' || issue.origin === 'set') return `must have ${issue.code === 'too_small' ? 'at least' : 'at most'} ${bound} entries`;
  const [least, most] = endsOf(issue.path.reduce<unknown>(memberOf, schema));
  if (least !== undefined && most !== undefined) return `must be a whole number from ${least} to ${most}`;
  return issue.code === 'too_small' ? `must be at least ${bound}` : `must be at most ${bound}`;
};

const memberOf = (shape: unknown, name: PropertyKey): unknown => {
  const inner = unwrapped(shape);
  return inner instanceof z.ZodObject ? inner.shape[String(name)] : undefined;
};

const endsOf = (member: unknown): [number | undefined, number | undefined] => {
  const inner = unwrapped(member);
  if (!(inner instanceof z.ZodNumber)) return [undefined, undefined];
  const { minValue, maxValue } = inner;
  return [minValue !== null && minValue > Number.MIN_SAFE_INTEGER ? minValue : undefined, maxValue !== null && maxValue < 2 ** 31 - 1 ? maxValue : undefined];
};
