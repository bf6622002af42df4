/** Prices, orders and payments of the sell ramp. An order shows one address or invoice to pay, and only after it has been checked. */
import { defined } from '../../domain/defined.ts';
import type { Facts, ProviderOffer } from '../../domain/offer.ts';
import { matchSlackMs } from '../../domain/order-life.ts';
import { sameId } from '../../domain/same-id.ts';
import { beforehand, ProviderFault } from '../fault.ts';
import type { End } from '../kit/read-time.ts';
import type { Answer, CallContext, FollowedOrder, OrderEvidence, PlacedOrder, PlaceRequest, SellQuoteRequest, SellTransaction } from '../spec.ts';
import * as api from './bringin-api.ts';
import type { Bringin } from './bringin-api.ts';
import { readConnection } from './bringin-connections.ts';
import { declined, readCustomer, refused, withKey } from './bringin-customer.ts';
import { depositForm, judgeDeposit, judgeInvoice, judgeOnchain, readLightningAddress, wellKnownUrl, type Judged } from './bringin-deposit.ts';
import {
  connectionOf,
  couldMatch,
  evidenceOf,
  isUnpaid,
  matchedEvidence,
  matching,
  matchTransaction,
  maybeOrder,
  readNotes,
  recognised,
  toTransaction,
  type OfferNotes,
  type Rail,
} from './bringin-mapping.ts';
import { outsideLimits, outsideSats, priceOf, readRate, type Rate } from './bringin-price.ts';
import { errorCodeOf, type TransactionRow } from './bringin-wire.ts';

/** Returns a price, always an estimate: Bringin converts at the market price when the sats arrive, and has no quotes. */
export const quote = async (bringin: Bringin, context: CallContext, request: SellQuoteRequest): Promise<Answer<ProviderOffer>> => {
  if (request.option.currency !== 'EUR') return { ok: false, refusal: { reason: 'currency-unsupported' } };
  const { rail } = readNotes(request.option.upstream);
  if (!bringin.settings.options.includes(rail)) return { ok: false, refusal: { reason: 'option-unsupported' } };
  const { rate, currency } = await rateNow(bringin, context);
  const price = priceOf(rate, request.fixed, request.amount);
  const refusal = outsideLimits(rate, request.fixed, price, bringin.settings[rail]);
  if (refusal) return { ok: false, refusal };
  const hasKey = readCustomer(context)?.key !== undefined;
  return {
    ok: true,
    value: {
      ...price,
      binding: false,
      upstream: { rail, network: request.network },
      facts: { provider_btc_price: rate.btcPrice.toString(), delivered_to: deliveredTo(rail), matched_by: matchedBy(bringin, rail) },
      echo: { currency },
      requires: [...(hasKey ? [] : ['account' as const]), ...(rail === 'sepa' ? ['connection' as const] : [])],
      warnings: [],
    },
  };
};

const rateNow = async (bringin: Bringin, context: CallContext): Promise<{ rate: Rate; currency: string }> => {
  const reply = await api.rates(bringin, context);
  const rate = readRate(reply);
  if (!rate) throw new ProviderFault('malformed', 'the rates cannot be true');
  return { rate, currency: reply.currency };
};

const matchedBy = ({ settings }: Bringin, rail: Rail): 'order_id' | 'amount' => (rail === 'card' && settings.card_by === 'order' ? 'order_id' : 'amount');
const deliveredTo = (rail: Rail): Facts['delivered_to'] & string => (rail === 'sepa' ? 'bank_transfer_started' : 'card_balance');

/**
 * Returns the request with the current price, since Bringin states no price with an order. With the quoted price, nobody would see that the price has
 * become worse than the customer accepts.
 */
const atCurrentPrice = async (bringin: Bringin, context: CallContext, request: PlaceRequest): Promise<PlaceRequest> => {
  const { rate } = await rateNow(bringin, context);
  const { offer } = request;
  const facts = { ...offer.facts, provider_btc_price: rate.btcPrice.toString() };
  return { ...request, offer: { ...offer, ...priceOf(rate, 'pay', offer.pay), facts } };
};

