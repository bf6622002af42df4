import { describe, expect, it } from 'vitest';
import type { Decimal } from './bitrefill-decimal.ts';
import { ceilTo, readDecimal, wholeOf } from './bitrefill-decimal.ts';
import { priceOf } from './bitrefill.simulator-price.ts';
import { createState } from './bitrefill.simulator-state.ts';
import { amountsOf, estimate, rawPrice, refusalFor, type Range } from './bitrefill-price.ts';

const decimal = (text: string): Decimal => {
  const read = readDecimal(text);
  if (!read) throw new Error(`${text} is no decimal`);
  return read;
};
/** The ranges in Bitrefill's Thor API document: the one for recharges is of July 2019, those for channels of October 2019. */
const ranges: Record<'recharge' | 'channel' | 'turbo', Range> = {
  recharge: { min: 500n, max: 4_294_967n, step: 1n, rate: decimal('1.0200634879994863'), purchaseFee: decimal('300.1106152450074') },
  channel: { min: 500_000n, max: 16_777_215n, step: 1n, rate: decimal('0.015185658220118399'), purchaseFee: decimal('10023') },
  turbo: { min: 500_000n, max: 8_388_607n, step: 1n, rate: decimal('1.047072761487067'), purchaseFee: decimal('10016.480236160778') },
};
/** Rounds to hundredths of a sat, half up. */
const cents = ({ n, d }: Decimal): string => {
  const hundredths = (n * 200n + d) / (2n * d);
  return `${hundredths / 100n}.${(hundredths % 100n).toString().padStart(2, '0')}`;
};

describe('decimals', () => {
  it.each([
    ['10023', 10_023n, 1n],
    ['1.0200634879994863', 10_200_634_879_994_863n, 10n ** 16n],
    ['9.739384389926184e-05', 9_739_384_389_926_184n, 10n ** 20n],
    ['1.5E+3', 1_500n, 1n],
    ['0', 0n, 1n],
  ])('%s is exact', (text, n, d) => expect(readDecimal(text)).toEqual({ n, d }));
  it('digits and exponents are the same number', () =>
    expect(ceilTo(decimal('0.0000010671007137192704'), 1n) === ceilTo(decimal('1.0671007137192704e-06'), 1n)).toBe(true));
  it.each(['', 'NaN', 'Infinity', '0x10', '1,5', '1e', '.5', '1e999', ' 1', '1_000'])('%j is none', (text) => expect(readDecimal(text)).toBeUndefined());
  it('a fraction is no whole number', () => expect([wholeOf(decimal('1.5')), wholeOf(decimal('2.0'))]).toEqual([undefined, 2n]));
  it('17 digits are kept where a float loses them', () => expect(wholeOf(decimal('90071992547409931'))).toBe(90_071_992_547_409_931n));
});

/** The last column is `high` minus the delivered balance. For channels without a balance, it is `high`. */
describe('reference values, every row', () => {
  it.each([
    ['recharge', 500n, '810.14', 811n, 900n, 400n],
    ['recharge', 1_000n, '1320.17', 1_321n, 1_400n, 400n],
    ['recharge', 100_000n, '102306.46', 102_307n, 102_400n, 2_400n],
    ['recharge', 1_000_000n, '1020363.60', 1_020_364n, 1_020_400n, 20_400n],
    ['recharge', 4_294_967n, '4381439.13', 4_381_440n, 4_381_500n, 86_533n],
    ['channel', 500_000n, '17615.83', 17_616n, 17_700n, 17_700n],
    ['channel', 1_000_000n, '25208.66', 25_209n, 25_300n, 25_300n],
    ['channel', 2_000_000n, '40394.32', 40_395n, 40_400n, 40_400n],
    ['channel', 16_777_215n, '264796.05', 264_797n, 264_800n, 264_800n],
    ['turbo', 500_000n, '533552.86', 533_553n, 533_600n, 33_600n],
    ['turbo', 1_000_000n, '1057089.24', 1_057_090n, 1_057_100n, 57_100n],
  ] as const)('%s %s: %s sat', (product, value, raw, up1, up100, fee) => {
    const range = ranges[product];
    const price = rawPrice(range, value);
    expect([cents(price), ceilTo(price, 1n), ceilTo(price, 100n)]).toEqual([raw, up1, up100]);
    const high = estimate({ range }, value)?.high ?? 0n;
    expect(high).toBe(up100);
    expect(high - (product === 'channel' ? 0n : value)).toBe(fee);
  });
});

