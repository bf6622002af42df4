/**
 * Decides the life of one order from what its provider says. Every stage except `review` has a rank, and no report lowers an order's rank. Stages
 * with money rank above stages without, so a payment that is reported after `expired` or `failed` moves the order on. A failure or an expiry that is
 * reported after a payment usually puts the order into `review`, because the provider then owes money. So does a report that cannot be true.
 * docs/decisions/2026-11-29-paid-then-failed.md lists every pair of stages with the reason. The life of an order attempt is decided in
 * settle-placing.ts.
 */
import { judgeOrder, type Bounds } from './judge-order.ts';
import { isSafe } from './money.ts';
import type { IntentState, OrderStatus, ReviewReason, Stage } from './order.ts';
import { namesDiffer } from './option-name.ts';
import { statusWord } from './printable.ts';
import { isWithdrawn, type Ramp } from './ramp.ts';
import { paymentDueBy, usualArrivalSeconds } from './record.ts';

type Ranked = Exclude<Stage, 'review'>;

const ranks: Record<Ranked, number> = { awaiting_payment: 0, expired: 1, failed: 2, underpaid: 3, paid: 4, filled: 5, finished: 6, refunded: 7 };

/**
 * Returns how far a stage is on the way to the delivery, for comparisons only. Undefined if the stage is not on that way: something went wrong, money
 * went back, or the status word is unknown.
 */
export const progressOf = (stage: Stage | undefined): number | undefined => (stage !== undefined && onTheWay.has(stage) ? ranks[stage as Ranked] : undefined);
const onTheWay: ReadonlySet<Stage> = new Set<Stage>(['awaiting_payment', 'underpaid', 'paid', 'filled', 'finished']);

/** The parts of an order that its next stage depends on. */
export type OrderNow = {
  stage: Stage;
  /** While in review: the last stage before the review. If it is unknown, no read can agree with it, so only the operator ends the review. */
  before?: Stage;
  ramp?: Ramp;
  /** The amounts of a binding order may not change before it is paid. Those of an estimate may, within what the customer accepted. */
  binding: boolean;
  pay: bigint;
  receive: bigint;
  /**
   * The amounts that the customer accepted, and their own limits. Reported amounts are compared with these. If absent, they are compared with the
   * order's own amounts, except that the amounts of an unpaid estimate are then not compared at all.
   */
  accepted?: { pay: bigint; receive: bigint; bounds: Bounds };
  /** What was ordered, as the provider named it. */
  currency?: string;
  option?: string;
  expiresOn?: number;
  /** The amounts and the status word that the provider had reported when the operator ended a review of the order. */
  reviewed?: { pay: bigint; receive: bigint; rawStatus?: string };
  /** An earlier read that left the order in review reported that money arrived. */
  moneySeen?: boolean;
  /** The order was reported as refunded before any payment for it was seen. */
  refundUnseen?: boolean;
  /** The last read said that a payment is, or may be, on its way. */
  arriving?: boolean;
  /** The state of the order's attempt. With `unpayable`, `dead` and `moved`, the customer was never shown how to pay. */
  placing?: IntentState;
};

/** What one read of the provider reported. `stage` is absent if the provider's status word is unknown to us. */
export type Evidence = {
  stage?: Stage;
  rawStatus: string;
  pay?: bigint;
  receive?: bigint;
  fee?: bigint;
  echo?: { currency?: string; option?: string };
  /**
   * Set if the report shows that money arrived, although its stage does not: for example, a failure that only a paid order can have, or that is
   * reported together with a payment.
   */
  moneySeen?: boolean;
  /**
   * Set if a payment was made in time and has not arrived yet: for example, as a transaction without confirmations. Also set if a payment may be on
   * its way, and the provider shows only confirmed transactions.
   */
  arriving?: boolean;
};

/** Drops amounts of 0 that mean "not known": `pay` unless the order is delivered, and `receive` unless it is delivered or refunded. */
export const withoutUntold = <E extends Evidence>({ pay, receive, ...evidence }: E): Omit<E, 'pay' | 'receive'> & Pick<Evidence, 'pay' | 'receive'> => {
  const isDelivery = delivered.has(evidence.stage);
  const isTold = (amount: bigint | undefined, isDone: boolean): amount is bigint => amount !== undefined && (amount !== 0n || isDone);
  return {
    ...evidence,
    ...(isTold(pay, isDelivery) ? { pay } : {}),
    ...(isTold(receive, isDelivery || evidence.stage === 'refunded') ? { receive } : {}),
  };
};

