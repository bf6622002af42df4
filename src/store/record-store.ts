import { and, asc, desc, eq, inArray, isNull, notInArray, sql } from 'drizzle-orm';
import { mayBeLost } from '../domain/lost-bought.ts';
import { isDelivered } from '../domain/order-life.ts';
import type { Order } from '../ports/orders.ts';
import type { RecordStore } from '../ports/record.ts';
import { claimColumns, isCountable, withClaim } from './claim-now.ts';
import { readFigures } from './record-figures.ts';
import { readInFlight } from './in-flight.ts';
import { present, type Database, type Transaction } from './database.ts';
import { lockOrder } from './order-store.ts';
import { toStored } from './order-terms.ts';
import { lastRefund, recordFill, recordLink, windowsOf } from './record-fill.ts';
import { claims, fills, orders, recordBroken, recordEstimates } from './schema.ts';

const moneyCame = ['paid', 'review', 'filled', 'finished', 'refunded'] as const;

const shownColumns = {
  orderId: fills.orderId,
  ramp: fills.ramp,
  currency: fills.currency,
  option: fills.option,
  binding: fills.binding,
  quotedPay: fills.quotedPay,
  quotedReceive: fills.quotedReceive,
  toldPay: fills.toldPay,
  toldReceive: fills.toldReceive,
  linkReceive: fills.linkReceive,
  leadBps: fills.leadBps,
  filledOn: fills.filledOn,
  countedIn: fills.countedIn,
  countedQuoted: fills.countedQuoted,
  countedDelivered: fills.countedDelivered,
};

/** Returns whether a proof of payment may count against the provider of this order. */
const mayCount = async (tx: Transaction, { id, stage, watch }: Order, now: number): Promise<boolean> => {
  const [row] = await tx
    .select({ countable: isCountable, ...claimColumns })
    .from(orders)
    .leftJoin(claims, eq(claims.orderId, orders.id))
    .where(eq(orders.id, id));
  return row?.countable === true && (!isDelivered(stage) || mayBeLost({ stage, ...watch, ...withClaim(row) }, now));
};

const rethrow = (_orderId: string, error: unknown): never => {
  throw error;
};

