/**
 * The life of one order, as its provider reports it. An order's stage only rises in rank. A report of a lower rank is stored but does not move the
 * order; a report that cannot be true puts the order into `review`. An order attempt has a life of its own: settle-placing.ts.
 */
import { judgeFill } from './judge-fill.ts';
import { judgeOrder, type Bounds } from './judge-order.ts';
import { isSafe } from './money.ts';
import type { IntentState, OrderStatus, Stage } from './order.ts';
import { namesDiffer } from './option-name.ts';
import { isWithdrawn, type Ramp } from './ramp.ts';

type Ranked = Exclude<Stage, 'review'>;

const ranks: Record<Ranked, number> = { awaiting_payment: 0, underpaid: 1, expired: 2, failed: 3, paid: 4, filled: 5, finished: 6, refunded: 7 };

/** The parts of an order that its next stage depends on. */
export type OrderNow = {
  stage: Stage;
  /** While in review: the last stage before the review. If it is unknown, no read can agree with it, so only the operator ends the review. */
  before?: Stage;
  ramp?: Ramp;
  /** Until it is paid, the amounts of a binding order may not change. Those of an estimate may, within what the customer accepted. */
  binding: boolean;
  pay: bigint;
  receive: bigint;
  /** The accepted figures and the customer's own limits, which amounts are compared with. If absent, they are compared with the order's figures. */
  accepted?: { pay: bigint; receive: bigint; bounds: Bounds };
  /** What was ordered, as the provider named it. */
  currency?: string;
  option?: string;
  expiresOn?: number;
  /** The figures that the operator has seen in a review and accepted. */
  reviewed?: { pay: bigint; receive: bigint };
  /** The state of the order's attempt. With `unpayable`, `dead` and `moved`, the customer was never shown how to pay. */
  placing?: IntentState;
};

/** What one read of the provider reported. `stage` is absent if we do not know the provider's status. */
export type Evidence = { stage?: Stage; rawStatus: string; pay?: bigint; receive?: bigint; fee?: bigint; echo?: { currency?: string; option?: string } };

/** Drops amounts of 0 while the order is unfinished, since 0 then means that the amount is not known yet. */
export const withoutUntold = <E extends Evidence>({ pay, receive, ...evidence }: E): Omit<E, 'pay' | 'receive'> & Pick<Evidence, 'pay' | 'receive'> => {
  const isDone = delivered.has(evidence.stage) || evidence.stage === 'refunded';
  const isTold = (amount: bigint | undefined): amount is bigint => amount !== undefined && (amount !== 0n || isDone);
  return { ...evidence, ...(isTold(pay) ? { pay } : {}), ...(isTold(receive) ? { receive } : {}) };
};

export type AdvanceKind = 'advanced' | 'same' | 'stale' | 'contradiction' | 'unknown';
export type Advance = { next: Stage; kind: AdvanceKind; note?: string };

/**
 * Decides the next stage. `unknown`: the provider's status is not known, so the order stays pending and a warning is logged. `stale`: the report
 * has a lower rank, so nothing changes and the operator is alerted. `contradiction`: the order goes to review. A read ends a review if it
 * contradicts nothing and its stage ranks at least as high as the stage before the review.
 */
export const advance = (order: OrderNow, said: Evidence, now: number): Advance => {
  const evidence = withoutUntold(said);
  const contradiction = contradictionIn(order, evidence);
  if (contradiction) return { next: 'review', kind: 'contradiction', note: contradiction };
  if (evidence.stage === undefined) return { next: byTheClock(order, now), kind: 'unknown', note: `unknown status "${evidence.rawStatus}"` };
  if (evidence.stage === 'review')
    return { next: 'review', kind: order.stage === 'review' ? 'same' : 'advanced', note: `the status "${evidence.rawStatus}" needs a review` };
  const told = lapsed(evidence.stage, order.expiresOn, now) ? 'expired' : evidence.stage;
  const reached = reachedBy(order);
  if (reached === undefined) return { next: 'review', kind: 'same', note: 'only the operator can end the review: the stage before it is unknown' };
  if (ranks[told] < ranks[reached]) return { next: order.stage, kind: 'stale', note: `${reached}, then back to ${told}` };
  if (told === order.stage) return { next: order.stage, kind: 'same' };
  if (order.stage === 'review') return { next: told, kind: 'advanced', note: 'a read agreed and ended the review' };
  return { next: told, kind: 'advanced', ...(told === evidence.stage ? {} : { note: 'expired by the clock' }) };
};

/** Whether an unpaid order has passed its expiry. A later report from the provider still moves it on. */
export const lapsed = (stage: Stage, expiresOn: number | undefined, now: number): boolean =>
  stage === 'awaiting_payment' && expiresOn !== undefined && now >= expiresOn;

/** Returns the stage by the clock alone: an unpaid order expires whatever its provider reports, and even if it reports nothing. */
export const byTheClock = ({ stage, expiresOn }: Pick<OrderNow, 'stage' | 'expiresOn'>, now: number): Stage =>
  lapsed(stage, expiresOn, now) ? 'expired' : stage;

const reachedBy = (order: OrderNow): Ranked | undefined => {
  const stage = order.stage === 'review' ? order.before : order.stage;
  return stage === 'review' ? undefined : stage;
};

const moneyMoved: ReadonlySet<Stage | undefined> = new Set<Stage>(['underpaid', 'paid', 'filled', 'finished', 'refunded']);
const withheld: ReadonlySet<IntentState> = new Set<IntentState>(['unpayable', 'dead', 'moved']);
const delivered: ReadonlySet<Stage | undefined> = new Set<Stage>(['filled', 'finished']);