export type AdvanceKind = 'advanced' | 'same' | 'stale' | 'contradiction' | 'undelivered' | 'unknown';
export type Advance = { next: Stage; kind: AdvanceKind; note?: string; reason?: ReviewReason };

/**
 * Returns the next stage, and what kind of step leads to it. `unknown` (the status word is unknown to us) and `stale` (the report names an earlier
 * stage) keep the stage. But even when the kind is `unknown`, an unpaid order may become `expired` or `paid`. `contradiction` and `undelivered` lead
 * to review. follow-orders.ts logs these four kinds. Usually, a read ends a review if it contradicts nothing and its stage ranks at least as high as
 * the stage before the review.
 */
export const advance = (order: OrderNow, said: Evidence, now: number): Advance => {
  const evidence = withoutUntold(said);
  const contradiction = contradictionIn(order, evidence);
  if (contradiction) return { next: 'review', kind: 'contradiction', note: contradiction, reason: 'contradiction' };
  if (evidence.stage === undefined) return byUnknownWord(order, evidence, now);
  const settled = settledByOperator(order, evidence);
  if (settled) return { next: settled, kind: order.stage === 'review' ? 'advanced' : 'same', note: 'the operator named this stage' };
  const inReview = order.stage === 'review';
  if (evidence.stage === 'review') {
    const note = `the status "${statusWord(evidence.rawStatus)}" needs a review`;
    return { next: 'review', kind: inReview ? 'same' : 'advanced', note, reason: evidence.moneySeen === true ? 'paid-not-delivered' : 'unclear' };
  }
  const reached = reachedBy(order);
  if (reached === undefined) return { next: 'review', kind: 'same', note: 'only the operator can end the review: the stage before it is unknown' };
  const told = lapsed(evidence.stage, lastArrival(order.expiresOn, evidence), now) ? 'expired' : evidence.stage;
  const undelivered = undeliveredBy(order, reached, evidence, now);
  if (undelivered) return { next: 'review', kind: inReview ? 'same' : 'undelivered', note: undelivered, reason: 'paid-not-delivered' };
  if (ranks[told] < ranks[reached]) return { next: order.stage, kind: 'stale', note: `${reached}, then back to ${told}` };
  if (told === order.stage) return { next: order.stage, kind: 'same' };
  if (inReview) return { next: told, kind: 'advanced', note: "the provider's latest answer fits what was known, so the review ended" };
  return { next: told, kind: 'advanced', ...(told === evidence.stage ? {} : { note: 'expired by the clock' }) };
};

/**
 * Decides about a status word that is unknown to us. The stage stays as it is, except that an unpaid order may expire by the clock. It expires a day
 * later if the same report says that a payment is, or may be, on its way, because the unknown word may mean exactly that. If the report shows money
 * that was not known before, an order that awaits its payment counts as paid, so that nobody pays it again. An order that had ended unpaid, or was in
 * review, needs a person who finds out what the word means.
 */
const byUnknownWord = (order: OrderNow, evidence: Evidence, now: number): Advance => {
  const word = `unknown status "${statusWord(evidence.rawStatus)}"`;
  const next = byTheClock({ ...order, arriving: evidence.arriving === true }, now);
  const reached = reachedBy(order);
  const isNews = evidence.moneySeen === true && reached !== undefined && ranks[reached] < ranks.underpaid && !isJudged(order, evidence);
  if (!isNews) return { next, kind: 'unknown', note: word };
  if (next === 'awaiting_payment') return { next: 'paid', kind: 'unknown', note: `${word}, with a payment` };
  return { next: 'review', kind: order.stage === 'review' ? 'same' : 'undelivered', note: `paid, then an ${word}`, reason: 'paid-not-delivered' };
};

