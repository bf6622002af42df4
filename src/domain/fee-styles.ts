/**
 * Outward, `amount_fiat` is all that the customer pays, fee inside. A provider of the style `added` puts its fee on top of what it is asked
 * for, so it has to be asked for less. Amounts in hundredths of the fiat unit, rates in parts per million.
 */
import { divCeil, divFloor } from './money.ts';

export type FeeStyle = 'included' | 'added';

const million = 1_000_000n;

/** What to ask for, so that ask + fee meets the total: floor(total / (1 + rate)). */
export const firstAsk = (total: bigint, feePpm: number): bigint => divFloor(total * million, million + BigInt(feePpm));

/** What to ask for once the provider's fee for nearly the same amount is known. */
export const correctedAsk = (total: bigint, fee: bigint): bigint => total - fee;

/**
 * Judges the answer to an ask: it fits into the total, deserves the one correction, or cannot be resolved.
 * The adapter asks, judges, asks again at most once, and judges with `corrected: true`.
 */
export const judgeAsk = (total: bigint, ask: bigint, fee: bigint, corrected: boolean): 'fits' | 'fee-unresolved' | { ask: bigint } => {
  if (ask + fee <= total) return 'fits';
  const next = correctedAsk(total, fee);
  return corrected || next <= 0n ? 'fee-unresolved' : { ask: next };
};

export type FiatLimits = { min?: bigint; max?: bigint };

/** A provider's limits as the customer meets them: for `added`, each limit plus the fee at that limit, rounded so that the ask stays inside. */
export const outwardLimits = (limits: FiatLimits, feePpm: number, style: FeeStyle): FiatLimits => {
  if (style === 'included') return limits;
  const rate = BigInt(feePpm);
  return {
    ...(limits.min === undefined ? {} : { min: limits.min + divCeil(limits.min * rate, million) }),
    ...(limits.max === undefined ? {} : { max: limits.max + divFloor(limits.max * rate, million) }),
  };
};
