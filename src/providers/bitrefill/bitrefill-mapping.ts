/** From Bitrefill's words to the gateway's. Pure. */
import type { Json } from '../../domain/offer.ts';
import type { Stage } from '../../domain/order.ts';
import type { BitcoinNetwork } from '../../bitcoin/address.ts';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { decodeLnurl, encodeLnurl } from '../../bitcoin/lnurl.ts';
import { furthestMs } from '../kit/read-time.ts';
import type { LiquidityProduct, OrderEvidence } from '../spec.ts';
import { slugs, type RateCard } from './bitrefill-price.ts';
import type { BitrefillSettings } from './bitrefill-settings.ts';
import type { InventoryReply, OrderReply, ThorInfo } from './bitrefill-wire.ts';

/** Undefined when there is neither a range nor a package whose value is a number. Prose ("500,000 sats balance (…)") is never read for digits. */
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
/** `bitcoin` is paid on chain, and other sellers call it that. */
const outwardMethod = (method: string): string => (method === 'bitcoin' ? 'onchain' : method);

/** Bitrefill's word, `balance`, or undefined for what is not offered. Only the outward word is understood: one way to pay has one name. */
export const methodFor = (payWith: string, settings: BitrefillSettings): string | undefined => {
  if (payWith === balance) return settings.pay_with_balance ? balance : undefined;
  return settings.payment_methods.find((method) => outwardMethod(method) === payWith);
};

export const methodsOf = (settings: BitrefillSettings): string[] => [
  ...settings.payment_methods.map(outwardMethod),
  ...(settings.pay_with_balance ? [balance] : []),
];

/** The least that is unspoilt: a reference has at most 128 characters. */
export const userRefOf = (reference: string): string => reference.slice(0, 128);

// ---- orders --------------------------------------------------------------------------------------------------------------------------

export const slugOf = ({ product, operatorSlug, operator }: OrderReply): string | undefined => product ?? operatorSlug ?? operator;

/** What the answer contradicts of what was ordered. A value in prose contradicts nothing. */
export const contradictionIn = (order: OrderReply, wanted: { product: LiquidityProduct; value: bigint; userRef?: string }): string | undefined => {
  const value = order.valuePackage ?? order.value;
  if ((slugOf(order) ?? slugs[wanted.product]) !== slugs[wanted.product]) return 'an order of another product';
  if (value !== undefined && /^\d+$/.test(value) && BigInt(value) !== wanted.value) return 'an order of another value';
  return order.userRef !== undefined && wanted.userRef !== undefined && order.userRef !== wanted.userRef ? 'an order with another reference' : undefined;
};

/** What has to be sent. `price` comes last: in one known answer it differs from what the payment says. */
export const paySatsOf = ({ payment, satoshiPrice, price }: OrderReply): bigint | undefined => payment?.satoshiPrice ?? satoshiPrice ?? price;

const second = 1000;

/** An id begins with the second of its creation, eight hex digits. Unix milliseconds. */
const createdOn = (id: string): number | undefined => (/^[0-9a-f]{24}$/i.test(id) ? Number.parseInt(id.slice(0, 8), 16) * second : undefined);

/** Bitrefill's own deadline: named, else the invoice's, else a life counted from the creation. Unix milliseconds. */
export const deadlineOf = ({ id, expirationTime, payment, invoiceTime }: OrderReply, lifeMs: number, seenOn: number): number => {
  if (expirationTime !== undefined) return Math.min(Number(expirationTime), furthestMs);
  const invoice = payment?.lightningInvoice === undefined ? undefined : decodeInvoice(payment.lightningInvoice, { allowMissingSecret: true });
  if (invoice) return (invoice.timestamp + invoice.expirySeconds) * second;
  return (invoiceTime === undefined ? (createdOn(id) ?? seenOn) : Math.min(Number(invoiceTime), furthestMs)) + lifeMs;
};

const failing = /fail|error|denied/i;
const paying = new Set(['payment_pending', 'payment_detected', 'payment_confirmed', 'processing']);
const isSaid = (text: string | undefined): boolean => text !== undefined && text !== '';

/**
 * The stage of an order in either dialect, the first condition that holds. Booleans speak before words, money before the clock: late payments
 * happen. A channel that is a success can be redeemed, which is not "open"; a payout is over. Undefined: a status nobody has seen.
 */
