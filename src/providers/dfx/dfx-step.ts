/**
 * DFX rounds bitcoin to 5 significant digits, not to 5 decimals (BigNumber `precision(5)`). So amounts up to 99,999 sats have steps of 1 sat, amounts
 * up to 999,999 sats have steps of 10, and so on. All amounts are whole sats, and never negative.
 */
const digits = 5;

/** Returns the distance between neighbouring amounts at this size. */
export const stepAt = (sats: bigint): bigint => 10n ** BigInt(Math.max(0, sats.toString().length - digits));

export const floorToStep = (sats: bigint): bigint => sats - (sats % stepAt(sats));
/** Returns the next amount above, even where the number of digits grows: 99,999 (step 1) and 999,990 (step 10) give 100,000 and 1,000,000. */
export const nextStep = (sats: bigint): bigint => floorToStep(sats) + stepAt(sats);
export const ceilToStep = (sats: bigint): bigint => (floorToStep(sats) === sats ? sats : nextStep(sats));
/** Rounds half up. */
export const roundToStep = (sats: bigint): bigint => floorToStep(sats + stepAt(sats) / 2n);

export const isOnStep = (sats: bigint): boolean => floorToStep(sats) === sats;
/** Names the two amounts that are nearest to one that DFX cannot express. */
export const nearestTwo = (sats: bigint): string => `nearest: ${floorToStep(sats)}, ${nextStep(sats)}`;
