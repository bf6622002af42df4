/**
 * What providers delivered compared with their quotes (src/domain/record.ts). No row names a person: an order's id leads to a customer only while the
 * order's row exists.
 */
import { boolean, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Ramp } from '../domain/ramp.ts';
import { amount, moment } from './columns.ts';

/** One row per order that was filled, or paid and never filled. Later news, such as a link that is read or a late fill, updates the row. */
export const fills = pgTable(
  'fills',
  {
    orderId: uuid('order_id').primaryKey(),
    providerId: text('provider_id').notNull(),
    ramp: text('ramp').$type<Ramp>().notNull(),
    currency: text('currency').notNull(),
    option: text('option').notNull(),
    /** Whether the offer was ranked as binding. */
    binding: boolean('binding').notNull(),
    quotedPay: amount('quoted_pay').notNull(),
    quotedReceive: amount('quoted_receive').notNull(),
    /** The worst amounts that the provider's status has reported. Null while the order counts as paid and never filled. */
    toldPay: amount('told_pay'),
    toldReceive: amount('told_receive'),
    linkReceive: amount('link_receive'),
    /** How much better the offer was than the best other offer of its route, in basis points. Null if that is not known. */
    leadBps: integer('lead_bps'),
    quotedOn: moment('quoted_on').notNull(),
    orderedOn: moment('ordered_on').notNull(),
    filledOn: moment('filled_on').notNull(),
    referenceQuoted: amount('reference_quoted'),
    referenceFilled: amount('reference_filled'),
    /** How the fill was last counted, so that later news changes the sums by the difference. */
    countedIn: text('counted_in').$type<'estimates' | 'broken' | 'none'>().notNull(),
    countedQuoted: amount('counted_quoted').notNull(),
    countedDelivered: amount('counted_delivered').notNull(),
    countedOn: moment('counted_on').notNull(),
  },
  (t) => [index('fills_provider').on(t.providerId, t.filledOn), index('fills_filled').on(t.filledOn)],
);

const sums = {
  /** The UTC day to which the four sums have decayed, in days since 1970. */
  day: integer('day').notNull(),
  quotedSats: amount('quoted_sats').notNull(),
  deliveredSats: amount('delivered_sats').notNull(),
  fastQuotedSats: amount('fast_quoted_sats').notNull(),
  fastDeliveredSats: amount('fast_delivered_sats').notNull(),
  /** When the operator cleared the sums. Fills that were counted before that time are no longer corrected. */
  resetOn: moment('reset_on'),
};

/** Decayed sums of estimates and, for display, sums without decay of all fills of the option. */
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

/** Decayed sums of binding offers that fell short. */
export const recordBroken = pgTable(
  'record_broken',
  { providerId: text('provider_id').notNull(), ramp: text('ramp').$type<Ramp>().notNull(), ...sums },
  (t) => [primaryKey({ columns: [t.providerId, t.ramp] })],
);
