import { afterEach, describe, expect, it, vi } from 'vitest';
import { ProviderFault } from '../providers/fault.ts';
import { createBreaker, type Breaker } from '../../test/support/resilience.ts';

const settings = { volumeThreshold: 5, errorPercent: 50, windowMs: 30_000, resetMs: 10_000, resetMaxMs: 300_000 };
const clock = () => {
  const at = { ms: 1_000_000 };
  return { at, now: () => at.ms, random: () => 0.5 };
};
type Kind = ConstructorParameters<typeof ProviderFault>[0];
const failWith = (kind: Kind) => () => Promise.reject(new ProviderFault(kind, 'x'));
const outcome = async (work: Promise<unknown>): Promise<unknown> =>
  await work.catch((error: unknown) => (error instanceof ProviderFault ? error.kind : 'defect'));
const fail = async (breaker: Breaker, times: number, kind: Kind = 'server', customer?: string): Promise<void> => {
  for (let i = 0; i < times; i += 1) await outcome(breaker.run(failWith(kind), customer));
};
const ok = () => Promise.resolve('ok');
/** A call that ends when the test decides. */
const held = <T>() => {
  let answer: (value: T) => void = () => undefined;
  let refuse: (fault: unknown) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => {
    answer = resolve;
    refuse = reject;
  });
  return { call: () => promise, answer: (value: T) => answer(value), refuse: (fault: unknown) => refuse(fault) };
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('what counts', () => {
  it.each([
    ['timeout', 'open'],
    ['unreachable', 'open'],
    ['server', 'open'],
    ['malformed', 'open'],
    ['rate-limited', 'closed'],
    ['rejected-credentials', 'closed'],
    ['circuit-open', 'closed'],
  ] as const)('five times %s: %s', async (kind, state) => {
    const breaker = createBreaker(settings, clock());
    await fail(breaker, 5, kind);
    expect(breaker.state()).toBe(state);
  });

  it('a defect of ours counts neither for nor against a provider', async () => {
    const breaker = createBreaker(settings, clock());
    for (let i = 0; i < 20; i += 1) expect(await outcome(breaker.run(() => Promise.reject(new Error('ours'))))).toBe('defect');
    await fail(breaker, 5);
    expect(breaker.state()).toBe('open');
  });

  it('what does not count against a provider does not count for it either', async () => {
    const limited = createBreaker(settings, clock());
    await fail(limited, 20, 'rate-limited');
    await fail(limited, 5);
    expect(limited.state()).toBe('open');
    const polled = createBreaker(settings, clock());
    await fail(polled, 50, 'server', 'one who polls');
    expect(polled.state()).toBe('closed');
    for (const customer of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) await fail(polled, 1, 'server', customer);
    expect(polled.state()).toBe('open');
  });

  it('successes count: if half of ten calls fail, the circuit stays closed', async () => {
    const breaker = createBreaker(settings, clock());
    for (let i = 0; i < 5; i += 1) {
      await breaker.run(ok);
      await fail(breaker, 1);
    }
    expect(breaker.state()).toBe('closed');
    await fail(breaker, 1);
    expect(breaker.state()).toBe('open');
  });
});

