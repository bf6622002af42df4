import { and, eq, inArray, max, sql, type SQL } from 'drizzle-orm';
import type { CatalogueStore, OptionNumber } from '../ports/catalogue.ts';
import type { Database, Transaction } from './database.ts';
import { currencies, listings, paymentOptions } from './schema.ts';

const numberLock = 7_266_001;
/** The largest smallint. */
const mostCurrencies = 32_767;
const nameOf = ({ ramp, currencyCode, normalName }: Omit<OptionNumber, 'id' | 'currencyId' | 'name'>): string => `${ramp}\n${currencyCode}\n${normalName}`;

export const createCatalogueStore = (db: Database): CatalogueStore => {
  const numbers = async (on: Database | Transaction, where?: SQL): Promise<OptionNumber[]> =>
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
      .where(where)
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
        const codes = new Map(await codesOf(tx, wanted));
        const found = await numbers(tx, and(inArray(currencies.code, [...codes.keys()]), inArray(paymentOptions.normalName, namesIn(wanted))));
        const known = new Map(found.map((one) => [nameOf(one), one]));
        let nextCurrency = ((await tx.select({ id: max(currencies.id) }).from(currencies))[0]?.id ?? 0) + 1;
        let nextOption = ((await tx.select({ id: max(paymentOptions.id) }).from(paymentOptions))[0]?.id ?? 0) + 1;
        for (const option of wanted) {
          if (known.has(nameOf(option))) continue;
          let currencyId = codes.get(option.currencyCode);
          if (currencyId === undefined) {
            // All numbers are in use, so this currency gets none. The others are not affected.
            if (nextCurrency > mostCurrencies) continue;
            currencyId = nextCurrency;
            nextCurrency += 1;
            codes.set(option.currencyCode, currencyId);
            await tx.insert(currencies).values({ id: currencyId, code: option.currencyCode });
          }
          await tx.insert(paymentOptions).values({ id: nextOption, ramp: option.ramp, currencyId, normalName: option.normalName, name: option.name });
          known.set(nameOf(option), { id: nextOption, currencyId, ...option });
          nextOption += 1;
        }
        return wanted.flatMap((option) => known.get(nameOf(option)) ?? []);
      }),
  };
};

const namesIn = (wanted: { normalName: string }[]): string[] => [...new Set(wanted.map(({ normalName }) => normalName))];
const codesOf = async (tx: Transaction, wanted: { currencyCode: string }[]): Promise<[string, number][]> => {
  const codes = [...new Set(wanted.map(({ currencyCode }) => currencyCode))];
  return (await tx.select().from(currencies).where(inArray(currencies.code, codes))).map(({ code, id }) => [code, id]);
};
