import type { FeedAnswer, FeedReading } from '../domain/reference.ts';
import type { Lease } from './runtime.ts';

/** A public ticker. `bid` and `ask`, or else `price`, are JSON pointers to its figures; `time` is a JSON pointer to its time stamp, if it has one. */
export type Feed = {
  name: string;
  url: string;
  bid?: string;
  ask?: string;
  price?: string;
  time?: string;
  /** `venue`: the exchange whose price the ticker gives. `averages`: the exchanges whose prices it averages. */
  venue: string;
  averages: readonly string[];
};
/** Reads a feed. Never throws because of the feed: a failure is returned as a fault. */
export type FeedReader = (feed: Feed, signal: AbortSignal) => Promise<FeedAnswer>;

/** What is known about one currency's feeds, shared by all instances. `price`: the price on which the feeds agreed when they were read. */
export type ReferenceRow = { currency: string; readings: FeedReading[]; state: 'live' | 'alone' | 'away'; price?: bigint; readOn: number };
/** The rows as this instance last read them. */
export type ReferenceState = { readOn: number; byCurrency: Map<string, ReferenceRow> };

export type ReferenceStore = {
  read(): Promise<ReferenceRow[]>;
  /**
   * Returns true for the one instance that may read the feeds now: they were last read before `due.before`, and no other instance is reading them.
   * Feeds whose last reading is dated further in the future than `due.before` is in the past also count as due, because a clock must have been set
   * back.
   */
  take(currency: string, due: { before: number; now: number }, lease: Lease): Promise<boolean>;
  /** Stores the readings, unless the lease has been lost. */
  save(row: ReferenceRow, lease: Lease): Promise<void>;
  /** Deletes the rows of all other currencies, which are no longer configured. Leaves a row while an instance is reading its feeds. */
  keepOnly(currencies: string[]): Promise<void>;
};
