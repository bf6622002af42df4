import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outsideLimits, outsideSats, priceOf, readRate, satsFor, type Rate } from './bringin-price.ts';

const rateOf = (price: string, bringinPrice: string): Rate => {
  const rate = readRate({ ticker: 'BTCEUR', price, bringinPrice, currency: 'EUR' });
  if (!rate) throw new Error('no rate');
  return rate;
};
const usual = rateOf('91800.00', '90882.00');

describe('rates', () => {
  test('decimals exactly: the market in cents, rounded down', () => {
    expect(rateOf('25188.12', '24936.2388')).toEqual({ btcPrice: 2_518_812n, centsPerSat: { digits: 249_362_388n, scale: 10 } });
    expect(rateOf('25188.129', '24936').btcPrice).toBe(2_518_812n);
    expect(rateOf('1e5', '99999.999999999').btcPrice).toBe(10_000_000n);
  });
  test('never better than the market as it is shown, so the fee is never negative', () => {
    expect(priceOf(rateOf('91800.009', '91800.009'), 'pay', 1_000_000_000n)).toEqual({ pay: 1_000_000_000n, receive: 91_800_000n, fee: 0n });
  });
  test.each([
    ['another pair', 'USDCEUR', '0.91', '0.9018'],
    ['no decimal', 'BTCEUR', '91.800,00', '90882'],
    ['a sign', 'BTCEUR', '91800', '-90882'],
    ['zero', 'BTCEUR', '91800', '0'],
    ['a market of nothing', 'BTCEUR', '0.001', '0.001'],
    ['infinite', 'BTCEUR', 'Infinity', '90882'],
    ['better than the market', 'BTCEUR', '91800.00', '91800.01'],
  ])('%s is no rate', (_name, ticker, price, bringinPrice) => {
    expect(readRate({ ticker, price, bringinPrice, currency: 'EUR' })).toBeUndefined();
  });
});

describe('prices', () => {
  test('250,000 sats at 91,800.00 less 2.30 are 227.20', () => {
    expect(priceOf(usual, 'pay', 250_000n)).toEqual({ pay: 250_000n, receive: 22_720n, fee: 230n });
  });
  test('for euros to receive: the fewest sats that give them', () => {
    expect(priceOf(usual, 'receive', 22_720n)).toEqual({ pay: 249_995n, receive: 22_720n, fee: 229n });
    expect(priceOf(usual, 'pay', 249_994n).receive).toBe(22_719n);
  });
  test('when one sat is more than a cent, no less than asked arrives', () => {
    expect(priceOf(rateOf('5000000', '4999999'), 'receive', 1_001n)).toEqual({ pay: 201n, receive: 1_004n, fee: 1n });
  });
  test('both directions agree, and the amount received plus the fee is the market price', () => {
    const rates = fc.tuple(fc.integer({ min: 1, max: 99_999_999 }), fc.integer({ min: 0, max: 9_999 }), fc.integer({ min: 9_000, max: 10_000 }));
    fc.assert(
      fc.property(rates, fc.bigInt(1n, 10n ** 12n), ([euros, fraction, share], amount) => {
        const price = `${euros}.${fraction.toString().padStart(4, '0')}`;
        const after = (BigInt(euros) * 10_000n + BigInt(fraction)) * BigInt(share);
        const rate = rateOf(price, `${after / 10n ** 8n}.${(after % 10n ** 8n).toString().padStart(8, '0')}`);
        const paid = priceOf(rate, 'pay', amount);
        expect(paid.receive + paid.fee).toBe((amount * rate.btcPrice) / 100_000_000n);
        expect(paid.fee).toBeGreaterThanOrEqual(0n);
        const received = priceOf(rate, 'receive', amount);
        expect(received.receive).toBeGreaterThanOrEqual(amount);
        expect(priceOf(rate, 'pay', received.pay - 1n).receive).toBeLessThan(amount);
      }),
    );
  });
});

describe('limits, in the unit of the request', () => {
  const limits = { min_fiat: 2_200, max_fiat: 100_000 };
  const judge = (fixed: 'pay' | 'receive', amount: bigint): unknown => outsideLimits(usual, fixed, priceOf(usual, fixed, amount), limits);
  test('euros', () => {
    expect([2_200n, 100_000n].map((amount) => judge('receive', amount))).toEqual([undefined, undefined]);
    expect(judge('receive', 2_199n)).toEqual({ reason: 'below-minimum', limits: { minReceive: 2_200n, maxReceive: 100_000n } });
    expect(judge('receive', 100_001n)).toEqual({ reason: 'above-maximum', limits: { minReceive: 2_200n, maxReceive: 100_000n } });
  });
  test('in sats: the stated limits are themselves allowed', () => {
    const [minPay, maxPay] = [24_208n, 1_100_338n];
    expect([minPay, maxPay].map((amount) => judge('pay', amount))).toEqual([undefined, undefined]);
    expect(judge('pay', minPay - 1n)).toEqual({ reason: 'below-minimum', limits: { minPay, maxPay } });
    expect(judge('pay', maxPay + 1n)).toEqual({ reason: 'above-maximum', limits: { minPay, maxPay } });
    expect(satsFor(usual, 2_200n)).toBe(minPay);
  });
  test('without a maximum none is named', () => {
    expect(outsideLimits(usual, 'receive', priceOf(usual, 'receive', 1n), { min_fiat: 2_200 })).toEqual({
      reason: 'below-minimum',
      limits: { minReceive: 2_200n },
    });
  });
  test('of the receiver, in sats', () => {
    const price = { pay: 250_000n, receive: 22_720n };
    expect([outsideSats({ min: 250_000n, max: 250_000n }, 'pay', price), outsideSats({ min: 0n, max: 10n ** 9n }, 'receive', price)]).toEqual([
      undefined,
      undefined,
    ]);
    expect(outsideSats({ min: 250_001n, max: 300_000n }, 'pay', price)).toEqual({ reason: 'below-minimum', limits: { minPay: 250_001n, maxPay: 300_000n } });
    expect(outsideSats({ min: 1n, max: 249_999n }, 'receive', price)).toEqual({ reason: 'above-maximum', limits: { minReceive: 1n, maxReceive: 22_719n } });
  });
});
