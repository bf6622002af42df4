/**
 * Orders and sales. They are placed, and sales are listed, as the user of one address. The state of one order is read without a login, but the search
 * for a payment that DFX has not linked to its order needs one.
 */
import * as z from 'zod';
import { readIban } from '../../banking/bank-account.ts';
import { defined } from '../../domain/defined.ts';
import type { Json } from '../../domain/offer.ts';
import type { ExchangeRamp } from '../../domain/ramp.ts';
import { namingOrder, ProviderFault } from '../fault.ts';
import type { JsonReply } from '../kit/request-json.ts';
import type { Answer, CallContext, FollowedOrder, OrderEvidence, PlacedOrder, PlaceRequest, SellTransaction } from '../spec.ts';
import { confirmBuyOrder, makeBuyOrder, makeSellOrder, readTransaction, readTransactions, unexpected, type Dfx } from './dfx-api.ts';
import { notesOf } from './dfx-catalogue.ts';
import { asUser, refusedBy, userOf, withKycPage, type Refused, type User } from './dfx-login.ts';
import type { TransactionReply } from './dfx-order-wire.ts';
import { bodyWith, currencyIdOf, toBuyOrder, toSellOrder, type Asked } from './dfx-order.ts';
import { refusing } from './dfx-refusal.ts';
import { evidenceOf, idsToExplain, isOpenOrder, unlinked, words } from './dfx-status.ts';
import { readUserBlob, writeUserBlob, type KnownUser } from './dfx-user-blob.ts';

/** Our id of the order attempt. DFX keeps it and shows it to the account's owner, but cannot search by it. */
const ownIdOf = ({ idempotencyKey: id }: CallContext): { externalTransactionId?: string } => (id === undefined ? {} : { externalTransactionId: id });
/** Returns whether an earlier try, whose answer was lost, may have made an order. */
const isSentAgain = ({ attempt = 1 }: CallContext): boolean => attempt > 1;

/**
 * Sends an order. Sending it again after a lost answer makes a second order, but the customer sees only one of them, so nobody pays twice. Of two
 * sales, DFX links the payment to the newer one, which may be the one whose answer was lost (`unlinked`).
 */
const send = async <T>(
  dfx: Dfx,
  context: CallContext,
  ramp: ExchangeRamp,
  user: User,
  call: (token: string) => Promise<JsonReply<T>>,
): Promise<{ value: T; status: number; token: string } | (Refused & { token?: string })> => {
  const sent = await asUser(dfx, context, user, call);
  if ('refusal' in sent) return sent;
  const { reply, token } = sent;
  if (reply.ok) return { value: reply.value, status: reply.status, token };
  if (!refusing.has(reply.status)) throw unexpected(reply, 'an order');
  return { refusal: await withKycPage(dfx, context, { ...user, token }, refusedBy(dfx, reply.body, ramp)), token };
};

const refuse = ({ refusal }: Refused): Extract<Answer<never>, { ok: false }> => ({ ok: false, refusal });

export const placeBuyOrder = async (dfx: Dfx, context: CallContext, { quote, inputs, mostPay }: PlaceRequest): Promise<Answer<PlacedOrder>> => {
  const user = userOf(dfx, inputs.payoutTo);
  if (!user || quote.ramp !== 'buy') return refuse({ refusal: { reason: 'payout-unsupported', note: 'payout-refused' } });
  const { currency, upstream } = quote.option;
  const { method } = notesOf(upstream);
  const asked: Asked = { ramp: 'buy', fixed: quote.fixed, amount: quote.amount, currency, isInstant: method === 'Instant' };
  const body = bodyWith(
    {
      currency: { id: currencyIdOf(quote) },
      asset: { blockchain: 'Lightning' },
      paymentMethod: method,
      exactPrice: true,
      ...ownIdOf(context),
    },
    asked,
  );
  const sent = await send(dfx, context, 'buy', user, async (token) => await makeBuyOrder(dfx, context, token, body));
  if ('refusal' in sent) return refuse(sent);
  const { value, status, token } = sent;
  const made = namedBy(value.uid, status, () => toBuyOrder(value, asked, { now: dfx.deps.now(), order_days: dfx.settings.order_days }));
  if ('refusal' in made) return refuse({ refusal: await withKycPage(dfx, context, { ...user, token }, made.refusal) });
  // A confirmed order is listed, and a payment of its amount goes to it first. So no order is shown before it is confirmed. An order that will not be
  // shown, because it asks for too much, is not confirmed: it could take the payment of another order of nearly the same amount.
  if (mostPay !== undefined && made.order.pay > mostPay) return { ok: true, value: made.order };
  if (!(await confirmed(dfx, context, token, made))) return refuse({ refusal: { reason: 'declined', note: 'order-refused' } });
  return { ok: true, value: made.order };
};

