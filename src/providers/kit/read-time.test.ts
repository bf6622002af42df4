import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEnd, readTime } from './read-time.ts';

const at = Date.UTC(2026, 10, 28, 18, 25, 43, 123);
const toSecond = Date.UTC(2026, 10, 28, 18, 25, 43);
const toMinute = Date.UTC(2026, 10, 28, 18, 25);

describe('an end', () => {
  it.each<[unknown, number]>([
    ['2026-11-28T18:25Z', toMinute],
    ['2026-11-28 18:25', toMinute],
    ['2026-11-28T18:25+00:00', toMinute],
    ['Sat, 28 Nov 2026 18:25:43 GMT', toSecond],
    ['28 Nov 2026 19:25:43 +0100', toSecond],
    ['Sat, 28 Nov 2026 18:25 +0000', toMinute],
    ['Saturday, 28-Nov-26 18:25:43 GMT', toSecond],
    ['Sat Nov 28 18:25:43 2026', toSecond],
    ['Sat Nov 28 2026 19:25:43 GMT+0100 (Central European Standard Time)', toSecond],
    ['2026-11-28 18:25:43.123456789 +0000 UTC m=+0.000012', at],
    ['2026-11-28T19:25:43.123+01:00[Europe/Berlin]', at],
    ['2026-11-28 18:25:43 UTC', toSecond],
    ['2026/11/28 18:25:43', toSecond],
    ['20261128T182543Z', toSecond],
    ['20261128182543', toSecond],
    [20261128182543, toSecond],
    ['2026-11-28T18:25:43,123Z', at],
    ['2026-11-28T17:25:43\u221201:00', toSecond],
    ['2026-11-28', Date.UTC(2026, 10, 28)],
    ['20261128', Date.UTC(2026, 10, 28)],
    ['2026-11-28T24:00:00Z', Date.UTC(2026, 10, 29)],
    ['2026-12-31T23:59:60Z', Date.UTC(2027, 0, 1)],
    ['/Date(1795890343123)/', at],
    [1795890343, toSecond],
    ['1795890343', toSecond],
    [1795890343.123, at],
    ['1795890343123', at],
    [1795890343123456, at],
    ['1795890343123456789', at],
    ['1.795890343E9', toSecond],
    ['9999-12-31T23:59:59.9999999', Date.UTC(2100, 0, 1)],
    ['+275760-09-13T00:00:00.000Z', Date.UTC(2100, 0, 1)],
    ['9223372036854775807', Date.UTC(2100, 0, 1)],
  ])('%j is read', (given, ms) => expect(readEnd(given)).toBe(ms));

  it.each([
    undefined,
    null,
    '',
    ' ',
    '0001-01-01T00:00:00Z',
    '0001-01-01T00:00:00',
    '0001-01-01',
    '0001-01-01 00:00:00 +0000 UTC',
    '0000-00-00 00:00:00',
    '/Date(-62135596800000)/',
    -62135596800,
  ])('%j means no expiry', (given) => expect(readEnd(given)).toBeUndefined());

  it.each([
    'soon',
    'never',
    'tomorrow',
    '11/28/2026',
    '28/11/2026 18:25',
    '11-12-2026',
    '28.11.2026',
    '18:25',
    'P1D',
    'PT90S',
    '2026-W48-6',
    '2026-332',
    '2026-02-30T00:00:00Z',
    '2026-13-01',
    '2026-11-28T25:00:00Z',
    '2026-11-28T18:60:00Z',
    '2026-11-28T18:25:43+25:00',
    '2026-11-28T18:25:43[Europe/Berlin]',
    '2026-11-28 06:25:43 PM',
    '2026-11-28T18:25:43 XYZ',
    '1970-01-01T00:00:00Z',
    '1900-01-01',
    0,
    -1,
    90,
    3600,
    '0',
    639315771431230000000,
    1e10,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    {},
    ['2026-11-28T18:25:43Z'],
    { $date: at },
    '2026-11-28T18:25:43Z or so',
  ])('%j is unreadable, which does not mean "no expiry"', (given) => expect(readEnd(given)).toBe('unreadable'));

  it('a required time is missing or unreadable', () => {
    expect([readTime('soon'), readTime('0001-01-01'), readTime('2026-11-28T18:25Z')]).toEqual([undefined, undefined, toMinute]);
  });
});

