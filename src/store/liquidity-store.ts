import { and, eq, sql } from 'drizzle-orm';
import type { Counted, LiquidityStore } from '../ports/liquidity.ts';
import type { Database } from './database.ts';
import { dailyUses, lastPrices } from './schema.ts';

const the = ({ day, purpose, subject }: Counted) => and(eq(dailyUses.day, day), eq(dailyUses.purpose, purpose), eq(dailyUses.subject, subject));

export const createLiquidityStore = (db: Database): LiquidityStore => ({
  savePrice: async (providerId, asked, offer, observedOn) => {
    await db
      .insert(lastPrices)
      .values({ providerId, asked, offer, observedOn })
      .onConflictDoUpdate({ target: [lastPrices.providerId, lastPrices.asked], set: { offer, observedOn } });
  },
  findPrice: async (providerId, asked) => {
    const rows = await db
      .select({ offer: lastPrices.offer, observedOn: lastPrices.observedOn })
      .from(lastPrices)
      .where(and(eq(lastPrices.providerId, providerId), eq(lastPrices.asked, asked)));
    return rows[0];
  },
  // One statement decides: the row lock queues parallel callers, and PostgreSQL checks the condition again for each.
  take: async (counted, n, limit) => {
    if (n > limit) return undefined;
    const rows = await db
      .insert(dailyUses)
      .values({ ...counted, used: n })
      .onConflictDoUpdate({
        target: [dailyUses.day, dailyUses.purpose, dailyUses.subject],
        set: { used: sql`${dailyUses.used} + ${n}` },
        setWhere: sql`${dailyUses.used} + ${n} <= ${limit}`,
      })
      .returning({ used: dailyUses.used });
    return rows[0] === undefined ? undefined : rows[0].used - n;
  },
  give: async (counted, n) => {
    await db
      .update(dailyUses)
      .set({ used: sql`greatest(${dailyUses.used} - ${n}, 0)` })
      .where(the(counted));
  },
  used: async (counted) => {
    const rows = await db.select({ used: dailyUses.used }).from(dailyUses).where(the(counted));
    return rows[0]?.used ?? 0n;
  },
});
