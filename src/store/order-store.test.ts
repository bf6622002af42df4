import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { otherWithPayment } from './order-store.ts';
import * as schema from './schema.ts';

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
