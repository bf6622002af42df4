import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needsPostgres, testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { otherWithPayment } from './order-store.ts';
import * as schema from './schema.ts';
import { createStores } from './stores.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(async () => await database.close());

it.each([
  ['only its amount tells', {}, ['orders_payment', 'orders_upstream']],
  ['its provider links to an order', { linked: true as const }, ['orders_payment']],
])('whether another order has a payment that %s is read by an index, and not from all orders of the provider', async (_how, linked, indexes) => {
  const plan = await drizzle(database.sql, { schema }).transaction(async (tx) => {
    // The table is empty, so reading all of it would cost nothing.
    await tx.execute(sql`set local enable_seqscan = off`);
    return await tx.execute(sql`explain ${otherWithPayment(tx, { providerId: 'dfx', id: 'T-1', ...linked }, crypto.randomUUID())}`);
  });
  const text = JSON.stringify(plan);
  for (const index of indexes) expect(text).toContain(index);
  expect(text).toMatch(/Index Cond: .*provider_id.*transaction_id/);
});

describe('a customer with thousands of sales, each of which has a long list of earlier payments', () => {
  const count = 3_000;
  const [minute, now] = [60_000, Date.UTC(2026, 10, 28, 12, 30)];
  const [providerId, customerId] = ['alpine', crypto.randomUUID()];
  const user = { providerId, customerId };
  const stores = (client: postgres.Sql) => createStores(client, { grouped: false, migrated: async () => await Promise.resolve(true) }).orders;
  /** Inserts sales that were made and ended one minute after another, the last of them now. The last ten wait for their payments. */
  beforeAll(async () => {
    const { sql: client } = database;
    const on = (n: string): string => `timestamptz '${new Date(now).toISOString()}' + (${n} - ${count}) * interval '1 minute'`;
    const rows = `from generate_series(1, ${count}) n`;
    const earlier = `(select json_agg('earlier-payment-' || i) from generate_series(1, 100) i)`;
    await client.unsafe(`
      insert into intents (id, quote_id, order_id, ramp, customer_id, provider_id, request_id, state, quote, inputs, created_on, dead_on, next_try_on)
        select md5('i' || n)::uuid, md5('q' || n)::uuid, md5('o' || n)::uuid, 'sell', '${customerId}', '${providerId}', 'req' || n, 'confirmed', '{}', '', now(), now(), now() ${rows};
      insert into orders (id, intent_id, quote_id, ramp, customer_id, provider_id, upstream_order_id, stage, stage_on, raw_status, pay, receive, quoted_pay,
          quoted_receive, fee, binding, terms, facts, upstream, payment_info, created_on, expires_on, changed_on, follow_until, final)
        select md5('o' || n)::uuid, md5('i' || n)::uuid, md5('q' || n)::uuid, 'sell', '${customerId}', '${providerId}', case when n % 2 = 0 then 'Q' || n end,
          case when n > ${count - 10} then 'awaiting_payment' else 'expired' end, now(), 'x', 1000 + n % 100, 1, 1, 1, 0, true,
          '{"matchedBy":"amount","network":"lightning"}', json_build_object('transaction_id', 'T' || n, 'earlier_payments', ${earlier}), '{}', '',
          ${on('n')}, ${on('n')} + interval '1 minute', now(), now(), true ${rows}`);
    await client`vacuum analyze orders`;
  });
  const idOf = async (n: number): Promise<string> => (await database.sql<{ id: string }[]>`select md5(${`o${n}`})::uuid as id`)[0]?.id ?? '';
  const last = async () => ({ ...user, id: await idOf(count - 150), pay: BigInt(1000 + ((count - 150) % 100)), createdOn: now - 150 * minute });

  it('is told which payments their orders explain, which amounts are held, and when one was sold again', async () => {
    const orders = stores(database.sql);
    const asked = ['T5', 'Q6', 'Q5', 't7', 'T8', 'T9999'];
    expect((await orders.explained(user, asked)).toSorted()).toEqual(['Q6', 'T5', 'T8']);
    expect((await orders.explained(user, asked, await idOf(8))).toSorted()).toEqual(['Q6', 'T5']);
    expect(await orders.explained({ ...user, providerId: 'dove' }, asked)).toEqual([]);
    expect(await orders.explained({ ...user, customerId: crypto.randomUUID() }, asked)).toEqual([]);
    const other = { ...user, customerId: crypto.randomUUID() };
    for (const id of [customerId, other.customerId]) {
      await database.sql`insert into customers (id, created_on) values (${id}, now())`;
      await database.sql`insert into accounts (id, customer_id, provider_id, user_hash, status, status_on, connected_on, created_on, sequence)
        values (${crypto.randomUUID()}, ${id}, ${providerId}, 'one user', 'connected', now(), now(), now(), 1)`;
    }
    expect((await orders.explained(other, asked)).toSorted()).toEqual(['Q6', 'T5', 'T8']);
    expect([await orders.explained(user, []), await orders.openAmounts(user, [], now)]).toEqual([[], []]);
    // An expired sale by Lightning holds its amount for 40 minutes after its end.
    expect(new Set(await orders.openAmounts(user, [1_000n, 1_095n, 1_060n, 1_059n, 1_040n, 7n], now))).toEqual(new Set([1_000n, 1_060n, 1_095n]));
    expect([await orders.soldAgainOn(await last()), await orders.soldAgainOn({ ...(await last()), createdOn: now })]).toEqual([now - 50 * minute, undefined]);
    expect(await orders.payableByAmount(providerId, customerId, 1_095n, now)).toEqual([{ id: await idOf(count - 5), customerId, network: 'lightning' }]);
    expect(await orders.payableByAmount(providerId, customerId, 1_040n, now)).toEqual([]);
    // No column holds such an amount, and a provider may report any.
    const absurd = [10n ** 20n, -(10n ** 20n)];
    expect([await orders.openAmounts(user, [...absurd, 1_095n], now), await orders.openAmounts(user, absurd, now)]).toEqual([[1_095n], []]);
    expect(await orders.payableByAmount(providerId, customerId, 10n ** 20n, now)).toEqual([]);
  });

  needsPostgres('has no read that returns more than what was asked for', async () => {
    const sent: { text: string; values: unknown[] }[] = [];
    const listening = postgres(database.url, { max: 1, fetch_types: false, debug: (_, text, values) => void sent.push({ text, values }) });
    const orders = stores(listening);
    await orders.explained(user, ['T5', 'Q6', 'T9999']);
    await orders.openAmounts(user, [1_095n, 1_040n], now);
    await orders.soldAgainOn(await last());
    await orders.payableByAmount(providerId, customerId, 1_095n, now);
    await orders.arrivingSales(providerId, customerId, now);
    // Nearly all orders of this test are this customer's, so PostgreSQL would otherwise read the whole table.
    await listening`set enable_seqscan = off`;
    const read = [];
    for (const { text, values } of sent.filter((one) => /^(select|with) /.test(one.text))) {
      const [row] = await listening.unsafe<{ 'QUERY PLAN': [{ Plan: { 'Actual Rows': number } }] }[]>(
        `explain (analyze, format json) ${text}`,
        values as string[],
      );
      const plan = row?.['QUERY PLAN'];
      expect(JSON.stringify(plan)).not.toMatch(/"Seq Scan"[^}]*"Relation Name":"orders"/);
      if (text.startsWith('with ')) expect(JSON.stringify(plan)).not.toContain('orders_customer');
      read.push(plan?.[0].Plan['Actual Rows']);
    }
    await listening.end();
    // 91 sales ended less than 90 minutes ago. Two of them have the amounts that are asked about.
    expect(read).toEqual([2, 2, 1, 1, 91]);
  });
});
