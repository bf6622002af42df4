/** What an offer is worth to the customer, as an exact fraction by which the offers for one request are compared. More is better. */
import { bpsDown, bpsUp, btcPrice, divCeil, satsPerBtc } from './money.ts';
import { asksExchange, type Asked, type ExchangeAsked, type ProviderOffer } from './offer.ts';
import { exchanged, fiatAndSats, sides } from './ramp.ts';

/** The value `n / d`; neither is negative. `d` is 0 only for a liquidity offer without a fee, which nothing beats. */
export type Fraction = { n: bigint; d: bigint };

/**
 * Returns `receive / pay` for buy and sell, whichever side was fixed, and `1 / fee` for liquidity. Expects amounts that passed the exclusion rules.
 */
export const netOf = (asked: Asked, offer: ProviderOffer): Fraction => (asksExchange(asked) ? { n: offer.receive, d: offer.pay } : { n: 1n, d: offer.fee });

/** Returns `receive / pay` without the fee, to compare offers with different fixed fees. Expects amounts that passed the exclusion rules. */
export const exchangedOf = ({ ramp }: ExchangeAsked, offer: ProviderOffer): Fraction => {
  const { fiat, sats } = exchanged(ramp, offer);
  return sides[ramp].pay === 'fiat' ? { n: sats, d: fiat } : { n: fiat, d: sats };
};

/** Returns a negative number if `a` is worth less than `b`, and 0 if both are worth the same. */
export const compareNet = (a: Fraction, b: Fraction): number => {
  const difference = a.n * b.d - b.n * a.d;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** Returns whether `best / second − 1` exceeds `bps` basis points, by exact arithmetic. */
export const beatsByMore = (best: Fraction, second: Fraction, bps: number): boolean => best.n * second.d * 10_000n > second.n * best.d * BigInt(10_000 + bps);

/** Returns `best / second − 1` in basis points, rounded down. Expects finite fractions (buy and sell). */
export const deviationBps = (best: Fraction, second: Fraction): number => bpsDown(best.n * second.d - second.n * best.d, second.n * best.d);

/**
 * Returns `1 − net / best` in basis points, rounded up. It is negative when the offer is worth more than `best`, but 0 for a liquidity offer without
 * a fee.
 */
export const behindBps = (net: Fraction, best: Fraction): number => {
  const worth = best.n * net.d;
  return worth === 0n ? 0 : bpsUp(worth - net.n * best.d, worth);
};

/**
 * Returns the price without the fee, in hundredths per bitcoin. For a buy offer it is rounded down, as in FLS01's example. For a sell offer it is
 * rounded up, so that floor(sats × price / 1e8) − fee is again the amount received, for up to one bitcoin. Liquidity has no price: undefined.
 */
export const priceOf = (asked: Asked, offer: ProviderOffer): bigint | undefined => {
  if (!asksExchange(asked)) return undefined;
  return sides[asked.ramp].pay === 'fiat' ? btcPrice(offer.pay, offer.fee, offer.receive) : divCeil((offer.receive + offer.fee) * satsPerBtc, offer.pay);
};

/**
 * Returns what the whole exchange costs compared with a reference price, in basis points, rounded up. It is negative when the offer beats the
 * reference. Liquidity has no such cost: undefined.
 */
export const costBps = (asked: Asked, offer: ProviderOffer, reference: bigint): number | undefined => {
  if (!asksExchange(asked)) return undefined;
  const { fiat, sats } = fiatAndSats(asked.ramp, offer);
  const fair = sats * reference;
  const given = fiat * satsPerBtc;
  return sides[asked.ramp].pay === 'fiat' ? bpsUp(given - fair, given) : bpsUp(fair - given, fair);
};
