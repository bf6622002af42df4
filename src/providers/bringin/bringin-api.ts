/** Bringin's endpoints, one function each, with paths, keys and bodies. The verbs decide what the answers mean. */
import * as z from 'zod';
import type { Json } from '../../domain/offer.ts';
import { ProviderFault } from '../fault.ts';
import { listingBytes, requestJson, type JsonReply } from '../kit/request-json.ts';
import type { AdapterDeps, CallContext } from '../spec.ts';
import { readError, saysNo } from '../kit/read-error.ts';
import { KeyRefused } from './bringin-customer.ts';
import { hmacHeader } from './bringin-hmac.ts';
import { isAboutKey } from './bringin-refusal.ts';
import type { BringinSettings } from './bringin-settings.ts';
import * as wire from './bringin-wire.ts';

/** The fields that may be logged: how many rows of what, and whether a link was untrusted. Never a key, a name or Bringin's own words. */
export const logFields = ['of', 'rows', 'untrusted'] as const;
export type LogField = (typeof logFields)[number];

export type Bringin = { deps: AdapterDeps<LogField>; settings: BringinSettings };

const prefix = '/api/v0';

type Call<S extends z.ZodType> = {
  method?: 'GET' | 'POST';
  path: string;
  key: string;
  body?: string;
  headers?: Record<string, string>;
  schema: S;
  alsoGood?: readonly number[];
  credentials?: boolean;
  /** Set if the call makes an order. An error with a 2xx is then a refusal only if its words, or a 4xx in its body, say that no order was made. */
  makes?: boolean;
  /** The value for an answer that only says "done": an empty body, `{success: true}`, a sentence. */
  bare?: z.output<S>;
};

const call = async <S extends z.ZodType>({ deps, settings }: Bringin, context: CallContext, request: Call<S>): Promise<JsonReply<z.output<S>>> => {
  const { method = 'POST', path, key, schema: _schema, bare, makes: _makes, ...rest } = request;
  const reply = await requestJson({
    http: deps.http,
    method,
    url: `${settings.base_url.replace(/\/+$/, '')}${prefix}${path}`,
    signal: context.signal,
    maxBytes: listingBytes,
    schema: z.unknown(),
    plainText: true,
    mayBeEmpty: bare !== undefined,
    ...rest,
    headers: { 'api-key': key, ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }), ...rest.headers },
  });
  // A server that answers 408 did not wait for the outcome of the request, which may still have been carried out.
  if (!reply.ok && reply.status === 408) throw new ProviderFault('server', 'status 408', { status: 408 });
  return reply.ok ? read(reply, request) : reply;
};

/** Reads an answer with a 2xx, which may be a refusal: `{success: false, message}`, an error body, a sentence. */
const read = <S extends z.ZodType>(
  { status, value }: { status: number; value: unknown },
  { schema, bare, credentials, makes }: Call<S>,
): JsonReply<z.output<S>> => {
  const parsed = schema.safeParse(value);
  const said = readError(value);
  const hidden = wire.statusIn(value);
  // A document that matches the schema but looks like an error counts as an error only if it also states a 4xx or 5xx.
  if (parsed.success && !(said.isError && hidden !== undefined)) return { ok: true, status, value: parsed.data };
  const isRefusal = status >= 400 || (said.isError && (makes !== true || (hidden !== undefined && hidden < 500)));
  if (isRefusal || (saysNo(said) && (said.isError || typeof value === 'string'))) {
    if (credentials === true && (hidden === 401 || hidden === 403))
      throw new ProviderFault('rejected-credentials', `status ${hidden}`, { status, taken: 'no' });
    return { ok: false, status: hidden ?? Math.max(status, 400), body: value };
  }
  if (bare !== undefined && !said.isError) return { ok: true, status, value: bare };
  throw offSchema(parsed.error, status);
};

const offSchema = (error: z.ZodError | undefined, status: number): ProviderFault => {
  const where = error?.issues[0]?.path.map(String).join('.') ?? '';
  return new ProviderFault('malformed', `the answer does not match the schema${where === '' ? '' : ` at ${where}`}`, { status });
};

