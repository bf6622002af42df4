import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Cut, type CutSignal } from '../domain/cut.ts';
import { ProviderBusy, ProviderFault } from '../providers/fault.ts';
import { createBulkhead, sending } from '../../test/support/resilience.ts';
import type { Guard } from '../ports/providers.ts';
import { createGuard, type GuardSettings } from './guard.ts';

const settings: GuardSettings = {
  breaker: { volumeThreshold: 5, errorPercent: 50, windowMs: 30_000, resetMs: 10_000, resetMaxMs: 300_000 },
  bulkhead: { inFlight: 8, queue: 16, queueAgeMs: 200 },
  retryAttempts: 0,
  lateGraceMs: 2_000,
  timeoutMs: {},
};
const limits = { deadlineMs: 2_500, idempotent: true, isPrice: true };
const silentGuard = (more: Partial<GuardSettings> = {}) => createGuard({ ...settings, ...more }, { now: () => Date.now(), random: () => 0.5 });
/** A guard whose calls count as sent, as the HTTP client would note. */
const guardWith = (more: Partial<GuardSettings> = {}): Guard => sending(silentGuard(more));
const settle = async (work: Promise<unknown>): Promise<unknown> => await work.catch((error: unknown) => error);
/** Answers after `ms`, or fails when aborted. */
const takes =
  (ms: number) =>
  (signal: CutSignal): Promise<string> =>
    new Promise((answer, fail) => {
      const timer = setTimeout(() => answer('answer'), ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        fail(new ProviderFault('timeout', 'cut'));
      });
    });