/**
 * Returns why the provider owes money, or undefined if its own reports do not show that it does. It owes money that arrived and was neither delivered
 * nor refunded, or whose delivery is reported as failed. A report of "unpaid" after a payment counts only once the order has expired, because the
 * provider may only be slow; after a delivery it is ignored. If only a part of the money has arrived, the rest may arrive up to an hour after the
 * order has expired.
 */
const undeliveredBy = (order: OrderNow, reached: Ranked, { stage, moneySeen }: Evidence, now: number): string | undefined => {
  if (reached === 'refunded') return undefined;
  const unpaid = moneySeen === true ? 'paid' : undefined;
  const since = ranks[reached] < ranks.underpaid ? unpaid : reached;
  const ended = stage === 'failed' || (stage === 'expired' && since !== 'finished');
  if (since !== undefined && ended) return `${since}, then ${stage}`;
  const isOwed = since === 'underpaid' || since === 'paid';
  if (isOwed && stage === 'awaiting_payment' && lapsed(stage, order.expiresOn, now)) return `${since}, but reported as unpaid after the order expired`;
  const isOver = order.expiresOn !== undefined && now >= order.expiresOn + partGraceMs;
  return stage === 'underpaid' && ranks[reached] <= ranks.underpaid && isOver
    ? 'an hour after the order expired, only a part of the money had arrived'
    : undefined;
};
const partGraceMs = 3_600_000;

const ends: ReadonlySet<Stage | undefined> = new Set<Stage>(['failed', 'expired', 'finished', 'refunded']);
/**
 * Returns the final stage that the operator named when they ended the review, if the provider still reports the same status word and amounts, and
 * that word means a failure, an expiry or a review. `filled` stands as well, but only if the report needs a review: for example, because a part of it
 * cannot be read. Otherwise the review would begin again, and the customer would not see what redeems the order.
 */
const settledByOperator = (order: OrderNow, evidence: Evidence): Ranked | undefined => {
  const { stage } = evidence;
  const says = stage === 'failed' || stage === 'expired' || stage === 'review';
  const reached = isJudged(order, evidence) ? settledStage(order) : undefined;
  return says && (ends.has(reached) || (reached === 'filled' && stage === 'review')) ? reached : undefined;
};

/** Returns whether a report has the amounts that an operator has judged. An amount that the report does not state counts as the same. */
const isAsReviewed = ({ reviewed }: OrderNow, { pay = reviewed?.pay, receive = reviewed?.receive }: Evidence): boolean =>
  reviewed !== undefined && pay === reviewed.pay && receive === reviewed.receive;
/**
 * Returns whether a report says what an operator has judged: the same status word and the same amounts. The word alone is not enough, because it may
 * also report new money.
 */
const isJudged = (order: OrderNow, evidence: Evidence): boolean => order.reviewed?.rawStatus === evidence.rawStatus && isAsReviewed(order, evidence);

/** Returns whether an unpaid order has passed its expiry. A later report from the provider still moves the order on. */
export const lapsed = (stage: Stage, expiresOn: number | undefined, now: number): boolean =>
  stage === 'awaiting_payment' && expiresOn !== undefined && now >= expiresOn;

/**
 * Returns when an unpaid order expires by the clock. If a payment is on its way, that is a day after the order's own expiry, because a customer who
 * was told that the order expired unpaid would pay for another order.
 */
const lastArrival = (expiresOn: number | undefined, { arriving }: { arriving?: boolean | undefined }): number | undefined =>
  expiresOn === undefined || arriving !== true ? expiresOn : expiresOn + dayMs;
const dayMs = 86_400_000;

/**
 * Returns whether a payment for the order is, or may still be, on its way. The order's expiry does not stop a bank transfer: money that was sent a
 * minute before may come days later. Until it arrives, the provider may book it to another order of nearly the same amount.
 */
export const mayBePaid = (
  order: { ramp: Ramp; stage: Stage; expiresOn?: number | undefined; arriving?: boolean | undefined; arrivalSeconds?: number | undefined; network?: Network },
  now: number,
): boolean => {
  const { stage, arriving } = order;
  if (stage === 'underpaid' || (stage === 'awaiting_payment' && arriving === true)) return true;
  const dueBy = paymentDueBy(order);
  if (dueBy === undefined) return stage === 'awaiting_payment';
  return (stage === 'awaiting_payment' || stage === 'expired' || stage === 'review') && now < dueBy;
};
type Network = 'lightning' | 'onchain' | undefined;

