import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  added,
  correction,
  countFill,
  decayed,
  emptyWindows,
  fallsShorter,
  haircutOf,
  paymentDueBy,
  utcDay,
  type Fill,
  type Standing,
  type Sums,
  type Windows,
} from './record.ts';

const hour = 3_600_000;
const at = Date.UTC(2026, 10, 21, 10);
const bought = (more: Partial<Fill> = {}): Fill => ({
  ramp: 'buy',
  binding: false,
  quotedPay: 10_000n,
  quotedReceive: 100_000n,
  toldPay: 10_000n,
  toldReceive: 100_000n,
  quotedOn: at,
  filledOn: at + 60_000,
  ...more,
});
const sold = (more: Partial<Fill> = {}): Fill =>
  bought({ ramp: 'sell', quotedPay: 100_000n, quotedReceive: 10_000n, toldPay: 100_000n, toldReceive: 10_000n, ...more });
const atTheEnd = { dueBy: at + hour, paidOn: at + hour, filledOn: at + 48 * hour };
const late = { ...atTheEnd, paidOn: at + hour + 1 };
const counted = (fill: Fill): [string, bigint, bigint] => {
  const { row, quotedSats, deliveredSats } = countFill(fill);
  return [row, quotedSats, deliveredSats];
};
const both = (sums: Sums): Windows => ({ slow: sums, fast: sums });
const standingOf = (estimates: Windows, broken: Windows = emptyWindows()): Standing => ({ estimates, broken });

