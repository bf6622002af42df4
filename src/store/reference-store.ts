import { and, eq, gt, isNull, lt, notInArray, or, sql } from 'drizzle-orm';
import type { FeedReading } from '../domain/reference.ts';
import type { ReferenceStore } from '../ports/reference.ts';
import type { Database } from './database.ts';
import { free, held, leaseOf, released } from './lease.ts';
import { referencePrices, type StoredReading } from './reference-schema.ts';

const write = ({ said, ...rest }: FeedReading): StoredReading => ({ ...rest, ...(said ? { said: { ...said, price: said.price.toString() } } : {}) });
const read = ({ said, ...rest }: StoredReading): FeedReading => ({ ...rest, ...(said ? { said: { ...said, price: BigInt(said.price) } } : {}) });

export const createReferenceStore = (db: Database): ReferenceStore => ({
  read: async () =>
    (await db.select().from(referencePrices)).flatMap(({ currency, readings, state, price, readOn }) =>
      readOn === null || readings === null || state === null
        ? []
        : [{ currency, readings: readings.map(read), state, ...(price === null ? {} : { price }), readOn }],
    ),
  take: async (currency, { before, now }, lease) => {
    await db.insert(referencePrices).values({ currency }).onConflictDoNothing();
    const due = or(isNull(referencePrices.readOn), lt(referencePrices.readOn, before), gt(referencePrices.readOn, now + (now - before)));
    const taken = await db
      .update(referencePrices)
      .set(leaseOf(lease))
      .where(and(eq(referencePrices.currency, currency), due, free(referencePrices, lease.owner)))
      .returning({ currency: referencePrices.currency });
    return taken.length === 1;
  },
  save: async ({ currency, readings, state, price, readOn }, lease) => {
    await db
      .update(referencePrices)
      .set({ readings: readings.map(write), state, price: price ?? null, readOn, ...released })
      .where(and(eq(referencePrices.currency, currency), held(referencePrices, lease.owner)));
  },
  keepOnly: async (currencies) => {
    await db
      .delete(referencePrices)
      .where(and(notInArray(referencePrices.currency, currencies), or(isNull(referencePrices.leaseUntil), lt(referencePrices.leaseUntil, sql`now()`))));
  },
});
