/**
 * Checks every pair of the stage that we hold and what the provider reports, for every ramp, against the table of
 * docs/decisions/2026-11-29-paid-then-failed.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { advance, isFinal, type AdvanceKind, type Evidence, type OrderNow } from './order-life.ts';
import type { ReviewReason, Stage } from './order.ts';
import { ramps } from './ramp.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/decisions/2026-11-29-paid-then-failed.md'), 'utf8');
const rows = page
  .slice(page.indexOf('| | awaiting_payment'))
  .split('\n\n', 1)
  .flatMap((table) => table.split('\n'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const [heads = [], , ...body] = rows;
const held: Stage[] = ['awaiting_payment', 'expired', 'failed', 'underpaid', 'paid', 'filled', 'finished', 'refunded'];
const unseenRefund = 'refunded, payment never seen';

const now = 1_800_000_000_000;
const hour = 3_600_000;
const [pay, receive] = [10_000n, 107_869n];
const says = (head: string): { evidence: Evidence; expiresOn: number } => {
  const [stage = '', more = ''] = head.split(', ');
  const evidence: Evidence = { stage: stage as Stage, rawStatus: head, ...(more === 'with money' ? { moneySeen: true } : {}) };
  return { evidence, expiresOn: more.endsWith('past the end') ? now - hour : now + 1 };
};
type Cell = 'same' | 'moves' | 'expired' | 'kept' | 'owed' | 'impossible';
type Step = { next: Stage; kind: AdvanceKind; reason?: ReviewReason };
const outcome = (cell: Cell, from: Stage, to: Stage): Step =>
  ({
    same: { next: from, kind: 'same' },
    moves: { next: to, kind: 'advanced' },
    expired: { next: 'expired', kind: 'advanced' },
    kept: { next: from, kind: 'stale' },
    owed: { next: 'review', kind: 'undelivered', reason: 'paid-not-delivered' },
    impossible: { next: 'review', kind: 'contradiction', reason: 'contradiction' },
  })[cell] as Step;
/**
 * Returns the expected step for an order in review, whose stage before the review is `from`. A report of an earlier stage does not end the review.
 */
const inReview = (cell: Cell, from: Stage, to: Stage): Step => {
  if (cell === 'same') return { next: from, kind: 'advanced' };
  if (cell === 'kept') return { next: 'review', kind: 'stale' };
  return cell === 'owed' ? { next: 'review', kind: 'same', reason: 'paid-not-delivered' } : outcome(cell, from, to);
};

it('the table is complete', () => {
  expect(body.map(([from]) => from)).toEqual([...held, unseenRefund]);
  expect(heads).toHaveLength(12);
  expect(new Set(body.flatMap((row) => row.slice(1)))).toEqual(new Set(['same', 'moves', 'expired', 'kept', 'owed', 'impossible']));
});

describe.each(ramps)('%s', (ramp) => {
  describe.each([true, false])('binding: %s', (binding) => {
    const cells = body.flatMap(([from = '', ...line]) => line.map((cell, at) => [from, heads[at + 1] ?? '', cell] as [string, string, Cell]));
    test.each(cells)('%s, then %s: %s', (row, head, cell) => {
      const { evidence, expiresOn } = says(head);
      const from = row === unseenRefund ? 'refunded' : (row as Stage);
      const order: OrderNow = { stage: from, ramp, binding, pay, receive, expiresOn, ...(row === unseenRefund ? { refundUnseen: true } : {}) };
      const to = evidence.stage ?? from;
      // The notes are not compared: they only explain the step, for example that the order expired by the clock.
      const { note: _note, ...step } = advance(order, evidence, now);
      expect(step).toEqual(outcome(cell, from, to));
      const { note: _why, ...reviewed } = advance({ ...order, stage: 'review', before: from }, evidence, now);
      expect(reviewed).toEqual(inReview(cell, from, to));
    });
  });
});

const money: readonly Stage[] = ['underpaid', 'paid', 'filled', 'finished'];
const said = fc.record({ stage: fc.constantFrom(...held, undefined), moneySeen: fc.boolean(), odd: fc.boolean(), wait: fc.constantFrom(0, hour, 50 * hour) });

