/**
 * `npm run bench:operator`: how long the console's charts take over 90 days of orders. Copies one real order, with its decision, attempt, events and
 * fill, until there are BENCH_ORDERS orders (a multiple of 5,000; default 1,000,000). Then counts the figures of every hour, and reads them. Needs
 * 7.5 kB of disk for each order. Uses the PostgreSQL of DATABASE_URL (an empty database), or starts one of its own. `-- --write` puts the result into
 * bench/README.md.
 */
import { randomBytes } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { stringify } from 'yaml';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { connect } from '../../src/entry/database-node.ts';
import { startServer } from '../../src/entry/node-server.ts';
import { startFiatOnRampSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { rowsOfStep } from '../../src/gateway/figures/count-hours.ts';
import type { Counting } from '../../src/ports/figures.ts';
import { createStores } from '../../src/store/stores.ts';
import { startPostgres } from '../../test/setup/postgres-server.ts';
import { createReport, headline, writeSection } from '../report.ts';
import { copyOriginals, dropOriginals, keepOriginals, widths, withoutIndexes } from './copies.ts';
import { seedOrders } from '../../test/support/seeded-orders.ts';

const goalMs = 300;
const [days, dayMs] = [90, 86_400_000];
const wanted = Number(process.env['BENCH_ORDERS'] ?? 1_000_000);
const originals = 5_000;
/** The bytes that an order takes on disk, with its indexes. */
const bytesEach = 7_500;
/** The one real order is not measured, so it may take its time on a busy machine. */
const patient = { quote_deadline_ms: 20_000, verify_deadline_ms: 20_000, order_deadline_ms: 20_000 };
const command = `BENCH_ORDERS=${wanted} npm run bench:operator`;
const root = join(import.meta.dirname, '../..');
const { report, lines, sizing } = createReport();
const { say } = report;

const own = process.env['DATABASE_URL'] === undefined ? await startPostgres({ durable: true }) : undefined;
const url = process.env['DATABASE_URL'] ?? own?.url;
if (url === undefined) throw new Error('no PostgreSQL was found: set DATABASE_URL');

/** Buys once at a gateway with two providers, and returns the id of the order. */
const orderOnce = async (): Promise<string> => {
  const simulators = { alpine: await startFiatOnRampSimulator({ id: 'alpine' }), slow: await startFiatOnRampSimulator({ id: 'slow', spreadBps: 90 }) };
  const blocks = Object.entries(simulators).map(([id, simulator]) => [id, { kind: 'fiat-on-ramp', base_url: simulator.url }]);
  const server = await startServer({
    environment: { ...freshSecrets(randomBytes), PORT: '0', DATABASE_URL: url, LOG_LEVEL: 'error' },
    modules: providerModules,
    root,
    configText: stringify({ mode: 'sandbox', network: 'regtest', routing: patient, providers: Object.fromEntries(blocks) }),
  });
  const wallet = createWallet(server.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] });
  await server.stop();
  for (const simulator of Object.values(simulators)) await simulator.close();
  const id = order.body['order_id'];
  if (typeof id !== 'string') throw new Error(`no order: ${JSON.stringify(order.body)}`);
  return id;
};

const took = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
  const began = performance.now();
  const value = await work();
  return [value, performance.now() - began];
};

/** Stops the run if it started the server itself and the rest of the copies would not fit on this machine's disk. */
const checkRoom = async (sql: postgres.Sql): Promise<void> => {
  const [row] = await sql<{ folder: string }[]>`select current_setting('data_directory') as folder`;
  if (!own || !row) return;
  const { bavail, bsize } = statfsSync(row.folder);
  const needed = (wanted - 20 * originals) * bytesEach;
  if (needed > bavail * bsize)
    throw new Error(`the other orders need ${Math.round(needed / 1e9)} GB of disk, and ${Math.round((bavail * bsize) / 1e9)} GB are free`);
};

/** Returns how PostgreSQL runs the gateway's own statement of a chart over 90 days. */
const planOfChart = async (): Promise<string[]> => {
  let last: { text: string; values: unknown[] } | undefined;
  const listening = postgres(url, { max: 1, fetch_types: false, debug: (_, text, values) => (last = { text, values }) });
  const { figures } = createStores(listening, { grouped: false, migrated: async () => await Promise.resolve(true) });
  const now = Date.now();
  await figures.read({ most: 1_000_000, from: now - days * dayMs, to: now, step: 'day' });
  if (!last) throw new Error('the gateway sent no statement');
  const { text, values } = last;
  const plan = await listening.unsafe<{ 'QUERY PLAN': string }[]>(`explain (analyze, buffers, costs off, timing off) ${text}`, values as string[]);
  await listening.end();
  return plan.map((row) => row['QUERY PLAN']);
};

