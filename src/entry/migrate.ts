import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import { connect, type NodeDatabase } from './database-node.ts';

/** An arbitrary fixed number, the same in every release. */
const lockKey = 7_267_001;

/**
 * Applies the missing migrations from `folder`, all or none. Many processes may start at once: one migrates, the others wait. Uses its own
 * PostgreSQL connection, which must not go through a pooler that shares sessions, since the lock belongs to the session.
 */
export const migrate = async (database: Pick<NodeDatabase, 'sql' | 'url' | 'kind'>, folder: string): Promise<void> => {
  if (database.kind === 'pglite') return await locked(database.sql, folder);
  const own = connect(database.url, 1);
  try {
    await locked(own, folder);
  } finally {
    await own.end({ timeout: 5 });
  }
};

/** `sql` has one connection, so lock, migration and unlock share a session. */
const locked = async (sql: postgres.Sql, folder: string): Promise<void> => {
  await sql`select pg_advisory_lock(${lockKey})`;
  try {
    await applyMigrations(drizzle(sql), { migrationsFolder: folder });
  } finally {
    await sql`select pg_advisory_unlock(${lockKey})`;
  }
};
