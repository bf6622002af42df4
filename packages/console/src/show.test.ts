import { expect, it } from 'vitest';
import { hashOf, placeOf, type Place } from './place.ts';
import { showAge, showAmount, showBps, showDuration } from './show.ts';

it('shows amounts with their unit, and never a wrong one', () => {
  expect(showAmount('10050', 'buy', 'pay', 'EUR')).toBe('100.50 EUR');
  expect(showAmount('1234567', 'buy', 'receive', 'EUR')).toBe('1,234,567 sats');
  expect(showAmount('1234567', 'sell', 'pay', 'EUR')).toBe('1,234,567 sats');
  expect(showAmount('9007199254740993', 'liquidity', 'fee')).toBe('9,007,199,254,740,993 sats');
  expect([showAmount(undefined, 'buy', 'pay'), showAmount('<b>', 'buy', 'pay'), showAmount('1e9', 'buy', 'pay')]).toEqual(['–', '–', '–']);
});

it('shows how long ago something was, and in how long it will be', () => {
  expect([0, 999, 59_000, 3_660_000, 93_600_000, 86_400_000].map(showDuration)).toEqual(['0 s', '0 s', '59 s', '1 h 1 min', '1 d 2 h', '1 d']);
  const now = Date.parse('2026-11-29T12:00:00Z');
  expect(['2026-11-29T11:58:00Z', '2026-11-29T12:00:05Z', '2026-11-29T12:00:00.500Z'].map((iso) => showAge(iso, now))).toEqual(['2 min ago', 'in 5 s', 'now']);
  expect([null, 0, 21.4444, -100].map(showBps)).toEqual(['–', '0 bps', '+21.4 bps', '-100 bps']);
});

it.each<Place>([
  { screen: 'waiting' },
  { screen: 'find' },
  { screen: 'order', id: 'a/b #%' },
  { screen: 'list', list: 'open', provider: 'alpine' },
  { screen: 'list', list: 'late' },
  { screen: 'providers' },
  { screen: 'wins', provider: 'alpine' },
])('finds the screen of a link: %j', (place) => {
  expect(placeOf(hashOf(place))).toEqual(place);
});

it('shows what waits for an address that leads nowhere', () => {
  expect(['', '#', '#/nothing', '#/order', '#/list/nothing', '#%'].map(placeOf)).toEqual(Array.from({ length: 6 }, () => ({ screen: 'waiting' })));
});
