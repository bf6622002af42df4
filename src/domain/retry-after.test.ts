import fc from 'fast-check';
import { expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const date = 'Sat, 21 Nov 2026 10:15:00 GMT';
it.each<[string | null, string | null, number | undefined]>([
  ['3600', null, 3_600_000],
  [' 120 ', null, 120_000],
  ['0', null, 0],
  ['1.5', null, 1500],
  ['Sat, 21 Nov 2026 11:15:00 GMT', date, 3_600_000],
  ['Saturday, 21-Nov-26 11:15:00 GMT', date, 3_600_000],
  ['Sat Nov 21 11:15:00 2026', date, 3_600_000],
  ['Sat, 21 Nov 2026 09:15:00 GMT', date, 0],
  ['Sat, 21 Nov 2026 10:16:00 GMT', null, 60_000],
  ['-5', date, undefined],
  ['soon', date, undefined],
  ['', date, undefined],
  [null, date, undefined],
  ['1e400', date, undefined],
])('%s, served on %s: %s', (given, served, ms) => {
  expect(retryAfterMs(given, served, Date.UTC(2026, 10, 21, 10, 15))).toBe(ms);
});

const two = (value: number): string => String(value).padStart(2, '0');
/** The three forms of a date in RFC 9110, 5.6.7. */
const forms: ((at: Date) => string)[] = [
  (at) => at.toUTCString(),
  (at) => {
    const [, day, month, year, clock] = at.toUTCString().split(' ');
    return `${at.toLocaleString('en', { weekday: 'long', timeZone: 'UTC' })}, ${day}-${month}-${year?.slice(2)} ${clock} GMT`;
  },
  (at) => {
    const [name, , month, year, clock] = at.toUTCString().split(' ');
    return `${name?.slice(0, 3)} ${month} ${String(at.getUTCDate()).padStart(2, ' ')} ${clock} ${year}`;
  },
];

it('a wait is read in every form, and no other text is read as a wait', () => {
  const from = Date.UTC(2026, 0, 1);
  const form = fc.constantFrom(...forms);
  fc.assert(
    fc.property(fc.nat(3 * 31_536_000), fc.nat(31_536_000), form, form, (start, seconds, served, until) => {
      const begins = new Date(from + start * 1000);
      const given = until(new Date(begins.getTime() + seconds * 1000));
      expect([given, retryAfterMs(given, served(begins))]).toEqual([given, seconds * 1000]);
      expect(retryAfterMs(` ${two(seconds)} `, served(begins))).toBe(seconds * 1000);
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.bigInt().map(String)), (text) => {
      const ms = retryAfterMs(text, date);
      expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
    }),
  );
});
