/** Thor's endpoints, one function each, with paths and credentials. The verbs decide what the answers mean. */
import { base64 } from '@scure/base';
import * as z from 'zod';
import { ProviderFault } from '../fault.ts';
import { listingBytes, mayBeDone, requestJson } from '../kit/request-json.ts';
import { parseJsonKeepingNumbers } from '../kit/wire-values.ts';
import type { AdapterDeps, CallContext, HttpResponse } from '../spec.ts';
import type { BitrefillSettings } from './bitrefill-settings.ts';
import * as wire from './bitrefill-wire.ts';

/** Log fields: our own words, amounts, and Bitrefill's status word. */
export const logFields = ['problem', 'price', 'to_pay', 'status', 'product'] as const;
export type LogField = (typeof logFields)[number];

export type Bitrefill = { deps: AdapterDeps<LogField>; settings: BitrefillSettings };
/** `code` is a plain word, never a sentence of Bitrefill's. */
export type Reply<T> = { ok: true; value: T } | { ok: false; status: number; code: string };

type Call<S extends z.ZodType> = {
  method?: 'GET' | 'POST';
  path: string;
  body?: Record<string, string | boolean>;
  schema: S;
  /** Finds the document in the answer, which may be in an envelope. */
  find: (answer: unknown) => unknown;
  makes?: boolean;
};

const urlOf = ({ settings }: Bitrefill, path: string): string => `${settings.base_url.replace(/\/+$/, '')}${path}`;

const headersOf = ({ deps, settings }: Bitrefill, { traceparent }: CallContext): Record<string, string> => {
  const [key, secret] = [settings.api_key_env, settings.api_secret_env].map((name) => {
    const value = deps.secret(name);
    if (value === undefined || value === '') throw new ProviderFault('rejected-credentials', `the variable ${name} is not set`, { taken: 'no' });
    return value;
  });
  const authorization = `Basic ${base64.encode(new TextEncoder().encode(`${key}:${secret}`))}`;
  return { authorization, ...(traceparent === undefined ? {} : { traceparent }) };
};

const paymentRequired = 402;

/**
 * Calls Bitrefill. Most 4xx, and most errors with HTTP status 200, are refusals. A good answer is parsed again, with its numbers as strings. If the
 * call makes an order (`makes`), a refusal means for certain that there is no order, and the fault for an order that cannot be used carries the
 * order's id.
 */
const call = async <S extends z.ZodType>(
  bitrefill: Bitrefill,
  context: CallContext,
  { method = 'GET', path, body, schema, find, makes = false }: Call<S>,
): Promise<Reply<z.output<S>>> => {
  let answered: HttpResponse | undefined;
  const reply = await requestJson({
    http: async (request) => (answered = await bitrefill.deps.http(request)),
    method,
    url: urlOf(bitrefill, path),
    headers: headersOf(bitrefill, context),
    signal: context.signal,
    maxBytes: listingBytes,
    schema: z.unknown(),
    credentials: true,
    plainText: true,
    ...(makes ? { refusesAt5xx: wire.isRefusedAt5xx } : {}),
    ...(body === undefined ? {} : { body }),
  });
  const { status } = reply;
  if (mayBeDone(status)) throw new ProviderFault('server', `status ${status}`, { status });
  const said = reply.ok ? reply.value : reply.body;
  const made = makes ? wire.orderIn(said, true)?.id : undefined;
  const orderMade = made === undefined ? {} : { orderMade: made };
  if (!reply.ok && !(made !== undefined && status === paymentRequired)) {
    if (made !== undefined) throw new ProviderFault('malformed', `the response with status ${status} contains an order`, { status, ...orderMade });
    return { ok: false, status, code: wire.errorCodeOf(said) };
  }
  if (made === undefined && (wire.isError(said) || typeof said === 'string')) {
    if (makes && !wire.isCertain(said))
      throw new ProviderFault(typeof said === 'string' ? 'malformed' : 'server', 'the answer is an error, but an order may have been made', { status });
    if (typeof said === 'string' && !wire.isCertain(said)) throw new ProviderFault('malformed', 'the answer is not JSON', { status });
    return { ok: false, status, code: wire.errorCodeOf(said) };
  }
  const parsed = schema.safeParse(find(parseJsonKeepingNumbers(new TextDecoder().decode(answered?.body))));
  if (parsed.success) return { ok: true, value: parsed.data };
  const where = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new ProviderFault('malformed', `the answer does not match the schema${where === '' ? '' : ` at ${where}`}`, { status, ...orderMade });
};

/** Checks that the API answers and accepts our key. The answer is text, not JSON. */
export const selfTest = async (bitrefill: Bitrefill, context: CallContext, path: string): Promise<void> => {
  const { status, body } = await bitrefill.deps.http({
    method: 'GET',
    url: urlOf(bitrefill, path),
    headers: { ...headersOf(bitrefill, context), 'accept-encoding': 'identity' },
    signal: context.signal,
    maxBytes: 4_096,
  });
  if (status === 401 || status === 403) throw new ProviderFault('rejected-credentials', `status ${status}`, { status, taken: 'no' });
  if (status !== 200) throw new ProviderFault(status === 429 ? 'rate-limited' : 'server', `status ${status}`, { status, taken: 'no' });
  if (!new TextDecoder().decode(body).includes('Hello World!'))
    throw new ProviderFault('malformed', 'the self-test did not return "Hello World!"', { status, taken: 'no' });
};

export const inventory = async (bitrefill: Bitrefill, context: CallContext, slug: string) =>
  await call(bitrefill, context, { path: `/inventory/${slug}`, schema: wire.inventoryReply, find: wire.inventoryIn });

const making = { method: 'POST', schema: wire.orderReply, find: (answer: unknown) => wire.orderIn(answer, true) ?? answer, makes: true } as const;

export const makeOrder = async (bitrefill: Bitrefill, context: CallContext, body: Record<string, string | boolean>) =>
  await call(bitrefill, context, { ...making, path: '/order', body });

/** Makes an order and pays it from the operator's balance, in one step. */
export const purchase = async (bitrefill: Bitrefill, context: CallContext, body: Record<string, string | boolean>) =>
  await call(bitrefill, context, { ...making, path: '/purchase', body });

export const getOrder = async (bitrefill: Bitrefill, context: CallContext, id: string) =>
  await call(bitrefill, context, { path: `/order/${encodeURIComponent(id)}`, schema: wire.orderRead, find: (answer) => wire.orderIn(answer) ?? answer });

/** Reads one page of this account's orders. `path`: the setting `orders_path`, or the path that the previous page named. */
export const listOrders = async (bitrefill: Bitrefill, context: CallContext, path: string) =>
  await call(bitrefill, context, { path, schema: wire.ordersReply, find: wire.ordersIn });

/** Returns the path of a page's `nextUrl`. The call sends our credentials, so only a URL below the same base is followed. */
export const nextPath = (bitrefill: Bitrefill, nextUrl: string | undefined): string | undefined => {
  const base = urlOf(bitrefill, '');
  return nextUrl?.startsWith(`${base}/`) === true ? nextUrl.slice(base.length) : undefined;
};
