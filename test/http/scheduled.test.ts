import { afterAll, beforeAll, expect, it } from 'vitest';
import { runScheduled } from '../../src/gateway/run-scheduled.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: {} } });
});
afterAll(async () => await gateway.close());

it('a part of the background work that fails is logged and counted, and the other parts are done', async () => {
  const { gateway: real } = gateway.server;
  const { orders, accounts, intents } = real.stores;
  const asked: string[] = [];
  const logged: unknown[] = [];
  const counted: unknown[] = [];
  const done = await runScheduled(
    {
      ...real,
      log: (...line) => void logged.push(line),
      count: (...one) => void counted.push(one),
      stores: {
        ...real.stores,
        intents: { ...intents, claimDue: async () => await Promise.reject(new Error('no intents today')) },
        orders: {
          ...orders,
          claimDue: async (...given) => {
            asked.push('orders');
            return await orders.claimDue(...given);
          },
        },
        accounts: {
          ...accounts,
          claimDue: async (...given) => {
            asked.push('accounts');
            return await accounts.claimDue(...given);
          },
        },
      },
    },
    async () => await Promise.reject(new Error('no webhooks today')),
    { ms: 25_000, calls: 40 },
  );
  expect(asked).toEqual(['orders', 'accounts']);
  expect(done).toEqual({ deliveries: 0, intents: 0, claims: 0, orders: 0, accounts: 0, record: 0, receipts: 0 });
  expect(logged).toEqual([
    ['error', 'scheduled_failed', { part: 'deliveries', error: 'no webhooks today' }],
    ['error', 'scheduled_failed', { part: 'intents', error: 'no intents today' }],
  ]);
  expect(counted).toEqual([
    ['scheduled_failed_total', { part: 'deliveries' }],
    ['scheduled_failed_total', { part: 'intents' }],
  ]);
});
