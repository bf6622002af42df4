/**
 * `npm run bench`: compares POST /quote with a bare floor, as ratios of one run. Uses the PostgreSQL of DATABASE_URL, or starts one with default
 * settings.
 */
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connect } from '../src/entry/database-node.ts';
import { createWallet } from '../scripts/demo/wallet.ts';
import { startPostgres } from '../test/setup/postgres-server.ts';
import { load, type Measured } from './load.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const rounds = 5;
const perRound = Number(process.env['BENCH_REQUESTS'] ?? 3000);
const connections = 32;
const serverFlags = '--max-semi-space-size=16 --max-old-space-size=512';
const say = (text = ''): void => void process.stdout.write(`${text}\n`);

type Child = { process: ChildProcess; url: string };
/** The gateway runs as users run it: bundled into one file. */
const bundled = join(root, 'dist/bench-gateway.mjs');
await promisify(execFile)(process.execPath, ['--no-warnings', join(root, 'scripts/build.ts'), join(here, 'gateway.ts'), bundled], { cwd: root });

const start = async (file: string, environment: Record<string, string>): Promise<Child> => {
  const child = fork(file === 'gateway.ts' ? bundled : join(here, file), {
    env: { ...process.env, MALLOC_ARENA_MAX: '2', ...environment },
    execArgv: [
      '--no-warnings',
      // The same flags as in the image (Dockerfile).
      ...(file === 'gateway.ts' ? (process.env['BENCH_FLAGS'] ?? serverFlags).split(' ').filter((flag) => flag !== '') : []),
      ...(process.env['BENCH_PROFILE'] !== undefined && file === 'gateway.ts' ? ['--cpu-prof', '--cpu-prof-dir', process.env['BENCH_PROFILE']] : []),
    ],
  });
  const { url } = await new Promise<{ url: string }>((ready, failed) => {
    child.once('message', (message) => ready(message as { url: string }));
    child.once('exit', (code) => failed(new Error(`${file} ended with code ${code}`)));
  });
  return { process: child, url };
};
const stop = async (child: Child): Promise<void> => {
  const gone = new Promise((done) => child.process.once('exit', done));
  child.process.disconnect();
  await gone;
};
const usage = async (child: Child): Promise<{ cpuMs: number; rssMb: number }> =>
  await new Promise((told) => {
    child.process.once('message', (message) => {
      const { cpu, rss } = message as { cpu: NodeJS.CpuUsage; rss: number };
      told({ cpuMs: (cpu.user + cpu.system) / 1000, rssMb: rss / 1e6 });
    });
    child.process.send({});
  });
const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

type Figures = { perSecond: number; p50: number; p99: number; cpuUs: number; failed: number };
const measure = async (target: Child, path: string, body: () => string, requests = perRound): Promise<Figures> => {
  const before = await usage(target);
  const got: Measured = await load({ url: target.url + path, body, connections, requests });
  const after = await usage(target);
  return { ...got, cpuUs: ((after.cpuMs - before.cpuMs) * 1000) / requests };
};
const middle = (all: Figures[]): Figures => ({
  perSecond: median(all.map((one) => one.perSecond)),
  p50: median(all.map((one) => one.p50)),
  p99: median(all.map((one) => one.p99)),
  cpuUs: median(all.map((one) => one.cpuUs)),
  failed: all.reduce((sum, one) => sum + one.failed, 0),
});
const row = (name: string, one: Figures): string =>
  `${name.padEnd(34)} ${one.perSecond.toFixed(0).padStart(6)}/s  p50 ${one.p50.toFixed(1).padStart(6)} ms  p99 ${one.p99.toFixed(1).padStart(7)} ms  cpu ${one.cpuUs.toFixed(0).padStart(5)} µs${one.failed > 0 ? `  FAILED ${one.failed}` : ''}`;
const ratio = (name: string, value: number, goal: number, atLeast: boolean): string =>
  `${name.padEnd(58)} ${value.toFixed(2).padStart(5)}  ${(atLeast ? value >= goal : value <= goal) ? 'reached' : 'short'} (goal ${atLeast ? '≥' : '≤'} ${goal})`;

const own = process.env['DATABASE_URL'] === undefined ? await startPostgres({ durable: true }) : undefined;
const databaseUrl = process.env['DATABASE_URL'] ?? own?.url;
if (databaseUrl === undefined) throw new Error('no PostgreSQL was found: set DATABASE_URL');
say(`${cpus().length} × ${cpus()[0]?.model ?? 'cpu'}, Node ${process.version}, ${connections} connections, ${rounds} rounds of ${perRound}\n`);

