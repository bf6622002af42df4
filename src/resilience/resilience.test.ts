import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBreaker, createBulkhead, withRetry } from '../../test/support/resilience.ts';
import { ProviderBusy, ProviderFault } from '../providers/fault.ts';
import { createAdaptiveTimeout } from './adaptive-timeout.ts';
import { createGuard } from './guard.ts';
import { createRetryBudget } from './retry.ts';

afterEach(() => void vi.useRealTimers());

const clock = () => {
  const at = { ms: 1_000_000 };
  return { at, now: () => at.ms, random: () => 0.5 };
};
const settings = { volumeThreshold: 5, errorPercent: 50, windowMs: 30_000, resetMs: 10_000, resetMaxMs: 300_000 };
const fails =
  (kind: 'server' | 'timeout' | 'rate-limited' = 'server') =>
  () =>
    Promise.reject(new ProviderFault(kind, 'x'));
const kindOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'ok',
    (error: unknown) => (error instanceof ProviderFault ? error.kind : 'defect'),
  );

describe('breaker', () => {
  it('opens by its share of failures, half-opens by our clock, one probe at a time, one success closes', async () => {
    const time = clock();
    const breaker = createBreaker(settings, time);
    for (let i = 0; i < 5; i += 1) expect(await kindOf(breaker.run(fails()))).toBe('server');
    expect(breaker.state()).toBe('open');
    expect(await kindOf(breaker.run(() => Promise.resolve(1)))).toBe('circuit-open');
    time.at.ms += 9_999;
    expect(await kindOf(breaker.run(() => Promise.resolve(1)))).toBe('circuit-open');
    time.at.ms += 1;
    let answer: (value: number) => void = () => undefined;
    const probe = breaker.run(
      () =>
        new Promise<number>((done) => {
          answer = done;
        }),
    );
    expect(await kindOf(breaker.run(() => Promise.resolve(1)))).toBe('circuit-open');
    answer(7);
    expect(await probe).toBe(7);
    expect(breaker.state()).toBe('closed');
  });

  it('waits longer each time it opens again, and gives up a probe that never settles', async () => {
    const time = clock();
    const breaker = createBreaker(settings, time);
    for (let i = 0; i < 5; i += 1) await kindOf(breaker.run(fails()));
    time.at.ms += 10_000;
    expect(await kindOf(breaker.run(fails('timeout')))).toBe('timeout');
    expect(breaker.retryOn()).toBe(time.at.ms + 20_000);
    time.at.ms += 20_000;
    void breaker.run(() => new Promise(() => undefined));
    expect(await kindOf(breaker.run(() => Promise.resolve(1)))).toBe('circuit-open');
    time.at.ms += 30_000;
    expect(await kindOf(breaker.run(() => Promise.resolve(1)))).toBe('ok');
  });

  it('does not count refusals by rate, and counts one customer once', async () => {
    const time = clock();
    const breaker = createBreaker(settings, time);
    for (let i = 0; i < 20; i += 1) await kindOf(breaker.run(fails('rate-limited')));
    for (let i = 0; i < 20; i += 1) await kindOf(breaker.run(fails(), 'one customer'));
    expect(breaker.state()).toBe('closed');
    const other = createBreaker(settings, time);
    for (let i = 0; i < 15; i += 1) await kindOf(other.run(fails(), `customer ${i % 5}`));
    expect(other.state()).toBe('open');
  });

  it('forgets what is older than its window', async () => {
    const time = clock();
    const breaker = createBreaker(settings, time);
    for (let i = 0; i < 4; i += 1) await kindOf(breaker.run(fails()));
    time.at.ms += 31_000;
    await kindOf(breaker.run(fails()));
    expect(breaker.state()).toBe('closed');
  });
});

