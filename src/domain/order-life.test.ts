import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AdvanceKind, Evidence, OrderNow } from './order-life.ts';
import {
  advance,
  byTheClock,
  followedUntil,
  holdMs,
  holdsAmount,
  isFinal,
  isUnpaid,
  lapsed,
  lastPaymentOn,
  longestHoldMs,
  matchSlackMs,
  mayBePaid,
  noLaterThanExpiry,
  orderStatus,
  progressOf,
  refreshDelayMs,
  saysMoney,
  saysPaid,
} from './order-life.ts';
import type { IntentState, Stage } from './order.ts';

const rising = ['awaiting_payment', 'expired', 'failed', 'underpaid', 'paid', 'filled', 'finished', 'refunded'] as const;
const now = 1_000_000;
const order = (more: Partial<OrderNow> = {}): OrderNow => ({ stage: 'awaiting_payment', binding: true, pay: 10_000n, receive: 107_869n, ...more });
const says = (stage: Stage | undefined, more: Partial<Evidence> = {}): Evidence => ({
  rawStatus: stage ?? 'frobnicated',
  ...(stage ? { stage } : {}),
  ...more,
});
const go = (from: Partial<OrderNow>, evidence: Evidence): [Stage, AdvanceKind] => {
  const { next, kind } = advance(order(from), evidence, now);
  return [next, kind];
};

test('an unknown word is still pending, with the word in the warning', () => {
  expect(advance(order({ stage: 'paid' }), says(undefined), now)).toEqual({ next: 'paid', kind: 'unknown', note: 'unknown status "frobnicated"' });
  expect(go({ stage: 'review', before: 'paid' }, says(undefined))).toEqual(['review', 'unknown']);
});

test('money next to an unknown word is never overlooked: the order is paid, or in review if it had ended unpaid', () => {
  const withMoney = says(undefined, { moneySeen: true });
  expect(advance(order(), withMoney, now)).toEqual({ next: 'paid', kind: 'unknown', note: 'unknown status "frobnicated", with a payment' });
  const owed = { next: 'review', kind: 'undelivered', note: 'paid, then an unknown status "frobnicated"', reason: 'paid-not-delivered' };
  expect(advance(order({ expiresOn: now }), withMoney, now)).toEqual(owed);
  for (const stage of ['expired', 'failed'] as const) expect(advance(order({ stage }), withMoney, now)).toEqual(owed);
  expect(advance(order({ stage: 'review', before: 'failed' }), withMoney, now)).toMatchObject({ next: 'review', kind: 'same', reason: 'paid-not-delivered' });
  // Nothing is new about money that was seen before, or that the operator has judged.
  expect(go({ stage: 'review', before: 'failed', moneySeen: true }, withMoney)).toEqual(['review', 'unknown']);
  for (const stage of ['underpaid', 'paid', 'filled', 'finished', 'refunded'] as const) expect(go({ stage }, withMoney)).toEqual([stage, 'unknown']);
  const reviewed = { pay: order().pay, receive: order().receive, rawStatus: withMoney.rawStatus };
  expect(go({ stage: 'failed', reviewed }, withMoney)).toEqual(['failed', 'unknown']);
});

test.each(['lnurl1dp68gurn8ghj7', 'DE89 3704 0044 0532 0130 00', 'alice@example.com', 'https //evil.example', 'x'.repeat(65), '', 'paid\nfilled'])(
  'no note repeats %j, which is no short word',
  (rawStatus) => {
    for (const stage of [undefined, 'review'] as const) {
      const { note } = advance(order(), says(stage, { rawStatus }), now);
      expect(note).toMatch(/^(unknown|the) status "\(no word\)"/);
    }
  },
);

