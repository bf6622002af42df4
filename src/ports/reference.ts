import type { FeedAnswer, FeedReading } from '../domain/reference.ts';
import type { Lease } from './runtime.ts';

/** A public ticker. Where its figures stand: JSON pointers to bid and ask, or to one price, and to its own time stamp where it has one. */
export type Feed = {
  name: string;
  url: string;
  bid?: string;
  ask?: string;
  price?: string;
  time?: string;
  /** Whose price it is, and whose prices it is the mean of. */
  venue: string;
  averages: readonly string[];
};
/** Never throws because of the feed. */
export type FeedReader = (feed: Feed, signal: AbortSignal) => Promise<FeedAnswer>;

/** What is known about one currency's feeds, the same for all instances. `price`: the price on which they agreed when they were read. */
export type ReferenceRow = { currency: string; readings: FeedReading[]; state: 'live' | 'alone' | 'away'; price?: bigint; readOn: number };
/** As this instance read it last. */
export type ReferenceState = { readOn: number; byCurrency: Map<string, ReferenceRow> };

export type ReferenceStore = {
  read(): Promise<ReferenceRow[]>;
  /** True for the one instance that may read the feeds now: they were last read before `dueBefore`, and no other instance is reading them. */
  take(currency: string, due: { before: number; now: number }, lease: Lease): Promise<boolean>;
  /** Nothing where the lease was lost. */
  save(row: ReferenceRow, lease: Lease): Promise<void>;
  /** Currencies that are configured no more. */
  keepOnly(currencies: string[]): Promise<void>;
};
