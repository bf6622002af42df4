import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ceilToStep, floorToStep, isOnStep, nearestTwo, nextStep, roundToStep, stepAt } from './dfx-step.ts';

describe('five significant digits of sats', () => {
  it.each([
    [1n, 1n],
    [99_999n, 1n],
    [100_000n, 10n],
    [999_999n, 10n],
    [1_000_000n, 100n],
    [9_999_999n, 100n],
    [10_000_000n, 1_000n],
    [2_100_000_000_000_000n, 100_000_000_000n],
  ])('%d has steps of %d', (sats, step) => {
    expect(stepAt(sats)).toBe(step);
  });
  it.each([
    [123_457n, 123_450n, 123_460n, 123_460n],
    [123_454n, 123_450n, 123_460n, 123_450n],
    [123_455n, 123_450n, 123_460n, 123_460n],
    [999_999n, 999_990n, 1_000_000n, 1_000_000n],
    [1_234_567n, 1_234_500n, 1_234_600n, 1_234_600n],
  ])('%d lies between %d and %d, nearer to %d', (sats, below, above, near) => {
    expect([floorToStep(sats), nextStep(sats), ceilToStep(sats), roundToStep(sats)]).toEqual([below, above, above, near]);
    expect(nearestTwo(sats)).toBe(`nearest: ${below}, ${above}`);
  });
  test('all roundings keep an amount that has five digits, and change every other amount into one that has', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2_100_000_000_000_000n), (sats) => {
        const rounded = [floorToStep, ceilToStep, roundToStep].map((round) => round(sats));
        expect([...rounded, nextStep(sats)].every(isOnStep)).toBe(true);
        expect(rounded.every((one) => one === sats)).toBe(isOnStep(sats));
        expect(nextStep(sats) > sats && floorToStep(sats) <= sats && roundToStep(sats) - sats <= stepAt(sats)).toBe(true);
      }),
    );
  });
});