describe('contradictions', () => {
  test.each<[string, Partial<OrderNow>, Evidence]>([
    ['another amount to pay', {}, says('paid', { pay: 10_001n })],
    ['another amount to receive', {}, says('awaiting_payment', { receive: 107_868n })],
    ['less to pay, before it was paid', {}, says('expired', { pay: 9_999n })],
    ['more than was to be paid, once filled', {}, says('filled', { pay: 10_001n })],
    ['what was paid, for nothing', {}, says('filled', { receive: 0n })],
    ['with an unknown word too', {}, says(undefined, { receive: 1n })],
    ['another currency', { currency: 'EUR' }, says('paid', { echo: { currency: 'CHF' } })],
    ['another option, before it was paid', { option: 'SEPA' }, says('awaiting_payment', { echo: { option: 'Card' } })],
  ])('%s', (_name, from, evidence) => {
    expect(go(from, evidence)).toEqual(['review', 'contradiction']);
  });
  test('do not include the same amounts, an estimate that moved, a refund of other amounts, or the same name in other letters', () => {
    expect(go({}, says('paid', { pay: 10_000n, receive: 107_869n }))).toEqual(['paid', 'advanced']);
    expect(go({ binding: false }, says('filled', { receive: 107_000n }))).toEqual(['filled', 'advanced']);
    // However little was delivered, it is no contradiction: judge-fill.ts judges it.
    for (const told of [{ receive: 107_868n }, { receive: 1n }, { receive: 107_999n }, { pay: 9_000n, receive: 97_082n }])
      for (const stage of ['paid', 'filled', 'finished'] as const) expect(go({}, says(stage, told))).toEqual([stage, 'advanced']);
    expect(go({ stage: 'filled', receive: 107_000n, accepted: { pay: 10_000n, receive: 107_869n, bounds: { slippageBps: 0 } } }, says('paid'))).toEqual([
      'filled',
      'stale',
    ]);
    expect(go({ stage: 'paid' }, says('refunded', { pay: 9_900n, receive: 0n }))).toEqual(['refunded', 'advanced']);
    expect(go({ currency: 'EUR', option: 'SEPA' }, says('paid', { echo: { currency: 'eur', option: 'sepa' } }))).toEqual(['paid', 'advanced']);
  });
  test.each<[IntentState, Stage, boolean]>([
    ['dead', 'filled', true],
    ['unpayable', 'filled', true],
    ['unpayable', 'paid', true],
    ['dead', 'refunded', true],
    ['unpayable', 'underpaid', true],
    ['unpayable', 'expired', false],
    ['dead', 'awaiting_payment', false],
    ['confirmed', 'filled', false],
  ])('placing %s, order %s: %s', (placing, stage, contradicts) => {
    expect(advance(order({ placing }), says(stage), now).kind === 'contradiction').toBe(contradicts);
  });
});

describe('impossible amounts, and amounts that are not known yet', () => {
  test.each<[string, Evidence]>([
    ['a negative amount to pay', says('paid', { pay: -1n })],
    ['a negative amount to receive', says('paid', { receive: -1n })],
    ['a negative fee', says('paid', { fee: -500n })],
    ['more than a JSON integer holds', says('paid', { fee: 999_999_999_999_999_999n })],
    ['a fee that is higher than the amount to pay', says('paid', { fee: 20_000n })],
  ])('%s is a contradiction, for an estimate too', (_name, evidence) => {
    expect(go({}, evidence)).toEqual(['review', 'contradiction']);
    expect(go({ binding: false }, evidence)).toEqual(['review', 'contradiction']);
  });
  test('the fee of a sale is not in what is paid for it', () =>
    expect(go({ ramp: 'sell', pay: 100n }, says('paid', { fee: 500n }))).toEqual(['paid', 'advanced']));
  test('0 means unknown until something was delivered', () => {
    for (const stage of ['awaiting_payment', 'paid', 'expired', undefined] as const)
      expect(advance(order({}), says(stage, { pay: 0n, receive: 0n, fee: 0n }), now).kind).not.toBe('contradiction');
    expect(go({}, says('filled', { receive: 0n }))).toEqual(['review', 'contradiction']);
  });
});

describe('an estimate', () => {
  const accepted = { pay: 10_000n, receive: 107_869n, bounds: { slippageBps: 100 } };
  const estimate: Partial<OrderNow> = { binding: false, accepted };
  const bounded: Partial<OrderNow> = { binding: false, accepted: { ...accepted, bounds: { slippageBps: 500, minReceive: 107_000n, maxPay: 10_100n } } };
  test.each<[string, Partial<OrderNow>, Evidence]>([
    ['five times the price, at the same rate', estimate, says('awaiting_payment', { pay: 50_000n, receive: 539_345n })],
    ['one sat', estimate, says('awaiting_payment', { receive: 1n })],
    ['less than the slippage allows', estimate, says('underpaid', { receive: 106_790n })],
    ['less than the customer allows', bounded, says('awaiting_payment', { receive: 106_999n })],
    ['dearer than the customer allows', bounded, says('awaiting_payment', { pay: 10_101n })],
    ['dearer than the slippage allows', estimate, says('awaiting_payment', { pay: 10_101n })],
  ])('that became %s is a contradiction', (_name, from, evidence) => expect(go(from, evidence)).toEqual(['review', 'contradiction']));
  test('may move within the slippage and the limits, not beyond them, and may be better', () => {
    expect(go(estimate, says('filled', { receive: 106_791n }))).toEqual(['filled', 'advanced']);
    expect(go({ ...estimate, receive: 106_791n }, says('awaiting_payment', { receive: 105_800n }))).toEqual(['review', 'contradiction']);
    expect(go(bounded, says('filled', { receive: 200_000n }))).toEqual(['filled', 'advanced']);
  });
});

