/**
 * All state that instances share. Amounts are integers in the ramp's units (domain/ramp.ts); times are Unix milliseconds in the code. Whatever
 * names a person or is worth stealing is in a `sealed` column. A row that a secret must find is found by the secret's SHA-256.
 */
import { sql } from 'drizzle-orm';
import { bigint, bigserial, boolean, index, integer, jsonb, pgTable, primaryKey, smallint, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { Facts, Json } from '../domain/offer.ts';
import type { IntentState, Stage } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import { document, moment, sealed } from './columns.ts';

export { fills, recordBroken, recordEstimates } from './record-schema.ts';
export { receiptDays, receiptKeys, receipts } from './receipt-schema.ts';
export { referencePrices } from './reference-schema.ts';
import type { StoredTerms } from './order-terms.ts';

const amount = (name: string) => bigint(name, { mode: 'bigint' });

/** Owners of quotes and orders, known by a proven node key, by a recovery secret, or only by their sessions. */
export const customers = pgTable('customers', {
  id: uuid('id').primaryKey(),
  keyHash: text('key_hash').unique(),
  recoveryHash: text('recovery_hash').unique(),
  createdOn: moment('created_on').notNull(),
  /** Until when a provider that declined an order, or made a worse one, is not offered first: Unix milliseconds by provider id. */
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
    /** Fingerprint of the /session body that opened it. The same body gets the same reply. */
    openedBy: text('opened_by'),
    openedReply: sealed('opened_reply'),
    /** The node key that was proved to the gateway itself in this session. */
    nodePubkey: sealed('node_pubkey'),
  },
  (t) => [index('sessions_customer').on(t.customerId), index('sessions_expiry').on(t.expiresOn)],
);

/** An upstream session, one live row per (owner, provider); the owner is a session's hash or `gateway`. Kept while an order needs it. */
export const providerSessions = pgTable(
  'provider_sessions',
  {
    id: uuid('id').primaryKey(),
    owner: text('owner').notNull(),
    providerId: text('provider_id').notNull(),
    /** The adapter's blob. Null while it is being opened. */
    blob: sealed('blob'),
    ready: boolean('ready').notNull().default(false),
    claimedOn: moment('claimed_on').notNull(),
    expiresOn: moment('expires_on'),
    /** Retired rows make no new quotes; they still read the orders that they placed. */
    retiredOn: moment('retired_on'),
  },
  (t) => [
    uniqueIndex('provider_sessions_live')
      .on(t.owner, t.providerId)
      .where(sql`retired_on is null`),
  ],
);

/** Numbers that the API shows: small, unique, never reused. */
export const currencies = pgTable('currencies', { id: smallint('id').primaryKey(), code: text('code').notNull().unique() });
export const paymentOptions = pgTable(
  'payment_options',
  {
    id: integer('id').primaryKey(),
    ramp: text('ramp').$type<Ramp>().notNull(),
    currencyId: smallint('currency_id')
      .notNull()
      .references(() => currencies.id),
    normalName: text('normal_name').notNull(),
    name: text('name').notNull(),
  },
  (t) => [uniqueIndex('payment_options_name').on(t.ramp, t.currencyId, t.normalName)],
);
/** The last listing of each provider, so that a new instance starts warm. */
export const listings = pgTable(
  'listings',
  {
    providerId: text('provider_id').notNull(),
    ramp: text('ramp').$type<Ramp>().notNull(),
    listing: document<NonNullable<Json>>()('listing').notNull(),
    readOn: moment('read_on').notNull(),
  },
  (t) => [primaryKey({ columns: [t.providerId, t.ramp] })],
);

/**
 * One row per price request, with everything that decided it. Its offers are the quotes. A quote id is the route's id with the rank in the last
 * byte (domain/route-id.ts), so one insert stores them all.
 */
export const routes = pgTable(
  'routes',
  {
    id: uuid('id').primaryKey(),
    customerId: uuid('customer_id').notNull(),
    sessionHash: text('session_hash').notNull(),
    ramp: text('ramp').$type<Ramp>().notNull(),
    requestId: text('request_id').notNull(),
    createdOn: moment('created_on').notNull(),
    route: document<NonNullable<Json>>()('route').notNull(),
    /** The newest route version that the writing instance can read. Null: the previous release, which reads only version 1. */
    reads: smallint('reads'),
  },
  (t) => [index('routes_created').using('brin', t.createdOn)],
);

/** The order attempt of one quote, written before anything leaves. */
export const intents = pgTable(
  'intents',
  {
    id: uuid('id').primaryKey(),
    quoteId: uuid('quote_id').notNull(),
    orderId: uuid('order_id').notNull(),
    ramp: text('ramp').$type<Ramp>().notNull(),
    customerId: uuid('customer_id').notNull(),
    providerId: text('provider_id').notNull(),
    /**
     * The column is named after its first use, an upstream session, and keeps that name: renaming it would need a migration, and instances of
     * two versions could not share the database. By now it holds whatever two attempts must not use at the same time (ports/intents.ts).
     */
    exclusiveKey: uuid('provider_session_id'),
    requestId: text('request_id').notNull(),
    state: text('state').$type<IntentState>().notNull(),
    attempt: integer('attempt').notNull().default(0),
    /** The whole accepted quote, and what the customer added. */
    quote: document<NonNullable<Json>>()('quote').notNull(),
    inputs: sealed('inputs').notNull(),
    idempotencyKey: text('idempotency_key'),
    knownBefore: document<string[]>()('known_before'),
    createdOn: moment('created_on').notNull(),
    sentOn: moment('sent_on'),
    deadOn: moment('dead_on').notNull(),
    nextTryOn: moment('next_try_on').notNull(),
    leaseOwner: text('lease_owner'),
    leaseUntil: moment('lease_until'),
    upstreamOrderId: text('upstream_order_id'),
    evidence: document<NonNullable<Json>>()('evidence'),
    /** The HTTP answer, status and body, replayed byte for byte. */
    answer: sealed('answer'),
    /** `moved`: the intent of the next rank, with which this request continues. */
    movedTo: uuid('moved_to'),
    /** A keyed hash of the customer's network, if the provider has a limit on sats in flight. Deleted with the quotes. */
    networkKey: text('network_key'),
  },
  (t) => [
    uniqueIndex('intents_quote')
      .on(t.quoteId)
      .where(sql`state <> 'rejected'`),
    uniqueIndex('intents_one_unsettled')
      .on(t.exclusiveKey)
      .where(sql`state in ('prepared', 'sending', 'unknown')`),
    index('intents_due')
      .on(t.nextTryOn)
      .where(sql`state in ('prepared', 'sending', 'unknown')`),
    index('intents_look_again')
      .on(t.nextTryOn)
      .where(sql`state in ('unpayable', 'dead')`),
    index('intents_customer').on(t.customerId),
    index('intents_upstream').on(t.providerId, t.upstreamOrderId),
    index('intents_order').on(t.orderId),
    index('intents_request').on(t.requestId),
  ],
);

export const orders = pgTable(
  'orders',
  {
    id: uuid('id').primaryKey(),
    intentId: uuid('intent_id')
      .notNull()
      .references(() => intents.id),
    quoteId: uuid('quote_id').notNull(),
    ramp: text('ramp').$type<Ramp>().notNull(),
    customerId: uuid('customer_id').notNull(),
    providerId: text('provider_id').notNull(),
    providerSessionId: uuid('provider_session_id'),
    upstreamOrderId: text('upstream_order_id'),
    stage: text('stage').$type<Stage>().notNull(),
    stageOn: moment('stage_on').notNull(),
    rawStatus: text('raw_status').notNull(),
    sequence: integer('sequence').notNull().default(0),
    pay: amount('pay').notNull(),
    receive: amount('receive').notNull(),
    fee: amount('fee').notNull(),
    quotedPay: amount('quoted_pay').notNull(),
    quotedReceive: amount('quoted_receive').notNull(),
    binding: boolean('binding').notNull(),
    /** The customer's own limits, as given with the order. Checked again when it is filled. */
    minReceive: amount('min_receive'),
    maxPay: amount('max_pay'),
    /** What the provider's status last reported, applied or not. Stored for disputes. */
    toldPay: amount('told_pay'),
    toldReceive: amount('told_receive'),
    toldFee: amount('told_fee'),
    toldOn: moment('told_on'),
    /** What the withdrawal link pays, read once. */
    linkReceive: amount('link_receive'),
    linkReadOn: moment('link_read_on'),
    /** Paid, but filled with less than was ordered. */
    disputed: boolean('disputed').notNull().default(false),
    /** When the operator released a short order to its customer. */
    shortReleasedOn: moment('short_released_on'),
    /** When its fill went into the record. Null for orders that the previous release updated; background work adds those. */
    recordedOn: moment('recorded_on'),
    /** The upstream order id once more, written only by this release: one upstream order is one order here. */
    upstreamKey: text('upstream_key'),
    expiresOn: moment('expires_on'),
    /** Two things in one object, as the previous release reads them: what was agreed, which never changes, and what following has learnt. */
    terms: document<StoredTerms>()('terms').notNull(),
    /** What the provider has said about the offer and the order. */
    facts: document<Facts>()('facts').notNull(),
    /** The adapter's own data from the offer. */
    upstream: document<NonNullable<Json>>()('upstream').notNull(),
    paymentInfo: sealed('payment_info').notNull(),
    /** Bearer values that came with the status (redemption links). */
    secret: sealed('secret'),
    /** The hash of the provider's payment reference in normal form, for the operator's search. */
    referenceHash: text('reference_hash'),
    webhookUrl: sealed('webhook_url'),
    webhookEvents: text('webhook_events').array(),
    appId: text('app_id'),
    createdOn: moment('created_on').notNull(),
    changedOn: moment('changed_on').notNull(),
    checkedOn: moment('checked_on'),
    checks: integer('checks').notNull().default(0),
    nextCheckOn: moment('next_check_on'),
    followUntil: moment('follow_until').notNull(),
    final: boolean('final').notNull().default(false),
    leaseOwner: text('lease_owner'),
    leaseUntil: moment('lease_until'),
  },
  (t) => [
    index('orders_customer').on(t.customerId, t.createdOn),
    index('orders_due')
      .on(t.nextCheckOn)
      .where(sql`final = false`),
    uniqueIndex('orders_intent').on(t.intentId),
    index('orders_upstream').on(t.providerId, t.upstreamOrderId),
    index('orders_reference').on(t.referenceHash),
    uniqueIndex('orders_upstream_key')
      .on(t.providerId, t.upstreamKey)
      .where(sql`upstream_key is not null`),
    index('orders_unrecorded')
      .on(t.changedOn)
      .where(sql`recorded_on is null and stage in ('paid', 'review', 'filled', 'finished', 'refunded')`),
    index('orders_in_flight')
      .on(t.providerId)
      .where(sql`stage not in ('filled', 'finished', 'refunded') and not final`),
  ],
);

export const orderEvents = pgTable(
  'order_events',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    orderId: uuid('order_id')
      .notNull()
      .references(() => orders.id),
    sequence: integer('sequence').notNull(),
    at: moment('at').notNull(),
    fromStage: text('from_stage').$type<Stage>(),
    toStage: text('to_stage').$type<Stage>().notNull(),
    rawStatus: text('raw_status').notNull(),
    source: text('source').notNull(),
    note: text('note'),
  },
  (t) => [uniqueIndex('order_events_sequence').on(t.orderId, t.sequence)],
);

