import { and, between, eq, gt, inArray, isNotNull, isNull, ne, or, sql } from 'drizzle-orm';
import { mayBePaid } from '../domain/order-life.ts';
import type { Intent, IntentChange, IntentStore, NearAmounts, NewIntent, StandsBack } from '../ports/intents.ts';
import { constraintOf, present, sqlState, uniqueViolation, type Database, type Transaction } from './database.ts';
import { insertDeliveries } from './delivery-store.ts';
import { free, hasDue, held, leaseOf, released, takeDue } from './lease.ts';
import { isHeard } from './notice-store.ts';
import { insertOrder } from './order-store.ts';
import { ofUser } from './of-user.ts';
import { customers, intents, orders } from './schema.ts';

const unsettledStates = ['prepared', 'sending', 'unknown'] as const;
const unsettled = inArray(intents.state, [...unsettledStates]);

/**
 * Matches attempts that may have led to an order whose customer was never shown how to pay. They are still checked, because money may have arrived
 * for them.
 */
const withheld = or(inArray(intents.state, ['unpayable', 'dead']), and(eq(intents.state, 'moved'), isNotNull(intents.upstreamOrderId)));

const toIntent = (row: typeof intents.$inferSelect): Intent => present(row);

/** Seeds the hash, so that a customer's lock differs from other locks that are made by a hash. */
const customerLock = 7_266_002;
const lockCustomer = async (tx: Transaction, customerId: string): Promise<unknown> =>
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${customerId}, ${customerLock}))`);

/**
 * How long an unpaid order counts as open. At some providers, an order stays payable for a week and cannot be cancelled. If it counted all that
 * time, a customer who left a few unpaid could order nothing, at any provider, for that week. After a day, hardly any order is still paid. All
 * providers share one limit on open orders, because a limit for each would multiply what one customer can reserve at once.
 */
const openMs = 86_400_000;

/**
 * Returns the ids of the customer's orders that are being placed, can be paid or are paid in part. An order that has expired by the clock does not
 * count, even if nobody has read it since. One whose payment may be on its way has not expired: its provider still keeps the channel, or the sats,
 * for it. Reads the attempts first, so that an order that is confirmed between the two reads is found twice instead of being missed.
 */
const openOf = async (tx: Transaction, { customerId, createdOn: now }: NewIntent): Promise<string[]> => {
  const isLive = or(isNull(orders.expiresOn), gt(orders.expiresOn, now), sql`${orders.terms} ->> 'arriving' = 'true'`);
  const isPayable = and(eq(orders.stage, 'awaiting_payment'), isLive, gt(orders.createdOn, now - openMs));
  const placing = await tx
    .select({ id: intents.orderId })
    .from(intents)
    .where(and(eq(intents.customerId, customerId), unsettled));
  const placed = await tx
    .select({ id: orders.id })
    .from(orders)
    .where(and(eq(orders.customerId, customerId), or(isPayable, eq(orders.stage, 'underpaid')), eq(orders.final, false)));
  return [...new Set([...placing, ...placed].map((row) => row.id))];
};

/**
 * Returns the id of another order of the customer at the same provider, if the provider could not tell its amount from the new order's. Only orders
 * that are being placed, or that may still be paid (mayBePaid), count.
 */
const nearOne = async (tx: Transaction, { customerId, providerId, ramp, createdOn: now }: NewIntent, amounts: NearAmounts | undefined) => {
  if (!amounts) return undefined;
  const { currency, least, most, slippageBps = 0 } = amounts;
  const pay = sql`(${intents.quote} #>> '{route,offers,0,offer,pay}')::numeric`;
  const isEstimate = sql`${intents.quote} #>> '{route,offers,0,offer,binding}' = 'false' and ${intents.quote} #>> '{route,asked,fixed}' = 'receive'`;
  const rest = sql`(case when ${isEstimate} then ${10_000 - Math.min(slippageBps, 9_999)}::numeric / 10000 else 1 end)`;
  const placing = await tx
    .select({ id: intents.orderId })
    .from(intents)
    .where(
      and(
        eq(intents.customerId, customerId),
        eq(intents.providerId, providerId),
        eq(intents.ramp, ramp),
        unsettled,
        sql`${intents.quote} #>> '{route,asked,currency}' = ${currency} and ${pay} / ${rest} >= ${least.toString()}::numeric and ${pay} * ${rest} <= ${most.toString()}::numeric`,
      ),
    );
  const placed = await tx
    .select({ id: orders.id, ramp: orders.ramp, stage: orders.stage, expiresOn: orders.expiresOn, stored: orders.terms })
    .from(orders)
    .where(
      and(
        eq(orders.customerId, customerId),
        eq(orders.providerId, providerId),
        eq(orders.ramp, ramp),
        eq(orders.final, false),
        sql`${orders.terms} ->> 'currency' = ${currency}`,
        between(orders.pay, least, most),
      ),
    );
  const near = placed.map(present).find(({ stored, ...order }) => mayBePaid({ ...stored, ...order }, now));
  return (placing[0] ?? near)?.id;
};