describe('what a fill counts as', () => {
  test.each<[string, Fill, [string, bigint, bigint]]>([
    ['an estimate as quoted', bought(), ['estimates', 100_000n, 100_000n]],
    ['an estimate that gave less', bought({ toldReceive: 98_000n }), ['estimates', 100_000n, 98_000n]],
    ['half a per cent more, at most', bought({ toldReceive: 150_000n }), ['estimates', 100_000n, 100_500n]],
    ['more, capped with the fraction dropped', bought({ quotedReceive: 101n, toldReceive: 200n }), ['estimates', 101n, 101n]],
    ['the link pays less than was told', bought({ linkReceive: 90_000n }), ['estimates', 100_000n, 90_000n]],
    ['the link pays more than was told', bought({ toldReceive: 90_000n, linkReceive: 100_000n }), ['estimates', 100_000n, 90_000n]],
    ['a promise kept earns nothing', bought({ binding: true }), ['none', 100_000n, 100_000n]],
    ['short by 0.1 % is kept', bought({ binding: true, toldReceive: 99_900n }), ['none', 100_000n, 99_900n]],
    ['short by more than 0.1 % is broken', bought({ binding: true, toldReceive: 99_899n }), ['broken', 100_000n, 99_899n]],
    ['short by one sat is kept, however small', bought({ binding: true, quotedReceive: 100n, toldReceive: 99n }), ['none', 100n, 99n]],
    ['short by two sats of a hundred is broken', bought({ binding: true, quotedReceive: 100n, toldReceive: 98n }), ['broken', 100n, 98n]],
    ['broken by its link alone', bought({ binding: true, linkReceive: 50_000n }), ['broken', 100_000n, 50_000n]],
    ['less was paid at the same price', bought({ toldPay: 5_000n, toldReceive: 50_000n }), ['none', 100_000n, 50_000n]],
    ['less was paid at a worse price: what is missing of that part counts', bought({ toldPay: 5_000n, toldReceive: 40_000n }), ['estimates', 50_000n, 40_000n]],
    ['almost all was paid, they say, and half was kept', bought({ binding: true, toldPay: 9_999n, toldReceive: 50_000n }), ['broken', 99_990n, 50_000n]],
    ['less was paid, and the fee is fixed', bought({ binding: true, quotedFee: 100n, toldPay: 1_000n, toldReceive: 9_091n }), ['none', 100_000n, 9_091n]],
    [
      'less was paid, and more than the fee is missing',
      bought({ binding: true, quotedFee: 100n, toldPay: 1_000n, toldReceive: 8_000n }),
      ['broken', 9_090n, 8_000n],
    ],
    ['less was paid than the fixed fee', bought({ binding: true, quotedFee: 100n, toldPay: 99n, toldReceive: 0n }), ['none', 100_000n, 0n]],
    ['a sale of less, and the fee is fixed', sold({ binding: true, quotedFee: 100n, toldPay: 10_000n, toldReceive: 910n }), ['none', 100_000n, 9_100n]],
    ['a sale of less, and half is missing', sold({ binding: true, quotedFee: 100n, toldPay: 10_000n, toldReceive: 455n }), ['broken', 10_000n, 5_000n]],
    ['more was paid, and more delivered', bought({ binding: true, toldPay: 10_001n, toldReceive: 100_010n }), ['none', 100_000n, 100_010n]],
    ['twice was paid, and once delivered', bought({ binding: true, toldPay: 20_000n }), ['none', 100_000n, 100_000n]],
    ['twice was paid, and less than once delivered', bought({ binding: true, toldPay: 20_000n, toldReceive: 90_000n }), ['broken', 100_000n, 90_000n]],
    ['a promise that was paid in time, at the last moment', bought({ ...atTheEnd, binding: true, toldReceive: 90_000n }), ['broken', 100_000n, 90_000n]],
    ['a promise that was paid late', bought({ ...late, binding: true, toldReceive: 90_000n }), ['none', 100_000n, 90_000n]],
    ['a promise that was paid late, and its link', bought({ ...late, binding: true, linkReceive: 1n }), ['none', 100_000n, 1n]],
    ['a sale that was paid late', sold({ ...late, binding: true, toldReceive: 9_000n }), ['none', 100_000n, 90_000n]],
    ['paid late and never filled', withoutTold(bought({ ...late, binding: true })), ['none', 100_000n, 0n]],
    ['an estimate that was paid late and never filled', withoutTold(bought(late)), ['none', 100_000n, 0n]],
    ['paid and never filled', withoutTold(bought()), ['estimates', 100_000n, 0n]],
    ['paid and never filled, a promise', withoutTold(bought({ binding: true })), ['broken', 100_000n, 0n]],
    ['an hour is not late', bought({ filledOn: at + hour }), ['estimates', 100_000n, 100_000n]],
    ['a late estimate that delivered nothing measures no market', bought({ filledOn: at + hour + 1, toldReceive: 0n }), ['estimates', 100_000n, 0n]],
    ['a late sale that delivered nothing', sold({ filledOn: at + hour + 1, toldReceive: 0n }), ['estimates', 100_000n, 0n]],
    ['a late estimate measures the market', bought({ filledOn: at + hour + 1, toldReceive: 90_000n }), ['none', 100_000n, 90_000n]],
    [
      'a promise that was filled late, and paid in time, is held to',
      bought({ binding: true, filledOn: at + 48 * hour, toldReceive: 90_000n }),
      ['broken', 100_000n, 90_000n],
    ],
    [
      'late against the reference at both moments: bitcoin rose by a quarter',
      bought({ filledOn: at + 48 * hour, toldReceive: 79_000n, referenceQuoted: 8_000_000n, referenceFilled: 10_000_000n }),
      ['estimates', 80_000n, 79_000n],
    ],
    ['late with one reference only', bought({ filledOn: at + 48 * hour, referenceQuoted: 8_000_000n }), ['none', 100_000n, 100_000n]],
    ['in time the reference is not asked', bought({ referenceQuoted: 8_000_000n, referenceFilled: 10_000_000n }), ['estimates', 100_000n, 100_000n]],
    ['a sale counts in sats, by the share of the fiat that arrived', sold({ toldReceive: 9_799n }), ['estimates', 100_000n, 97_990n]],
    ['a sale that gave more', sold({ toldReceive: 20_000n }), ['estimates', 100_000n, 100_500n]],
    [
      'a late sale: the fiat that a rising market brought is not its merit',
      sold({ filledOn: at + 2 * hour, toldReceive: 10_100n, referenceQuoted: 8_000_000n, referenceFilled: 8_080_000n }),
      ['estimates', 100_000n, 100_000n],
    ],
    ['liquidity is never counted', bought({ ramp: 'liquidity', toldReceive: 0n }), ['none', 0n, 0n]],
  ])('%s', (_name, fill, expected) => {
    expect(counted(fill)).toEqual(expected);
  });

  test('a later report changes the sums by the difference, without decay, and adds a row if the promise turns out to be broken', () => {
    const estimate = countFill(bought());
    expect(correction(estimate, countFill(bought({ linkReceive: 99_000n })))).toEqual([
      { row: 'estimates', change: { quotedSats: 0n, deliveredSats: -1_000n } },
    ]);
    const kept = countFill(bought({ binding: true }));
    expect(correction(kept, countFill(bought({ binding: true, linkReceive: 40_000n })))).toEqual([
      { row: 'broken', change: { quotedSats: 100_000n, deliveredSats: 40_000n } },
    ]);
    // An order that counted as not filled was filled in full after all: a late delivery keeps the promise.
    expect(correction(countFill(withoutTold(bought({ binding: true }))), kept)).toEqual([
      { row: 'broken', change: { quotedSats: -100_000n, deliveredSats: 0n } },
    ]);
    expect(correction(estimate, countFill(bought({ linkReceive: 100_000n })))).toEqual([]);
  });

  test('a later report counts only if it is for a lower amount', () => {
    const [kept, half] = [countFill(bought({ binding: true })), countFill(bought({ binding: true, toldReceive: 50_000n }))];
    const forgiven = countFill(bought({ binding: true, toldPay: 5_000n, toldReceive: 50_000n }));
    expect(forgiven.tells).toBe(false);
    const pairs = [
      [kept, half],
      [half, kept],
      [kept, kept],
      [half, forgiven],
      [forgiven, half],
      [forgiven, kept],
    ] as const;
    expect(pairs.map(([before, after]) => fallsShorter(before, after))).toEqual([true, false, false, false, true, false]);
  });
});