export const placeOrder = async (bringin: Bringin, context: CallContext, quoted: PlaceRequest): Promise<Answer<PlacedOrder>> => {
  const notes = readNotes(quoted.offer.upstream);
  return await withKey(context, async (key) => {
    const { client_ipv4: ipv4, card_by: by } = bringin.settings;
    if (notes.rail === 'card' && context.customerIp === undefined && ipv4 === 'required') return declined('client-ipv4-required');
    const request = await beforehand(atCurrentPrice(bringin, context, quoted));
    if (notes.rail === 'card' && by === 'order') return await placeCardOrder(bringin, context, key, request, notes);
    const answer =
      notes.rail === 'sepa'
        ? await beforehand(placeByConnection(bringin, context, key, request, notes))
        : await placeByAddress(bringin, context, key, request, notes);
    if (!answer.ok) return answer;
    // The customer has not been shown the order yet, so no payment that Bringin already lists is for it.
    const since = bringin.deps.now() - matchSlackMs;
    const { rows, isCut } = await beforehand(readRows(bringin, context, key, since));
    // A payment that was not read could later be taken for this order's.
    if (isCut) throw cutFault();
    const { pay } = answer.value;
    const alike = rows.filter((row) => (row.createdAt ?? 0) >= since && couldMatch(row, bringin.settings, notes.network, pay));
    // The ids of these rows are stored with the order for good, and a stranger can make such rows at a connection's address.
    if (alike.length > mostAlike) return declined('amount-crowded');
    const earlier = alike.map(({ orderId }) => orderId);
    return { ...answer, value: { ...answer.value, facts: { ...answer.value.facts, earlier_payments: earlier } } };
  });
};

/** If Bringin lists more rows than this that could later be taken for an order's payment (`couldMatch`), the order is refused. */
const mostAlike = 100;

type Way = Pick<PlacedOrder, 'paymentInfo' | 'matchedBy'> & { upstreamOrderId?: string; expiresOn: number };
const placed = ({ offer }: PlaceRequest, { rail }: OfferNotes, way: Way): Answer<PlacedOrder> => {
  const { pay, receive, fee } = offer;
  const facts = { ...defined({ provider_btc_price: offer.facts.provider_btc_price }), delivered_to: deliveredTo(rail) };
  return { ok: true, value: { stage: 'awaiting_payment', pay, receive, fee, facts, ...way } };
};

/** Throws if an address or invoice must not be paid. `taken` says whether there may still be an order. */
const understood = (judged: Judged, taken: 'no' | 'maybe'): Exclude<Judged, { problem: string }> => {
  if ('problem' in judged) throw new ProviderFault('malformed', judged.problem, { taken });
  return judged;
};

/**
 * Places an order that is paid to a connection. Changes nothing at Bringin, since the connection exists already. Reads the connection again, since
 * the customer may have cancelled it in Bringin's app.
 */
const placeByConnection = async (
  bringin: Bringin,
  context: CallContext,
  key: string,
  request: PlaceRequest,
  notes: OfferNotes,
): Promise<Answer<PlacedOrder>> => {
  const { deps, settings } = bringin;
  const stored = connectionOf(request.inputs.connection);
  if (!stored) return declined('connection-required');
  // With an unknown status word, the connection keeps the status given here. That is `initiating`, so the order is refused and nobody pays.
  const read = await readConnection(bringin, context, key, { ...stored, status: 'initiating' });
  if (!read.ok) return read;
  const { status, direction, network, lightningAddress, depositAddress } = read.value;
  if (direction !== 'sell' || network !== notes.network) return declined('connection-unsuitable');
  if (status !== 'active') return declined('connection-not-active');
  const wanted = { network: deps.network, sats: request.offer.pay };
  const expiresOn = deps.now() + settings.match_window_s * 1000;
  if (network === 'onchain')
    return placed(request, notes, { paymentInfo: understood(judgeOnchain(depositAddress ?? '', wanted), 'no').paymentInfo, expiresOn, matchedBy: 'amount' });
  const limits = await payLimits(bringin, context, lightningAddress ?? '');
  if ('refusal' in limits) return { ok: false, ...limits };
  const refusal = outsideSats(limits, request.quote.ramp === 'sell' ? request.quote.fixed : 'pay', request.offer);
  if (refusal) return { ok: false, refusal };
  const paymentInfo = { kind: 'lightning_address', value: lightningAddress ?? '', amountSats: wanted.sats, minSats: limits.min, maxSats: limits.max } as const;
  return placed(request, notes, { paymentInfo, expiresOn, matchedBy: 'amount' });
};