/** Sells the sats of the offer, even if the customer asked for an amount of fiat: the invoice is for whole steps of sats (README). */
export const placeSellOrder = async (dfx: Dfx, context: CallContext, { quote, offer, inputs }: PlaceRequest): Promise<Answer<PlacedOrder>> => {
  const user = readUserBlob(context);
  if (!user || quote.ramp !== 'sell') return refuse({ refusal: { reason: 'account-required' } });
  const iban = ibanOf(inputs.connection);
  if (iban === undefined) return refuse({ refusal: { reason: 'declined', note: 'connection-required' } });
  const asked: Asked = { ramp: 'sell', fixed: 'pay', amount: offer.pay, currency: quote.option.currency };
  const members = { iban, asset: { blockchain: 'Lightning' }, currency: { id: currencyIdOf(quote) }, exactPrice: true, ...ownIdOf(context) };
  const body = bodyWith(members, asked);
  const sent = await send(dfx, context, 'sell', user, async (token) => await makeSellOrder(dfx, context, token, body));
  if ('refusal' in sent) return { ...refuse(sent), ...kept(user, sent.token) };
  const { value, status, token } = sent;
  const made = namedBy(value.uid, status, () => toSellOrder(value, asked, { iban, network: dfx.deps.network, now: dfx.deps.now() }));
  const customer = kept(user, token);
  if ('refusal' in made) return { ...refuse({ refusal: await withKycPage(dfx, context, { ...user, token }, made.refusal) }), ...customer };
  const { order } = made;
  return { ok: true, value: isSentAgain(context) ? { ...order, facts: { ...order.facts, sent_again: true } } : order, ...customer };
};

const storedConnection = z.object({ iban: z.string() });
/** Reads the bank account of the connection that the customer chose. */
const ibanOf = (connection: Json | undefined): string | undefined => readIban(storedConnection.safeParse(connection).data?.iban ?? '');

/** Returns the account's new blob, if a login gave a new token. */
const kept = (user: KnownUser, token: string | undefined): { customer?: string } =>
  token === undefined || token === user.token ? {} : { customer: writeUserBlob({ ...user, token }) };

const namedBy = <T>(uid: string | undefined, status: number, judge: () => T): T => (uid === undefined ? judge() : namingOrder(uid, judge, status));

const confirmed = async (dfx: Dfx, context: CallContext, token: string, { id, order }: { id: number; order: PlacedOrder }): Promise<boolean> => {
  try {
    return await confirmBuyOrder(dfx, context, token, id);
  } catch (fault) {
    if (!(fault instanceof ProviderFault)) throw fault;
    const { kind, message, retryable, retryAfterMs, status } = fault;
    const more = defined({ retryAfterMs, status, orderMade: order.upstreamOrderId });
    throw new ProviderFault(kind, message.slice(kind.length + 2), { retryable, cause: fault, ...more });
  }
};

/** Reads one order. Refuses to read all orders: DFX lists them only by user, and an upstream session of the buy ramp belongs to no user. */
export const readBuyOrders = async (dfx: Dfx, context: CallContext, order?: FollowedOrder): Promise<Answer<OrderEvidence[]>> => {
  if (!order) return refuse({ refusal: { reason: 'declined', note: 'orders-not-listed' } });
  return await readOrder(dfx, context, 'buy', order, userOf(dfx, order.payoutTo));
};

/** Reads one order. Refuses to read all orders: DFX does not list sales before they are paid. */
export const readSellOrders = async (dfx: Dfx, context: CallContext, order?: FollowedOrder): Promise<Answer<OrderEvidence[]>> => {
  if (!order) return refuse({ refusal: { reason: 'declined', note: 'orders-not-listed' } });
  return await readOrder(dfx, context, 'sell', order, readUserBlob(context));
};

