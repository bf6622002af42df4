/** The calls to DFX. Prices, listings and the state of one order need no login. Every other call is made as one user, with the token from a login. */
import * as z from 'zod';
import { ProviderFault } from '../fault.ts';
import { listingBytes, requestJson, type JsonReply } from '../kit/request-json.ts';
import type { AdapterDeps, CallContext, HttpRequest } from '../spec.ts';
import { authReply, buyOrderReply, sellOrderReply, transactionReply, transactionsReply, userReply } from './dfx-order-wire.ts';
import type { BuyOrderReply, SellOrderReply, TransactionReply, UserReply } from './dfx-order-wire.ts';
import { messagesIn } from './dfx-wire.ts';
import type { DfxSettings } from './dfx-settings.ts';

export type Dfx = { deps: AdapterDeps; settings: DfxSettings };

type Call<S extends z.ZodType> = {
  method: HttpRequest['method'];
  path: string;
  schema: S;
  body?: unknown;
  maxBytes?: number;
  mayBeEmpty?: true;
  /** The token of the user for whom the call is made. */
  token?: string;
};

/** The fault for a status that says nothing about what was asked. `asked`: the request, in words for the message. */
export const unexpected = ({ status }: { status: number }, asked: string, more: { taken?: 'no' } = {}): ProviderFault =>
  new ProviderFault('malformed', `status ${status} in response to ${asked}`, { status, ...more });

export const callDfx = async <S extends z.ZodType>(dfx: Dfx, context: CallContext, { path, token, ...call }: Call<S>): Promise<JsonReply<z.output<S>>> =>
  await requestJson({
    http: dfx.deps.http,
    url: `${dfx.settings.base_url.replace(/\/+$/, '')}${path}`,
    signal: context.signal,
    headers: {
      ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...call,
  });

/** Reads a listing. DFX never refuses one, so an error status is a fault. */
export const listDfx = async <S extends z.ZodType>(dfx: Dfx, context: CallContext, path: string, schema: S): Promise<z.output<S>> => {
  const reply = await callDfx(dfx, context, { method: 'GET', path, schema, maxBytes: listingBytes });
  if (!reply.ok) throw unexpected(reply, 'a request for a listing');
  return reply.value;
};

/** Signs in, or signs up an address that is new to DFX. `signature` is the custodial secret, never the customer's signature of DFX's sentence. */
export const signIn = async (dfx: Dfx, context: CallContext, address: string, signature: string): Promise<JsonReply<z.output<typeof authReply>>> => {
  const { wallet, special_code: specialCode } = dfx.settings;
  const body = { address, signature, ...(wallet === undefined ? {} : { wallet }), ...(specialCode === undefined ? {} : { specialCode }) };
  return await callDfx(dfx, context, { method: 'POST', path: '/v1/auth', schema: authReply, body });
};

export const readUser = async (dfx: Dfx, context: CallContext, token: string): Promise<JsonReply<UserReply>> =>
  await callDfx(dfx, context, { method: 'GET', path: '/v2/user', schema: userReply, token });

/** Tells DFX the user's e-mail address. Status 202 means that DFX has sent a code to it. */
export const setMail = async (dfx: Dfx, context: CallContext, token: string, mail: string): Promise<JsonReply<unknown>> =>
  await callDfx(dfx, context, { method: 'PUT', path: '/v2/user/mail', schema: z.unknown(), body: { mail }, mayBeEmpty: true, token });

export const verifyMail = async (dfx: Dfx, context: CallContext, token: string, code: string): Promise<JsonReply<unknown>> =>
  await callDfx(dfx, context, { method: 'POST', path: '/v2/user/mail/verify', schema: z.unknown(), body: { token: code }, mayBeEmpty: true, token });

export const makeBuyOrder = async (dfx: Dfx, context: CallContext, token: string, body: string): Promise<JsonReply<BuyOrderReply>> =>
  await callDfx(dfx, context, { method: 'PUT', path: '/v1/buy/paymentInfos', schema: buyOrderReply, body, token });

export const makeSellOrder = async (dfx: Dfx, context: CallContext, token: string, body: string): Promise<JsonReply<SellOrderReply>> =>
  await callDfx(dfx, context, { method: 'PUT', path: '/v1/sell/paymentInfos', schema: sellOrderReply, body, token });

/**
 * Confirms an order, which then waits for its payment. Returns true even if it was confirmed before, and false if DFX says that it cannot be paid.
 */
export const confirmBuyOrder = async (dfx: Dfx, context: CallContext, token: string, id: number): Promise<boolean> => {
  const reply = await callDfx(dfx, context, { method: 'PUT', path: `/v1/buy/paymentInfos/${id}/confirm`, schema: z.unknown(), mayBeEmpty: true, token });
  if (reply.ok || reply.status === 409) return true;
  if (reply.status === 400) return false;
  throw unexpected(reply, 'a confirmation');
};

/** Reads what DFX shows to everybody about one order or payment. Returns undefined for 404: DFX deletes unpaid orders after 90 days. */
export const readTransaction = async (dfx: Dfx, context: CallContext, orderUid: string): Promise<TransactionReply | undefined> => {
  const path = `/v1/transaction/single?order-uid=${encodeURIComponent(orderUid)}`;
  const reply = await callDfx(dfx, context, { method: 'GET', path, schema: transactionReply });
  if (reply.ok) return reply.value;
  // DFX's own 404 has its stock body. A 404 from a wrong address or a proxy must not be read as "there is no order".
  if (reply.status === 404 && messagesIn(reply.body).length > 0) return undefined;
  throw unexpected(reply, 'a request for a status');
};

/** Reads the user's payments, and their confirmed orders that are not paid. */
export const readTransactions = async (dfx: Dfx, context: CallContext, token: string): Promise<JsonReply<TransactionReply[]>> =>
  await callDfx(dfx, context, { method: 'GET', path: '/v1/transaction/detail', schema: transactionsReply, maxBytes: listingBytes, token });