export const stageOf = (order: OrderReply, now: number, deadline: number): Stage | undefined => {
  const { status = '', thorInfo } = order;
  if (order.refunded === true || /refund/i.test(status)) return 'refunded';
  if (status === 'success' || order.delivered === true || thorInfo) return slugOf(order) === slugs.recharge ? 'finished' : 'filled';
  if (isSaid(order.errorType) || isSaid(order.errorMessage) || isSaid(order.error) || failing.test(status)) return 'failed';
  if (order.partialPayment === true) return 'underpaid';
  if (order.sent === true) return 'filled';
  if (order.paymentReceived === true || paying.has(status) || (isSaid(order.zeroConfStatus) && order.zeroConfStatus !== 'pending')) return 'paid';
  const isWaiting = status === '' || status === 'unpaid';
  if (order.expired === true || (isWaiting && now > deadline)) return 'expired';
  return isWaiting ? 'awaiting_payment' : undefined;
};

/** Its status, or which booleans are set where it has none. */
export const rawStatusOf = (order: OrderReply): string => {
  if (order.status !== undefined) return order.status.slice(0, 64);
  const set = (['refunded', 'delivered', 'partialPayment', 'sent', 'paymentReceived', 'expired'] as const).filter((name) => order[name] === true);
  return set.length === 0 ? 'no status' : set.join('+');
};

// ---- redemption ----------------------------------------------------------------------------------------------------------------------

export type Redemption = { lnurl?: string; link?: string; rebuilt?: boolean };

/** Whoever holds any of this holds the channel. */
export const secretOf = ({ link, k1, lnurl }: ThorInfo): Json => ({
  ...(link === undefined ? {} : { link }),
  ...(k1 === undefined ? {} : { k1 }),
  ...(lnurl === undefined ? {} : { lnurl }),
});

/**
 * What to redeem with: the LNURL as given, or rebuilt from k1 in the form that every known one has (`<base>/thor?q=<k1>`). A link in words is
 * given as it is: an LNURL wallet is not the only way.
 */
export const redemptionOf = ({ secret }: Pick<OrderEvidence, 'secret'>, baseUrl: string, loopbackHttp: boolean): Redemption | undefined => {
  if (typeof secret !== 'object' || secret === null || Array.isArray(secret)) return undefined;
  const { link, k1, lnurl } = secret;
  const way = typeof link === 'string' ? { link } : {};
  const given = typeof lnurl === 'string' ? decodeLnurl(lnurl, { loopbackHttp }) : undefined;
  if (given !== undefined) return { lnurl: encodeLnurl(given), ...way };
  if (typeof k1 === 'string' && /^[0-9a-f]{64}$/i.test(k1)) return { lnurl: encodeLnurl(`${baseUrl.replace(/\/+$/, '')}/thor?q=${k1}`), ...way, rebuilt: true };
  return typeof link === 'string' ? way : undefined;
};

// ---- the customer's invoice ----------------------------------------------------------------------------------------------------------

export type Unsuitable = 'required' | 'invalid' | 'wrong-network' | 'wrong-amount' | 'dated-ahead' | 'expires-too-soon';
/** How far the clock of the customer's node may be ahead. What is dated beyond is no fresh invoice, and its expiry says nothing. */
const clockSkewMs = 5 * 60_000;

/** The customer's own invoice, to be paid out to: over exactly the value, and alive until the order can have been paid. */
export const judgeOwnInvoice = (
  text: string | undefined,
  wanted: { network: BitcoinNetwork; sats: bigint; now: number; aliveUntil: number },
): { invoice: string } | { problem: Unsuitable } => {
  if (text === undefined || text === '') return { problem: 'required' };
  const bare = text.trim().replace(/^lightning:/i, '');
  const invoice = decodeInvoice(bare);
  if (!invoice) return { problem: 'invalid' };
  if (invoice.network !== wanted.network) return { problem: 'wrong-network' };
  if (invoice.amountMsat !== wanted.sats * 1000n) return { problem: 'wrong-amount' };
  if (invoice.timestamp * second > wanted.now + clockSkewMs) return { problem: 'dated-ahead' };
  const expiresOn = (invoice.timestamp + invoice.expirySeconds) * second;
  return expiresOn < wanted.aliveUntil ? { problem: 'expires-too-soon' } : { invoice: bare.toLowerCase() };
};