describe('paid money is never locked away over what was paid or delivered: judge-fill.ts judges that', () => {
  const accepted = { pay: 10_000n, receive: 107_869n, bounds: { slippageBps: 0, maxPay: 10_000n } };
  test.each<[string, Partial<OrderNow>, Partial<Evidence>]>([
    ['a cent more', {}, { pay: 10_001n }],
    ['a cent more, and more for it', {}, { pay: 10_001n, receive: 107_962n }],
    ['twice, delivered once', {}, { pay: 20_000n }],
    ['half', {}, { pay: 5_000n, receive: 53_934n }],
    ['half, which is worth nothing after the fixed fee', {}, { pay: 5_000n, receive: 0n }],
    ['less than the fixed fee', {}, { pay: 100n, receive: 0n, fee: 300n }],
    ['nothing was delivered', {}, { receive: 0n }],
    ['by another option', { option: 'SEPA Instant' }, { echo: { option: 'SEPA' } }],
    ['above the slippage and the bound of an estimate', { binding: false }, { pay: 12_000n }],
  ])('%s', (_name, from, told) => {
    for (const stage of ['paid', 'filled', 'finished'] as const) {
      expect(go({ ...from, accepted }, says(stage, told))).toEqual([stage, 'advanced']);
      // An earlier release has put such an order into review. The next read ends the review.
      expect(go({ ...from, accepted, stage: 'review', before: 'awaiting_payment' }, says(stage, told))).toEqual([stage, 'advanced']);
    }
  });
  test('over another currency, an impossible amount or an impossible fee it still waits for the operator', () => {
    for (const told of [{ echo: { currency: 'CHF' } }, { pay: -1n }, { receive: -1n }, { fee: 10_001n }])
      expect(go({ accepted, currency: 'EUR' }, says('filled', told))).toEqual(['review', 'contradiction']);
  });
});

test('an order lapses by the clock whatever word its provider uses', () => {
  const lapsing = order({ expiresOn: now - 1 });
  expect(advance(lapsing, says(undefined), now)).toMatchObject({ next: 'expired', kind: 'unknown' });
  expect(advance(lapsing, says('awaiting_payment'), now)).toMatchObject({ next: 'expired' });
  expect(advance(order({ stage: 'expired', expiresOn: now - 1 }), says('paid'), now)).toMatchObject({ next: 'paid' });
});

describe('review', () => {
  const reviewed = (before: Stage): Partial<OrderNow> => ({ stage: 'review', before });
  test.each<[Stage, Stage, Stage, AdvanceKind]>([
    ['paid', 'paid', 'paid', 'advanced'],
    ['paid', 'filled', 'filled', 'advanced'],
    ['paid', 'awaiting_payment', 'review', 'stale'],
    ['refunded', 'refunded', 'refunded', 'advanced'],
    ['refunded', 'finished', 'review', 'contradiction'],
  ])('before it %s, now %s: %s', (before, stage, next, kind) => {
    expect(go(reviewed(before), says(stage))).toEqual([next, kind]);
  });
  test('leaving it is reported', () => {
    expect(advance(order(reviewed('paid')), says('paid'), now)).toEqual({
      next: 'paid',
      kind: 'advanced',
      note: "the provider's latest answer fits what was known, so the review ended",
    });
  });
  test('is not left while the amounts still differ, nor when the stage before it is not known', () => {
    expect(go(reviewed('paid'), says('filled', { pay: 10_001n }))).toEqual(['review', 'contradiction']);
    expect(go({ stage: 'review' }, says('finished'))).toEqual(['review', 'same']);
    expect(go({ stage: 'review', before: 'review' }, says('finished'))).toEqual(['review', 'same']);
  });
  test('is over once the operator has accepted these figures', () => {
    const seen = { ...reviewed('paid'), currency: 'EUR', reviewed: { pay: 10_001n, receive: 107_869n } };
    expect(go(seen, says('filled', { pay: 10_001n, receive: 107_869n, echo: { currency: 'CHF' } }))).toEqual(['filled', 'advanced']);
    expect(go(seen, says('filled', { pay: 10_002n, receive: 107_869n }))).toEqual(['review', 'contradiction']);
  });
  test('is entered when an adapter cannot tell which payment it is', () => {
    expect(go({ stage: 'paid' }, says('review'))).toEqual(['review', 'advanced']);
    expect(go(reviewed('paid'), says('review'))).toEqual(['review', 'same']);
  });
});

test('an unpaid order expires by the clock, and a later payment still counts', () => {
  expect(advance(order({ expiresOn: now }), says('awaiting_payment'), now)).toEqual({ next: 'expired', kind: 'advanced', note: 'expired by the clock' });
  expect(go({ expiresOn: now + 1 }, says('awaiting_payment'))).toEqual(['awaiting_payment', 'same']);
  expect(go({ stage: 'expired', expiresOn: now - 9 }, says('awaiting_payment'))).toEqual(['expired', 'same']);
  expect(go({ stage: 'expired', expiresOn: now - 9 }, says('paid'))).toEqual(['paid', 'advanced']);
  expect(go({ stage: 'underpaid', expiresOn: now - 9 }, says('underpaid'))).toEqual(['underpaid', 'same']);
  expect([lapsed('awaiting_payment', undefined, now), lapsed('paid', now - 1, now), lapsed('awaiting_payment', now, now)]).toEqual([false, false, true]);
});

