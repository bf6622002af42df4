import { expect, test } from 'vitest';
import { amountNames, exchanged, fiatAndSats, isClaimed, isExchange, isFiatFixed, ramps, sides, type ExchangeRamp } from './ramp.ts';

const exchanges: ExchangeRamp[] = ['buy', 'sell'];

test('a ramp has a price if one side is fiat', () => {
  expect(ramps.filter(isExchange)).toEqual(exchanges);
});

test('an exchange names its amounts by their unit', () => {
  for (const ramp of exchanges) for (const side of ['pay', 'receive'] as const) expect(amountNames[ramp][side]).toBe(`amount_${sides[ramp][side]}`);
});

test('fiat is fixed if the fixed side is the fiat side', () => {
  const fixed = exchanges.flatMap((ramp) => (['pay', 'receive'] as const).map((side) => isFiatFixed({ ramp, fixed: side })));
  expect(fixed).toEqual([true, false, false, true]);
});

test('amounts by unit, whichever side they are on', () => {
  expect(fiatAndSats('buy', { pay: 10_000, receive: 105_000 })).toEqual({ fiat: 10_000, sats: 105_000 });
  expect(fiatAndSats('sell', { pay: 105_000, receive: 10_000 })).toEqual({ fiat: 10_000, sats: 105_000 });
});

test('the fee is not exchanged: it comes off what is paid in, or was taken from what is paid out', () => {
  expect(exchanged('buy', { pay: 10_000n, receive: 105_000n, fee: 100n })).toEqual({ fiat: 9_900n, sats: 105_000n });
  expect(exchanged('sell', { pay: 105_000n, receive: 9_900n, fee: 100n })).toEqual({ fiat: 10_000n, sats: 105_000n });
});

test.each([
  ['buy', undefined, true],
  ['buy', 'push', false],
  ['sell', undefined, false],
  ['sell', 'push', false],
  ['liquidity', undefined, false],
  ['liquidity', 'push', false],
] as const)('%s with payout %s: whether the customer has to withdraw the sats: %s', (ramp, payout, claimed) => {
  expect(isClaimed(ramp, payout)).toBe(claimed);
});