const contradictionIn = (order: OrderNow, { stage, pay, receive, fee, echo }: Evidence): string | undefined => {
  if (order.placing !== undefined && withheld.has(order.placing) && moneyMoved.has(stage)) return `${order.placing}, yet the provider reports ${stage ?? ''}`;
  if (reachedBy(order) === 'refunded' && delivered.has(stage)) return `refunded, then ${stage ?? ''}`;
  if (order.reviewed && (pay ?? order.reviewed.pay) === order.reviewed.pay && (receive ?? order.reviewed.receive) === order.reviewed.receive) return undefined;
  if (namesDiffer(echo?.currency, order.currency)) return 'the currency is not the one that was ordered';
  if (namesDiffer(echo?.option, order.option)) return 'the payment option is not the one that was ordered';
  if ([pay, receive, fee].some((amount) => amount !== undefined && (amount < 0n || !isSafe(amount)))) return 'an amount is negative or impossibly large';
  // On a sale the customer pays in sats and the fee is in fiat, so the two cannot be compared.
  const paid = pay ?? order.pay;
  if (fee !== undefined && order.ramp !== 'sell' && paid > 0n && fee > paid) return 'the fee is higher than the amount to pay';
  // After a refund, the reported amounts are those that went back, not those that were ordered.
  if (stage === 'refunded') return undefined;
  // Once the order is paid, whatever was delivered is handed out. If it is too little, the customer and the operator are told (judge-fill.ts).
  if (wasPaid(stage) || wasPaid(reachedBy(order))) return receive === 0n && order.receive > 0n ? 'an amount of 0 was delivered' : overcharged(order, pay);
  if (!order.binding) return worsened(order, pay, receive);
  const { accepted = order } = order;
  if (pay !== undefined && pay !== accepted.pay) return 'the amount to pay changed';
  return receive !== undefined && receive !== accepted.receive ? 'the amount to receive changed' : undefined;
};

const wasPaid = (stage: Stage | undefined): boolean => stage === 'paid' || delivered.has(stage);

const overcharged = (order: OrderNow, pay: bigint | undefined): string | undefined => {
  const { pay: ordered, receive, bounds } = order.accepted ?? { ...order, bounds: { slippageBps: 0 } };
  const judged = pay === undefined ? undefined : judgeFill({ pay: ordered, receive, binding: order.binding, bounds }, { pay, receive });
  return judged === 'overcharged' ? 'more was charged than was ordered' : undefined;
};

/** Judges changed figures of an estimate as its order was judged: by the slippage and the customer's limits. */
const worsened = ({ ramp = 'buy', accepted, ...order }: OrderNow, pay = order.pay, receive = order.receive): string | undefined => {
  if (!accepted || (pay === order.pay && receive === order.receive)) return undefined;
  const { bounds } = accepted;
  if (pay * 10_000n > accepted.pay * BigInt(10_000 + bounds.slippageBps)) return 'the amount to pay rose above what was accepted';
  const judged = judgeOrder({ ramp, pay: accepted.pay, receive: accepted.receive, binding: false }, { pay, receive }, bounds);
  return judged === 'as-accepted' ? undefined : 'the estimate became worse than what was accepted';
};

/**
 * Returns the latest time at which we let an order be paid, whatever expiry its provider states: some state the year 9999, some none at all. It is
 * halfway through the time for which we follow the order. In the second half we still look for money that was sent at the last moment.
 */
export const lastPaymentOn = (createdOn: number, followUntil: number): number => createdOn + Math.floor((followUntil - createdOn) / 2);

/**
 * Whether nothing more will happen to an order. `awaiting_payment`, `underpaid`, `expired` and `failed` become final when we stop following the
 * order at `followUntil`; so does `filled`, except for a buy. We never stop following `paid`, `review`, and fills that fell short (`disputed`).
 */
export const isFinal = (stage: Stage, now: number, followUntil: number, ramp: Ramp = 'buy', disputed = false): boolean => {
  switch (stage) {
    case 'finished':
      return !disputed;
    case 'refunded':
      return true;
    case 'awaiting_payment':
    case 'underpaid':
    case 'expired':
    case 'failed':
      return now >= followUntil;
    case 'filled':
      // Bought sats wait for their owner for ever. For euros on their way and links to redeem, some providers never report another status.
      return !disputed && !isWithdrawn[ramp] && now >= followUntil;
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
/** If money takes longer than this to arrive, we do not poll every ten seconds for it. */
const slowArrivalSeconds = 3_600;

/**
 * Returns how long to wait before polling an order again: a tenth of the time for which it has been in its stage, between a floor and a ceiling,
 * ±20 %. `random` is in [0, 1). Whatever this returns, an unpaid order expires at `expiresOn`.
 */
export const refreshDelayMs = (order: { stage: Stage; stageOn: number; arrivalSeconds?: number }, now: number, random: number): number => {
  const rests = order.stage === 'underpaid' || order.stage === 'expired' || order.stage === 'failed';
  const slow = order.stage === 'awaiting_payment' && (order.arrivalSeconds ?? 0) >= slowArrivalSeconds;
  const floor = rests || slow || order.stage === 'review' ? 5 * minute : 10 * second;
  const ceiling = rests ? 6 * hour : hour;
  const lasted = Math.max(0, now - order.stageOn);
  return jittered(Math.min(ceiling, Math.max(floor, lasted / 10)), random);
};

/** Varies a delay by ±20 %, in whole milliseconds. `random` is in [0, 1). */
export const jittered = (delayMs: number, random: number): number => Math.round(delayMs * (0.8 + 0.4 * random));