const readOrder = async (
  dfx: Dfx,
  context: CallContext,
  ramp: ExchangeRamp,
  order: FollowedOrder,
  user: User | undefined,
): Promise<Answer<OrderEvidence[]>> => {
  const { upstreamOrderId: uid } = order;
  if (uid === undefined) return { ok: true, value: [] };
  const row = await readTransaction(dfx, context, uid);
  if (!row) return { ok: true, value: [] };
  if (row.uid !== uid && row.orderUid !== uid) throw new ProviderFault('malformed', 'the answer is about another order');
  if (row.type !== undefined && row.type !== words[ramp]) throw new ProviderFault('malformed', 'the answer is about an order in the other direction');
  if (!user || !isOpenOrder(row) || dfx.deps.now() < order.createdOn + searchAfterMs(dfx, ramp)) return { ok: true, value: [evidenceOf(row, ramp, order)] };
  const { found, ...more } = await unlinkedPayment(dfx, context, ramp, order, user);
  const own = evidenceOf(row, ramp, order);
  return { ok: true, value: [found ? { ...found, otherwise: own } : own], ...more };
};

/** Sats arrive at once. So if a sale still looks unpaid after ten minutes, DFX may have booked its payment without the order. */
const saleMs = 600_000;
const searchAfterMs = ({ settings }: Dfx, ramp: ExchangeRamp): number => {
  const afterMs = settings.search_unlinked_after_s * 1000;
  return ramp === 'sell' ? Math.min(afterMs, saleMs) : afterMs;
};

/** Searches for a payment that DFX has booked without its order. If the search fails, returns nothing: the order's own state is still true. */
const unlinkedPayment = async (
  dfx: Dfx,
  context: CallContext,
  ramp: ExchangeRamp,
  order: FollowedOrder,
  user: User,
): Promise<{ found?: OrderEvidence | undefined; customer?: string }> => {
  try {
    const read = await asUser(dfx, context, user, async (token) => await readTransactions(dfx, context, token));
    if ('refusal' in read) return {};
    const customer = ramp === 'sell' ? kept(user, read.token) : {};
    if (!read.reply.ok) return customer;
    const rows = read.reply.value;
    const others = (await order.ofOthers?.(idsToExplain(rows, ramp, order))) ?? [];
    return { found: unlinked(rows, ramp, { ...order, others }, dfx.settings.unlinked_within_bps), ...customer };
  } catch (fault) {
    if (!(fault instanceof ProviderFault)) throw fault;
    dfx.deps.log('warn', 'dfx_payments_unread');
    return {};
  }
};

/** Lists the customer's sales that DFX has in its books, newest first. */
export const listSales = async (
  dfx: Dfx,
  context: CallContext,
  { since = 0, limit }: { since?: number; limit: number },
): Promise<Answer<SellTransaction[]>> => {
  const user = readUserBlob(context);
  if (!user) return refuse({ refusal: { reason: 'account-required' } });
  const read = await asUser(dfx, context, user, async (token) => await readTransactions(dfx, context, token));
  if ('refusal' in read) return refuse(read);
  const { reply, token } = read;
  if (!reply.ok) throw unexpected(reply, 'a request for the list of transactions');
  const sales = reply.value.flatMap((row) => toSale(row)).filter(({ createdOn }) => createdOn >= since);
  return { ok: true, value: sales.toSorted((a, b) => b.createdOn - a.createdOn).slice(0, limit), ...kept(user, token) };
};

const toSale = (row: TransactionReply): SellTransaction[] => {
  if (row.type !== 'Sell' || row.date === undefined) return [];
  const { stage, pay, receive } = evidenceOf(row, 'sell', { pay: 0n, receive: 0n });
  const ids = row.orderUid === undefined ? { upstreamId: row.uid } : { upstreamId: row.orderUid, paymentId: row.uid };
  return [{ ...ids, rawStatus: row.state, kind: 'sell', createdOn: row.date, ...defined({ stage, pay, receive }) }];
};
