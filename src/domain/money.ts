/**
 * Exact arithmetic on integer amounts, without floating point. A rate is a decimal, kept as digits and scale; a share is in basis points. Every
 * function that rounds says which way.
 */

/** Returns `a / b`, rounded towards minus infinity. Throws RangeError if `b` is 0. */
export const divFloor = (a: bigint, b: bigint): bigint => {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
};

/** Returns `a / b`, rounded towards plus infinity. Throws RangeError if `b` is 0. */
export const divCeil = (a: bigint, b: bigint): bigint => -divFloor(-a, b);

/** Returns `part / whole` in basis points, rounded up. The result is a ratio, not money, so it is a number. */
export const bpsUp = (part: bigint, whole: bigint): number => Number(divCeil(part * 10_000n, whole));

/** Returns `part / whole` in basis points, rounded down. */
export const bpsDown = (part: bigint, whole: bigint): number => Number(divFloor(part * 10_000n, whole));

/** Returns the fee in sats of an order that pays and receives sats. If it costs less than it delivers, the fee is 0, because no fee is negative. */
export const feeInSats = (pay: bigint, receive: bigint): bigint => (pay > receive ? pay - receive : 0n);

/** Returns `bps` basis points of `amount`, rounded down. */
export const mulBps = (amount: bigint, bps: number): bigint => divFloor(amount * BigInt(bps), 10_000n);

/** The number `digits` / 10^`scale`; `scale` is at least 0. */
export type Decimal = { digits: bigint; scale: number };

const decimalForm = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;
const mostDigits = 40;
const largestExponent = 100;

/**
 * Parses a decimal such as "25188.12" or "9.739384389926184e-05". Returns undefined for anything else, and for a number that has too many digits or
 * an exponent beyond ±100.
 */
export const parseDecimal = (text: string): Decimal | undefined => {
  const [, sign, whole = '', fraction = '', exponentText = '0'] = text.length > 200 ? [] : (decimalForm.exec(text) ?? []);
  if (sign === undefined) return undefined;
  const exponent = Number.parseInt(exponentText, 10);
  const significant = `${whole}${fraction}`.replace(/^0+/, '');
  if (significant.length > mostDigits || Math.abs(exponent) > largestExponent) return undefined;
  const digits = BigInt(`${sign}${significant || '0'}`);
  const scale = fraction.length - exponent;
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
};

/** Returns `amount` × `decimal`, rounded down. */
export const decimalTimesFloor = (decimal: Decimal, amount: bigint): bigint => divFloor(amount * decimal.digits, 10n ** BigInt(decimal.scale));

/** Returns `amount` × `decimal`, rounded up. */
export const decimalTimesCeil = (decimal: Decimal, amount: bigint): bigint => divCeil(amount * decimal.digits, 10n ** BigInt(decimal.scale));

/** Formats an amount: 2000n, "EUR" → "20.00 EUR". The amount is in hundredths of the unit in every currency, as in FLS01. */
export const formatHundredths = (hundredths: bigint, currency: string): string => {
  const size = hundredths < 0n ? -hundredths : hundredths;
  return `${hundredths < 0n ? '-' : ''}${size / 100n}.${(size % 100n).toString().padStart(2, '0')} ${currency}`;
};

/** Returns whether an amount fits a JSON integer that every parser reads exactly. */
export const isSafe = (amount: bigint): boolean => amount <= largestSafe && amount >= -largestSafe;
const largestSafe = BigInt(Number.MAX_SAFE_INTEGER);

export const satsPerBtc = 100_000_000n;
/** All the sats that there will ever be. */
export const mostSats = 21_000_000n * satsPerBtc;

/** Returns the price without the fee in hundredths per bitcoin: floor((amountFiat − orderFee) × 1e8 / amountSats). Throws RangeError for 0 sats. */
export const btcPrice = (amountFiat: bigint, orderFee: bigint, amountSats: bigint): bigint => divFloor((amountFiat - orderFee) * satsPerBtc, amountSats);