test('whatever a provider reports, ranks never fall, and the wallet never sees a step back', () => {
  const word = fc.record({ stage: fc.option(fc.constantFrom(...rising), { nil: undefined }), receive: fc.constantFrom(undefined, 107_869n, 107_869n, 1n) });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (history) => {
      const told: number[] = [];
      let [stage, before]: [Stage, Stage] = ['awaiting_payment', 'awaiting_payment'];
      for (const { stage: said, receive } of history) {
        const { next } = advance(order({ stage, before }), says(said, receive === undefined ? {} : { receive }), now);
        stage = next;
        if (next === 'review') continue;
        told.push(rising.indexOf(next));
        before = next;
      }
      expect(told).toEqual([...told].sort((a, b) => a - b));
    }),
  );
});

test('finished and refunded are final at once, unpaid stages when we stop following them, and money in flight never', () => {
  const finals = (at: number): Stage[] => [...rising, 'review' as const].filter((stage) => isFinal(stage, at, 500));
  expect(finals(499)).toEqual(['finished', 'refunded']);
  expect(finals(500)).toEqual(['awaiting_payment', 'expired', 'failed', 'finished', 'refunded']);
  // A fill that fell short stays open, whatever the ramp.
  for (const ramp of ['buy', 'sell'] as const)
    expect([isFinal('finished', 500, 500, ramp, true), isFinal('filled', 500, 500, ramp, true)]).toEqual([false, false]);
});

test('an order whose payment is on its way is followed until it expires by the clock, however short the time for which others are', () => {
  const day = 86_400_000;
  const until = (expiresOn: number | undefined, arriving: boolean) => followedUntil({ followUntil: 500, expiresOn, arriving });
  expect([until(100, false), until(100, true), until(500 - day - 1, true), until(undefined, true)]).toEqual([500, 100 + day, 500, 500]);
});

test('the four words', () => {
  expect([...rising, 'review' as const].map(orderStatus)).toEqual([
    'placed',
    'placed',
    'placed',
    'placed',
    'placed',
    'filled',
    'finished',
    'refunded',
    'placed',
  ]);
});

test("polls become rarer: a tenth of the stage's age, between a floor and a ceiling, ±20 %", () => {
  const delay = (stage: Stage, lasted: number, random = 0.5, arrivalSeconds = 60): number =>
    refreshDelayMs({ stage, stageOn: 0, arrivalSeconds }, lasted, random);
  expect([0, 100_000, 600_000, 36_000_000, 90_000_000].map((lasted) => delay('awaiting_payment', lasted))).toEqual([
    10_000, 10_000, 60_000, 3_600_000, 3_600_000,
  ]);
  expect([delay('awaiting_payment', 0, 0.5, 86_400), delay('paid', 0, 0.5, 86_400), delay('expired', 0), delay('review', 0)]).toEqual([
    300_000, 10_000, 300_000, 300_000,
  ]);
  expect(delay('underpaid', 1e12)).toBe(21_600_000);
  expect([delay('filled', 0, 0), delay('filled', 0, 0.999999), delay('filled', -5)]).toEqual([8_000, 12_000, 10_000]);
});

test('an order that ended unpaid is polled as before while money may be on its way, and then after twice as long each time, at least once a week', () => {
  const polls = (arrivalSeconds: number): number[] => {
    const found: number[] = [];
    let sinceReadMs = 0;
    for (let at = 0; at < 30 * 86_400_000; at += sinceReadMs) {
      found.push(at / 60_000);
      sinceReadMs = refreshDelayMs({ stage: 'expired', stageOn: 0, arrivalSeconds, sinceReadMs }, at, 0.5);
    }
    return found;
  };
  expect(polls(60)).toEqual([0, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_320, 30_400, 40_480]);
  expect([polls(86_400).filter((at) => at < 1440).length, polls(86_400).filter((at) => at >= 1440).length]).toEqual([46, 9]);
  const late = (sinceReadMs?: number) => refreshDelayMs({ stage: 'failed', stageOn: 0, ...(sinceReadMs === undefined ? {} : { sinceReadMs }) }, 1e12, 0.5);
  expect([late(1e12), late(2_000), late()]).toEqual([7 * 86_400_000, 6 * 3_600_000, 6 * 3_600_000]);
});

test('an unpaid order whose payment is on its way expires by the clock a day later, whether its provider is read or not', () => {
  const order = { stage: 'awaiting_payment', binding: true, pay: 10_000n, receive: 100_000n, expiresOn: now } as const;
  const said = { stage: 'awaiting_payment', rawStatus: 'created/created', arriving: true } as const;
  const day = 86_400_000;
  expect([advance(order, said, now + day - 1).next, advance(order, said, now + day).next]).toEqual(['awaiting_payment', 'expired']);
  expect(advance(order, { ...said, arriving: false }, now).next).toBe('expired');
  expect([byTheClock({ ...order, arriving: true }, now + day - 1), byTheClock({ ...order, arriving: true }, now + day)]).toEqual([
    'awaiting_payment',
    'expired',
  ]);
  expect(advance(order, { ...said, stage: 'expired' }, now).next).toBe('expired');
});

