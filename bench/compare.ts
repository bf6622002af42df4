/**
 * Compares this commit with another one: the CPU that the gateway's process uses per POST /quote. The rounds are short and alternate, and each
 * commit has a database of its own. `npx node --no-warnings bench/compare.ts <worktree of the other commit, with its packages>`; COMPARE_ROUNDS (10),
 * BENCH_REQUESTS (600).
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connect } from '../src/entry/database-node.ts';
import type * as wallets from '../scripts/demo/wallet.ts';
import { startPostgres } from '../test/setup/postgres-server.ts';
import { bundle, gatewayFlags, launch, root, start, stop, usage, type Child } from './children.ts';
import { load } from './load.ts';

const rounds = Number(process.env['COMPARE_ROUNDS'] ?? 10);
const requests = Number(process.env['BENCH_REQUESTS'] ?? 600);

/** Starts the gateway of a worktree as users run it: one bundled file, with its image's flags, on a database of its own. */
const gatewayOf = async (folder: string, name: string, databaseUrl: string, providersUrl: string): Promise<Child> => {
  const sql = connect(databaseUrl, 1);
  await sql.unsafe(`create database compare_${name}`);
  await sql.end();
  const url = new URL(databaseUrl);
  url.pathname = `/compare_${name}`;
  const profiles = process.env['BENCH_PROFILE'];
  const environment = { PROVIDERS: '5', PROVIDERS_URL: providersUrl, DATABASE_URL: url.href, ROOT: folder };
  return await launch(await bundle(folder), environment, gatewayFlags(profiles === undefined ? undefined : join(profiles, name), folder));
};
/** Makes request bodies with the commit's own wallet, because commits differ in what a wallet signs. */
const bodies = async ({ url }: Child, folder: string): Promise<() => string> => {
  const { createWallet } = (await import(pathToFileURL(join(folder, 'scripts/demo/wallet.ts')).href)) as typeof wallets;
  const asked = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
  const ids = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const wallet = createWallet(url);
      const { sessionId } = await wallet.open();
      await wallet.call('/quote', { session_id: sessionId, ...asked });
      return sessionId;
    }),
  );
  let next = 0;
  return () => JSON.stringify({ session_id: ids[(next += 1) % ids.length], ...asked });
};

const [other] = process.argv.slice(2);
if (other === undefined) throw new Error('usage: compare.ts <worktree of the other commit>');
const postgres = await startPostgres({ durable: true });
if (!postgres) throw new Error('no PostgreSQL was found');
const providers = await start('providers.ts', { PROVIDERS: '5' });
const pair = [await gatewayOf(other, 'before', postgres.url, providers.url), await gatewayOf(root, 'now', postgres.url, providers.url)];
const folders = [other, root];
const quotes = await Promise.all(pair.map(async (child, i) => await bodies(child, folders[i] ?? root)));
// On a busy machine, some providers answer too late and the quote fails. If there are many such failures, the CPU figures compare something else.
const failures: [number, number] = [0, 0];
const perRequest = async (which: 0 | 1): Promise<number> => {
  const [child, body] = [pair[which], quotes[which]];
  if (!child || !body) throw new Error('no gateway');
  const before = await usage(child);
  const { failed } = await load({ url: `${child.url}/quote`, body, connections: 8, requests });
  failures[which] += failed;
  return ((await usage(child)).cpuMs - before.cpuMs) / requests;
};
// Warms up first, so that code is compiled before it is measured.
for (let warm = 0; warm < 3; warm += 1) for (const which of [0, 1] as const) await perRequest(which);
const measured: { before: number; now: number }[] = [];
for (let round = 0; round < rounds; round += 1) {
  const [first, second] = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
  const [a, b] = [await perRequest(first), await perRequest(second)];
  measured.push(first === 0 ? { before: a, now: b } : { before: b, now: a });
}
const sorted = (values: number[]): number[] => values.toSorted((a, b) => a - b);
const median = (values: number[]): number => {
  const all = sorted(values);
  return ((all[Math.floor((all.length - 1) / 2)] ?? 0) + (all[Math.floor(all.length / 2)] ?? 0)) / 2;
};
const ratios = sorted(measured.map(({ before, now }) => now / before));
const us = (pick: (one: { before: number; now: number }) => number): string => (median(measured.map(pick)) * 1000).toFixed(0);
console.log(`${rounds} rounds of ${requests}: before ${us((one) => one.before)} µs, now ${us((one) => one.now)} µs a request`);
console.log(`without an offer in time: before ${failures[0]}, now ${failures[1]}, warming up included`);
console.log(
  `ratio: median ${median(ratios).toFixed(3)}, from ${ratios[0]?.toFixed(3)} to ${ratios.at(-1)?.toFixed(3)}; ${ratios.map((one) => one.toFixed(2)).join(' ')}`,
);
await stop(...pair, providers);
await postgres.stop();
