/** Checks that the reads of the console, of prices, of the counting and of the deletion never read whole tables, however many orders there are. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import postgres from 'postgres';
import { needsPostgres, testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createStores } from './stores.ts';

const orderCount = 20_000;
const [minute, day] = [60_000, 86_400_000];
const now = Date.UTC(2026, 10, 28, 12, 30);
const began = now - 90 * day;

let database: TestDatabase;
let listening: postgres.Sql;
const sent: { text: string; values: unknown[] }[] = [];
beforeAll(async () => {
  database = await testDatabase();
  const { sql } = database;
  listening = postgres(database.url, { max: 1, fetch_types: false, debug: (_, text, values) => void sent.push({ text, values }) });
  const on = `timestamptz '${new Date(began).toISOString()}' + n * interval '${(now - began) / orderCount} ms'`;
  const [route, quote] = [
    { route: { asked: { currency: 'EUR' }, offers: [{ providerId: 'alpine', latencyMs: 9, behindBestBps: 0 }], excluded: [], refused: [], failed: [] } },
    { route: { asked: { currency: 'EUR' }, offers: [{ offer: { pay: '1000', receive: '2000' } }] } },
  ].map((one) => `'${JSON.stringify({ ...one, padding: 'x'.repeat(300) })}'::json`);
  const rows = `from generate_series(1, ${orderCount}) n`;
  // Every second order has the same amount.
  const amounts = `case when n % 2 = 0 then 10000 else 100000 + n end, 1000000 + n`;
  await sql.unsafe(`
    insert into routes (id, customer_id, session_hash, ramp, request_id, created_on, route)
      select md5('route' || n)::uuid, md5('c' || n)::uuid, 'x', 'buy', 'req', ${on}, ${route} ${rows};
    insert into intents (id, quote_id, order_id, ramp, customer_id, provider_id, request_id, state, quote, inputs, created_on, dead_on, next_try_on, upstream_order_id)
      select md5('i' || n)::uuid, md5('q' || n)::uuid, md5('o' || n)::uuid, 'buy', md5('c' || n)::uuid, 'alpine', 'req' || n, 'confirmed', ${quote}, '', ${on}, ${on}, ${on}, 'up-' || n ${rows};
    insert into orders (id, intent_id, quote_id, ramp, customer_id, provider_id, upstream_order_id, upstream_key, stage, stage_on, raw_status, pay, receive, quoted_pay,
        quoted_receive, fee, binding, terms, facts, upstream, payment_info, created_on, changed_on, follow_until, final, provider_session_id)
      select md5('o' || n)::uuid, md5('i' || n)::uuid, md5('q' || n)::uuid, 'buy', md5('c' || n)::uuid, 'alpine', 'up-' || n, 'up-' || n, 'finished', ${on}, 'x', ${amounts}, ${amounts},
        0, true, '{}', '{}', '{}', '', ${on}, ${on}, ${on}, true, md5('p' || n)::uuid ${rows};
    insert into sessions (id_hash, created_on, last_used_on, expires_on, challenge) select 's' || n, ${on}, ${on}, ${on}, '' ${rows};
    insert into provider_sessions (id, owner, provider_id, ready, claimed_on) select md5('p' || n)::uuid, 's' || n, 'alpine', true, ${on} ${rows};
    insert into claims (order_id, state, attempt, lnurl, created_on, next_try_on) select md5('o' || n)::uuid, 'held', 1, 'x', ${on}, ${on} ${rows};
    insert into order_events (order_id, sequence, at, to_stage, raw_status, source) select md5('o' || n)::uuid, 1, ${on}, 'finished', 'x', 'poll' ${rows}`);
  await sql`vacuum analyze`;
});
afterAll(async () => {
  await listening.end();
  await database.close();
});

/** Runs reads, and returns those of their statements whose plans read all rows of a large table. */
const wholeReads = async (
  run: (stores: ReturnType<typeof createStores>) => Promise<unknown>,
  tables = 'routes|intents|orders|order_events',
): Promise<string[]> => {
  sent.length = 0;
  await run(createStores(listening, { grouped: false, migrated: async () => await Promise.resolve(true) }));
  const statements = sent.filter(({ text }) => /^\s*(select|with|insert|delete)/i.test(text));
  expect(statements.length).toBeGreaterThan(0);
  const found: string[] = [];
  for (const { text, values } of statements) {
    const plan = (await listening.unsafe<{ 'QUERY PLAN': string }[]>(`explain ${text}`, values as string[])).map((row) => row['QUERY PLAN']).join('\n');
    // Reading all entries of an index is no better than reading the table.
    if (new RegExp(`Seq Scan on (${tables})\\b|Index Only Scan using intents_upstream[^\\n]*\\n\\s*Index Cond: \\(upstream_order_id IS NOT NULL\\)`).test(plan))
      found.push(`${text}\n${plan}`);
  }
  return found;
};
const reading = { known: { seconds: new Map() }, most: 1_000, pause: async () => await Promise.resolve(), now: () => now };

