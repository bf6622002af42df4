import type postgres from 'postgres';

/** The part of migrations/meta/_journal.json that we read. */
export type Journal = { entries: readonly { when: number }[] };
/** If `applied` is above `expected`, a newer release has migrated the database. That is fine: the previous release works after a migration. */
export type MigrationState = { applied: number; expected: number };

/** Counts the applied migrations. Throws the driver's error when the database does not answer. */
export const migrationState = async (sql: postgres.Sql, journal: Journal): Promise<MigrationState> => {
  const [found] = await sql<{ there: boolean }[]>`select to_regclass('drizzle.__drizzle_migrations') is not null as there`;
  if (!found?.there) return { applied: 0, expected: journal.entries.length };
  const [row] = await sql<{ applied: number }[]>`select count(*)::int as applied from drizzle.__drizzle_migrations`;
  return { applied: row?.applied ?? 0, expected: journal.entries.length };
};
