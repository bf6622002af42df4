import { and, eq, isNull, sql } from 'drizzle-orm';
import type { IdempotencyStore } from '../ports/idempotency.ts';
import type { Database } from './database.ts';
import { idempotencyKeys } from './schema.ts';

const same = (row: { caller: string; route: string; keyHash: string }) =>
  and(eq(idempotencyKeys.caller, row.caller), eq(idempotencyKeys.route, row.route), eq(idempotencyKeys.keyHash, row.keyHash));

export const createIdempotencyStore = (db: Database): IdempotencyStore => ({
  begin: async ({ now, leaseSeconds, ...row }) => {
    const leaseUntil = sql<number>`now() + make_interval(secs => ${leaseSeconds})`;
    const begun = await db
      .insert(idempotencyKeys)
      .values({ ...row, createdOn: now, leaseUntil })
      .onConflictDoNothing()
      .returning({ caller: idempotencyKeys.caller });
    if (begun.length === 1) return { state: 'begun' };
    // If the first request stopped halfway, a later one takes over once the lease has expired.
    const taken = await db
      .update(idempotencyKeys)
      .set({ leaseUntil })
      .where(and(same(row), isNull(idempotencyKeys.answer), eq(idempotencyKeys.fingerprint, row.fingerprint), sql`${idempotencyKeys.leaseUntil} < now()`))
      .returning({ caller: idempotencyKeys.caller });
    if (taken.length === 1) return { state: 'begun' };
    const rows = await db.select().from(idempotencyKeys).where(same(row));
    const known = rows[0];
    if (!known) return { state: 'running', fingerprint: row.fingerprint };
    return known.answer === null
      ? { state: 'running', fingerprint: known.fingerprint }
      : { state: 'done', fingerprint: known.fingerprint, answer: known.answer };
  },
  finish: async ({ answer, ...row }) => {
    await db.update(idempotencyKeys).set({ answer, leaseUntil: null }).where(same(row));
  },
  abandon: async (row) => {
    await db.delete(idempotencyKeys).where(and(same(row), isNull(idempotencyKeys.answer)));
  },
});
