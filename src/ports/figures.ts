/** Figures by hour, which background work counts from the stored decisions, order events and fills. Times are in Unix milliseconds. */
import type { FaultKind } from '../domain/fault-kind.ts';
import type { Operation } from './providers.ts';

/** The tables that figures are counted from. `decisions`: the routes. `stages`: the order events. `fills`: the orders in the providers' record. */
export const figureSources = ['decisions', 'stages', 'fills'] as const;
export type FigureSource = (typeof figureSources)[number];

/**
 * - `decided`, `without-offer`: requests for prices, and how many of them got no ranked offer. These figures name no provider.
 * - `offered`, `won`: ranked offers, and how many of them ranked first. For `offered`, `bps` is the sum of how far they were behind the best offer.
 * - `excluded`, `refused`, `failed`: providers without a ranked offer, by `reason`.
 * - `latency`: ranked offers, by how long the provider took to answer. `reason` is the upper bound of the bucket in milliseconds, or `more`. Not
 *   split by currency or option.
 * - `stage`: orders that reached the stage that `reason` names.
 * - `filled`: orders in the record, the sats quoted and delivered as they count there, and the amounts paid and received, in the ramp's units.
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
/**
 * The provider calls of each second, as far as they have been read. `decisions`: how many decisions that second had when it was read. `ms`: the time
 * to an answer that was ranked. `completeTo`: all seconds before this time (in seconds) have been read. `askedOn`: when an operator last asked for
 * these figures.
 */
export type RecentCalls = { seconds: Map<number, { decisions: number; calls: SecondCalls[] }>; completeTo?: number; askedOn?: number };
export type SecondCalls = { providerId: string; ok: boolean; ms: number | null; n: number };
/** `pause` is called between two steps, with the time that the last step took. */
export type RecentReading = { known: RecentCalls; most: number; pause: (tookMs: number) => Promise<void>; now: () => number };
export type MissingFigure = { providerId: string; what: 'excluded' | 'refused' | 'failed'; reason: string; n: number };

export type OpenCircuit = { provider: string; operation: Operation; on: number; fault: FaultKind };
export type Instance = { name: string; version: string; startedOn: number; seenOn: number; clock: number; circuits: OpenCircuit[] };

/**
 * `keptFrom`: rows from before these times may already have been deleted, so their hours are no longer counted. `mostRows`: the most rows that one
 * step counts. Rows of the same moment are counted in the same step, so a step can count more.
 */
export type Counting = { now: number; keptFrom: { decisions: number; stages?: number; fills: number }; mostRows: number };

/** `isEmpty`: the hours have no rows, so the step cost next to nothing. `instances`: how many instances may be counting at this time. */
export type LookedAt = { looked: number; isEmpty: boolean; instances: number; failed?: { hour: number; source: FigureSource; error: unknown } };

export type FigureStore = {
  /**
   * Takes one step, a short transaction: checks at most 24 due hours of one source, newest first, and counts those whose rows have changed since they
   * were last counted. An hour with more than `mostRows` rows takes several steps, and many changed rows may leave hours due. Returns how many hours
   * it checked, or undefined if none is due. `failed`: the database refused to count that hour, or stopped a statement that took too long. Any number
   * of instances may do this at the same time.
   */
  countDue(counting: Counting): Promise<LookedAt | undefined>;
  /** Postpones the next check of an hour that could not be counted. */
  postpone(hour: number, source: FigureSource, until: number): Promise<void>;
  read(filter: FigureFilter): Promise<Figure[]>;
  /**
   * Returns how many hours in a range have not been counted yet (an hour counts once for each source), and when the newest counted hour was last
   * checked.
   */
  progress(from: number, to: number): Promise<{ missing: number; countedOn?: number }>;
  /**
   * Counts the calls of the stored decisions since a given time, so use it for minutes, not for days. Reads only decisions that are not yet in
   * `known`, the newest first, in small steps, and at most about `most` of them. The others are read by the next calls.
   */
  recentCalls(since: number, reading: RecentReading): Promise<CallFigures[]>;
  callsByHour(since: number): Promise<CallFigures[]>;
  missing(since: number): Promise<MissingFigure[]>;
  openOrders(): Promise<{ providerId: string; n: number }[]>;
  /** Notes that an instance is running. */
  seen(instance: Omit<Instance, 'seenOn'>): Promise<void>;
  /** Lists the instances that were seen in the last `withinMs` by the database's clock. */
  instances(withinMs: number): Promise<Instance[]>;
};
