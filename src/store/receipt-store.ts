import { and, asc, desc, eq, gt, gte, inArray, lt, sql } from 'drizzle-orm';
import type { ReceiptKey, ReceiptStore } from '../ports/receipts.ts';
import type { Database, Transaction } from './database.ts';
import { receiptDays, receiptKeys, receipts } from './schema.ts';

const columns = {
  subjectId: receipts.subjectId,
  kind: receipts.kind,
  day: receipts.day,
  number: receipts.number,
  leaf: receipts.leaf,
  jws: receipts.jws,
  madeOn: receipts.madeOn,
};
const dayColumns = { day: receiptDays.day, size: receiptDays.size, root: receiptDays.root, jws: receiptDays.jws };

/** After a restore, a row of size 0 marks the last day that stays without a root. A closed day has at least one receipt. */
const hasRoot = gt(receiptDays.size, 0);

const keepKey = async (tx: Transaction, key: ReceiptKey, now: number): Promise<void> =>
  void (await tx.insert(receiptKeys).values({ kid: key.kid, jwk: key, firstUsedOn: now }).onConflictDoNothing());

export const createReceiptStore = (db: Database): ReceiptStore => ({
  of: async (subjectIds) =>
    subjectIds.length === 0
      ? []
      : await db
          .select(columns)
          .from(receipts)
          .where(inArray(receipts.subjectId, [...subjectIds]))
          .orderBy(asc(receipts.madeOn), asc(receipts.day), asc(receipts.number)),
  // One lock makes all instances number receipts one after the other. The day is read after the lock is taken, because the day may have ended, and
  // been closed, while we waited for it.
  add: async (receipt, key) =>
    await db.transaction(async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(hashtext('ramp-gateway receipts'))`);
      const same = and(eq(receipts.subjectId, receipt.subjectId), eq(receipts.kind, receipt.kind));
      const [known] = await tx.select(columns).from(receipts).where(same);
      if (known) return known;
      await keepKey(tx, key, receipt.madeOn);
      const [made] = await tx
        .insert(receipts)
        .values({
          ...receipt,
          day: sql`(clock_timestamp() at time zone 'utc')::date`,
          number: sql`(select coalesce(max(number) + 1, 0) from receipts where day = (clock_timestamp() at time zone 'utc')::date)`,
        })
        .returning(columns);
      if (!made) throw new Error('a receipt was not stored');
      return made;
    }),
  leaves: async (day, from, count) => {
    const rows = await db
      .select({ leaf: receipts.leaf })
      .from(receipts)
      .where(and(eq(receipts.day, day), gte(receipts.number, from), lt(receipts.number, from + count)))
      .orderBy(asc(receipts.number));
    return rows.map(({ leaf }) => leaf);
  },
  openDays: async (limit) => {
    const rows = await db
      .selectDistinct({ day: receipts.day })
      .from(receipts)
      .where(
        sql`${receipts.day} < ((clock_timestamp() - interval '10 minutes') at time zone 'utc')::date and ${receipts.day} > coalesce((select max(closed.day) from receipt_days closed), '-infinity')`,
      )
      .orderBy(asc(receipts.day))
      .limit(limit);
    return rows.map(({ day }) => day);
  },
  close: async (day, key) =>
    await db.transaction(async (tx) => {
      await keepKey(tx, key, day.closedOn);
      const made = await tx.insert(receiptDays).values(day).onConflictDoNothing().returning({ day: receiptDays.day });
      return made.length === 1;
    }),
  addBlockRoots: async (day, blockRoots) => void (await db.update(receiptDays).set({ blockRoots }).where(eq(receiptDays.day, day))),
  blockRoots: async (day) =>
    (await db.select({ blockRoots: receiptDays.blockRoots }).from(receiptDays).where(eq(receiptDays.day, day)))[0]?.blockRoots ?? undefined,
  day: async (day) =>
    (
      await db
        .select(dayColumns)
        .from(receiptDays)
        .where(and(eq(receiptDays.day, day), hasRoot))
    )[0],
  newestDay: async () => (await db.select(dayColumns).from(receiptDays).where(hasRoot).orderBy(desc(receiptDays.day)).limit(1))[0],
  keys: async () => (await db.select({ jwk: receiptKeys.jwk }).from(receiptKeys).orderBy(asc(receiptKeys.firstUsedOn))).map(({ jwk }) => jwk),
});
