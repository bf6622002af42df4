import { eq, max, sql } from 'drizzle-orm';
import type { CatalogueStore, OptionNumber } from '../ports/catalogue.ts';
import type { Database, Transaction } from './database.ts';
import { currencies, listings, paymentOptions } from './schema.ts';

const numberLock = 7_266_001;

export const createCatalogueStore = (db: Database): CatalogueStore => {
  const numbers = async (on: Database | Transaction): Promise<OptionNumber[]> =>
    await on
      .select({
        id: paymentOptions.id,
        currencyId: paymentOptions.currencyId,
        currencyCode: currencies.code,
        normalName: paymentOptions.normalName,
        name: paymentOptions.name,
        ramp: paymentOptions.ramp,
      })
      .from(paymentOptions)
      .innerJoin(currencies, eq(currencies.id, paymentOptions.currencyId))
      .orderBy(paymentOptions.id);

  return {
    listings: async () => await db.select().from(listings),
    saveListing: async (listing) => {
      await db
        .insert(listings)
        .values(listing)
        .onConflictDoUpdate({ target: [listings.providerId, listings.ramp], set: { listing: listing.listing, readOn: listing.readOn } });
    },
    numbers: async () => await numbers(db),
    number: async (wanted) =>
      await db.transaction(async (tx) => {
        await tx.execute(sql`select pg_advisory_xact_lock(${numberLock})`);
        const known = await numbers(tx);
        const codes = new Map((await tx.select().from(currencies)).map((row) => [row.code, row.id]));
        let nextCurrency = Math.max(0, ...codes.values()) + 1;
        const highest = await tx.select({ id: max(paymentOptions.id) }).from(paymentOptions);
        let nextOption = (highest[0]?.id ?? 0) + 1;
        for (const option of wanted) {
          if (known.some((one) => one.ramp === option.ramp && one.currencyCode === option.currencyCode && one.normalName === option.normalName)) continue;
          let currencyId = codes.get(option.currencyCode);
          if (currencyId === undefined) {
            currencyId = nextCurrency;
            nextCurrency += 1;
            codes.set(option.currencyCode, currencyId);
            await tx.insert(currencies).values({ id: currencyId, code: option.currencyCode });
          }
          await tx.insert(paymentOptions).values({ id: nextOption, ramp: option.ramp, currencyId, normalName: option.normalName, name: option.name });
          known.push({ id: nextOption, currencyId, ...option });
          nextOption += 1;
        }
        return known;
      }),
  };
};
