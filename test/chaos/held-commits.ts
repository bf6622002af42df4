import type { Sql } from 'postgres';
import { until } from '../support/gateway.ts';

export type HeldCommits = {
  /** Until so many are under way. */
  reached: (commits: number) => Promise<void>;
  release: () => Promise<void>;
};

/**
 * Until released, no commit gets on whose trigger takes the advisory lock `key` (shared), so that a process dies within it: its statements were
 * sent, and it never learns what became of them.
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
      held.release();
    },
  };
};