const two = (value: number, width = 2): string => String(value).padStart(width, '0');
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Each function writes a moment in one form, and returns it with the part of the moment that this form keeps. */
const forms: ((ms: number, offsetMinutes: number) => [text: unknown, keptMs: number])[] = [
  (ms) => [new Date(ms).toISOString(), ms],
  (ms) => [new Date(ms).toUTCString(), floor(ms, 1000)],
  (ms) => [floor(ms, 1000) / 1000, floor(ms, 1000)],
  (ms) => [String(floor(ms, 1000) / 1000), floor(ms, 1000)],
  (ms) => [ms, ms],
  (ms) => [String(ms * 1000), ms],
  (ms) => [`${ms}999999`, ms],
  (ms) => [`${new Date(ms).toISOString().slice(0, 16)}Z`, floor(ms, 60_000)],
  (ms) => [new Date(ms).toISOString().slice(0, 10), floor(ms, 86_400_000)],
  (ms) => [new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, ''), floor(ms, 1000)],
  (ms) => [new Date(ms).toISOString().replace('T', ' ').replace('Z', ''), ms],
  (ms, minutes) => {
    const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1);
    return [`${local}000${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`, ms];
  },
  (ms) => {
    const d = new Date(ms);
    const clock = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
    return [`${days[d.getUTCDay()]} ${monthNames[d.getUTCMonth()]} ${String(d.getUTCDate()).padStart(2, ' ')} ${clock} ${d.getUTCFullYear()}`, floor(ms, 1000)];
  },
];
const floor = (ms: number, unit: number): number => ms - (ms % unit);

it('any moment in any form is read as that moment', () => {
  const moments = fc.tuple(
    fc.integer({ min: Date.UTC(2001, 8, 9, 2), max: Date.UTC(2099, 11, 31) }),
    fc.integer({ min: -11, max: 14 }),
    fc.constantFrom(...forms),
  );
  fc.assert(
    fc.property(moments, ([ms, hours, form]) => {
      const [text, kept] = form(ms, hours * 60);
      expect([text, readEnd(text)]).toEqual([text, kept]);
    }),
    { numRuns: 1000 },
  );
});

it('whatever the value is, the result is a time from 1970 to 2100, no expiry, or unreadable', () => {
  const broken = fc.tuple(fc.constantFrom(...forms), fc.nat(30), fc.string({ maxLength: 3 })).map(([form, where, put]) => {
    const text = String(form(at, 60)[0]);
    return text.slice(0, where) + put + text.slice(where + 1);
  });
  fc.assert(
    fc.property(fc.oneof(broken, fc.string(), fc.anything()), (given) => {
      const end = readEnd(given);
      expect(end === undefined || end === 'unreadable' || (Number.isSafeInteger(end) && end >= 0 && end <= Date.UTC(2100, 0, 1))).toBe(true);
      expect(end !== undefined || typeof given !== 'string' || /^(?:(?:\+0*)?0{3}[01].*)?$/s.test(given.trim())).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

it('the form that most providers write is read like the same time in another form', () => {
  const two = (least: number, most: number) => fc.integer({ min: least, max: most }).map((n) => String(n).padStart(2, '0'));
  const parts = fc.tuple(fc.integer({ min: 1999, max: 2101 }), two(0, 13), two(0, 32), two(0, 25), two(0, 61), two(0, 61), fc.constantFrom('', '.000', '.999'));
  fc.assert(
    fc.property(parts, ([year, month, day, hour, minute, second, fraction]) => {
      const text = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}`;
      expect([text, readEnd(`${text}Z`)]).toEqual([text, readEnd(`${text}+00:00`)]);
    }),
    { numRuns: 2000 },
  );
});
