import { expect, it } from 'vitest';
import type { Call } from '../call.ts';
import { ready } from './health.ts';
import { receiptKeys } from './receipts.ts';

const counted = () => {
  const clock = { now: 1_000_000 };
  const queries = { check: 0, keys: 0 };
  let failing = false;
  const check = async () => {
    queries.check += 1;
    return await Promise.resolve({ database: !failing, migrations: true });
  };
  const keys = async () => {
    queries.keys += 1;
    return await (failing ? Promise.reject(new Error('no database')) : Promise.resolve([]));
  };
  const gateway = {
    stores: { check, receipts: { keys } },
    now: () => clock.now,
    flights: { answers: new Map() },
    state: {},
    waitAtMost: async (work: Promise<unknown>) => void (await work),
    receiptSigner: { key: async () => await Promise.resolve({ kid: 'now' }) },
  };
  const call = { gateway, headers: {} } as unknown as Call;
  const ask = {
    check: async () => (await ready.run(call, {} as never, '')) as { status?: number },
    keys: async () => await receiptKeys.run(call, {} as never, ''),
  };
  return { queries, clock, ask, fail: (now: boolean) => void (failing = now) };
};

it.each(['check', 'keys'] as const)('a flood of requests without a session is one query a second: %s', async (name) => {
  const { queries, clock, ask } = counted();
  for (let second = 1; second <= 3; second += 1) {
    await Promise.all(Array.from({ length: 100 }, async () => await ask[name]()));
    await ask[name]();
    expect(queries[name]).toBe(second);
    clock.now += 1_000;
  }
});

it('what was found a second ago is asked again, and a failure at once', async () => {
  const { queries, clock, ask, fail } = counted();
  expect((await ask.check()).status).toBe(200);
  fail(true);
  clock.now += 1_000;
  expect((await ask.check()).status).toBe(503);
  await expect(ask.keys()).rejects.toThrow('no database');
  fail(false);
  await ask.keys();
  expect(queries.keys).toBe(2);
});