test('a word that we do not know does not hide that a payment is on its way, whatever the last read said', () => {
  const order = { stage: 'awaiting_payment', binding: true, pay: 10_000n, receive: 100_000n, expiresOn: now } as const;
  const said = { rawStatus: 'created/pending', arriving: true } as const;
  for (const before of [order, { ...order, arriving: true }]) {
    expect(advance(before, said, now + 86_400_000 - 1)).toMatchObject({ next: 'awaiting_payment', kind: 'unknown' });
    expect(advance(before, said, now + 86_400_000)).toMatchObject({ next: 'expired', kind: 'unknown' });
    expect(advance(before, { rawStatus: 'created/pending' }, now).next).toBe('expired');
  }
});

describe('the limits of what is a contradiction, on both sides', () => {
  const noted = (from: Partial<OrderNow>, evidence: Evidence): string | undefined => {
    const { kind, note } = advance(order(from), evidence, now);
    return kind === 'contradiction' ? note : undefined;
  };
  test('an amount of 0 is none, a negative one is impossible', () => {
    expect(noted({}, says('paid', { fee: 0n }))).toBeUndefined();
    expect(noted({}, says('paid', { fee: -1n }))).toBe('an amount is negative or impossibly large');
  });
  test('a fee may be as high as the amount to pay, and no higher', () => {
    expect(noted({}, says('awaiting_payment', { fee: 10_000n }))).toBeUndefined();
    expect(noted({}, says('awaiting_payment', { fee: 10_001n }))).toBe('the fee is higher than the amount to pay');
    // A free channel has no amount that the fee could exceed.
    expect(noted({ ramp: 'liquidity', pay: 0n, receive: 100_000n }, says('awaiting_payment', { fee: 5n }))).toBeUndefined();
    expect(noted({ ramp: 'liquidity', pay: 1n, receive: 100_000n }, says('awaiting_payment', { fee: 2n }))).toBe('the fee is higher than the amount to pay');
  });
  test('the fee of a paid order is compared with what was paid, but at least with what was ordered', () => {
    const accepted = { pay: 10_000n, receive: 107_869n, bounds: { slippageBps: 0 } };
    expect(noted({ accepted }, says('paid', { pay: 100n, fee: 10_000n }))).toBeUndefined();
    expect(noted({ accepted }, says('paid', { pay: 10_000n, fee: 10_001n }))).toBe('the fee is higher than the amount to pay');
    expect(noted({ accepted }, says('paid', { pay: 10_001n, fee: 10_001n }))).toBeUndefined();
    expect(noted({ accepted }, says('paid', { fee: 10_001n }))).toBe('the fee is higher than the amount to pay');
    // What the customer accepted counts, not the amount to which the order of an estimate has moved since.
    expect(noted({ accepted, binding: false, pay: 9_000n }, says('paid', { pay: 9_000n, fee: 9_500n }))).toBeUndefined();
  });
  test('before it is paid, the fee is compared with the reported amount, or else the order’s', () => {
    expect(noted({ binding: false }, says('awaiting_payment', { pay: 9_000n, fee: 9_001n }))).toBe('the fee is higher than the amount to pay');
    expect(noted({ binding: false }, says('awaiting_payment', { pay: 11_000n, fee: 10_500n }))).toBeUndefined();
  });
  test('an adopted order, of which nobody knows what was agreed: no more may be charged at a worse price, and something must be delivered', () => {
    const adopted = { stage: 'paid' } as const;
    expect(noted(adopted, says('filled', { receive: 0n }))).toBe('an amount of 0 was delivered');
    expect(noted(adopted, says('filled', { receive: 1n }))).toBeUndefined();
    expect(noted({ ...adopted, receive: 0n }, says('filled', { receive: 0n }))).toBeUndefined();
    expect(noted({ ...adopted, receive: 1n }, says('filled', { receive: 0n }))).toBe('an amount of 0 was delivered');
    expect(noted({ ...adopted, pay: 10_000n, receive: 100_000n }, says('filled', { pay: 20_000n, receive: 200_000n }))).toBeUndefined();
    expect(noted({ ...adopted, pay: 10_000n, receive: 100_000n }, says('filled', { pay: 20_000n, receive: 199_999n }))).toBe(
      'more was charged than was ordered',
    );
    expect(noted({ ...adopted, pay: 10_000n, receive: 100_000n }, says('filled', { pay: 10_000n, receive: 90_000n }))).toBeUndefined();
  });
  test('an adopted estimate that is not paid yet has no amounts to be compared with', () =>
    expect(noted({ binding: false }, says('awaiting_payment', { pay: 99_999n, receive: 1n }))).toBeUndefined());
  test('an estimate may cost as much more as the slippage allows, if it also gives more', () => {
    const accepted = { pay: 10_000n, receive: 100_000n, bounds: { slippageBps: 100 } };
    const estimate = { binding: false, receive: 100_000n, accepted } as const;
    expect(noted(estimate, says('awaiting_payment', { pay: 10_100n, receive: 101_000n }))).toBeUndefined();
    expect(noted(estimate, says('awaiting_payment', { pay: 10_101n, receive: 101_010n }))).toBe('the amount to pay rose above what was accepted');
    expect(noted(estimate, says('awaiting_payment', { receive: 98_999n }))).toBe('the estimate became worse than what was accepted');
    expect(noted(estimate, says('awaiting_payment', { receive: 99_000n }))).toBeUndefined();
    // A report that repeats the order's own figures is none of its provider's news, whatever they are.
    expect(noted({ ...estimate, receive: 1n }, says('awaiting_payment', { pay: 10_000n, receive: 1n }))).toBeUndefined();
    expect(noted({ ...estimate, receive: 1n }, says('awaiting_payment', { pay: 10_001n, receive: 1n }))).toBe(
      'the estimate became worse than what was accepted',
    );
  });
  test('after a refund, money is news only if none was seen before it, and nobody has judged it', () => {
    const refunded = { stage: 'refunded', refundUnseen: true } as const;
    expect(noted(refunded, says('underpaid'))).toBe('refunded, then underpaid');
    expect(noted(refunded, says('failed', { moneySeen: true }))).toBe('refunded, then failed');
    expect(noted(refunded, says(undefined, { moneySeen: true }))).toBe('refunded, then a payment');
    expect(noted(refunded, says('refunded', { moneySeen: true }))).toBeUndefined();
    expect(noted(refunded, says('failed'))).toBeUndefined();
    expect(noted({ stage: 'refunded' }, says('failed', { moneySeen: true }))).toBeUndefined();
    const reviewed = { pay: 10_000n, receive: 107_869n, rawStatus: 'failed' };
    expect(noted({ ...refunded, reviewed }, says('failed', { moneySeen: true }))).toBeUndefined();
    expect(noted({ ...refunded, reviewed }, says('failed', { moneySeen: true, pay: 10_001n }))).toBe('refunded, then failed');
  });
});

