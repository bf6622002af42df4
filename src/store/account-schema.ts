/** Accounts at providers, their connections, and payments that no order explains. */
import { sql } from 'drizzle-orm';
import { index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { moment, sealed } from './columns.ts';
import { customers } from './session-schema.ts';

/**
 * A customer's account at a provider. The adapter's blob (with the per-user key) is in provider_sessions under the account's id, so that it is found
 * for an intent or an order in the same way as an upstream session.
 */
export const accounts = pgTable(
  'accounts',
  {
    id: uuid('id').primaryKey(),
    customerId: uuid('customer_id')
      .notNull()
      .references(() => customers.id),
    providerId: text('provider_id').notNull(),
    /**
     * SHA-256 of the e-mail in lower case or, at a provider that knows its users by their destination, of the destination's name (destinationName).
     * Null for an account that was connected with a pasted key. At each provider, an e-mail or destination can be connected for only one customer.
     */
    emailHash: text('email_hash'),
    status: text('status').$type<'onboarding' | 'pending' | 'connected' | 'rejected' | 'needs_reconnect'>().notNull(),
    statusOn: moment('status_on').notNull(),
    /**
     * The e-mail or destination until the provider has answered; then where the customer signs up, and whether the provider sent an e-mail. For a
     * removed account, only how many codes were sent and tried.
     */
    signup: sealed('signup'),
    sequence: integer('sequence').notNull().default(0),
    webhookUrl: sealed('webhook_url'),
    webhookEvents: text('webhook_events').array(),
    appId: text('app_id'),
    createdOn: moment('created_on').notNull(),
    checkedOn: moment('checked_on'),
    nextCheckOn: moment('next_check_on'),
    removedOn: moment('removed_on'),
    /** When the account was first connected. From then on, its e-mail belongs to its customer, even while the account is being reconnected. */
    connectedOn: moment('connected_on'),
    /**
     * SHA-256 of the id that the provider gives the user. Once a customer has connected an account of that user, no other customer gets the user's
     * key by naming an e-mail or address.
     */
    userHash: text('user_hash'),
    leaseOwner: text('lease_owner'),
    leaseUntil: moment('lease_until'),
  },
  (t) => [
    uniqueIndex('accounts_customer')
      .on(t.customerId, t.providerId)
      .where(sql`removed_on is null`),
    // Accounts that were never connected may share an e-mail: naming one proves nothing, and its real owner may have named it, too.
    uniqueIndex('accounts_email')
      .on(t.providerId, t.emailHash)
      .where(sql`removed_on is null and (connected_on is not null or status in ('connected', 'needs_reconnect'))`),
    index('accounts_user').on(t.providerId, t.userHash),
    index('accounts_due')
      .on(t.nextCheckOn)
      .where(sql`removed_on is null`),
  ],
);

/**
 * A standing connection of an account. A connection that a customer asks for is stored before the provider is asked. If the answer is lost, the
 * request is repeated; the adapter first looks for the connection at the provider, so it is not made twice.
 */
export const connections = pgTable(
  'connections',
  {
    id: uuid('id').primaryKey(),
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id),
    /** SHA-256 of the connection's name, trimmed and in lower case. */
    nameHash: text('name_hash').notNull(),
    status: text('status').$type<'initiating' | 'code_required' | 'active' | 'failed' | 'expired' | 'inactive'>().notNull(),
    statusOn: moment('status_on').notNull(),
    direction: text('direction').$type<'sell' | 'buy'>().notNull(),
    network: text('network').$type<'lightning' | 'onchain'>().notNull(),
    /** The request, and the connection as the provider reported it: names, IBAN, BIC, addresses. */
    request: sealed('request').notNull(),
    state: sealed('state'),
    upstreamId: text('upstream_id'),
    sequence: integer('sequence').notNull().default(0),
    createdOn: moment('created_on').notNull(),
    /** The call that is asking the provider for the connection, and when its lease ends. */
    leaseOwner: text('lease_owner'),
    leaseUntil: moment('lease_until'),
  },
  (t) => [
    uniqueIndex('connections_name')
      .on(t.accountId, t.nameHash)
      .where(sql`status not in ('failed', 'expired', 'inactive')`),
    uniqueIndex('connections_upstream').on(t.accountId, t.upstreamId),
  ],
);

/**
 * Payments that no order explains. Each is stored when it is first seen at an account, with its `sell_settled` webhook if the wallet wants one, so it
 * is reported only once.
 */
export const settlements = pgTable(
  'settlements',
  {
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id),
    transactionId: text('transaction_id').notNull(),
    seenOn: moment('seen_on').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.transactionId] })],
);