needsPostgres('what waits for a person is read from those rows alone', async () => {
  expect(await wholeReads(async ({ operator }) => await operator.attention(100, now - 3 * day, 3))).toEqual([]);
});
needsPostgres('what is in flight at a provider is read from its open orders and from the claims without a link', async () => {
  const inFlight = async ({ record }: ReturnType<typeof createStores>) => await record.inFlight('alpine', { own: 1n, wide: 1n }, now);
  expect(await wholeReads(inFlight, 'routes|intents|orders|order_events|claims')).toEqual([]);
});
needsPostgres('an amount is searched without a look at all orders, be it rare, common or nobody’s', async () => {
  for (const amount of [1_000_777n, 10_000n, 7n]) {
    let found = 0;
    expect(await wholeReads(async ({ operator }) => (found = (await operator.search({ amount, from: now - 89 * day }, 101)).length))).toEqual([]);
    expect(found).toBe(amount === 7n ? 0 : amount === 10_000n ? 101 : 1);
  }
});
needsPostgres('the overview reads the decisions of its minutes, and each of them once', async () => {
  expect(
    await wholeReads(async ({ figures }) => {
      const calls = await figures.recentCalls(now - 30 * minute, reading);
      expect(calls).toMatchObject([{ providerId: 'alpine', failed: 0, p95Ms: 9 }]);
      await figures.progress(now - day, now);
      await figures.openOrders();
    }),
  ).toEqual([]);
  sent.length = 0;
  await createStores(listening, { grouped: false, migrated: async () => await Promise.resolve(true) }).figures.recentCalls(now - 30 * minute, reading);
  expect(sent.filter(({ text }) => text.includes('jsonb_array_elements'))).toEqual([]);
});
needsPostgres('whether an order still needs its session at the provider is read from that order alone, for each session that may go', async () => {
  const before = { sessionsBefore: now - 30 * day, peopleBefore: now - 90 * day, ownedBefore: now - 90 * day };
  const retention = {
    ...before,
    quotesBefore: 0,
    noticesBefore: 0,
    deliveriesBefore: 0,
    idempotencyBefore: 0,
    operatorBefore: 0,
    fillsBefore: 0,
    figuresBefore: 0,
  };
  const pruning = async (stores: ReturnType<typeof createStores>) =>
    expect(await stores.prune(retention, 1000, ['provider_sessions'])).toEqual({ counts: { provider_sessions: 0 }, failed: {} });
  expect(await wholeReads(pruning, 'intents|orders|claims')).toEqual([]);
});
needsPostgres('a step of the counting reads the rows of its hours alone', async () => {
  const counting = { now, keptFrom: { decisions: began, fills: began }, mostRows: 5 };
  expect(
    await wholeReads(async ({ figures }) => {
      for (let i = 0; i < 6; i += 1) await figures.countDue(counting);
    }),
  ).toEqual([]);
});

it('has the rows that the plans are made for', async () => {
  expect(await database.sql`select count(*)::int as n from orders`).toMatchObject([{ n: orderCount }]);
});
