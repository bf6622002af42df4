/**
 * In our API, `amount_fiat` is all that the customer pays, fee included. A provider with the fee style `added` puts its fee on top of the amount
 * that we ask for, so we must ask for less. Amounts are in hundredths of the fiat unit, rates in parts per million.
 */
import { leastUsedBps } from './exclusion.ts';
import { divCeil, divFloor } from './money.ts';

export type FeeStyle = 'included' | 'added';

const million = 1_000_000n;

/** Returns the amount to ask for first: the largest one that, with the fee on top, does not exceed the total. */
export const firstAsk = (total: bigint, feePpm: number): bigint => divFloor(total * million, million + BigInt(feePpm));

/** Returns the amount to ask for once the provider's fee for nearly the same amount is known. */
export const correctedAsk = (total: bigint, fee: bigint): bigint => total - fee;

/**
 * Judges a provider's fee for the amount that we asked for: the two together fit the total, or the adapter should ask once more for the returned
 * amount, or the fee cannot be resolved. They also do not fit if they use so little of the total that the offer would be excluded: a fee may be lower
 * than the listed rate. After that second request the adapter judges again with `corrected: true`.
 */
export const judgeAsk = (total: bigint, ask: bigint, fee: bigint, corrected: boolean): 'fits' | 'fee-unresolved' | { ask: bigint } => {
  const sum = ask + fee;
  // Rounding alone may leave up to two hundredths unused.
  const isUnderused = sum + 2n < total && sum * 10_000n < total * leastUsedBps;
  if (sum <= total && (corrected || !isUnderused)) return 'fits';
  // A fee may grow with the amount, so a larger amount is scaled, while for a smaller one the known fee is enough.
  const next = isUnderused ? divFloor(total * ask, sum) : correctedAsk(total, fee);
  return corrected || next <= 0n ? 'fee-unresolved' : { ask: next };
};

export type FiatLimits = { min?: bigint; max?: bigint };

/**
 * Returns a provider's limits as the customer sees them. For the style `added`, the fee is added to each limit and rounded so that the amount we
 * ask for stays within the provider's own limits.
 */
export const outwardLimits = (limits: FiatLimits, feePpm: number, style: FeeStyle): FiatLimits => {
  if (style === 'included') return limits;
  const rate = BigInt(feePpm);
  return {
    ...(limits.min === undefined ? {} : { min: limits.min + divCeil(limits.min * rate, million) }),
    ...(limits.max === undefined ? {} : { max: limits.max + divFloor(limits.max * rate, million) }),
  };
};
