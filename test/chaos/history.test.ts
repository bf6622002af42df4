/** G4: many small histories, each from its own seed. CHAOS_SEED=<seed> begins with the history of that seed, and CHAOS_COUNT=1 runs only that one. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../src/entry/database-node.ts';
import { chaosSeed, isFull, reportGoal, sizeOf } from '../fuzz/random.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { tellHistory } from './history.ts';

let whole: TestDatabase;
let database: Pick<TestDatabase, 'sql'>;
beforeAll(async () => {
  whole = await testDatabase();
  database = whole.kind === 'pglite' ? whole : { sql: connect(whole.url, 1) };
});
afterAll(async () => {
  if (database !== whole) await database.sql.end({ timeout: 1 });
  await whole.close();
});

it('every seed keeps every promise', { timeout: isFull ? 3_600_000 : 180_000 }, async () => {
  // `npm test` runs the short form, with fewer histories; `npm run test:chaos` runs the long form.
  const count = sizeOf(8, 1_000);
  const sums = { deaths: 0, orders: 0, real: 0, answers: 0, webhooks: 0, moves: 0 };
  const broken: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const story = await tellHistory(database, chaosSeed + n);
    for (const key of ['deaths', 'orders', 'real', 'answers', 'webhooks', 'moves'] as const) sums[key] += story[key];
    if (story.broken.length > 0) broken.push(`seed ${chaosSeed + n}: ${story.broken.join('; ')}\n${story.lines.join('\n')}`);
    if (broken.length > 2) break;
  }
  expect(broken).toEqual([]);
  expect(sums.orders).toBeGreaterThan(count);
  reportGoal(
    'G4',
    `${count} seeds: ${sums.answers} answers, ${sums.orders} orders at providers (${sums.real} at DFX and Blocktank), ${sums.moves} moves to the next rank, ${sums.deaths} instances dead at a drawn step, ${sums.webhooks} webhooks, 0 violations`,
  );
});