/** Excludes a provider for this customer until `until`, and drops exclusions that have ended. */
const standBack = async (tx: Transaction, { customerId, providerId, now, until }: StandsBack): Promise<void> => {
  const [row] = await tx.select({ declined: customers.declined }).from(customers).where(eq(customers.id, customerId)).for('update');
  const others = Object.entries(row?.declined ?? {}).filter(([, end]) => end > now);
  await tx
    .update(customers)
    .set({ declined: { ...Object.fromEntries(others), [providerId]: until } })
    .where(eq(customers.id, customerId));
};

/**
 * Returns whether the invoice is the destination of another order that may be paid out. The index `intents_payout` prevents that for attempts that
 * are under way or have led to an order, but not for those in review, for which the provider may also have an order. The index's states are checked
 * here as well, because an attempt may go into review between this read and the insert.
 */
const isPayoutUsed = async (tx: Transaction, { payoutKey }: NewIntent, except?: string): Promise<boolean> => {
  if (payoutKey === undefined) return false;
  const rows = await tx
    .select({ id: intents.id })
    .from(intents)
    .where(
      and(
        eq(intents.payoutKey, payoutKey),
        // Two conditions, because each has a partial index of its own.
        or(inArray(intents.state, [...unsettledStates, 'confirmed']), eq(intents.state, 'review')),
        except === undefined ? undefined : ne(intents.id, except),
      ),
    )
    .limit(1);
  return rows.length > 0;
};

const isExcluded = async (tx: Transaction, { customerId, providerId, createdOn }: NewIntent): Promise<boolean> => {
  const [row] = await tx.select({ declined: customers.declined }).from(customers).where(eq(customers.id, customerId));
  return (row?.declined?.[providerId] ?? 0) > createdOn;
};

const settle = async (tx: Transaction | Database, id: string, owner: string, change: IntentChange, release = true): Promise<boolean> => {
  const rows = await tx
    .update(intents)
    .set({ ...change, ...(release ? released : {}) })
    .where(and(eq(intents.id, id), unsettled, free(intents, owner)))
    .returning({ id: intents.id });
  return rows.length === 1;
};

const stillOwns = async (tx: Transaction, id: string, owner: string): Promise<boolean> => {
  const rows = await tx.select({ leaseOwner: intents.leaseOwner }).from(intents).where(eq(intents.id, id)).for('update');
  return rows[0]?.leaseOwner === owner;
};

