/** Maps the states of an order to a stage. Pure. */
import { withoutLightningScheme } from '../../bitcoin/bitcoin-uri.ts';
import { decodeInvoice, invoiceExpiry } from '../../bitcoin/bolt11.ts';
import type { Stage } from '../../domain/order.ts';
import type { Settings } from './blocktank-settings.ts';
import type { OrderWire } from './blocktank-wire.ts';

/** The states in lower case; '' if not stated. The new words (`state2`) are preferred to the old ones (`state`). */
export const statesOf = ({ state, state2, payment }: OrderWire): { order: string; payment: string; invoice: string } => ({
  order: state2 ?? state ?? '',
  payment: payment?.state2 ?? payment?.state ?? '',
  invoice: payment?.bolt11Invoice?.state ?? '',
});

/** The states of an invoice whose money is held until the channel opens. One type file has `inflight` for `holding`. */
const held = new Set(['holding', 'inflight']);
/** The states of an order whose channel's funding has begun. `open` and `closed` are the old words. */
const executed = new Set(['executed', 'open', 'closed']);

/** Returns whether only a part of the price was paid. `partiallypaid` is one of the old words, but `state2` is searched for it, too. */
const isPart = ({ payment }: OrderWire): boolean => payment?.state === 'partiallypaid' || payment?.state2 === 'partiallypaid';
const confirmedOf = ({ payment }: OrderWire): bigint => payment?.onchain?.confirmedSat ?? 0n;

/** Returns whether the seller says that it has the whole payment, and can open the channel. */
const isPaid = (order: OrderWire): boolean => {
  const { payment, invoice } = statesOf(order);
  return payment === 'paid' || ((held.has(invoice) || invoice === 'paid') && payment !== 'canceled' && payment !== 'refunded');
};
/** Returns whether the order waits for somebody to open its channel. */
export const isOpenable = (order: OrderWire): boolean => isPaid(order) && /^(?:created|paid)$/.test(statesOf(order).order);

/** Returns whether the answer shows that money arrived, even if it has been sent back since. */
export const hasMoney = (order: OrderWire): boolean => {
  const { payment, invoice } = statesOf(order);
  // While a refund is due or under way, under any name, the seller still has the money.
  const isKept = isPaid(order) || invoice === 'paid' || isPart(order) || /^refund(?!ed)/.test(payment);
  return isKept || confirmedOf(order) > 0n || (order.payment?.paidSat ?? 0n) > 0n;
};

