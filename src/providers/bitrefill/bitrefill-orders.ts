/** The verbs for orders: `quote`, `placeOrder` and `readOrders`. */
import { checkPayoutAddress } from '../../bitcoin/address.ts';
import { defined } from '../../domain/defined.ts';
import { feeInSats } from '../../domain/money.ts';
import type { Facts, ProviderOffer } from '../../domain/offer.ts';
import { statusWord } from '../../domain/printable.ts';
import type { Stage } from '../../domain/order.ts';
import type { Refusal, RefusalNote } from '../../domain/refusal.ts';
import { beforehand, namingOrder, ProviderFault } from '../fault.ts';
import type { Answer, CallContext, FollowedOrder, LiquidityQuoteRequest, OrderEvidence, PlacedOrder, PlaceRequest } from '../spec.ts';
import * as api from './bitrefill-api.ts';
import type { Bitrefill } from './bitrefill-api.ts';
import {
  balance,
  contradictionIn,
  deadlineOf,
  endOfInvoice,
  isInstant,
  judgeOwnInvoice,
  methodFor,
  paymentIn,
  paySatsOf,
  rateCardOf,
  rawStatusOf,
  secretOf,
  hasMoney,
  stageOf,
  userRefOf,
  type Wanted,
} from './bitrefill-mapping.ts';
import { paymentInfoOf } from './bitrefill-payment.ts';
import { estimate, refusalFor, slugs, type RateCard } from './bitrefill-price.ts';
import type { OrderRead, OrderReply } from './bitrefill-wire.ts';

type Refused = { ok: false; refusal: Refusal };
const refused = (refusal: Refusal): Refused => ({ ok: false, refusal });
const declined = (note: RefusalNote, detail?: string): Refused => refused({ reason: 'declined', note, ...(detail === undefined ? {} : { detail }) });
const broken = (note: string): never => {
  throw new ProviderFault('malformed', note);
};

/**
 * Returns what the customer can spend (`receive`) and receive (`inbound_sats`) after the delivery. A turbo channel has the ordered value on each
 * side.
 */
const deliveredBy = ({ product, amountSats }: LiquidityQuoteRequest): { receive: bigint; facts: Facts } => {
  if (product === 'recharge') return { receive: amountSats, facts: { inbound_sats: 0, delivered_as: 'payment' } };
  const facts: Facts = { inbound_sats: Number(amountSats), delivered_as: 'redemption' };
  return product === 'inbound' ? { receive: 0n, facts } : { receive: amountSats, facts };
};

// ---- price ---------------------------------------------------------------------------------------------------------------------------

/** Reads the price list of a product. Refuses if Bitrefill returns an error or a list without prices, which means that the product is not on sale. */
export const readCard = async (bitrefill: Bitrefill, context: CallContext, product: LiquidityQuoteRequest['product']): Promise<Answer<RateCard>> => {
  const reply = await api.inventory(bitrefill, context, slugs[product]);
  if (!reply.ok) return refused({ reason: 'option-unsupported', note: 'not-on-sale', detail: reply.code });
  if (reply.value.operator.slug !== slugs[product]) throw new ProviderFault('malformed', 'the inventory is that of another product', { taken: 'no' });
  const card = rateCardOf(reply.value);
  return card
    ? { ok: true, value: card }
    : refused({ reason: 'option-unsupported', note: 'not-on-sale', detail: 'the inventory has neither a range nor packages' });
};

/** Returns an estimate at the upper end of the price, which matches the one package whose price we know. Only an order fixes the price. */
export const quote = async (bitrefill: Bitrefill, context: CallContext, request: LiquidityQuoteRequest): Promise<Answer<ProviderOffer>> => {
  const { settings } = bitrefill;
  const { product, amountSats } = request;
  if (!settings.products.includes(product)) return refused({ reason: 'option-unsupported' });
  const method = methodFor(request.payWith, settings);
  if (method === undefined) return refused({ reason: 'payment-method-unsupported' });
  const card = await readCard(bitrefill, context, product);
  if (!card.ok) return card;
  const refusal = refusalFor(card.value, amountSats, settings.step_from);
  if (refusal) return refused(refusal);
  const { low, high } = estimate(card.value, amountSats) ?? broken('the inventory states no price for this amount');
  const { receive, facts } = deliveredBy(request);
  return {
    ok: true,
    value: {
      pay: high,
      receive,
      fee: feeInSats(high, receive),
      binding: false,
      upstream: { slug: slugs[product], method },
      facts: { ...facts, least_pay_sats: Number(low) },
      requires: product === 'recharge' ? ['invoice'] : [],
      warnings: [],
    },
  };
};

