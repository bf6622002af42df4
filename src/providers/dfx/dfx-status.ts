/** What DFX's transactions say about an order. Pure. */
import { defined } from '../../domain/defined.ts';
import { decimalTimesCeil, decimalTimesFloor, satsPerBtc, type Decimal } from '../../domain/money.ts';
import type { Facts } from '../../domain/offer.ts';
import type { Stage } from '../../domain/order.ts';
import type { ExchangeRamp } from '../../domain/ramp.ts';
import { paymentDueBy } from '../../domain/record.ts';
import type { FollowedOrder, OrderEvidence } from '../spec.ts';
import { roundToStep } from './dfx-step.ts';
import type { TransactionReply } from './dfx-order-wire.ts';

/** Returns whether the payment has arrived: the row then names a transaction, not only an order. */
const hasPayment = ({ uid, orderUid }: TransactionReply): boolean => uid.startsWith('T') || orderUid !== undefined;
/** Returns whether the row is an order whose payment DFX still waits for. */
export const isOpenOrder = (row: TransactionReply): boolean => !hasPayment(row) && unpaid.has(row.state);

const unpaid = new Set(['WaitingForPayment', 'Created']);
/** `KycRequired` and `LimitExceeded` wait for the customer. `CheckPending` may, too: callers without a login get it instead of `KycRequired`. */
const holding = ['CheckPending', 'KycRequired', 'LimitExceeded'];
const working = new Set(['Processing', 'LiquidityPending', 'PriceUndeterminable', 'FeeTooHigh', 'ReturnPending', ...holding]);
/** A person must look: DFX does not know whose money it is, or has stopped the payout. */
const unclear = new Set(['Stopped', 'Unassigned']);

/** Returns the stage, or undefined for a state that is unknown to us. */
export const stageOf = (row: TransactionReply, ramp: ExchangeRamp): Stage | undefined => {
  const { state } = row;
  if (unpaid.has(state)) return hasPayment(row) ? 'paid' : 'awaiting_payment';
  if (working.has(state)) return 'paid';
  if (state === 'PayoutInProgress') return ramp === 'sell' ? 'filled' : 'paid';
  // An order that has just been matched also reads Completed, until its transaction is in the books.
  if (state === 'Completed') return row.id !== undefined || row.outputDate !== undefined ? 'finished' : 'paid';
  if (state === 'Returned') return 'refunded';
  if (state === 'Failed') return row.chargebackTxId === undefined ? 'failed' : 'refunded';
  return unclear.has(state) ? 'review' : undefined;
};

const fiat = (amount: Decimal): bigint => decimalTimesCeil(amount, 100n);
const sats = (amount: Decimal): bigint => decimalTimesFloor(amount, satsPerBtc);

/** DFX shows sats rounded to five digits. Returns the ordered amount if it rounds to what is shown, and otherwise what is shown. */
const told = (shown: bigint, ordered: bigint): bigint => (roundToStep(ordered) === shown ? ordered : shown);

type Ordered = Pick<FollowedOrder, 'pay' | 'receive'>;
const amountsIn = (row: TransactionReply, ramp: ExchangeRamp, ordered: Ordered): { pay?: bigint; receive?: bigint } => {
  const { inputAmount: input, outputAmount: output } = row;
  const paid = input && (ramp === 'buy' ? fiat(input) : told(sats(input), ordered.pay));
  // A refund's amount is what went back, in the unit in which the customer paid.
  if (stageOf(row, ramp) === 'refunded') {
    const back = row.chargebackAmount;
    return defined({ pay: back && (ramp === 'buy' ? decimalTimesFloor(back, 100n) : told(sats(back), ordered.pay)) });
  }
  // Until the payout, the output is an estimate at the current price.
  const isDone = stageOf(row, ramp) === 'finished';
  const received = isDone && output ? (ramp === 'buy' ? told(sats(output), ordered.receive) : decimalTimesFloor(output, 100n)) : undefined;
  return defined({ pay: paid, receive: received });
};

