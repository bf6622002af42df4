/** Formats what the gateway says: amounts with their unit, times in UTC, ages, shares. */
import { formatHundredths } from '../../../src/domain/money.ts';
import { sides, type Ramp } from '../../../src/domain/ramp.ts';

/** Formats an amount of an order. The gateway sends it as decimal text, in hundredths of the currency or in sats. */
export const showAmount = (amount: string | undefined, ramp: Ramp, side: 'pay' | 'receive' | 'fee', currency = ''): string => {
  if (amount === undefined || !/^-?\d+$/.test(amount)) return '–';
  return sides[ramp][side] === 'sats' ? showSats(amount) : formatHundredths(BigInt(amount), currency).trim();
};
export const showSats = (amount: string | number): string => `${showCount(amount)} sats`;

const digits = new Intl.NumberFormat('en');
export const showCount = (count: string | number): string => digits.format(typeof count === 'string' ? BigInt(count) : count);

/** Formats a time as "2026-11-29 18:08:10". All times are UTC, as in the logs and in a search for a day. */
export const showTime = (iso: string): string => iso.slice(0, 19).replace('T', ' ');

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;
/** Formats a duration in its two largest units, such as "2 d 4 h". */
export const showDuration = (ms: number): string => {
  const first = units.findIndex(([, size]) => Math.abs(ms) >= size);
  if (first < 0) return '0 s';
  let rest = Math.abs(ms);
  return units
    .slice(first, first + 2)
    .flatMap(([name, size]) => {
      const n = Math.floor(rest / size);
      rest -= n * size;
      return n === 0 ? [] : [`${n} ${name}`];
    })
    .join(' ');
};
/** Formats how long ago a time was, or how long it is until then. */
export const showAge = (iso: string, now: number): string => {
  const ms = now - Date.parse(iso);
  if (Math.abs(ms) < 1000) return 'now';
  return ms > 0 ? `${showDuration(ms)} ago` : `in ${showDuration(ms)}`;
};

/** Formats parts per million as per cent. `null` is a share of nothing. */
export const showShare = (ppm: number | null): string => (ppm === null ? '–' : `${(ppm / 10_000).toFixed(1)} %`);
export const showBps = (bps: number | null): string => (bps === null ? '–' : `${bps > 0 ? '+' : ''}${bps.toFixed(bps % 1 === 0 ? 0 : 1)} bps`);

/** Turns a word of the API into one for people: `paid-not-delivered` → "paid not delivered". */
export const plain = (word: string): string => word.replaceAll(/[-_]/g, ' ');
