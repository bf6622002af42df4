/** Receipts (src/domain/receipt.ts): made once, numbered within their day, closed by a signed root. No row names a customer. */
import { date, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { ReceiptKind } from '../domain/receipt.ts';
import type { ReceiptKey } from '../ports/receipts.ts';
import { moment } from './columns.ts';

export const receipts = pgTable(
  'receipts',
  {
    /** The route or order that it is about. */
    subjectId: uuid('subject_id').notNull(),
    kind: text('kind').$type<ReceiptKind>().notNull(),
    /** The UTC day by the database's clock. Never a closed day. */
    day: date('day').notNull(),
    /** Its position among the leaves of the day, from 0. */
    number: integer('number').notNull(),
    leaf: text('leaf').notNull(),
    jws: text('jws').notNull(),
    madeOn: moment('made_on').notNull(),
  },
  (t) => [primaryKey({ columns: [t.subjectId, t.kind] }), uniqueIndex('receipts_place').on(t.day, t.number)],
);

/** Written once; never replaced. */
export const receiptDays = pgTable('receipt_days', {
  day: date('day').primaryKey(),
  size: integer('size').notNull(),
  root: text('root').notNull(),
  /** The signed root. */
  jws: text('jws').notNull(),
  /** See ReceiptStore.blockRoots. */
  blockRoots: jsonb('block_roots').$type<string[]>(),
  closedOn: moment('closed_on').notNull(),
});

/** Public keys that ever signed a receipt or root. They stay for good, so that old receipts verify. */
export const receiptKeys = pgTable('receipt_keys', {
  kid: text('kid').primaryKey(),
  jwk: jsonb('jwk').$type<ReceiptKey>().notNull(),
  firstUsedOn: moment('first_used_on').notNull(),
});
