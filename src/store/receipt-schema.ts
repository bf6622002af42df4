/** Receipts (src/domain/receipt.ts). Each is made once and numbered within its day; a signed root closes the day. No row names a customer. */
import { date, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { ReceiptKind } from '../domain/receipt.ts';
import type { ReceiptKey } from '../ports/receipts.ts';
import { moment } from './columns.ts';

export const receipts = pgTable(
  'receipts',
  {
    /** The route or order that the receipt is about. */
    subjectId: uuid('subject_id').notNull(),
    kind: text('kind').$type<ReceiptKind>().notNull(),
    /** The UTC day by the database's clock. No receipt is added to a closed day. */
    day: date('day').notNull(),
    /** The receipt's position among the leaves of its day, from 0. */
    number: integer('number').notNull(),
    leaf: text('leaf').notNull(),
    jws: text('jws').notNull(),
    madeOn: moment('made_on').notNull(),
  },
  (t) => [primaryKey({ columns: [t.subjectId, t.kind] }), uniqueIndex('receipts_place').on(t.day, t.number)],
);

/**
 * One row per closed day. The root is never replaced; `block_roots` may be added later. A row of size 0 has no root: neither its day
 * nor any earlier day without a row is ever closed (see `distrustRestored` in operator-store.ts).
 */
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

/** The public half of every key that has signed a receipt or root. Rows stay for good, so that old receipts can be verified. */
export const receiptKeys = pgTable('receipt_keys', {
  kid: text('kid').primaryKey(),
  jwk: jsonb('jwk').$type<ReceiptKey>().notNull(),
  firstUsedOn: moment('first_used_on').notNull(),
});
