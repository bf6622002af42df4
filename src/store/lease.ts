import { and, eq, isNull, lt, or, sql, type SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Lease } from '../ports/runtime.ts';

type Leased = { leaseOwner: PgColumn; leaseUntil: PgColumn };

/** Leases are rows and run by the database's clock: two instances never disagree on who holds one. */
export const free = (table: Leased, owner: string): SQL | undefined =>
  or(isNull(table.leaseUntil), lt(table.leaseUntil, sql`now()`), eq(table.leaseOwner, owner));
export const held = (table: Leased, owner: string): SQL | undefined => and(eq(table.leaseOwner, owner), sql`${table.leaseUntil} > now()`);
export const leaseOf = (lease: Lease) => ({ leaseOwner: lease.owner, leaseUntil: sql<number>`now() + make_interval(secs => ${lease.seconds})` });
export const released = { leaseOwner: null, leaseUntil: null };
