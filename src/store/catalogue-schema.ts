/** What is on offer: currencies and payment options with their numbers, the providers' last listings, and sellers' last prices. */
import { integer, pgTable, primaryKey, smallint, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { Json } from '../domain/offer.ts';
import type { Ramp } from '../domain/ramp.ts';
import { document, moment } from './columns.ts';

/** The currencies, with the numbers by which the API shows them: small, unique, never reused. */
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

/** The last price seen at a seller for one request. Estimates are taken from it, so that moving a slider in a wallet causes no call to the seller. */
export const lastPrices = pgTable(
  'last_prices',
  {
    providerId: text('provider_id').notNull(),
    /** The request in one normal form: product, size, lease, way to pay and more. */
    asked: text('asked').notNull(),
    offer: document<NonNullable<Json>>()('offer').notNull(),
    observedOn: moment('observed_on').notNull(),
  },
  (t) => [primaryKey({ columns: [t.providerId, t.asked] })],
);
