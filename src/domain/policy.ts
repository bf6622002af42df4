/** What the configuration says about deciding. Stored with every route. */
export type DecisionPolicy = {
  /** An offer better than the second by more is `too-good`. */
  outlierBps: number;
  /** A fee line that misses the provider's own price by more is flagged. */
  toleranceBps: number;
  /** The default haircut, as shown; each candidate's own stands in its terms. */
  indicativeHaircutBps: number;
  /** A binding offer that lives shorter than this is no use to anybody; 30 s unless said otherwise. */
  shortestLifeMs?: number;
  /** The configured price of the asked currency, hundredths per bitcoin. */
  reference?: ConfiguredReference;
};
export type ConfiguredReference = { btcPrice: bigint; maxDeviationBps: number; observedOn: number };