/** The stages in which a payment may be on its way (mayBePaid), or has arrived while the order is not yet delivered. */
export const arrivingStages: readonly Stage[] = ['awaiting_payment', 'underpaid', 'expired', 'review', 'paid'];

/** When a payment is matched to a sale by its amount and the provider's date for it, the provider's clock may differ from ours by this much. */
export const matchSlackMs = 15 * 60_000;

/**
 * Returns whether a sale whose payment is known only by its amount still needs that amount for itself, so that no new sale may have it. This sale
 * takes payments dated up to `matchSlackMs` after it can last be paid. A new sale takes payments dated from `matchSlackMs` before it is ordered. The
 * two periods must not overlap.
 */
export const holdsAmount = (order: Parameters<typeof mayBePaid>[0], now: number): boolean => mayBePaid(order, now - 2 * matchSlackMs);

/** How long after its expiry an unpaid sale holds its amount (holdsAmount). */
export const holdMs = (network: Network): number => (paymentDueBy({ ramp: 'sell', expiresOn: 0, network }) ?? 0) + 2 * matchSlackMs;

/**
 * A sale holds its amount for at most this long after its expiry. Only a sale that awaits its payment, or is paid in part, may hold it for longer.
 * The store uses this to skip a customer's many older sales.
 */
export const longestHoldMs = holdMs('onchain');

/**
 * Returns when to poll an order next: at `on`, or as soon as an unpaid order expires, so that it counts as open no longer than it can be paid. If a
 * payment may be on its way, the order is polled at its own expiry, and again when it expires by the clock.
 */
export const noLaterThanExpiry = ({ stage, expiresOn, arriving }: Pick<OrderNow, 'stage' | 'expiresOn' | 'arriving'>, now: number, on: number): number => {
  if (stage !== 'awaiting_payment') return on;
  const end = [expiresOn, lastArrival(expiresOn, { arriving })].find((one) => one !== undefined && one > now);
  return end === undefined ? on : Math.min(on, end);
};

/** Returns the stage by the clock alone: an unpaid order expires even if its provider reports nothing. */
export const byTheClock = ({ stage, expiresOn, arriving }: Pick<OrderNow, 'stage' | 'expiresOn' | 'arriving'>, now: number): Stage =>
  lapsed(stage, lastArrival(expiresOn, { arriving }), now) ? 'expired' : stage;

const settledStage = (order: OrderNow): Ranked | undefined => {
  const stage = order.stage === 'review' ? order.before : order.stage;
  return stage === 'review' ? undefined : stage;
};
/**
 * Returns the stage that the order has reached, not counting a review. Once money has been seen, the stage is at least `underpaid`, so that the
 * customer is not asked to pay again.
 */
const reachedBy = (order: OrderNow): Ranked | undefined => {
  const stage = settledStage(order);
  return stage !== undefined && order.moneySeen === true && ranks[stage] < ranks.underpaid ? 'underpaid' : stage;
};

export const saysMoney = ({ stage, moneySeen }: { stage?: Stage | undefined; moneySeen?: boolean | undefined }): boolean =>
  moneySeen === true || moneyMoved.has(stage);
/** Returns whether a read says that the provider has, or had, the whole payment and has not sent it back. */
export const saysPaid = ({ stage, moneySeen }: { stage?: Stage | undefined; moneySeen?: boolean | undefined }): boolean =>
  wasPaid(stage) || (moneySeen === true && stage !== 'underpaid' && stage !== 'refunded');
export const isDelivered = (stage: Stage | undefined): boolean => delivered.has(stage);
const moneyMoved: ReadonlySet<Stage | undefined> = new Set<Stage>(['underpaid', 'paid', 'filled', 'finished', 'refunded']);
const withheld: ReadonlySet<IntentState> = new Set<IntentState>(['unpayable', 'dead', 'moved']);
const delivered: ReadonlySet<Stage | undefined> = new Set<Stage>(['filled', 'finished']);

