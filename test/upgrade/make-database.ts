/**
 * Makes test/upgrade/0ed2386.sql, a database of that release with orders in every state, and 0ed2386.json, what the release showed its customer about
 * them. It was run once: `npx node --no-warnings test/upgrade/make-database.ts <folder>`. The folder is a worktree of that commit with its packages
 * installed. PostgreSQL's pg_dump must be on PATH.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from '../../src/entry/database-node.ts';
import { startPostgres } from '../setup/postgres-server.ts';
import { calling, fillOldWorld, startOldWorld } from './old-world.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: make-database.ts <worktree of the release>');
const postgres = await startPostgres();
if (!postgres) throw new Error('PostgreSQL is not installed');
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
  // A driver cannot run psql's commands and comments, and another version of the server may not know these settings.
  const lines = text.split('\n').filter((line) => line !== '' && !/^(?:--|\\|SET |SELECT pg_catalog\.set_config)/.test(line));
  writeFileSync(file('sql'), `${lines.join('\n')}\n`);
} finally {
  await sql.end({ timeout: 1 });
  await postgres.stop();
}
