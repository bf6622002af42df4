/** Maps Bitrefill's words to the gateway's. Pure. */
import type { Json } from '../../domain/offer.ts';
import type { Stage } from '../../domain/order.ts';
import type { BitcoinNetwork } from '../../bitcoin/address.ts';
import { withoutLightningScheme } from '../../bitcoin/bitcoin-uri.ts';
import { decodeInvoice, invoiceExpiry } from '../../bitcoin/bolt11.ts';
import { decodeLnurl, encodeLnurl } from '../../bitcoin/lnurl.ts';
import type { OrderEvidence } from '../spec.ts';
import { slugs, type RateCard } from './bitrefill-price.ts';
import type { BitrefillSettings } from './bitrefill-settings.ts';
import type { InventoryReply, OrderReply, ThorInfo } from './bitrefill-wire.ts';

/**
 * Reads the price list of a product. Returns undefined if it has neither a range nor a package whose value is a number. Digits in a sentence
 * ("500,000 sats balance (…)") are not read.
 */
export const rateCardOf = ({ operator: { range, packages = [] } }: InventoryReply): RateCard | undefined => {
  if (range) {
    const { min, max, step, customerSatoshiPriceRate: rate, purchaseFee } = range;
    return { range: { min, max, step, rate, purchaseFee } };
  }
  const known = packages.flatMap(({ value, satoshiPrice }) => (/^\d{1,15}$/.test(value) ? [{ value: BigInt(value), price: satoshiPrice }] : []));
  return known.length === 0 ? undefined : { packages: known.sort((a, b) => Number(a.value - b.value)) };
};

// ---- words for payment methods -------------------------------------------------------------------------------------------------------

export const balance = 'balance';
/** Returns the gateway's word for a payment method. `bitcoin` is paid on chain, and other sellers call it `onchain`. */
const outwardMethod = (method: string): string => (method === 'bitcoin' ? 'onchain' : method);

/**
 * Returns Bitrefill's word for a payment method (`balance` for the operator's balance), or undefined if the method is not offered. Accepts only the
 * gateway's word, so that each method has one name.
 */
export const methodFor = (payWith: string, settings: BitrefillSettings): string | undefined => {
  if (payWith === balance) return settings.pay_with_balance ? balance : undefined;
  return settings.payment_methods.find((method) => outwardMethod(method) === payWith);
};

/** Returns whether Bitrefill has the money as soon as the order is paid. Any other payment has to confirm first. */
export const isInstant = (method: string): boolean => method === 'lightning' || method === balance;

export const methodsOf = (settings: BitrefillSettings): string[] => [
  ...settings.payment_methods.map(outwardMethod),
  ...(settings.pay_with_balance ? [balance] : []),
];

/** Cuts a reference to 128 characters, the most that Bitrefill's document allows. */
export const userRefOf = (reference: string): string => reference.slice(0, 128);

// ---- orders --------------------------------------------------------------------------------------------------------------------------

export const slugOf = ({ product, operatorSlug, operator }: OrderReply): string | undefined => product ?? operatorSlug ?? operator;

/** What was ordered. A member that is absent is unknown, and is not compared. */
export type Wanted = { slug?: string | undefined; value?: bigint | undefined; userRef?: string | undefined };

/** Returns how the answer contradicts the request, if it does. A value that is not a number contradicts nothing. */
export const contradictionIn = (order: OrderReply, wanted: Wanted): string | undefined => {
  const value = order.valuePackage ?? order.value;
  const slug = slugOf(order);
  if (slug !== undefined && wanted.slug !== undefined && slug !== wanted.slug) return 'the order is for another product';
  if (value !== undefined && wanted.value !== undefined && /^\d+$/.test(value) && BigInt(value) !== wanted.value) return 'the order is for another amount';
  return order.userRef !== undefined && wanted.userRef !== undefined && order.userRef !== wanted.userRef ? 'the order has another reference' : undefined;
};

/**
 * Returns the sats to pay. `price` is used only if no other member states the sats: in one known response it differs from the payment's amount, and
 * if the operator's account is not in bitcoin, it is in that account's currency. So if `expected` is given (the sats as we already know them), a
 * price counts as sats only between half and twice that amount. Otherwise, `expected` is returned.
 */
export const paySatsOf = ({ payment, satoshiPrice, price }: OrderReply, expected?: bigint): bigint | undefined => {
  const isSats = price !== undefined && (expected === undefined || (price * 2n > expected && price < expected * 2n));
  return payment?.satoshiPrice ?? satoshiPrice ?? (isSats ? price : expected);
};

const second = 1000;

