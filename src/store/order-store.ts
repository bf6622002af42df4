import { and, desc, eq, gt, gte, inArray, isNull, ne, not, notInArray, or, sql, type SQL } from 'drizzle-orm';
import { unionAll } from 'drizzle-orm/pg-core';
import { defined } from '../domain/defined.ts';
import { isSafe } from '../domain/money.ts';
import { arrivingStages, holdsAmount, isDelivered, longestHoldMs, unpaidStages } from '../domain/order-life.ts';
import { canonicalId, writingsOf } from '../domain/same-id.ts';
import { judgedOf } from '../ports/judged.ts';
import type { Order, OrderEvent, OrderStore, Payment, UserAt } from '../ports/orders.ts';
import { present, type Database, type Transaction } from './database.ts';
import { insertDeliveries } from './delivery-store.ts';
import { hasDue, isWoken, leaseOf, released, takeDue, unlessWoken } from './lease.ts';
import { fromStored, toStored, withLearnt } from './order-terms.ts';
import { ofUser } from './of-user.ts';
import { recordFill, recordReport } from './record-fill.ts';
import { intents, orderEvents, orders } from './schema.ts';

const toOrder = (row: typeof orders.$inferSelect): Order => {
  const { leaseOwner: _owner, leaseUntil: _until, terms, facts: said, ...order } = row;
  // The previous release also stored the offer's `matched_by` among the facts. What counts is what the provider said when it accepted the order
  // (terms.matchedBy).
  const { matched_by: _offered, ...facts } = said;
  return { ...present(order), ...fromStored(terms), facts };
};

/** Locks an order and reads it. Returns undefined if there is none, or if what an operator judged has changed since they saw it (`seen`). */
export const lockOrder = async (tx: Transaction, id: string, seen?: Order): Promise<Order | undefined> => {
  const [row] = await tx.select().from(orders).where(eq(orders.id, id)).for('update');
  const order = row && toOrder(row);
  return order && seen && judgedOf(order, order.watch) !== judgedOf(seen, seen.watch) ? undefined : order;
};

/**
 * Counts an order in the provider's record. If that fails, the order's own step is stored all the same, and background work counts the order later,
 * and logs the error if it fails again (RecordStore.addMissing).
 */
const counting = async (tx: Transaction, orderId: string, count: (tx: Transaction) => Promise<unknown>): Promise<void> => {
  try {
    await tx.transaction(count);
  } catch {
    await tx.update(orders).set({ recordedOn: null }).where(eq(orders.id, orderId));
  }
};

export const insertOrder = async (tx: Transaction, { watch, ...order }: Order, event: OrderEvent): Promise<void> => {
  await tx.insert(orders).values({ ...order, terms: toStored(order.terms, watch) });
  await tx.insert(orderEvents).values({ orderId: order.id, ...event });
  if (isDelivered(event.toStage)) await counting(tx, order.id, async (inner) => await recordFill(inner, { orderId: order.id, now: event.at, as: 'filled' }));
};

/** Returns whether a delivered or refunded order goes to review. Background work then looks at its fill again (record-store.ts). */
const isTakenBack = ({ fromStage, toStage }: OrderEvent): boolean => (isDelivered(fromStage) || fromStage === 'refunded') && toStage === 'review';

const newestFirst = (a: Order, b: Order): number => b.createdOn - a.createdOn || (a.id < b.id ? 1 : -1);

/**
 * Leaves out the sales that ended so long ago that they hold no amount any more (`holdsAmount`) and any payment would come too late. A customer may
 * have thousands of them.
 */
const unlessLongOver = (now: number) =>
  and(eq(orders.ramp, 'sell'), or(inArray(orders.stage, ['awaiting_payment', 'underpaid']), gt(orders.expiresOn, now - longestHoldMs)));