/** Claims: fetching the bearer LNURL of a filled order, which is sealed before it is answered. */
export const claims = pgTable(
  'claims',
  {
    orderId: uuid('order_id')
      .primaryKey()
      .references(() => orders.id),
    state: text('state').$type<'sending' | 'held' | 'review'>().notNull(),
    attempt: integer('attempt').notNull(),
    fallback: sealed('fallback'),
    fallbackHash: text('fallback_hash'),
    lnurl: sealed('lnurl'),
    expiresOn: moment('expires_on'),
    createdOn: moment('created_on').notNull(),
    nextTryOn: moment('next_try_on').notNull(),
    leaseOwner: text('lease_owner'),
    leaseUntil: moment('lease_until'),
  },
  (t) => [
    index('claims_due')
      .on(t.nextTryOn)
      .where(sql`state = 'sending'`),
  ],
);

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

/**
 * A customer's account at a sell provider. The adapter's blob (with the per-user key) is in provider_sessions under the same id, so that intents
 * and orders find it like an upstream session.
 */
export const accounts = pgTable(
  'accounts',
  {
    id: uuid('id').primaryKey(),
    customerId: uuid('customer_id')
      .notNull()
      .references(() => customers.id),
    providerId: text('provider_id').notNull(),
    /** SHA-256 of the e-mail in lower case; absent for a pasted key. Each e-mail and provider has one connected customer. */
    emailHash: text('email_hash'),
    status: text('status').$type<'onboarding' | 'pending' | 'connected' | 'rejected' | 'needs_reconnect'>().notNull(),
    statusOn: moment('status_on').notNull(),
    /** Where the customer signs up, and whether an e-mail went out. */
    signup: sealed('signup'),
    sequence: integer('sequence').notNull().default(0),
    webhookUrl: sealed('webhook_url'),
    webhookEvents: text('webhook_events').array(),
    appId: text('app_id'),
    createdOn: moment('created_on').notNull(),
    checkedOn: moment('checked_on'),
    nextCheckOn: moment('next_check_on'),
    removedOn: moment('removed_on'),
    leaseOwner: text('lease_owner'),
    leaseUntil: moment('lease_until'),
  },
  (t) => [
    uniqueIndex('accounts_customer')
      .on(t.customerId, t.providerId)
      .where(sql`removed_on is null`),
    // Naming an e-mail proves nothing: its real owner may have named it, too.
    uniqueIndex('accounts_email')
      .on(t.providerId, t.emailHash)
      .where(sql`removed_on is null and status in ('connected', 'needs_reconnect')`),
    index('accounts_due')
      .on(t.nextCheckOn)
      .where(sql`removed_on is null`),
  ],
);

