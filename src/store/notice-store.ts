import { and, eq, gt, inArray, sql } from 'drizzle-orm';
import type { NoticeStore } from '../ports/notices.ts';
import type { Database, Transaction } from './database.ts';
import { notices } from './schema.ts';

/** The most bodies that are read for one target. Only a broken provider sends more to a genuine URL. */
const mostBodies = 20;

export const createNoticeStore = (db: Database): NoticeStore => ({
  // Locks the target, so that notices that arrive at the same time also count as one.
  record: async (notice, windowMs) =>
    await db.transaction(async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${notice.targetId}, 0))`);
      const counted = await tx
        .update(notices)
        .set({ count: sql`${notices.count} + 1` })
        .where(
          and(
            eq(notices.targetId, notice.targetId),
            eq(notices.purpose, notice.purpose),
            eq(notices.genuine, notice.genuine),
            gt(notices.receivedOn, notice.receivedOn - windowMs),
          ),
        )
        .returning({ id: notices.id });
      if (counted.length > 0) return 'counted';
      await tx.insert(notices).values(notice);
      return 'new';
    }),
  bodies: async (purpose, targetId) => {
    const rows = await db
      .select({ id: notices.id, body: notices.body })
      .from(notices)
      .where(and(eq(notices.targetId, targetId), eq(notices.purpose, purpose), eq(notices.genuine, true)))
      .orderBy(notices.receivedOn)
      .limit(mostBodies);
    return rows.flatMap(({ id, body }) => (body === null ? [] : [{ id, body }]));
  },
  heard: async (targetId) => await isHeard(db, [targetId]),
});

/** Returns whether a genuine notice about one of these targets has come. */
export const isHeard = async (db: Database | Transaction, targets: readonly string[]): Promise<boolean> => {
  const rows = await db
    .select({ id: notices.id })
    .from(notices)
    .where(and(inArray(notices.targetId, [...targets]), eq(notices.genuine, true)))
    .limit(1);
  return rows.length > 0;
};
