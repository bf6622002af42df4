/** Customers, their sessions, and their sessions at providers. */
import { sql } from 'drizzle-orm';
import { boolean, index, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { moment, sealed } from './columns.ts';

/** Owners of quotes and orders, known by a proven node key, by a recovery secret, or only by their sessions. */
export const customers = pgTable('customers', {
  id: uuid('id').primaryKey(),
  keyHash: text('key_hash').unique(),
  recoveryHash: text('recovery_hash').unique(),
  createdOn: moment('created_on').notNull(),
  /**
   * Providers that declined this customer's order, or made it at a worse price: the time until which each is excluded, Unix milliseconds by provider
   * id.
   */
  declined: jsonb('declined').$type<{ [providerId: string]: number }>(),
});

export const sessions = pgTable(
  'sessions',
  {
    /** SHA-256 of the session id, hex. */
    idHash: text('id_hash').primaryKey(),
    customerId: uuid('customer_id').references(() => customers.id),
    appId: text('app_id'),
    createdOn: moment('created_on').notNull(),
    openedOn: moment('opened_on'),
    lastUsedOn: moment('last_used_on').notNull(),
    expiresOn: moment('expires_on').notNull(),
    revokedOn: moment('revoked_on'),
    /** The gateway's own one-time token, and which tokens /verify handed out. */
    challenge: sealed('challenge').notNull(),
    /** Fingerprint of the /session body that opened the session. The same body gets the same reply. */
    openedBy: text('opened_by'),
    openedReply: sealed('opened_reply'),
    /** The node key that was proved to the gateway itself in this session. */
    nodePubkey: sealed('node_pubkey'),
  },
  (t) => [index('sessions_customer').on(t.customerId), index('sessions_expiry').on(t.expiresOn)],
);

/**
 * An upstream session. There is at most one live row per owner and provider. The owner is a session's hash, `account:<id>` or `gateway`. Kept while
 * an order needs it.
 */
export const providerSessions = pgTable(
  'provider_sessions',
  {
    id: uuid('id').primaryKey(),
    owner: text('owner').notNull(),
    providerId: text('provider_id').notNull(),
    /** The adapter's blob. Null while the session is being opened. */
    blob: sealed('blob'),
    ready: boolean('ready').notNull().default(false),
    claimedOn: moment('claimed_on').notNull(),
    expiresOn: moment('expires_on'),
    /** When the session was retired. It is then used for no new quotes, but still to read the orders that were placed with it. */
    retiredOn: moment('retired_on'),
  },
  (t) => [
    uniqueIndex('provider_sessions_live')
      .on(t.owner, t.providerId)
      .where(sql`retired_on is null`),
  ],
);