/** Returns the limits of a Lightning address in sats, from its own metadata. */
const payLimits = async (
  bringin: Bringin,
  context: CallContext,
  address: string,
): Promise<{ min: bigint; max: bigint } | Pick<Extract<Answer<never>, { ok: false }>, 'refusal'>> => {
  const known = readLightningAddress(address, bringin.settings.lightning_hosts);
  if (!known) throw new ProviderFault('malformed', 'the Lightning address is at another host', { taken: 'no' });
  const reply = await api.payMetadata(bringin, context, wellKnownUrl(known, bringin.settings));
  if (!reply.ok || !('tag' in reply.value)) return { refusal: { reason: 'declined', note: 'address-not-payable' } };
  const { minSendable, maxSendable } = reply.value;
  return { min: (minSendable + 999n) / 1000n, max: maxSendable / 1000n };
};

/** Places a card top-up. Each try sends an id of its own (`sourceId`). An order whose answer was lost was shown to nobody, and expires. */
const placeCardOrder = async (bringin: Bringin, context: CallContext, key: string, request: PlaceRequest, notes: OfferNotes): Promise<Answer<PlacedOrder>> => {
  const { deps, settings } = bringin;
  const attempt = context.attempt ?? 1;
  if (attempt > settings.order_attempts) return declined('attempts-used');
  const sats = request.offer.pay;
  const sourceId = `${context.idempotencyKey ?? deps.newId()}.${attempt}`;
  const reply = await api.makeOrder(bringin, context, key, { sats, network: notes.network, sourceId, ...ipOf(context) });
  if (!reply.ok) return refused(reply.body, 'order-refused', errorCodeOf(reply.body));
  const { id, amount, invoice, depositAddress, expiresAt } = reply.value;
  const told = expiryOf(expiresAt, settings.timestamp_unit);
  if (amount !== undefined && amount !== sats) throw new ProviderFault('malformed', 'the order is for another amount');
  const wanted = { network: deps.network, sats };
  const exact = { ...wanted, ...defined({ expiresOn: told }), toleranceS: settings.invoice_expiry_tolerance_s, exactAmount: true };
  const judged = understood(notes.network === 'lightning' ? judgeInvoice(invoice ?? '', exact) : judgeOnchain(depositAddress ?? '', wanted), 'maybe');
  // The expiry that the order states, else that of its invoice. An on-chain order without an expiry ends when we stop looking for its payment.
  const expiresOn = told ?? judged.expiresOn ?? deps.now() + settings.match_window_s * 1000;
  if (expiresOn <= deps.now()) throw new ProviderFault('malformed', 'the order had already expired when it was made');
  return placed(request, notes, { paymentInfo: judged.paymentInfo, upstreamOrderId: id, expiresOn, matchedBy: 'order_id' });
};

