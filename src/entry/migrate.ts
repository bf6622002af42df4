import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import { connect, type NodeDatabase } from './database-node.ts';

/** Any fixed number, known to every release. */
const lockKey = 7_267_001;

/**
 * Applies what is missing from `folder`, all of it or nothing. Many processes may start at once: one migrates, the others wait. A PostgreSQL
 * is reached by a connection of its own, which must not go through a pooler that shares sessions (the lock belongs to the session).
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
