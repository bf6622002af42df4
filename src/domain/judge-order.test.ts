import { describe, expect, it } from 'vitest';
import { judgeEnd, judgeOrder, mostPay, type Accepted, type Bounds, type Made } from './judge-order.ts';

const firm: Accepted = { ramp: 'buy', pay: 10_000n, receive: 100_000n, binding: true, currency: 'EUR', option: 'SEPA' };
const estimate: Accepted = { ...firm, binding: false };
const bounds: Bounds = { slippageBps: 100 };
const judge = (accepted: Accepted, made: Partial<Made>, more: Partial<Bounds> = {}) =>
  judgeOrder(accepted, { pay: accepted.pay, receive: accepted.receive, ...made }, { ...bounds, ...more });

describe('a binding quote', () => {
  it('is repeated to the last unit, better or worse', () => {
    expect(judge(firm, {})).toBe('as-accepted');
    for (const made of [{ pay: 9_999n }, { pay: 10_001n }, { receive: 99_999n }, { receive: 100_001n }]) expect(judge(firm, made)).toBe('price-changed');
  });

  it('has no slippage', () => expect(judge(firm, { receive: 99_999n }, { slippageBps: 10_000 })).toBe('price-changed'));
});

describe('an estimate', () => {
  it('may be worse by the slippage, and not by one unit more', () => {
    expect(judge(estimate, { receive: 99_000n })).toBe('as-accepted');
    expect(judge(estimate, { receive: 98_999n })).toBe('price-changed');
    // 10 sats per unit were accepted: 100,000 / 10,101 is less than one per cent below that, 100,000 / 10,102 is more.
    expect(judge(estimate, { pay: 10_101n })).toBe('as-accepted');
    expect(judge(estimate, { pay: 10_102n })).toBe('price-changed');
  });

  it('is held to the net result, not to each amount', () => {
    expect(judge(estimate, { pay: 5_000n, receive: 49_500n })).toBe('as-accepted');
    expect(judge(estimate, { pay: 5_000n, receive: 49_499n })).toBe('price-changed');
  });

  it('asks for no more than the accepted amount plus the slippage, whatever the price', () => {
    expect(judge(estimate, { pay: 10_101n, receive: 1_000_000n })).toBe('as-accepted');
    for (const times of [2n, 10n, 10_000n]) expect(judge(estimate, { pay: 10_000n * times, receive: 200_000n * times })).toBe('price-changed');
    expect(judge({ ...estimate, ramp: 'sell' }, { pay: 20_000n, receive: 200_000n })).toBe('price-changed');
  });

  it('may be as much better as it likes', () => expect(judge(estimate, { receive: 1_000_000n })).toBe('as-accepted'));

  it('without slippage is as accepted or better', () => {
    expect(judge(estimate, {}, { slippageBps: 0 })).toBe('as-accepted');
    expect(judge(estimate, { receive: 99_999n }, { slippageBps: 0 })).toBe('price-changed');
  });
});

describe('the largest amount that an order may ask for', () => {
  it.each<[string, boolean, Bounds, bigint]>([
    ['a binding quote: the accepted amount', true, { slippageBps: 100 }, 10_000n],
    ['an estimate: more by the slippage, rounded down', false, { slippageBps: 100 }, 10_101n],
    ['an estimate without slippage: the accepted amount', false, { slippageBps: 0 }, 10_000n],
    ['an estimate with a slippage of half', false, { slippageBps: 5_000 }, 20_000n],
    ['a slippage one basis point below the whole', false, { slippageBps: 9_999 }, 100_000_000n],
    ['a slippage of the whole counts as one basis point less', false, { slippageBps: 10_000 }, 100_000_000n],
    ["the customer's own limit, if it is lower", false, { slippageBps: 100, maxPay: 10_100n }, 10_100n],
    ["the slippage, if the customer's own limit is higher", false, { slippageBps: 100, maxPay: 10_102n }, 10_101n],
    ["the customer's own limit on a binding quote, if it is lower", true, { slippageBps: 100, maxPay: 9_999n }, 9_999n],
    ["the binding quote, if the customer's own limit is higher", true, { slippageBps: 100, maxPay: 10_001n }, 10_000n],
  ])('%s', (_, binding, limits, most) => expect(mostPay({ pay: 10_000n, binding }, limits)).toBe(most));
});

it.each([{ pay: 10n ** 20n }, { receive: 10n ** 20n }, { fee: 10n ** 20n }, { fee: -(10n ** 20n) }])(
  'an order with an amount that no column can hold is not this one: %o',
  (made) => {
    for (const accepted of [firm, estimate]) expect(judge(accepted, made)).toBe('differs');
  },
);