const limited = (retryAfterMs?: number) => () =>
  Promise.reject(new ProviderFault('rate-limited', 'x', { status: 429, taken: 'no', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }));

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('deadline', () => {
  it('leaves no timer behind', async () => {
    const guard = guardWith();
    expect(await guard.call('quote', limits, () => Promise.resolve('answer'))).toBe('answer');
    await settle(guard.call('quote', limits, () => Promise.reject(new ProviderFault('server', 'x'))));
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['quote', 2_500, 4_500],
    ['order', 2_500, 2_500],
    ['status', 2_500, 2_500],
  ] as const)('%s: the caller leaves at %i ms, the call is cut at %i ms', async (operation, leftAfter, cutAfter) => {
    const guard = guardWith();
    const at = { cut: 0, left: 0 };
    const call = settle(
      guard.call(operation, limits, async (signal) => {
        signal.addEventListener('abort', () => (at.cut = Date.now() - 1_000_000));
        return await takes(60_000)(signal);
      }),
    ).then((fault) => {
      at.left = Date.now() - 1_000_000;
      return fault;
    });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await call).toMatchObject({ kind: 'timeout', taken: 'maybe' });
    expect(at).toEqual({ cut: cutAfter, left: leftAfter });
  });

  it('a call that never began counts as not taken, and does not begin later', async () => {
    const guard = guardWith({ bulkhead: { inFlight: 1, queue: 1, queueAgeMs: 10_000 } });
    const first = guard.call('order', { ...limits, deadlineMs: 5_000 }, takes(4_000));
    let began = false;
    const second = settle(
      guard.call('order', limits, () => {
        began = true;
        return Promise.resolve('answer');
      }),
    );
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await first).toBe('answer');
    expect(await second).toMatchObject({ kind: 'timeout', taken: 'no' });
    expect(began).toBe(false);
  });

  it.each([
    ['cut after its grace', 2_000],
    ['cut at once, as on Workers', 0],
  ])('a learnt timeout grows again when the provider gets slower: %s', async (_name, lateGraceMs) => {
    const guard = guardWith({ lateGraceMs, breaker: { ...settings.breaker, volumeThreshold: 10_000 } });
    const ask = async (ms: number): Promise<unknown> => {
      const call = settle(guard.call('quote', limits, takes(ms)));
      await vi.advanceTimersByTimeAsync(6_000);
      return await call;
    };
    for (let i = 0; i < 20; i += 1) expect(await ask(50)).toBe('answer');
    expect(await ask(2_350)).toMatchObject({ kind: 'timeout' });
    for (let i = 0; i < 200; i += 1) await ask(2_350);
    expect(await ask(2_350)).toBe('answer');
  });

  it('the quick answers to one network do not shorten the time of all others', async () => {
    const guard = guardWith();
    const ask = async (ms: number, customerKey: string): Promise<unknown> => {
      const call = settle(guard.call('quote', { ...limits, customerKey }, takes(ms)));
      await vi.advanceTimersByTimeAsync(6_000);
      return await call;
    };
    for (let n = 0; n < 30; n += 1) expect(await ask(1_000, `network ${n}`)).toBe('answer');
    for (let n = 0; n < 400; n += 1) expect(await ask(5, 'one network')).toBe('answer');
    expect(await ask(1_200, 'network 99')).toBe('answer');
    expect(await ask(1_600, 'network 98')).toMatchObject({ kind: 'timeout' });
  });

  it('one network alone is enough to learn from, in both directions', async () => {
    const guard = guardWith({ breaker: { ...settings.breaker, volumeThreshold: 10_000 } });
    const ask = async (ms: number): Promise<unknown> => {
      const call = settle(guard.call('quote', { ...limits, customerKey: 'one network' }, takes(ms)));
      await vi.advanceTimersByTimeAsync(6_000);
      return await call;
    };
    for (let n = 0; n < 70; n += 1) await ask(5);
    expect(await ask(700)).toMatchObject({ kind: 'timeout' });
    for (let n = 0; n < 70; n += 1) await ask(700);
    expect(await ask(900)).toBe('answer');
    for (let n = 0; n < 70; n += 1) await ask(5);
    expect(await ask(700)).toMatchObject({ kind: 'timeout' });
  });

  it('a learnt timeout does not cut off the only provider left, and does once another has an offer', async () => {
    const guard = guardWith();
    const ask = async (ms: number, isNeeded: () => boolean): Promise<[unknown, number]> => {
      const began = Date.now();
      let tookMs = 0;
      const call = settle(guard.call('quote', { ...limits, isNeeded }, takes(ms))).finally(() => (tookMs = Date.now() - began));
      await vi.advanceTimersByTimeAsync(6_000);
      return [await call, tookMs];
    };
    for (let i = 0; i < 20; i += 1) await ask(50, () => true);
    expect(await ask(1_000, () => true)).toEqual(['answer', 1_000]);
    const from = Date.now();
    expect(await ask(1_000, () => Date.now() < from + 420)).toEqual([expect.objectContaining({ kind: 'timeout' }), 450]);
    // The deadline still applies.
    expect(await ask(9_000, () => true)).toEqual([expect.objectContaining({ kind: 'timeout' }), 2_500]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('calls that are more than one request for a price, such as listings and new sessions', () => {
  const listing = { ...limits, isPrice: false };
  const after = async (guard: Guard, given: object, ms: number): Promise<unknown> => {
    const call = settle(guard.call('quote', { ...limits, ...given }, takes(ms)));
    await vi.advanceTimersByTimeAsync(6_000);
    return await call;
  };

  it('have their whole deadline, however quick the prices are', async () => {
    const guard = guardWith();
    for (let n = 0; n < 25; n += 1) await after(guard, limits, 50);
    expect(await after(guard, limits, 400)).toMatchObject({ kind: 'timeout' });
    expect(await after(guard, listing, 2_400)).toBe('answer');
    expect(await after(guard, listing, 2_600)).toMatchObject({ kind: 'timeout' });
  });

  it('teach nothing about the time of a price', async () => {
    const guard = guardWith();
    for (let n = 0; n < 25; n += 1) await after(guard, limits, 50);
    for (let n = 0; n < 200; n += 1) await after(guard, listing, 2_000);
    expect(await after(guard, limits, 400)).toMatchObject({ kind: 'timeout' });
  });
});

describe('an answer for which nothing was sent says nothing about the provider', () => {
  const down = () => Promise.reject(new ProviderFault('server', 'x'));
  const unsent = () => Promise.resolve('answer');

  it('neither keeps a circuit closed nor closes it, and uses up no probe', async () => {
    const guard = silentGuard();
    for (let n = 0; n < 5; n += 1) {
      await settle(guard.call('quote', limits, down));
      for (let k = 0; k < 5; k += 1) await settle(guard.call('quote', limits, unsent));
    }
    expect(guard.health().circuits.quote).toBe('open');
    await vi.advanceTimersByTimeAsync(12_000);
    for (let k = 0; k < 5; k += 1) expect(await guard.call('quote', limits, unsent)).toBe('answer');
    expect(guard.health()).toMatchObject({ circuits: { quote: 'half-open' }, lastFault: { kind: 'server' } });
    expect(guard.health().lastSuccessOn).toBeUndefined();
    expect(await sending(guard).call('quote', limits, unsent)).toBe('answer');
    expect(guard.health().circuits.quote).toBe('closed');
  });

  it('nor does a call that only prepares prices, whether it succeeds or fails', async () => {
    const guard = guardWith();
    const ahead = { ...limits, isPrice: false, isAhead: true };
    for (let n = 0; n < 20; n += 1) await settle(guard.call('quote', ahead, down));
    expect(guard.health().circuits.quote).toBe('closed');
    for (let n = 0; n < 5; n += 1) {
      await settle(guard.call('quote', limits, down));
      for (let k = 0; k < 5; k += 1) await settle(guard.call('quote', ahead, unsent));
    }
    expect(guard.health().circuits.quote).toBe('open');
    await vi.advanceTimersByTimeAsync(12_000);
    expect(await guard.call('quote', ahead, unsent)).toBe('answer');
    expect(guard.health().circuits.quote).toBe('half-open');
  });

  it('does not show that our credentials are accepted again', async () => {
    const guard = silentGuard();
    await settle(guard.call('quote', { ...limits, isOwn: true }, () => Promise.reject(new ProviderFault('rejected-credentials', 'x', { status: 401 }))));
    await vi.advanceTimersByTimeAsync(61_000);
    await guard.call('quote', { ...limits, isOwn: true }, unsent);
    expect(guard.health().credentialsRefused).toBe(true);
    await sending(guard).call('quote', limits, unsent);
    expect(guard.health().credentialsRefused).toBe(false);
  });

  it('nor does a second try for which nothing was sent, after a first that was', async () => {
    const guard = silentGuard({ retryAttempts: 1 });
    let tries = 0;
    const call = guard.call('quote', limits, (signal) => {
      tries += 1;
      if (tries === 2) return Promise.resolve('answer');
      if (signal instanceof Cut) signal.sent = true;
      return Promise.reject(new ProviderFault('server', 'x', { status: 503 }));
    });
    await vi.advanceTimersByTimeAsync(6_000);
    expect([await call, guard.health().lastSuccessOn]).toEqual(['answer', undefined]);
  });

  it('teaches nothing about the time of a price', async () => {
    const guard = silentGuard();
    for (let n = 0; n < 25; n += 1) await guard.call('quote', limits, unsent);
    const call = settle(guard.call('quote', limits, takes(2_000)));
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await call).toBe('answer');
  });
});

describe('rate limits', () => {
  type Operation = Parameters<ReturnType<typeof guardWith>['call']>[0];
  const ask = async (guard: ReturnType<typeof guardWith>, operation: Operation = 'quote', who: object = {}): Promise<unknown> =>
    await settle(guard.call(operation, { ...limits, ...who }, () => Promise.resolve('answer')));
  const limit = async (guard: ReturnType<typeof guardWith>, operation: Operation = 'quote', who: object = {}, retryAfterMs?: number): Promise<unknown> =>
    await settle(guard.call(operation, { ...limits, ...who }, limited(retryAfterMs)));
  const customer = (n: number) => ({ customer: `customer ${n}`, customerKey: `network ${n}` });

  it('backs off for 1, 2, 4, 8 and 8 s if the provider names no time, and starts again after a success', async () => {
    const guard = guardWith();
    for (const seconds of [1, 2, 4, 8, 8]) {
      await limit(guard);
      expect(await ask(guard)).toMatchObject({ kind: 'rate-limited', taken: 'no', retryAfterMs: seconds * 1_000 });
      vi.advanceTimersByTime(seconds * 1_000);
    }
    expect(await ask(guard)).toBe('answer');
    await limit(guard);
    expect(await ask(guard)).toMatchObject({ retryAfterMs: 1_000 });
  });

  it('answers to calls that ran at the same time count once', async () => {
    const guard = guardWith();
    await Promise.all(Array.from({ length: 8 }, async () => await limit(guard)));
    expect(await ask(guard)).toMatchObject({ retryAfterMs: 1_000 });
  });

  it('a limit of our own is not the provider backing off', async () => {
    const guard = guardWith();
    await settle(guard.call('quote', limits, () => Promise.reject(new ProviderFault('rate-limited', 'our own budget', { retryAfterMs: 60_000 }))));
    expect(await ask(guard)).toBe('answer');
  });

  it.each(['quote', 'order', 'claim', 'status', 'account'] as const)('a 429 to a %s holds back no other class of calls', async (operation) => {
    const guard = guardWith();
    await limit(guard, operation, {}, 60_000);
    const held: string[] = [];
    for (const other of ['quote', 'order', 'claim', 'status', 'account'] as const) if ((await ask(guard, other)) !== 'answer') held.push(other);
    expect(held).toEqual([operation]);
  });

  it.each([
    ['quote', 300_000, 60_000],
    ['order', 300_000, 60_000],
    ['account', 300_000, 60_000],
    ['claim', 8_000, 8_000],
    ['status', 8_000, 8_000],
  ] as const)('%s: whatever the provider asks for, one customer waits %i ms at most, and all customers %i ms', async (operation, ownMs, allMs) => {
    const guard = guardWith();
    for (let n = 1; n <= 5; n += 1) await limit(guard, operation, customer(n), 999_999_000);
    expect(await ask(guard, operation, customer(1))).toMatchObject({ retryAfterMs: ownMs });
    expect(await ask(guard, operation, customer(6))).toMatchObject({ retryAfterMs: allMs });
    await limit(guard, operation, customer(1), 1_000);
    expect(await ask(guard, operation, customer(1))).toMatchObject({ retryAfterMs: ownMs });
  });

  it('holds back the customer that was limited, and nobody else, however often and in however many sessions', async () => {
    const guard = guardWith();
    for (let n = 1; n <= 50; n += 1) await limit(guard, 'quote', { customer: `session ${n}`, customerKey: 'one network' }, 300_000);
    expect(await ask(guard, 'quote', { customer: 'session 7', customerKey: 'one network' })).toMatchObject({ kind: 'rate-limited', retryAfterMs: 300_000 });
    expect(await ask(guard, 'quote', { customer: 'session 51', customerKey: 'one network' })).toBe('answer');
    expect(await ask(guard, 'quote')).toBe('answer');
  });

  it('holds back everybody once five networks are limited, unless somebody was served in between', async () => {
    const guard = guardWith();
    for (let n = 1; n <= 4; n += 1) await limit(guard, 'quote', customer(n), 20_000);
    expect(await ask(guard, 'quote', customer(9))).toBe('answer');
    for (let n = 5; n <= 8; n += 1) await limit(guard, 'quote', customer(n), 20_000);
    expect(await ask(guard, 'quote', customer(10))).toBe('answer');
    for (let n = 11; n <= 15; n += 1) await limit(guard, 'quote', customer(n), 20_000);
    expect(await ask(guard, 'quote', customer(10))).toMatchObject({ kind: 'rate-limited', retryAfterMs: 20_000 });
    expect(await ask(guard, 'order', customer(10))).toBe('answer');
    vi.advanceTimersByTime(20_000);
    expect(await ask(guard, 'quote', customer(10))).toBe('answer');
  });

  it('limits that lie further apart than the window hold back nobody else', async () => {
    const guard = guardWith();
    for (let n = 1; n <= 20; n += 1) {
      await limit(guard, 'quote', customer(n), 1_000);
      vi.advanceTimersByTime(7_500);
    }
    expect(await ask(guard, 'quote', customer(99))).toBe('answer');
  });

  it('remembers a thousand customers, and forgets those that were served', async () => {
    const guard = guardWith();
    for (let n = 1; n <= 1_001; n += 1) await limit(guard, 'quote', { customer: `customer ${n}`, customerKey: 'one network' }, 300_000);
    const waits = async (n: number): Promise<boolean> =>
      (await ask(guard, 'quote', { customer: `customer ${n}`, customerKey: 'one network' })) instanceof ProviderFault;
    expect([await waits(1), await waits(2), await waits(1_001)]).toEqual([false, true, true]);
  });
});

describe('credentials', () => {
  const refused = (status?: number) => () =>
    Promise.reject(new ProviderFault('rejected-credentials', 'x', { taken: 'no', ...(status === undefined ? {} : { status }) }));
  const watched = () => {
    const told: string[] = [];
    return { told, guard: guardWith({ onCredentials: (state) => told.push(state) }) };
  };
  const answer = () => Promise.resolve('answer');

  it.each(['quote', 'order', 'claim', 'status', 'account'] as const)(
    'one network whose %s calls are refused changes nothing for anybody',
    async (operation) => {
      const { told, guard } = watched();
      for (let n = 1; n <= 50; n += 1)
        expect(await settle(guard.call(operation, { ...limits, customer: `session ${n}`, customerKey: 'one network' }, refused(403)))).toMatchObject({
          kind: 'rejected-credentials',
        });
      for (const one of ['quote', 'order', 'claim', 'status', 'account'] as const) expect(await guard.call(one, limits, answer)).toBe('answer');
      expect([told, guard.health().credentialsRefused]).toEqual([[], false]);
    },
  );

  it.each([
    ['a call without any text of a caller', { isOwn: true }, 401],
    ['a call that we have no credentials for', { customerKey: 'one network' }, undefined],
  ])('%s stops prices for a minute, never orders, claims and reads', async (_name, who, status) => {
    const { told, guard } = watched();
    await settle(guard.call('quote', { ...limits, ...who }, refused(status)));
    expect(await settle(guard.call('quote', limits, answer))).toMatchObject({ kind: 'rejected-credentials', taken: 'no', status: undefined });
    for (const one of ['order', 'claim', 'status', 'account'] as const) expect(await guard.call(one, limits, answer)).toBe('answer');
    expect([told, guard.health().credentialsRefused]).toEqual([['refused'], true]);
    vi.advanceTimersByTime(59_999);
    expect(await settle(guard.call('quote', limits, answer))).toBeInstanceOf(ProviderFault);
    vi.advanceTimersByTime(1);
    // The credentials are still refused: the pause lasts another minute, but there is no second alert.
    await settle(guard.call('quote', { ...limits, ...who }, refused(status)));
    expect(await settle(guard.call('quote', limits, answer))).toBeInstanceOf(ProviderFault);
    vi.advanceTimersByTime(60_000);
    expect(await guard.call('quote', limits, answer)).toBe('answer');
    expect([told, guard.health().credentialsRefused]).toEqual([['refused', 'accepted'], false]);
  });

  it('refusals of five networks count, unless somebody got a price in between', async () => {
    const { told, guard } = watched();
    const refuse = async (n: number) => await settle(guard.call('order', { ...limits, customerKey: `network ${n}` }, refused(401)));
    for (let n = 1; n <= 4; n += 1) await refuse(n);
    await guard.call('quote', limits, answer);
    for (let n = 5; n <= 8; n += 1) await refuse(n);
    expect(await guard.call('quote', limits, answer)).toBe('answer');
    for (let n = 11; n <= 14; n += 1) await refuse(n);
    // Four of the refusals are now too old to count.
    vi.advanceTimersByTime(30_000);
    await refuse(15);
    expect(told).toEqual([]);
    for (let n = 16; n <= 19; n += 1) await refuse(n);
    expect(await settle(guard.call('quote', limits, answer))).toBeInstanceOf(ProviderFault);
    expect(told).toEqual(['refused']);
  });

  it('after the clock was set back, the pause lasts a minute at most', async () => {
    const { guard } = watched();
    vi.setSystemTime(1_000_000 + 3 * 3_600_000);
    await settle(guard.call('quote', { ...limits, isOwn: true }, refused(401)));
    vi.setSystemTime(1_000_000);
    expect(await settle(guard.call('quote', limits, answer))).toBeInstanceOf(ProviderFault);
    vi.setSystemTime(1_000_000 + 60_000);
    expect(await guard.call('quote', limits, answer)).toBe('answer');
  });
});

describe('circuits', () => {
  it('one per class, shown with the nearest time of a probe', async () => {
    const guard = guardWith();
    await guard.call('order', limits, () => Promise.resolve('answer'));
    for (let i = 0; i < 5; i += 1) await settle(guard.call('quote', limits, () => Promise.reject(new ProviderFault('server', 'x'))));
    expect(await settle(guard.call('quote', limits, () => Promise.resolve('answer')))).toMatchObject({ kind: 'circuit-open' });
    expect(await guard.call('order', limits, () => Promise.resolve('answer'))).toBe('answer');
    expect(guard.health()).toEqual({
      circuits: { quote: 'open', order: 'closed', claim: 'closed', status: 'closed', account: 'closed' },
      opened: [{ operation: 'quote', on: 1_000_000, fault: 'server' }],
      credentialsRefused: false,
      lastSuccessOn: 1_000_000,
      retryOn: 1_010_000,
    });
  });

  it('orders that fail do not stop a claim, and a failing account does not slow down a read of a paid order', async () => {
    const guard = guardWith();
    for (const [failing, going] of [
      ['order', 'claim'],
      ['account', 'status'],
    ] as const) {
      for (let i = 0; i < 5; i += 1) await settle(guard.call(failing, limits, () => Promise.reject(new ProviderFault('server', 'x'))));
      expect(guard.health().circuits).toMatchObject({ [failing]: 'open', [going]: 'closed' });
      expect(await guard.call(going, limits, () => Promise.resolve('answer'))).toBe('answer');
    }
  });

  it('a dead provider is asked about its orders once per reset window, for ever', async () => {
    const guard = guardWith();
    let asked = 0;
    for (let second = 0; second < 120; second += 1) {
      await settle(
        guard.call('status', limits, () => {
          asked += 1;
          return Promise.reject(new ProviderFault('unreachable', 'x'));
        }),
      );
      vi.advanceTimersByTime(1_000);
    }
    // Five calls open the circuit. After that, one call passes every ten seconds.
    expect(asked).toBe(5 + 11);
  });
});

describe('retry', () => {
  const counting = (fault: ProviderFault) => {
    const calls: number[] = [];
    return {
      calls,
      attempt: () => {
        calls.push(Date.now() - 1_000_000);
        return Promise.reject(fault);
      },
    };
  };
  const run = async (fault: ProviderFault, idempotent = true): Promise<number[]> => {
    const { calls, attempt } = counting(fault);
    const call = settle(guardWith({ retryAttempts: 1 }).call('quote', { ...limits, idempotent }, attempt));
    await vi.advanceTimersByTimeAsync(10_000);
    await call;
    return calls;
  };

  it.each([
    ['nothing was taken', new ProviderFault('unreachable', 'x', { taken: 'no' }), [0, 20]],
    ['503, come back in 300 ms', new ProviderFault('server', 'x', { status: 503, retryAfterMs: 300 }), [0, 300]],
    ['503, come back in 2 s', new ProviderFault('server', 'x', { status: 503, retryAfterMs: 2_000 }), [0]],
    ['500', new ProviderFault('server', 'x', { status: 500 }), [0]],
    ['it may have been taken', new ProviderFault('unreachable', 'x'), [0]],
    ['rejected credentials', new ProviderFault('rejected-credentials', 'x', { taken: 'no' }), [0]],
    ['rate limited', new ProviderFault('rate-limited', 'x', { status: 429, taken: 'no' }), [0]],
  ])('%s', async (_name, fault, times) => {
    expect(await run(fault)).toEqual(times);
  });

  it('never repeats a call that could place a second order', async () => {
    expect(await run(new ProviderFault('unreachable', 'x', { taken: 'no' }), false)).toEqual([0]);
  });

  it('failing orders use up no retries of prices', async () => {
    const guard = guardWith({ retryAttempts: 1, breaker: { ...settings.breaker, volumeThreshold: 10_000 } });
    for (let n = 0; n < 20; n += 1) await settle(guard.call('order', { ...limits, idempotent: false }, () => Promise.reject(new ProviderFault('server', 'x'))));
    const { calls, attempt } = counting(new ProviderFault('unreachable', 'x', { taken: 'no' }));
    const call = settle(guard.call('quote', limits, attempt));
    await vi.advanceTimersByTimeAsync(10_000);
    await call;
    expect(calls).toHaveLength(2);
  });

  it('not after 40 % of the deadline', async () => {
    const calls: number[] = [];
    const call = settle(
      guardWith({ retryAttempts: 1 }).call('quote', limits, async () => {
        calls.push(Date.now() - 1_000_000);
        await new Promise((done) => setTimeout(done, 1_000));
        throw new ProviderFault('unreachable', 'x', { taken: 'no' });
      }),
    );
    await vi.advanceTimersByTimeAsync(10_000);
    await call;
    expect(calls).toEqual([0]);
  });
});

describe('bulkhead', () => {
  it('without a limit, as on Workers, a call from a known network gets a slot, too', async () => {
    const bulkhead = createBulkhead({ ...settings.bulkhead, inFlight: Infinity });
    expect(await bulkhead.run(async () => await Promise.resolve('served'), '192.0.2.0')).toBe('served');
  });

  it('eight run, sixteen wait, the next one is refused, and those who waited 200 ms give up', async () => {
    const bulkhead = createBulkhead(settings.bulkhead);
    let most = 0;
    let running = 0;
    const work = async (): Promise<string> => {
      most = Math.max(most, (running += 1));
      await new Promise((done) => setTimeout(done, 150));
      running -= 1;
      return 'done';
    };
    const calls = Array.from({ length: 25 }, async () => await settle(bulkhead.run(work)));
    await vi.advanceTimersByTimeAsync(1_000);
    const outcomes = (await Promise.all(calls)).map((result) => (result instanceof ProviderBusy ? 'busy' : result));
    expect(outcomes).toEqual([...Array<string>(16).fill('done'), ...Array<string>(9).fill('busy')]);
    expect(most).toBe(8);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a queue entry that gives up removes no other, and its place is free again', async () => {
    const bulkhead = createBulkhead({ inFlight: 1, queue: 2, queueAgeMs: 200 });
    const slow = async (): Promise<string> => {
      await new Promise((done) => setTimeout(done, 250));
      return 'slow';
    };
    const first = bulkhead.run(slow);
    const second = settle(bulkhead.run(() => Promise.resolve('second')));
    await vi.advanceTimersByTimeAsync(150);
    const third = bulkhead.run(() => Promise.resolve('third'));
    await vi.advanceTimersByTimeAsync(60);
    expect(await second).toBeInstanceOf(ProviderBusy);
    const fourth = bulkhead.run(() => Promise.resolve('fourth'));
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.all([first, third, fourth])).toEqual(['slow', 'third', 'fourth']);
  });
});

describe('however a call ends, its slot is free again', () => {
  const oneSlot = (more: Partial<GuardSettings> = {}) => guardWith({ bulkhead: { inFlight: 1, queue: 1, queueAgeMs: 10_000 }, ...more });
  const isFree = async (guard: ReturnType<typeof guardWith>): Promise<void> => {
    let began = false;
    const next = guard.call('status', limits, () => {
      began = true;
      return Promise.resolve('next');
    });
    // Without a wait, the attempt begins before `call` returns.
    expect(began).toBe(true);
    expect(await next).toBe('next');
  };
  const end = async (guard: ReturnType<typeof guardWith>, attempt: (signal: CutSignal) => Promise<string>): Promise<unknown> => {
    const ended = settle(guard.call('status', limits, attempt));
    await vi.advanceTimersByTimeAsync(3_000);
    return await ended;
  };

  it.each<[string, (signal: CutSignal) => Promise<string>, unknown]>([
    ['an answer', () => Promise.resolve('answer'), 'answer'],
    ['a fault', () => Promise.reject(new ProviderFault('server', 'x')), expect.objectContaining({ kind: 'server' })],
    [
      'a throw before the first await',
      () => {
        throw new Error('ours');
      },
      expect.objectContaining({ message: 'ours' }),
    ],
    ['the deadline', takes(60_000), expect.objectContaining({ kind: 'timeout' })],
  ])('%s', async (_name, attempt, outcome) => {
    const guard = oneSlot();
    expect(await end(guard, attempt)).toEqual(outcome);
    await isFree(guard);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a wait after a 429, and an open circuit', async () => {
    const guard = oneSlot();
    const began = vi.fn<() => Promise<string>>(() => Promise.resolve('answer'));
    await settle(guard.call('status', limits, limited(2_000)));
    expect(await settle(guard.call('status', limits, began))).toMatchObject({ kind: 'rate-limited' });
    await vi.advanceTimersByTimeAsync(2_000);
    for (let n = 0; n < 5; n += 1) await settle(guard.call('status', limits, () => Promise.reject(new ProviderFault('server', 'x'))));
    expect(await settle(guard.call('status', limits, began))).toMatchObject({ kind: 'circuit-open' });
    expect(began).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(10_000);
    await isFree(guard);
  });

  it('a probe: its circuit is closed and its slot is free when the caller has the answer', async () => {
    const guard = oneSlot();
    for (let n = 0; n < 5; n += 1) await settle(guard.call('status', limits, () => Promise.reject(new ProviderFault('server', 'x'))));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await guard.call('status', limits, () => Promise.resolve('probe'))).toBe('probe');
    expect(guard.health().circuits.status).toBe('closed');
    await isFree(guard);
  });

  it('a call after which the credentials are refused, or accepted again, and whoever is told of it throws', async () => {
    const guard = oneSlot({
      onCredentials: () => {
        throw new Error('the log is full');
      },
    });
    const price = async (attempt: () => Promise<string>): Promise<unknown> => {
      const ended = settle(guard.call('quote', { ...limits, isOwn: true }, attempt));
      await vi.advanceTimersByTimeAsync(3_000);
      return await ended;
    };
    const refused = new ProviderFault('rejected-credentials', 'x', { status: 401 });
    expect(await price(() => Promise.reject(refused))).toMatchObject({ message: 'the log is full' });
    // Without a free slot, the call would wait for one, and time out.
    expect(await price(() => Promise.resolve('too early'))).toMatchObject({ kind: 'rejected-credentials' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await price(() => Promise.resolve('answer'))).toMatchObject({ message: 'the log is full' });
    expect(await price(() => Promise.resolve('next'))).toBe('next');
  });

  it('each failed try of a call that is repeated', async () => {
    const guard = oneSlot({ retryAttempts: 2 });
    const failing = end(guard, () => Promise.reject(new ProviderFault('unreachable', 'x', { taken: 'no' })));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await failing).toMatchObject({ kind: 'unreachable' });
    await isFree(guard);
  });

  it('a call that waited for a slot until the circuit opened', async () => {
    const guard = oneSlot({ bulkhead: { inFlight: 1, queue: 10, queueAgeMs: 10_000 } });
    const calls = Array.from({ length: 7 }, () => settle(guard.call('order', limits, () => Promise.reject(new ProviderFault('server', 'x')))));
    await vi.advanceTimersByTimeAsync(10);
    expect((await Promise.all(calls)).map((fault) => (fault as ProviderFault).kind)).toEqual([
      ...Array.from({ length: 5 }, () => 'server'),
      'circuit-open',
      'circuit-open',
    ]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await guard.call('order', limits, () => Promise.resolve('next'))).toBe('next');
  });

  it('an attempt that returns no promise', async () => {
    const guard = oneSlot();
    expect(await end(guard, (() => 'no promise') as unknown as () => Promise<string>)).toBe('no promise');
    await isFree(guard);
  });

  it('a call whose caller left while it waited for a slot', async () => {
    const guard = oneSlot();
    const first = settle(guard.call('status', { ...limits, deadlineMs: 5_000 }, takes(4_000)));
    const second = settle(guard.call('status', limits, takes(0)));
    await vi.advanceTimersByTimeAsync(6_000);
    expect([await first, await second]).toEqual(['answer', expect.objectContaining({ kind: 'timeout', taken: 'no' })]);
    await isFree(guard);
  });
});

