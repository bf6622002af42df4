import { drizzle } from 'drizzle-orm/postgres-js';
import { expect } from 'vitest';
import { connect } from '../entry/database-node.ts';
import { needsPostgres, testDatabase } from '../../test/support/postgres.ts';
import * as schema from './schema.ts';
import { createSessionStore } from './session-store.ts';

needsPostgres('the read of every request keeps its plan: making it takes many times as long as the read', async () => {
  const database = await testDatabase();
  const client = connect(database.url, 1, { prepare: true });
  try {
    const sessions = createSessionStore(drizzle(client, { schema }), client, { grouped: false });
    for (let n = 0; n < 8; n += 1) expect(await sessions.find(`${n}`)).toBeUndefined();
    const kept = await client`
      select custom_plans::int, generic_plans::int from pg_prepared_statements where strpos(statement, ${'from sessions s '}) > 0`;
    expect([...kept]).toEqual([{ custom_plans: 5, generic_plans: 3 }]);
  } finally {
    await client.end();
    await database.close();
  }
});
