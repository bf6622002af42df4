import { and, eq, getTableColumns, ne, or, sql } from 'drizzle-orm';
import type { Claim, ClaimStore } from '../ports/claims.ts';
import type { Lease } from '../ports/runtime.ts';
import { present, type Database } from './database.ts';
import { free, hasDue, leaseOf, released, takeDue } from './lease.ts';
import { claims } from './schema.ts';

const toClaim = (row: typeof claims.$inferSelect): Claim => {
  const { leaseOwner: _owner, leaseUntil: _until, unlostAttempt, ...claim } = row;
  return { ...present(claim), ...(unlostAttempt === claim.attempt ? { isUnlost: true as const } : {}) };
};

/** The columns that are set when a claim is taken. If the last lease was not given back, its call has died, and the provider's answer may be lost. */
const takenBy = (lease: Lease) => ({
  ...leaseOf(lease),
  unlostAttempt: sql<number | null>`case when ${claims.leaseUntil} is null then ${claims.unlostAttempt} end`,
});

/**
 * Matches the claim if nobody else has taken it since `owner` did, even if the owner's lease has expired. It would not be enough that the claim is
 * free: another call may have taken it meanwhile, stored a link and given that link out.
 */
const isStillOf = (orderId: string, owner: string) => and(eq(claims.orderId, orderId), eq(claims.leaseOwner, owner));

export const createClaimStore = (db: Database): ClaimStore => ({
  create: async ({ now, ...claim }, lease) => {
    const made = await db
      .insert(claims)
      .values({ ...claim, state: 'sending', attempt: 1, unlostAttempt: 1, createdOn: now, askedOn: now, nextTryOn: now, ...leaseOf(lease) })
      .onConflictDoNothing()
      .returning({ orderId: claims.orderId });
    return made.length === 1;
  },
  find: async (orderId) => {
    const rows = await db.select().from(claims).where(eq(claims.orderId, orderId));
    return rows[0] && toClaim(rows[0]);
  },
  take: async (orderId, lease) => {
    const rows = await db
      .update(claims)
      .set(takenBy(lease))
      .where(and(eq(claims.orderId, orderId), ne(claims.state, 'refused'), free(claims, lease.owner)))
      .returning();
    return rows[0] && toClaim(rows[0]);
  },
  reopen: async (orderId, { now, ...fallback }, lease) => {
    const asked = { state: 'sending', askedOn: now, nextTryOn: now } as const;
    const rows = await db
      .update(claims)
      .set({ fallback: null, fallbackHash: null, ...fallback, ...asked, unlostAttempt: sql`${claims.attempt}`, ...leaseOf(lease) })
      .where(and(eq(claims.orderId, orderId), eq(claims.state, 'refused'), free(claims, lease.owner)))
      .returning();
    return rows[0] && toClaim(rows[0]);
  },
  hold: async (orderId, owner, held, known) => {
    // Another call may have taken the claim, and got no link. Then the link in `held` may be the only one that the provider gives.
    const isOnly = and(eq(claims.orderId, orderId), sql`${claims.lnurl} is not distinct from ${known ?? null}`, free(claims, owner));
    const rows = await db
      .update(claims)
      .set({ ...held, expiresOn: held.expiresOn ?? null, state: 'held', ...released })
      .where(or(isStillOf(orderId, owner), isOnly))
      .returning({ orderId: claims.orderId });
    return rows.length === 1;
  },
  change: async (orderId, owner, change) => {
    const rows = await db
      .update(claims)
      .set({ ...change, ...released })
      .where(isStillOf(orderId, owner))
      .returning({ orderId: claims.orderId });
    return rows.length === 1;
  },
  dropFallback: async ({ orderId, state, attempt, fallbackHash }, isSure) =>
    await db.transaction(async (tx) => {
      const [row] = await tx
        .select()
        .from(claims)
        .where(and(eq(claims.orderId, orderId), free(claims, 'operator')))
        .for('update');
      const isSame = row?.state === state && row.attempt === attempt && row.fallbackHash === fallbackHash;
      if (!isSame || row.lnurl !== null) return 'changed';
      // If a lease was not given back, its call has died, and the answer may be lost.
      if (!isSure && (row.leaseUntil !== null || row.unlostAttempt !== attempt)) return 'lost';
      const dropped = { state: 'refused', fallback: null, fallbackHash: null, unlostAttempt: attempt, ...released } as const;
      await tx.update(claims).set(dropped).where(eq(claims.orderId, orderId));
      return 'dropped';
    }),
  claimDue: async (now, lease, limit, share) => {
    const provider = sql<string>`(select provider_id from orders where orders.id = ${claims.orderId})`;
    const queue = { table: claims, id: claims.orderId, dueOn: claims.nextTryOn, waiting: eq(claims.state, 'sending'), provider };
    if (!(await hasDue(db, queue, now))) return [];
    const rows = await db
      .update(claims)
      .set(takenBy(lease))
      .where(takeDue(db, queue, now, limit, share))
      .returning({ ...getTableColumns(claims), providerId: provider });
    return rows.map(({ providerId, ...row }) => ({ ...toClaim(row), providerId }));
  },
});
