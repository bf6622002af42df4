import type * as z from 'zod';
import { begin } from '../../domain/begin.ts';
import type { CutSignal } from '../../domain/cut.ts';
import { retryAfterMs } from '../../domain/retry-after.ts';
import { ProviderFault } from '../fault.ts';
import type { Http, HttpRequest, HttpResponse } from '../spec.ts';
import { parseJsonExactly } from './wire-values.ts';

export type JsonCall<S extends z.ZodType> = {
  http: Http;
  method: HttpRequest['method'];
  url: string;
  headers?: Record<string, string> | undefined;
  /** Sent as compact JSON. A string is sent unchanged, because a signed body must keep its exact bytes. */
  body?: unknown;
  signal: CutSignal;
  maxBytes?: number | undefined;
  schema: S;
  /**
   * Reads an answer in its usual form without the cost of the schema, for calls that are made often. Returns undefined for any other form, which is
   * then left to the schema. What it returns must equal what the schema returns for the same value.
   */
  readUsual?: ((value: unknown) => z.output<S> | undefined) | undefined;
  /**
   * Set for lists: if a member appears twice, the last one counts. Otherwise such an answer is malformed, because one of the two values would be
   * lost, and it may be the one that says how to pay.
   */
  mayRepeat?: boolean | undefined;
  /** Statuses whose JSON body counts as an answer, as with 200 (for example, a 409 that names a connected user). */
  alsoGood?: readonly number[];
  /** Whether 401 and 403 mean that our own credentials were refused. Absent if they concern the customer's session. */
  credentials?: boolean;
  /** For servers that also write plain text: a sentence instead of JSON is returned as a string. HTML is returned only from a refusal. */
  plainText?: boolean;
  /** Whether an empty body with a 2xx counts as an answer, read as null. */
  mayBeEmpty?: boolean;
  /** Returns whether the body of a 5xx is a refusal, which says that nothing was done. */
  refusesAt5xx?: (body: unknown) => boolean;
};
export type JsonReply<T> = { ok: true; status: number; value: T } | { ok: false; status: number; body: unknown };

/** Returns whether, in spite of this 4xx, a server behind the one that answered may have carried out the request, or may yet do so. */
export const mayBeDone = (status: number): boolean => status === 408 || status === 425 || status === 499;

/** All calls share these headers, so they are frozen. */
const headersOfRead = Object.freeze({ accept: 'application/json', 'accept-encoding': 'identity' });
const headersWithBody = Object.freeze({ ...headersOfRead, 'content-type': 'application/json' });
const quoteBytes = 64 * 1024;
export const listingBytes = 256 * 1024;

/**
 * Makes one call: send → status → JSON → schema. Returns a good answer as the schema's value, and a refusal with its parsed body, for the adapter to
 * judge. A refusal is a 4xx (except 429, those in `alsoGood` and, with `credentials`, 401 and 403) or a 5xx for which `refusesAt5xx` is true. Throws
 * a ProviderFault for everything else. Its message does not quote the provider's values.
 */
export const requestJson = <S extends z.ZodType>(call: JsonCall<S>): Promise<JsonReply<z.output<S>>> =>
  begin(() => send(call)).then((response) => readReply(call, response));

const send = (call: JsonCall<z.ZodType>): Promise<HttpResponse> => {
  const body = call.body === undefined ? undefined : typeof call.body === 'string' ? call.body : JSON.stringify(call.body);
  const own = body === undefined ? headersOfRead : headersWithBody;
  return call.http({
    method: call.method,
    url: call.url,
    headers: call.headers === undefined ? own : { ...own, ...call.headers },
    signal: call.signal,
    maxBytes: call.maxBytes ?? quoteBytes,
    body,
  });
};

