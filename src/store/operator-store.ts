import { and, desc, eq, getTableColumns, gt, gte, inArray, isNotNull, isNull, lt, or, sql, type SQL } from 'drizzle-orm';
import type { ReviewReason } from '../domain/order.ts';
import type { DossierTurn, FoundOrder, OperatorStore, OrderSearch, Place } from '../ports/operator.ts';
import type { LiquidityTerms } from '../ports/routes.ts';
import { present, type Database, type Transaction } from './database.ts';
import { mayHaveLink } from '../domain/lost-bought.ts';
import { judgedAttemptOf, judgedClaimOf } from '../ports/judged.ts';
import type { OrderWatch } from '../ports/orders.ts';
import { claimColumns, isCountable, withClaim } from './claim-now.ts';
import { lateOrders } from './late-orders.ts';
import { orderAmounts, quotedAmounts } from './order-schema.ts';
import { insertOrder, lockOrder } from './order-store.ts';
import { toStored, withLearnt } from './order-terms.ts';
import {
  accounts,
  claims,
  connections,
  customers,
  deliveries,
  intents,
  lastPrices,
  notices,
  operatorActions,
  orderEvents,
  orders,
  providerSessions,
  receiptDays,
  routes,
  sessions,
  settlements,
  switches,
} from './schema.ts';

/** The offer of the quote that was ordered. */
const quotedOffer = sql`${intents.quote}->'route'->'offers'->0->'offer'`;
/** An amount of the order. If no order came of the attempt, the amount that was quoted. */
const amountOf = (side: 'pay' | 'receive', ordered: typeof orders.pay | typeof orders.receive): SQL<bigint | null> =>
  sql<bigint | null>`coalesce(${ordered}, (${quotedOffer}->>${sql.raw(`'${side}'`)})::bigint)`.mapWith(ordered);

const foundColumns = {
  intentId: intents.id,
  orderId: intents.orderId,
  providerId: intents.providerId,
  ramp: intents.ramp,
  state: intents.state,
  stage: orders.stage,
  reviewReason: sql<ReviewReason | null>`case when ${orders.stage} = 'review' then ${orders.terms}->>'reviewReason' end`,
  upstreamOrderId: intents.upstreamOrderId,
  requestId: intents.requestId,
  customerId: intents.customerId,
  createdOn: intents.createdOn,
  stageOn: orders.stageOn,
  disputed: orders.disputed,
  shortReleasedOn: orders.shortReleasedOn,
  shortReleased: sql<OrderWatch['shortReleased'] | null>`${orders.terms}->'shortReleased'`,
  finishedUnlinked: sql<boolean>`coalesce(${orders.terms}->>'finishedUnlinked' = 'true', false)`,
  countable: sql<boolean>`${orders.id} is not null and ${isCountable}`,
  ...claimColumns,
  pay: amountOf('pay', orders.pay),
  receive: amountOf('receive', orders.receive),
  currency: sql<string | null>`coalesce(${orders.terms}->>'currency', ${intents.quote}->'route'->'asked'->>'currency')`,
  payout: sql<'push' | null>`${orders.terms}->>'payout'`,
  liquidity: sql<LiquidityTerms | null>`coalesce(${orders.terms}->'liquidity', ${intents.quote}->'terms'->'liquidity')`,
};
const deliveryColumns = {
  id: deliveries.id,
  type: deliveries.type,
  sequence: deliveries.sequence,
  host: deliveries.host,
  state: deliveries.state,
  attempt: deliveries.attempt,
  lastOutcome: deliveries.lastOutcome,
  createdOn: deliveries.createdOn,
  dueOn: deliveries.dueOn,
  doneOn: deliveries.doneOn,
};

/** Matches orders with this amount (ordered or quoted, paid or received), and attempts that led to no order and were quoted this amount. */
const amountIs = (amount: bigint): SQL | undefined =>
  or(
    ...[orders.pay, orders.receive, orders.quotedPay, orders.quotedReceive].map((column) => eq(column, amount)),
    sql`${orders.id} is null and ${amount.toString()} in (${quotedOffer}->>'pay', ${quotedOffer}->>'receive')`,
  );