it('one network never has more than three quarters of a provider, running or waiting', async () => {
  const bulkhead = createBulkhead({ inFlight: 4, queue: 4, queueAgeMs: 200 });
  const slow = async (): Promise<string> => {
    await new Promise((done) => setTimeout(done, 1000));
    return 'slow';
  };
  const flood = Array.from({ length: 20 }, async () => await settle(bulkhead.run(slow, 'flood')));
  const others = ['a', 'b'].map(async (network) => await settle(bulkhead.run(() => Promise.resolve(network), network)));
  expect(await Promise.all(others)).toEqual(['a', 'b']);
  await vi.advanceTimersByTimeAsync(1_500);
  const outcomes = (await Promise.all(flood)).map((result) => (result instanceof ProviderBusy ? 'busy' : result));
  expect([outcomes.filter((one) => one === 'slow').length, outcomes.filter((one) => one === 'busy').length]).toEqual([3, 17]);
  // The gateway's own calls have no network: they may use every slot, and overtake calls that wait for their network's share.
  const own = Array.from({ length: 2 }, async () => await settle(bulkhead.run(slow)));
  const again = Array.from({ length: 3 }, async () => await settle(bulkhead.run(slow, 'flood')));
  const last = settle(bulkhead.run(() => Promise.resolve('last'), 'c'));
  await vi.advanceTimersByTimeAsync(100);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([await Promise.all(own), (await Promise.all(again)).filter((one) => one === 'slow').length, (await last) instanceof ProviderBusy]).toEqual([
    ['slow', 'slow'],
    2,
    true,
  ]);
  expect(vi.getTimerCount()).toBe(0);
});

