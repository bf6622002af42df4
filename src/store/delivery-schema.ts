/** Webhooks: from providers (notices) and to wallets (deliveries). */
import { sql } from 'drizzle-orm';
import { boolean, index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { moment, sealed } from './columns.ts';

/**
 * Webhooks from providers. Only genuine ones are stored (an earlier release also stored forged ones). A notice only makes us ask the provider; its
 * content is never believed.
 */
export const notices = pgTable(
  'notices',
  {
    id: uuid('id').primaryKey(),
    providerId: text('provider_id').notNull(),
    purpose: text('purpose').notNull(),
    targetId: text('target_id').notNull(),
    genuine: boolean('genuine').notNull(),
    /** A later notice about the same target within the window is not stored; it only adds to this count. */
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
    /**
     * The id of the order, account or connection that the webhook is about, or else an id of its own. At most one webhook per subject is in flight.
     */
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