export const createRecordStore = (db: Database): RecordStore => ({
  read: async () => {
    const [estimates, broken] = await Promise.all([
      db
        .select()
        .from(recordEstimates)
        .orderBy(asc(recordEstimates.providerId), asc(recordEstimates.ramp), asc(recordEstimates.currency), asc(recordEstimates.option)),
      db.select().from(recordBroken).orderBy(asc(recordBroken.providerId), asc(recordBroken.ramp)),
    ]);
    return {
      estimates: estimates.map(({ providerId, ramp, currency, option, day, resetOn, orders: count, allQuotedSats, allDeliveredSats, since, ...sums }) => ({
        providerId,
        ramp,
        currency,
        option,
        day,
        windows: windowsOf(sums),
        all: { orders: count, quotedSats: allQuotedSats, deliveredSats: allDeliveredSats, since },
        ...(resetOn === null ? {} : { resetOn }),
      })),
      broken: broken.map(({ providerId, ramp, day, resetOn, ...sums }) => ({
        providerId,
        ramp,
        day,
        windows: windowsOf(sums),
        ...(resetOn === null ? {} : { resetOn }),
      })),
    };
  },
  addMissing: async (now, unfilledBefore, limit, without = [], failed = rethrow) => {
    const isOpen = and(isNull(orders.recordedOn), inArray(orders.stage, [...moneyCame]));
    // Usually there are no such orders, and this query is much cheaper to plan than the one that follows.
    if ((await db.select({ id: orders.id }).from(orders).where(isOpen).limit(1)).length === 0) return 0;
    // One transaction per order: the order's lock decides which instance counts it, and the sums stay locked only as long as one order needs.
    const before = new Date(unfilledBefore).toISOString();
    const hasFill = sql`exists (select 1 from fills f where f.order_id = ${orders.id} and f.told_receive is not null)`;
    // An order counts as paid before the cutoff in three cases. A read or a notice gave the event `paid` before then (isPaid). A read that put or
    // kept the order in review said before then that it was paid, which gives no such event (isSeen). Or the order was filled before then, and later
    // went to review as not delivered (isTakenBack). An order in review that its provider reports as filled in full is left out, because only the
    // gateway holds it back. For an order that was refunded, only what came after the last refund counts.
    const isRefunded = sql`coalesce(${orders.terms}->>'beforeReview' = 'refunded', false)`;
    const refundedOn = lastRefund(sql`${orders.id}`);
    const isPaid = sql`not ${isRefunded} and exists (select 1 from order_events e where e.order_id = ${orders.id} and e.to_stage = 'paid' and e.source in ('read', 'notice') and e.at < ${before} and e.at >= ${refundedOn})`;
    const seenOn = sql`to_timestamp((${orders.terms}->>'paidSeenOn')::float8 / 1000)`;
    const isSeen = sql`(${orders.stage} = 'review' and ${seenOn} < ${before} and ${seenOn} >= ${refundedOn})`;
    const isTakenBack = sql`(${orders.stage} = 'review' and ${orders.terms}->>'reviewReason' = 'paid-not-delivered' and (select max(e.at) from order_events e where e.order_id = ${orders.id} and e.from_stage in ('filled', 'finished') and e.to_stage = 'review' and e.at >= ${refundedOn}) < ${before})`;
    const isWithheld = sql`(${orders.stage} = 'review' and coalesce(${orders.terms}->>'filledSeen' = 'true', false))`;
    // A customer can take away the key of their account, and then nobody can read whether the sale was filled. So such a sale is left out.
    const isUnread = sql`(${orders.ramp} = 'sell' and coalesce(${orders.terms}->>'unreadableSince', '') <> '')`;
    const paidLongAgo = sql`(not ${isUnread} and ((${hasFill} and ${isTakenBack}) or (not ${hasFill} and not ${isWithheld} and ((${isPaid}) or ${isSeen}))))`;
    const due = await db
      .select({ id: orders.id, stage: orders.stage })
      .from(orders)
      .where(and(isOpen, notInArray(orders.id, [...without]), sql`(${orders.stage} not in ('paid', 'review') or ${paidLongAgo})`))
      .orderBy(orders.changedOn)
      .limit(limit);
    for (const { id, stage } of due)
      try {
        await db.transaction(async (tx) => {
          const [still] = await tx.select({ recordedOn: orders.recordedOn }).from(orders).where(eq(orders.id, id)).for('update');
          if (still?.recordedOn === null) await recordFill(tx, { orderId: id, now, as: stage === 'paid' || stage === 'review' ? 'paid' : 'filled' });
        });
      } catch (error) {
        failed(id, error);
      }
    return due.length;
  },
  linkRead: async (orderId, receive, now) =>
    await db.transaction(async (tx) => {
      const rows = await tx
        .update(orders)
        .set({ linkReadOn: now, ...(receive === undefined ? {} : { linkReceive: receive }) })
        .where(and(eq(orders.id, orderId), isNull(orders.linkReadOn)))
        .returning({ id: orders.id });
      if (rows.length !== 1) return false;
      if (receive !== undefined) await recordLink(tx, orderId, receive, now);
      return true;
    }),
  paidNotFilled: async (orderId, now, seen) =>
    await db.transaction(async (tx) => {
      const order = await lockOrder(tx, orderId, seen);
      if (!order || !(await mayCount(tx, order, now)) || !(await recordFill(tx, { orderId, now, as: 'proven' }))) return false;
      const terms = toStored(order.terms, { ...order.watch, provenOn: now });
      await tx.update(orders).set({ terms }).where(eq(orders.id, orderId));
      return true;
    }),
  inFlight: async (providerId, most, now) => await readInFlight(db, providerId, most, now),
  reset: async (providerId, now) =>
    await db.transaction(async (tx) => {
      const cleared = { quotedSats: 0n, deliveredSats: 0n, fastQuotedSats: 0n, fastDeliveredSats: 0n, resetOn: now };
      const estimates = await tx
        .update(recordEstimates)
        .set(cleared)
        .where(eq(recordEstimates.providerId, providerId))
        .returning({ ramp: recordEstimates.ramp });
      const broken = await tx.update(recordBroken).set(cleared).where(eq(recordBroken.providerId, providerId)).returning({ ramp: recordBroken.ramp });
      return estimates.length + broken.length;
    }),
  figures: async (since) => await readFigures(db, since),
  fills: async (providerId, limit) => {
    const rows = await db
      .select(shownColumns)
      .from(fills)
      .where(eq(fills.providerId, providerId))
      .orderBy(desc(sql`${fills.countedQuoted} - ${fills.countedDelivered}`), desc(fills.filledOn))
      .limit(limit);
    return rows.map(present);
  },
  oldReaders: async (since) => {
    const rows = await db.execute<{ found: boolean }>(
      sql`select exists (select 1 from routes where created_on > ${new Date(since).toISOString()} and reads is null) as found`,
    );
    return rows[0]?.found === true;
  },
});
