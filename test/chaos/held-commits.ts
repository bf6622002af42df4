import type { Sql } from 'postgres';
import { until } from '../support/gateway.ts';

export type HeldCommits = {
  /** Resolves when that many commits are held. */
  reached: (commits: number) => Promise<void>;
  /** Lets the commits go on, and resolves when all of them have ended. */
  release: () => Promise<void>;
};

/**
 * Holds every commit whose trigger takes the advisory lock `key` (shared), until `release`. So a process can be killed during its commit: it has sent
 * its statements, and never learns their outcome.
 */
export const holdCommits = async (sql: Sql, key: number): Promise<HeldCommits> => {
  const held = await sql.reserve();
  await held`select pg_advisory_lock(${key})`;
  return {
    reached: async (commits) =>
      void (await until(`${commits} commits under the lock ${key}`, async () => {
        const [row] = await sql<{ n: number }[]>`select count(*)::int as n from pg_locks where locktype = 'advisory' and objid = ${key}
          and not granted and database = (select oid from pg_database where datname = current_database())`;
        return row?.n === commits ? true : undefined;
      })),
    release: async () => {
      await held`select pg_advisory_unlock(${key})`;
      // Each transaction keeps its share of the lock until it ends, and only then are its rows visible. So this lock waits for all of them.
      await held`select pg_advisory_lock(${key})`;
      await held`select pg_advisory_unlock(${key})`;
      held.release();
    },
  };
};
