import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import { connect, type NodeDatabase } from './database-node.ts';
import { migrationState, type Journal } from './migration-state.ts';

/** The number of the advisory lock. It is arbitrary, and the same in every release. */
const lockKey = 7_267_001;
/** How long another process may take to migrate before this process gives up. */
const longestWait = '300s';

/**
 * Applies the migrations of `folder` that the database lacks: all of them or none. If many processes start at once, one of them migrates and the
 * others wait; a process that has to wait calls `waits`. The lock belongs to the transaction of the migration, so a pooler cannot separate the two,
 * and the lock never outlives the migration.
 */
export const migrate = async (database: Pick<NodeDatabase, 'sql' | 'url' | 'kind'>, folder: string, waits: () => void = () => undefined): Promise<void> => {
  const journal = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as Journal;
  if (database.kind === 'pglite') return await locked(database.sql, folder, journal, waits);
  const own = connect(database.url, 1);
  try {
    await locked(own, folder, journal, waits);
  } finally {
    await own.end({ timeout: 5 });
  }
};

const locked = async (sql: postgres.Sql, folder: string, journal: Journal, waits: () => void): Promise<void> => {
  // A start that has nothing to migrate needs neither the lock nor the right to create.
  const { applied, expected } = await migrationState(sql, journal);
  if (applied >= expected) return;
  await sql.begin(async (own) => {
    await own`select set_config('statement_timeout', '0', true), set_config('lock_timeout', ${longestWait}, true)`;
    const [taken] = await own<{ got: boolean }[]>`select pg_try_advisory_xact_lock(${lockKey}) as got`;
    if (taken?.got !== true) {
      waits();
      await own`select pg_advisory_xact_lock(${lockKey})`;
    }
    await own`select set_config('lock_timeout', '0', true)`;
    // Drizzle's own transaction becomes a savepoint within this one.
    const within = Object.assign(own, {
      options: sql.options,
      begin: async <T>(work: (inner: postgres.TransactionSql) => Promise<T>) => await own.savepoint(work),
    });
    await applyMigrations(drizzle(within as unknown as postgres.Sql), { migrationsFolder: folder });
  });
};