/** Returns when the order says that it can no longer be paid: at its own end or, for Lightning, at its invoice's end if that is earlier. */
const endOf = ({ orderExpiresAt, payment }: OrderWire, payWith: 'lightning' | 'onchain'): number | undefined => {
  const request = payWith === 'lightning' ? payment?.bolt11Invoice?.request : undefined;
  const invoice = request === undefined ? undefined : decodeInvoice(withoutLightningScheme(request));
  const ends = [orderExpiresAt, invoice && invoiceExpiry(invoice)].filter((end) => typeof end === 'number');
  return ends.length === 0 ? undefined : Math.min(...ends);
};
/** Returns when we stop taking a payment: early enough before the order's end to open the channel. */
export const lastPaymentOf = (order: OrderWire, payWith: 'lightning' | 'onchain', settings: Settings): number | undefined => {
  const end = order.orderExpiresAt;
  const margin = (payWith === 'lightning' ? settings.expiry_margin_s : settings.onchain_margin_s) * 1000;
  const ends = [endOf(order, payWith), typeof end === 'number' ? end - margin : undefined].filter((one) => one !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
};

/** The seller waits for a payment on chain for up to an hour after the order's end, if it has seen the transaction. */
export const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export type Following = {
  now: number;
  payWith: 'lightning' | 'onchain';
  /** Whether the wallet opens the channel, and the order has an LNURL for it. */
  redeemable: boolean;
  /** Whether an earlier read showed the whole payment. */
  paymentSeen: boolean;
  settings: Settings;
};

/** Returns the stage of an order, or undefined for a combination of states that we do not know. */
export const stageOf = (order: OrderWire, following: Following): Stage | undefined => {
  const states = statesOf(order);
  if (executed.has(states.order)) return isPaid(order) ? 'finished' : undefined;
  if (states.order === 'expired') return afterTheEnd(order, following);
  if (isOpenable(order)) return following.redeemable ? 'filled' : 'paid';
  if (states.order !== 'created') return undefined;
  if (confirmedOf(order) > 0n) return onchainMoney(order, following);
  if (isPart(order)) return 'underpaid';
  if (states.payment === 'canceled') return wasReturned(order, following) ? 'refunded' : 'expired';
  if (states.payment !== 'created') return undefined;
  return isOver(order, following) ? 'expired' : 'awaiting_payment';
};

/** Returns whether the seller has seen a transaction that pays the order. */
export const isOnItsWay = (order: OrderWire): boolean => (order.payment?.onchain?.transactions ?? []).length > 0;
const isOver = (order: OrderWire, { payWith, now }: Following): boolean => {
  const end = endOf(order, payWith);
  return end !== undefined && now >= end + (isOnItsWay(order) ? hourMs : 0);
};

/**
 * Returns whether a cancelled payment has gone back by itself, as the money of a hold invoice does. The money of a settled invoice, or of a payment
 * on chain, does not: the seller reports their refunds with separate words.
 */
const wasReturned = (order: OrderWire, { payWith, paymentSeen }: Following): boolean =>
  payWith === 'lightning' && statesOf(order).invoice !== 'paid' && confirmedOf(order) === 0n && (paymentSeen || (order.payment?.paidSat ?? 0n) > 0n);

/**
 * Returns the stage of an order whose money has confirmed on chain, but that is still `created` at the seller. With less than the price, the order is
 * `underpaid`. With the whole price, it is `paid`: the seller has overlooked the payment. A person must ask once the payment has `stuck_after_blocks`
 * more confirmations than required (by default 12, about two hours), or two hours after the order's end.
 */
const onchainMoney = (order: OrderWire, { now, settings }: Following): Stage => {
  if (order.feeSat === undefined || confirmedOf(order) < order.feeSat) return 'underpaid';
  const { transactions = [], requiredConfirmations = 0 } = order.payment?.onchain ?? {};
  const depth = Math.min(...transactions.map(({ blockConfirmations }) => blockConfirmations ?? 0));
  const isDeep = transactions.length > 0 && depth >= requiredConfirmations + settings.stuck_after_blocks;
  const isLate = typeof order.orderExpiresAt === 'number' && now >= order.orderExpiresAt + 2 * hourMs;
  return isDeep || isLate ? 'review' : 'paid';
};

const afterTheEnd = (order: OrderWire, following: Following): Stage | undefined => {
  const { payment, invoice } = statesOf(order);
  if (payment === 'refunded') return 'refunded';
  if (payment === 'refundavailable') return owesRefund(order, following) ? 'review' : 'paid';
  if (payment === 'canceled' && wasReturned(order, following)) return 'refunded';
  if (isPart(order)) return 'underpaid';
  // A held payment is about to be released. Until then, the order keeps its stage.
  if (held.has(invoice) && payment !== 'canceled') return undefined;
  // If there is money all the same, for example because it came after the end, the gateway puts the order into review.
  return /^(?:created|canceled|paid)$/.test(payment) ? 'expired' : undefined;
};

/**
 * Returns whether a person must ask for the refund. An order paid on chain has a refund address, so the seller refunds it by itself: a person must
 * ask only if that refund is late. For any other order, a person must always ask.
 */
const owesRefund = (order: OrderWire, { payWith, now, settings }: Following): boolean =>
  payWith !== 'onchain' || (typeof order.orderExpiresAt === 'number' && now >= order.orderExpiresAt + settings.refund_days * dayMs);

/** Returns the states of order and payment and, as soon as there is any money, the sats that were counted. */
export const rawStatusOf = (order: OrderWire): string => {
  const { order: state, payment, invoice } = statesOf(order);
  const words = [
    state,
    payment,
    ...(invoice === '' ? [] : [`invoice ${invoice}`]),
    ...(order.channel?.state === undefined ? [] : [`channel ${order.channel.state}`]),
  ];
  if (!hasMoney(order)) return words.join('/');
  return `${words.join('/')}, paid ${order.payment?.paidSat ?? 0n}, confirmed ${confirmedOf(order)} of ${order.feeSat ?? '?'}`;
};
