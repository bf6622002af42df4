/** What a dump holds, kept in a schema of its own. */
import { getTableName, is, Table } from 'drizzle-orm';
import type { Sql } from 'postgres';
import * as schema from '../../src/store/schema.ts';

const tables = Object.values(schema).flatMap((table) => (is(table, Table) ? [getTableName(table)] : []));

export const dump = async (sql: Sql): Promise<void> => {
  await sql`create schema dumped`;
  for (const table of tables) await sql`create table ${sql(`dumped.${table}`)} as select * from ${sql(table)}`;
};

export const restore = async (sql: Sql): Promise<void> => {
  await sql.unsafe(`truncate ${tables.join(', ')}`);
  for (const table of tables) await sql`insert into ${sql(table)} select * from ${sql(`dumped.${table}`)}`;
};
