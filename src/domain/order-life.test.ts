import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AdvanceKind, Evidence, OrderNow } from './order-life.ts';
import { advance, isFinal, lapsed, orderStatus, refreshDelayMs } from './order-life.ts';
import type { IntentState, Stage } from './order.ts';

const rising = ['awaiting_payment', 'underpaid', 'expired', 'failed', 'paid', 'filled', 'finished', 'refunded'] as const;
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

describe('every pair of stages', () => {
  const pairs = rising.flatMap((from, low) => rising.map((to, high) => ({ from, to, low, high })));
  test.each(pairs)('$from, then $to', ({ from, to, low, high }) => {
    const given = from === 'refunded' && (to === 'filled' || to === 'finished');
    const expected = given ? ['review', 'contradiction'] : high > low ? [to, 'advanced'] : high === low ? [from, 'same'] : [from, 'stale'];
    expect(go({ stage: from }, says(to))).toEqual(expected);
  });
});

test('an unknown word is still pending, with the word in the warning', () => {
  expect(advance(order({ stage: 'paid' }), says(undefined), now)).toEqual({ next: 'paid', kind: 'unknown', note: 'unknown status "frobnicated"' });
  expect(go({ stage: 'review', before: 'paid' }, says(undefined))).toEqual(['review', 'unknown']);
});

describe('contradictions', () => {
  test.each<[string, Partial<OrderNow>, Evidence]>([
    ['another amount to pay', {}, says('paid', { pay: 10_001n })],
    ['another amount to receive', {}, says('filled', { receive: 107_868n })],
    ['with an unknown word too', {}, says(undefined, { receive: 1n })],
    ['another currency', { currency: 'EUR' }, says('paid', { echo: { currency: 'CHF' } })],
    ['another option', { option: 'SEPA' }, says('paid', { echo: { option: 'Card' } })],
  ])('%s', (_name, from, evidence) => {
    expect(go(from, evidence)).toEqual(['review', 'contradiction']);
  });
  test('are none: the same amounts, an estimate that moved, a refund of other amounts, the same name in other letters', () => {
    expect(go({}, says('paid', { pay: 10_000n, receive: 107_869n }))).toEqual(['paid', 'advanced']);
    expect(go({ binding: false }, says('filled', { receive: 107_000n }))).toEqual(['filled', 'advanced']);
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
  test('leaving it is told', () => {
    expect(advance(order(reviewed('paid')), says('paid'), now)).toEqual({ next: 'paid', kind: 'advanced', note: 'an agreeing read left review' });
  });
  test('is not left while the amounts still differ, nor when the stage before it is not known', () => {
    expect(go(reviewed('paid'), says('filled', { receive: 1n }))).toEqual(['review', 'contradiction']);
    expect(go({ stage: 'review' }, says('finished'))).toEqual(['review', 'same']);
    expect(go({ stage: 'review', before: 'review' }, says('finished'))).toEqual(['review', 'same']);
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

test('whatever a provider says, ranks never fall, and the wallet is never told a regression', () => {
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

test('final: finished and refunded at once, rested ones when nobody follows them any longer, money in flight never', () => {
  const finals = (at: number): Stage[] => [...rising, 'review' as const].filter((stage) => isFinal(stage, at, 500));
  expect(finals(499)).toEqual(['finished', 'refunded']);
  expect(finals(500)).toEqual(['awaiting_payment', 'underpaid', 'expired', 'failed', 'finished', 'refunded']);
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

test('looks grow rarer: a tenth of the age, between floor and ceiling, ±20 %', () => {
  const delay = (stage: Stage, lasted: number, random = 0.5, arrivalSeconds = 60): number =>
    refreshDelayMs({ stage, stageOn: 0, arrivalSeconds }, lasted, random);
  expect([0, 100_000, 600_000, 36_000_000, 90_000_000].map((lasted) => delay('awaiting_payment', lasted))).toEqual([
    10_000, 10_000, 60_000, 3_600_000, 3_600_000,
  ]);
  expect([delay('awaiting_payment', 0, 0.5, 86_400), delay('paid', 0, 0.5, 86_400), delay('expired', 0), delay('review', 0)]).toEqual([
    300_000, 10_000, 300_000, 300_000,
  ]);
  expect(delay('failed', 1e12)).toBe(21_600_000);
  expect([delay('filled', 0, 0), delay('filled', 0, 0.999999), delay('filled', -5)]).toEqual([8_000, 12_000, 10_000]);
});
