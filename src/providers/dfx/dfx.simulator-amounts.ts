/** Exact amounts for the simulated DFX: fractions in the units of DFX's API (1.5 is 1.5 BTC), and how DFX rounds them before it sends them. */
import { divCeil, divFloor, parseDecimal } from '../../domain/money.ts';

/** n / d with d > 0. */
export type Fraction = { n: bigint; d: bigint };
export type Unit = 'fiat' | 'crypto';
type Rounding = (n: bigint, d: bigint) => bigint;

export const zero: Fraction = { n: 0n, d: 1n };
export const hundredths = (amount: number): Fraction => ({ n: BigInt(amount), d: 100n });
export const bps = (share: number): Fraction => ({ n: BigInt(share), d: 10_000n });
export const plus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, { n: -b.n, d: b.d });
export const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });
/** Returns a / b. Throws RangeError unless b > 0. */
export const over = (a: Fraction, b: Fraction): Fraction => {
  if (b.n <= 0n) throw new RangeError('division by an amount that is not positive');
  return { n: a.n * b.d, d: a.d * b.n };
};
export const isLess = (a: Fraction, b: Fraction): boolean => a.n * b.d < b.n * a.d;
export const larger = (a: Fraction, b: Fraction): Fraction => (isLess(a, b) ? b : a);

/** Reads a JSON number by its shortest digits. Returns undefined for a number with an exponent beyond ±100. */
export const fractionOf = (value: number): Fraction | undefined => {
  const decimal = parseDecimal(String(value));
  return decimal && { n: decimal.digits, d: 10n ** BigInt(decimal.scale) };
};

const halfUp: Rounding = (n, d) => divFloor(2n * n + d, 2n * d);

const toPlaces = ({ n, d }: Fraction, places: number, rounding: Rounding): Fraction => {
  const scale = 10n ** BigInt(Math.abs(places));
  return places < 0 ? { n: rounding(n, d * scale) * scale, d: 1n } : { n: rounding(n * scale, d), d: scale };
};

/** Rounds to 5 significant digits. They are digits, not decimals: 0.0012345 keeps 7 places. */
const toDigits = (amount: Fraction, rounding: Rounding): Fraction => {
  if (amount.n <= 0n) return zero;
  const atLeast = (places: number): boolean => toPlaces(amount, places, divFloor).n / (places < 0 ? 10n ** BigInt(-places) : 1n) >= 10_000n;
  let places = 0;
  while (!atLeast(places)) places += 1;
  while (atLeast(places - 1)) places -= 1;
  return toPlaces(amount, places, rounding);
};

const rounded = (amount: Fraction, unit: Unit, rounding: Rounding): Fraction => (unit === 'fiat' ? toPlaces(amount, 2, rounding) : toDigits(amount, rounding));

/** Rounds as DFX does for the target amount, rates and limits. */
export const roundHalfUp = (amount: Fraction, unit: Unit): Fraction => rounded(amount, unit, halfUp);
/** Rounds as DFX does for the source amount. */
export const roundDown = (amount: Fraction, unit: Unit): Fraction => rounded(amount, unit, divFloor);
/** Rounds as DFX does for a fee: "ceil above 0.01" for fiat, half up for crypto. Its contract does not say what happens below 0.01: here, half up. */
export const roundFee = (fee: Fraction, unit: Unit): Fraction => rounded(fee, unit, unit === 'fiat' && !isLess(fee, hundredths(1)) ? divCeil : halfUp);

/** Returns a rounded amount, whose denominator is a power of ten, as its JSON number. */
export const shown = ({ n, d }: Fraction): number => Number(`${n}e-${String(d).length - 1}`);
