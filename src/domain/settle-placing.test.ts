import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RepostProfile } from './order.ts';
import type { NewOrder, PlacingStep, UnknownPlacing } from './settle-placing.ts';
import { backOffMs, newOrders, settlePlacing } from './settle-placing.ts';

const sentOn = 1_000_000;
const deadOn = sentOn + 60_000;
const lateCommitMaxMs = 5_000;
const certainFrom = sentOn + lateCommitMaxMs;
const placing = (repost: RepostProfile, more: Partial<UnknownPlacing> = {}, statusBySession = true): UnknownPlacing => ({
  profile: { repost, lateCommitMaxMs, statusBySession },
  quoted: { pay: 10_000n, receive: 107_869n, binding: true },
  sentOn,
  deadOn,
  reposts: 0,
  ...more,
});
const saw = (on: number, ...found: NewOrder[]): Pick<UnknownPlacing, 'read'> => ({ read: { on, found } });
const theOrder: NewOrder = { upstreamOrderId: 'up-1', stage: 'awaiting_payment', pay: 10_000n, receive: 107_869n };
const brief = (step: PlacingStep): string => (step.do === 'settle' ? step.state : step.do === 'wait' ? `wait until ${step.until - sentOn}` : step.do);
const next = (of: UnknownPlacing, now: number): string => brief(settlePlacing(of, now));

describe('same: the repeated request returns the same order and how to pay it', () => {
  test.each<[string, Partial<UnknownPlacing>, number, string]>([
    ['at once', {}, sentOn, 'repost'],
    ['and again while it is lost', { reposts: 3, reply: 'lost' }, deadOn - 1, 'repost'],
    ['answered', { reposts: 1, reply: 'placed' }, sentOn + 1, 'confirmed'],
    ['answered after its death', { reposts: 1, reply: 'placed' }, deadOn + 1, 'confirmed'],
    ['even when a read shows the order: only the answer says how to pay', saw(sentOn + 9, theOrder), sentOn + 9, 'repost'],
    ['but not when that order is paid', saw(sentOn + 9, { ...theOrder, stage: 'filled' }), sentOn + 9, 'review'],
    ['refused: not again, reads tell', { reposts: 1, reply: 'refused' }, sentOn + 9, 'read'],
    ['refused and seen', { reposts: 1, reply: 'refused', ...saw(sentOn + 9, theOrder) }, sentOn + 9, 'unpayable'],
    ['dead and seen', saw(sentOn + 9, theOrder), deadOn, 'unpayable'],
    ['dead', saw(deadOn), deadOn, 'dead'],
  ])('%s', (_name, more, now, step) => {
    expect(next(placing('same', more), now)).toBe(step);
  });
  test('needs no reads', () => {
    expect(next(placing('same', {}, false), sentOn)).toBe('repost');
    expect(next(placing('same', {}, false), deadOn)).toBe('dead');
  });
});

describe('rejects: one more request, once a late commit would be visible', () => {
  test.each<[string, Partial<UnknownPlacing>, number, string]>([
    ['waits for late commits', {}, certainFrom - 1, 'wait until 5000'],
    ['then reads', {}, certainFrom, 'read'],
    ['a read from before that proves nothing', saw(certainFrom - 1), certainFrom, 'read'],
    ['nothing there: one re-POST', saw(certainFrom), certainFrom, 'repost'],
    ['there: nobody can pay it', saw(certainFrom - 3, theOrder), certainFrom - 2, 'unpayable'],
    ['the re-POST was answered', { reposts: 1, reply: 'placed' }, certainFrom + 9, 'confirmed'],
    ['the re-POST was refused: the order has come late', { reposts: 1, reply: 'refused', ...saw(certainFrom) }, certainFrom + 9, 'read'],
    ['the re-POST was lost too: no third request', { reposts: 1, reply: 'lost', ...saw(certainFrom + 9) }, certainFrom + 9, 'read'],
    ['an expired quote is not sent again', saw(certainFrom), deadOn, 'read'],
    ['and is dead once it was looked for', saw(deadOn), deadOn + 5, 'dead'],
  ])('%s', (_name, more, now, step) => {
    expect(next(placing('rejects', more), now)).toBe(step);
  });
  test('if the quote expires before a late commit would be visible, we read when it expires', () => {
    expect(next(placing('rejects', { deadOn: sentOn + 3_000 }), sentOn)).toBe('wait until 3000');
  });
  test('after the re-POST, the wait for late commits starts again', () => {
    expect(next(placing('rejects', { sentOn: certainFrom, reposts: 1, reply: 'lost' }), certainFrom + 1)).toBe('wait until 10000');
  });
});

