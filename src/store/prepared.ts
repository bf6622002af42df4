import type { Sql, TransactionSql } from 'postgres';

/** The most statement texts that are prepared. A prepared statement takes about 25 kB of the server's memory on each connection. */
const most = 250;

/**
 * Returns a client for Drizzle that prepares a statement if it has values and its text has been run before. Drizzle itself prepares nothing: before
 * each run, the driver would ask the server for the types of the values, and the server would plan the statement again. If the client is set not to
 * prepare, as behind a pooler, nothing is prepared.
 */
export const preparing = (client: Sql, isRepeated = createRepeats(most)): Sql => {
  const prepared =
    (on: Pick<Sql, 'unsafe'>): Sql['unsafe'] =>
    (text, values = [], options = {}) =>
      on.unsafe(text, values, { ...options, prepare: values.length > 0 && isRepeated(text) });
  const inside = (tx: TransactionSql): TransactionSql => {
    const savepoint = async <T>(run: (nested: TransactionSql) => T | Promise<T>) => await tx.savepoint(async (nested) => await run(inside(nested)));
    return { unsafe: prepared(tx), savepoint } as TransactionSql;
  };
  const begin = async <T>(run: (tx: TransactionSql) => T | Promise<T>) => await client.begin(async (tx) => await run(inside(tx)));
  return { options: client.options, unsafe: prepared(client), begin } as Sql;
};

/**
 * Returns a function that says whether a text was given before. It says so of at most `limit` texts: the driver never releases a prepared statement,
 * and a statement with a list has another text for each length of the list. Up to `limit` texts that were given once are remembered; then they are
 * all forgotten.
 */
export const createRepeats = (limit: number): ((text: string) => boolean) => {
  const repeated = new Set<string>();
  const once = new Set<string>();
  return (text) => {
    if (repeated.has(text)) return true;
    if (repeated.size >= limit) return false;
    if (once.delete(text)) {
      repeated.add(text);
      return true;
    }
    if (once.size >= limit) once.clear();
    once.add(text);
    return false;
  };
};
