import fc from 'fast-check';
import { expect, test } from 'vitest';
import { correctedAsk, firstAsk, judgeAsk, outwardLimits } from './fee-styles.ts';

test('the first ask leaves room for the listed rate', () => {
  expect([firstAsk(10_000n, 5_000), firstAsk(10_000n, 0), firstAsk(10_000n, 15_000)]).toEqual([9_950n, 10_000n, 9_852n]);
});

test('a fee that fits is accepted; one that does not fit is corrected once', () => {
  expect(judgeAsk(10_000n, 9_950n, 50n, false)).toBe('fits');
  expect(judgeAsk(10_000n, 9_950n, 51n, false)).toEqual({ ask: 9_949n });
  expect(judgeAsk(10_000n, correctedAsk(10_000n, 51n), 51n, true)).toBe('fits');
  expect(judgeAsk(10_000n, 9_949n, 52n, true)).toBe('fee-unresolved');
  expect(judgeAsk(10_000n, 9_950n, 10_000n, false)).toBe('fee-unresolved');
});

test('a fee below the listed rate leaves much of the total unused, so more is asked for once', () => {
  expect(judgeAsk(10_000n, 9_852n, 98n, false)).toBe('fits');
  expect(judgeAsk(10_000n, 9_852n, 49n, true)).toBe('fits');
  const fees = { '0.5 %': (ask: bigint) => (ask * 5n + 500n) / 1000n, '0.49': () => 49n, nothing: () => 0n };
  for (const [name, feeOf] of Object.entries(fees))
    for (const total of [10_000n, 100_000n, 1_234_567n]) {
      const first = firstAsk(total, 15_000);
      const next = judgeAsk(total, first, feeOf(first), false);
      if (typeof next === 'string') throw new Error(`${name}: ${next}`);
      const sum = next.ask + feeOf(next.ask);
      expect([name, judgeAsk(total, next.ask, feeOf(next.ask), true), sum * 10_000n >= total * 9_950n]).toEqual([name, 'fits', true]);
    }
  // Rounding alone.
  expect(judgeAsk(50n, 48n, 0n, false)).toBe('fits');
});

test('limits of the style `added` get their fee, those of `included` stay', () => {
  expect(outwardLimits({ min: 1_001n, max: 99_999n }, 5_000, 'added')).toEqual({ min: 1_007n, max: 100_498n });
  expect(outwardLimits({ min: 1_001n, max: 99_999n }, 5_000, 'included')).toEqual({ min: 1_001n, max: 99_999n });
  expect(outwardLimits({ max: 99_999n }, 5_000, 'added')).toEqual({ max: 100_498n });
});

test("a total inside the outward limits gives an ask inside the provider's, and ask + listed fee never exceeds the total", () => {
  fc.assert(
    fc.property(
      fc.bigInt(1n, 10_000n),
      fc.bigInt(1n, 10n ** 9n),
      fc.integer({ min: 0, max: 200_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (min, span, feePpm, where) => {
        const max = min + span;
        const outward = outwardLimits({ min, max }, feePpm, 'added');
        const low = outward.min ?? 0n;
        const total = low + (((outward.max ?? 0n) - low) * BigInt(Math.floor(where * 1000))) / 1000n;
        fc.pre(total >= low && total <= (outward.max ?? 0n));
        const ask = firstAsk(total, feePpm);
        expect(ask >= min && ask <= max).toBe(true);
        expect(judgeAsk(total, ask, (ask * BigInt(feePpm)) / 1_000_000n, false)).toBe('fits');
      },
    ),
  );
});
