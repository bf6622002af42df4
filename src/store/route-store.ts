import { and, eq } from 'drizzle-orm';
import type { Sql } from 'postgres';
import type { RouteStore, StoredRoute } from '../ports/routes.ts';
import { databaseAnswered, type Database } from './database.ts';
import { grouped } from './grouped.ts';
import { routes } from './schema.ts';

/** The newest route version that this code reads. Written with each row, so that instances know what the others can read. */
const newestRead = 2;

/** Creates the store. `insert` resolves only when the caller's own row is stored, even if it was inserted in a group. */
export const createRouteStore = (db: Database, client: Sql, options: { grouped: boolean }): RouteStore => {
  // The hot path's only write. One statement for any number of rows, so that the driver keeps it prepared.
  const insert = async (rows: StoredRoute[]): Promise<void[]> => {
    const records = rows.map((row) => ({
      id: row.id,
      customer_id: row.customerId,
      session_hash: row.sessionHash,
      ramp: row.ramp,
      request_id: row.requestId,
      created_on: new Date(row.createdOn).toISOString(),
      route: row.route,
      reads: newestRead,
    }));
    await client`
      insert into routes (id, customer_id, session_hash, ramp, request_id, created_on, route, reads)
      select id, customer_id, session_hash, ramp, request_id, created_on, route, reads
      from json_to_recordset(${JSON.stringify(records)}::text::json) as r (id uuid, customer_id uuid, session_hash text, ramp text, request_id text, created_on timestamptz, route json, reads smallint)`;
    return rows.map(() => undefined);
  };
  return {
    insert: options.grouped ? grouped(insert, { largest: 64, inFlight: 2, repeats: databaseAnswered }) : async (row) => void (await insert([row])),
    find: async (id, customerId) => {
      const rows = await db
        .select()
        .from(routes)
        .where(and(eq(routes.id, id), eq(routes.customerId, customerId)));
      return rows[0];
    },
  };
};
