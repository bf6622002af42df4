import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countersFor, createLimiter, type Counter, type KnownApp, type Limits } from './limiter.ts';

const counter: Counter = { name: 'quotes', scope: 'session', key: 'a', most: 2, windowMs: 60_000, isUsual: true };

it('counts by window, and a clock that was put back begins a new one', async () => {
  let at = 10_000_000;
  const limiter = createLimiter(() => at);
  const allowed = async (more: Partial<Counter> = {}) => (await limiter({ ...counter, ...more })).allowed;
  expect([await allowed(), await allowed(), await allowed()]).toEqual([true, true, false]);
  expect(await limiter(counter)).toEqual({ allowed: false, remaining: 0, resetSeconds: 60 });
  expect([await allowed({ key: 'b' }), await allowed({ scope: 'network' }), await allowed({ name: 'orders' })]).toEqual([true, true, true]);
  at += 60_000;
  expect([await allowed(), await allowed(), await allowed()]).toEqual([true, true, false]);
  at -= 2 * 3_600_000;
  expect([await allowed(), await allowed(), await allowed()]).toEqual([true, true, false]);
  at += 59_999;
  expect(await allowed()).toBe(false);
  at += 1;
  expect(await allowed()).toBe(true);
});

it('counts each call by its session, and by its network or its app', () => {
  const limits = { quotes: { session: 60, network: 300, app: 600 }, verify: { network: 30, app: 600 }, mails: { network: 20 } } as unknown as Limits;
  const app: KnownApp = { id: 'web', allow: [], quotesPerMinute: 900, isPublic: false };
  const network = { own: '2001:db8:1:2::/64', wide: '2001:db8:1::/48' };
  const ipv4 = { own: '203.0.113.7', wide: '203.0.113.7' };
  const shown = (counters: Counter[]) => counters.map(({ scope, key, most, windowMs }) => `${scope} ${key} ${most} in ${windowMs / 1000}`);
  expect(shown(countersFor(limits, 'quotes', { network, app: undefined }, 's1'))).toEqual([
    'session s1 60 in 60',
    'network 2001:db8:1:2::/64 300 in 60',
    'network 2001:db8:1::/48 4800 in 60',
  ]);
  expect(shown(countersFor(limits, 'quotes', { network: ipv4, app: undefined }, 's1'))).toEqual(['session s1 60 in 60', 'network 203.0.113.7 300 in 60']);
  expect(shown(countersFor(limits, 'quotes', { network: ipv4, app }, 's1'))).toEqual(['session s1 60 in 60', 'app web 900 in 60']);
  expect(shown(countersFor(limits, 'quotes', { network: ipv4, app: { ...app, isPublic: true } }, 's1'))).toEqual([
    'session s1 60 in 60',
    'network web 203.0.113.7 900 in 60',
  ]);
  expect(shown(countersFor(limits, 'verify', { network: ipv4, app }, undefined))).toEqual(['app web 600 in 60']);
  expect(shown(countersFor(limits, 'mails', { network: ipv4, app: undefined }, undefined))).toEqual(['network 203.0.113.7 20 in 3600']);
});

it('wherever the clock jumps, nobody waits for longer than a window', async () => {
  const jump = fc.record({ ms: fc.integer({ min: -10_000_000, max: 10_000_000 }), uses: fc.nat(4), key: fc.constantFrom('a', 'b') });
  await fc.assert(
    fc.asyncProperty(fc.array(jump, { maxLength: 20 }), async (jumps) => {
      let at = 1_000_000_000;
      const limiter = createLimiter(() => at);
      for (const { ms, uses, key } of jumps) {
        at += ms;
        for (let i = 0; i < uses; i += 1) {
          const { resetSeconds, remaining = 0 } = await limiter({ ...counter, key });
          expect([resetSeconds >= 0 && resetSeconds <= 60, remaining >= 0 && remaining <= 2]).toEqual([true, true]);
        }
      }
      // The limiter reads the clock only when it is called.
      for (const key of ['a', 'b']) await limiter({ ...counter, key });
      at += 60_000;
      for (const key of ['a', 'b']) expect((await limiter({ ...counter, key })).allowed).toBe(true);
    }),
  );
});
