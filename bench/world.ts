/** What the parts of the benchmark share: numbers, a database each, providers and customers. */
import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { createWallet } from '../scripts/demo/wallet.ts';
import { connect } from '../src/entry/database-node.ts';
import { start, stop, type Child, type Environment } from './children.ts';
import type { Report } from './report.ts';

const number = (name: string, usual: number): number => Number(process.env[name] ?? usual);
export const rounds = number('BENCH_ROUNDS', 5);
export const perRound = number('BENCH_REQUESTS', 3000);
export const manyCustomers = number('BENCH_CUSTOMERS', 1500);
export const memoryQuotes = number('BENCH_MEMORY', 100_000);
export const storedRoutes = number('BENCH_ROWS', 1_000_000);

/** `databaseUrl`: the server that DATABASE_URL names, or one of the benchmark's own. */
export type World = { databaseUrl: string; report: Report };
export type Part = (world: World) => Promise<void>;

/** Runs work on a new database, so that no part has the rows of another. */
export const withDatabase = async (serverUrl: string, work: (url: string, sql: Sql) => Promise<void>): Promise<void> => {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const server = connect(serverUrl, 1);
  await server.unsafe(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const sql = connect(url.href, 1);
  try {
    await work(url.href, sql);
  } finally {
    await sql.end();
    await server.unsafe(`drop database ${name} with (force)`);
    await server.end();
  }
};

/** Runs work with the providers of `file`, and the environment that a gateway or floor needs to ask them. */
export const withProviders = async (count: number, work: (providers: Child, environment: Environment) => Promise<void>, file = 'providers.ts') => {
  const providers = await start(file, { PROVIDERS: String(count) });
  try {
    await work(providers, { PROVIDERS: String(count), PROVIDERS_URL: providers.url });
  } finally {
    await stop(providers);
  }
};

/** Calls `work` with 0 to `count - 1`, at most 16 at a time. */
export const inParallel = async (count: number, work: (index: number) => Promise<void>): Promise<void> => {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = (next += 1) - 1; index < count; index = (next += 1) - 1) await work(index);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
};

export const price = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };

/** Waits until the gateway has read what its providers list, and has a price. */
const hasPrices = async (url: string): Promise<void> => {
  const wallet = createWallet(url);
  const { sessionId } = await wallet.open();
  let status = 0;
  for (const until = Date.now() + 60_000; Date.now() < until && status !== 200;) {
    status = (await wallet.call('/quote', { session_id: sessionId, ...price })).status;
    if (status !== 200) await new Promise((done) => setTimeout(done, 500));
  }
  if (status !== 200) throw new Error(`no price within a minute: ${status}`);
};

/** Opens the sessions of `count` customers. Each customer asks for one price, so that their sessions at the providers are open, too. */
export const openSessions = async (url: string, count: number): Promise<string[]> => {
  await hasPrices(url);
  const ids: string[] = [];
  await inParallel(count, async (index) => {
    const wallet = createWallet(url);
    const { sessionId } = await wallet.open();
    await wallet.call('/quote', { session_id: sessionId, ...price });
    ids[index] = sessionId;
  });
  return ids;
};

/** Returns a source of requests for a price: the next customer's each time. */
export const asking = (sessionIds: string[]): (() => string) => {
  const bodies = sessionIds.map((id) => JSON.stringify({ session_id: id, ...price }));
  let next = 0;
  return () => bodies[(next += 1) % bodies.length] ?? '';
};
