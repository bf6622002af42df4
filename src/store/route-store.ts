import { and, eq } from 'drizzle-orm';
import type { RouteStore, StoredRoute } from '../gateway/ports.ts';
import type { Database } from './database.ts';
import { routes } from './schema.ts';

/**
 * `grouped`: inserts that arrive while one is on its way share the next statement. No caller goes on before its own row is in; a group that
 * fails is repeated row by row, so that one bad row costs only itself. For one client with many concurrent requests (Node).
 */
export const createRouteStore = (db: Database, options: { grouped: boolean }): RouteStore => ({
  insert: options.grouped
    ? groupInserts(async (rows) => void (await db.insert(routes).values(rows)))
    : async (row) => {
        await db.insert(routes).values(row);
      },
  find: async (id, customerId) => {
    const rows = await db
      .select()
      .from(routes)
      .where(and(eq(routes.id, id), eq(routes.customerId, customerId)));
    return rows[0];
  },
});

type Waiting = { row: StoredRoute; done: () => void; failed: (error: unknown) => void };
const largestGroup = 64;

const groupInserts = (insert: (rows: StoredRoute[]) => Promise<void>): ((row: StoredRoute) => Promise<void>) => {
  let waiting: Waiting[] = [];
  let running = 0;
  const next = (): void => {
    if (waiting.length === 0 || running >= 2) return;
    const group = waiting.slice(0, largestGroup);
    waiting = waiting.slice(largestGroup);
    running += 1;
    void write(group).finally(() => {
      running -= 1;
      next();
    });
  };
  const write = async (group: Waiting[]): Promise<void> => {
    try {
      await insert(group.map((one) => one.row));
      for (const one of group) one.done();
    } catch (error) {
      if (group.length === 1) group[0]?.failed(error);
      else await Promise.all(group.map((one) => insert([one.row]).then(one.done, one.failed)));
    }
  };
  return (row) =>
    new Promise((done, failed) => {
      waiting.push({ row, done, failed });
      next();
    });
};
