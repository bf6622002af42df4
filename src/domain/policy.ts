import type { FeedVerdict } from './reference.ts';

/**
 * The rule that ranked a route. Version 1 lowers the value of an estimate by its configured haircut; if there are only two offers and they are
 * further apart than the outlier bound, the binding offer comes first. Version 2 ranks by expected value, even if there are only two offers.
 */
export type RuleVersion = 1 | 2;

/** What a decision depends on in addition to the request and the offers: settings, and what was known about prices and records at that time. */
export type DecisionPolicy = {
  version: RuleVersion;
  /** An offer that beats the median of the others by more than this, both with and without its fee, is `too-good`. */
  outlierBps: number;
  /**
   * A buy offer gets a warning if what it charges without the fee differs by more than this from what its sats cost at the price that the provider
   * states.
   */
  toleranceBps: number;
  /** The default haircut, for display. The haircut of each candidate is in its terms. */
  indicativeHaircutBps: number;
  /** An offer that expires sooner than this is excluded, because it could not be ordered in time. 30 s by default. */
  shortestLifeMs?: number;
  /** The reference price that offers are compared with, in hundredths of the requested currency per bitcoin. */
  reference?: DecisionReference;
  /** How each price feed of the requested currency was judged at the time of the decision. */
  feeds?: FeedVerdict[];
  /** Whether past deliveries are ignored, only shown, or used in the ranking. */
  learning?: 'off' | 'shown' | 'ranked';
  /** The SHA-256 of the record sums that were used. */
  recordSnapshot?: string;
};

/**
 * A price for one bitcoin. `live`: several price feeds agree on it now. `configured`: the operator set it. `one-feed`: no second feed confirms it.
 * Without `maxDeviationBps`, the price is for display only and excludes no offer.
 */
export type DecisionReference = { btcPrice: bigint; maxDeviationBps?: number; observedOn: number; source?: 'configured' | 'live' | 'one-feed' };
