/**
 * How the API shows orders: as the response to an order call, and as an entry of a status call. One file covers all ramps, so that they stay alike.
 */
import { btcPrice, satsPerBtc } from '../../domain/money.ts';
import { fiatAndSats, sides, type ExchangeRamp, type PerRamp, type Ramp } from '../../domain/ramp.ts';
import type { Facts } from '../../domain/offer.ts';
import { orderStatus } from '../../domain/order-life.ts';
import { paymentPlace } from '../places.ts';
import type { ProblemCode } from '../problem.ts';
import { defect } from '../../ports/defect.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import type { LiquidityProduct } from '../../providers/spec.ts';
import { defined } from '../../domain/defined.ts';
import type { PayoutForm, PayoutKind, PayoutTo } from '../../domain/payout.ts';
import { hasLostConnection, payoutOf } from './payout-of.ts';
import { warningsOf } from './judge-order-fill.ts';
import { heldRedemption, tellUntrusted, type Redemption } from './redemption.ts';
import { readTerms } from '../pricing/liquidity-terms.ts';
import { int, isoTime, providerRef, shownFacts, type FiatPayment, type LiquidityFacts, type SatsPayment, type ShownPayment } from '../outward.ts';

type Exchanged = { amount_fiat: number; amount_sats: number; currency_id: number; currency_code?: string; payment_option_id: number };
type Price = { btc_price: number; order_fee: number };
type Quoted = { quoted_amount_sats: number; quoted_amount_fiat: number };
type Estimate = { is_estimate: boolean; next_check_on?: string };
type Sale = Pick<Facts, 'delivered_to' | 'matched_by'>;
type Nothing = Record<never, never>;
/** What only a pushed order has: where its sats go, so that the customer can check it. */
type Pushed = { payout?: PayoutForm; payout_to?: { [kind in PayoutKind]?: string } & { is_proven: boolean } };
/** The members that exist only in the orders of one ramp, under the API's names. */
type ShownOf = PerRamp<{
  buy: {
    payment: FiatPayment;
    amounts: Exchanged;
    price: Price;
    ordered: Pushed;
    status: Quoted & { on_chain_fallback: boolean; link_sats?: number } & Pushed & Partial<Pick<Facts, 'payout_id' | 'payout_on'>>;
  };
  sell: { payment: SatsPayment; amounts: Exchanged; price: Price; ordered: Estimate & Price & Sale; status: Quoted & Sale };
  liquidity: {
    payment: SatsPayment;
    amounts: { product: LiquidityProduct; pay_with: string; amount_sats: number; pay_sats: number; fee_sats: number; client_sats: number } & LiquidityFacts;
    price: Nothing;
    ordered: Estimate;
    status: Nothing;
  };
}>;

type OrderWords<R extends Ramp> = {
  /** How the order is paid, in the ramp's own form. */
  payment: (payment: ShownPayment | undefined) => ShownOf[R]['payment'];
  /** The order's amounts, with the currency and payment option, or with the liquidity product. */
  amounts: (order: Order) => ShownOf[R]['amounts'];
  price: (order: Order) => ShownOf[R]['price'];
  /** What only this ramp has in the response to an order call. For buy, this is only what a pushed payout adds. */
  ordered: (order: Order, payoutTo: PayoutTo | undefined) => ShownOf[R]['ordered'];
  /** What only this ramp has in an entry of a status call. */
  status: (order: Order, payoutTo: PayoutTo | undefined) => ShownOf[R]['status'];
};

const exchange = (ramp: ExchangeRamp): Pick<OrderWords<ExchangeRamp>, 'amounts' | 'price'> & { quoted: (order: Order) => Quoted } => ({
  amounts: ({ pay, receive, terms }) => {
    const { fiat, sats } = fiatAndSats(ramp, { pay, receive });
    const { currencyId: currency_id, currency: currency_code, paymentOptionId: payment_option_id } = terms;
    return { amount_fiat: int(fiat), amount_sats: int(sats), currency_id, ...defined({ currency_code }), payment_option_id };
  },
  price: (order) => ({ btc_price: int(priceOf(ramp, order)), order_fee: int(order.fee) }),
  quoted: ({ quotedPay, quotedReceive }) => {
    const { fiat, sats } = fiatAndSats(ramp, { pay: quotedPay, receive: quotedReceive });
    return { quoted_amount_sats: int(sats), quoted_amount_fiat: int(fiat) };
  },
});