/** A standing connection of an account, written before it is requested. A lost answer is looked up, and never requested twice. */
export const connections = pgTable(
  'connections',
  {
    id: uuid('id').primaryKey(),
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id),
    /** SHA-256 of the name as given. */
    nameHash: text('name_hash').notNull(),
    status: text('status').$type<'initiating' | 'code_required' | 'active' | 'failed' | 'expired' | 'inactive'>().notNull(),
    statusOn: moment('status_on').notNull(),
    direction: text('direction').$type<'sell' | 'buy'>().notNull(),
    network: text('network').$type<'lightning' | 'onchain'>().notNull(),
    /** The request, and what the provider made of it under its own ids: names, IBAN, BIC, addresses. */
    request: sealed('request').notNull(),
    state: sealed('state'),
    upstreamId: text('upstream_id'),
    sequence: integer('sequence').notNull().default(0),
    createdOn: moment('created_on').notNull(),
  },
  (t) => [
    uniqueIndex('connections_name')
      .on(t.accountId, t.nameHash)
      .where(sql`status not in ('failed', 'expired', 'inactive')`),
    uniqueIndex('connections_upstream').on(t.accountId, t.upstreamId),
  ],
);

/** Payments at an account that no order of ours explains: reported to the wallet (`sell_settled`) or known before. */
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