describe('money that may be on its way', () => {
  const day = 86_400_000;
  const hour = 3_600_000;
  const buy = { ramp: 'buy', stage: 'awaiting_payment' } as const;
  const sale = { ramp: 'sell', stage: 'awaiting_payment', expiresOn: now, network: 'lightning' } as const;
  test('an unpaid order may be paid until its money has had time to arrive', () => {
    expect([mayBePaid({ ...buy, expiresOn: now }, now + day - 1), mayBePaid({ ...buy, expiresOn: now }, now + day)]).toEqual([true, false]);
    expect([mayBePaid(sale, now + 599_999), mayBePaid(sale, now + 600_000)]).toEqual([true, false]);
    expect([mayBePaid({ ...sale, network: undefined }, now + hour - 1), mayBePaid({ ...sale, network: undefined }, now + hour)]).toEqual([true, false]);
    for (const stage of ['expired', 'review'] as const) expect(mayBePaid({ ...sale, stage }, now)).toBe(true);
    for (const stage of ['failed', 'paid', 'filled', 'finished', 'refunded'] as const) expect(mayBePaid({ ...sale, stage }, now)).toBe(false);
  });
  test('without an end, only an order that awaits its payment may; a part of a payment, or one on its way, never runs out', () => {
    expect(mayBePaid(buy, now)).toBe(true);
    for (const stage of ['expired', 'review'] as const) expect(mayBePaid({ ramp: 'buy', stage }, now)).toBe(false);
    expect(mayBePaid({ ...sale, stage: 'underpaid' }, now + 9 * day)).toBe(true);
    expect(mayBePaid({ ...sale, arriving: true }, now + 9 * day)).toBe(true);
    expect(mayBePaid({ ...sale, stage: 'expired', arriving: true }, now + 9 * day)).toBe(false);
  });
  test('a sale holds its amount for twice the slack of the clocks longer', () => {
    expect([holdMs('lightning'), holdMs('onchain'), longestHoldMs]).toEqual([600_000 + 2 * matchSlackMs, hour + 2 * matchSlackMs, hour + 2 * matchSlackMs]);
    expect([holdsAmount(sale, now + holdMs('lightning') - 1), holdsAmount(sale, now + holdMs('lightning'))]).toEqual([true, false]);
  });
  test('an order that awaits its payment is polled no later than it expires, by its provider and by the clock', () => {
    const waits = { stage: 'awaiting_payment', expiresOn: now } as const;
    const far = now + 9 * day;
    expect(noLaterThanExpiry({ ...waits, stage: 'paid' }, now - 5, far)).toBe(far);
    expect(noLaterThanExpiry({ stage: 'awaiting_payment' }, now - 5, far)).toBe(far);
    expect(noLaterThanExpiry(waits, now - 5, far)).toBe(now);
    expect(noLaterThanExpiry(waits, now - 5, now - 3)).toBe(now - 3);
    expect(noLaterThanExpiry(waits, now, far)).toBe(far);
    expect(noLaterThanExpiry({ ...waits, arriving: true }, now - 1, far)).toBe(now);
    expect(noLaterThanExpiry({ ...waits, arriving: true }, now, far)).toBe(now + day);
    expect(noLaterThanExpiry({ ...waits, arriving: true }, now + day, far)).toBe(far);
  });
  test('a payment on its way keeps the order open for a day, and followed at least until then', () => {
    const arriving = { stage: 'awaiting_payment', expiresOn: now, arriving: true } as const;
    expect([byTheClock(arriving, now + day - 1), byTheClock(arriving, now + day)]).toEqual(['awaiting_payment', 'expired']);
    expect(followedUntil({ followUntil: 5, arriving: false, expiresOn: now })).toBe(5);
    expect(followedUntil({ followUntil: 5, arriving: true, expiresOn: now })).toBe(now + day);
    expect(followedUntil({ followUntil: 5, arriving: true })).toBe(5);
    expect(followedUntil({ followUntil: now + 2 * day, arriving: true, expiresOn: now })).toBe(now + 2 * day);
  });
  test('an order may be paid for the first half of the time for which it is followed', () => {
    expect(lastPaymentOn(1_000, 2_000)).toBe(1_500);
    expect(lastPaymentOn(1_000, 2_001)).toBe(1_500);
  });
});