const priceOf = (ramp: ExchangeRamp, { pay, receive, fee }: Order): bigint => {
  const { fiat, sats } = fiatAndSats(ramp, { pay, receive });
  if (sats <= 0n) return 0n;
  return sides[ramp].pay === 'fiat' ? btcPrice(fiat, fee, sats) : ((fiat + fee) * satsPerBtc) / sats;
};

/** Returns how the proceeds of a sale are paid out, and how its payment is recognised. */
const saleOf = ({ facts, terms }: Order): Sale => defined({ delivered_to: facts.delivered_to, matched_by: terms.matchedBy });
const estimateAndCheck = ({ binding, nextCheckOn }: Order): Estimate => ({
  is_estimate: !binding,
  ...(nextCheckOn === undefined ? {} : { next_check_on: isoTime(nextCheckOn) }),
});

const fiatPayment = (payment: ShownPayment | undefined): FiatPayment => (payment === undefined || 'kind' in payment ? {} : payment);
/** Returns how to pay, or `none` if the customer has nothing to pay. */
const satsPayment = (payment: ShownPayment | undefined): SatsPayment => (payment !== undefined && 'kind' in payment ? payment : { kind: 'none' });

const pushedOf = ({ terms: { payout } }: Order, payoutTo: PayoutTo | undefined): Pushed =>
  payout === undefined ? {} : { payout, ...(payoutTo ? { payout_to: { [payoutTo.kind]: payoutTo.value, is_proven: payoutTo.isProven } } : {}) };

const bought = exchange('buy');
const sold = exchange('sell');
const words: { [R in Ramp]: OrderWords<R> } = {
  buy: {
    ...bought,
    payment: fiatPayment,
    ordered: pushedOf,
    status: (order, payoutTo) => ({
      ...bought.quoted(order),
      ...pushedOf(order, payoutTo),
      ...(order.terms.payout === 'push' ? defined({ payout_id: order.facts.payout_id, payout_on: order.facts.payout_on }) : {}),
      on_chain_fallback: order.facts.on_chain_fallback === true,
      ...(order.linkReceive === undefined ? {} : { link_sats: int(order.linkReceive) }),
    }),
  },
  sell: {
    ...sold,
    payment: satsPayment,
    ordered: (order) => ({ ...estimateAndCheck(order), ...sold.price(order), ...saleOf(order) }),
    status: (order) => ({ ...sold.quoted(order), ...saleOf(order) }),
  },
  liquidity: {
    payment: satsPayment,
    amounts: ({ pay, fee, receive, terms, facts }) => {
      const { product, amountSats, payWith } = readTerms(terms);
      const amounts = { amount_sats: amountSats, pay_sats: int(pay), fee_sats: int(fee), client_sats: int(receive) };
      return { product, pay_with: payWith, ...amounts, ...shownFacts(facts) };
    },
    price: () => ({}),
    ordered: estimateAndCheck,
    status: () => ({}),
  },
};

/** A provider that a request with failover tried before, and the problem that ended that attempt. */
export type MovedFrom = { providerId: string; reason: ProblemCode };
export const showMoves = (gateway: Gateway, moves: readonly MovedFrom[]) =>
  moves.map(({ providerId, reason }) => ({ provider: providerRef(gateway, providerId), reason }));
type Moves = { quote_id?: string; moved_from?: ReturnType<typeof showMoves> };

/** What the answer shows besides the order. `moves` is given for a request with failover, even if the request did not move. */
export type Told = { moves?: readonly MovedFrom[]; payoutTo?: PayoutTo };
/** Builds the response to /order, /sell/order and /liquidity/order. */
export const showNewOrder = <R extends Ramp>(gateway: Gateway, order: Order, payment: ShownPayment | undefined, ramp: R, { moves, payoutTo }: Told = {}) => ({
  order_id: order.id,
  order_status: orderStatus(order.stage),
  stage: order.stage,
  provider: providerRef(gateway, order.providerId),
  ...movesOf(gateway, order, moves),
  ...words[ramp].amounts(order),
  ...words[ramp].ordered(order, payoutTo),
  ...(order.expiresOn === undefined ? {} : { expires_on: isoTime(order.expiresOn) }),
  payment_info: words[ramp].payment(payment),
});