/** Counts per UTC day: firm quotes of a node, orders at a seller, sats spent from the operator's balance. */
export const dailyUses = pgTable(
  'daily_uses',
  {
    day: text('day').notNull(),
    purpose: text('purpose').notNull(),
    /** A hash if it names a person. */
    subject: text('subject').notNull(),
    used: amount('used').notNull(),
  },
  (t) => [primaryKey({ columns: [t.day, t.purpose, t.subject] })],
);

/** The last price seen at a seller for one product, size and lease. Sliders in wallets get their estimates from it. */
export const lastPrices = pgTable(
  'last_prices',
  {
    providerId: text('provider_id').notNull(),
    /** Product, size, lease and way to pay, in one normal form. */
    asked: text('asked').notNull(),
    offer: document<NonNullable<Json>>()('offer').notNull(),
    observedOn: moment('observed_on').notNull(),
  },
  (t) => [primaryKey({ columns: [t.providerId, t.asked] })],
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

/** The operator's switches, which need no deployment: a provider (`provider/<id>`), or new orders and deliveries of the whole gateway. */
export const switches = pgTable('switches', {
  name: text('name').primaryKey(),
  mode: text('mode').notNull(),
  reason: text('reason').notNull(),
  /** When it lapses by itself. */
  untilOn: moment('until_on'),
  setOn: moment('set_on').notNull(),
  setBy: text('set_by').notNull(),
});

/** Every read and action of an operator, by HTTP and by command. */
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