/** Places an order that is paid to the reusable deposit address, which has no order id. */
const placeByAddress = async (bringin: Bringin, context: CallContext, key: string, request: PlaceRequest, notes: OfferNotes): Promise<Answer<PlacedOrder>> => {
  const { deps, settings } = bringin;
  const reply = await api.depositAddress(bringin, context, key, { network: notes.network, ...ipOf(context) });
  if (!reply.ok) return refused(reply.body, 'address-refused', errorCodeOf(reply.body));
  const { address, minimumDepositAmount: min, maximumDepositAmount: max } = reply.value;
  const refusal = outsideSats({ min: min ?? 0n, max: max ?? request.offer.pay }, request.quote.ramp === 'sell' ? request.quote.fixed : 'pay', request.offer);
  if (refusal) return { ok: false, refusal };
  if ((depositForm(address) === 'onchain') !== (notes.network === 'onchain'))
    throw new ProviderFault('malformed', 'the deposit address is on another network', { taken: 'no' });
  const trusted = { hosts: settings.lightning_hosts, loopbackHttp: deps.mode === 'sandbox' };
  const judged = understood(judgeDeposit(address, { network: deps.network, sats: request.offer.pay }, trusted), 'no');
  const { paymentInfo, expiresOn = deps.now() + settings.match_window_s * 1000 } = judged;
  const isAddress = paymentInfo.kind === 'lightning_address' || paymentInfo.kind === 'lnurl';
  return placed(request, notes, {
    paymentInfo: isAddress ? { ...paymentInfo, ...defined({ minSats: min, maxSats: max }) } : paymentInfo,
    expiresOn,
    matchedBy: 'amount',
  });
};

const ipOf = ({ customerIp }: CallContext): { ipAddress?: string } => (customerIp === undefined ? {} : { ipAddress: customerIp });

/** Reads an expiry: a date, or a number whose unit is not stated. */
const expiryOf = (told: End | { number: number }, unit: 'auto' | 'ms' | 's'): number | undefined => {
  if (told === 'unreadable') throw new ProviderFault('malformed', 'the expiry of the order cannot be read');
  return typeof told === 'object' ? inMilliseconds(told.number, unit) : told;
};
const inMilliseconds = (time: number, unit: 'auto' | 'ms' | 's'): number => (unit === 'ms' || (unit === 'auto' && time >= 1e12) ? time : time * 1000);

// ---- reading -------------------------------------------------------------------------------------------------------------------------

const pageSize = 100;

/**
 * A read takes at most this many pages for each page that the setting `transaction_pages` allows, so that unpaid rows do not hide paid ones. There is
 * rarely time for more pages, and with more, a stranger could make every read cost Bringin more calls.
 */
const pagesPerPage = 4;

/**
 * Reads rows from `since` on, page by page. Their sequence is undocumented, so no row is skipped. The server may send fewer rows than `limit` on any
 * page. So a page is the last one only if it has no new row, or is short and the total count, if stated, has been reached. Repeated rows count as one
 * payment. Stops (`isCut`) after as many paid rows as fit on `transaction_pages` pages. Anybody can make unpaid rows at a connection's public
 * address, so they count only towards `pagesPerPage`.
 */
const readRows = async (
  bringin: Bringin,
  context: CallContext,
  key: string,
  since: number | undefined,
): Promise<{ rows: TransactionRow[]; isCut: boolean }> => {
  const { transaction_pages: pages } = bringin.settings;
  const rows = new Map<string, TransactionRow>();
  let given = 0;
  let unread = 0;
  let paid = 0;
  for (let page = 0; page < pages * pagesPerPage && paid < pages * pageSize; page += 1) {
    const told = await api.listTransactions(bringin, context, key, { limit: pageSize, offset: given, ...(since === undefined ? {} : { since }) });
    const before = rows.size;
    for (const row of told.transactions) rows.set(row.orderId, later(rows.get(row.orderId), row));
    given += told.given;
    unread += told.unread;
    paid = [...rows.values()].filter(({ status }) => !isUnpaid(status)).length;
    const isShort = told.given < pageSize && (told.totalCount === undefined || given >= told.totalCount);
    if (isShort || rows.size === before) {
      if (unread > 0) bringin.deps.log('warn', 'bringin_rows_unread', { of: 'transactions', rows: unread });
      return { rows: [...rows.values()], isCut: false };
    }
  }
  bringin.deps.log('warn', 'bringin_transactions_cut', { rows: rows.size });
  return { rows: [...rows.values()], isCut: true };
};
/**
 * The fault of a read that was cut before it could show a payment. Such a read does not put the order into review: a stranger could cause that, and
 * only a person could end it. The order stays open until its end, is read again for days afterwards, and takes its payment as soon as a read shows
 * it. The kind is `busy`, because Bringin has not failed, and other customers' reads must go on.
 */
