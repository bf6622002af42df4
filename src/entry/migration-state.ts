import type postgres from 'postgres';

/** migrations/meta/_journal.json, as far as it is read here. */
export type Journal = { entries: readonly { when: number }[] };
/** `applied` above `expected` is a database that a newer release has migrated already: fine, migrations work with the release before them. */
export type MigrationState = { applied: number; expected: number };

/** Counts what the migrator has written down. Throws the driver's error when the database does not answer. */
export const migrationState = async (sql: postgres.Sql, journal: Journal): Promise<MigrationState> => {
  const [found] = await sql<{ there: boolean }[]>`select to_regclass('drizzle.__drizzle_migrations') is not null as there`;
  if (!found?.there) return { applied: 0, expected: journal.entries.length };
  const [row] = await sql<{ applied: number }[]>`select count(*)::int as applied from drizzle.__drizzle_migrations`;
  return { applied: row?.applied ?? 0, expected: journal.entries.length };
};
