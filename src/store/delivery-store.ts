import { and, eq, inArray, lte, ne, not, sql } from 'drizzle-orm';
import type { Delivery, DeliveryStore, NewDelivery } from '../ports/deliveries.ts';
import { present, type Database, type Transaction } from './database.ts';
import { free, leaseOf, released } from './lease.ts';
import { deliveries } from './schema.ts';

/** Matches webhooks that nobody is sending. */
const unleased = sql`(${deliveries.leaseUntil} is null or ${deliveries.leaseUntil} < now())`;

/**
 * Writes webhooks in the caller's transaction. A newer event supersedes the undelivered older ones of its subject and type. Nothing is lost, because
 * bodies hold only ids and a status. A webhook that is being sent stays due, and becomes superseded if it fails.
 */
export const insertDeliveries = async (tx: Transaction, rows: readonly NewDelivery[]): Promise<void> => {
  for (const row of rows) {
    // The webhook about one event of an order always has the same id. If it exists already, it is not written again and supersedes nothing.
    const written = await tx
      .insert(deliveries)
      .values({ ...row, state: 'due' })
      .onConflictDoNothing()
      .returning({ id: deliveries.id });
    if (written.length === 0) continue;
    await tx
      .update(deliveries)
      .set({ state: 'superseded', doneOn: row.createdOn })
      .where(and(eq(deliveries.subjectId, row.subjectId), eq(deliveries.type, row.type), ne(deliveries.id, row.id), eq(deliveries.state, 'due'), unleased));
  }
};

/** True if a newer event of the same subject and type exists, in any state. The older webhook would then report an outdated status. */
const outdated = sql<boolean>`exists (
  select 1 from deliveries newer where newer.subject_id = ${deliveries.subjectId} and newer.type = ${deliveries.type} and newer.sequence > ${deliveries.sequence}
)`;

/** The part of the network key by which networks take turns: the hash of the /48 if there is one, or else of the network itself. */
const wideKey = sql`substring(network_key from '[^ ]+$')`;

/**
 * A webhook that was tried more often than this is not brought forward any more. A stranger can make another URL of the same host answer, as often as
 * they like, while this webhook's URL still fails. So the last tries, spread over almost three days, keep their times.
 */
const mostKicked = 5;

const toDelivery = (row: typeof deliveries.$inferSelect): Delivery => {
  const { leaseOwner: _owner, leaseUntil: _until, ...delivery } = row;
  return present(delivery);
};

