/** Figures by hour, which background work counts from the stored decisions, order events and fills. Times are Unix milliseconds. */
import type { FaultKind } from '../domain/fault-kind.ts';
import type { Operation } from './providers.ts';

/** `decisions`: the routes. `stages`: the order events. `fills`: what was delivered (the table of the providers' record). */
export const figureSources = ['decisions', 'stages', 'fills'] as const;
export type FigureSource = (typeof figureSources)[number];

/**
 * - `decided`, `without-offer`: requests for prices, and those of them without a ranked offer. They have no provider.
 * - `offered`, `won`: ranked offers, and those that ranked first. `bps` of `offered` is the sum of the distances to the best.
 * - `excluded`, `refused`, `failed`: by `reason`.
 * - `latency`: offers by the time to the answer. `reason` is the upper bound of the bucket in milliseconds, or `more`. Not by currency and option.
 * - `stage`: orders that reached the stage `reason`.
 * - `filled`: counted fills; sats quoted and delivered as they count in the record; what was paid and received in the units of the ramp.
 */
export const figureKinds = ['decided', 'without-offer', 'offered', 'won', 'excluded', 'refused', 'failed', 'latency', 'stage', 'filled'] as const;
export type Figure = {
  /** The beginning of the hour or day. */
  on: number;
  what: (typeof figureKinds)[number];
  providerId: string;
  ramp: string;
  currency: string;
  option: string;
  reason: string;
  n: bigint;
  bps: bigint;
  quotedSats: bigint;
  deliveredSats: bigint;
  pay: bigint;
  receive: bigint;
};

/**
 * Which figures to read: those of every hour that starts before `to`, beginning with the hour that contains `from`. A filter without a value matches
 * everything.
 */
export type FigureFilter = {
  from: number;
  to: number;
  step: 'hour' | 'day';
  providerId?: string | undefined;
  ramp?: string | undefined;
  currency?: string | undefined;
  option?: string | undefined;
  /** The most figures to read. */
  most: number;
};

/** How many price requests a provider has answered since a given time, and how many have failed. `p95Ms` covers only its answers that were ranked. */
export type CallFigures = { providerId: string; answered: number; failed: number; p95Ms?: number };
export type MissingFigure = { providerId: string; what: 'excluded' | 'refused' | 'failed'; reason: string; n: number };

export type OpenCircuit = { provider: string; operation: Operation; on: number; fault: FaultKind };
export type Instance = { name: string; version: string; startedOn: number; seenOn: number; clock: number; circuits: OpenCircuit[] };

/**
 * `keptFrom`: rows made before this are being deleted, so their hours are no longer counted. `mostRows`: how many rows one statement counts, and how
 * many one transaction counts unless its first hour alone has more.
 */
export type Counting = { now: number; keptFrom: { decisions: number; stages?: number; fills: number }; mostRows: number };

export type LookedAt = { looked: number; failed?: { hour: number; source: FigureSource; error: unknown } };

export type FigureStore = {
  /**
   * Checks the hours of one source that are due, at most 24 of them, newest first, and counts those whose rows look different from when they were
   * last counted. Some stay due if they have many rows. Returns how many hours it checked, or undefined if none is due. `failed`: the database
   * answered, but refused to count that hour, or stopped a statement that took too long. Any number of instances may do this at the same time.
   */
  countDue(counting: Counting): Promise<LookedAt | undefined>;
  /** Postpones the next check of an hour that could not be counted. */
  postpone(hour: number, source: FigureSource, until: number): Promise<void>;
  read(filter: FigureFilter): Promise<Figure[]>;
  /** Returns how many hours in a range are not counted yet, and when the newest of the others was last checked. */
  progress(from: number, to: number): Promise<{ missing: number; countedOn?: number }>;
  /** Reads from the decisions themselves, so it is for minutes, not for days. */
  recentCalls(since: number): Promise<CallFigures[]>;
  callsByHour(since: number): Promise<CallFigures[]>;
  missing(since: number): Promise<MissingFigure[]>;
  openOrders(): Promise<{ providerId: string; n: number }[]>;
  /** Notes that an instance is running. */
  seen(instance: Omit<Instance, 'seenOn'>): Promise<void>;
  /** Lists the instances that were seen in the last `withinMs` by the database's clock. */
  instances(withinMs: number): Promise<Instance[]>;
};