test('a payment is in time until the order has ended and the money has had its time to arrive; for a sale, sats arrive', () => {
  const by = (more: Partial<Parameters<typeof paymentDueBy>[0]>) => paymentDueBy({ ramp: 'buy', expiresOn: at, ...more });
  expect([by({ arrivalSeconds: 60 }), by({}), by({ expiresOn: undefined })]).toEqual([at + 60_000, at + 24 * hour, undefined]);
  const sale = { ramp: 'sell', arrivalSeconds: 86_400 } as const;
  expect([by({ ...sale, network: 'lightning' }), by({ ...sale, network: 'onchain' }), by(sale)]).toEqual([at + 600_000, at + hour, at + hour]);
});

function withoutTold({ toldPay: _pay, toldReceive: _receive, ...fill }: Fill): Fill {
  return fill;
}

describe('decay', () => {
  const sums: Sums = { quotedSats: 1_000_001n, deliveredSats: 999_999n };
  test('in whole steps, rounded down each day', () => {
    expect(decayed(both(sums), 0)).toEqual(both(sums));
    expect(decayed(both(sums), 1)).toEqual({
      slow: { quotedSats: 937_500n, deliveredSats: 937_499n },
      fast: { quotedSats: 750_000n, deliveredSats: 749_999n },
    });
    expect(decayed(both(sums), 2).slow).toEqual({ quotedSats: 878_906n, deliveredSats: 878_905n });
    expect(decayed(both(sums), -3)).toEqual(both(sums));
  });
  test('decays day by day to the same sums as at once; in the end nothing is left', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 15n), fc.bigInt(0n, 10n ** 15n), fc.nat(400), fc.nat(400), (quotedSats, deliveredSats, a, b) => {
        const windows = both({ quotedSats, deliveredSats });
        expect(decayed(decayed(windows, a), b)).toEqual(decayed(windows, a + b));
      }),
    );
    expect(decayed(both({ quotedSats: 10n ** 15n, deliveredSats: -(10n ** 15n) }), 100_000)).toEqual(emptyWindows());
  });
  test('the day changes at midnight UTC', () => {
    expect([utcDay(Date.UTC(2026, 0, 2) - 1), utcDay(Date.UTC(2026, 0, 2))]).toEqual([20_454, 20_455]);
  });
});