// ---- placing -------------------------------------------------------------------------------------------------------------------------

type Body = Record<string, string | boolean>;
type Asked = { quote: LiquidityQuoteRequest; method: string; body: Body };

/** Returns the body for Bitrefill, or a refusal that says what the customer must change first. Sends nothing. */
const orderOf = ({ deps, settings }: Bitrefill, context: CallContext, request: PlaceRequest): { ok: true; value: Asked } | Refused => {
  const { inputs, noticeUrl, quote: asked } = request;
  if (asked.ramp !== 'liquidity') return refused({ reason: 'option-unsupported' });
  const method = methodFor(inputs.payWithBalance === true ? balance : asked.payWith, settings);
  if (method === undefined) return refused({ reason: 'payment-method-unsupported' });
  const body: Body = {
    operatorSlug: slugs[asked.product],
    valuePackage: asked.amountSats.toString(),
    email: inputs.email ?? settings.receipt_email,
    sendEmail: inputs.email !== undefined,
    userRef: userRefOf(context.idempotencyKey ?? deps.newId()),
    ...(noticeUrl === undefined ? {} : { webhook_url: noticeUrl }),
  };
  if (method !== balance) body['paymentMethod'] = method;
  const refund = inputs.refundOnchain ?? asked.refundOnchain;
  if (refund !== undefined && settings.refund_methods.includes(method)) {
    const checked = checkPayoutAddress(refund, deps.network);
    if ('problem' in checked) return declined('address-invalid');
    body['refund_address'] = checked.address;
  }
  if (asked.product === 'recharge') {
    const life = isInstant(method) ? settings.lightning_order_s : settings.onchain_order_s;
    const now = deps.now();
    const own = judgeOwnInvoice(inputs.invoice, { network: deps.network, sats: asked.amountSats, now, aliveUntil: now + life * 1000 });
    if ('problem' in own) {
      deps.log('info', 'bitrefill_invoice_unsuitable', { problem: own.problem });
      return declined('invoice-unsuitable');
    }
    body['number'] = own.invoice;
  }
  return { ok: true, value: { quote: asked, method, body } };
};

export const placeOrder = async (bitrefill: Bitrefill, context: CallContext, request: PlaceRequest): Promise<Answer<PlacedOrder>> => {
  const asked = orderOf(bitrefill, context, request);
  if (!asked.ok) return asked;
  if (asked.value.method === balance) return await buyFromBalance(bitrefill, context, request, asked.value);
  const reply = await api.makeOrder(bitrefill, context, asked.value.body);
  if (!reply.ok) return declined('order-refused', reply.code);
  return namingOrder(reply.value.id, () => toPay(bitrefill, asked.value, reply.value));
};

