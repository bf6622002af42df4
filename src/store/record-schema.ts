/** What providers delivered against what they quoted (src/domain/record.ts). Nobody's name stands here: an order's id leads to a customer only while the order's row does. */
import { bigint, boolean, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Ramp } from '../domain/ramp.ts';
import { moment } from './columns.ts';

const amount = (name: string) => bigint(name, { mode: 'bigint' });

/** One row per order that was filled, or paid and never filled. Nothing is taken back: a link that is read later, or a late fill, completes the row. */
export const fills = pgTable(
  'fills',
  {
    orderId: uuid('order_id').primaryKey(),
    providerId: text('provider_id').notNull(),
    ramp: text('ramp').$type<Ramp>().notNull(),
    currency: text('currency').notNull(),
    option: text('option').notNull(),
    /** Whether the offer bound, as it was ranked. */
    binding: boolean('binding').notNull(),
    quotedPay: amount('quoted_pay').notNull(),
    quotedReceive: amount('quoted_receive').notNull(),
    /** As the provider's status told. Null: paid and never filled. */
    toldPay: amount('told_pay'),
    toldReceive: amount('told_receive'),
    linkReceive: amount('link_receive'),
    /** How much better the offer was than the best other of its route, in basis points. */
    leadBps: integer('lead_bps'),
    quotedOn: moment('quoted_on').notNull(),
    orderedOn: moment('ordered_on').notNull(),
    filledOn: moment('filled_on').notNull(),
    referenceQuoted: amount('reference_quoted'),
    referenceFilled: amount('reference_filled'),
    /** How it was counted last, so that later news change the sums by the difference. */
    countedIn: text('counted_in').$type<'estimates' | 'broken' | 'none'>().notNull(),
    countedQuoted: amount('counted_quoted').notNull(),
    countedDelivered: amount('counted_delivered').notNull(),
    countedOn: moment('counted_on').notNull(),
  },
  (t) => [index('fills_provider').on(t.providerId, t.filledOn)],
);

const sums = {
  /** The UTC day, counted from 1970, that the four sums stand for. */
  day: integer('day').notNull(),
  quotedSats: amount('quoted_sats').notNull(),
  deliveredSats: amount('delivered_sats').notNull(),
  fastQuotedSats: amount('fast_quoted_sats').notNull(),
  fastDeliveredSats: amount('fast_delivered_sats').notNull(),
  /** When the operator cleared them; what was counted before is not corrected any more. */
  resetOn: moment('reset_on'),
};

/** Decayed sums of what did not bind; and, for the eye, all fills of the option without decay. */
export const recordEstimates = pgTable(
  'record_estimates',
  {
    providerId: text('provider_id').notNull(),
    ramp: text('ramp').$type<Ramp>().notNull(),
    currency: text('currency').notNull(),
    option: text('option').notNull(),
    ...sums,
    orders: integer('orders').notNull(),
    allQuotedSats: amount('all_quoted_sats').notNull(),
    allDeliveredSats: amount('all_delivered_sats').notNull(),
    since: moment('since').notNull(),
  },
  (t) => [primaryKey({ columns: [t.providerId, t.ramp, t.currency, t.option] })],
);

/** Decayed sums of what bound and fell short. */
export const recordBroken = pgTable(
  'record_broken',
  { providerId: text('provider_id').notNull(), ramp: text('ramp').$type<Ramp>().notNull(), ...sums },
  (t) => [primaryKey({ columns: [t.providerId, t.ramp] })],
);