export const createIntentStore = (db: Database): IntentStore => ({
  create: async (intent, lease, { maxOpen, near }) => {
    try {
      return await db.transaction(async (tx) => {
        await lockCustomer(tx, intent.customerId);
        const same = await tx
          .select({ id: intents.id })
          .from(intents)
          .where(and(eq(intents.quoteId, intent.quoteId), ne(intents.state, 'rejected')));
        if (same.length > 0) return 'exists';
        const open = await openOf(tx, intent);
        if (open.length >= maxOpen) return { open };
        const nearId = await nearOne(tx, intent, near);
        if (nearId !== undefined) return { near: nearId };
        if (await isPayoutUsed(tx, intent)) return 'payout-used';
        await tx.insert(intents).values({ ...intent, state: 'prepared', ...leaseOf(lease) });
        return 'created';
      });
    } catch (error) {
      if (sqlState(error) !== uniqueViolation) throw error;
      const constraint = constraintOf(error);
      return constraint === 'intents_payout' ? 'payout-used' : constraint === 'intents_one_unsettled' ? 'busy' : 'exists';
    }
  },
  findByQuote: async (quoteId, customerId) => {
    const rows = await db
      .select()
      .from(intents)
      .where(and(eq(intents.quoteId, quoteId), eq(intents.customerId, customerId), ne(intents.state, 'rejected')));
    return rows[0] && toIntent(rows[0]);
  },
  find: async (id) => {
    const rows = await db.select().from(intents).where(eq(intents.id, id));
    return rows[0] && toIntent(rows[0]);
  },
  startSending: async (id, lease, now) => {
    const rows = await db
      .update(intents)
      .set({ state: 'sending', attempt: sql`${intents.attempt} + 1`, sentOn: now, ...leaseOf(lease) })
      .where(and(eq(intents.id, id), eq(intents.state, 'prepared'), held(intents, lease.owner)))
      .returning({ id: intents.id });
    return rows.length === 1;
  },
  reject: async (id, owner, evidence) => {
    const rows = await db
      .update(intents)
      .set({ state: 'rejected', evidence, ...released })
      .where(and(eq(intents.id, id), unsettled, eq(intents.leaseOwner, owner)))
      .returning({ id: intents.id });
    return rows.length === 1;
  },
  change: async (id, owner, change, release) => await settle(db, id, owner, change, release),
  end: async (id, owner, change, back) =>
    await db.transaction(async (tx) => {
      // Once another instance has held the attempt, a refusal says nothing: the provider may refuse because that instance has placed the order.
      if (change.state === 'declined' && !(await stillOwns(tx, id, owner))) return false;
      if (!(await settle(tx, id, owner, change))) return false;
      if (back) await standBack(tx, back);
      return true;
    }),
  move: async (id, owner, change, next, back) => {
    try {
      return await db.transaction(async (tx) => {
        if (await isExcluded(tx, next.intent)) return 'skipped';
        if (next.near) await lockCustomer(tx, next.intent.customerId);
        if ((await nearOne(tx, next.intent, next.near)) !== undefined || (await isPayoutUsed(tx, next.intent, id))) return 'skipped';
        const rows = await tx
          .update(intents)
          .set({ ...change, state: 'moved', movedTo: next.intent.id, ...released })
          .where(and(eq(intents.id, id), unsettled, eq(intents.leaseOwner, owner)))
          .returning({ id: intents.id });
        if (rows.length !== 1) return 'lost';
        await tx.insert(intents).values({ ...next.intent, state: 'prepared', ...leaseOf(next.lease) });
        if (back) await standBack(tx, back);
        return 'moved';
      });
    } catch (error) {
      if (sqlState(error) !== uniqueViolation) throw error;
      return 'skipped';
    }
  },
  confirm: async (id, owner, change, { order, event, deliveries, notices }) => {
    try {
      return await db.transaction(async (tx) => {
        if (!(await settle(tx, id, owner, change))) return 'lost';
        // Notices are looked for after this transaction has locked the intent, so that a later one waits until the order is there.
        const isRung = notices !== undefined && (await isHeard(tx, notices.targets));
        await insertOrder(tx, isRung ? { ...order, nextCheckOn: notices.checkOn } : order, event);
        await insertDeliveries(tx, deliveries);
        return isRung ? 'rung' : 'confirmed';
      });
    } catch (error) {
      if (sqlState(error) === uniqueViolation && constraintOf(error) === 'orders_upstream_key') return 'twin';
      throw error;
    }
  },
  claimDue: async (now, lease, limit, share) => {
    const queue = { table: intents, id: intents.id, dueOn: intents.nextTryOn, waiting: unsettled, provider: intents.providerId };
    if (!(await hasDue(db, queue, now))) return [];
    const rows = await db
      .update(intents)
      .set(leaseOf(lease))
      .where(takeDue(db, queue, now, limit, share))
      .returning();
    return rows.map(toIntent);
  },
  claimWithheld: async (now, lease, limit, share) => {
    const queue = { table: intents, id: intents.id, dueOn: intents.nextTryOn, waiting: withheld, provider: intents.providerId };
    if (!(await hasDue(db, queue, now))) return [];
    const rows = await db
      .update(intents)
      .set(leaseOf(lease))
      .where(takeDue(db, queue, now, limit, share))
      .returning();
    return rows.map(toIntent);
  },
  changeWithheld: async (id, owner, change) => {
    const rows = await db
      .update(intents)
      .set({ ...change, ...released })
      .where(and(eq(intents.id, id), withheld, free(intents, owner)))
      .returning({ id: intents.id });
    return rows.length === 1;
  },
  replaceAnswer: async (id, was, answer) => {
    const rows = await db
      .update(intents)
      .set({ answer })
      .where(and(eq(intents.id, id), eq(intents.answer, was)))
      .returning({ id: intents.id });
    return rows.length === 1;
  },
  claim: async (id, lease) => {
    const rows = await db
      .update(intents)
      .set(leaseOf(lease))
      .where(and(eq(intents.id, id), unsettled, free(intents, lease.owner)))
      .returning();
    return rows[0] && toIntent(rows[0]);
  },
  wake: async (id, now) => {
    await db
      .update(intents)
      .set({ nextTryOn: now })
      .where(and(eq(intents.id, id), or(unsettled, withheld)));
  },
  earlierIn: async (exclusiveKey) => {
    const rows = await db.select({ id: intents.id }).from(intents).where(eq(intents.exclusiveKey, exclusiveKey));
    return rows.map((row) => row.id);
  },
  unsettledIn: async (exclusiveKey) => {
    const rows = await db
      .select()
      .from(intents)
      .where(and(eq(intents.exclusiveKey, exclusiveKey), unsettled));
    return rows[0] && toIntent(rows[0]);
  },
  unsettledSales: async (providerId, customerId) => {
    const rows = await db
      .select()
      .from(intents)
      .where(and(ofUser(intents, providerId, customerId), eq(intents.ramp, 'sell'), unsettled));
    return rows.map(toIntent);
  },
  sharing: async (providerId, upstreamIds, except) => {
    const rows = await db
      .select()
      .from(intents)
      .where(and(eq(intents.providerId, providerId), inArray(intents.upstreamOrderId, upstreamIds), except === undefined ? undefined : ne(intents.id, except)));
    return rows.map(toIntent);
  },
  isPlacingAt: async (providerId) => {
    const rows = await db
      .select({ id: intents.id })
      .from(intents)
      .where(and(eq(intents.providerId, providerId), unsettled))
      .limit(1);
    return rows.length > 0;
  },
  wakeUnknown: async (providerId, now) => {
    await db
      .update(intents)
      .set({ nextTryOn: now })
      .where(and(eq(intents.providerId, providerId), eq(intents.state, 'unknown'), gt(intents.nextTryOn, now)));
  },
  claimedUpstreamIds: async (providerId, ids) => {
    if (ids.length === 0) return [];
    const rows = await db
      .select({ id: intents.upstreamOrderId })
      .from(intents)
      .where(and(eq(intents.providerId, providerId), inArray(intents.upstreamOrderId, ids)));
    return rows.flatMap((row) => row.id ?? []);
  },
});