/** Reads the creation time from an id, in Unix milliseconds: an id begins with the time in seconds, as eight hex digits. */
const createdOn = (id: string): number | undefined => (/^[0-9a-f]{24}$/i.test(id) ? Number.parseInt(id.slice(0, 8), 16) * second : undefined);

/**
 * Returns Bitrefill's own deadline in Unix milliseconds: the one that it states, else the invoice's expiry, else `lifeMs` after the order's creation
 * or, if the order does not state its creation, after `seenOn`.
 */
export const deadlineOf = ({ id, expirationTime, payment, invoiceTime }: OrderReply, lifeMs: number, seenOn: number): number => {
  const invoiceEnd = payment?.lightningInvoice === undefined ? undefined : endOfInvoice(payment.lightningInvoice);
  return expirationTime ?? invoiceEnd ?? (invoiceTime ?? createdOn(id) ?? seenOn) + lifeMs;
};

/** Returns when an invoice expires, in Unix milliseconds. Undefined if it cannot be read. */
export const endOfInvoice = (text: string): number | undefined => {
  const invoice = decodeInvoice(withoutLightningScheme(text), { allowMissingSecret: true });
  return invoice && invoiceExpiry(invoice);
};

const failing = /fail|error|denied/i;
const paying = new Set(['payment_confirmed', 'processing']);
/** Statuses that a payment may have before its first confirmation. Whether Bitrefill uses them that early is not known. */
const detected = new Set(['payment_pending', 'payment_detected']);
/**
 * Values of `zeroConfStatus` for a payment that counts before its confirmation. The values none, failed, rejected and disabled do not mean a payment.
 */
const zeroConf = /^(?:accepted|approved|confirmed|complete|completed|paid|ok|success|successful)$/i;
/** Values of `zeroConfStatus` for a payment that was seen. They do not say that it counts before its confirmation. */
const zeroConfSeen = /^(?:detected|received)$/i;
const isSaid = (text: string | undefined): boolean => text !== undefined && text !== '';

/**
 * Returns the stage of an order in either dialect (`orderReply`), or undefined for an unknown status word. The first condition that holds decides.
 * Payments are checked before the deadline, because customers may pay late. A failure next to a payment that is only on its way needs a person: the
 * money may still arrive at Bitrefill. After `success`, a payout is `finished`. A channel that can be redeemed is `filled`, before `success` as well
 * as after it, and never `finished`, because the channel is not open yet. After `success`, a channel that cannot be redeemed is only `paid`.
 *
 * `ordered`: the slug of the ordered product, for answers that name none. `method`: how the order is paid. `loopbackHttp`: whether an LNURL may lead
 * to a simulator.
 */
export const stageOf = (
  order: OrderReply,
  now: number,
  deadline: number,
  { ordered, method, loopbackHttp = false }: { ordered?: string | undefined; method?: string | undefined; loopbackHttp?: boolean } = {},
): Stage | undefined => {
  const isPayout = (slugOf(order) ?? ordered) === slugs.recharge;
  const canRedeem = order.thorInfo !== undefined && holdsRedemption(order.thorInfo, loopbackHttp);
  const status = (order.status ?? '').toLowerCase();
  const payment = paymentIn(order, method);
  if (order.refunded === true || /refunded/.test(status)) return 'refunded';
  const isDone = status === 'success' || order.delivered === true;
  if (isPayout && isDone) return 'finished';
  if (!isPayout && (isDone || canRedeem)) return canRedeem ? 'filled' : 'paid';
  if (isSaid(order.errorType) || isSaid(order.errorMessage) || isSaid(order.error) || failing.test(status)) return payment === 'arriving' ? 'review' : 'failed';
  if (order.partialPayment === true) return 'underpaid';
  if (isPayout && order.sent === true) return 'filled';
  if (order.sent === true || payment === 'paid') return 'paid';
  if (payment === 'arriving') return 'awaiting_payment';
  const isWaiting = status === '' || status === 'unpaid';
  if (order.expired === true || status === 'expired' || (isWaiting && now > deadline)) return 'expired';
  return isWaiting ? 'awaiting_payment' : undefined;
};

/**
 * Returns what an order says about its payment. `arriving`: it was seen, but may have no confirmation yet, so the customer can still replace it. A
 * refund that is only due (`refund_pending`) counts as `paid`, because Bitrefill still has the money. An order of an earlier release has no `method`:
 * if a payment was seen, it counts as paid.
 */
