/** Wraps the data keys of all sealed values with the current master key. The values themselves stay as they are, and traffic continues meanwhile. */
import type { Sql } from 'postgres';
import type { SealWithRotation } from '../../src/seal/seal.ts';
import { documentColumns as documents, sealedColumns } from '../../src/store/sealed-columns.ts';

/**
 * A regular expression for the key id in jsonb, which puts a space after the colon. It is passed as a parameter, because backslashes in the text of a
 * template are lost.
 */
const keyOfMember = String.raw`"secret":\s*"v1\.([\w-]{1,32})\.`;
const sealedMember = /(?<="secret":\s*")v1\.[\w-]{1,32}\.[\w-]+\.[\w-]+\.[\w-]+(?=")/g;

/** Counts the values that are sealed under each key id. */
export const countByKey = async (sql: Sql): Promise<Map<string, number>> => {
  const counts = new Map<string, number>();
  const add = (rows: readonly { key: string; n: string }[]): void => {
    for (const { key, n } of rows) counts.set(key, (counts.get(key) ?? 0) + Number(n));
  };
  for (const { table, column } of sealedColumns)
    add(
      await sql<{ key: string; n: string }[]>`
        select split_part(${sql(column)}, '.', 2) as key, count(*) as n from ${sql(table)} where ${sql(column)} is not null and ${sql(column)} <> '' group by 1`,
    );
  for (const { table, column } of documents)
    add(
      await sql<{ key: string; n: string }[]>`
        select found[1] as key, count(*) as n from ${sql(table)}, regexp_matches(${sql(column)}::text, ${keyOfMember}, 'g') as found group by 1`,
    );
  return counts;
};

const batch = 500;

/**
 * Rewraps every value that is not sealed under the current key, and returns how many there were. Skips a value that is replaced meanwhile: the
 * running gateway seals the new value with the current key. Throws if a value is sealed under a key that is not among the sealing keys.
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
  for (const place of documents) done += await resealDocuments(sql, seal, currentId, place);
  return done;
};

/** Rewraps values inside JSON documents, row by row. The rest of each document keeps its exact bytes. */
const resealDocuments = async (
  sql: Sql,
  seal: Pick<SealWithRotation, 'rewrap'>,
  currentId: string,
  { table, column }: { table: string; column: string },
): Promise<number> => {
  let done = 0;
  for (;;) {
    const rows = await sql<{ at: string; text: string }[]>`
      select ctid::text as at, ${sql(column)}::text as text from ${sql(table)} where ${sql(column)}::text ~ ${String.raw`"secret":\s*"v1\.(?!${currentId}\.)[\w-]{1,32}\.`} limit ${batch}`;
    let missed = 0;
    for (const { at, text } of rows) {
      const wrapped = new Map(
        await Promise.all([...text.matchAll(sealedMember)].map(async ([sealed]): Promise<[string, string]> => [sealed, await seal.rewrap(sealed)])),
      );
      const changed = await sql`
        update ${sql(table)} set ${sql(column)} = ${text.replaceAll(sealedMember, (sealed) => wrapped.get(sealed) ?? sealed)}::text::json
        where ctid = ${at}::tid and ${sql(column)}::text = ${text}`;
      if (changed.count === 1) done += wrapped.size;
      else missed += 1;
    }
    // A row that changed meanwhile may still hold a value under an old key, so the loop ends only when no row was missed.
    if (rows.length < batch && missed === 0) return done;
  }
};