/** Maps an order that the customer pays. Checks everything before the customer sees it. */
const toPay = (bitrefill: Bitrefill, { quote: asked, method, body }: Asked, order: OrderReply): Answer<PlacedOrder> => {
  const { deps, settings } = bitrefill;
  const now = deps.now();
  const deadline = deadlineOf(order, settings.order_life_s * 1000, now);
  if (stageOf(order, now, deadline) === 'failed')
    return refused({ reason: 'declined', note: 'order-refused', detail: statusWord(rawStatusOf(order)), orderMade: order.id });
  contradicted(order, asked, body);
  const { payment = broken('the order does not say how to pay it') } = order;
  const sats = paySatsOf(order) ?? broken('the order states no price');
  const judged = paymentInfoOf(payment, { network: deps.network, method, sats, now });
  if ('problem' in judged) return broken(judged.problem);
  const invoiceEnd = judged.paymentInfo.kind === 'invoice' ? endOfInvoice(judged.paymentInfo.value) : undefined;
  const endsOn = Math.min(deadline, invoiceEnd ?? deadline) - settings.expiry_margin_s * 1000;
  if (endsOn <= now) return broken('the order expires too soon to be paid');
  tellPrice(deps, order, sats);
  const expiresOn = Math.min(endsOn, lastPayout(settings, method, body) ?? endsOn);
  // If no time is left, the customer's own invoice would expire before Bitrefill could pay it.
  const paymentInfo = expiresOn > now ? judged.paymentInfo : ({ kind: 'none', problem: 'invoice-too-short' } as const);
  return { ok: true, value: placed(asked, order, { pay: sats, stage: 'awaiting_payment', paymentInfo, expiresOn }) };
};

/**
 * Returns the latest time at which the customer can pay for a recharge, so that their own invoice is still valid when Bitrefill pays it. A payment on
 * chain or in another coin has to confirm first. The time left for that is the difference between `onchain_order_s` and `order_life_s`, or
 * `expiry_margin_s` if that is longer.
 */
const lastPayout = (settings: Bitrefill['settings'], method: string, { number: own }: Body): number | undefined => {
  const end = typeof own === 'string' ? endOfInvoice(own) : undefined;
  const confirmsS = isInstant(method) ? 0 : settings.onchain_order_s - settings.order_life_s;
  return end === undefined ? undefined : end - Math.max(confirmsS, settings.expiry_margin_s) * 1000;
};

const contradicted = (order: OrderReply, { product, amountSats: value }: LiquidityQuoteRequest, { userRef }: Body): void => {
  const contradiction = contradictionIn(order, { slug: slugs[product], value, ...(typeof userRef === 'string' ? { userRef } : {}) });
  if (contradiction !== undefined) broken(contradiction);
};

const placed = (asked: LiquidityQuoteRequest, order: OrderReply, more: Pick<PlacedOrder, 'pay' | 'stage' | 'paymentInfo' | 'expiresOn'>): PlacedOrder => {
  const { receive, facts } = deliveredBy(asked);
  return { upstreamOrderId: order.id, rawStatus: rawStatusOf(order), receive, fee: feeInSats(more.pay, receive), facts, ...more };
};

/**
 * Buys from the operator's balance. The money leaves with this call, so the price is checked again first. The call is never sent again, even if its
 * answer was lost. The order is then found by its notice or by our reference, or else by the operator.
 */
const buyFromBalance = async (
  bitrefill: Bitrefill,
  context: CallContext,
  { offer }: PlaceRequest,
  { quote: asked, body }: Asked,
): Promise<Answer<PlacedOrder>> => {
  const { deps, settings } = bitrefill;
  if ((context.attempt ?? 1) > 1) throw new ProviderFault('server', 'a purchase from the balance is never sent a second time', { retryable: false });
  const card = await beforehand(readCard(bitrefill, context, asked.product));
  if (!card.ok) return card;
  const refusal = refusalFor(card.value, asked.amountSats, settings.step_from);
  if (refusal) return refused(refusal);
  const { high } = estimate(card.value, asked.amountSats) ?? broken('the inventory states no price for this amount');
  if (high > offer.pay) return declined('price-moved');
  const reply = await once(api.purchase(bitrefill, context, body));
  if (!reply.ok) return declined('order-refused', reply.code);
  namingOrder(reply.value.id, () => contradicted(reply.value, asked, body));
  const now = deps.now();
  const stage = stageOf(reply.value, now, now, { ordered: slugs[asked.product], method: balance, loopbackHttp: deps.mode === 'sandbox' });
  const pay = paySatsOf(reply.value, offer.pay) ?? offer.pay;
  tellPrice(deps, reply.value, pay);
  const isOpen = stage === undefined || stage === 'awaiting_payment';
  return { ok: true, value: placed(asked, reply.value, { pay, stage: isOpen ? 'paid' : stage, paymentInfo: { kind: 'none' } }) };
};