describe('what is known of real prices', () => {
  it('the one package beside a range: 500,000 for 510,400, which only fee and rounding up to 100 explain', () => {
    const raw = rawPrice(ranges.recharge, 500_000n);
    expect([cents(raw), estimate({ range: ranges.recharge }, 500_000n)]).toEqual(['510331.85', { low: 510_032n, high: 510_400n }]);
    const withoutFee = rawPrice({ ...ranges.recharge, purchaseFee: decimal('0') }, 500_000n);
    expect([ceilTo(withoutFee, 100n), ceilTo(raw, 1_000n)]).toEqual([510_100n, 511_000n]);
  });
  it('the order of the same day that had no fee lies between low and high', () => {
    expect(estimate({ range: ranges.recharge }, 1_000n)).toEqual({ low: 1_021n, high: 1_400n });
    expect(ceilTo(rawPrice({ ...ranges.recharge, purchaseFee: decimal('0') }, 1_000n), 100n)).toBe(1_100n);
  });
});

it('the simulator, which counts in floats, comes to the same prices', () => {
  const state = createState({ id: 'bitrefill' });
  const slugOf = { recharge: 'lightning-recharge', channel: 'lightning-channel', turbo: 'turbo-lightning-channel' } as const;
  const differing = (['recharge', 'channel', 'turbo'] as const).flatMap((product) => {
    const range = ranges[product];
    const values = Array.from({ length: 1_000 }, (_, index) => range.min + ((range.max - range.min) * BigInt(index)) / 999n);
    return values.filter((value) => BigInt(priceOf(state, slugOf[product], Number(value), 'bitcoin') ?? 0) !== estimate({ range }, value)?.high);
  });
  expect(differing).toEqual([]);
});

describe('packages', () => {
  const card = { packages: [1_000_000n, 2_000_000n, 5_000_000n].map((value) => ({ value, price: value / 25n })) };
  it('have one price each', () => expect([estimate(card, 2_000_000n), estimate(card, 2_000_001n)]).toEqual([{ low: 80_000n, high: 80_000n }, undefined]));
  it('are listed with their smallest, largest and common step', () => expect(amountsOf(card)).toEqual({ min: 1_000_000n, max: 5_000_000n, step: 1_000_000n }));
  it('between them is off the step, with the neighbours', () =>
    expect(refusalFor(card, 3_000_000n, 'min')).toEqual({
      reason: 'off-step',
      limits: { minReceive: 1_000_000n, maxReceive: 5_000_000n },
      detail: 'nearest: 2000000, 5000000',
    }));
  it('one alone has a step of 1', () => expect(amountsOf({ packages: card.packages.slice(0, 1) })?.step).toBe(1n));
  it('none are out of stock', () => expect(refusalFor({ packages: [] }, 1n, 'min')).toEqual({ reason: 'option-unsupported', note: 'out-of-stock' }));
});

describe('limits', () => {
  const range = { ...ranges.channel, min: 500_001n, max: 600_000n, step: 1_000n };
  const limits = { minReceive: 500_001n, maxReceive: 600_000n };
  it.each([
    [500_000n, { reason: 'below-minimum', limits }],
    [-5n, { reason: 'below-minimum', limits }],
    [600_001n, { reason: 'above-maximum', limits }],
    [502_000n, { reason: 'off-step', limits, detail: 'nearest: 501001, 502001' }],
    [599_999n, { reason: 'off-step', limits, detail: 'nearest: 599001' }],
  ] as const)('%s', (value, refusal) => expect(refusalFor({ range }, value, 'min')).toEqual(refusal));
  it('the ends of a range are on sale', () =>
    expect([refusalFor({ range: ranges.recharge }, 500n, 'min'), refusalFor({ range: ranges.recharge }, 4_294_967n, 'min')]).toEqual([undefined, undefined]));
  it('steps counted from zero', () => {
    expect(refusalFor({ range }, 502_000n, 'zero')).toBeUndefined();
    expect(refusalFor({ range }, 500_001n, 'zero')).toEqual({ reason: 'off-step', limits, detail: 'nearest: 501000' });
  });
});