const contradictionIn = (order: OrderNow, evidence: Evidence): string | undefined => {
  const { stage, pay, receive, fee, echo, moneySeen } = evidence;
  if (order.placing !== undefined && withheld.has(order.placing) && saysMoney({ stage, moneySeen }))
    return `the attempt ended as "${order.placing}", yet the provider reports ${stage ?? 'a payment'}`;
  // The provider says that it has money for this order: either there was no refund, or the order was paid again after it.
  if (reachedBy(order) === 'refunded' && (wasPaid(stage) || isNewMoney(order, evidence))) return `refunded, then ${stage ?? 'a payment'}`;
  if (isAsReviewed(order, evidence)) return undefined;
  if (namesDiffer(echo?.currency, order.currency)) return 'the currency is not the one that was ordered';
  const hasPaid = wasPaid(stage) || wasPaid(reachedBy(order));
  // A customer may have paid by an option other than the ordered one. Then only the amounts are judged.
  if (!hasPaid && namesDiffer(echo?.option, order.option)) return 'the payment option is not the one that was ordered';
  if ([pay, receive, fee].some((amount) => amount !== undefined && (amount < 0n || !isSafe(amount)))) return 'an amount is negative or impossibly large';
  // After a refund, the reported amounts are those that went back, not those that were ordered.
  if (stage === 'refunded') return undefined;
  // On a sale the customer pays in sats and the fee is in fiat, so the two cannot be compared. If a customer paid less than was ordered, a fixed fee
  // may exceed the payment, so the fee is compared with the ordered amount.
  const ordered = order.accepted?.pay ?? order.pay;
  const paid = hasPaid && (pay ?? 0n) < ordered ? ordered : (pay ?? order.pay);
  if (fee !== undefined && order.ramp !== 'sell' && paid > 0n && fee > paid) return 'the fee is higher than the amount to pay';
  // Once the order is paid, judge-fill.ts judges the amounts: too little delivered, or too much charged, is no contradiction here. It does not judge
  // an adopted order, because nobody knows what was agreed.
  if (hasPaid) return order.accepted ? undefined : oddlyPaid(order, pay ?? order.pay, receive ?? order.receive);
  if (!order.binding) return worsened(order, pay, receive);
  const { accepted = order } = order;
  if (pay !== undefined && pay !== accepted.pay) return 'the amount to pay changed';
  return receive !== undefined && receive !== accepted.receive ? 'the amount to receive changed' : undefined;
};

/**
 * Returns whether a report shows money although no payment had been seen before the refund, and no operator has judged that report yet. If a payment
 * had been seen, the report may mean the money that went back.
 */
const isNewMoney = (order: OrderNow, evidence: Evidence): boolean =>
  order.refundUnseen === true && evidence.stage !== 'refunded' && saysMoney(evidence) && !isJudged(order, evidence);

const wasPaid = (stage: Stage | undefined): boolean => stage === 'paid' || delivered.has(stage);

const oddlyPaid = (order: OrderNow, pay: bigint, receive: bigint): string | undefined => {
  if (receive === 0n && order.receive > 0n) return 'an amount of 0 was delivered';
  return pay > order.pay && receive * order.pay < order.receive * pay ? 'more was charged than was ordered' : undefined;
};

/** Judges the changed figures of an unpaid estimate by the slippage and the customer's limits, as the order was judged when it was made. */
const worsened = ({ ramp = 'buy', accepted, ...order }: OrderNow, pay = order.pay, receive = order.receive): string | undefined => {
  if (!accepted || (pay === order.pay && receive === order.receive)) return undefined;
  const { bounds } = accepted;
  if (pay * 10_000n > accepted.pay * BigInt(10_000 + bounds.slippageBps)) return 'the amount to pay rose above what was accepted';
  const judged = judgeOrder({ ramp, pay: accepted.pay, receive: accepted.receive, binding: false }, { pay, receive }, bounds);
  return judged === 'as-accepted' ? undefined : 'the estimate became worse than what was accepted';
};

/**
 * Returns the latest time at which we let an order be paid, whatever expiry its provider states: some providers state the year 9999, some state none
 * at all. It is halfway through the time for which we follow the order. In the second half we still look for money that was sent at the last moment.
 */
