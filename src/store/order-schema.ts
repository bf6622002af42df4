/** From the price to the money: routes, order attempts (intents), orders, their events, and claims. */
import { sql } from 'drizzle-orm';
import { bigserial, boolean, index, integer, pgTable, smallint, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { Facts, Json } from '../domain/offer.ts';
import type { IntentState, Stage } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { Claim } from '../ports/claims.ts';
import { amount, document, moment, sealed } from './columns.ts';
import type { StoredTerms } from './order-terms.ts';

/**
 * One row per price request, with everything that decided the ranking. Its offers are the quotes. A quote id is the route's id with the rank in the
 * last byte (domain/route-id.ts), so one insert stores them all.
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
    /** The newest route version that the writing instance can read. Null if the previous release wrote the row; it reads only version 1. */
    reads: smallint('reads'),
  },
  // Figures are counted a few rows at a time, so the index has to give the rows in the sequence of their times.
  (t) => [index('routes_created_on').on(t.createdOn)],
);

/** The amounts of an order by which an operator searches, and those of the offer that an attempt is about. A search uses the same expressions. */
export const orderAmounts = sql`(array[pay, receive, quoted_pay, quoted_receive])`;
export const quotedAmounts = sql`(array[quote #>> '{route,offers,0,offer,pay}', quote #>> '{route,offers,0,offer,receive}'])`;

/** The order attempt of one quote, written before anything is sent to the provider. */
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
     * The column is called `provider_session_id` because it was first used for upstream sessions. It keeps the name, because a rename would need a
     * migration, and instances of two versions could not share the database. Now it holds whatever two attempts must not use at the same time
     * (ports/intents.ts).
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
    /** The response that the customer got: the exact bytes of the order, or the problem. The same request gets it again. */
    answer: sealed('answer'),
    /** Set in the state `moved`: the intent of the next rank, with which this request continues. */
    movedTo: uuid('moved_to'),
    /** A keyed hash of the customer's network, and of the /48 around it (networkKeyOf). Cleared when quotes of its age are deleted. */
    networkKey: text('network_key'),
    /**
     * A hash of the payment hash of the invoice that a provider sends the sats to. Null for every other order, and for all intents of earlier
     * releases.
     */
    payoutKey: text('payout_key'),
  },
  (t) => [
    uniqueIndex('intents_quote')
      .on(t.quoteId)
      .where(sql`state <> 'rejected'`),
    uniqueIndex('intents_one_unsettled')
      .on(t.exclusiveKey)
      .where(sql`state in ('prepared', 'sending', 'unknown')`),
    // No state outside this list leads to one in it, so no change of state can violate the index. An attempt that is withheld, for example, may still
    // become `review`.
    uniqueIndex('intents_payout')
      .on(t.payoutKey)
      .where(sql`payout_key is not null and state in ('prepared', 'sending', 'unknown', 'confirmed')`),
    index('intents_due')
      .on(t.nextTryOn)
      .where(sql`state in ('prepared', 'sending', 'unknown')`),
    index('intents_look_again')
      .on(t.nextTryOn)
      .where(sql`state in ('unpayable', 'dead') or (state = 'moved' and upstream_order_id is not null)`),
    index('intents_customer').on(t.customerId),
    index('intents_upstream').on(t.providerId, t.upstreamOrderId),
    index('intents_order').on(t.orderId),
    index('intents_request').on(t.requestId),
    index('intents_created').on(t.createdOn, t.id),
    index('intents_review')
      .on(t.createdOn)
      .where(sql`state = 'review'`),
    // For the operator's reads of attempts that led to no order: by the order id that they name, and by their amounts. There are few such attempts.
    index('intents_unconfirmed')
      .on(t.providerId, t.upstreamOrderId)
      .where(sql`state <> 'confirmed' and upstream_order_id is not null`),
    index('intents_amounts')
      .using('gin', quotedAmounts)
      .with({ fastupdate: false })
      .where(sql`state not in ('prepared', 'sending', 'unknown', 'confirmed')`),
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
    /** The customer's own limits, as given with the order. They are checked again when the order is filled. */
    minReceive: amount('min_receive'),
    maxPay: amount('max_pay'),
    /** The amounts that the provider's status last reported, even if they were not applied. Stored for disputes and for the provider's record. */
    toldPay: amount('told_pay'),
    toldReceive: amount('told_receive'),
    toldFee: amount('told_fee'),
    toldOn: moment('told_on'),
    /** What the first withdrawal link pays, and when it was read. If a link was given out without being read, only the time is set. */
    linkReceive: amount('link_receive'),
    linkReadOn: moment('link_read_on'),
    /** Whether the fill is short or overcharged (domain/judge-fill.ts), unless the operator has closed the dispute. */
    disputed: boolean('disputed').notNull().default(false),
    /** When the operator released a short order to its customer. */
    shortReleasedOn: moment('short_released_on'),
    /**
     * When it was last decided how the order counts in the provider's record. While it is null, background work may count the order
     * (RecordStore.addMissing).
     */
    recordedOn: moment('recorded_on'),
    /**
     * The upstream order id in one normal form, unique per provider, so that one upstream order is one order here. The previous release does not
     * write it.
     */
    upstreamKey: text('upstream_key'),
    expiresOn: moment('expires_on'),
    /**
     * What was agreed, which never changes, and what we have learnt by following the order. Both are in one object, because the previous release
     * reads them that way (order-terms.ts).
     */
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
    index('orders_payment')
      .on(t.providerId, sql`(facts ->> 'transaction_id')`)
      .where(sql`facts ->> 'transaction_id' is not null`),
    uniqueIndex('orders_upstream_key')
      .on(t.providerId, t.upstreamKey)
      .where(sql`upstream_key is not null`),
    index('orders_unrecorded')
      .on(t.changedOn)
      .where(sql`recorded_on is null and stage in ('paid', 'review', 'filled', 'finished', 'refunded')`),
    index('orders_for_person')
      .on(t.stageOn)
      .where(sql`disputed or stage in ('review', 'paid')`),
    index('orders_in_flight')
      .on(t.providerId)
      .where(sql`stage not in ('filled', 'finished', 'refunded') and not final`),
    index('orders_to_withdraw')
      .on(t.stageOn)
      .where(sql`stage = 'filled' and not final`),
    index('orders_underpaid')
      .on(t.stageOn)
      .where(sql`stage = 'underpaid'`),
    index('orders_amounts').using('gin', orderAmounts).with({ fastupdate: false }),
    // Only orders without a key can share an upstream order. For all others, `orders_upstream_key` refuses the second.
    index('orders_unkeyed')
      .on(t.providerId, t.upstreamOrderId)
      .where(sql`upstream_key is null and upstream_order_id is not null`),
    // Finds the orders that may still need a session at the provider (prune.ts).
    index('orders_provider_session')
      .on(t.providerSessionId)
      .where(sql`provider_session_id is not null`),
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
  (t) => [uniqueIndex('order_events_sequence').on(t.orderId, t.sequence), index('order_events_on').on(t.at)],
);

