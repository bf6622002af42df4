/** G16: the gateway's own entry under steady traffic: its heap after each of many garbage collections, and the slope through those points. */
import { randomBytes } from 'node:crypto';
import { afterEach, expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { reportGoal, sizeOf } from '../fuzz/random.ts';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';
import { imageNode } from '../support/image-node.ts';
import { startEntry, type Entry, type Heap } from './entry.ts';
import { most, unlimited } from './unlimited.ts';

const seconds = sizeOf(60, 60);
let entry: Entry | undefined;
let simulator: RunningSimulator | undefined;
let database: TestDatabase | undefined;
afterEach(async () => {
  await entry?.end();
  await simulator?.close();
  await database?.close();
});

/** Returns the slope by least squares: how much y grows per x. */
const slopeOf = (points: readonly { x: number; y: number }[]): number => {
  const mean = (of: 'x' | 'y'): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x0, y0] = [mean('x'), mean('y')];
  const over = points.reduce((sum, { x }) => sum + (x - x0) ** 2, 0);
  return over === 0 ? 0 : points.reduce((sum, { x, y }) => sum + (x - x0) * (y - y0), 0) / over;
};

needsPostgres('G16: steady traffic leaves nothing behind', async () => {
  database = await testDatabase();
  simulator = await startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600 });
  const providers = {
    alpine: {
      kind: 'fiat-on-ramp',
      base_url: simulator.url,
      opens_per_minute: most,
      concurrency: { in_flight: 64, queue: 64 },
      timeouts: { quote_ms: 8000 },
    },
  };
  // Neither a busy machine nor the pauses of the forced collections should make requests fail here.
  const routing = { quote_deadline_ms: 10_000, order_deadline_ms: 30_000 };
  const config = { mode: 'sandbox', network: 'regtest', ...unlimited, routing, providers };
  const image = imageNode();
  entry = await startEntry(
    config,
    { ...freshSecrets(randomBytes), DATABASE_URL: database.url, DATABASE_POOL: '10', LOG_LEVEL: 'info', MALLOC_ARENA_MAX: image.arenas },
    [...image.options, ...image.flags],
  );
  const { url, heap } = entry;
  const { control } = simulator;
  const bad = new Map<string, number>();
  let requests = 0;
  const started = performance.now();
  const over = (): boolean => performance.now() - started > seconds * 1000;
  const shop = async (): Promise<void> => {
    const wallet = createWallet(url);
    const ask = async (path: string, body: object) => {
      const answer = await wallet.call(path, body);
      requests += 1;
      if (answer.status !== 200) bad.set(`${path} ${answer.status}`, (bad.get(`${path} ${answer.status}`) ?? 0) + 1);
      return answer.body;
    };
    while (!over()) {
      const { sessionId } = await wallet.open();
      requests += 2;
      for (let n = 0; n < 8 && !over(); n += 1) {
        const price = { session_id: sessionId, amount_fiat: 10_000 + n, currency_id: 1, payment_option_id: 1 };
        await ask('/offers', price);
        const quote = await ask('/quote', price);
        if (n % 4 === 0) await ask('/order', { session_id: sessionId, quote_id: quote['quote_id'] });
        await ask('/order-status', { session_id: sessionId });
      }
    }
  };
  const points: { x: number; heap: number; rss: number }[] = [];
  const looks: Heap[] = [];
  const watch = async (): Promise<void> => {
    const everyMs = Math.max(250, (seconds * 1000) / 30);
    while (!over()) {
      await new Promise((done) => setTimeout(done, everyMs));
      const look = await heap();
      looks.push(look);
      points.push({ x: (performance.now() - started) / 1000, heap: look.heapUsed / 1024, rss: look.rss / 1024 });
      // The simulator's memory is not what is measured, but it shares the machine.
      control.history.requests.length = 0;
    }
  };
  await Promise.all([...Array.from({ length: 6 }, shop), watch()]);
  expect([...bad]).toEqual([]);
  // The first third includes one-time costs: compiled code, filling caches.
  const settled = points.slice(Math.floor(points.length / 3));
  const [heapSlope, rssSlope] = [slopeOf(settled.map(({ x, heap: y }) => ({ x, y }))), slopeOf(settled.map(({ x, rss: y }) => ({ x, y })))];
  const [last] = looks.slice(-1);
  const took = (performance.now() - started) / 1000;
  const calm = await heap();
  reportGoal(
    'G16',
    `${took.toFixed(0)} s at ${(requests / took).toFixed(0)} requests/s: 0 errors, heap ${(calm.heapUsed / 1024 / 1024).toFixed(1)} MB at the end, growing by ${heapSlope.toFixed(1)} kB/s, ${last?.handles} handles under load and ${calm.handles} after it, RSS ${((last?.rss ?? 0) / 1024 / 1024).toFixed(0)} MB, growing by ${rssSlope.toFixed(1)} kB/s`,
    0,
  );
});
