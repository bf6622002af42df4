/**
 * G19: two instances on one database are restarted by SIGTERM, one after the other, while wallets quote, order and read. A load balancer checks which
 * are ready, and retries a refused connection at the other instance, as load balancers do. Every request that was sent must be answered.
 */
import { randomBytes } from 'node:crypto';
import { afterEach, expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { reportGoal } from '../fuzz/random.ts';
import { freePort } from '../setup/local-server.ts';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';
import { startEntry, type Entry } from './entry.ts';
import { most, unlimited } from './unlimited.ts';

const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));

const entries: Entry[] = [];
let simulator: RunningSimulator | undefined;
let database: TestDatabase | undefined;
afterEach(async () => {
  await Promise.all(entries.map(async (one) => await one.end()));
  await simulator?.close();
  await database?.close();
});

needsPostgres('G19: a rolling restart under load answers everything', async () => {
  database = await testDatabase();
  // The provider is so slow that a request is always in progress.
  simulator = await startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600, latencyMs: 60 });
  const config = {
    mode: 'sandbox',
    network: 'regtest',
    ...unlimited,
    // The test should not fail because the machine is busy.
    routing: { quote_deadline_ms: 10_000, order_deadline_ms: 30_000 },
    providers: {
      alpine: {
        kind: 'fiat-on-ramp',
        base_url: simulator.url,
        opens_per_minute: most,
        concurrency: { in_flight: 64, queue: 64 },
        timeouts: { quote_ms: 8000 },
      },
    },
  };
  const environment = { ...freshSecrets(randomBytes), DATABASE_URL: database.url, DATABASE_POOL: '6' };
  const ports = [await freePort(), await freePort()] as const;
  const start = async (n: 0 | 1): Promise<Entry> => {
    const entry = await startEntry(config, { ...environment, PORT: String(ports[n]), INSTANCE: `replica-${n}` });
    entries.push(entry);
    return entry;
  };
  const running = (await Promise.all([start(0), start(1)])) as [Entry, Entry];

  const failed: string[] = [];
  const longest = { ms: 0 };
  let answered = 0;
  let passedOn = 0;
  let turn = 0;
  /** Which instances are ready; the load balancer checks ten times a second. */
  const ready: [boolean, boolean] = [true, true];
  const shopping = { on: true };
  const look = async (n: 0 | 1): Promise<void> => {
    while (shopping.on) {
      const answer = await fetch(`http://127.0.0.1:${ports[n]}/health/ready`, { headers: { connection: 'close' } }).catch(() => undefined);
      await answer?.body?.cancel();
      ready[n] = answer?.status === 200;
      await wait(100);
    }
  };
  const balancer = Promise.all([look(0), look(1)]);
  /** Sends one request to an instance that is ready and accepts connections. */
  const ask = async (path: string, body: object, headers: Record<string, string> = {}): Promise<Record<string, unknown>> => {
    const started = performance.now();
    turn += 1;
    for (let n = turn; n < turn + 40; n += 1) {
      if (!ready[n % 2]) {
        await wait(1);
        continue;
      }
      try {
        const response = await fetch(`http://127.0.0.1:${ports[n % 2]}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
        });
        const answer = (await response.json()) as Record<string, unknown>;
        if (response.status !== 200) failed.push(`${path} ${response.status} ${String(answer['code'])}`);
        answered += 1;
        longest.ms = Math.max(longest.ms, performance.now() - started);
        return answer;
      } catch (error) {
        const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
        if (cause?.code !== 'ECONNREFUSED') {
          failed.push(`${path} ${cause?.code ?? String(error)} after ${(performance.now() - started).toFixed(0)} ms`);
          return {};
        }
        passedOn += 1;
        await wait(5);
      }
    }
    failed.push(`${path}: no instance accepts a connection`);
    return {};
  };
  const shop = async (): Promise<void> => {
    const { sessionId } = await createWallet(running[0].url).open();
    while (shopping.on) {
      const quote = await ask('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
      const order = await ask('/order', { session_id: sessionId, quote_id: quote['quote_id'] }, { 'idempotency-key': `key-${String(quote['quote_id'])}` });
      await ask('/order-status', { session_id: sessionId, order_id: order['order_id'] });
    }
  };
  const shops = Promise.all(Array.from({ length: 8 }, shop));
  await wait(300);
  const stops: number[] = [];
  for (let round = 0; round < 3; round += 1)
    for (const n of [0, 1] as const) {
      const { code, ms } = await running[n].stop();
      expect(code).toBe(0);
      stops.push(ms);
      running[n] = await start(n);
      await wait(1500);
    }
  shopping.on = false;
  await shops;
  await balancer;
  expect(failed).toEqual([]);
  expect(Math.max(...stops)).toBeLessThanOrEqual(10_000);
  const [lost] = await database.sql<{ n: number }[]>`select count(*)::int as n from intents where state <> 'confirmed'`;
  expect(lost?.n).toBe(0);
  reportGoal(
    'G19',
    `${stops.length} restarts under ${answered} requests: 0 failed, ${passedOn} refused connections taken to the other instance, the longest stop ${(Math.max(...stops) / 1000).toFixed(1)} s, the longest answer ${longest.ms.toFixed(0)} ms`,
    0,
  );
});