/** Claims: our request for a filled order's LNURL. The LNURL is sealed before the wallet gets it, because whoever holds it can withdraw. */
export const claims = pgTable(
  'claims',
  {
    orderId: uuid('order_id')
      .primaryKey()
      .references(() => orders.id),
    state: text('state').$type<Claim['state']>().notNull(),
    attempt: integer('attempt').notNull(),
    /**
     * Equals `attempt` if no answer can have been lost so far. An earlier release raises only `attempt`, so the two differ after it has asked. Null
     * if the instance that asked has died.
     */
    unlostAttempt: integer('unlost_attempt'),
    fallback: sealed('fallback'),
    fallbackHash: text('fallback_hash'),
    lnurl: sealed('lnurl'),
    expiresOn: moment('expires_on'),
    createdOn: moment('created_on').notNull(),
    /**
     * When the customer first asked for the link, or asked again after a refusal. Null if an earlier release wrote the row and no attempt of this
     * release has failed since.
     */
    askedOn: moment('asked_on'),
    nextTryOn: moment('next_try_on').notNull(),
    leaseOwner: text('lease_owner'),
    leaseUntil: moment('lease_until'),
  },
  (t) => [
    index('claims_due')
      .on(t.nextTryOn)
      .where(sql`state = 'sending'`),
    // The claims without a link are read before a provider with `max_in_flight_sats` is asked for a price (in-flight.ts).
    index('claims_unlinked')
      .on(t.createdOn)
      .where(sql`lnurl is null`),
  ],
);
