import { and, eq } from 'drizzle-orm';
import type { Sql } from 'postgres';
import type { RouteStore, StoredRoute } from '../gateway/ports.ts';
import type { Database } from './database.ts';
import { routes } from './schema.ts';

/**
 * `grouped`: inserts that arrive while one is on its way share the next statement. No caller goes on before its own row is in; a group that
 * fails is repeated row by row, so that one bad row costs only itself. For one client with many concurrent requests (Node).
 */
export const createRouteStore = (db: Database, client: Sql, options: { grouped: boolean }): RouteStore => {
  // One statement for any number of rows, so that the driver keeps it prepared: the hot path's one write.
  const insert = async (rows: StoredRoute[]): Promise<void> => {
    const records = rows.map((row) => ({
      id: row.id,
      customer_id: row.customerId,
      session_hash: row.sessionHash,
      ramp: row.ramp,
      request_id: row.requestId,
      created_on: new Date(row.createdOn).toISOString(),
      route: row.route,
    }));
    await client`
      insert into routes (id, customer_id, session_hash, ramp, request_id, created_on, route)
      select id, customer_id, session_hash, ramp, request_id, created_on, route
      from json_to_recordset(${JSON.stringify(records)}::text::json) as r (id uuid, customer_id uuid, session_hash text, ramp text, request_id text, created_on timestamptz, route json)`;
  };
  return {
    insert: options.grouped ? groupInserts(insert) : async (row) => await insert([row]),
    find: async (id, customerId) => {
      const rows = await db
        .select()
        .from(routes)
        .where(and(eq(routes.id, id), eq(routes.customerId, customerId)));
      return rows[0];
    },
  };
};

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
