/** Finds the columns with sealed values, from the schema. */
import { getTableColumns, getTableName, is, sql, Table } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import * as schema from './schema.ts';

export type ColumnName = { table: string; column: string };

const columnsOf = (kind: 'text' | 'json'): readonly ColumnName[] =>
  Object.values(schema).flatMap((table) =>
    is(table, Table)
      ? Object.values(getTableColumns(table))
          .filter((column) => column.columnType === 'PgCustomColumn' && column.getSQLType() === kind)
          .map((column) => ({ table: getTableName(table), column: column.name }))
      : [],
  );

/** Every sealed column of the schema. `sealed` is the only custom type that is text in the database. */
export const sealedColumns = columnsOf('text');
/**
 * Every column of JSON documents, because an offer in a document may hold a sealed `secret` (src/domain/offer.ts). In a string that only looks like
 * such a member, the quotes are escaped, so a search for the member does not match the string.
 */
export const documentColumns = columnsOf('json');

/** Returns one sealed value from each column that has any. With `searched`, looks only at the first `searched` rows of each table. */
export const sealedSamples = async (client: Sql, searched?: number): Promise<readonly (ColumnName & { sealed: string })[]> => {
  const one = ({ table, column }: ColumnName) => {
    const [from, name] = [sql.identifier(table), sql.identifier(column)];
    const rows = searched === undefined ? from : sql`(select ${name} from ${from} limit ${searched}) as searched`;
    return sql`(select ${table}::text as "table", ${column}::text as "column", ${name} as sealed from ${rows} where ${name} <> '' limit 1)`;
  };
  return await drizzle(client).execute<ColumnName & { sealed: string }>(sql.join(sealedColumns.map(one), sql` union all `));
};