it('gives a price that needs an order the whole deadline, even if estimates are quick', async () => {
  const guard = guardWith();
  for (let n = 0; n < 25; n += 1) await guard.call('quote', limits, () => Promise.resolve('estimate'));
  const firm = settle(guard.call('quote', { deadlineMs: 2_500, idempotent: false }, takes(1_000)));
  const estimate = settle(guard.call('quote', limits, takes(1_000)));
  await vi.advanceTimersByTimeAsync(1_100);
  expect(await firm).toBe('answer');
  expect(await estimate).toMatchObject({ kind: 'timeout' });
});

it('after the clock was set back, a back-off lasts five minutes at most, not hours', async () => {
  const guard = guardWith();
  vi.setSystemTime(1_000_000 + 3 * 3_600_000);
  await settle(guard.call('quote', limits, limited(60_000)));
  vi.setSystemTime(1_000_000);
  expect(await settle(guard.call('quote', limits, takes(0)))).toMatchObject({ kind: 'rate-limited' });
  vi.setSystemTime(1_000_000 + 300_000);
  const answer = guard.call('quote', limits, takes(0));
  await vi.advanceTimersByTimeAsync(10);
  expect(await answer).toBe('answer');
});

it('a spent budget of our own says nothing about the provider', async () => {
  const guard = guardWith();
  for (let i = 0; i < 30; i += 1) await settle(guard.call('quote', limits, () => Promise.reject(new ProviderFault('gateway-busy', 'x', { taken: 'no' }))));
  expect(guard.health().circuits.quote).toBe('closed');
  expect(await guard.call('quote', limits, () => Promise.resolve('answer'))).toBe('answer');
});
