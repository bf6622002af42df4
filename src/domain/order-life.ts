/**
 * The life of one order, by what its provider says. Ranks only rise. A step back is stored but not reported; what cannot be true goes to
 * `review`. An order attempt has its own life: settle-placing.ts.
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
  /** While in review: the last stage before it. Without one no read can agree, so only the operator ends the review. */
  before?: Stage;
  ramp?: Ramp;
  /** Until it was paid, the amounts of a binding order may not change; an estimate's may, within what was accepted. */
  binding: boolean;
  pay: bigint;
  receive: bigint;
  /** What amounts are compared with: the accepted figures and the customer's own limits; without them, the order's figures. */
  accepted?: { pay: bigint; receive: bigint; bounds: Bounds };
  /** What was ordered, as the provider named it. */
  currency?: string;
  option?: string;
  expiresOn?: number;
  /** These figures the operator has seen and let the order go on with. */
  reviewed?: { pay: bigint; receive: bigint };
  /** `unpayable`, `dead` and `moved`: nobody was ever shown how to pay. */
  placing?: IntentState;
};

/** What one read said. `stage` is absent for a status that we do not know. */
export type Evidence = { stage?: Stage; rawStatus: string; pay?: bigint; receive?: bigint; fee?: bigint; echo?: { currency?: string; option?: string } };

/** An amount of 0 in an unfinished order means that it is not known yet. */
export const withoutUntold = <E extends Evidence>({ pay, receive, ...evidence }: E): Omit<E, 'pay' | 'receive'> & Pick<Evidence, 'pay' | 'receive'> => {
  const isDone = delivered.has(evidence.stage) || evidence.stage === 'refunded';
  const isTold = (amount: bigint | undefined): amount is bigint => amount !== undefined && (amount !== 0n || isDone);
  return { ...evidence, ...(isTold(pay) ? { pay } : {}), ...(isTold(receive) ? { receive } : {}) };
};

export type AdvanceKind = 'advanced' | 'same' | 'stale' | 'contradiction' | 'unknown';
export type Advance = { next: Stage; kind: AdvanceKind; note?: string };

/**
 * The next stage. `unknown` leaves the order pending and logs a warning; `stale` changes nothing and alerts; `contradiction` leads to review.
 * A read ends the review when it agrees with the stage before: it contradicts nothing and has the same rank or a higher one.
 */
export const advance = (order: OrderNow, said: Evidence, now: number): Advance => {
  const evidence = withoutUntold(said);
  const contradiction = contradictionIn(order, evidence);
  if (contradiction) return { next: 'review', kind: 'contradiction', note: contradiction };
  if (evidence.stage === undefined) return { next: byTheClock(order, now), kind: 'unknown', note: `unknown status "${evidence.rawStatus}"` };
  if (evidence.stage === 'review')
    return { next: 'review', kind: order.stage === 'review' ? 'same' : 'advanced', note: `to be looked at: "${evidence.rawStatus}"` };
  const told = lapsed(evidence.stage, order.expiresOn, now) ? 'expired' : evidence.stage;
  const reached = reachedBy(order);
  if (reached === undefined) return { next: 'review', kind: 'same', note: 'only the operator can end the review: the stage before it is unknown' };
  if (ranks[told] < ranks[reached]) return { next: order.stage, kind: 'stale', note: `${reached}, then again ${told}` };
  if (told === order.stage) return { next: order.stage, kind: 'same' };
  if (order.stage === 'review') return { next: told, kind: 'advanced', note: 'a read agreed and ended the review' };
  return { next: told, kind: 'advanced', ...(told === evidence.stage ? {} : { note: 'expired by the clock' }) };
};

/** An unpaid order whose time has passed. What the provider says later still moves it on. */
export const lapsed = (stage: Stage, expiresOn: number | undefined, now: number): boolean =>
  stage === 'awaiting_payment' && expiresOn !== undefined && now >= expiresOn;