describe('what an order owes', () => {
  const hour = 3_600_000;
  const stepOf = (from: Partial<OrderNow>, evidence: Evidence): [Stage, AdvanceKind, string | undefined] => {
    const { next, kind, reason } = advance(order(from), evidence, now);
    return [next, kind, reason];
  };
  const owed = ['review', 'undelivered', 'paid-not-delivered'] as const;
  test('a part of the money may be completed until an hour after the end', () => {
    expect(stepOf({ stage: 'underpaid', expiresOn: now - hour + 1 }, says('underpaid'))).toEqual(['underpaid', 'same', undefined]);
    expect(stepOf({ stage: 'underpaid', expiresOn: now - hour }, says('underpaid'))).toEqual(owed);
    expect(stepOf({ stage: 'expired', expiresOn: now - hour }, says('underpaid'))).toEqual(owed);
    expect(stepOf({ stage: 'paid', expiresOn: now - hour }, says('underpaid'))).toEqual(['paid', 'stale', undefined]);
    expect(stepOf({ stage: 'underpaid' }, says('underpaid'))).toEqual(['underpaid', 'same', undefined]);
  });
  test('"unpaid" after a payment counts only once the order has expired, and never after a delivery', () => {
    for (const stage of ['underpaid', 'paid'] as const) {
      expect(stepOf({ stage, expiresOn: now + 1 }, says('awaiting_payment'))).toEqual([stage, 'stale', undefined]);
      expect(stepOf({ stage, expiresOn: now }, says('awaiting_payment'))).toEqual(owed);
    }
    for (const stage of ['filled', 'finished', 'refunded'] as const)
      expect(stepOf({ stage, expiresOn: now }, says('awaiting_payment'))).toEqual([stage, 'stale', undefined]);
  });
  test('a report of money is read by its stage, or by what it shows beside it', () => {
    const table = (['awaiting_payment', 'expired', 'failed', 'underpaid', 'paid', 'filled', 'finished', 'refunded', 'review', undefined] as const).map(
      (stage) => [stage, saysMoney({ stage }), saysPaid({ stage }), saysPaid({ stage, moneySeen: true }), progressOf(stage) !== undefined],
    );
    expect(table).toEqual([
      ['awaiting_payment', false, false, true, true],
      ['expired', false, false, true, false],
      ['failed', false, false, true, false],
      ['underpaid', true, false, false, true],
      ['paid', true, true, true, true],
      ['filled', true, true, true, true],
      ['finished', true, true, true, true],
      ['refunded', true, false, false, false],
      ['review', false, false, true, false],
      [undefined, false, false, true, false],
    ]);
    expect(saysMoney({ moneySeen: true })).toBe(true);
    expect((['awaiting_payment', 'expired', 'failed', 'underpaid', 'paid', 'review'] as const).map(isUnpaid)).toEqual([true, true, true, false, false, false]);
  });
  test('the stage that an operator named stands while word and amounts are the same, for a failure, an expiry and a review', () => {
    const named = (stage: Stage): Partial<OrderNow> => ({ stage, reviewed: { pay: 10_000n, receive: 107_869n, rawStatus: 'gone' } });
    const gone = (stage: Stage, more: Partial<Evidence> = {}): Evidence => says(stage, { rawStatus: 'gone', ...more });
    for (const said of ['failed', 'expired', 'review'] as const)
      for (const stage of ['failed', 'expired', 'finished', 'refunded'] as const) expect(stepOf(named(stage), gone(said))).toEqual([stage, 'same', undefined]);
    expect(stepOf(named('filled'), gone('review'))).toEqual(['filled', 'same', undefined]);
    expect(stepOf(named('filled'), gone('failed'))).toEqual(owed);
    expect(stepOf(named('paid'), gone('review'))).toEqual(['review', 'advanced', 'unclear']);
    expect(stepOf(named('failed'), says('review', { rawStatus: 'other' }))).toEqual(['review', 'advanced', 'unclear']);
  });
});

