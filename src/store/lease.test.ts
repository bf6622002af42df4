import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { needsPostgres, testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { leaseOf, takeDue } from './lease.ts';
import * as schema from './schema.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(async () => await database.close());

needsPostgres('a row that has changed since it was found to be due is not taken: it is checked again where it is locked', async () => {
  const db = drizzle(database.sql, { schema });
  const { intents } = schema;
  const [settled, postponed, due] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const now = Date.now();
  const row = { ramp: 'buy', providerId: 'alpine', requestId: 'req_1', state: 'unknown', quote: {}, inputs: 'sealed' } as const;
  for (const id of [settled, postponed, due])
    await db.insert(intents).values({ ...row, id, quoteId: id, orderId: id, customerId: id, createdOn: now, deadOn: now + 60_000, nextTryOn: now - 1_000 });
  const lock = 4_711;
  const held = await database.sql.reserve();
  await held`select pg_advisory_lock(${lock})`;
  // The statement must wait for the lock before it can read a row's provider. So it sees the table as it was before the changes below.
  const provider = sql`(select 'alpine' from pg_advisory_xact_lock_shared(${lock}::bigint))`;
  const queue = { table: intents, id: intents.id, dueOn: intents.nextTryOn, waiting: eq(intents.state, 'unknown'), provider };
  const taking = db
    .update(intents)
    .set(leaseOf({ owner: 'test', seconds: 60 }))
    .where(takeDue(db, queue, now, 10))
    .returning({ id: intents.id })
    .execute();
  await vi.waitFor(async () => expect(await database.sql`select 1 from pg_locks where locktype = 'advisory' and not granted`).toHaveLength(1), 5_000);
  await db.update(intents).set({ state: 'confirmed' }).where(eq(intents.id, settled));
  await db
    .update(intents)
    .set({ nextTryOn: now + 60_000 })
    .where(eq(intents.id, postponed));
  await held`select pg_advisory_unlock(${lock})`;
  held.release();
  expect(await taking).toEqual([{ id: due }]);
});