/** Returns what shows that the sats of a purchase were sent: the hash of the Lightning payment, and the time. */
const payoutIn = ({ outputTxId, outputDate }: TransactionReply, stage: Stage | undefined, ramp: ExchangeRamp): Facts =>
  ramp === 'sell' || stage !== 'finished'
    ? {}
    : defined({ payout_id: outputTxId, payout_on: outputDate === undefined ? undefined : new Date(outputDate).toISOString() });

/** Returns whether a row can only mean that money has arrived. */
const showsMoney = (row: TransactionReply, stage: Stage | undefined): boolean => hasPayment(row) || stage === 'review';

/** Returns what a row says about the order that it belongs to. */
export const evidenceOf = (row: TransactionReply, ramp: ExchangeRamp, order: Ordered & Pick<FollowedOrder, 'upstreamOrderId'>): OrderEvidence => {
  const stage = stageOf(row, ramp);
  const facts: Facts = { ...payoutIn(row, stage, ramp), ...(row.uid.startsWith('T') ? { transaction_id: row.uid } : {}) };
  const currency = ramp === 'buy' ? row.inputAsset : row.outputAsset;
  return {
    rawStatus: row.state,
    ...amountsIn(row, ramp, order),
    ...defined({ upstreamOrderId: order.upstreamOrderId, stage }),
    ...(Object.keys(facts).length === 0 ? {} : { facts }),
    ...(showsMoney(row, stage) ? { moneySeen: true as const } : {}),
    ...(currency === undefined ? {} : { echo: { currency } }),
  };
};

type Looked = Ordered &
  Pick<FollowedOrder, 'upstreamOrderId' | 'idempotencyKey' | 'createdOn' | 'expiresOn' | 'amountAgainOn'> &
  Partial<Pick<FollowedOrder, 'facts'>> & { /** Ids of other orders, and of their payments (FollowedOrder.ofOthers). */ others?: readonly string[] };
/** Returns whether the coin is, or may be, bitcoin over Lightning: DFX does not always state the coin and its blockchain. */
const isLightning = (row: TransactionReply, ramp: ExchangeRamp): boolean => {
  const [asset, chain] = ramp === 'buy' ? [row.outputAsset, row.outputBlockchain] : [row.inputAsset, row.inputBlockchain];
  return (asset === undefined || asset === 'BTC') && (chain === undefined || chain === 'Lightning');
};
/** What DFX calls the two directions. */
export const words = { buy: 'Buy', sell: 'Sell' } as const;
/** How far DFX's clock may differ from ours. */
const slackMs = 600_000;

/**
 * Returns whether a payment is dated early enough to be this order's. A bank transfer may come at any time. A sale's invoice cannot be paid once it
 * has expired, but DFX may book a payment late. So a late payment still counts, unless DFX has linked it to another order, or the customer had sold
 * the same amount again before the date of the payment.
 */
const isInTime = ({ date = 0, orderUid }: TransactionReply, ramp: ExchangeRamp, { expiresOn, amountAgainOn }: Looked): boolean => {
  const dueBy = paymentDueBy({ ramp, expiresOn, network: 'lightning' });
  if (ramp === 'buy' || dueBy === undefined || date <= dueBy + slackMs) return true;
  return orderUid === undefined && (amountAgainOn === undefined || date < amountAgainOn - slackMs);
};

/** Returns the payments that arrived since the order was placed. Leaves out those that are certainly not about bitcoin over Lightning. */
const paymentsSince = (rows: readonly TransactionReply[], ramp: ExchangeRamp, { createdOn }: Pick<FollowedOrder, 'createdOn'>): TransactionReply[] =>
  rows.filter((row) => row.type === words[ramp] && row.uid.startsWith('T') && (row.date ?? 0) >= createdOn - slackMs && isLightning(row, ramp));

/**
 * Returns the ids of the payments that `unlinked` considers, and of the orders that DFX linked to them. Such an id may belong to another of our
 * orders.
 */
