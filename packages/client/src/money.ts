import { badInput } from './error.ts';

/** An amount: whole sats, or whole hundredths of a fiat unit. */
export class Money {
  /** Sats, or hundredths of the fiat unit (even for currencies without hundredths). */
  readonly units: bigint;
  /** `sat`, or the ISO 4217 code. */
  readonly currency: string;
  /** The amount without the currency: `107869`, `99.50`. */
  readonly text: string;

  constructor(units: bigint, currency: string) {
    this.units = units;
    this.currency = currency;
    this.text = currency === 'sat' ? String(units) : hundredths(units);
  }
  toString(): string {
    return `${this.text} ${this.currency}`;
  }
  /** JSON has no bigint, so `units` becomes a string. */
  toJSON(): { units: string; currency: string; text: string } {
    return { units: String(this.units), currency: this.currency, text: this.text };
  }
}

const hundredths = (units: bigint): string => {
  const digits = String(units < 0n ? -units : units).padStart(3, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

/**
 * A decimal string ("99.50", "250000"), smallest units as a bigint, or the `Money` that an offer gave you. Never a number, because 99.5 and 9950
 * could be confused.
 */
export type Amount = string | bigint | Money;

/** Returns the amount as the API takes it. `least`: 0 if zero is allowed. */
export const toUnits = (amount: Amount, currency: string, name: string, least = 1n): number => {
  if (amount instanceof Money && amount.currency !== currency) throw badInput(name, `is in ${amount.currency}, and must be in ${currency}`);
  const units =
    amount instanceof Money ? amount.units : typeof amount === 'bigint' ? amount : typeof amount === 'string' ? parse(amount, currency, name) : undefined;
  if (units === undefined) throw badInput(name, `must be a string ("${currency === 'sat' ? '250000' : '99.50'}") or a bigint in the smallest unit`);
  if (units < least || units > 2_100_000_000_000_000n) throw badInput(name, `must be between ${least} and 2100000000000000 in the smallest unit, not ${units}`);
  return Number(units);
};

const parse = (text: string, currency: string, name: string): bigint => {
  const [, whole = '', part = ''] = /^(\d{1,16})(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  if (whole === '' || (currency === 'sat' && text.includes('.')))
    throw badInput(name, `"${text}" is not ${currency === 'sat' ? 'a whole number of sats, like "250000"' : 'an amount like "100" or "99.50"'}`);
  return currency === 'sat' ? BigInt(whole) : BigInt(whole) * 100n + BigInt(part.padEnd(2, '0'));
};

/** Reads an amount from an answer of the gateway. `null` stands for an old amount that does not fit into a JSON integer. */
export const moneyOf = (units: number | null | undefined, currency: string): Money | undefined =>
  Number.isSafeInteger(units) ? new Money(BigInt(units as number), currency) : undefined;
