import { and, eq, inArray, isNull, lt, lte, or, sql, type SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Lease } from '../ports/runtime.ts';
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
};

/**
 * Selects the rows to take now, for an update that sets `leaseOf`: those that are due and free, earliest first. Skips rows that another instance is
 * taking at this moment, and does not wait for them.
 */
export const takeDue = (db: Database, { table, id, dueOn, waiting }: Queue, now: number, limit: number): SQL =>
  inArray(
    id,
    db
      .select({ id })
      .from(table)
      .where(and(lte(dueOn, now), waiting, or(isNull(table.leaseUntil), lt(table.leaseUntil, sql`now()`))))
      .orderBy(dueOn)
      .limit(limit)
      .for('update', { skipLocked: true }),
  );

/**
 * Returns SQL for the next poll time. `known` is the poll time that the row had when it was read. If a notice has changed the row's time since then,
 * the earlier time counts, because what is written does not include the notice's news.
 */
export const unlessWoken = (column: PgColumn, known: number | undefined, next: number | null): SQL => {
  const after = sql`${sql.param(next, column)}::timestamptz`;
  return sql`case when ${isWoken(column, known)} then least(${column}, ${after}) else ${after} end`;
};
/** Matches rows whose next poll time was set since they were read, as a notice does. */
export const isWoken = (column: PgColumn, known: number | undefined): SQL =>
  sql`(${column} is not null and ${column} is distinct from ${sql.param(known ?? null, column)}::timestamptz)`;
