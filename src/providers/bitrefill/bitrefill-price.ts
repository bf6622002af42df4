/** Prices and limits from the inventory. Pure; sats are integers, rates exact decimals. Only an order fixes the final price. */
import type { LiquidityProduct } from '../spec.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ceilTo, plus, times, type Decimal } from './bitrefill-decimal.ts';

export const slugs: Record<LiquidityProduct, string> = {
  recharge: 'lightning-recharge',
  inbound: 'lightning-channel',
  turbo: 'turbo-lightning-channel',
};

export type Range = { min: bigint; max: bigint; step: bigint; rate: Decimal; purchaseFee: Decimal };
export type Package = { value: bigint; price: bigint };
/** The range if there is one, whatever `isRanged` says; otherwise the fixed sizes, in ascending order. */
export type RateCard = { range: Range } | { packages: Package[] };

/** On-chain, balance and package prices are multiples of this many sats. */
const grain = 100n;

/** Returns value × rate + fee, unrounded. */
export const rawPrice = ({ rate, purchaseFee }: Range, value: bigint): Decimal => plus(times(rate, value), purchaseFee);

/**
 * Estimates what an order of `value` sats will cost: at least `low` (one known order was charged no fee), at most `high` (exact for the one package
 * whose price we know). A package has one price.
 */
export const estimate = (card: RateCard, value: bigint): { low: bigint; high: bigint } | undefined => {
  if ('range' in card) return { low: ceilTo(times(card.range.rate, value), 1n), high: ceilTo(rawPrice(card.range, value), grain) };
  const found = card.packages.find((one) => one.value === value);
  return found && { low: found.price, high: found.price };
};

/** Returns the smallest and largest amount on sale, and the step; undefined if nothing is on sale. */
export const amountsOf = (card: RateCard): { min: bigint; max: bigint; step: bigint } | undefined => {
  if ('range' in card) return card.range;
  const [first] = card.packages;
  const last = card.packages.at(-1);
  if (!first || !last) return undefined;
  const step = card.packages.reduce((common, { value }) => greatestCommon(common, value - first.value), 0n);
  return { min: first.value, max: last.value, step: step === 0n ? 1n : step };
};

const greatestCommon = (a: bigint, b: bigint): bigint => (b === 0n ? a : greatestCommon(b, a % b));

/**
 * Returns why an amount is not on sale, or undefined if it is. If anything is on sale, the limits are the smallest and the largest amount. For an
 * amount between two steps, `detail` has the nearest amounts that are on sale.
 */
export const refusalFor = (card: RateCard, value: bigint, stepFrom: 'min' | 'zero'): Refusal | undefined => {
  const amounts = amountsOf(card);
  if (!amounts) return { reason: 'option-unsupported', note: 'out-of-stock' };
  const { min, max, step } = amounts;
  const limits = { minReceive: min, maxReceive: max };
  if (value < min) return { reason: 'below-minimum', limits };
  if (value > max) return { reason: 'above-maximum', limits };
  const [below, above] = 'range' in card ? stepsAround(value, stepFrom === 'min' ? min : 0n, step) : packagesAround(card.packages, value);
  if (below === value) return undefined;
  return { reason: 'off-step', limits, detail: `nearest: ${[below, above].filter((near) => near >= min && near <= max).join(', ')}` };
};

const stepsAround = (value: bigint, from: bigint, step: bigint): [bigint, bigint] => {
  const below = value - ((value - from) % step);
  return [below, below + step];
};
const packagesAround = (packages: Package[], value: bigint): [bigint, bigint] => [
  packages.findLast((one) => one.value <= value)?.value ?? 0n,
  packages.find((one) => one.value > value)?.value ?? 0n,
];