describe('the haircut', () => {
  test('is the configured one if nothing is known, and zero for a binding offer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500_000 }), fc.bigInt(1n, 10n ** 12n), (h0, sats) => {
        for (const standing of [undefined, {}, standingOf(emptyWindows())]) {
          expect(haircutOf(standing, false, h0, sats)).toEqual({ ppm: h0, from: 'configured' });
          expect(haircutOf(standing, true, h0, sats)).toEqual({ ppm: 0, from: 'configured' });
        }
      }),
    );
  });
  test('of the formulas, rounded up', () => {
    const half = both({ quotedSats: 100_000n, deliveredSats: 50_000n });
    // 10⁶ · 50,000 / 200,000
    expect(haircutOf({ broken: half }, true, 10_000, 100_000n)).toEqual({ ppm: 250_000, from: 'record' });
    expect(haircutOf({ broken: half }, false, 10_000, 100_000n)).toEqual({ ppm: 250_000, from: 'record' });
    // (10,000 · 10⁶ + 10⁶ · 50,000) / 1,100,000 = 54,545.45…
    expect(haircutOf({ estimates: half }, false, 10_000, 100_000n)).toEqual({ ppm: 54_546, from: 'record' });
    // A clean record lowers the haircut less for an offer a hundred times as large: (10,000 · 30 · 10⁶) / (30 · 10⁶ + 9 · 10⁶).
    const spotless = both({ quotedSats: 9_000_000n, deliveredSats: 9_000_000n });
    expect(haircutOf({ estimates: spotless }, false, 10_000, 100_000n).ppm).toBe(1_000);
    expect(haircutOf({ estimates: spotless }, false, 10_000, 10_000_000n).ppm).toBe(7_693);
    // A bad record raises the haircut as much for a large offer as for a small one.
    const bad = both({ quotedSats: 9_000_000n, deliveredSats: 8_000_000n });
    expect(haircutOf({ estimates: bad }, false, 10_000, 10_000_000n)).toEqual(haircutOf({ estimates: bad }, false, 10_000, 100_000n));
  });
  test('never exceeds the configured one for estimates that fell short by no more than that', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.bigInt(1n, 10n ** 9n), fc.bigInt(0n, 10_000n)), { maxLength: 50 }), fc.bigInt(1n, 10n ** 9n), (fills, sats) => {
        const sums = fills.reduce(
          (all, [quoted, shortPpm]) => added(all, { quotedSats: quoted, deliveredSats: quoted - (quoted * shortPpm) / 1_000_000n }),
          emptyWindows(),
        );
        expect(haircutOf({ estimates: sums }, false, 10_000, sats).ppm).toBeLessThanOrEqual(10_000);
      }),
    );
  });
  test('is the worse of both windows', () => {
    const [good, bad] = [
      { quotedSats: 1_000_000n, deliveredSats: 1_000_000n },
      { quotedSats: 1_000_000n, deliveredSats: 900_000n },
    ];
    const of = (windows: Windows): number => haircutOf({ estimates: windows }, false, 10_000, 1n).ppm;
    expect([of({ slow: good, fast: bad }), of({ slow: bad, fast: good }), of(both(good))]).toEqual([55_000, 55_000, 5_000]);
  });
  test('is never below zero, whatever was delivered in excess, and never above one', () => {
    const generous = both({ quotedSats: 10n ** 12n, deliveredSats: 1_005n * 10n ** 9n });
    expect(haircutOf({ estimates: generous }, false, 10_000, 1n).ppm).toBe(0);
    const owing = both({ quotedSats: 10n, deliveredSats: -(10n ** 9n) });
    expect([haircutOf({ broken: owing }, true, 10_000, 1n).ppm, haircutOf({ estimates: owing }, false, 10_000, 1n).ppm]).toEqual([1_000_000, 1_000_000]);
  });
});

const row = fc
  .tuple(fc.bigInt(0n, 10n ** 10n), fc.bigInt(0n, 1005n))
  .map(([quotedSats, part]): Sums => ({ quotedSats, deliveredSats: (quotedSats * part) / 1000n }));
const windows = fc.record({ slow: row, fast: row });
const fill = fc
  .record({
    ramp: fc.constantFrom('buy' as const, 'sell' as const),
    binding: fc.boolean(),
    quotedPay: fc.bigInt(1_000n, 10n ** 7n),
    quotedReceive: fc.bigInt(1_000n, 10n ** 7n),
    shareTold: fc.integer({ min: 0, max: 1_200 }),
    delay: fc.nat(3 * hour),
    references: fc.option(fc.tuple(fc.bigInt(5_000_000n, 12_000_000n), fc.bigInt(5_000_000n, 12_000_000n)), { nil: undefined }),
  })
  .map(({ shareTold, delay, references, ...one }): Fill => ({
    ...one,
    toldPay: one.quotedPay,
    toldReceive: (one.quotedReceive * BigInt(shareTold)) / 1000n,
    quotedOn: at,
    filledOn: at + delay,
    ...(references ? { referenceQuoted: references[0], referenceFilled: references[1] } : {}),
  }));