/** The stage by the clock alone: an unpaid order lapses, whatever its provider says, and even if it says nothing. */
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
  if (order.placing !== undefined && withheld.has(order.placing) && moneyMoved.has(stage)) return `${order.placing}, yet the provider says ${stage ?? ''}`;
  if (reachedBy(order) === 'refunded' && delivered.has(stage)) return `refunded, then ${stage ?? ''}`;
  if (order.reviewed && (pay ?? order.reviewed.pay) === order.reviewed.pay && (receive ?? order.reviewed.receive) === order.reviewed.receive) return undefined;
  if (namesDiffer(echo?.currency, order.currency)) return 'another currency than ordered';
  if (namesDiffer(echo?.option, order.option)) return 'another payment option than ordered';
  if ([pay, receive, fee].some((amount) => amount !== undefined && (amount < 0n || !isSafe(amount)))) return 'an amount that cannot be';
  // A seller pays in sats, and the fee is in fiat: it is part of what would arrive.
  const paid = pay ?? order.pay;
  if (fee !== undefined && order.ramp !== 'sell' && paid > 0n && fee > paid) return 'a fee of more than is paid';
  // After a refund the amounts are those that went back, not those ordered.
  if (stage === 'refunded') return undefined;
  // Once it was paid, what is there is handed out: less of it is for the customer and the operator to know, no reason to hold it back.
  if (wasPaid(stage) || wasPaid(reachedBy(order))) return receive === 0n && order.receive > 0n ? 'filled with nothing' : overcharged(order, pay);
  if (!order.binding) return worsened(order, pay, receive);
  const { accepted = order } = order;
  if (pay !== undefined && pay !== accepted.pay) return 'the amount to pay changed';
  return receive !== undefined && receive !== accepted.receive ? 'the amount to receive changed' : undefined;
};

const wasPaid = (stage: Stage | undefined): boolean => stage === 'paid' || delivered.has(stage);

const overcharged = (order: OrderNow, pay: bigint | undefined): string | undefined => {
  const { pay: ordered, receive, bounds } = order.accepted ?? { ...order, bounds: { slippageBps: 0 } };
  const judged = pay === undefined ? undefined : judgeFill({ pay: ordered, receive, binding: order.binding, bounds }, { pay, receive });
  return judged === 'overcharged' ? 'more was to be paid than was ordered' : undefined;
};

/** Judges an estimate's figures like its order: by the slippage and the customer's limits. The customer has seen the amount to pay. */
const worsened = ({ ramp = 'buy', accepted, ...order }: OrderNow, pay = order.pay, receive = order.receive): string | undefined => {
  if (!accepted || (pay === order.pay && receive === order.receive)) return undefined;
  const { bounds } = accepted;
  if (pay * 10_000n > accepted.pay * BigInt(10_000 + bounds.slippageBps)) return 'the amount to pay rose above what was accepted';
  const judged = judgeOrder({ ramp, pay: accepted.pay, receive: accepted.receive, binding: false }, { pay, receive }, bounds);
  return judged === 'as-accepted' ? undefined : 'the estimate became worse than what was accepted';
};

/**
 * Until when an order can be paid at most, whatever end its provider gave it: providers write the year 9999, or none. That is half of the time for
 * which we follow it. The other half is for money on its way: whoever paid at the last moment still has a gateway that looks.
 */
export const lastPaymentOn = (createdOn: number, followUntil: number): number => createdOn + Math.floor((followUntil - createdOn) / 2);

/**
 * Whether nothing more will happen. `underpaid`, `expired`, `failed` and an unpaid order that never expires become final once we stop following
 * them. We never stop following money in flight (paid, filled), reviews, and fills that fell short.
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
      // Bought sats wait for their owner for ever. Some providers never report again on euros on their way or links to redeem.
      return !disputed && !isWithdrawn[ramp] && now >= followUntil;
    case 'paid':
    case 'review':
      return false;
  }
};

/** Maps to FLS01's four words: whatever is neither delivered nor refunded is `placed`. */
export const orderStatus = (stage: Stage): OrderStatus => (stage === 'filled' || stage === 'finished' || stage === 'refunded' ? stage : 'placed');

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
/** We do not poll every ten seconds for money that takes longer than this. */
const slowArrivalSeconds = 3_600;

/**
 * How long to wait before polling a followed order again: a tenth of the time that its stage has lasted, between a floor and a ceiling, ±20 %.
 * `random` in [0, 1). Whatever this says, an unpaid order lapses at `expiresOn`.
 */
export const refreshDelayMs = (order: { stage: Stage; stageOn: number; arrivalSeconds?: number }, now: number, random: number): number => {
  const rests = order.stage === 'underpaid' || order.stage === 'expired' || order.stage === 'failed';
  const slow = order.stage === 'awaiting_payment' && (order.arrivalSeconds ?? 0) >= slowArrivalSeconds;
  const floor = rests || slow || order.stage === 'review' ? 5 * minute : 10 * second;
  const ceiling = rests ? 6 * hour : hour;
  const lasted = Math.max(0, now - order.stageOn);
  return jittered(Math.min(ceiling, Math.max(floor, lasted / 10)), random);
};

/** ±20 %, whole milliseconds. `random` in [0, 1). */
export const jittered = (delayMs: number, random: number): number => Math.round(delayMs * (0.8 + 0.4 * random));
