import { expect, it } from 'vitest';
import type { Series } from './api.ts';
import { linesOf, sumsOf } from './figures.ts';

const [first, second] = ['2026-11-29T10:00:00.000Z', '2026-11-29T11:00:00.000Z'];
const at = { ramp: 'buy', currency: 'EUR', option: 'SEPA' } as const;
const offer = (on: string, provider: string, more: object) => ({
  ...at,
  on,
  provider,
  offers: 0,
  won: 0,
  excluded: 0,
  refused: 0,
  failed: 0,
  behind_best_bps: null,
  ...more,
});
const fill = (on: string, provider: string, quoted_sats: number, delivered_sats: number) => ({
  ...at,
  on,
  provider,
  fills: 1,
  quoted_sats,
  delivered_sats,
  pay: '0',
  receive: '0',
});
const series: Series = {
  from: first,
  to: second,
  step: 'hour',
  hours_to_count: 0,
  decisions: [],
  missing: [],
  stages: [],
  offers: [
    offer(first, 'alpine', { offers: 4, won: 3, behind_best_bps: 10 }),
    offer(first, 'borealis', { offers: 4, won: 1, behind_best_bps: 30 }),
    offer(second, 'alpine', { offers: 1, won: 1, behind_best_bps: 0 }),
    offer(second, 'cobalt', { refused: 2, failed: 1, excluded: 1 }),
    { ...offer(second, 'borealis', { offers: 9, won: 9, behind_best_bps: 0 }), option: 'card' },
  ],
  fills: [fill(first, 'alpine', 100_000, 100_000), fill(second, 'alpine', 100_000, 98_000)],
};
const sepa = { option: 'SEPA' };

it('sums up by provider: shares of the decided, means that weigh as much as their offers, what was delivered of what was quoted', () => {
  expect(sumsOf(series, sepa)).toEqual([
    {
      provider: 'alpine',
      offers: 5,
      won: 4,
      without: 0,
      winPpm: 800_000,
      behindBps: 8,
      fills: 2,
      quotedSats: 200_000,
      deliveredSats: 198_000,
      deliveredBps: -100,
    },
    { provider: 'borealis', offers: 4, won: 1, without: 0, winPpm: 200_000, behindBps: 30, fills: 0, quotedSats: 0, deliveredSats: 0, deliveredBps: null },
    { provider: 'cobalt', offers: 0, won: 0, without: 4, winPpm: 0, behindBps: null, fills: 0, quotedSats: 0, deliveredSats: 0, deliveredBps: null },
  ]);
  expect(sumsOf(series, {})[0]).toMatchObject({ provider: 'borealis', won: 10 });
  expect(sumsOf({ ...series, offers: [], fills: [] }, {})).toEqual([]);
});

it('has a point for each hour with figures, and none for a provider that was not asked', () => {
  const x = [first, second].map((on) => Date.parse(on) / 1000);
  expect(linesOf(series, sepa, 'share', ['alpine', 'borealis'])).toEqual({
    x,
    lines: [
      { provider: 'alpine', values: [75, 100] },
      { provider: 'borealis', values: [25, null] },
    ],
  });
  expect(linesOf(series, sepa, 'behind', ['borealis']).lines).toEqual([{ provider: 'borealis', values: [30, null] }]);
  expect(linesOf(series, sepa, 'delivered', ['alpine']).lines).toEqual([{ provider: 'alpine', values: [0, -200] }]);
});