/**
 * Matches the same as `amountIs`, by the indexes on amounts. The indexes do not contain times, so this is slow if very many orders have the amount.
 * So `search` first tries the newest attempts (`isNewest`).
 */
const amountIsFound = (amount: bigint): SQL => {
  // PostgreSQL plans better for an amount that it knows.
  const [number, quoted] = [sql.raw(`'{${amount}}'::bigint[]`), sql.raw(`'{${amount}}'::text[]`)];
  return sql`${intents.id} in (
    select intent_id from orders where ${orderAmounts} @> ${number}
    union all select id from intents where ${quotedAmounts} @> ${quoted} and state not in ('prepared', 'sending', 'unknown', 'confirmed')
    union all select id from intents where ${quotedAmounts} @> ${quoted} and state in ('prepared', 'sending', 'unknown'))`;
};
/** The most attempts that a search reads: the newest ones in the searched time. */
const newest = 5_000;
const isNewest = ({ from, to }: OrderSearch, before: Place | undefined): SQL => {
  const time = (ms: number): SQL => sql`${new Date(ms).toISOString()}::timestamptz`;
  // The array makes PostgreSQL read the ids first, and then only their rows.
  return sql`${intents.id} = any (array(
    select i.id from intents i where true ${from === undefined ? sql`` : sql`and i.created_on >= ${time(from)}`}
      ${to === undefined ? sql`` : sql`and i.created_on < ${time(to)}`}
      ${before ? sql`and (i.created_on, i.id) < (${time(before.on)}, ${before.id})` : sql``}
    order by i.created_on desc, i.id desc limit ${newest}))`;
};
/**
 * Matches the id of the request that placed the order, or of the one that asked for the price. A quote's id equals the route's id except for the last
 * byte. No index covers the requests for prices, so only those of a few days are read.
 */
const requestIs = (requestId: string, since: number, to?: number): SQL =>
  sql`${intents.id} in (
    select i.id from intents i where i.request_id = ${requestId}
    union all select i.id from routes r join intents i on i.customer_id = r.customer_id and left(i.quote_id::text, 34) = left(r.id::text, 34)
      where r.request_id = ${requestId} and r.created_on >= ${new Date(since).toISOString()} ${to === undefined ? sql`` : sql`and r.created_on < ${new Date(to).toISOString()}`})`;

const conditionsOf = (search: OrderSearch): (SQL | undefined)[] => [
  search.requestId === undefined ? undefined : requestIs(search.requestId, search.pricedSince ?? 0, search.to),
  search.upstreamOrderId === undefined
    ? undefined
    : or(eq(intents.upstreamOrderId, search.upstreamOrderId), eq(orders.upstreamOrderId, search.upstreamOrderId)),
  search.referenceHash === undefined ? undefined : eq(orders.referenceHash, search.referenceHash),
  search.from === undefined ? undefined : gte(intents.createdOn, search.from),
  search.to === undefined ? undefined : lt(intents.createdOn, search.to),
  search.customerId === undefined ? undefined : eq(intents.customerId, search.customerId),
  search.id === undefined ? undefined : or(eq(intents.orderId, search.id), eq(intents.id, search.id), eq(intents.quoteId, search.id)),
  search.providerId === undefined ? undefined : eq(intents.providerId, search.providerId),
  search.list === undefined ? undefined : isIn(search.list, search.paidBefore ?? 0),
];

/**
 * Matches attempts that share an order id at the provider. Today the later one is withheld; the previous release did not check, and may have shown
 * both to their customers. In each pair, one attempt led to no order, or to an order without a key, because no two orders have the same key. Two
 * indexes have these few attempts, so not all attempts are read.
 */
const sharesUpstream = sql`(${intents.providerId}, ${intents.upstreamOrderId}) in (
  select one.provider_id, one.upstream_order_id from (
    select id, provider_id, upstream_order_id from intents where state <> 'confirmed' and upstream_order_id is not null
    union all select i.id, i.provider_id, i.upstream_order_id from orders o join intents i on i.id = o.intent_id
      where o.upstream_key is null and o.upstream_order_id is not null
  ) one where exists (
    select from intents other where other.provider_id = one.provider_id and other.upstream_order_id = one.upstream_order_id and other.id <> one.id))`;