const readReply = <S extends z.ZodType>(call: JsonCall<S>, response: HttpResponse): JsonReply<z.output<S>> => {
  const { status } = response;
  const isGood = call.alsoGood?.includes(status) ?? false;
  if (status === 429 && !isGood) throw rateLimited(response);
  if (status >= 500 && call.refusesAt5xx) {
    const said = parseLoose(response, call);
    if (call.refusesAt5xx(said)) return { ok: false, status, body: said };
  }
  if (status >= 500)
    throw new ProviderFault('server', `status ${status}`, { status, retryable: status === 502 || status === 503 || status === 504, ...retryAfterOf(response) });
  if ((status === 401 || status === 403) && call.credentials === true)
    throw new ProviderFault('rejected-credentials', `status ${status}`, { status, taken: 'no' });
  if (status >= 300 && status < 400) throw new ProviderFault('malformed', `redirect with status ${status}`, { status });
  const good = status === 200 || isGood || (status > 200 && status < 300);
  if (!good) return { ok: false, status, body: parseLoose(response, call) };
  const isEmpty = call.mayBeEmpty === true && response.body.length === 0;
  const given = isEmpty ? null : status === 429 ? parseLoose(response, call) : parseJson(response, call);
  const usual = call.readUsual?.(given);
  if (usual !== undefined) return { ok: true, status, value: usual };
  const parsed = call.schema.safeParse(given);
  if (parsed.success) return { ok: true, status, value: parsed.data };
  // A 429 is an answer only if its body matches the schema. Any other 429 asks for a pause.
  if (status === 429) throw rateLimited(response);
  const where = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new ProviderFault('malformed', `the answer does not match the schema${where === '' ? '' : ` at ${where}`}`, { status });
};

const rateLimited = (response: HttpResponse): ProviderFault =>
  new ProviderFault('rate-limited', 'status 429', { status: response.status, taken: 'no', ...retryAfterOf(response) });

const maxDepth = 64;
const traps = /__proto__|constructor|prototype/;

/** Returns whether a document needs `withoutTraps`: it may name a member that must be removed, may hide one behind an escape, or is deeply nested. */
const needsWalk = (text: string): boolean => {
  if (traps.test(text) || text.includes('\\')) return true;
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 34) {
      // Without escapes, a string ends at the next quote. Brackets inside it do not count.
      i = text.indexOf('"', i + 1);
    } else if (code === 123 || code === 91) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (code === 125 || code === 93) depth -= 1;
  }
  return false;
};

/**
 * An answer with at least this many commas has too many members: far more than the largest listing, or any other answer, needs. Reading it would hold
 * up all other requests.
 */
const mostMembers = { listing: 20_000, other: 5_000 };

const hasTooMany = (text: string, maxBytes = quoteBytes): boolean => {
  const most = maxBytes > quoteBytes ? mostMembers.listing : mostMembers.other;
  let commas = 0;
  for (let at = text.indexOf(','); at >= 0 && commas <= most; at = text.indexOf(',', at + 1)) commas += 1;
  return commas >= most;
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Decodes a body. Throws `malformed` if it has too many members, a TypeError if it is not UTF-8. */
const textOf = (body: Uint8Array, maxBytes: number | undefined): string => {
  const text = decoder.decode(body);
  if (hasTooMany(text, maxBytes)) throw new ProviderFault('malformed', 'the answer has too many members');
  return text;
};

/** Returns how many members a JSON text has: the number of colons outside of strings. */
const membersWritten = (text: string): number => {
  let members = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 58) members += 1;
    else if (code === 34) {
      i += 1;
      while (i < text.length && text.charCodeAt(i) !== 34) i += text.charCodeAt(i) === 92 ? 2 : 1;
    }
  }
  return members;
};
const membersRead = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) for (const item of value) members += membersRead(item);
  else for (const name in value) members += 1 + membersRead((value as Record<string, unknown>)[name]);
  return members;
};

/**
 * Parses a body that must be JSON, or may be a sentence if `plainText` is set. Throws `malformed` for anything else, such as HTML or a truncated
 * document, and for a document that is too deep, has too many members, or (without `mayRepeat`) has a member twice.
 */