describe('properties', () => {
  const afterwards = (before: Standing, one: Fill): Standing => {
    const { row: to, ...sums } = countFill(one);
    return to === 'none' ? before : { ...before, [to]: added(before[to] ?? emptyWindows(), sums) };
  };
  const ppm = (standing: Standing, binding: boolean, sats: bigint): number => haircutOf(standing, binding, 10_000, sats).ppm;

  test("with any record, delivering more of an order never lowers a provider's rank, whether the status or the link shows it", () => {
    fc.assert(
      fc.property(windows, windows, fill, fc.bigInt(0n, 10n ** 7n), fc.bigInt(1n, 10n ** 8n), (estimates, broken, one, more, sats) => {
        const past = standingOf(estimates, broken);
        const better = { ...one, toldReceive: (one.toldReceive ?? 0n) + more };
        const [less, full] = [countFill(one), countFill(better)];
        expect(full.deliveredSats).toBeGreaterThanOrEqual(less.deliveredSats);
        // A kept promise leaves the record as it is. The test below shows what a small shortfall may do to a bad record.
        fc.pre(less.row === full.row);
        for (const binding of [true, false])
          expect(ppm(afterwards(past, better), binding, sats)).toBeLessThanOrEqual(ppm(afterwards(past, one), binding, sats));
        if (one.ramp !== 'buy') return;
        const [linkLess, linkMore] = [
          countFill({ ...one, linkReceive: one.toldReceive ?? 0n }),
          countFill({ ...one, linkReceive: (one.toldReceive ?? 0n) + more }),
        ];
        expect(linkMore.deliveredSats).toBeGreaterThanOrEqual(linkLess.deliveredSats);
      }),
    );
  });
  test('with any record, a customer who pays late changes nothing about a promise, and one who pays less no more than by the price of what they paid', () => {
    const part = fc.tuple(fill, fc.bigInt(0n, 999n), fc.bigInt(0n, 200n), fc.boolean());
    fc.assert(
      fc.property(part, ([one, perMille, feePerMille, binding]) => {
        const dueBy = at + hour;
        expect(countFill({ ...one, binding: true, dueBy, paidOn: dueBy + 1 })).toMatchObject({ row: 'none', tells: false });
        // An honest provider fills what was paid, less a fee. Any part of the fee may be fixed.
        const fiat = one.ramp === 'buy' ? one.quotedPay : one.quotedReceive;
        const quotedFee = (fiat * feePerMille) / 1_000n;
        const paidPart = { ...one, binding, quotedFee, toldPay: (one.quotedPay * perMille) / 1_000n, filledOn: at };
        const share = (of: bigint, minus: bigint): bigint => (one.quotedPay > minus ? (of * (paidPart.toldPay - minus)) / (one.quotedPay - minus) : of);
        const fixed =
          one.ramp === 'buy' ? share(one.quotedReceive, quotedFee) : ((one.quotedReceive + quotedFee) * paidPart.toldPay) / one.quotedPay - quotedFee;
        const honest = { ...paidPart, toldReceive: fixed < 0n ? 0n : fixed };
        expect(countFill(honest)).toMatchObject({ row: 'none', tells: false });
        // Whatever is delivered for a part of the payment, no more than that part can count as missing.
        const { row, quotedSats } = countFill({ ...paidPart, toldReceive: 0n });
        const quoted = one.ramp === 'buy' ? one.quotedReceive : one.quotedPay;
        expect((row === 'none' ? 0n : quotedSats) * one.quotedPay).toBeLessThanOrEqual(quoted * paidPart.toldPay);
      }),
    );
  });
  test('with a clean record, a broken promise never raises the rank, and a kept one changes nothing', () => {
    fc.assert(
      fc.property(fill, fc.bigInt(1n, 10n ** 8n), (one, sats) => {
        const promise = { ...one, binding: true };
        const after = afterwards({}, promise);
        const kept = countFill(promise).row === 'none';
        expect([Object.keys(after).length === 0, ppm(after, true, sats) === 0]).toEqual([kept, kept]);
      }),
    );
  });
  test('the sums of a history are the same, on whichever days they are read', () => {
    const history = fc.array(fc.record({ day: fc.nat(40), one: fill }), { maxLength: 12 });
    fc.assert(
      fc.property(history, fc.array(fc.nat(40), { maxLength: 6 }), (fills, reads) => {
        const run = (looks: readonly number[]): Windows => {
          let [sums, today] = [emptyWindows(), 0];
          const moments: { day: number; one?: Fill }[] = [...fills, ...looks.map((day) => ({ day }))].sort((a, b) => a.day - b.day);
          for (const { day, one } of [...moments, { day: 60, one: undefined }]) {
            sums = decayed(sums, day - today);
            today = day;
            if (one) sums = added(sums, countFill(one));
          }
          return sums;
        };
        expect(run(reads)).toEqual(run([]));
      }),
    );
  });
});