describe.each(['duplicates', 'unknown'] as const)('%s: never sent again', (repost) => {
  test.each<[string, Partial<UnknownPlacing>, number, string]>([
    ['reads', {}, sentOn, 'read'],
    ['reads on', saw(deadOn - 1), deadOn - 1, 'read'],
    ['found', saw(sentOn + 1, theOrder), sentOn + 1, 'unpayable'],
    ['found without amounts', saw(sentOn + 1, { upstreamOrderId: 'up-1' }), sentOn + 1, 'unpayable'],
    ['found after its death', saw(deadOn + 1, { ...theOrder, stage: 'expired' }), deadOn + 1, 'unpayable'],
    ['needs a look after its death', saw(deadOn - 1), deadOn, 'read'],
    ['dead', saw(deadOn), deadOn, 'dead'],
    ['dead although the provider stays silent', saw(deadOn - 1), deadOn + 600_000, 'dead'],
    ['not before', saw(deadOn - 1), deadOn + 599_999, 'read'],
    ['two new orders', saw(sentOn + 1, theOrder, { ...theOrder, upstreamOrderId: 'up-2' }), sentOn + 1, 'review'],
    ['other amounts', saw(sentOn + 1, { ...theOrder, receive: 107_868n }), sentOn + 1, 'review'],
    ['money in it', saw(sentOn + 1, { ...theOrder, stage: 'paid' }), sentOn + 1, 'review'],
  ])('%s', (_name, more, now, step) => {
    expect(next(placing(repost, more), now)).toBe(step);
  });
});

test('an estimate may have moved', () => {
  const quoted = { pay: 10_000n, receive: 107_869n, binding: false };
  expect(settlePlacing(placing('unknown', { quoted, ...saw(sentOn + 1, { ...theOrder, receive: 107_000n }) }), sentOn + 1)).toEqual({
    do: 'settle',
    state: 'unpayable',
    upstreamOrderId: 'up-1',
    note: 'the order exists, but the answer that said how to pay it was lost',
  });
});

test.each(['rejects', 'duplicates', 'unknown'] as const)('%s without status by session: waits for the doorbell until the quote is dead', (repost) => {
  expect(next(placing(repost, {}, false), sentOn)).toBe('wait until 60000');
  expect(next(placing(repost, saw(sentOn + 9, theOrder), false), sentOn + 9)).toBe('unpayable');
  expect(next(placing(repost, {}, false), deadOn)).toBe('dead');
});

/** Plays the resolution of an attempt to its end with a provider of this profile, including lost answers and late commits. */
const play = (repost: RepostProfile, taken: boolean, late: number, losses: boolean[]): { end: string; orders: number } => {
  const orders: { id: string; from: number }[] = taken ? [{ id: 'first', from: sentOn + late }] : [];
  const keyed = repost === 'same' || repost === 'rejects';
  let state = placing(repost);
  let now = sentOn;
  for (let tries = 0; tries < 100; tries += 1) {
    const step = settlePlacing(state, now);
    if (step.do === 'settle') return { end: step.state, orders: orders.length };
    const lost = losses[tries] ?? false;
    if (step.do === 'read' && !lost)
      state = { ...state, read: { on: now, found: orders.filter(({ from }) => from <= now).map(({ id }) => ({ upstreamOrderId: id })) } };
    if (step.do === 'repost') {
      if (!keyed || orders.length === 0) orders.push({ id: `again${tries}`, from: now });
      state = { ...state, sentOn: now, reposts: state.reposts + 1, reply: lost ? 'lost' : repost === 'rejects' && taken ? 'refused' : 'placed' };
    }
    now = step.do === 'wait' ? step.until : now + backOffMs(tries, 0.5);
  }
  return { end: 'none', orders: orders.length };
};

test('never two orders for one quote, always an end, and the end agrees with the provider', () => {
  const profiles = fc.constantFrom<RepostProfile>('same', 'rejects', 'duplicates', 'unknown');
  const losses = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 });
  fc.assert(
    fc.property(profiles, fc.boolean(), fc.integer({ min: 0, max: lateCommitMaxMs }), losses, (repost, taken, late, lost) => {
      expect(['confirmed 1', 'unpayable 1', 'dead 0', 'dead 1']).toContain(Object.values(play(repost, taken, late, lost)).join(' '));
    }),
  );
});

test('with nothing lost after the first answer', () => {
  const ends = (taken: boolean): string[] =>
    (['same', 'rejects', 'duplicates', 'unknown'] as const).map((repost) => Object.values(play(repost, taken, 2_500, [])).join(' '));
  expect(ends(true)).toEqual(['confirmed 1', 'unpayable 1', 'unpayable 1', 'unpayable 1']);
  expect(ends(false)).toEqual(['confirmed 1', 'confirmed 1', 'dead 0', 'dead 0']);
});

test('which orders of the session can belong to this attempt', () => {
  const rows = [{ upstreamOrderId: 'old' }, { upstreamOrderId: 'others' }, { upstreamOrderId: 'new', pay: 1n }, {}];
  expect(newOrders(rows, ['old'], ['others'])).toEqual([{ upstreamOrderId: 'new', pay: 1n }]);
});

test('back-off: 1, 2, 4, 8, 15, 30, then 60 s, ±20 %', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 500].map((tries) => backOffMs(tries, 0.5))).toEqual([1000, 2000, 4000, 8000, 15_000, 30_000, 60_000, 60_000, 60_000]);
  expect([backOffMs(6, 0), backOffMs(6, 1)]).toEqual([48_000, 72_000]);
});