/** Logs a price that differs from the amount to pay, so that the operator sees it. */
const tellPrice = ({ log }: Bitrefill['deps'], { price }: OrderReply, pay: bigint): void => {
  if (price !== undefined && price !== pay) log('warn', 'bitrefill_price_differs', { price: Number(price), to_pay: Number(pay) });
};

/** Turns any fault of the call into one that is not retryable. */
const once = async <T>(sending: Promise<T>): Promise<T> => {
  try {
    return await sending;
  } catch (fault) {
    if (!(fault instanceof ProviderFault)) throw fault;
    const { kind, taken, status, orderMade } = fault;
    throw new ProviderFault(kind, 'the provider gave no usable answer to the purchase', {
      retryable: false,
      taken,
      cause: fault,
      ...defined({ status, orderMade }),
    });
  }
};

// ---- reading -------------------------------------------------------------------------------------------------------------------------

/**
 * Reads one order by its id. If we do not know its id, searches for our reference in a list of orders that Bitrefill does not document, but that
 * clients have read. Refuses to read all orders. Also refuses if the reference was not found and the list is not served, or was not read to its end:
 * the order may exist all the same.
 */
export const readOrders = async (bitrefill: Bitrefill, context: CallContext, order?: FollowedOrder): Promise<Answer<OrderEvidence[]>> => {
  if (order?.upstreamOrderId === undefined) return await readByReference(bitrefill, context, order);
  const reply = await api.getOrder(bitrefill, context, order.upstreamOrderId);
  if (reply.ok) return { ok: true, value: [evidenceOf(bitrefill, order, reply.value)] };
  if (reply.status === 404 || reply.code === 'not_found') return { ok: true, value: [] };
  // An error with HTTP status 200 may have any cause, so it counts as a failure of the server. An unexpected 4xx does not.
  throw new ProviderFault(reply.status === 200 ? 'server' : 'malformed', `status ${reply.status} (${reply.code})`, { status: reply.status, taken: 'no' });
};

/** How many pages are read at most. The order in question was made recently, so it should be on the first pages. It may still be on a later page. */
const mostPages = 3;
const notListed = refused({ reason: 'option-unsupported', note: 'orders-not-listed' });

const readByReference = async (bitrefill: Bitrefill, context: CallContext, order: FollowedOrder | undefined): Promise<Answer<OrderEvidence[]>> => {
  const reference = order?.facts.user_ref;
  let path = bitrefill.settings.orders_path ?? undefined;
  if (order === undefined || reference === undefined || path === undefined) return notListed;
  let isComplete = true;
  for (let page = 0; page < mostPages && path !== undefined; page += 1) {
    const reply = await api.listOrders(bitrefill, context, path);
    if (!reply.ok) return notListed;
    const { orders, nextUrl } = reply.value;
    const ours = orders.flatMap((one) => (one?.userRef === reference ? [one] : []));
    if (ours.length > 0) return { ok: true, value: ours.map((one) => evidenceOf(bitrefill, { ...order, upstreamOrderId: one.id }, one)) };
    path = api.nextPath(bitrefill, nextUrl);
    if (orders.includes(undefined) || (path === undefined && nextUrl !== undefined && nextUrl !== '')) isComplete = false;
  }
  return isComplete && path === undefined ? { ok: true, value: [] } : notListed;
};

/**
 * Returns what was ordered, and how it is paid: the quote keeps both in `upstream`. For a channel, `receive` may be 0, so the ordered value is the
 * inbound capacity.
 */
const orderedIn = ({ upstream, receive, facts }: FollowedOrder): Wanted & { method?: string } => {
  const { slug, method } = typeof upstream === 'object' && upstream !== null && !Array.isArray(upstream) ? upstream : {};
  const how = typeof method === 'string' ? { method } : {};
  if (typeof slug !== 'string') return { userRef: facts.user_ref, ...how };
  const inbound = facts.inbound_sats === undefined ? undefined : BigInt(facts.inbound_sats);
  return { slug, value: slug === slugs.recharge ? receive : inbound, userRef: facts.user_ref, ...how };
};