/** Reads the sales that hold one of these amounts (holdsAmount). Ignores amounts that no column can store: a provider may report one. */
const holding = async (db: Database, { providerId, customerId }: UserAt, amounts: readonly bigint[], now: number) => {
  const possible = [...new Set(amounts.filter(isSafe))];
  if (possible.length === 0) return [];
  const { id, ramp, stage, expiresOn, pay, terms } = orders;
  const rows = await db
    .select({ id, customerId: orders.customerId, ramp, stage, expiresOn, pay, terms })
    .from(orders)
    .where(and(ofUser(orders, providerId, customerId), inArray(pay, possible), inArray(stage, [...arrivingStages]), unlessLongOver(now)));
  return rows.map(present).filter(({ terms: agreed, ...row }) => holdsAmount({ ...agreed, ...row }, now));
};

/** Seeds the hash, so that a payment's lock differs from other locks that are made by a hash. */
const paymentLock = 7_266_003;
/**
 * Selects another order to which the payment may belong (OrderStore.otherWithPayment). Many polls run this, so there is an index for the payment's id
 * (`orders_payment`, with the same expression) and one for the order's id.
 */
export const otherWithPayment = (tx: Transaction | Database, { providerId, id, linked }: Payment, except: string) => {
  const others = (isIts: SQL, ...more: SQL[]) =>
    tx
      .select({ id: orders.id })
      .from(orders)
      .where(and(eq(orders.providerId, providerId), ne(orders.id, except), isIts, ...more))
      .limit(1);
  const hasPayment = inArray(sql`${orders.facts} ->> 'transaction_id'`, writingsOf(id));
  if (linked === true) return others(hasPayment, ne(orders.stage, 'review'));
  return unionAll(others(hasPayment), others(inArray(orders.upstreamOrderId, writingsOf(id))));
};