describe("the customer's own limits", () => {
  it.each([firm, estimate])('is the least that they receive', (accepted) => {
    expect(judge(accepted, {}, { minReceive: 100_000n })).toBe('as-accepted');
    expect(judge(accepted, {}, { minReceive: 100_001n })).toBe('price-changed');
  });

  it.each([firm, estimate])('is the most that they pay', (accepted) => {
    expect(judge(accepted, {}, { maxPay: 10_000n })).toBe('as-accepted');
    expect(judge(accepted, {}, { maxPay: 9_999n })).toBe('price-changed');
  });
});

describe('inbound capacity', () => {
  const channel: Accepted = { ramp: 'liquidity', pay: 10_000n, receive: 0n, binding: false };

  it('has nothing received to divide by, so its cost is compared', () => {
    expect(judge(channel, {})).toBe('as-accepted');
    expect(judge(channel, { pay: 10_100n })).toBe('as-accepted');
    expect(judge(channel, { pay: 10_101n })).toBe('price-changed');
  });

  it('may turn out to be free', () => {
    expect(judge(channel, { pay: 0n })).toBe('as-accepted');
    expect(judge({ ...channel, pay: 0n, binding: true }, { pay: 0n })).toBe('as-accepted');
    expect(judge({ ...channel, pay: 0n, binding: true }, { pay: 1n })).toBe('price-changed');
    expect(judge(channel, { pay: -1n })).toBe('differs');
  });

  it('leaves the customer at least what was promised', () => {
    const some = { ...channel, receive: 500n };
    expect(judge(some, { receive: 500n })).toBe('as-accepted');
    expect(judge(some, { receive: 501n })).toBe('as-accepted');
    expect(judge(some, { receive: 499n })).toBe('price-changed');
  });
});

describe('not an order of this quote at all', () => {
  it('costs nothing, or gives less than nothing', () => {
    expect(judge(firm, { pay: 0n })).toBe('differs');
    expect(judge(firm, { pay: -1n })).toBe('differs');
    expect(judge(firm, { receive: -1n })).toBe('differs');
    // An amount of one unit is possible, and so is nothing to receive: a channel may have only inbound capacity.
    expect(judge(firm, { pay: 1n })).toBe('price-changed');
    expect(judge(firm, { receive: 0n })).toBe('price-changed');
  });

  it('is in another currency, or by another option', () => {
    expect(judge(firm, { echo: { currency: 'USD' } })).toBe('differs');
    expect(judge(firm, { echo: { option: 'Card' } })).toBe('differs');
    expect(judge(firm, { echo: { currency: 'EUR', option: 'SEPA' } })).toBe('as-accepted');
    expect(judge(firm, { echo: { currency: 'USD', option: 'SEPA' } })).toBe('differs');
  });
});

describe('the expiry of an order', () => {
  const now = Date.UTC(2026, 10, 21);
  const quoted = { binding: true, expiresOn: now + 3 * 86_400_000 };
  it.each([
    ['ten seconds ago', now - 10_000, 'over'],
    ['at once', now, 'over'],
    ['in five seconds, too soon for any payment', now + 5_000, 'over'],
    ['before its binding quote', now + 600_000, 'price-changed'],
    ['with its quote, within the tolerance for clocks', now + 3 * 86_400_000 - 15_000, 'in-time'],
    ['a second before that', now + 3 * 86_400_000 - 16_000, 'price-changed'],
    ['after its quote', now + 4 * 86_400_000, 'in-time'],
    ['never named', undefined, 'in-time'],
  ])('%s', (_, endsOn, judged) => expect(judgeEnd(quoted, endsOn, now + 15_000)).toBe(judged));
  it.each([true, false])('that is never named is its quote’s (binding: %s)', (binding) => {
    const until = (expiresOn: number) => judgeEnd({ binding, expiresOn }, undefined, now + 15_000);
    expect([until(now + 15_001), until(now + 15_000), until(now - 1), judgeEnd({ binding }, undefined, now)]).toEqual(['in-time', 'over', 'over', 'in-time']);
  });
  it('in whole minutes may be a minute before its quote, and no more', () => {
    const late = { binding: true, expiresOn: now + 3_659_999 };
    expect(judgeEnd(late, now + 3_600_000, now)).toBe('in-time');
    expect(judgeEnd(late, now + 3_600_001, now)).toBe('price-changed');
    expect(judgeEnd({ ...late, expiresOn: now + 3_674_999 }, now + 3_600_000, now)).toBe('in-time');
    expect(judgeEnd({ ...late, expiresOn: now + 3_675_000 }, now + 3_600_000, now)).toBe('price-changed');
    expect(judgeEnd(late, now + 3_600_000, now + 3_600_000)).toBe('over');
  });
  it('may be any time in the future for an estimate', () => expect(judgeEnd({ binding: false, expiresOn: now + 900_000 }, now + 60_000, now)).toBe('in-time'));
});
