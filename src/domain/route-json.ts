/** A route as JSON: amounts as decimal strings, everything else as it is. Adapters' own fields are opaque and pass untouched. */
import type { Json } from './offer.ts';
import type { RuleVersion } from './policy.ts';
import type { Route } from './route.ts';

/** We read every version ever written, and rank each again by its own rule. */
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
/** Written by adapters, or keyed by provider id. No member inside is one of ours. */
const opaque = new Set(['upstream', 'facts', 'preferenceBps']);

/** Throws TypeError for a bigint in a member that is not known as an amount, since it could not be read back. */
export const toJson = (route: Route): Json => write(route, '');

/** Reads what toJson wrote. Throws RangeError for a route of a version that this code does not rank. */
export const fromJson = (stored: Json): Route => {
  const version = typeof stored === 'object' && stored !== null && !Array.isArray(stored) ? stored['version'] : undefined;
  if (!readVersions.some((known) => known === version)) throw new RangeError(`route version ${JSON.stringify(version)} is not known here`);
  // Our own stored form, written by toJson above. Its version was checked.
  return read(stored, '') as Route;
};

/** Every quote passes here, so opaque parts are not copied, and a copy keeps the shape of its original. */
const write = (value: unknown, member: string): Json => {
  if (typeof value === 'bigint') {
    if (!amounts.has(member)) throw new TypeError(`route member "${member}" is not known as an amount`);
    return value.toString();
  }
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  // Adapters and the configuration supply these as JSON.
  if (opaque.has(member)) return value as Json;
  if (Array.isArray(value)) return value.map((item) => write(item, member));
  if (typeof value !== 'object') throw new TypeError(`route member "${member}" cannot be stored`);
  const written: { [key: string]: unknown } = { ...value };
  for (const key in written) if (written[key] !== undefined) written[key] = write(written[key], key);
  // As text, this has no undefined members.
  return written as Json;
};

const read = (value: Json, member: string): unknown => {
  if (opaque.has(member)) return value;
  if (typeof value === 'string') return amounts.has(member) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => read(item, member));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, read(inner, key)]));
};
