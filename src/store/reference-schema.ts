import { bigint, pgTable, text } from 'drizzle-orm/pg-core';
import type { FeedReading, FeedsJudged } from '../domain/reference.ts';
import { document, moment } from './columns.ts';

/** A reading as it is stored, with its price as text. */
export type StoredReading = Omit<FeedReading, 'said'> & { said?: Omit<NonNullable<FeedReading['said']>, 'price'> & { price: string } };

/** The last prices of a bitcoin from public price feeds, one row per currency. One instance at a time reads the feeds; all use the row. */
export const referencePrices = pgTable('reference_prices', {
  currency: text('currency').primaryKey(),
  readings: document<StoredReading[]>()('readings'),
  state: text('state').$type<FeedsJudged['state']>(),
  /** The price on which the feeds agreed when they were read, in hundredths per bitcoin. Null if they did not agree. */
  price: bigint('price', { mode: 'bigint' }),
  readOn: moment('read_on'),
  leaseOwner: text('lease_owner'),
  leaseUntil: moment('lease_until'),
});