it('bulkhead: calls queue when all slots are taken, are refused when the queue is full, and give up when they are old', async () => {
  const bulkhead = createBulkhead({ inFlight: 1, queue: 1, queueAgeMs: 20 });
  let free: () => void = () => undefined;
  const first = bulkhead.run(
    () =>
      new Promise<void>((done) => {
        free = done;
      }),
  );
  const second = bulkhead.run(() => Promise.resolve('second'));
  await expect(bulkhead.run(() => Promise.resolve('third'))).rejects.toBeInstanceOf(ProviderBusy);
  await expect(second).rejects.toBeInstanceOf(ProviderBusy);
  const third = bulkhead.run(() => Promise.resolve('next'));
  free();
  await first;
  expect(await third).toBe('next');
});

it('adaptive timeout: the deadline at first, then learnt from the slowest answers', () => {
  const adaptive = createAdaptiveTimeout();
  for (let i = 0; i < 19; i += 1) adaptive.record(100);
  expect(adaptive.timeoutMs(2500)).toBe(2500);
  adaptive.record(600);
  expect(adaptive.timeoutMs(2500)).toBe(900);
  for (let i = 0; i < 200; i += 1) adaptive.record(10);
  expect(adaptive.timeoutMs(2500)).toBe(300);
  for (let i = 0; i < 200; i += 1) adaptive.record(4000);
  expect(adaptive.timeoutMs(2500)).toBe(2400);
});

it('retry: once, only if nothing was taken or a server in front of the provider failed, and only while there are tokens', async () => {
  const run = async (fault: ProviderFault, budget = createRetryBudget()): Promise<number> => {
    let calls = 0;
    await withRetry(
      () => {
        calls += 1;
        return Promise.reject(fault);
      },
      { attempts: 1, budget, deadlineMs: 1000, now: () => 0, signal: new AbortController().signal },
    ).catch(() => undefined);
    return calls;
  };
  expect(await run(new ProviderFault('unreachable', 'x', { taken: 'no' }))).toBe(2);
  expect(await run(new ProviderFault('unreachable', 'x'))).toBe(1);
  expect(await run(new ProviderFault('server', 'x', { status: 503 }))).toBe(2);
  expect(await run(new ProviderFault('server', 'x', { status: 500 }))).toBe(1);
  const empty = createRetryBudget();
  for (let i = 0; i < 5; i += 1) empty.failed();
  expect(await run(new ProviderFault('server', 'x', { status: 503 }), empty)).toBe(1);
});

it('retry: every wait is as long as the provider asks', async () => {
  vi.useFakeTimers();
  const calledOn: number[] = [];
  const call = () => {
    calledOn.push(Date.now());
    return Promise.reject(new ProviderFault('server', 'x', { taken: 'no', retryAfterMs: 1_000 }));
  };
  const options = { attempts: 3, budget: createRetryBudget(), deadlineMs: 60_000, now: () => Date.now(), signal: new AbortController().signal };
  const ended = kindOf(withRetry(call, options));
  await vi.runAllTimersAsync();
  expect(await ended).toBe('server');
  expect(calledOn.map((on) => on - (calledOn[0] ?? 0))).toEqual([0, 1_000, 2_000, 3_000]);
});

describe('guard', () => {
  const guardSettings = { breaker: settings, bulkhead: { inFlight: 8, queue: 16, queueAgeMs: 200 }, retryAttempts: 0, lateGraceMs: 50, timeoutMs: {} };
  const limits = { deadlineMs: 30, idempotent: true };
  it('stops waiting at the deadline and lets the call run on for its grace', async () => {
    const guard = createGuard(guardSettings, { now: () => Date.now(), random: () => 0.5 });
    let cut = 0;
    vi.useFakeTimers();
    const started = Date.now();
    const left = kindOf(
      guard.call(
        'quote',
        limits,
        (signal) =>
          new Promise((_, fail) =>
            signal.addEventListener('abort', () => {
              cut = Date.now();
              fail(new ProviderFault('timeout', 'cut'));
            }),
          ),
      ),
    );
    await vi.advanceTimersByTimeAsync(30);
    expect(await left).toBe('timeout');
    expect(Date.now() - started).toBeLessThan(75);
    expect(cut).toBe(0);
    await vi.advanceTimersByTimeAsync(80);
    expect(cut - started).toBeGreaterThanOrEqual(70);
  });
});
