/** Exact decimals. Bitrefill's rates have exponents and up to 17 digits, so they are kept as fractions of integers, not as floats. */

/** The number n / d, where d is a power of ten. */
export type Decimal = { n: bigint; d: bigint };

const form = /^(-?)(\d{1,60})(?:\.(\d{1,60}))?(?:e([+-]?\d{1,3}))?$/i;
/** The largest exponent that is read, positive or negative. No rate or amount needs a larger one, which would only cost memory. */
const mostExponent = 60;

/** Reads a decimal number. Returns undefined for anything else, and for a number that is far too long. */
export const readDecimal = (text: string): Decimal | undefined => {
  const [, sign = '', whole, fraction = '', exponent = '0'] = form.exec(text) ?? [];
  const shift = Number(exponent) - fraction.length;
  if (whole === undefined || Math.abs(Number(exponent)) > mostExponent) return undefined;
  const n = BigInt(`${sign}${whole}${fraction}`);
  return shift >= 0 ? { n: n * 10n ** BigInt(shift), d: 1n } : { n, d: 10n ** BigInt(-shift) };
};

export const times = (value: Decimal, whole: bigint): Decimal => ({ n: value.n * whole, d: value.d });
export const plus = (a: Decimal, b: Decimal): Decimal => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });

/** Rounds up to the next multiple of `step`. The value must not be negative. */
export const ceilTo = ({ n, d }: Decimal, step: bigint): bigint => ((n + d * step - 1n) / (d * step)) * step;

/** Returns the integer, or undefined for a fraction. */
export const wholeOf = ({ n, d }: Decimal): bigint | undefined => (n % d === 0n ? n / d : undefined);