const parseJson = (
  { status, headers, body }: HttpResponse,
  { plainText, mayRepeat, maxBytes }: Pick<JsonCall<z.ZodType>, 'plainText' | 'mayRepeat' | 'maxBytes'>,
): unknown => {
  const type = headers['content-type'];
  if (type !== undefined && !/json|^text\/plain/i.test(type)) throw new ProviderFault('malformed', 'the answer is not JSON', { status });
  try {
    const text = textOf(body, maxBytes);
    if (plainText === true && !/json/i.test(type ?? '') && isSentence(text)) return storable(text);
    const value = parseJsonExactly(text);
    const safe = needsWalk(text) ? withoutTraps(value, 0) : value;
    if (mayRepeat !== true && membersRead(value) !== membersWritten(text)) throw new ProviderFault('malformed', 'the answer has a member twice', { status });
    return safe;
  } catch (error) {
    if (error instanceof ProviderFault) throw error;
    throw new ProviderFault('malformed', 'the answer is not JSON', { status });
  }
};

/** Returns whether a text begins with a word, unlike a JSON document or an HTML page. */
const isSentence = (text: string): boolean => /^\s*[a-z]/i.test(text) && !/^\s*(?:true|false|null)\s*$/.test(text);

/** Returns the parsed body of a refusal, or undefined if it cannot be read. */
const parseLoose = ({ body }: HttpResponse, { plainText, maxBytes }: Pick<JsonCall<z.ZodType>, 'plainText' | 'maxBytes'>): unknown => {
  try {
    const text = textOf(body, maxBytes);
    try {
      return withoutTraps(parseJsonExactly(text), 0);
    } catch (error) {
      if (error instanceof ProviderFault || plainText !== true) return undefined;
      return storable(text);
    }
  } catch {
    return undefined;
  }
};

/** Returns the text. Throws `malformed` if PostgreSQL would not accept it, so that one provider's answer does not break the whole request. */
const storable = (text: string): string => {
  if (text.includes('\0') || !text.isWellFormed()) throw new ProviderFault('malformed', 'the answer contains a NUL or an unpaired surrogate');
  return text;
};

/** Returns a copy without members such as `__proto__`, which would change an object's prototype: the provider chooses the names of members. */
const withoutTraps = (value: unknown, depth: number): unknown => {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) throw new ProviderFault('malformed', 'the answer is nested too deep');
  if (Array.isArray(value)) return value.map((item) => withoutTraps(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      key === '__proto__' || key === 'constructor' || key === 'prototype' ? [] : [[storable(key), withoutTraps(item, depth + 1)]],
    ),
  );
};

/** A longer wait in a provider's answer is cut to this. Customers are shown the wait, too. */
const mostWaitMs = 3_600_000;

/**
 * Returns the wait in milliseconds, at most `mostWaitMs`, from Retry-After (seconds or a date) or from x-ratelimit-reset or ratelimit-reset (below
 * 1e9, the seconds to wait; from 1e9 on, a Unix time in seconds; from 1e12 on, one in milliseconds).
 */
const retryAfterOf = (response: HttpResponse): { retryAfterMs?: number } => {
  const asked = askedWaitOf(response);
  return asked === undefined ? {} : { retryAfterMs: Math.min(asked, mostWaitMs) };
};
const askedWaitOf = ({ headers }: HttpResponse): number | undefined => {
  const asked = retryAfterMs(headers['retry-after'], headers['date']);
  if (asked !== undefined) return asked;
  const served = Date.parse(headers['date'] ?? '');
  const reset = headers['x-ratelimit-reset'] ?? headers['ratelimit-reset'] ?? '';
  if (!/^\d{1,13}(?:\.\d{1,9})?$/.test(reset)) return undefined;
  if (Number(reset) < 1e9) return Number(reset) * 1000;
  return Number.isFinite(served) ? Math.max(0, Number(reset) * (Number(reset) < 1e12 ? 1000 : 1) - served) : undefined;
};
