import { z } from 'zod';

/** null is absent (A39). */
export const optional = <S extends z.ZodType>(schema: S) => schema.nullish().transform((value) => value ?? undefined);

const asInteger = (value: unknown): bigint | undefined => {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string') return /^-?\d{1,18}$/.test(value.trim()) ? BigInt(value.trim()) : undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const nearest = Math.round(value);
  return Number.isSafeInteger(nearest) && Math.abs(value - nearest) <= 1e-6 ? BigInt(nearest) : undefined;
};

const rounded = (round: (value: number) => number) =>
  z.unknown().transform((value, context) => {
    const whole = asInteger(value);
    if (whole !== undefined) return whole;
    const number = typeof value === 'number' ? value : typeof value === 'string' && /^-?\d{1,15}\.\d{1,12}$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isFinite(number) && Number.isSafeInteger(round(number))) return BigInt(round(number));
    context.addIssue({ code: 'custom', message: 'not an amount' });
    return z.NEVER;
  });

/** Safe integers, integer-valued floats (within 1e-6) and digit strings; a true fraction is rounded against the customer's illusion. */
export const wireSats = rounded(Math.floor);
export const wireFiat = rounded(Math.ceil);
/** Ids and counters: a fraction is no integer. */
export const wireInteger = z.unknown().transform((value, context) => {
  const whole = asInteger(value);
  if (whole !== undefined) return Number(whole);
  context.addIssue({ code: 'custom', message: 'not an integer' });
  return z.NEVER;
});

/** true, "true", 1 and their opposites (A3, A11). */
export const wireBoolean = z.unknown().transform((value, context) => {
  if (value === true || value === 1 || (typeof value === 'string' && /^true$/i.test(value))) return true;
  if (value === false || value === 0 || (typeof value === 'string' && /^false$/i.test(value))) return false;
  context.addIssue({ code: 'custom', message: 'not a boolean' });
  return z.NEVER;
});

const dateForm = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?\s?(Z|[+-]\d{2}:?\d{2})?$/i;

/** 2100: whoever means "never" says 9999, and a database has no year 10000. */
const furthestMs = Date.UTC(2100, 0, 1);

/** Any RFC 3339 offset, up to nine fraction digits, a space for T; no zone is UTC (A22). Unix milliseconds. */
export const readTime = (text: string): number | undefined => {
  const [, day, time, fraction = '', zone = 'Z'] = dateForm.exec(text.trim()) ?? [];
  if (day === undefined) return undefined;
  const offset = /^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const ms = Date.parse(`${day}T${time}.${`${fraction}000`.slice(0, 3)}${offset}`);
  return Number.isNaN(ms) || ms < 0 ? undefined : Math.min(ms, furthestMs);
};
export const wireTime = z.string().transform((text, context) => {
  const ms = readTime(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: 'not a time' });
  return z.NEVER;
});

/** Any text of a sane length. */
export const wireText = z.string().max(4096);

/** Parses JSON with every number kept as its text, for rates of up to 17 digits: numbers come back as `{ number: "1.02…" }`-free strings. */
export const parseJsonKeepingNumbers = (text: string): unknown =>
  JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => (typeof value === 'number' ? (context?.source ?? String(value)) : value));