const moneyMoved: ReadonlySet<Stage | undefined> = new Set<Stage>(['underpaid', 'paid', 'filled', 'finished']);
/**
 * Returns whether an order in this stage can do no harm, even if it is not the ordered one: it asks for no payment, and Bitrefill has none of the
 * customer's money for it.
 */
const isOver = (stage: Stage | undefined, isMoney: boolean): boolean => stage === 'refunded' || ((stage === 'failed' || stage === 'expired') && !isMoney);

/**
 * How long after the end of an order we wait for a payment that is on its way. Then a person must check, because Bitrefill may have the money
 * although its status word has not changed.
 */
const arrivalMs = 86_400_000;

const evidenceOf = ({ deps, settings }: Bitrefill, followed: FollowedOrder, order: OrderRead): OrderEvidence => {
  if (order.id !== followed.upstreamOrderId) return broken('the answer is about another order');
  const ordered = orderedIn(followed);
  const { slug, method } = ordered;
  if (ordered.userRef !== undefined && order.userRef !== undefined && order.userRef !== ordered.userRef) return broken('the order has another reference');
  const now = deps.now();
  const deadline = deadlineOf(order, settings.order_life_s * 1000, followed.createdOn);
  const told = stageOf(order, now, deadline, { ordered: slug, method, loopbackHttp: deps.mode === 'sandbox' });
  if (told === undefined) deps.log('warn', 'bitrefill_status_unknown', { status: statusWord(rawStatusOf(order)) });
  const isOnItsWay = told === 'awaiting_payment' && paymentIn(order, method) === 'arriving';
  const stage = isOnItsWay && now >= (followed.expiresOn ?? deadline) + arrivalMs ? 'review' : told;
  const isMoney = hasMoney(order, method);
  const arriving = isOnItsWay && stage !== 'review' ? { arriving: true as const } : {};
  if (order.oddAt !== undefined) return oddEvidence(order, order.oddAt, { stage, isMoney: isMoney || moneyMoved.has(stage), ...arriving });
  const contradiction = isOver(stage, isMoney) ? undefined : contradictionIn(order, ordered);
  if (contradiction !== undefined) deps.log('warn', 'bitrefill_order_differs', { problem: contradiction });
  const moneySeen = isMoney || (contradiction !== undefined && moneyMoved.has(stage));
  const pay = paySatsOf(order, followed.pay) ?? followed.pay;
  return {
    upstreamOrderId: order.id,
    rawStatus: rawStatusOf(order),
    pay,
    receive: followed.receive,
    fee: feeInSats(pay, followed.receive),
    expiresOn: deadline - settings.expiry_margin_s * 1000,
    ...(contradiction !== undefined ? { stage: 'review' as const } : { ...defined({ stage }), ...arriving }),
    ...(moneySeen ? { moneySeen: true as const } : {}),
    ...(order.thorInfo ? { secret: secretOf(order.thorInfo) } : {}),
  };
};

type Odd = { stage: Stage | undefined; isMoney: boolean; arriving?: true };
/**
 * Maps an order that can be read only in part. Keeps whether it was paid or a payment is on its way, and the links and codes that redeem it (their
 * hosts are checked elsewhere). Nothing else in the order is believed.
 */
const oddEvidence = (order: OrderReply, oddAt: string, { stage, isMoney, arriving }: Odd): OrderEvidence => {
  const evidence = { upstreamOrderId: order.id, rawStatus: rawStatusOf(order) };
  if (arriving === true && !isMoney) return { ...evidence, stage: 'awaiting_payment', arriving };
  if (stage === 'refunded' || !(isMoney || stage === 'review')) return broken(`the answer does not match the schema${oddAt === '' ? '' : ` at ${oddAt}`}`);
  return {
    ...evidence,
    stage: 'review',
    ...(isMoney ? { moneySeen: true as const } : {}),
    ...(order.thorInfo ? { secret: secretOf(order.thorInfo) } : {}),
  };
};
