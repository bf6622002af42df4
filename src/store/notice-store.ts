import { and, eq, gt, sql } from 'drizzle-orm';
import type { NoticeStore } from '../gateway/ports.ts';
import type { Database } from './database.ts';
import { notices } from './schema.ts';

export const createNoticeStore = (db: Database): NoticeStore => ({
  record: async (notice, windowMs) => {
    const counted = await db
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
    await db.insert(notices).values(notice);
    return 'new';
  },
  heard: async (targetId) => {
    const rows = await db
      .select({ id: notices.id })
      .from(notices)
      .where(and(eq(notices.targetId, targetId), eq(notices.genuine, true)))
      .limit(1);
    return rows.length > 0;
  },
});