/**
 * Matches the attempts and orders in one of the operator's lists. `open`: the orders that are not final. Short lists are read by partial indexes, so
 * the table may be large.
 */
const isIn = (list: NonNullable<OrderSearch['list']>, paidBefore: number): SQL | undefined =>
  ({
    // The intent of an adopted order stays in review, so an intent counts only if it has no order.
    review: sql`${intents.id} in (
      select o.intent_id from orders o where o.stage = 'review'
      union all select i.id from intents i where i.state = 'review' and not exists (select 1 from orders o where o.intent_id = i.id))`,
    late: sql`${intents.id} in (${sql.raw(lateOrders(`'${new Date(paidBefore).toISOString()}'::timestamptz`))})`,
    unknown: inArray(intents.state, ['prepared', 'sending', 'unknown']),
    twins: sharesUpstream,
    disputed: sql`${intents.id} in (select o.intent_id from orders o where o.disputed)`,
    open: eq(orders.final, false),
  })[list];

const turnColumns = {
  id: intents.id,
  orderId: intents.orderId,
  quoteId: intents.quoteId,
  providerId: intents.providerId,
  state: intents.state,
  evidence: intents.evidence,
};
/**
 * Returns all attempts of the request that this attempt belongs to, from the first to the last. Returns none if failover has not moved the request. A
 * move is never undone, so the attempts form a line.
 */
const turnsOf = async (db: Database, { id, customerId }: { id: string; customerId: string }): Promise<DossierTurn[]> => {
  const moved = await db
    .select({ ...turnColumns, movedTo: intents.movedTo })
    .from(intents)
    .where(and(eq(intents.customerId, customerId), isNotNull(intents.movedTo)));
  const before = (to: string): typeof moved => moved.filter((one) => one.movedTo === to).flatMap((one) => [...before(one.id), one]);
  const [first = id] = before(id).map((one) => one.id);
  const line: string[] = [];
  for (let at: string | null | undefined = first; typeof at === 'string'; at = moved.find((one) => one.id === at)?.movedTo) line.push(at);
  if (line.length === 1) return [];
  const rows = await db.select(turnColumns).from(intents).where(inArray(intents.id, line));
  return rows.toSorted((a, b) => line.indexOf(a.id) - line.indexOf(b.id)).map(present);
};

