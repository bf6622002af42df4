/**
 * Which rule a route was ranked by. 1: an estimate counts its configured haircut lower, and of two offers that differ by more than the outlier
 * bound the binding one comes first. 2: expected value alone.
 */
export type RuleVersion = 1 | 2;

/** What the configuration says about deciding. Stored with every route. */
export type DecisionPolicy = {
  /** The version that the route is written and ranked in. */
  version: RuleVersion;
  /** An offer better than the middle of the others by more, in what is received and in the price exchanged at, is `too-good`. */
  outlierBps: number;
  /** A fee line that misses the provider's own price by more is flagged. */
  toleranceBps: number;
  /** The default haircut, as shown; each candidate's own stands in its terms. */
  indicativeHaircutBps: number;
  /** A binding offer that lives shorter than this is no use to anybody; 30 s unless said otherwise. */
  shortestLifeMs?: number;
  /** The price of the asked currency that offers are held against, hundredths per bitcoin. */
  reference?: DecisionReference;
  /** Whether offers were ranked by what was delivered before, and the SHA-256 of the sums that they were ranked by. */
  learning?: 'off' | 'shown' | 'ranked';
  recordSnapshot?: string;
};
/** `live`: feeds that agree now. `configured`: the operator's own word, who excludes by it as told to. */
export type DecisionReference = { btcPrice: bigint; maxDeviationBps: number; observedOn: number; source?: 'configured' | 'live' };