const sessions = async (target: Child): Promise<() => string> => {
  const ids = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const wallet = createWallet(target.url);
      const { sessionId } = await wallet.open();
      await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
      return sessionId;
    }),
  );
  let next = 0;
  return () => JSON.stringify({ session_id: ids[(next += 1) % ids.length], amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
};
const withProviders = async <T>(count: number, work: (providers: Child, environment: Record<string, string>) => Promise<T>): Promise<T> => {
  const providers = await start('providers.ts', { PROVIDERS: String(count) });
  try {
    return await work(providers, { PROVIDERS: String(count), PROVIDERS_URL: providers.url, DATABASE_URL: databaseUrl, ROOT: root });
  } finally {
    await stop(providers);
  }
};

/** Prints the resident memory after many quotes. */
const memory = async (gateway: Child, quote: () => string): Promise<void> => {
  const many = Number(process.env['BENCH_MEMORY'] ?? 100_000);
  await measure(gateway, '/quote', quote, many);
  const { rssMb } = await usage(gateway);
  say(`\n${ratio(`resident MB after ${many} quotes`, rssMb, 200, false)}`);
};

if (process.env['BENCH_PART'] === 'memory') {
  await withProviders(5, async (_providers, environment) => {
    const gateway = await start('gateway.ts', environment);
    await memory(gateway, await sessions(gateway));
    await stop(gateway);
  });
  await own?.stop();
  process.exit(0);
}
await withProviders(5, async (providers, environment) => {
  const floor = await start('floor.ts', environment);
  const gateway = await start('gateway.ts', environment);
  const quote = await sessions(gateway);
  await measure(floor, '/', quote, 1000);
  await measure(gateway, '/quote', quote, 1000);
  const floors: Figures[] = [];
  const gateways: Figures[] = [];
  for (let round = 0; round < rounds; round += 1) {
    floors.push(await measure(floor, '/', quote));
    gateways.push(await measure(gateway, '/quote', quote));
  }
  const [bare, ours] = [middle(floors), middle(gateways)];
  say(row('bare floor, 5 providers', bare));
  say(row('POST /quote, 5 providers', ours));
  say(ratio('throughput against the floor', ours.perSecond / bare.perSecond, 0.75, true));
  say(ratio('p99 against the floor', ours.p99 / bare.p99, 1.5, false));

  if (process.env['BENCH_PART'] === 'floor') {
    await stop(floor);
    await stop(gateway);
    return;
  }
  say('\none of five hangs');
  providers.process.send({ hang: 4 });
  say(row('before its circuit opens', await measure(gateway, '/quote', quote, 192)));
  let networks = 0;
  // The 30 s window is still full of good answers. The circuit opens when bad ones outweigh them.
  for (const until = Date.now() + 90_000; Date.now() < until;) {
    await measure(gateway, '/quote', quote, 320);
    const other = createWallet(gateway.url, undefined, { 'x-forwarded-for': `198.51.100.${(networks += 1)}` });
    const { sessionId } = await other.open();
    const { body } = await other.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1, max_wait_ms: 300 });
    if ((body['failed'] as { reason: string }[]).some((one) => one.reason === 'circuit-open')) break;
  }
  const open = await measure(gateway, '/quote', quote);
  say(row('after its circuit opened', open));
  say(ratio('p99 with the open circuit against healthy', open.p99 / ours.p99, 1.2, false));
  providers.process.send({});
  await stop(floor);
  const { rssMb } = await usage(gateway);
  say(`\nresident memory of the server process so far: ${rssMb.toFixed(0)} MB`);
  await stop(gateway);
});

if (process.env['BENCH_PART'] === 'floor') {
  await own?.stop();
  process.exit(0);
}
say('\ncost of each further provider');
let last: { count: number; cpuUs: number } | undefined;
for (const count of [1, 5, 10, 20]) {
  await withProviders(count, async (_providers, environment) => {
    const gateway = await start('gateway.ts', environment);
    const quote = await sessions(gateway);
    await measure(gateway, '/quote', quote, 500);
    const got = await measure(gateway, '/quote', quote, Math.ceil(perRound / 2));
    say(
      `${row(`POST /quote, ${count} provider${count === 1 ? '' : 's'}`, got)}${last ? `  + ${((got.cpuUs - last.cpuUs) / (count - last.count)).toFixed(0)} µs each` : ''}`,
    );
    last = { count, cpuUs: got.cpuUs };
    await stop(gateway);
  });
}

say('\na table of 1,000,000 stored routes');
await withProviders(5, async (_providers, environment) => {
  const gateway = await start('gateway.ts', environment);
  const quote = await sessions(gateway);
  const sql = connect(databaseUrl, 1);
  const rowsNow = Number(process.env['BENCH_ROWS'] ?? 1_000_000);
  await sql`truncate routes`;
  await measure(gateway, '/quote', quote, 1000);
  const empty = middle([await measure(gateway, '/quote', quote), await measure(gateway, '/quote', quote), await measure(gateway, '/quote', quote)]);
  await sql`insert into routes (id, customer_id, session_hash, ramp, request_id, created_on, route) select gen_random_uuid(), gen_random_uuid(), md5(n::text), 'buy', 'req_' || n, now(), (select route from routes limit 1) from generate_series(1, ${rowsNow}) n`;
  await sql`analyze routes`;
  await sql`checkpoint`;
  const full = middle([await measure(gateway, '/quote', quote), await measure(gateway, '/quote', quote), await measure(gateway, '/quote', quote)]);
  say(row('empty table', empty));
  say(row(`${rowsNow} rows`, full));
  say(ratio('p99 with the full table against the empty one', full.p99 / empty.p99, 1.1, false));
  await sql`truncate routes`;
  await sql.end();
  await memory(gateway, quote);
  await stop(gateway);
});
await own?.stop();