export const createOrderStore = (db: Database): OrderStore => ({
  find: async (id, customerId) => {
    const rows = await db
      .select()
      .from(orders)
      .where(and(eq(orders.id, id), eq(orders.customerId, customerId)));
    return rows[0] && toOrder(rows[0]);
  },
  findAny: async (id) => {
    const rows = await db.select().from(orders).where(eq(orders.id, id));
    return rows[0] && toOrder(rows[0]);
  },
  list: async (customerId, ramp, limit, changedSince) => {
    const rows = await db
      .select()
      .from(orders)
      .where(
        and(
          eq(orders.customerId, customerId),
          ...(ramp === undefined ? [] : [eq(orders.ramp, ramp)]),
          ...(changedSince === undefined ? [] : [gte(orders.changedOn, changedSince)]),
        ),
      )
      .orderBy(orders.final, inArray(orders.stage, [...unpaidStages]), desc(orders.createdOn), desc(orders.id))
      .limit(limit);
    return rows.map(toOrder).toSorted(newestFirst);
  },
  advance: async ({ id, sequence, watch: before, nextCheckOn: known }, { watch, payment, ...change }, event, deliveries) =>
    await db.transaction(async (tx) => {
      if (payment !== undefined) {
        // Two instances may read the same payment for two orders at the same moment. The second instance waits here, and then sees the order
        // that has the payment.
        const name = `${payment.providerId} ${canonicalId(payment.id)}`;
        await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, ${paymentLock}))`);
        if ((await otherWithPayment(tx, payment, id)).length > 0) return false;
      }
      const [stored] = watch ? await tx.select({ terms: orders.terms }).from(orders).where(eq(orders.id, id)).for('update') : [];
      const rows = await tx
        .update(orders)
        .set({
          ...change,
          ...(change.nextCheckOn === undefined ? {} : { nextCheckOn: unlessWoken(orders.nextCheckOn, known, change.nextCheckOn) }),
          ...(change.final === true ? { final: not(isWoken(orders.nextCheckOn, known)) } : {}),
          ...(watch && stored ? { terms: withLearnt(stored.terms, before, watch) } : {}),
          ...(event ? { sequence: event.sequence } : {}),
          ...(event && isTakenBack(event) ? { recordedOn: null } : {}),
          ...released,
        })
        .where(and(eq(orders.id, id), eq(orders.sequence, sequence)))
        .returning({ stage: orders.stage });
      const [moved] = rows;
      if (!moved) return false;
      if (event) await tx.insert(orderEvents).values({ orderId: id, ...event });
      const { toldOn, toldPay, toldReceive } = change;
      // A read that was not believed says nothing about a fill. The exception is a report that 0 was delivered, which sends the order to review.
      const isBelieved = isDelivered(moved.stage) && (change.pay !== undefined || change.receive !== undefined);
      if (event && isDelivered(event.toStage)) await counting(tx, id, async (inner) => await recordFill(inner, { orderId: id, now: event.at, as: 'filled' }));
      else if (toldOn !== undefined && (isBelieved || (toldReceive === 0n && moved.stage !== 'refunded')))
        await counting(tx, id, async (inner) => await recordReport(inner, id, defined({ toldPay, toldReceive }), toldOn));
      await insertDeliveries(tx, deliveries);
      return true;
    }),
  claimDue: async (now, lease, limit, share) => {
    const due = { table: orders, id: orders.id, dueOn: orders.nextCheckOn, waiting: eq(orders.final, false) };
    // For a /64, the /48 around it counts, because anybody can get a whole /48. All customers of an app with a secret key share the app's turns.
    const key = sql`coalesce(substring(${intents.networkKey} from '[^ ]+$'), 'app ' || ${orders.appId}, 'unknown')`;
    const network = { table: intents, on: eq(intents.id, orders.intentId), key };
    const queue = { ...due, provider: orders.providerId, isUrgent: notInArray(orders.stage, [...unpaidStages]), network };
    if (!(await hasDue(db, queue, now))) return [];
    const rows = await db
      .update(orders)
      .set(leaseOf(lease))
      .where(takeDue(db, queue, now, limit, share))
      .returning();
    return rows.map(toOrder);
  },
  wake: async (id, now) => {
    await db
      .update(orders)
      .set({ nextCheckOn: now, final: false })
      .where(and(eq(orders.id, id), or(orders.final, isNull(orders.nextCheckOn), gt(orders.nextCheckOn, now))));
  },
  payableByAmount: async (providerId, customerId, pay, now) => {
    const rows = await holding(db, { providerId, customerId }, [pay], now);
    return rows.filter(({ terms }) => terms.matchedBy === 'amount').map((row) => ({ id: row.id, customerId: row.customerId, network: row.terms.network }));
  },
  arrivingSales: async (providerId, customerId, now) => {
    const rows = await db
      .select()
      .from(orders)
      .where(and(ofUser(orders, providerId, customerId), inArray(orders.stage, [...arrivingStages]), unlessLongOver(now)));
    return rows.map(toOrder);
  },
  otherWithPayment: async (payment, except) => (await otherWithPayment(db, payment, except))[0]?.id,
  explained: async ({ providerId, customerId }, ids, except) => {
    if (ids.length === 0) return [];
    const those = (id: SQL) => {
      const conditions = [eq(orders.providerId, providerId), inArray(id, [...new Set(ids)]), ...(except === undefined ? [] : [ne(orders.id, except)])];
      return sql`select provider_id, customer_id, ${id} as id from orders where ${and(...conditions)}`;
    };
    // Each of the two ids has an index, as in otherWithPayment. A search through the customer's orders would read the facts of all of them, so the
    // customer is checked afterwards.
    const found = sql`${those(sql`${orders.upstreamOrderId}`)} union all ${those(sql`${orders.facts} ->> 'transaction_id'`)}`;
    const rows = await db.execute<{ id: string }>(
      sql`with found as materialized (${found}) select id from found as orders where ${ofUser(orders, providerId, customerId)}`,
    );
    return rows.map((row) => row.id);
  },
  openAmounts: async (user, amounts, now) => (await holding(db, user, amounts, now)).map(({ pay }) => pay),
  soldAgainOn: async ({ id, providerId, customerId, pay, createdOn }) => {
    const [first] = await db
      .select({ createdOn: orders.createdOn })
      .from(orders)
      .where(and(ofUser(orders, providerId, customerId), eq(orders.ramp, 'sell'), eq(orders.pay, pay), gt(orders.createdOn, createdOn), ne(orders.id, id)))
      .orderBy(orders.createdOn)
      .limit(1);
    return first?.createdOn;
  },
});