const judgedColumns = {
  id: intents.id,
  state: intents.state,
  attempt: intents.attempt,
  upstreamOrderId: intents.upstreamOrderId,
  evidence: intents.evidence,
};
/** Matches an attempt in review that led to no order. */
const isWithoutOrder = and(eq(intents.state, 'review'), sql`not exists (select 1 from ${orders} where ${orders.intentId} = ${intents.id})`);
const isFailing = (tries: number): SQL | undefined => and(gte(deliveries.attempt, tries), isNotNull(deliveries.lastOutcome));
/** Matches the rows of the pages after the one that ends at `place`. */
const isBefore = ({ createdOn, id }: typeof intents | typeof deliveries, place: Place | undefined): SQL | undefined =>
  place && sql`(${createdOn}, ${id}) < (${new Date(place.on).toISOString()}::timestamptz, ${place.id})`;

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const createOperatorStore = (db: Database): OperatorStore => {
  const find = async (where: SQL | undefined, limit: number, before?: Place): Promise<FoundOrder[]> => {
    const rows = await db
      .select(foundColumns)
      .from(intents)
      .leftJoin(orders, eq(orders.intentId, intents.id))
      .leftJoin(claims, eq(claims.orderId, orders.id))
      .where(and(where, isBefore(intents, before)))
      .orderBy(desc(intents.createdOn), desc(intents.id))
      .limit(limit);
    return rows.map((row) => present(withClaim(row)));
  };
  const findDeliveries = async (where: SQL | undefined, limit: number, before?: Place) => {
    const columns = { ...deliveryColumns, subjectId: deliveries.subjectId };
    const rows = await db
      .select(columns)
      .from(deliveries)
      .where(and(where, isBefore(deliveries, before)))
      .orderBy(desc(deliveries.createdOn), desc(deliveries.id))
      .limit(limit);
    return rows.map(present);
  };

  return {
    dossier: async (id, forgedTargets) => {
      if (!uuidForm.test(id)) return undefined;
      // A refused attempt leaves its quote usable, so a quote may have several intents. This finds the latest.
      const rows = await db
        .select()
        .from(intents)
        .where(or(eq(intents.orderId, id), eq(intents.id, id), eq(intents.quoteId, id)))
        .orderBy(desc(intents.createdOn))
        .limit(1);
      const row = rows[0];
      if (!row) return undefined;
      const { inputs: _inputs, answer, ...kept } = row;
      const routeId = `${row.quoteId.slice(0, 34)}00`;
      const [foundRoutes, foundOrders, events, foundClaims, foundNotices, foundDeliveries] = [
        await db.select().from(routes).where(eq(routes.id, routeId)),
        await db
          .select({ ...getTableColumns(orders), countable: isCountable })
          .from(orders)
          .where(eq(orders.intentId, row.id)),
        await db.select().from(orderEvents).where(eq(orderEvents.orderId, row.orderId)).orderBy(orderEvents.sequence),
        await db
          .select({ nextTryOn: claims.nextTryOn, ...claimColumns })
          .from(claims)
          .where(eq(claims.orderId, row.orderId)),
        await db
          .select()
          .from(notices)
          .where(inArray(notices.targetId, [row.id, row.orderId, ...forgedTargets(row.id, row.orderId)]))
          .orderBy(notices.receivedOn),
        await db.select(deliveryColumns).from(deliveries).where(eq(deliveries.subjectId, row.orderId)).orderBy(deliveries.createdOn),
      ];
      const [route] = foundRoutes;
      const [order] = foundOrders;
      const found = foundClaims[0] && withClaim(foundClaims[0]);
      return {
        intent: present({ ...kept, answered: answer !== null }),
        turns: await turnsOf(db, row),
        ...(route ? { route: { id: route.id, createdOn: route.createdOn, requestId: route.requestId, route: route.route } } : {}),
        ...(order ? { order: present(withoutSealed(order)) } : {}),
        events: events.map(({ id: _id, orderId: _order, ...event }) => present(event)),
        ...(found?.claim ? { claim: { ...found.claim, nextTryOn: found.nextTryOn } } : {}),
        notices: foundNotices.map(({ id: notice, purpose, genuine, count, receivedOn }) => ({ id: notice, purpose, genuine, count, receivedOn })),
        deliveries: foundDeliveries.map(present),
      };
    },
    search: async (search, limit, before) => {
      const conditions = conditionsOf(search);
      if (search.amount === undefined) return await find(and(...conditions), limit, before);
      const found = await find(and(...conditions, amountIs(search.amount), isNewest(search, before)), limit, before);
      return found.length >= limit ? found : await find(and(...conditions, amountIsFound(search.amount)), limit, before);
    },
    attention: async (limit, paidBefore, tries) => ({
      review: await find(isIn('review', 0), limit),
      late: await find(isIn('late', paidBefore), limit),
      unknown: await find(isIn('unknown', 0), limit),
      twins: await find(isIn('twins', 0), limit),
      disputed: await find(isIn('disputed', 0), limit),
      claims: (
        await db
          .select({ id: claims.orderId })
          .from(claims)
          .innerJoin(orders, eq(orders.id, claims.orderId))
          .where(and(inArray(claims.state, ['review', 'refused']), sql`${orders.terms}->>'paidOtherwiseOn' is null`))
          .limit(limit)
      ).map((row) => row.id),
      dead: await findDeliveries(inArray(deliveries.state, ['dead', 'disabled']), limit),
      failing: await findDeliveries(and(eq(deliveries.state, 'due'), isFailing(tries)), limit),
    }),
    switches: async () => (await db.select().from(switches)).map(present),
    setSwitch: async (change, expected) => {
      const values = { ...change, untilOn: change.untilOn ?? null };
      const insert = db.insert(switches).values(values);
      const returned = { name: switches.name };
      if (expected === null) return (await insert.onConflictDoNothing().returning(returned)).length === 1;
      if (expected === undefined) return (await insert.onConflictDoUpdate({ target: switches.name, set: values }).returning(returned)).length === 1;
      const isExpected = and(eq(switches.name, change.name), eq(switches.setOn, expected));
      return (await db.update(switches).set(values).where(isExpected).returning(returned)).length === 1;
    },
    clearSwitch: async (name, expected) => {
      if (expected === null) return (await db.select({ name: switches.name }).from(switches).where(eq(switches.name, name))).length === 0;
      const isExpected = and(eq(switches.name, name), expected === undefined ? undefined : eq(switches.setOn, expected));
      return (await db.delete(switches).where(isExpected).returning({ name: switches.name })).length === 1;
    },
    learn: async (seen, watch, now, more = {}) =>
      await db.transaction(async (tx) => {
        const stored = await lockOrder(tx, seen.id, seen);
        if (!stored) return false;
        const terms = withLearnt(toStored(stored.terms, stored.watch), seen.watch, watch);
        await tx
          .update(orders)
          .set({ ...more, terms, nextCheckOn: now })
          .where(eq(orders.id, seen.id));
        return true;
      }),
    claimNow: async (orderId) => {
      const [row] = await db.select(claimColumns).from(claims).where(eq(claims.orderId, orderId));
      return row && withClaim(row).claim;
    },
    paidOtherwise: async (seen, claim, now, isSure) =>
      await db.transaction(async (tx) => {
        // Nobody can begin a claim while the order is locked, because each claim refers to its order.
        const stored = await lockOrder(tx, seen.id, seen);
        const found = await lockClaim(tx, seen.id);
        if (!stored || judgedClaimOf(found?.claim) !== judgedClaimOf(claim)) return 'changed';
        if (found?.isAsking === true) return 'asking';
        if (!isSure && mayHaveLink({ ...stored.watch, ...found })) return 'unsure';
        const terms = toStored(stored.terms, { ...stored.watch, paidOtherwiseOn: now });
        await tx.update(orders).set({ terms, nextCheckOn: now }).where(eq(orders.id, seen.id));
        return 'ended';
      }),
    releaseShort: async (seen, now) =>
      await db.transaction(async (tx) => {
        const stored = await lockOrder(tx, seen.id, seen);
        if (stored?.disputed !== true) return false;
        const shortReleased = { pay: stored.pay.toString(), receive: stored.receive.toString() };
        const terms = { ...toStored(stored.terms, stored.watch), shortReleased };
        await tx.update(orders).set({ shortReleasedOn: now, terms }).where(eq(orders.id, seen.id));
        return true;
      }),
    attemptInReview: async (id) => {
      const [found] = await db
        .select(judgedColumns)
        .from(intents)
        .where(and(or(eq(intents.id, id), eq(intents.orderId, id)), isWithoutOrder));
      return found && present(found);
    },
    closeAttempt: async (seen) =>
      await db.transaction(async (tx) => {
        const closes = and(eq(intents.id, seen.id), isWithoutOrder);
        const [stored] = await tx.select(judgedColumns).from(intents).where(closes).for('update');
        if (!stored || judgedAttemptOf(present(stored)) !== judgedAttemptOf(seen)) return false;
        await tx
          .update(intents)
          .set({ state: 'dead', nextTryOn: Date.parse('9999-01-01T00:00Z') })
          .where(eq(intents.id, seen.id));
        return true;
      }),
    hasWebhook: async (id) => (await db.select({ id: deliveries.id }).from(deliveries).where(eq(deliveries.id, id))).length === 1,
    webhooks: async ({ states, tries }, limit, before) =>
      await findDeliveries(and(inArray(deliveries.state, [...states]), tries === undefined ? undefined : isFailing(tries)), limit, before),
    revokeSessions: async ({ appId, customerId }, now) => {
      const revoked = await db
        .update(sessions)
        .set({ revokedOn: now })
        .where(
          and(
            isNull(sessions.revokedOn),
            appId === undefined ? undefined : eq(sessions.appId, appId),
            customerId === undefined ? undefined : eq(sessions.customerId, customerId),
          ),
        )
        .returning({ idHash: sessions.idHash });
      return revoked.length;
    },
    replaceRecovery: async (customerId, recoveryHash) => {
      const replaced = await db
        .update(customers)
        .set({ recoveryHash })
        .where(and(eq(customers.id, customerId), isNotNull(customers.recoveryHash)))
        .returning({ id: customers.id });
      return replaced.length === 1;
    },
    distrustRestored: async (now) => await distrustRestored(db, now),
    unfinishedOrders: async (limit, after) => {
      const rows = await db
        .select({ id: orders.id })
        .from(orders)
        .where(and(eq(orders.final, false), after === undefined ? undefined : gt(orders.id, after)))
        .orderBy(orders.id)
        .limit(limit);
      return rows.map((row) => row.id);
    },
    unsettledPlacings: async () =>
      (
        await db
          .select({ id: intents.id, exclusiveKey: intents.exclusiveKey })
          .from(intents)
          .where(inArray(intents.state, ['prepared', 'sending', 'unknown']))
      ).map(present),
    supersedeStale: async (now) => {
      const told = sql`(${deliveries.body}::json->'data'->>'stage')`;
      const rows = await db
        .update(deliveries)
        .set({ state: 'superseded', doneOn: now })
        .where(
          and(
            eq(deliveries.state, 'due'),
            sql`exists (select 1 from ${orders} where ${orders.id} = ${deliveries.subjectId} and (${told} is not null and ${told} <> ${orders.stage} or ${told} is null and ${orders.stage} <> 'filled'))`,
          ),
        )
        .returning({ id: deliveries.id });
      return rows.length;
    },
    upstreamSessions: async (after, limit) => {
      const rows = await db
        .select({
          id: providerSessions.id,
          providerId: providerSessions.providerId,
          blob: providerSessions.blob,
          ofSession: sessions.customerId,
          ofAccount: accounts.customerId,
          accountMadeOn: accounts.createdOn,
        })
        .from(providerSessions)
        .leftJoin(sessions, eq(sessions.idHash, providerSessions.owner))
        .leftJoin(accounts, eq(sql`'account:' || ${accounts.id}`, providerSessions.owner))
        .where(and(isNotNull(providerSessions.blob), eq(providerSessions.ready, true), after === undefined ? undefined : gt(providerSessions.id, after)))
        .orderBy(providerSessions.id)
        .limit(limit);
      return rows.map(({ ofSession, ofAccount, blob, ...row }) => ({ ...present(row), blob: blob ?? '', ...withCustomer(ofSession ?? ofAccount) }));
    },
    knownUpstreamIds: async (providerId, ids) => {
      if (ids.length === 0) return [];
      const placed = await db
        .select({ id: intents.upstreamOrderId })
        .from(intents)
        .where(and(eq(intents.providerId, providerId), inArray(intents.upstreamOrderId, ids)));
      const followed = await db
        .select({ id: orders.upstreamOrderId })
        .from(orders)
        .where(and(eq(orders.providerId, providerId), inArray(orders.upstreamOrderId, ids)));
      const settled = await db
        .select({ id: settlements.transactionId })
        .from(settlements)
        .innerJoin(accounts, eq(accounts.id, settlements.accountId))
        .where(and(eq(accounts.providerId, providerId), inArray(settlements.transactionId, ids)));
      // A sale that is recognised only by its amount has no order id at the provider, but its payment has an id.
      const payment = sql<string>`${orders.facts}->>'transaction_id'`;
      const paid = await db
        .select({ id: payment })
        .from(orders)
        .where(and(eq(orders.providerId, providerId), isNull(orders.upstreamOrderId), inArray(payment, ids)));
      return [...placed, ...followed, ...settled, ...paid].flatMap((row) => row.id ?? []);
    },
    adopt: async (intent, upstreamOrderId, order, event) =>
      await db.transaction(async (tx) => {
        // If two runs find the same order at the same time, only one adopts it: the lock ends with the transaction.
        await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`${intent.providerId} ${upstreamOrderId}`}))`);
        const known = await tx
          .select({ id: intents.id })
          .from(intents)
          .where(and(eq(intents.providerId, intent.providerId), eq(intents.upstreamOrderId, upstreamOrderId)));
        if (known.length > 0) return false;
        await tx.insert(intents).values({ ...intent, state: 'review', upstreamOrderId });
        await insertOrder(tx, order, event);
        return true;
      }),
    record: async (action) => void (await db.insert(operatorActions).values(action)),
    actions: async (limit) => {
      const rows = await db.select().from(operatorActions).orderBy(desc(operatorActions.id)).limit(limit);
      return rows.map(({ id: _id, ...action }) => present(action));
    },
  };
};

/** Locks a claim and reads it. `isAsking`: a call that has not ended may be asking the provider for the link. */
const lockClaim = async (tx: Transaction, orderId: string) => {
  const isAsking = sql<boolean>`coalesce(${claims.leaseUntil} > now(), false)`;
  const [row] = await tx
    .select({ ...claimColumns, isAsking })
    .from(claims)
    .where(eq(claims.orderId, orderId))
    .for('update');
  return row && withClaim(row);
};

const withCustomer = (customerId: string | null): { customerId?: string } => (customerId === null ? {} : { customerId });

/**
 * After a restore, this is added to the sequences of all accounts and connections, and of the orders that are not final. So their next sequence
 * numbers should be higher than any that was reported since the backup.
 */
const sequenceLeap = 1000;
const restoredWithinMs = 7 * 86_400_000;

const distrustRestored = async (db: Database, now: number): Promise<{ quotes: number; placings: number; orders: number }> =>
  await db.transaction(async (tx) => {
    const since = new Date(now - restoredWithinMs).toISOString();
    const quotes = await tx.execute(
      sql`update routes set route = jsonb_set(route::jsonb, '{acceptBy}', coalesce((select jsonb_agg(0) from jsonb_array_elements(route::jsonb->'acceptBy')), '[]'))::json where created_on > ${since}`,
    );
    // The stored firm prices name reserved orders. A customer may have seen one, so none is offered again.
    await tx.delete(lastPrices).where(sql`starts_with(${lastPrices.asked}, 'firm ')`);
    // Past days may have been closed since the backup, with receipts that the backup does not contain. No day may get a second root, so the past days
    // that have no root in the backup get none.
    const yesterday = sql`(clock_timestamp() at time zone 'utc')::date - 1`;
    await tx.insert(receiptDays).values({ day: yesterday, size: 0, root: '', jws: '', closedOn: now }).onConflictDoNothing();
    const placings = await tx
      .update(intents)
      .set({
        state: 'unknown',
        // The attempt's customer may have been shown how to pay since the backup (src/gateway/ordering/settle-intents.ts).
        evidence: sql`(coalesce(${intents.evidence}::jsonb, '{}') || '{"restored":true}')::json`,
        sentOn: sql`coalesce(${intents.sentOn}, ${new Date(now).toISOString()}::timestamptz)`,
        nextTryOn: now,
        leaseOwner: null,
        leaseUntil: null,
      })
      .where(inArray(intents.state, ['prepared', 'sending', 'unknown']))
      .returning({ id: intents.id });
    const leapt = await tx
      .update(orders)
      .set({
        sequence: sql`${orders.sequence} + ${sequenceLeap}`,
        // Bought sats may have been withdrawn since the backup, by a link that is not in it (src/gateway/following/unlinked-finish.ts).
        terms: sql`(${orders.terms}::jsonb || case when ${orders.ramp} = 'buy' then '{"linkUnknown":true}'::jsonb else '{}' end)::json`,
        leaseOwner: null,
        leaseUntil: null,
      })
      .where(eq(orders.final, false))
      .returning({ id: orders.id });
    await tx.update(accounts).set({ sequence: sql`${accounts.sequence} + ${sequenceLeap}` });
    await tx.update(connections).set({ sequence: sql`${connections.sequence} + ${sequenceLeap}` });
    return { quotes: quotes.count, placings: placings.length, orders: leapt.length };
  });

const withoutSealed = <T extends typeof orders.$inferSelect>(order: T) => {
  const { paymentInfo: _payment, secret: _secret, webhookUrl: _url, referenceHash: _reference, webhookEvents: _events, ...open } = order;
  return open;
};