export const idsToExplain = (...given: Parameters<typeof paymentsSince>): string[] =>
  paymentsSince(...given).flatMap(({ uid, orderUid }) => [uid, ...(orderUid === undefined ? [] : [orderUid])]);

/**
 * Searches for a payment that DFX booked without the order. There are two kinds:
 *
 * - DFX linked it to a twin. A request that was sent again after a lost answer made a second order, and DFX links a payment to the newest order,
 *   which may be the one whose answer was lost. Both orders have our id of the attempt, and DFX shows that id to the account's owner. So a sale
 *   without our id was most likely made in DFX's own app. But if our request was sent more than once and the amount is exactly the order's, the sale
 *   may be a twin: a person must decide, and nothing shows yet that our order was paid.
 * - DFX linked it to no order, because it came more than 7 days after its order or is more than 1 % off. All orders of a customer have the same
 *   reference, so only date and amount tell them apart. The payment counts as this order's if its amount is near no other open order's.
 *
 * DFX lists what the account did with every coin, but only bitcoin over Lightning counts. A sale must be paid exactly, because its invoice names the
 * amount. A payment that belongs to another order (`others`) does not count, and a late one may not (isInTime). Returns undefined if there is no
 * payment; if there are several, a person must decide.
 */
export const unlinked = (rows: readonly TransactionReply[], ramp: ExchangeRamp, order: Looked, withinBps: number): OrderEvidence | undefined => {
  const amountOf = ({ inputAmount: input }: TransactionReply): bigint => (input === undefined ? 0n : ramp === 'buy' ? fiat(input) : sats(input));
  const isNear = (one: bigint, other: bigint): boolean => {
    const gap = one < other ? other - one : one - other;
    return gap * 10_000n <= (one > other ? one : other) * BigInt(withinBps);
  };
  const isOurs = (amount: bigint): boolean => (ramp === 'buy' ? isNear(amount, order.pay) : amount === order.pay || amount === roundToStep(order.pay));
  const isExplained = (uid: string | undefined): boolean => uid !== undefined && order.others?.includes(uid) === true;
  const payments = paymentsSince(rows, ramp, order).filter((row) => !isExplained(row.uid) && !isExplained(row.orderUid));
  const unclear = { ...defined({ upstreamOrderId: order.upstreamOrderId }), stage: 'review', rawStatus: 'payments without an order' } as const;
  const review = { ...unclear, moneySeen: true } as const;
  const twins = payments.filter((row) => row.orderUid !== undefined && isSentBy(order, row));
  if (twins[0]) return twins.length === 1 ? evidenceOf(twins[0], ramp, order) : review;
  const perhaps = payments.filter(
    (row) => isOurs(amountOf(row)) && isInTime(row, ramp, order) && (row.orderUid === undefined || isPerhapsTwin(order, row, ramp)),
  );
  const [only, ...more] = perhaps;
  if (only === undefined) return undefined;
  if (perhaps.every(({ orderUid }) => orderUid !== undefined)) return unclear;
  const rivals = rows.filter((row) => row.type === words[ramp] && isOpenOrder(row) && row.uid !== order.upstreamOrderId);
  const isClear = more.length === 0 && rivals.every((rival) => !isNear(amountOf(rival), amountOf(only)));
  return isClear ? { ...evidenceOf(only, ramp, order), guessed: true } : review;
};

/** Returns whether the order that DFX linked to the payment was made by the same order attempt as ours. */
const isSentBy = ({ idempotencyKey: id }: Looked, { externalTransactionId }: TransactionReply): boolean => id !== undefined && externalTransactionId === id;

/**
 * Returns whether a request of ours may have made the order that DFX linked to the payment, although DFX shows no id of ours: only a request that was
 * sent again makes two orders. Of two orders to buy, DFX links the payment to the confirmed one, whose answer we got. Sales are not confirmed.
 */
const isPerhapsTwin = ({ facts }: Looked, { externalTransactionId }: TransactionReply, ramp: ExchangeRamp): boolean =>
  ramp === 'sell' && facts?.sent_again === true && externalTransactionId === undefined;
