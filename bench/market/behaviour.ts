/**
 * The market that `npm run bench:market` simulates: what each provider quotes at each moment, and what it really delivers. Pure and seeded: the
 * same seed, provider name and moment always give the same figures, so the oracle knows what every provider would have delivered.
 */

/** How a provider behaves, honest or not. Members that end in `Bps` are in basis points. */
export type Behaviour = {
  /** The provider's own name. The gateway may use another name, which must not change any choice. */
  name: string;
  /** How far the provider's price is above the market, before noise. A higher price gives the customer fewer sats. */
  spreadBps: number;
  noiseBps: number;
  feeRate: number;
  /** Hundredths, on top of the rate. Stated only in order_fee, as by many providers. */
  fixedFee: number;
  feeStyle: 'included' | 'added';
  latencyMs: number;
  /** Set if the provider's quotes are estimates. `biasBps`: how far its delivery is above the ordered sats. Negative: below. */
  estimate?: { biasBps: number };
  /** The share of orders that the provider refuses. */
  refuses?: number;
  /** The share of price requests that the provider answers with an error. */
  failsQuotes?: number;
  /** By how much the sats of the provider's order are below those of its quote. */
  repricesBps?: number;
  /** By how much the provider's fill differs from the accepted sats: by `bps` of them plus `sats`. Negative values mean fewer sats. */
  fillsOther?: { sats: number; bps: number };
  /** How much less the provider's link pays than its status says. */
  linkShortBps?: number;
};

export type Figures = { amountFiat: number; fee: number; sats: number; btcPrice: number };

/** Returns a number between 0 and 1 that depends only on the words (FNV-1a, finished as murmur3 does). */
export const chance = (...words: (string | number)[]): number => {
  let hash = 0x811c9dc5;
  for (const letter of words.join('|')) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
};

/** Returns the market price at a moment, in hundredths per bitcoin. It drifts by about 1 % and jitters by 10 bps. */
export const marketPrice = (seed: number, moment: number): number =>
  Math.round(9_180_000 * (1 + 0.01 * Math.sin(moment / 40 + seed) + 0.002 * (chance(seed, 'market', moment) - 0.5)));

const priceOf = (one: Behaviour, seed: number, moment: number): number => {
  const noise = one.noiseBps * (2 * chance(seed, one.name, moment) - 1);
  return Math.round(marketPrice(seed, moment) * (1 + (noise + one.spreadBps) / 10_000));
};

/** Returns what a provider quotes for `ask`, the amount in the provider's own terms. With the fee style `added`, the fee comes on top of `ask`. */
export const quoteOf = (one: Behaviour, seed: number, moment: number, ask: number): Figures | undefined => {
  const btcPrice = priceOf(one, seed, moment);
  const fee = Math.ceil(ask * one.feeRate - 1e-9) + one.fixedFee;
  const exchanged = one.feeStyle === 'added' ? ask : ask - fee;
  if (exchanged <= 0) return undefined;
  return { amountFiat: ask, fee, sats: Number((BigInt(exchanged) * 100_000_000n) / BigInt(btcPrice)), btcPrice };
};

/** Returns the sats that a provider's status reports for a paid order. */
export const filledSats = (one: Behaviour, accepted: number): number => {
  const { sats = 0, bps = 0 } = one.fillsOther ?? {};
  return Math.floor(accepted * (1 + (bps + (one.estimate?.biasBps ?? 0)) / 10_000)) + sats;
};
/** Returns the sats that a provider's link pays. */
export const linkSats = (one: Behaviour, filled: number): number => Math.floor(filled * (1 - (one.linkShortBps ?? 0) / 10_000));
export const orderedSats = (one: Behaviour, quoted: number): number => Math.floor(quoted * (1 - (one.repricesBps ?? 0) / 10_000));

/** Returns the sats that a customer who spends `total` at this provider now would receive in the end. */
export const wouldDeliver = (one: Behaviour, seed: number, moment: number, total: number): number => {
  if (one.refuses === 1) return 0;
  let ask = total;
  if (one.feeStyle === 'added') {
    ask = Math.floor((total - one.fixedFee) / (1 + one.feeRate));
    while (ask > 0 && ask + Math.ceil(ask * one.feeRate - 1e-9) + one.fixedFee > total) ask -= 1;
  }
  const quote = quoteOf(one, seed, moment, ask);
  return quote ? linkSats(one, filledSats(one, orderedSats(one, quote.sats))) : 0;
};