/** Calls with the application's key: 401 and 403 mean that the operator's credentials are wrong. */
const asMaster = async <S extends z.ZodType>(bringin: Bringin, context: CallContext, request: Omit<Call<S>, 'key'>): Promise<JsonReply<z.output<S>>> =>
  await call(bringin, context, { ...request, key: secretOf(bringin, bringin.settings.master_key_env), credentials: true });

/**
 * Calls with the user's key: 401 and 403 (Bringin's status for a bad key) mean that this user's key was refused, unless their words are about a code,
 * a person or a country.
 */
const asUser = async <S extends z.ZodType>(bringin: Bringin, context: CallContext, request: Call<S>): Promise<JsonReply<z.output<S>>> => {
  const reply = await call(bringin, context, request);
  if (!reply.ok && (reply.status === 401 || reply.status === 403) && isAboutKey(reply.body)) throw new KeyRefused(`status ${reply.status}`);
  return reply;
};

const secretOf = ({ deps }: Bringin, name: string): string => {
  const value = deps.secret(name);
  if (value === undefined || value === '') throw new ProviderFault('rejected-credentials', `the variable ${name} is not set`, { taken: 'no' });
  return value;
};

/** Returns the value. Throws a fault for a refusal that no verb handles. */
const valueOf = <T>(reply: JsonReply<T>): T => {
  if (reply.ok) return reply.value;
  throw new ProviderFault('malformed', `status ${reply.status} (${wire.errorCodeOf(reply.body)})`, { status: reply.status, taken: 'no' });
};

// ---- master key ----------------------------------------------------------------------------------------------------------------------

/** Calls connect. The call is signed only if it registers a callback. Older versions return 409 if they know the user. */
export const connect = async (bringin: Bringin, context: CallContext, request: { email: string; ref: string; callback?: string }) => {
  const { deps, settings } = bringin;
  const path = '/application/connect';
  const { email, ref, callback } = request;
  const isSigned = callback !== undefined && settings.api_secret_env !== undefined;
  const body = JSON.stringify(isSigned ? { email, callback, ref } : { email, ref });
  const parts = { method: 'POST', path: `${prefix}${path}`, body, timestampMs: deps.now() } as const;
  const headers = isSigned ? { authorization: hmacHeader(secretOf(bringin, settings.api_secret_env ?? ''), parts) } : {};
  return await asMaster(bringin, context, { path, body, headers, schema: wire.connectReply, alsoGood: [409] });
};

export const connectStatus = async (bringin: Bringin, context: CallContext, email: string) =>
  await asMaster(bringin, context, {
    method: 'GET',
    path: `/application/connect/status?${bringin.settings.status_email_param}=${encodeURIComponent(email)}`,
    schema: wire.statusReply,
  });

export const rates = async (bringin: Bringin, context: CallContext) =>
  valueOf(await asMaster(bringin, context, { path: '/offramp/rates', body: JSON.stringify({ ticker: 'BTCEUR' }), schema: wire.ratesReply }));

// ---- per-user key --------------------------------------------------------------------------------------------------------------------

