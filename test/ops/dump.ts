/** Copies the rows that a dump would hold to a schema of their own, and restores them from there. */
import { getTableName, is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import type { Sql } from 'postgres';
import * as schema from '../../src/store/schema.ts';

/** Returns the names of the tables that a table refers to, then its own name. */
const withReferred = (table: PgTable): string[] => [
  ...getTableConfig(table).foreignKeys.flatMap((key) => withReferred(key.reference().foreignTable)),
  getTableName(table),
];
const tables = [...new Set(Object.values(schema).flatMap((table) => (is(table, PgTable) ? withReferred(table) : [])))];

export const dump = async (sql: Sql): Promise<void> => {
  await sql`create schema dumped`;
  for (const table of tables) await sql`create table ${sql(`dumped.${table}`)} as select * from ${sql(table)}`;
};

export const restore = async (sql: Sql): Promise<void> => {
  await sql.unsafe(`truncate ${tables.join(', ')}`);
  for (const table of tables) await sql`insert into ${sql(table)} select * from ${sql(`dumped.${table}`)}`;
};