export const createDeliveryStore = (db: Database): DeliveryStore => ({
  claimDue: async (now, lease, limit, perHost, paused = []) => {
    const isDue = and(eq(deliveries.state, 'due'), lte(deliveries.dueOn, now), unleased);
    // Usually no webhook is due, and this query is much cheaper to plan than the one that follows.
    if ((await db.select({ id: deliveries.id }).from(deliveries).where(isDue).limit(1)).length === 0) return [];
    const at = new Date(now).toISOString();
    // Takes at most one webhook per subject, and of those at most `perHost` per host, so that later webhooks of a subject take up no slots. Anybody
    // can order without paying, and name any URL, so networks and apps take turns. They do so within a host, where somebody may name a path that
    // always fails, and across hosts, because somebody may name many. First attempts come before retries, so that an unreachable host does not starve
    // the others.
    const awake = paused.length === 0 ? sql`` : sql`and host not in ${paused}`;
    const due = sql`
      with under_way as materialized (select subject_id, host from deliveries where state = 'due' and lease_until > now()),
      full_hosts as materialized (select host from under_way group by host having count(*) >= ${perHost})
      select id from deliveries where id in (
        select id from (
          select turns.*, row_number() over (partition by host order by turn, attempt, due_on) as of_host,
            row_number() over (partition by attempt, network order by due_on) as of_network
          from (
            select named.*, row_number() over (partition by host, network order by attempt, due_on) as turn
            from (
              select firsts.*, coalesce(${wideKey}, 'app ' || orders.app_id, host) as network
              from (
                select id, subject_id, host, attempt, due_on, row_number() over (partition by subject_id order by sequence, due_on) as of_subject
                from deliveries
                where state = 'due' and due_on <= ${at} ${awake} and (lease_until is null or lease_until < now())
                  and subject_id not in (select subject_id from under_way) and host not in (select host from full_hosts)
              ) firsts left join orders on orders.id = subject_id left join intents on intents.id = orders.intent_id
              where of_subject = 1
            ) named
          ) turns
        ) ranked
        where of_host <= ${perHost}
        order by attempt, of_network, due_on limit ${limit}
      ) and (lease_until is null or lease_until < now()) for update skip locked`;
    const rows = await db
      .update(deliveries)
      .set({ ...leaseOf(lease), attempt: sql`${deliveries.attempt} + 1` })
      .where(sql`${deliveries.id} in (${due})`)
      .returning();
    // A retry may be outdated: the instance that was sending it stopped, or its last attempt failed just as the newer event was committed. First
    // attempts are never outdated, because the newer event supersedes them when it is written.
    const tried = rows.filter((row) => row.attempt > 1).map((row) => row.id);
    if (tried.length === 0) return rows.map(toDelivery);
    const dropped = await db
      .update(deliveries)
      .set({ state: 'superseded', doneOn: now, attempt: sql`${deliveries.attempt} - 1`, ...released })
      .where(and(inArray(deliveries.id, tried), eq(deliveries.leaseOwner, lease.owner), outdated))
      .returning({ id: deliveries.id });
    return rows.filter((row) => !dropped.some(({ id }) => id === row.id)).map(toDelivery);
  },
  finish: async (id, owner, { state, lastOutcome, on, dueOn }) => {
    const mine = and(eq(deliveries.id, id), eq(deliveries.state, 'due'), free(deliveries, owner));
    const end = { lastOutcome, doneOn: on, ...released };
    if (state !== 'due')
      await db
        .update(deliveries)
        .set({ state, ...end })
        .where(mine);
    else {
      const dropped = await db
        .update(deliveries)
        .set({ state: 'superseded', ...end })
        .where(and(mine, outdated))
        .returning({ id: deliveries.id });
      if (dropped.length === 0)
        await db
          .update(deliveries)
          .set({ lastOutcome, dueOn, ...released })
          .where(mine);
    }
  },
  kickHost: async (host, now, spreadMs) => {
    const at = new Date(now).toISOString();
    const kicked = await db
      .update(deliveries)
      .set({ dueOn: sql<number>`${at}::timestamptz + random() * make_interval(secs => ${spreadMs / 1000})` })
      .where(
        and(
          eq(deliveries.host, host),
          eq(deliveries.state, 'due'),
          lte(deliveries.attempt, mostKicked),
          sql`${deliveries.dueOn} > ${at}::timestamptz + make_interval(secs => ${spreadMs / 1000})`,
        ),
      )
      .returning({ id: deliveries.id });
    return kicked.length;
  },
  list: async ({ state, limit }) => {
    const rows = await db
      .select()
      .from(deliveries)
      .where(state === undefined ? undefined : eq(deliveries.state, state))
      .orderBy(sql`${deliveries.createdOn} desc`)
      .limit(limit);
    return rows.map(toDelivery);
  },
  resend: async (id, now) => {
    await db
      .update(deliveries)
      .set({ state: 'superseded' })
      .where(and(eq(deliveries.id, id), eq(deliveries.state, 'dead'), outdated));
    const rows = await db
      .update(deliveries)
      .set({ state: 'due', attempt: sql`case when ${deliveries.state} = 'due' then ${deliveries.attempt} else 0 end`, dueOn: now, doneOn: null, ...released })
      .where(and(eq(deliveries.id, id), inArray(deliveries.state, ['due', 'dead', 'disabled', 'delivered']), unleased, not(outdated)))
      .returning({ id: deliveries.id });
    return rows.length === 1;
  },
});
