/**
 * The life of one order, told by what its provider says. Ranks only rise; what goes backwards is kept but not told; what cannot be true goes to
 * `review`. Placing is another life: settle-placing.ts.
 */
import type { IntentState, OrderStatus, Stage } from './order.ts';
import { namesDiffer } from './option-name.ts';
import { isWithdrawn, type Ramp } from './ramp.ts';

type Ranked = Exclude<Stage, 'review'>;

const ranks: Record<Ranked, number> = { awaiting_payment: 0, underpaid: 1, expired: 2, failed: 3, paid: 4, filled: 5, finished: 6, refunded: 7 };

/** What of an order the next stage depends on. */
export type OrderNow = {
  stage: Stage;
  /** While in review: the last stage before. Without it no read can agree, and only the operator leaves review. */
  before?: Stage;
  /** The amounts of a binding order may not change; an estimate's may. */
  binding: boolean;
  pay: bigint;
  receive: bigint;
  /** What was ordered, as the provider named it. */
  currency?: string;
  option?: string;
  expiresOn?: number;
  /** `unpayable` and `dead`: nobody was ever shown how to pay. */
  placing?: IntentState;
};

/** What one read said; `stage` absent for a word that we do not know. */
export type Evidence = { stage?: Stage; rawStatus: string; pay?: bigint; receive?: bigint; echo?: { currency?: string; option?: string } };

export type AdvanceKind = 'advanced' | 'same' | 'stale' | 'contradiction' | 'unknown';
export type Advance = { next: Stage; kind: AdvanceKind; note?: string };

/**
 * The next stage. `unknown` is still pending and wants a warning; `stale` wants an alert and changes nothing; `contradiction` leads to review.
 * Review is left by a read that agrees with the stage before it: nothing contradicted, the same rank or higher.
 */
export const advance = (order: OrderNow, evidence: Evidence, now: number): Advance => {
  const contradiction = contradictionIn(order, evidence);
  if (contradiction) return { next: 'review', kind: 'contradiction', note: contradiction };
  if (evidence.stage === undefined) return { next: order.stage, kind: 'unknown', note: `unknown status "${evidence.rawStatus}"` };
  if (evidence.stage === 'review')
    return { next: 'review', kind: order.stage === 'review' ? 'same' : 'advanced', note: `to be looked at: "${evidence.rawStatus}"` };
  const told = lapsed(evidence.stage, order.expiresOn, now) ? 'expired' : evidence.stage;
  const reached = reachedBy(order);
  if (reached === undefined) return { next: 'review', kind: 'same', note: 'only the operator can leave review: the stage before it is not known' };
  if (ranks[told] < ranks[reached]) return { next: order.stage, kind: 'stale', note: `${reached}, then again ${told}` };
  if (told === order.stage) return { next: order.stage, kind: 'same' };
  if (order.stage === 'review') return { next: told, kind: 'advanced', note: 'an agreeing read left review' };
  return { next: told, kind: 'advanced', ...(told === evidence.stage ? {} : { note: 'expired by the clock' }) };
};

/** An unpaid order whose time has passed. A later word of the provider still moves it on. */
export const lapsed = (stage: Stage, expiresOn: number | undefined, now: number): boolean =>
  stage === 'awaiting_payment' && expiresOn !== undefined && now >= expiresOn;

const reachedBy = (order: OrderNow): Ranked | undefined => {
  const stage = order.stage === 'review' ? order.before : order.stage;
  return stage === 'review' ? undefined : stage;
};

const moneyMoved: ReadonlySet<Stage | undefined> = new Set<Stage>(['underpaid', 'paid', 'filled', 'finished', 'refunded']);
const delivered: ReadonlySet<Stage | undefined> = new Set<Stage>(['filled', 'finished']);

const contradictionIn = (order: OrderNow, { stage, pay, receive, echo }: Evidence): string | undefined => {
  if ((order.placing === 'unpayable' || order.placing === 'dead') && moneyMoved.has(stage)) return `${order.placing}, yet the provider says ${stage ?? ''}`;
  if (reachedBy(order) === 'refunded' && delivered.has(stage)) return `refunded, then ${stage ?? ''}`;
  if (namesDiffer(echo?.currency, order.currency)) return 'another currency than ordered';
  if (namesDiffer(echo?.option, order.option)) return 'another payment option than ordered';
  // After a refund the amounts describe what went back, not what was ordered.
  if (!order.binding || stage === 'refunded') return undefined;
  if (pay !== undefined && pay !== order.pay) return 'the amount to pay changed';
  return receive !== undefined && receive !== order.receive ? 'the amount to receive changed' : undefined;
};

/**
 * Nothing more will happen. `underpaid`, `expired` and `failed` rest, and with them an order that never expires and was never paid: they are
 * final once nobody follows them any longer. Money in flight (paid, filled) and review are followed for ever.
 */
export const isFinal = (stage: Stage, now: number, followUntil: number, ramp: Ramp = 'buy'): boolean => {
  switch (stage) {
    case 'finished':
    case 'refunded':
      return true;
    case 'awaiting_payment':
    case 'underpaid':
    case 'expired':
    case 'failed':
      return now >= followUntil;
    case 'filled':
      // Bought sats wait for their owner for ever. Euros on their way and links to redeem are never told again by some providers.
      return !isWithdrawn[ramp] && now >= followUntil;
    case 'paid':
    case 'review':
      return false;
  }
};

/** FLS01's four words: whatever is neither delivered nor given back is `placed`. */
export const orderStatus = (stage: Stage): OrderStatus => (stage === 'filled' || stage === 'finished' || stage === 'refunded' ? stage : 'placed');

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
/** Money that needs longer than this to arrive is not looked for every ten seconds. */
const slowArrivalSeconds = 3_600;

/**
 * How long to wait before the next look at a followed order: a tenth of the time that its stage has lasted, between a floor and a ceiling,
 * ±20 %. `random` in [0, 1). A lapse by the clock is due at `expiresOn` whatever this says.
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
