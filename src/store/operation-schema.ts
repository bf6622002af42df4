/** Housekeeping: daily counts, idempotency keys, switches, and the operator's log. */
import { bigserial, index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { Json } from '../domain/offer.ts';
import { amount, document, moment, sealed } from './columns.ts';

/**
 * Counts per UTC day: firm prices per node, the orders made for firm prices per network and per seller, and sats spent from the operator's balance.
 * Counts per UTC hour: the codes of connections that were tried and sent, and cancellations, per user of a provider.
 */
export const dailyUses = pgTable(
  'daily_uses',
  {
    day: text('day').notNull(),
    purpose: text('purpose').notNull(),
    /** Hashed if it identifies a person. */
    subject: text('subject').notNull(),
    used: amount('used').notNull(),
  },
  (t) => [primaryKey({ columns: [t.day, t.purpose, t.subject] })],
);

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    caller: text('caller').notNull(),
    route: text('route').notNull(),
    keyHash: text('key_hash').notNull(),
    fingerprint: text('fingerprint').notNull(),
    answer: sealed('answer'),
    createdOn: moment('created_on').notNull(),
    leaseUntil: moment('lease_until'),
  },
  (t) => [primaryKey({ columns: [t.caller, t.route, t.keyHash] }), index('idempotency_keys_created').on(t.createdOn)],
);

/**
 * The operator's switches, which take effect without a deployment. A switch is for one provider (`provider/<id>`), or for new orders or deliveries of
 * the whole gateway.
 */
export const switches = pgTable('switches', {
  name: text('name').primaryKey(),
  mode: text('mode').notNull(),
  reason: text('reason').notNull(),
  /** When the switch lapses by itself. Null: never. */
  untilOn: moment('until_on'),
  setOn: moment('set_on').notNull(),
  setBy: text('set_by').notNull(),
});

/** What operators read and did, over HTTP or by a command. */
export const operatorActions = pgTable(
  'operator_actions',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    at: moment('at').notNull(),
    /** The first characters of the token's hash, or the command line's user. */
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    subject: text('subject').notNull(),
    detail: document<NonNullable<Json>>()('detail'),
  },
  (t) => [index('operator_actions_at').using('brin', t.at)],
);
