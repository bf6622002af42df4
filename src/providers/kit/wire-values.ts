import * as z from 'zod';
import { readEnd, readTime } from './read-time.ts';

/** Makes a schema's value optional. Null counts as absent. */
export const optional = <S extends z.ZodType>(schema: S) => schema.nullish().transform((value) => value ?? undefined);

/** Returns a schema like `schema`, but a member that cannot be read counts as absent. Otherwise one bad member would hide that an order was paid. */
export const forgiving = <S extends z.ZodObject>(schema: S): z.ZodType<{ [K in keyof z.output<S>]: z.output<S>[K] | undefined }> =>
  z.object(
    Object.fromEntries(
      Object.entries(schema.shape).map(([name, member]) => [
        name,
        z
          .unknown()
          .pipe(member as z.ZodType)
          .catch(undefined),
      ]),
    ),
  ) as never;

/** The first `most` rows of a list. The others are not read: a long list would cost too much time, above all if its rows do not match the schema. */
export const wireFirst = (most: number) => z.array(z.unknown()).transform((all) => all.slice(0, most));
/** The rows that can be read among the first `most` of a list. */
export const wireRows = <S extends z.ZodType>(row: S, most: number) =>
  wireFirst(most).transform((all) =>
    all.flatMap((one): z.output<S>[] => {
      const read = row.safeParse(one);
      return read.success ? [read.data] : [];
    }),
  );

const decimalForm = /^-?\d{1,20}(?:\.\d{1,30})?$/;
/** Reads a number, or a string of its digits. requestJson returns a number as a string if JavaScript cannot hold it exactly. */
const asNumber = (value: unknown): number => {
  if (typeof value === 'string') return decimalForm.test(value.trim()) ? Number(value) : Number.NaN;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
};

/** Reads a number that is an integer to within 1e-6. A number beyond the safe integers is not an amount or id. */
const asInteger = (value: unknown): bigint | undefined => {
  const number = asNumber(value);
  const nearest = Math.round(number);
  return Number.isSafeInteger(nearest) && Math.abs(number - nearest) <= 1e-6 ? BigInt(nearest) : undefined;
};

const rounded = (round: (value: number) => number) =>
  z.unknown().transform((value, context) => {
    const whole = asInteger(value);
    if (whole !== undefined) return whole;
    const number = round(asNumber(value));
    if (Number.isSafeInteger(number)) return BigInt(number);
    context.addIssue({ code: 'custom', message: 'not an amount' });
    return z.NEVER;
  });

/** An amount in sats: a safe integer, a float with a whole value (within 1e-6), or either as a string. A real fraction is rounded down. */
export const wireSats = rounded(Math.floor);
/** An amount of fiat, in the same forms as `wireSats`. A real fraction is rounded up, so that an amount to pay is never shown too low. */
export const wireFiat = rounded(Math.ceil);
/** An id or counter. A fraction is refused. */
export const wireInteger = z.unknown().transform((value, context) => {
  const whole = asInteger(value);
  if (whole !== undefined) return Number(whole);
  context.addIssue({ code: 'custom', message: 'not an integer' });
  return z.NEVER;
});

/** Rounds up to whole sats: on chain nothing smaller can be paid, and an invoice must cover the whole amount. */
export const satsOfMsat = (msat: bigint): bigint => (msat + 999n) / 1000n;

const unitForm = /^(\d{1,20})(?:\.(\d{1,11}))?\s*(sats?|satoshis?|msats?|millisat(?:oshi)?s?|btc|₿)$/i;
/** Returns how many decimal places an amount in this unit needs to be exact to the millisatoshi. */
const placesOf = (unit: string): number => (/^(?:m|milli)/i.test(unit) ? 0 : /^s/i.test(unit) ? 3 : 11);
/** Reads "5400 sats", "5400000 msat" or "0.000054 BTC". Returns undefined if the unit is missing or unknown. A fraction of a sat is rounded up. */
export const satsWithUnit = (text: string): bigint | undefined => {
  const [, whole, fraction = '', unit = ''] = unitForm.exec(text.trim()) ?? [];
  if (whole === undefined) return undefined;
  const places = placesOf(unit);
  const rest = /[1-9]/.test(fraction.slice(places)) ? 1n : 0n;
  return satsOfMsat(BigInt(`${whole}${fraction.slice(0, places).padEnd(places, '0')}`) + rest);
};

/** Reads true, false, 1 and 0, also as strings. */
export const wireBoolean = z.unknown().transform((value, context) => {
  if (value === true || value === 1 || (typeof value === 'string' && /^(?:true|1(?:\.0+)?)$/i.test(value))) return true;
  if (value === false || value === 0 || (typeof value === 'string' && /^(?:false|0(?:\.0+)?)$/i.test(value))) return false;
  context.addIssue({ code: 'custom', message: 'not a boolean' });
  return z.NEVER;
});

/** Reads a time as Unix milliseconds. Refuses anything that is not a time. */
export const wireTime = z.union([z.string(), z.number()]).transform((given, context) => {
  const ms = readTime(given);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: 'not a time' });
  return z.NEVER;
});
/** An expiry. The caller decides what an unreadable expiry means. */
export const wireEnd = z.unknown().optional().transform(readEnd);

export const wireText = z.string().max(4096);

/** An id. A number becomes a string. */
export const wireId = z.union([z.string().trim(), z.number().transform(String)]).pipe(z.string().min(1).max(4096));
/**
 * The id of an order or a connection, with 500 characters at most. We look rows up by it, and PostgreSQL cannot index a string of more than 2,704
 * bytes.
 */
export const wireKey = wireId.pipe(z.string().max(500));

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;
const keepingAll: Reviver = (_key, value, context) => (typeof value === 'number' ? (context?.source ?? String(value)) : value);
/** Returns whether a number can be used as JavaScript parsed it: it has the same digits, or is a whole number with an exponent (1E5). */
const isWritten = (source: string, value: number): boolean => source === String(value) || (/e/i.test(source) && Number.isSafeInteger(value));
const keepingInexact: Reviver = (_key, value, context) =>
  typeof value === 'number' && context?.source !== undefined && !isWritten(context.source, value) ? context.source : value;

/** Parses JSON with every number as a string, for rates of up to 17 digits. */
export const parseJsonKeepingNumbers = (text: string): unknown => JSON.parse(text, keepingAll);

/**
 * Matches a JSON number that JavaScript might write differently: one of more than 15 characters, a decimal that ends in 0, one with an exponent, -0,
 * or one that begins with 0.000000. The number must be between JSON's own characters, so the digits of a time in a string do not match.
 */
const mayBeInexact = /(?:^|[[:,])\s*-?(?:(?<=-)0|[\d.]{16}|\d+\.\d*0(?!\d)|\d+(?:\.\d+)?[eE]|0\.0{6})[\d.eE+-]*\s*(?:$|[\],}])/;

/**
 * Parses JSON. Keeps a number that JavaScript would change (20261128175930417, 1.10) as a string, because a payment reference must keep its digits.
 */
export const parseJsonExactly = (text: string): unknown => (mayBeInexact.test(text) ? JSON.parse(text, keepingInexact) : JSON.parse(text));