export const paymentIn = ({ paymentReceived, status = '', zeroConfStatus = '' }: OrderReply, method: string | undefined): 'paid' | 'arriving' | undefined => {
  const word = status.toLowerCase();
  if (paymentReceived === true || paying.has(word) || /refund(?!ed)/.test(word) || zeroConf.test(zeroConfStatus)) return 'paid';
  if (!detected.has(word) && !zeroConfSeen.test(zeroConfStatus)) return undefined;
  return method === undefined || isInstant(method) ? 'paid' : 'arriving';
};
/** Returns whether a status word says that the delivery failed, which happens only to paid orders. A word about a failed payment does not count. */
const deliveryFailed = (status: string): boolean => /fail/i.test(status) && !/payment/i.test(status);
/**
 * Returns whether an order shows money that its stage may hide, for example a payment, in full or in part, next to a failure. False for `success`
 * alone, because the stage of such an order already says that it was paid.
 */
export const hasMoney = (order: OrderReply, method: string | undefined): boolean =>
  order.partialPayment === true || order.sent === true || paymentIn(order, method) === 'paid' || deliveryFailed(order.status ?? '');

/** Returns the order's status word or, if it has none, the names of the booleans that are true. */
export const rawStatusOf = (order: OrderReply): string => {
  if (order.status !== undefined) return order.status.slice(0, 64);
  const set = (['refunded', 'delivered', 'partialPayment', 'sent', 'paymentReceived', 'expired'] as const).filter((name) => order[name] === true);
  return set.length === 0 ? 'no status' : set.join('+');
};

// ---- redemption ----------------------------------------------------------------------------------------------------------------------

export type Redemption = { lnurl?: string; link?: string; rebuilt?: boolean };

/** Returns whether an order says how to redeem it. The LNURL's base URL does not matter here. */
const holdsRedemption = (info: ThorInfo, loopbackHttp: boolean): boolean =>
  redemptionOf({ secret: secretOf(info) }, 'https://thor.invalid', loopbackHttp) !== undefined;

/** Returns the bearer secrets of an order: whoever holds any of them can take the channel. */
export const secretOf = ({ link, k1, lnurl }: ThorInfo): Json => ({
  ...(link === undefined ? {} : { link }),
  ...(k1 === undefined ? {} : { k1 }),
  ...(lnurl === undefined ? {} : { lnurl }),
});

/**
 * Returns what redeems the order: the LNURL as given, or one rebuilt from k1 in the form that all known LNURLs have (`<base>/thor?q=<k1>`). A plain
 * link is passed on as it is, since a customer can also redeem the order on that page. Placeholders, such as a link that is no URL, are ignored.
 */
export const redemptionOf = ({ secret }: Pick<OrderEvidence, 'secret'>, baseUrl: string, loopbackHttp: boolean): Redemption | undefined => {
  if (typeof secret !== 'object' || secret === null || Array.isArray(secret)) return undefined;
  const { link, k1, lnurl } = secret;
  const way = typeof link === 'string' && URL.canParse(link) ? { link } : {};
  const given = typeof lnurl === 'string' ? decodeLnurl(lnurl, { loopbackHttp }) : undefined;
  if (given !== undefined) return { lnurl: encodeLnurl(given), ...way };
  if (typeof k1 === 'string' && /^[0-9a-f]{64}$/i.test(k1)) return { lnurl: encodeLnurl(`${baseUrl.replace(/\/+$/, '')}/thor?q=${k1}`), ...way, rebuilt: true };
  return way.link === undefined ? undefined : way;
};

// ---- the customer's invoice ----------------------------------------------------------------------------------------------------------

export type Unsuitable = 'required' | 'invalid' | 'wrong-network' | 'wrong-amount' | 'dated-ahead' | 'expires-too-soon';
/** How far the clock of the customer's node may be ahead. An invoice dated later is not fresh, and its expiry means nothing. */
const clockSkewMs = 5 * 60_000;

/** Checks the customer's own invoice for the payout. The invoice must be for exactly the ordered value, and stay valid until `aliveUntil`. */
export const judgeOwnInvoice = (
  text: string | undefined,
  wanted: { network: BitcoinNetwork; sats: bigint; now: number; aliveUntil: number },
): { invoice: string } | { problem: Unsuitable } => {
  if (text === undefined || text === '') return { problem: 'required' };
  const bare = withoutLightningScheme(text);
  const invoice = decodeInvoice(bare);
  if (!invoice) return { problem: 'invalid' };
  if (invoice.network !== wanted.network) return { problem: 'wrong-network' };
  if (invoice.amountMsat !== wanted.sats * 1000n) return { problem: 'wrong-amount' };
  if (invoice.timestamp * second > wanted.now + clockSkewMs) return { problem: 'dated-ahead' };
  return invoiceExpiry(invoice) < wanted.aliveUntil ? { problem: 'expires-too-soon' } : { invoice: bare.toLowerCase() };
};
