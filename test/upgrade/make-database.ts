/**
 * Makes test/upgrade/0ed2386.sql and 0ed2386.json: a database of that release with orders in every state, and what it told its customer of them.
 * Once, from a worktree of the commit with its packages: `npx node --no-warnings test/upgrade/make-database.ts <folder>`; needs PostgreSQL's pg_dump.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from '../../src/entry/database-node.ts';
import { startPostgres } from '../setup/postgres-server.ts';
import { calling, fillOldWorld, startOldWorld } from './old-world.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: make-database.ts <worktree of the release>');
const postgres = await startPostgres();
if (!postgres) throw new Error('no PostgreSQL here');
const sql = connect(postgres.url, 4);
try {
  const world = await startOldWorld(folder, postgres.url);
  const { sessionId } = world;
  const orders = await fillOldWorld(world, sql);
  const call = calling(world.createWallet(world.url), sessionId);
  const told: Record<string, unknown> = {};
  for (const path of ['/order-status', '/sell/order-status', '/liquidity/order-status']) told[path] = (await call(path)).body;
  await world.stopServer();
  await world.close();
  const [row] = await sql<{ now: Date }[]>`select now() as now`;
  const file = (kind: string): URL => new URL(`./0ed2386.${kind}`, import.meta.url);
  writeFileSync(file('json'), `${JSON.stringify({ dumpedOn: row?.now.toISOString(), sessionId, orders, told }, undefined, 2)}\n`);
  const text = execFileSync('pg_dump', ['--inserts', '--no-owner', '--no-privileges', postgres.url], { encoding: 'utf8', maxBuffer: 1e9 });
  // Commands of psql and comments are no SQL that a driver takes; settings of one server version are not another's.
  const lines = text.split('\n').filter((line) => line !== '' && !/^(?:--|\\|SET |SELECT pg_catalog\.set_config)/.test(line));
  writeFileSync(file('sql'), `${lines.join('\n')}\n`);
} finally {
  await sql.end({ timeout: 1 });
  await postgres.stop();
}
