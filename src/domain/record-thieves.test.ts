/**
 * Measures how much a provider that games its record can take in 90 days. The provider may lead by 9.5 % (a larger lead is `too-good`), so it gets an
 * order as long as 1.095 × (1 − haircut) ≥ 1. Each table holds the largest loss that was found, so a formula that makes theft cheaper fails here.
 */
import { expect, test } from 'vitest';
import { added, decayed, emptyWindows, haircutOf, type Standing } from './record.ts';

const days = 90;
type Thief = {
  binding: boolean;
  orderSats: bigint;
  everyHours: number;
  /** Returns whether the thief keeps all of its nth order, counted from 1. It delivers the others in full, including its lead. */
  steals: (nth: number) => boolean;
};

const run = ({ binding, orderSats, everyHours, steals }: Thief): { stolen: number; honest: number } => {
  let [sums, day, nth, stolen] = [emptyWindows(), 0, 0, 0];
  for (let hours = everyHours; hours <= days * 24; hours += everyHours) {
    const today = Math.floor(hours / 24);
    sums = decayed(sums, today - day);
    day = today;
    const standing: Standing = binding ? { broken: sums } : { estimates: sums };
    const { ppm } = haircutOf(standing, binding, 10_000, orderSats);
    if (1_095 * (1_000_000 - ppm) < 1_000 * 1_000_000) continue;
    nth += 1;
    const steal = steals(nth);
    stolen += steal ? 1 : 0;
    // A binding offer that is kept adds nothing to the record.
    if (steal || !binding) sums = added(sums, { quotedSats: orderSats, deliveredSats: steal ? 0n : orderSats });
  }
  return { stolen, honest: nth - stolen };
};

const always = (): boolean => true;
const [weekly, tenADay] = [7 * 24, 2.4];

test.each<[string, bigint, number, number]>([
  ['10,000 sats, one a week', 10_000n, weekly, 7],
  ['100,000 sats, one a week', 100_000n, weekly, 2],
  ['1,000,000 sats, one a week', 1_000_000n, weekly, 2],
  ['10,000,000 sats, one a week', 10_000_000n, weekly, 1],
  ['10,000 sats, ten a day', 10_000n, tenADay, 9],
  ['100,000 sats, ten a day', 100_000n, tenADay, 3],
  ['1,000,000 sats, ten a day', 1_000_000n, tenADay, 2],
  ['10,000,000 sats, ten a day', 10_000_000n, tenADay, 1],
])('a liar whose offers bind: orders of %s', (_name, orderSats, everyHours, most) => {
  expect(run({ binding: true, orderSats, everyHours, steals: always }).stolen).toBe(most);
  // Honest orders before the theft, or between thefts, gain the thief nothing.
  for (const honestFirst of [1, 5, 20])
    expect(run({ binding: true, orderSats, everyHours, steals: (nth) => nth > honestFirst }).stolen).toBeLessThanOrEqual(most);
});

test.each<[string, bigint, number, number]>([
  ['10,000 sats, one a week', 10_000n, weekly, 12],
  ['100,000 sats, one a week', 100_000n, weekly, 7],
  ['1,000,000 sats, one a week', 1_000_000n, weekly, 2],
  ['10,000,000 sats, one a week', 10_000_000n, weekly, 2],
  ['10,000 sats, ten a day', 10_000n, tenADay, 58],
  ['100,000 sats, ten a day', 100_000n, tenADay, 8],
  ['1,000,000 sats, ten a day', 1_000_000n, tenADay, 3],
  ['10,000,000 sats, ten a day', 10_000_000n, tenADay, 2],
])('a liar with estimates, who steals whatever it gets: orders of %s', (_name, orderSats, everyHours, most) => {
  expect(run({ binding: false, orderSats, everyHours, steals: always }).stolen).toBe(most);
});

/** Measures many small honest orders followed by one large theft: what the thief takes, less the 9.5 % that it gave away on each honest order. */
test.each<[string, bigint, number]>([
  ['10,000 sats', 10_000n, 60],
  ['100,000 sats', 100_000n, 10],
  ['1,000,000 sats', 1_000_000n, 4],
  ['10,000,000 sats', 10_000_000n, 3],
])('honest orders buy the next theft, and cost more than it brings: ten orders a day of %s', (_name, orderSats, most) => {
  const gains = [0, 1, 5, 10, 20, 50, 100, 200, 400, 800].flatMap((honestFirst) =>
    [1, 2, 3, 5, 8, 12, 15, 20, 30].map((each) => {
      const { stolen, honest } = run({
        binding: false,
        orderSats,
        everyHours: tenADay,
        steals: (nth) => nth > honestFirst && (nth - honestFirst) % each === 0,
      });
      return stolen - 0.095 * honest;
    }),
  );
  expect(Math.max(...gains)).toBeLessThanOrEqual(most);
});

/**
 * Shows the limit of any record of past deliveries: a provider can order from itself at no cost. With orders to itself of 20 times what it stole, it
 * lowers its haircut to less than 5 %: for estimates by delivering them in full, for binding offers by delivering its own large orders a little
 * short. The operator's `max_in_flight_sats` limits the damage, and the customer and the operator see each order that falls short.
 */
test('orders to oneself: how much washing buys back a theft of 1,000,000 sats', () => {
  const afterTheft = added(emptyWindows(), { quotedSats: 1_000_000n, deliveredSats: 0n });
  const washed = (quotedSats: bigint, binding: boolean): number => {
    const deliveredSats = binding ? (quotedSats * 9_989n) / 10_000n : quotedSats;
    const sums = added(afterTheft, { quotedSats, deliveredSats });
    return haircutOf(binding ? { broken: sums } : { estimates: sums }, binding, 10_000, 100_000n).ppm;
  };
  expect([washed(0n, true), washed(10_000_000n, true), washed(20_000_000n, true)]).toEqual([909_091, 91_082, 48_437]);
  expect([washed(0n, false), washed(9_000_000n, false), washed(20_000_000n, false)]).toEqual([505_000, 91_819, 45_910]);
});
