/** The figures follow from the formulas of DFX's transaction-helper.ts at 80,000 EUR per bitcoin, 1.49 % for buying and 0.99 % for selling. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { buyPrice, offStep, sellPrice } from './dfx-price.ts';
import { quoteReply, type QuoteReply } from './dfx-wire.ts';

const replyOf = (members: object): QuoteReply => quoteReply.parse({ isValid: true, ...members });
const hundred = { amount: 100, estimatedAmount: 0.0012314, exchangeRate: 80_000, rate: 81_210.03, fees: { dfx: 1.49, total: 1.49 } };
const wantedSats = { amount: 87.6, estimatedAmount: 0.0010787, exchangeRate: 80_000, rate: 81_214.44, fees: { total: 1.31 } };
const quarter = { amount: 0.0025, estimatedAmount: 198.02, exchangeRate: 0.0000125, rate: 0.000012625, feesTarget: { total: 1.98 } };

describe('buying for an amount of fiat', () => {
  it('promises what the rate gives, not the rounded amount', () => {
    expect(buyPrice({ fixed: 'pay', amount: 10_000n }, replyOf(hundred))).toEqual({
      price: { pay: 10_000n, receive: 123_137n, fee: 149n, btcPrice: 8_000_000n },
    });
  });
  it('does the same below 100,000 sats, where a step is one sat', () => {
    const reply = replyOf({ amount: 49.9, estimatedAmount: 0.00061438, exchangeRate: 80_000, rate: 81_220.75, fees: { total: 0.75 } });
    expect(buyPrice({ fixed: 'pay', amount: 4_990n }, reply)).toEqual({ price: { pay: 4_990n, receive: 61_437n, fee: 75n, btcPrice: 8_000_000n } });
  });
  it('rounds a fee and an amount up to the cent', () => {
    const reply = replyOf({ ...hundred, amount: 99.991, fees: { total: '1.4801' } });
    expect(buyPrice({ fixed: 'pay', amount: 10_000n }, reply)).toMatchObject({ price: { pay: 10_000n, fee: 149n } });
  });
  it.each([
    ['a rate far below the amounts', { rate: 40_000 }],
    ['a rate far above them', { rate: 162_420 }],
    ['a rate that the rounding swallows', { rate: 0.005 }],
    ['an estimate two steps too high', { estimatedAmount: 0.0012316 }],
    ['an estimate two steps too low', { estimatedAmount: 0.0012311 }],
    ['an amount of nothing', { amount: 0 }],
    ['no amount', { amount: null }],
    ['no estimate', { estimatedAmount: 'soon' }],
    ['no rate', { rate: -81_210.03 }],
    ['no fees', { fees: {} }],
    ['a negative fee', { fees: { total: -1 } }],
  ])('does not believe %s', (_what, lie) => {
    expect(() => buyPrice({ fixed: 'pay', amount: 10_000n }, replyOf({ ...hundred, ...lie }))).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });
  it('reads an answer without an exchange rate', () => {
    expect(buyPrice({ fixed: 'pay', amount: 10_000n }, replyOf({ ...hundred, exchangeRate: null }))).toEqual({
      price: { pay: 10_000n, receive: 123_137n, fee: 149n },
    });
  });
  test('never promises more than DFX calculates, and at most one sat less', () => {
    const cases = fc.tuple(fc.bigInt(2_000_000n, 20_000_000n), fc.bigInt(100n, 5_000_000n), fc.bigInt(0n, 300n));
    fc.assert(
      fc.property(cases, ([centsPerBtc, pay, feeBps]) => {
        // Exactly: pay × (1 − fee) / price, in sats, as numerator and denominator.
        const [above, below] = [pay * (10_000n - feeBps) * 100_000_000n, 10_000n * centsPerBtc];
        // pay / sats per bitcoin, in cents, half up.
        const rateCents = (2n * centsPerBtc * 10_000n + (10_000n - feeBps)) / (2n * (10_000n - feeBps));
        const sats = above / below;
        const step = 10n ** BigInt(Math.max(0, sats.toString().length - 5));
        const shown = ((2n * above + below * step) / (2n * below * step)) * step;
        const decimal = (units: bigint, places: number): string => {
          const digits = units.toString().padStart(places + 1, '0');
          return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
        };
        const reply = replyOf({ amount: decimal(pay, 2), estimatedAmount: decimal(shown, 8), rate: decimal(rateCents, 2), fees: { total: 0 } });
        const priced = buyPrice({ fixed: 'pay', amount: pay }, reply);
        const receive = 'price' in priced ? priced.price.receive : 0n;
        expect(receive * below <= above).toBe(true);
        // The rate is at least 2,000,000 cents, and taken at most one cent too high. So the sats are at most one part in 2,000,000 too few.
        expect(sats - receive <= 1n + sats / 2_000_000n).toBe(true);
      }),
    );
  });
});

describe('buying an amount of sats', () => {
  it('answers for the asked amount, which DFX only repeats rounded', () => {
    expect(buyPrice({ fixed: 'receive', amount: 107_869n }, replyOf(wantedSats))).toEqual({
      price: { pay: 8_760n, receive: 107_869n, fee: 131n, btcPrice: 8_000_000n },
    });
  });
  it('refuses an answer that was rounded to another amount, with the two amounts around the asked one', () => {
    expect(buyPrice({ fixed: 'receive', amount: 107_869n }, replyOf({ ...wantedSats, estimatedAmount: 0.0010786 }))).toEqual({
      refusal: { reason: 'off-step', detail: 'nearest: 107860, 107870' },
    });
  });
  it.each([
    ['another amount than one that has five digits', 107_870n, { estimatedAmount: 0.001079 }],
    ['an amount of fiat that is far too low', 107_869n, { amount: 80 }],
    ['an amount of fiat that is far too high', 107_869n, { amount: 95 }],
  ])('does not believe %s', (_what, amount, lie) => {
    expect(() => buyPrice({ fixed: 'receive', amount }, replyOf({ ...wantedSats, ...lie }))).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });
});

describe('selling an amount of sats', () => {
  it('brings the estimate, less a fee that is named in fiat', () => {
    expect(sellPrice({ fixed: 'pay', amount: 250_000n }, replyOf(quarter))).toEqual({
      price: { pay: 250_000n, receive: 19_802n, fee: 198n, btcPrice: 8_000_000n },
    });
  });
  it.each([
    [123_457n, 'nearest: 123450, 123460'],
    [1_234_567n, 'nearest: 1234500, 1234600'],
  ])('refuses %d sats, which have more than five digits', (amount, detail) => {
    expect(offStep({ fixed: 'pay', amount })).toEqual({ reason: 'off-step', detail });
  });
  it.each([99_999n, 123_450n, 1_234_500n, 100_000_000n])('takes %d sats', (amount) => {
    expect(offStep({ fixed: 'pay', amount })).toBeUndefined();
  });
  it('repeats the amount of the answer, so that the gateway sees another one', () => {
    const reply = replyOf({ ...quarter, amount: 0.0012345, estimatedAmount: 97.78 });
    expect(sellPrice({ fixed: 'pay', amount: 123_460n }, reply)).toMatchObject({ price: { pay: 123_450n } });
  });
  it.each([
    ['an estimate that the rate does not give', { estimatedAmount: 199.02 }],
    ['a rate in the other direction', { rate: 79_208 }],
    ['a rate of nothing', { rate: 0 }],
    ['an amount of nothing', { amount: 0 }],
    ['no estimate', { estimatedAmount: null }],
    ['no fee in fiat', { feesTarget: null }],
  ])('does not believe %s', (_what, lie) => {
    expect(() => sellPrice({ fixed: 'pay', amount: 250_000n }, replyOf({ ...quarter, ...lie }))).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });
  it('reads numbers with exponents', () => {
    expect(sellPrice({ fixed: 'pay', amount: 250_000n }, replyOf({ ...quarter, rate: '1.2625e-5', exchangeRate: '1.25e-5' }))).toMatchObject({
      price: { receive: 19_802n, btcPrice: 8_000_000n },
    });
  });
});

describe('selling for an amount of fiat', () => {
  it('asks for the step above the amount that DFX rounded down', () => {
    // 198.05 needs 250,037.9 sats.
    const reply = replyOf({ ...quarter, amount: 0.0025003, estimatedAmount: 198.05 });
    expect(sellPrice({ fixed: 'receive', amount: 19_805n }, reply)).toMatchObject({ price: { pay: 250_040n, receive: 19_805n } });
    expect(offStep({ fixed: 'receive', amount: 19_805n })).toBeUndefined();
  });
});