describe('open', () => {
  it('refuses without sending, says when to come back, and waits n × the reset time up to the most, ± 20 %', async () => {
    const time = clock();
    const breaker = createBreaker({ ...settings, resetMaxMs: 25_000 }, time);
    await fail(breaker, 5);
    time.at.ms += 4_000;
    const refused = await breaker.run(ok).catch((error: unknown) => error);
    expect(refused).toMatchObject({ kind: 'circuit-open', taken: 'no', retryAfterMs: 6_000 });
    for (const wait of [20_000, 25_000, 25_000]) {
      time.at.ms = breaker.retryOn() ?? 0;
      await fail(breaker, 1);
      expect((breaker.retryOn() ?? 0) - time.at.ms).toBe(wait);
    }
    for (const [random, wait] of [
      [0, 8_000],
      [1, 12_000],
    ] as const) {
      const other = createBreaker(settings, { now: () => 0, random: () => random });
      await fail(other, 5);
      expect(other.retryOn()).toBe(wait);
    }
  });

  it.each([
    ['an open circuit', {}],
    ['a circuit that only slows down', { neverRefuse: true }],
  ])('%s: a customer whose probe failed lets others probe first, and may probe one reset time later', async (_name, more) => {
    const time = clock();
    const breaker = createBreaker({ ...settings, ...more }, time);
    await fail(breaker, 5);
    for (let round = 0; round < 3; round += 1) {
      time.at.ms = (breaker.retryOn() ?? 0) + (round === 0 ? 0 : settings.resetMs);
      expect(await outcome(breaker.run(failWith('server'), 'mallory'))).toBe('server');
    }
    time.at.ms = breaker.retryOn() ?? 0;
    expect(await outcome(breaker.run(ok, 'mallory'))).toBe('circuit-open');
    expect(await outcome(breaker.run(ok, 'alice'))).toBe('ok');
    expect(breaker.state()).toBe('closed');
    // The circuit has closed since. When it opens again, mallory may probe at once.
    await fail(breaker, 5);
    time.at.ms = breaker.retryOn() ?? 0;
    expect(await outcome(breaker.run(ok, 'mallory'))).toBe('ok');
  });

  it('customers who fail a probe in turn do not keep everyone else waiting', async () => {
    const time = clock();
    const breaker = createBreaker(settings, time);
    await fail(breaker, 5);
    for (const customer of ['mallory', 'trudy', 'mallory', 'trudy']) {
      time.at.ms = (breaker.retryOn() ?? 0) + settings.resetMs;
      expect(await outcome(breaker.run(failWith('server'), customer))).toBe('server');
    }
    time.at.ms = breaker.retryOn() ?? 0;
    for (const customer of ['mallory', 'trudy']) expect(await outcome(breaker.run(ok, customer))).toBe('circuit-open');
    expect(await outcome(breaker.run(ok, 'alice'))).toBe('ok');
  });

  it('after the clock was set back, the circuit stays open for no longer than the longest wait', async () => {
    const { at, ...its } = clock();
    const breaker = createBreaker(settings, its);
    at.ms += 3 * 3_600_000;
    await fail(breaker, 5);
    expect(await outcome(breaker.run(ok))).toBe('circuit-open');
    at.ms -= 2 * 3_600_000;
    expect(await outcome(breaker.run(ok))).toBe('circuit-open');
    at.ms += settings.resetMaxMs;
    expect(await outcome(breaker.run(ok))).toBe('ok');
  });

  it('starts no timer', async () => {
    const timeout = vi.spyOn(globalThis, 'setTimeout');
    const interval = vi.spyOn(globalThis, 'setInterval');
    const time = clock();
    const breaker = createBreaker(settings, time);
    await fail(breaker, 5);
    for (let i = 0; i < 5; i += 1) {
      time.at.ms = breaker.retryOn() ?? 0;
      await fail(breaker, 1);
    }
    expect([timeout.mock.calls.length, interval.mock.calls.length]).toEqual([0, 0]);
  });

  it('a probe that says nothing about the provider neither closes the circuit nor blocks the next probe', async () => {
    const time = clock();
    const breaker = createBreaker(settings, time);
    await fail(breaker, 5);
    time.at.ms += 10_000;
    await fail(breaker, 1, 'rate-limited');
    expect(breaker.state()).toBe('half-open');
    expect(await outcome(breaker.run(ok))).toBe('ok');
    expect(breaker.state()).toBe('closed');
  });

  it('a circuit that has closed counts from zero', async () => {
    const time = clock();
    const breaker = createBreaker(settings, time);
    await fail(breaker, 5);
    time.at.ms += 10_000;
    await breaker.run(ok);
    await fail(breaker, 3);
    expect(breaker.state()).toBe('closed');
    await fail(breaker, 1);
    expect((breaker.retryOn() ?? 0) - time.at.ms).toBe(10_000);
  });

  it('calls that began before the circuit opened change nothing when they end', async () => {
    const time = clock();
    const breaker = createBreaker(settings, time);
    const slow = held<string>();
    const failing = held<string>();
    const answered = breaker.run(slow.call);
    const lost = breaker.run(failing.call);
    await fail(breaker, 5);
    time.at.ms += 10_000;
    const probe = held<string>();
    const probed = breaker.run(probe.call);
    slow.answer('late');
    failing.refuse(new ProviderFault('timeout', 'late'));
    expect([await answered, await outcome(lost)]).toEqual(['late', 'timeout']);
    expect(breaker.state()).toBe('half-open');
    expect(await outcome(breaker.run(ok))).toBe('circuit-open');
    probe.answer('probe');
    expect([await probed, breaker.state()]).toEqual(['probe', 'closed']);
  });
});

describe('a class that is never refused', () => {
  const slowed = { ...settings, neverRefuse: true };
  it('one call per reset window passes, even if every call fails', async () => {
    const time = clock();
    const breaker = createBreaker(slowed, time);
    await fail(breaker, 5);
    let passed = 0;
    for (let second = 1; second <= 120; second += 1) {
      time.at.ms += 1_000;
      if ((await outcome(breaker.run(failWith('timeout')))) === 'timeout') passed += 1;
    }
    expect(passed).toBe(12);
  });

  it('a call that hangs holds up others only within its window, and its late answer still closes the circuit', async () => {
    const time = clock();
    const breaker = createBreaker(slowed, time);
    await fail(breaker, 5);
    time.at.ms += 10_000;
    const hanging = held<string>();
    const first = breaker.run(hanging.call);
    expect(await outcome(breaker.run(ok))).toBe('circuit-open');
    time.at.ms += 10_000;
    void breaker.run(() => new Promise(() => undefined));
    hanging.answer('late');
    expect([await first, breaker.state()]).toEqual(['late', 'closed']);
  });
});