try {
  const like = await orderOnce();
  const sql = connect(url, 1);
  const now = Date.now();
  const from = now - days * dayMs;
  const everyMs = (days * dayMs) / wanted;
  const [, seededMs] = await took(async () => {
    await seedOrders(sql, { like, from, everyMs, first: 1, last: originals });
    await keepOriginals(sql);
    const copies = wanted / originals - 1;
    await withoutIndexes(sql, async () => {
      let next = 0;
      // Copies that follow each other in time are written at the same time, so rows are stored nearly in the sequence of their times.
      const copy = async (): Promise<void> => {
        const connection = connect(url, 1);
        for (let k = (next += 1); k <= copies; k = next += 1) {
          await copyOriginals(connection, k, originals * everyMs);
          if (k === 20) await checkRoom(connection);
          if (k % 100 === 0) process.stdout.write(`${(k + 1) * originals} orders\n`);
        }
        await connection.end();
      };
      await Promise.all([copy(), copy()]);
      await dropOriginals(sql);
    });
    await sql`analyze`;
  });
  const [size] = await sql<{ bytes: string; events: number }[]>`
    select pg_size_pretty(pg_database_size(current_database())) as bytes, (select count(*) from order_events)::int as events`;
  say(`${wanted} orders, ${size?.events ?? 0} events, ${size?.bytes ?? ''}, written in ${Math.round(seededMs / 1000)} s`);
  const bytesOf = (await widths(sql)).map(({ table, bytes }) => `${table} ${Math.round(bytes / wanted)}`);
  say(`bytes of an order, with indexes: ${bytesOf.join(', ')}`);

  // The gateway that took the order may already have counted these hours, so what it counted is deleted.
  await sql`delete from counted_hours`;
  await sql`delete from hourly_figures`;
  const stores = createStores(sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
  // Here every decision is still stored.
  const times: Counting = { now, keptFrom: { decisions: from - dayMs, fills: from - dayMs }, mostRows: 5_000 };
  const count = async (counting: Counting, each: number[]): Promise<void> => {
    const connection = connect(url, 1);
    const { figures } = createStores(connection, { grouped: false, migrated: async () => await Promise.resolve(true) });
    for (;;) {
      const [found, ms] = await took(async () => await figures.countDue(counting));
      if (!found) break;
      if (found.failed) throw found.failed.error;
      each.push(ms);
    }
    await connection.end();
  };
  // Two counts run at the same time, as those of two instances would.
  const all: number[] = [];
  const [, countedMs] = await took(async () => await Promise.all([count(times, all), count(times, all)]));
  say(`counted ${days * 24} hours in ${all.length} steps of ${times.mostRows} rows: ${Math.round(countedMs / 1000)} s`);
  await sql`
    update counted_hours set mark = 'changed', check_on = case when hour >= ${new Date(now - 10 * dayMs).toISOString()} and hour < ${new Date(now - 9 * dayMs).toISOString()} then hour end`;
  const small: number[] = [];
  await count({ ...times, mostRows: rowsOfStep }, small);
  const sorted = small.toSorted((a, b) => a - b);
  const [middle = 0, p99 = 0] = [sorted[Math.floor(sorted.length / 2)], sorted[Math.floor(sorted.length * 0.99)]];
  say(
    `one day again in ${small.length} steps of ${rowsOfStep} rows: median ${middle.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${(sorted.at(-1) ?? 0).toFixed(0)} ms`,
  );
  await sql`vacuum analyze hourly_figures`;

  for (const [name, filter] of Object.entries({ 'a chart over 90 days': {}, 'one provider': { providerId: 'alpine' } })) {
    const runs: number[] = [];
    let points = 0;
    for (let i = 0; i < 7; i += 1) {
      const [figures, ms] = await took(async () => await stores.figures.read({ most: 1_000_000, from, to: now, step: 'day', ...filter }));
      points = figures.length;
      runs.push(ms);
    }
    const median = runs.toSorted((a, b) => a - b)[3] ?? 0;
    say(
      `${name}: ${points} points, median ${Math.round(median)} ms, slowest ${Math.round(Math.max(...runs))} ms  ${median <= goalMs ? 'reached' : 'missed'} (goal ≤ ${goalMs} ms)`,
    );
    if (median > goalMs) process.exitCode = 1;
  }
  const day = { from: now - 30 * dayMs, to: now - 29 * dayMs };
  for (const [name, search] of Object.entries({
    'a page of the orders of one day': day,
    'a page of the orders of an amount that nobody has, in 30 days': { amount: 100_007n, from: now - 30 * dayMs },
    'a page of the orders of an amount that all have, in 30 days': { amount: 10_000n, from: now - 30 * dayMs },
  })) {
    const [found, ms] = await took(async () => await stores.operator.search(search, 101));
    say(`${name}: ${found.length} orders, ${Math.round(ms)} ms`);
  }
  const lists = {
    'what waits for a person': async () => await stores.operator.attention(100, now - 3 * dayMs, 3),
    'calls in the last 15 minutes': async () =>
      await stores.figures.recentCalls(now - 900_000, {
        known: { seconds: new Map() },
        most: 2_000,
        pause: async () => await Promise.resolve(),
        now: Date.now,
      }),
    'calls in the last 24 hours': async () => await stores.figures.callsByHour(now - dayMs),
    'why there was no offer': async () => await stores.figures.missing(now - dayMs),
    'open orders': async () => await stores.figures.openOrders(),
  };
  for (const [name, read] of Object.entries(lists)) say(`${name}: ${Math.round((await took<unknown>(read))[1])} ms`);
  for (const line of await planOfChart()) say(`  ${line}`);
  const [version] = await sql<{ server_version: string }[]>`show server_version`;
  await sql.end();
  if (process.argv.includes('--write')) writeSection('operator', headline(version?.server_version.split(' ')[0] ?? '', command), { lines, sizing });
} finally {
  await own?.stop();
}
