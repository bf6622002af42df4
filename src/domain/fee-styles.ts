/**
 * In our API, `amount_fiat` is all that the customer pays, fee included. A provider of the style `added` puts its fee on top of what we ask for,
 * so we must ask for less. Amounts in hundredths of the fiat unit, rates in parts per million.
 */
import { divCeil, divFloor } from './money.ts';

export type FeeStyle = 'included' | 'added';

const million = 1_000_000n;

/** What to ask for so that ask + fee equals the total: floor(total / (1 + rate)). */
export const firstAsk = (total: bigint, feePpm: number): bigint => divFloor(total * million, million + BigInt(feePpm));

/** What to ask for once the provider's fee for nearly the same amount is known. */
export const correctedAsk = (total: bigint, fee: bigint): bigint => total - fee;

/**
 * Judges the answer: it fits the total, it deserves the one correction, or it cannot be resolved.
 * The adapter asks, judges, asks at most once more, and judges with `corrected: true`.
 */
export const judgeAsk = (total: bigint, ask: bigint, fee: bigint, corrected: boolean): 'fits' | 'fee-unresolved' | { ask: bigint } => {
  if (ask + fee <= total) return 'fits';
  const next = correctedAsk(total, fee);
  return corrected || next <= 0n ? 'fee-unresolved' : { ask: next };
};

export type FiatLimits = { min?: bigint; max?: bigint };

/** A provider's limits as the customer sees them. For `added`, each limit plus its fee, rounded so that what we ask for stays within. */
export const outwardLimits = (limits: FiatLimits, feePpm: number, style: FeeStyle): FiatLimits => {
  if (style === 'included') return limits;
  const rate = BigInt(feePpm);
  return {
    ...(limits.min === undefined ? {} : { min: limits.min + divCeil(limits.min * rate, million) }),
    ...(limits.max === undefined ? {} : { max: limits.max + divFloor(limits.max * rate, million) }),
  };
};
