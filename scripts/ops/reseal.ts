/** Wraps the data keys of all sealed values by the current master key; the values themselves are not touched, and traffic goes on. */
import { getTableColumns, getTableName, is, Table } from 'drizzle-orm';
import type { Sql } from 'postgres';
import type { SealWithRotation } from '../../src/seal/seal.ts';
import * as schema from '../../src/store/schema.ts';

/** Every sealed column of the schema. Its own type is the only custom one that the database knows as text. */
export const sealedColumns: readonly { table: string; column: string }[] = Object.values(schema).flatMap((table) =>
  is(table, Table)
    ? Object.values(getTableColumns(table))
        .filter((column) => column.columnType === 'PgCustomColumn' && column.getSQLType() === 'text')
        .map((column) => ({ table: getTableName(table), column: column.name }))
    : [],
);

/** How many values are sealed under each key id. */
export const countByKey = async (sql: Sql): Promise<Map<string, number>> => {
  const counts = new Map<string, number>();
  for (const { table, column } of sealedColumns) {
    const rows = await sql<{ key: string; n: string }[]>`
      select split_part(${sql(column)}, '.', 2) as key, count(*) as n from ${sql(table)} where ${sql(column)} is not null and ${sql(column)} <> '' group by 1`;
    for (const { key, n } of rows) counts.set(key, (counts.get(key) ?? 0) + Number(n));
  }
  return counts;
};

const batch = 500;

/**
 * Returns how many were wrapped again. A value that changed meanwhile is left to whoever changed it and looked at once more. Throws when a
 * value is sealed under a key that is not among the sealing keys.
 */
export const reseal = async (sql: Sql, seal: Pick<SealWithRotation, 'rewrap'>, currentId: string): Promise<number> => {
  let done = 0;
  for (const { table, column } of sealedColumns) {
    for (;;) {
      const rows = await sql<{ sealed: string }[]>`
        select distinct ${sql(column)} as sealed from ${sql(table)} where ${sql(column)} <> '' and not starts_with(${sql(column)}, ${`v1.${currentId}.`}) limit ${batch}`;
      for (const { sealed } of rows) {
        const wrapped = await seal.rewrap(sealed);
        const changed = await sql`update ${sql(table)} set ${sql(column)} = ${wrapped} where ${sql(column)} = ${sealed}`;
        done += changed.count;
      }
      if (rows.length < batch) break;
    }
  }
  return done;
};