test('whatever a provider reports, in whatever sequence: money that was seen ends as delivered, as refunded or in review, never unnoticed', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ramps), fc.boolean(), fc.array(said, { minLength: 1, maxLength: 12 }), (ramp, binding, history) => {
      let order: OrderNow = { stage: 'awaiting_payment', ramp, binding, pay, receive, expiresOn: now + 10 * hour };
      let at = now;
      let seen = false;
      for (const { stage, moneySeen, odd, wait } of history) {
        at += wait;
        const isTold = moneySeen && (stage === 'failed' || stage === undefined);
        const evidence: Evidence = {
          rawStatus: stage ?? 'odd',
          ...(stage ? { stage } : {}),
          ...(isTold ? { moneySeen } : {}),
          ...(odd ? { pay: pay * 2n } : {}),
        };
        const { next } = advance(order, evidence, at);
        const known = order.stage === 'review' ? order.before : order.stage;
        const says = evidence.moneySeen === true || (stage !== undefined && money.includes(stage));
        seen = stage === 'refunded' && next === 'refunded' ? false : seen || says;
        order = {
          ...order,
          stage: next,
          ...(next === 'review' && order.stage !== 'review' ? { before: order.stage } : {}),
          ...(next === 'review' && says && !money.includes(known ?? 'review') ? { moneySeen: true } : {}),
        };
        if (!seen || order.stage === 'refunded') continue;
        expect([...money, 'review']).toContain(order.stage);
        expect(isFinal(order.stage, at + 1e12, now, 'buy')).toBe(order.stage === 'finished');
      }
    }),
    { numRuns: 3000 },
  );
});

describe('the final stage that the operator named', () => {
  const order: OrderNow = {
    stage: 'review',
    before: 'refunded',
    binding: true,
    pay,
    receive,
    expiresOn: now + 1,
    reviewed: { pay, receive, rawStatus: 'FAILED' },
  };
  const failed: Evidence = { stage: 'failed', rawStatus: 'FAILED', moneySeen: true };
  test.each(['failed', 'expired', 'finished', 'refunded'] as const)('%s stands while the provider says the same word', (before) => {
    expect(advance({ ...order, before }, failed, now)).toMatchObject({ next: before, kind: 'advanced' });
    expect(advance({ ...order, stage: before }, failed, now)).toMatchObject({ next: before, kind: 'same' });
    expect(advance({ ...order, before }, { stage: 'review', rawStatus: 'FAILED' }, now)).toMatchObject({ next: before });
    expect(advance({ ...order, before, refundUnseen: true }, failed, now)).toMatchObject({ next: before, kind: 'advanced' });
  });
  test('"filled" stands while the provider says the same word and something else of its answer cannot be read or believed', () => {
    const odd: Evidence = { stage: 'review', rawStatus: 'FAILED', moneySeen: true };
    expect(advance({ ...order, before: 'filled' }, odd, now)).toMatchObject({ next: 'filled', kind: 'advanced' });
    expect(advance({ ...order, stage: 'filled' }, odd, now)).toMatchObject({ next: 'filled', kind: 'same' });
    expect(advance({ ...order, stage: 'filled' }, { ...odd, rawStatus: 'SUCCESS' }, now)).toMatchObject({ next: 'review' });
    expect(advance({ ...order, stage: 'filled' }, { ...odd, pay: pay + 1n }, now)).toMatchObject({ next: 'review' });
    expect(advance({ ...order, stage: 'filled' }, failed, now)).toMatchObject({ next: 'review' });
    const { reviewed: _judged, ...unjudged } = order;
    expect(advance({ ...unjudged, stage: 'filled' }, odd, now)).toMatchObject({ next: 'review' });
  });
  test('must be a final stage, which "paid" is not; another status word of the provider starts a new review', () => {
    expect(advance({ ...order, before: 'paid' }, failed, now)).toMatchObject({ next: 'review' });
    expect(advance({ ...order, before: 'failed' }, { ...failed, rawStatus: 'REJECTED' }, now)).toMatchObject({ next: 'review' });
    expect(advance({ ...order, before: 'failed' }, { stage: 'finished', rawStatus: 'SUCCESSFUL' }, now)).toMatchObject({ next: 'finished' });
  });
  test('says nothing of money that came later, even if the status word is the same', () => {
    const estimate: OrderNow = { ...order, binding: false };
    const more = { pay: pay + 1n, receive };
    for (const before of ['failed', 'expired', 'finished'] as const)
      expect(advance({ ...estimate, stage: before, before }, { ...failed, ...more }, now)).toMatchObject({ next: 'review' });
    const part: OrderNow = { ...estimate, stage: 'refunded', refundUnseen: true, reviewed: { pay: 1n, receive, rawStatus: 'PART' } };
    const said = { stage: 'underpaid', rawStatus: 'PART', receive } as const;
    expect(advance(part, { ...said, pay: 1n }, now)).toMatchObject({ next: 'refunded' });
    for (const seen of [
      { ...said, pay: 2n },
      { ...said, stage: 'failed', moneySeen: true, pay: 2n },
    ] as const)
      expect(advance(part, seen, now)).toMatchObject({ next: 'review', kind: 'contradiction' });
  });
});