type Post<S extends z.ZodType> = { path: string; schema: S; body?: Json; bare?: z.output<S>; makes?: boolean };
const post = async <S extends z.ZodType>(bringin: Bringin, context: CallContext, key: string, { body, ...to }: Post<S>) =>
  await asUser(bringin, context, { key, ...to, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

/** Reads the user's id, the cheapest way to find out whether a key works. */
export const userId = async (bringin: Bringin, context: CallContext, key: string) =>
  await asUser(bringin, context, { method: 'GET', path: '/user/user-id', key, schema: wire.userIdReply });

export const getBalance = async (bringin: Bringin, context: CallContext, key: string) =>
  valueOf(await post(bringin, context, key, { path: '/account/get-balance', schema: wire.balanceReply, body: { currency: 'EUR' } })).balance;

/** Reads transactions. `limit` and `offset` are sent as strings, times as numbers (ms). The sequence of the rows is not documented. */
export const listTransactions = async (bringin: Bringin, context: CallContext, key: string, page: { since?: number; limit: number; offset: number }) => {
  const body = { ...(page.since === undefined ? {} : { startDate: page.since }), limit: String(page.limit), offset: String(page.offset) };
  return valueOf(await post(bringin, context, key, { path: '/account/transactions', schema: wire.transactionsReply, body }));
};

export type NewOrder = { sats: bigint; network: 'lightning' | 'onchain'; sourceId: string; ipAddress?: string };
export const makeOrder = async (bringin: Bringin, context: CallContext, key: string, { sats, network, sourceId, ipAddress }: NewOrder) =>
  await post(bringin, context, key, {
    path: '/offramp/order',
    schema: wire.orderReply,
    makes: true,
    body: {
      sourceAmount: sats.toString(),
      ...(ipAddress === undefined ? {} : { ipAddress }),
      paymentMethod: network === 'lightning' ? 'LIGHTNING' : 'ON_CHAIN',
      sourceId,
    },
  });

export const depositAddress = async (bringin: Bringin, context: CallContext, key: string, { network, ipAddress }: Pick<NewOrder, 'network' | 'ipAddress'>) =>
  await post(bringin, context, key, {
    path: '/offramp/address',
    schema: wire.addressReply,
    body: {
      ...(ipAddress === undefined ? {} : { ipAddress }),
      sourceCurrency: 'BTC',
      sourceBlockchain: network === 'lightning' ? bringin.settings.lightning_blockchain : bringin.settings.onchain_blockchain,
    },
  });

const links = '/bringin-link';
/** Creates a connection. `unread`: Bringin accepted the request, but the rest of its answer could not be read. */
export const createLink = async (bringin: Bringin, context: CallContext, key: string, body: Json) =>
  await post(bringin, context, key, { path: links, schema: z.union([wire.linkReply, z.literal('unread')]), body, bare: 'unread' });
export const listLinks = async (bringin: Bringin, context: CallContext, key: string) => {
  const { links: found, unread } = valueOf(await asUser(bringin, context, { method: 'GET', path: links, key, schema: wire.linksReply }));
  if (unread > 0) bringin.deps.log('warn', 'bringin_rows_unread', { of: 'connections', rows: unread });
  return found;
};
export const getLink = async (bringin: Bringin, context: CallContext, key: string, id: string) =>
  await asUser(bringin, context, { method: 'GET', path: `${links}/${encodeURIComponent(id)}`, key, schema: wire.linkReply });

type Code = { challengeId: string; verificationCode: string };
export const confirmLink = async (bringin: Bringin, context: CallContext, key: string, code: Code) =>
  await post(bringin, context, key, { path: `${links}/confirm`, schema: wire.standingOrderReply, body: code, bare: wire.bareOrder });
export const resendCode = async (bringin: Bringin, context: CallContext, key: string, challengeId: string) =>
  await post(bringin, context, key, { path: `${links}/resend-otp`, schema: wire.resendReply, body: { challengeId }, bare: wire.bareResend });
/** Cancels by the standing order's id, not the link's. */
export const cancelOrder = async (bringin: Bringin, context: CallContext, key: string, standingOrderId: string) =>
  await post(bringin, context, key, { path: `${links}/${encodeURIComponent(standingOrderId)}/cancel`, schema: wire.cancelReply, bare: wire.bareCancel });
export const confirmCancel = async (bringin: Bringin, context: CallContext, key: string, standingOrderId: string, code: Code) =>
  await post(bringin, context, key, {
    path: `${links}/${encodeURIComponent(standingOrderId)}/cancel/confirm`,
    schema: wire.standingOrderReply,
    body: code,
    bare: wire.bareOrder,
  });

/** Reads the LUD-06 metadata of a Lightning address. Sends no key. */
export const payMetadata = async ({ deps }: Bringin, context: CallContext, url: string) =>
  await requestJson({ http: deps.http, method: 'GET', url, signal: context.signal, schema: wire.payReply });