export const lastPaymentOn = (createdOn: number, followUntil: number): number => createdOn + Math.floor((followUntil - createdOn) / 2);

/**
 * Returns the time until which an unpaid order is followed. If a payment is on its way, that is at least until the order expires by the clock: the
 * read at that moment may be the first to say that a person must look.
 */
export const followedUntil = (order: { followUntil: number; expiresOn?: number | undefined; arriving: boolean }): number =>
  order.arriving ? Math.max(order.followUntil, lastArrival(order.expiresOn, order) ?? 0) : order.followUntil;

/**
 * Returns whether we stop following an order in this stage. An order that was not paid is followed until `followUntil`; after that, a genuine notice
 * still causes a read. We never stop following underpaid and paid orders, reviews, disputed fills, and bought sats that have not been withdrawn. For
 * a refund before which no payment was seen, the caller passes `failed`, because the payment may still be on its way.
 */
export const isFinal = (stage: Stage, now: number, followUntil: number, ramp: Ramp = 'buy', disputed = false): boolean => {
  switch (stage) {
    case 'finished':
      return !disputed;
    case 'refunded':
      return true;
    case 'awaiting_payment':
    case 'expired':
    case 'failed':
      return now >= followUntil;
    case 'filled':
      // Bought sats may wait for ever: for their owner, or for a payout that has not been shown yet. A sale or a liquidity order is followed only
      // until `followUntil`, because some providers report nothing more about euros that are on their way or links to redeem.
      return !disputed && !isWithdrawn[ramp] && now >= followUntil;
    case 'underpaid':
    case 'paid':
    case 'review':
      return false;
  }
};

/** Maps a stage to one of FLS01's four words. Whatever is neither delivered nor refunded is `placed`. */
export const orderStatus = (stage: Stage): OrderStatus => (stage === 'filled' || stage === 'finished' || stage === 'refunded' ? stage : 'placed');

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const week = 7 * 24 * hour;
/** If money takes this long or longer to arrive, we do not poll every ten seconds for it. */
const slowArrivalSeconds = 3_600;

/** The stages of an order for which no money has been seen. Anybody can have such orders, at no cost. */
export const unpaidStages = ['awaiting_payment', 'expired', 'failed'] as const satisfies readonly Stage[];
export const isUnpaid = (stage: Stage): boolean => (unpaidStages as readonly Stage[]).includes(stage);

/**
 * Returns how long to wait before polling an order again, ±20 %: a tenth of the time for which it has been in its stage, between a floor and a
 * ceiling. For an order that ended unpaid, once no money can be on its way any more, each wait is twice as long as the last one, up to a week: hardly
 * any such order is ever paid, and a notice or the wallet's own request still causes a read at once. `sinceReadMs`: the time from the previous read
 * to the successful poll that has just ended. It is absent after a read that failed or that a notice caused, because both are reasons to poll again
 * soon. `random` is in [0, 1).
 */
export const refreshDelayMs = (
  order: { stage: Stage; stageOn: number; arrivalSeconds?: number; sinceReadMs?: number },
  now: number,
  random: number,
): number => {
  const lasted = Math.max(0, now - order.stageOn);
  const isOver = order.stage === 'expired' || order.stage === 'failed';
  const rests = isOver || order.stage === 'underpaid';
  const slow = order.stage === 'awaiting_payment' && (order.arrivalSeconds ?? 0) >= slowArrivalSeconds;
  const floor = rests || slow || order.stage === 'review' ? 5 * minute : 10 * second;
  const ceiling = rests ? 6 * hour : hour;
  const usual = Math.min(ceiling, Math.max(floor, lasted / 10));
  const isLate = isOver && lasted >= (order.arrivalSeconds ?? usualArrivalSeconds) * second;
  const doubled = isLate ? Math.min(week, lasted, 2 * (order.sinceReadMs ?? 0)) : 0;
  return jittered(Math.max(usual, doubled), random);
};

/** Varies a delay by ±20 %, in whole milliseconds. `random` is in [0, 1). */
export const jittered = (delayMs: number, random: number): number => Math.round(delayMs * (0.8 + 0.4 * random));