const movesOf = (gateway: Gateway, { quoteId }: Order, moves: readonly MovedFrom[] | undefined): Moves =>
  moves === undefined ? {} : { quote_id: quoteId, moved_from: showMoves(gateway, moves) };

/** The response to an order call of each ramp. Its bytes are stored with the intent. */
export type NewOrder = { [R in Ramp]: ReturnType<typeof showNewOrder<R>> };

const payable = new Set(['awaiting_payment', 'underpaid']);

/**
 * Returns how to pay an order while it can be paid, or undefined. Once a payment is on its way, or a part of it has arrived, the details are not
 * shown, because a customer who followed them would pay the whole amount once more. There are two exceptions. An invoice is still shown, because it
 * can be paid only once. If a part has arrived and no more money is on its way, the details of a fiat payment are still shown: the customer may need
 * them to send the rest, and knows what they have sent. The address of a sale's connection is shown only as long as that connection may be paid.
 */
export const openPayment = async (gateway: Gateway, order: Order): Promise<ShownPayment | undefined> => {
  const canBePaid = !order.final && order.paymentInfo !== '' && payable.has(order.stage) && (order.expiresOn ?? Infinity) > gateway.now();
  if (!canBePaid) return undefined;
  const shown = JSON.parse(await gateway.seal.open(order.paymentInfo, paymentPlace(order.id))) as ShownPayment;
  const kind = 'kind' in shown ? shown.kind : 'fiat';
  const isPaidTwice = kind !== 'invoice' && (order.watch.arriving === true || (order.stage === 'underpaid' && kind !== 'fiat'));
  if (isPaidTwice) return undefined;
  const isLost = order.ramp === 'sell' && order.providerSessionId !== undefined && (await hasLostConnection(gateway, order, order.providerSessionId));
  return isLost ? undefined : shown;
};

/** Shows an order with FLS01's members, and with what a wallet needs if it was closed between ordering and paying. */
export const showOrder = async <R extends Ramp>(gateway: Gateway, order: Order, ramp: R) => {
  const payment = await orNothing(gateway, order, () => openPayment(gateway, order));
  const redemption = await orNothing(gateway, order, () => redemptionOf(gateway, order));
  const payoutTo = await orNothing(gateway, order, () => payoutOf(gateway, order));
  const { amounts, price, status, payment: paymentIn } = words[ramp];
  return {
    ...amounts(order),
    ...price(order),
    order_status: orderStatus(order.stage),
    order_status_date: isoTime(order.stageOn),
    stage: order.stage,
    final: order.final,
    quote_id: order.quoteId,
    provider: providerRef(gateway, order.providerId),
    ...status(order, payoutTo === 'unreadable' ? undefined : payoutTo),
    ...(order.disputed === true ? { disputed: true as const } : {}),
    ...(order.stage === 'review' ? defined({ review_reason: order.watch.reviewReason }) : {}),
    ...warningsOf(gateway, order),
    ...(payment && order.expiresOn !== undefined ? { expires_on: isoTime(order.expiresOn) } : {}),
    ...(order.nextCheckOn === undefined || order.final ? {} : { next_check_on: isoTime(order.nextCheckOn) }),
    ...(payment ? { payment_info: paymentIn(payment) } : {}),
    ...redemption,
  };
};

/**
 * Opens a sealed value. If that fails, for example because the value was sealed with another key, logs the error and returns undefined, so that
 * neither the order nor the list fails.
 */
const orNothing = async <T>(gateway: Gateway, order: Order, open: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await open();
  } catch (error) {
    defect(gateway.log, 'show_order', error, { order: order.id });
    return undefined;
  }
};

/** What redeems a channel is a bearer secret, so it is shown only to the order's owner. */
const redemptionOf = async (gateway: Gateway, order: Order): Promise<{ redemption?: Redemption; redemption_means?: string }> => {
  const redemption = order.stage === 'filled' ? await heldRedemption(gateway, order) : undefined;
  if (redemption === 'untrusted') tellUntrusted(gateway, order);
  if (redemption === undefined || redemption === 'untrusted') return {};
  return { redemption, redemption_means: 'redeemable: the channel opens when the wallet redeems the link or LNURL' };
};
