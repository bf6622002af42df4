/** Webhooks: from providers (notices) and to wallets (deliveries). */
import { sql } from 'drizzle-orm';
import { boolean, index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { moment, sealed } from './columns.ts';

/** Incoming provider webhooks, including forged ones. They only cause a read, and are never believed. */
export const notices = pgTable(
  'notices',
  {
    id: uuid('id').primaryKey(),
    providerId: text('provider_id').notNull(),
    purpose: text('purpose').notNull(),
    targetId: text('target_id').notNull(),
    genuine: boolean('genuine').notNull(),
    /** A later one about the same target within the window only adds to the count. */
    count: integer('count').notNull().default(1),
    receivedOn: moment('received_on').notNull(),
    handledOn: moment('handled_on'),
    body: sealed('body'),
  },
  (t) => [index('notices_target').on(t.targetId), index('notices_received').on(t.receivedOn)],
);

/** Webhooks to wallets, written in the transaction of the step that they report. */
export const deliveries = pgTable(
  'deliveries',
  {
    id: text('id').primaryKey(),
    /** What it is about: an order, account or connection. Only one per subject is in flight. */
    subjectId: uuid('subject_id').notNull(),
    type: text('type').notNull(),
    sequence: integer('sequence').notNull(),
    body: text('body').notNull(),
    url: sealed('url').notNull(),
    host: text('host').notNull(),
    appId: text('app_id'),
    state: text('state').$type<'due' | 'delivered' | 'dead' | 'superseded' | 'disabled'>().notNull(),
    attempt: integer('attempt').notNull().default(0),
    lastOutcome: text('last_outcome'),
    createdOn: moment('created_on').notNull(),
    dueOn: moment('due_on').notNull(),
    doneOn: moment('done_on'),
    leaseOwner: text('lease_owner'),
    leaseUntil: moment('lease_until'),
  },
  (t) => [
    index('deliveries_due')
      .on(t.dueOn)
      .where(sql`state = 'due'`),
    index('deliveries_subject').on(t.subjectId, t.type),
    index('deliveries_host')
      .on(t.host, t.dueOn)
      .where(sql`state = 'due'`),
  ],
);