const cutFault = (): ProviderFault => new ProviderFault('busy', 'there are more transactions than the gateway reads', { retryable: false, taken: 'no' });
/** Returns which of two rows of one payment to keep: the one with the later date; if the dates are equal, the one that was read later (`row`). */
const later = (known: TransactionRow | undefined, row: TransactionRow): TransactionRow =>
  (known?.createdAt ?? 0) > (row.createdAt ?? 0) ? (known ?? row) : row;

/**
 * Reads evidence. For an order with an id at Bringin, this is the row with that id; for any other order, the payment that matches its amount. Two
 * possible payments mean `review`. No row means that Bringin lists no payment yet. Without `order`, every sale is evidence, except those at a
 * connection's address that nobody has paid.
 */
export const readOrders = async (bringin: Bringin, context: CallContext, order?: FollowedOrder): Promise<Answer<OrderEvidence[]>> =>
  await withKey(context, async (key): Promise<Answer<OrderEvidence[]>> => {
    const { settings, deps } = bringin;
    const { rows, isCut } = await readRows(bringin, context, key, order && order.createdOn - matchSlackMs);
    const evidence = order
      ? await evidenceOn(bringin, order, rows)
      : rows.filter(maybeOrder).map((row) => ({ ...evidenceOf(row, settings), ...defined({ madeBy: row.createdAt && row.createdAt + matchSlackMs }) }));
    if (order && isCut && evidence.length === 0) throw cutFault();
    const unknown = evidence.filter((one) => one.stage === undefined).length;
    if (unknown > 0) deps.log('warn', 'bringin_status_unknown', { of: 'order', rows: unknown });
    return { ok: true, value: evidence };
  });

const evidenceOn = async ({ settings }: Bringin, order: FollowedOrder, rows: TransactionRow[]): Promise<OrderEvidence[]> => {
  if (order.upstreamOrderId !== undefined) {
    const id = order.upstreamOrderId;
    return rows.filter((row) => sameId(row.orderId, id)).map((row) => ({ ...evidenceOf(row, settings), upstreamOrderId: id }));
  }
  const payments = rows.map((row) => toTransaction(row, settings));
  // Once a payment was recognised, it stays assigned to this order, even if another payment would match as well.
  const known = recognised(order, payments);
  if (known !== undefined) return known === 'missing' ? [] : [matchedEvidence(known)];
  const windowMs = settings.match_window_s * 1000;
  const candidates = matching(order, payments, windowMs);
  const others = candidates.length === 0 ? undefined : await order.ofOthers?.(candidates.map(({ upstreamId }) => upstreamId));
  const own = candidates.filter(({ upstreamId }) => others?.includes(upstreamId) !== true);
  const found = matchTransaction(order, own, windowMs);
  if (found === 'none') return [];
  return [found === 'ambiguous' ? { stage: 'review', rawStatus: 'AMBIGUOUS' } : matchedEvidence(found.match)];
};

/** Returns the account's transactions, the newest first. Leaves out rows without a date. */
export const transactions = async (
  bringin: Bringin,
  context: CallContext,
  { since, limit }: { since?: number; limit: number },
): Promise<Answer<SellTransaction[]>> =>
  await withKey(context, async (key) => {
    const rows = (await readRows(bringin, context, key, since)).rows.map((row) => toTransaction(row, bringin.settings));
    const wanted = rows.filter((row) => row.createdOn >= (since ?? 1)).sort((a, b) => b.createdOn - a.createdOn);
    return { ok: true as const, value: wanted.slice(0, limit) };
  });
