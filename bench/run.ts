/**
 * `npm run bench`: compares the gateway with bare floors, as ratios of one run. Uses the PostgreSQL of DATABASE_URL, or starts one with default
 * settings. BENCH_PART runs the named parts only; `-- --write` puts the result into bench/README.md and docs/operations.md.
 */
import { loadavg } from 'node:os';
import { connect } from '../src/entry/database-node.ts';
import { startPostgres } from '../test/setup/postgres-server.ts';
import { stopRest } from './children.ts';
import { createReport, headline, writeSection } from './report.ts';
import { deliveries, orders } from './orders.ts';
import { floor, hang, memory, providers, rows } from './quotes.ts';
import { worker } from './worker.ts';
import type { Part } from './world.ts';

const parts: { readonly [name: string]: Part } = { floor, providers, hang, memory, rows, orders, deliveries, worker };
// `providers` includes what `floor` measures, so `floor` runs only if it is named.
const usual = Object.keys(parts).filter((name) => name !== 'floor');
const chosen = process.env['BENCH_PART']?.split(',') ?? usual;
const unknown = chosen.filter((name) => parts[name] === undefined);
if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);

const own = process.env['DATABASE_URL'] === undefined ? await startPostgres({ durable: true }) : undefined;
const databaseUrl = process.env['DATABASE_URL'] ?? own?.url;
if (databaseUrl === undefined) throw new Error('no PostgreSQL was found: set DATABASE_URL');
try {
  const sql = connect(databaseUrl, 1);
  const [version] = await sql<{ server_version: string }[]>`show server_version`;
  await sql.end();
  const settings = Object.entries(process.env).filter(([name]) => /^BENCH_(?!PART)/.test(name));
  const of = (name: string): string => [...settings, ['BENCH_PART', name]].map(([setting, value]) => `${setting}=${value}`).join(' ');
  for (const name of chosen) {
    const { report, lines, sizing } = createReport();
    const [head, began] = [headline(version?.server_version.split(' ')[0] ?? '', `${of(name)} npm run bench`), performance.now()];
    process.stdout.write(`\n${name}: ${head}\n`);
    try {
      await parts[name]?.({ databaseUrl, report });
      if (process.argv.includes('--write')) writeSection(name, head, { lines, sizing });
    } catch (error) {
      // A part that fails does not stop the other parts.
      process.stdout.write(`${name} FAILED: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = 1;
    }
    await stopRest();
    process.stdout.write(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s, load average ${loadavg()[0]?.toFixed(1)} now\n`);
  }
} finally {
  await own?.stop();
}
