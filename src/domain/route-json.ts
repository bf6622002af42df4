/** A route as JSON: amounts become decimal strings, and everything else stays as it is. Adapters' own fields are opaque and pass unchanged. */
import type { Json } from './offer.ts';
import type { RuleVersion } from './policy.ts';
import type { Route } from './route.ts';

/** The versions that we can read, which are all that were ever written. The routes of each version are ranked again by that version's rule. */
const readVersions: readonly RuleVersion[] = [1, 2];

/** The members that hold amounts, anywhere in a route. */
const amounts = new Set([
  'amount',
  'inboundSats',
  'clientSats',
  'pay',
  'receive',
  'fee',
  'minPay',
  'maxPay',
  'minReceive',
  'maxReceive',
  'btcPrice',
  'quotedSats',
  'deliveredSats',
  'priorSats',
]);
/**
 * Members that are stored as they are, because adapters write them, or because their keys are provider ids. A name inside them may equal that of an
 * amount.
 */
const opaque = new Set(['upstream', 'facts', 'preferenceBps']);

/** Writes a route as JSON. Throws TypeError for a value that could not be read back, such as a bigint in a member that is not listed as an amount. */
export const toJson = (route: Route): Json => write(route, '');

/** Reads what toJson wrote. Throws RangeError for a route version that this code cannot rank. */
export const fromJson = (stored: Json): Route => {
  const version = typeof stored === 'object' && stored !== null && !Array.isArray(stored) ? stored['version'] : undefined;
  if (!readVersions.some((known) => known === version)) throw new RangeError(`route version ${JSON.stringify(version)} is not supported`);
  // This is our own stored form, written by toJson above, and its version has been checked.
  return read(stored, '') as Route;
};

/**
 * Converts one value. Every quote passes through here, so it has to be fast: only what holds an amount is copied, and copies keep their original's
 * shape.
 */
const write = (value: unknown, member: string): Json => {
  if (typeof value === 'bigint') {
    if (!amounts.has(member)) throw new TypeError(`route member "${member}" is not listed as an amount`);
    return value.toString();
  }
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  // Adapters and the configuration supply these as JSON.
  if (opaque.has(member)) return value as Json;
  if (Array.isArray(value)) return writeList(value, member);
  if (typeof value !== 'object') throw new TypeError(`route member "${member}" cannot be stored`);
  const given = value as { readonly [key: string]: unknown };
  let written: { [key: string]: unknown } | undefined;
  for (const key in given) {
    const inner = given[key];
    if (inner === undefined) continue;
    const stored = write(inner, key);
    if (stored !== inner) (written ??= { ...given })[key] = stored;
  }
  // Members that are undefined disappear when this value is written as JSON text.
  return (written ?? given) as Json;
};

const writeList = (list: readonly unknown[], member: string): Json => {
  let written: unknown[] | undefined;
  for (let i = 0; i < list.length; i += 1) {
    const stored = write(list[i], member);
    if (stored !== list[i]) (written ??= [...list])[i] = stored;
  }
  return (written ?? list) as Json;
};

const read = (value: Json, member: string): unknown => {
  if (opaque.has(member)) return value;
  if (typeof value === 'string') return amounts.has(member) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => read(item, member));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, read(inner, key)]));
};
