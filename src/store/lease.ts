import { and, eq, inArray, isNull, lt, lte, or, sql, type SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Lease, Share } from '../ports/runtime.ts';
import type { Database } from './database.ts';

type Leased = { leaseOwner: PgColumn; leaseUntil: PgColumn };

/**
 * Matches rows that `owner` may take. Leases are columns of the rows and follow the database's clock, so two instances never disagree on who holds
 * one.
 */
export const free = (table: Leased, owner: string): SQL | undefined =>
  or(isNull(table.leaseUntil), lt(table.leaseUntil, sql`now()`), eq(table.leaseOwner, owner));
export const held = (table: Leased, owner: string): SQL | undefined => and(eq(table.leaseOwner, owner), sql`${table.leaseUntil} > now()`);
export const leaseOf = (lease: Lease) => ({ leaseOwner: lease.owner, leaseUntil: sql<number>`now() + make_interval(secs => ${lease.seconds})` });
export const released = { leaseOwner: null, leaseUntil: null };

type Queue = {
  table: PgTable & Pick<Leased, 'leaseUntil'>;
  id: PgColumn;
  dueOn: PgColumn;
  /** Which rows of the table may be taken. */ waiting: SQL | undefined;
  /** The provider that a row is about. */ provider: PgColumn | SQL;
  /** Whether a row comes before all others. */ isUrgent?: SQL;
  /** `key`: the network or app that a row belongs to, never null. `table`: what to join to find it. Networks take turns, and so do apps. */
  network?: { table: PgTable; on: SQL; key: SQL };
};

const isDue = ({ table, dueOn, waiting }: Queue, now: number): SQL | undefined =>
  and(lte(dueOn, now), waiting, or(isNull(table.leaseUntil), lt(table.leaseUntil, sql`now()`)));

/** Returns whether a queue has rows to take. Usually there are none, and this query is much cheaper to plan than that of `takeDue`. */
export const hasDue = async (db: Database, queue: Queue, now: number): Promise<boolean> =>
  (
    await db
      .select({ due: sql`1` })
      .from(queue.table)
      .where(isDue(queue, now))
      .limit(1)
  ).length > 0;

/**
 * Selects the rows to take now, for an update that sets `leaseOf`: those that are due and free, and of each provider only as many as `share` allows.
 * Urgent rows come first, then each network's first row, then its second, and so on; of equal rows, the one that has been due longest. Skips rows
 * that another instance is taking at this moment, and does not wait for them. The conditions are repeated where the rows are locked, because
 * PostgreSQL checks only those again if a row has changed meanwhile.
 */
export const takeDue = (db: Database, queue: Queue, now: number, limit: number, share: Share = everyone): SQL => {
  const { table, id, dueOn, provider, isUrgent = sql`false`, network } = queue;
  const dueRows = db
    .select({
      id: sql`${id}`.as('id'),
      dueOn: sql`${dueOn}`.as('due_on'),
      provider: sql`${provider}`.as('provider'),
      isUrgent: isUrgent.as('is_urgent'),
      network: (network?.key ?? sql`null::text`).as('network'),
    })
    .from(table)
    .$dynamic();
  const due = (network ? dueRows.leftJoin(network.table, network.on) : dueRows).where(isDue(queue, now));
  const chosen = sql`(
    select id from (
      select id, due_on, is_urgent, turn, row_number() over (partition by provider order by is_urgent desc, turn, due_on) as of_provider,
        coalesce((${JSON.stringify(share.busy)}::text::jsonb ->> provider)::int, 0) as busy
      from (
        select *, case when is_urgent or ${network === undefined} then 1 else row_number() over (partition by is_urgent, network order by due_on) end as turn
        from ${due.as('due')}
      ) turns
    ) ranked
    where of_provider + busy <= ${share.most}
    order by is_urgent desc, turn, due_on limit ${limit}
  )`;
  return inArray(
    id,
    db
      .select({ id })
      .from(table)
      .where(and(sql`${id} in ${chosen}`, isDue(queue, now)))
      .for('update', { skipLocked: true }),
  );
};
const everyone: Share = { most: 1_000_000, busy: {} };

/**
 * Returns SQL for the next poll time. `known` is the poll time that the row had when it was read. If a notice has changed the row's time since then,
 * the earlier of the row's time and `next` is written, because what the caller has learnt is older than the notice.
 */
export const unlessWoken = (column: PgColumn, known: number | undefined, next: number | null): SQL => {
  const after = sql`${sql.param(next, column)}::timestamptz`;
  return sql`case when ${isWoken(column, known)} then least(${column}, ${after}) else ${after} end`;
};
/** Matches rows whose next poll time has changed since they were read, for example because a notice arrived. */
export const isWoken = (column: PgColumn, known: number | undefined): SQL =>
  sql`(${column} is not null and ${column} is distinct from ${sql.param(known ?? null, column)}::timestamptz)`;
