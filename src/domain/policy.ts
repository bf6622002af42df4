import type { FeedVerdict } from './reference.ts';

/**
 * The rule that ranked a route. 1: an estimate counts lower by its configured haircut, and of two offers further apart than the outlier bound
 * the binding one comes first. 2: by expected value alone.
 */
export type RuleVersion = 1 | 2;

/** What the configuration says about decisions. Stored with every route. */
export type DecisionPolicy = {
  /** The version that writes and ranks the route. */
  version: RuleVersion;
  /** An offer that beats the median of the others by more, in what is received and in its price, is `too-good`. */
  outlierBps: number;
  /** A fee that misses the provider's own price by more is flagged. */
  toleranceBps: number;
  /** The default haircut, for display. Each candidate's own is in its terms. */
  indicativeHaircutBps: number;
  /** A binding offer that expires sooner than this helps nobody. 30 s by default. */
  shortestLifeMs?: number;
  /** The reference price that offers are compared with, hundredths per bitcoin in the asked currency. */
  reference?: DecisionReference;
  /** What each price feed of that currency was worth at this moment. */
  feeds?: FeedVerdict[];
  /** Whether past deliveries ranked the offers, and the SHA-256 of the sums used. */
  learning?: 'off' | 'shown' | 'ranked';
  recordSnapshot?: string;
};
/**
 * `live`: price feeds that agree now. `configured`: the operator's own price. `one-feed`: no other feed confirms it. Without `maxDeviationBps` the
 * price is for display and excludes nobody.
 */
export type DecisionReference = { btcPrice: bigint; maxDeviationBps?: number; observedOn: number; source?: 'configured' | 'live' | 'one-feed' };
