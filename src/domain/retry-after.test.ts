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