describe('why the operator must look', () => {
  test.each<[string, Partial<OrderNow>, Evidence]>([
    ['the attempt ended as "dead", yet the provider reports paid', { placing: 'dead' }, says('paid')],
    ['the attempt ended as "moved", yet the provider reports underpaid', { placing: 'moved' }, says('underpaid')],
    ['the attempt ended as "unpayable", yet the provider reports a payment', { placing: 'unpayable' }, says(undefined, { moneySeen: true })],
  ])('%s', (note, from, evidence) => {
    expect(advance(order(from), evidence, now)).toEqual({ next: 'review', kind: 'contradiction', note, reason: 'contradiction' });
  });
  test('a provider that asks for a review owes the money that its report shows', () => {
    const asks = (more: Partial<Evidence>) => advance(order(), says('review', more), now);
    const note = 'the status "review" needs a review';
    expect(asks({ moneySeen: true })).toEqual({ next: 'review', kind: 'advanced', note, reason: 'paid-not-delivered' });
    for (const more of [{}, { moneySeen: false }]) expect(asks(more)).toEqual({ next: 'review', kind: 'advanced', note, reason: 'unclear' });
  });
});

test('an advance has no note, except by the clock', () => {
  expect(advance(order({ expiresOn: now + 1 }), says('paid'), now)).toEqual({ next: 'paid', kind: 'advanced' });
  expect(advance(order({ expiresOn: now }), says('paid'), now)).toEqual({ next: 'paid', kind: 'advanced' });
  expect(advance(order({ expiresOn: now }), says('expired'), now)).toEqual({ next: 'expired', kind: 'advanced' });
});

test('a sale holds its amount for half an hour after its money can last arrive', () => {
  expect([holdMs('lightning'), holdMs('onchain'), longestHoldMs]).toEqual([40 * 60_000, 90 * 60_000, 90 * 60_000]);
});

test('sats that were bought are followed until they are withdrawn, other deliveries until we stop', () => {
  const finals = (ramp: 'buy' | 'sell' | 'liquidity', disputed = false) => [499, 500].map((at) => isFinal('filled', at, 500, ramp, disputed));
  expect([finals('buy'), finals('sell'), finals('liquidity')]).toEqual([
    [false, false],
    [false, true],
    [false, true],
  ]);
  expect([finals('sell', true), finals('liquidity', true)]).toEqual([
    [false, false],
    [false, false],
  ]);
  expect([isFinal('refunded', 0, 500, 'buy', true), isFinal('finished', 0, 500, 'sell', false)]).toEqual([true, true]);
});

test('the limits of how often an order is polled', () => {
  const hour = 3_600_000;
  const day = 24 * hour;
  const delay = (stage: Stage, lasted: number, arrivalSeconds?: number, sinceReadMs = 0): number =>
    refreshDelayMs({ stage, stageOn: now, sinceReadMs, ...(arrivalSeconds === undefined ? {} : { arrivalSeconds }) }, now + lasted, 0.5);
  // Money that takes an hour is slow, and only while it is awaited.
  expect([delay('awaiting_payment', 0, 3_599), delay('awaiting_payment', 0, 3_600), delay('paid', 0, 3_600)]).toEqual([10_000, 300_000, 10_000]);
  expect([delay('awaiting_payment', 0), delay('filled', 0), delay('underpaid', 0), delay('failed', 0)]).toEqual([10_000, 10_000, 300_000, 300_000]);
  expect([delay('paid', 1e12), delay('review', 1e12), delay('underpaid', 1e12)]).toEqual([hour, hour, 6 * hour]);
  // An order rests once no money can be on its way any more: twice the last wait, at most as long as it has been over.
  const rests = (lasted: number, arrivalSeconds?: number) => delay('expired', lasted, arrivalSeconds, 2_000_000);
  expect([rests(4_999_999, 5_000), rests(5_000_000, 5_000), rests(3_000_000, 60)]).toEqual([500_000, 4_000_000, 3_000_000]);
  expect([rests(day - 10), rests(day)]).toEqual([(day - 10) / 10, day / 10]);
  expect([delay('expired', day - 10, undefined, day), delay('expired', day, undefined, day)]).toEqual([(day - 10) / 10, day]);
});
