import { afterAll, beforeAll, expect, it } from 'vitest';
import { runPart, runScheduled, scheduledParts } from '../../src/gateway/run-scheduled.ts';
import { startTestGateway, walletFrom, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: {} } }, { config: { trusted_proxies: ['127.0.0.1'] } });
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
  expect(asked.toSorted()).toEqual(['accounts', 'orders']);
  expect(done).toEqual({ deliveries: 0, intents: 0, claims: 0, orders: 0, accounts: 0, record: 0, figures: expect.any(Number), receipts: 0 });
  expect(logged).toEqual([
    ['error', 'scheduled_failed', { part: 'deliveries', error: 'no webhooks today' }],
    ['error', 'scheduled_failed', { part: 'intents', error: 'no intents today' }],
  ]);
  expect(counted).toEqual([
    ['scheduled_failed_total', { part: 'deliveries' }],
    ['scheduled_failed_total', { part: 'intents' }],
  ]);
});

it('webhooks that never end, to receivers that are slow, hold up no other part, and take only what the others leave of their calls', async () => {
  const { gateway: real } = gateway.server;
  const { orders, record, receipts } = real.stores;
  const asked: string[] = [];
  let now = real.now();
  let sent = 0;
  const done = await runScheduled(
    {
      ...real,
      now: () => now,
      stores: {
        ...real.stores,
        orders: {
          ...orders,
          claimDue: async (...given) => {
            asked.push('orders');
            return await orders.claimDue(...given);
          },
        },
        record: {
          ...record,
          addMissing: async (...given) => {
            asked.push('record');
            return await record.addMissing(...given);
          },
        },
        receipts: {
          ...receipts,
          openDays: async (limit) => {
            asked.push('receipts');
            return await receipts.openDays(limit);
          },
        },
      },
    },
    async (limit) => {
      // Each batch holds up the next one for a second, and there is always another.
      now += 1000;
      sent += limit;
      return await Promise.resolve(limit);
    },
    { ms: 25_000, calls: 40 },
  );
  expect(asked.toSorted()).toEqual(['orders', 'receipts', 'record']);
  expect(sent).toBeLessThanOrEqual(40);
  expect(done).toEqual({ deliveries: sent, intents: 0, claims: 0, orders: 0, accounts: 0, record: 0, figures: expect.any(Number), receipts: 0 });
});

it('what a part does not need of its calls goes to those that need more, and all of them together make no more than the budget', async () => {
  const spare = { calls: 0 };
  const part = (work: number) => ({ name: 'orders' as const, batch: 20, work: async (limit: number) => await Promise.resolve(taken(limit, work)) });
  let made = 0;
  const taken = (limit: number, work: number): number => {
    const n = Math.min(limit, work);
    made += n;
    return n;
  };
  const { gateway: real } = gateway.server;
  expect(await runPart(real, part(0), 25_000, { own: 15, spare })).toBe(0);
  expect(spare.calls).toBe(15);
  expect(await runPart(real, part(1000), 25_000, { own: 10, spare })).toBe(25);
  expect([made, spare.calls]).toEqual([25, 0]);
  expect(await runPart(real, part(1000), 25_000, { own: 0, spare })).toBe(0);
  const shares = scheduledParts(real, async () => await Promise.resolve(0)).map((one) => one.share ?? 0);
  expect(shares.reduce((sum, share) => sum + share)).toBe(100);
});

it('an instance that is told to stop takes no new rows, however many are due', async () => {
  const { gateway: real } = gateway.server;
  const leaving = { ...real, state: { ...real.state } };
  const work = async (limit: number): Promise<number> => {
    leaving.state.leaving = true;
    return await Promise.resolve(limit);
  };
  expect(await runPart(leaving, { name: 'orders', batch: 20, work }, 25_000, { own: 200, spare: { calls: 0 } })).toBe(20);
  expect(await runPart(leaving, { name: 'orders', batch: 20, work }, 25_000, { own: 200, spare: { calls: 0 } })).toBe(0);
});

/** Places an order from this address, and returns its id. */
const placed = async (ip: string): Promise<string> => {
  const wallet = walletFrom(gateway.url, ip);
  const { sessionId: session_id } = await wallet.open();
  await wallet.call('/payment-options', { session_id });
  const { body } = await wallet.call('/quote', { session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  return String((await wallet.call('/order', { session_id, quote_id: body['quote_id'] })).body['order_id']);
};
/** Makes a webhook due, `on` seconds after an hour from now. */
const due = async (subject: string, host: string, on: number, attempt = 0): Promise<unknown> =>
  await gateway.database.sql`insert into deliveries (id, subject_id, type, sequence, body, url, host, state, attempt, created_on, due_on)
    values (${`msg_${host}_${on}`}, ${subject}, 'order_status_changed', 2, '{}', 'sealed', ${host}, 'due', ${attempt}, now(),
      now() + interval '1 hour' + make_interval(secs => ${on}))`;
const claim = async (limit: number) =>
  await gateway.server.gateway.stores.deliveries.claimDue(gateway.clock.now() + 7_200_000, { owner: 'test', seconds: 60 }, limit, 4);

it('the webhooks of one network take turns with those of another, however many hosts it names', async () => {
  const { sql } = gateway.database;
  // Addresses of one /48 are one network here.
  for (let n = 1; n <= 5; n += 1) await due(await placed(`2001:db8:5:${n}::1`), `h${n}.many.example`, n);
  await due(await placed('203.0.113.9'), 'wallet.example', 60);
  await due(crypto.randomUUID(), 'account.example', 61);
  // The customers of an app with a secret key have no network of their own here.
  for (let n = 1; n <= 3; n += 1) {
    const order = await placed(`198.51.100.${n}`);
    await sql`update intents set network_key = null where order_id = ${order}`;
    await sql`update orders set app_id = 'wallet' where id = ${order}`;
    await due(order, `a${n}.app.example`, 10 + n);
  }
  const taken = await claim(4);
  expect(taken.map((one) => one.host).toSorted()).toEqual(['a1.app.example', 'account.example', 'h1.many.example', 'wallet.example']);
  await sql`delete from deliveries`;
});

it('the webhooks of one network to a host take turns with those of others to it, also with those that failed before', async () => {
  for (let n = 1; n <= 6; n += 1) await due(await placed(`2001:db8:6:${n}::1`), 'wallet.example', n);
  const own = await placed('203.0.113.10');
  await due(own, 'wallet.example', 60, 3);
  const taken = await claim(20);
  expect(taken.map((one) => one.subjectId)).toContain(own);
  expect(taken).toHaveLength(4);
  await gateway.database.sql`delete from deliveries`;
});

it('a host that answers again brings forward only webhooks that have most of their tries left', async () => {
  const { sql } = gateway.database;
  for (const [n, attempt] of [1, 5, 6, 9].entries()) await due(crypto.randomUUID(), 'back.example', 7200 + n, attempt);
  const now = gateway.clock.now();
  expect(await gateway.server.gateway.stores.deliveries.kickHost('back.example', now, 60_000)).toBe(2);
  const rows = await sql`select attempt from deliveries where host = 'back.example' and due_on <= ${new Date(now + 60_000)} order by attempt`;
  expect(rows.map(({ attempt }) => Number(attempt))).toEqual([1, 5]);
  await sql`delete from deliveries`;
});
