/**
 * Two instances on one PostgreSQL. One is killed while orders go through both (96, or 200 with CHAOS=full), and nothing that was promised to a wallet
 * is lost.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import { afterAll, beforeAll, expect } from 'vitest';
import { createWallet, type Reply } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { sizeOf } from '../fuzz/random.ts';
import { freePort } from '../setup/local-server.ts';
import { until } from '../support/gateway.ts';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';
import { makeImageFolder, startImage, type Child } from './runtimes.ts';

const total = sizeOf(96, 200);
const customers = 16;
const events = ['withdrawal_ready', 'order_status_changed'];

type Hook = { id: string; type: string; order: string };
const received: Hook[] = [];
let database: TestDatabase;
let provider: RunningSimulator;
let receiver: Server;
let folder = '';
let doomed: Child;
let survivor: Child;
beforeAll(async () => {
  database = await testDatabase();
  if (database.kind !== 'postgres') return;
  provider = await startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600, repost: 'rejects' });
  receiver = await startSlowReceiver();
  const port = await freePort();
  folder = await makeImageFolder(
    stringify({
      mode: 'sandbox',
      network: 'regtest',
      public_url: `http://127.0.0.1:${port}`,
      limits: { verify_per_minute: 10_000, quotes_per_minute: 10_000, orders_per_minute: 10_000 },
      orders: { max_open: 1000 },
      routing: { order_deadline_ms: 3000 },
      webhooks: { in_flight_per_host: 200 },
      providers: { alpine: { kind: 'fiat-on-ramp', base_url: provider.url } },
    }),
  );
  const environment = { ...freshSecrets(randomBytes), LOG_LEVEL: 'info', DATABASE_URL: database.url };
  [doomed, survivor] = await Promise.all([
    startImage(folder, { ...environment, INSTANCE: 'doomed' }),
    startImage(folder, { ...environment, INSTANCE: 'survivor', PORT: String(port) }),
  ]);
});
afterAll(async () => {
  if (database.kind === 'postgres') {
    for (const { child } of [doomed, survivor]) child.kill('SIGTERM');
    await Promise.all([doomed.exited, survivor.exited]);
    await provider.close();
    receiver.closeAllConnections();
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
  await database.close();
});

/** Starts a receiver that is slow enough that deliveries are in progress at any moment. */
const startSlowReceiver = async (): Promise<Server> =>
  await new Promise((listening) => {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { type, data } = JSON.parse(body) as { type: string; data: { order_id: string } };
        received.push({ id: String(request.headers['webhook-id']), type, order: data.order_id });
        setTimeout(() => response.writeHead(200).end(), 20);
      });
    });
    server.listen(0, '127.0.0.1', () => listening(server));
  });
/**
 * Calls like a wallet with two addresses of the gateway: if one does not answer, it uses the other. Returns undefined if there is no final answer
 * within three seconds.
 */
const patient = (first: string, second: string) => {
  const wallets = [createWallet(first), createWallet(second)];
  return async (path: string, body: object): Promise<Reply | undefined> => {
    for (const end = Date.now() + 3000; Date.now() < end; await new Promise((done) => setTimeout(done, 100))) {
      const reply = await wallets[0]?.call(path, body).catch(() => undefined);
      if (reply && reply.status !== 503) return reply;
      if (!reply) wallets.reverse();
    }
    return undefined;
  };
};

/** Quotes and orders until `wanted` orders can be paid. After a request that was cut off, a new customer continues. */
const shop = async (customer: number, wanted: number, placed: (order: string) => void): Promise<void> => {
  const [first, second] = customer % 2 === 0 ? [doomed.url, survivor.url] : [survivor.url, doomed.url];
  const call = patient(first, second);
  const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  let { sessionId } = await createWallet(survivor.url).open();
  for (let bought = 0; bought < wanted;) {
    const quote = await call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    const order = await call('/order', { session_id: sessionId, quote_id: quote?.body['quote_id'], webhook_url: hook, webhook_events: events });
    if (order?.body['order_status'] === 'placed') {
      bought += 1;
      placed(String(order.body['order_id']));
    } else {
      // The order request was cut off. The gateway finds out the order's outcome by itself, and a new customer continues.
      ({ sessionId } = await createWallet(survivor.url).open());
    }
  }
};

/** Pays every order that the gateway has stored and that the provider reports as unpaid. The provider then reports the payment. */
const payAll = async (): Promise<void> => {
  const { orders, pay } = provider.control;
  for (const { id } of await database.sql<{ id: string }[]>`select upstream_order_id as id from orders`) if (orders.get(id)?.status === 'placed') await pay(id);
};

/** Ends the leases of the killed instance at once, instead of waiting half a minute. */
const endLeases = async (): Promise<void> => {
  for (const table of ['deliveries', 'intents', 'orders'])
    await database.sql.unsafe(`update ${table} set lease_until = now() where lease_until > now() and lease_owner like 'doomed%'`);
};

needsPostgres('one of two instances is killed half way: each webhook arrives, and under one id only', async () => {
  const orders = new Set<string>();
  let killed = false;
  const shops = Array.from({ length: customers }, async (_, n) => {
    await shop(n, Math.floor(total / customers) + (n < total % customers ? 1 : 0), (order) => {
      orders.add(order);
      if (orders.size === total / 2) killed = doomed.child.kill('SIGKILL');
    });
  });
  let shopping = true;
  const paying = (async () => {
    while (shopping) {
      await payAll();
      if (killed) await endLeases();
      await new Promise((done) => setTimeout(done, 50));
    }
  })();
  await Promise.all(shops);
  shopping = false;
  await paying;
  // An order whose response was lost may be found at any time, and is then paid like the others.
  let all: string[] = [];
  const missing = (): string[] => all.filter((order) => !received.some((one) => one.order === order && one.type === 'withdrawal_ready'));
  await until('every webhook', async () => {
    await payAll();
    await endLeases();
    all = (await database.sql<{ id: string }[]>`select id from orders`).map((row) => row.id);
    const open = await database.sql`select 1 from deliveries where state <> 'delivered' limit 1`;
    return missing().length === 0 && open.length === 0 ? true : undefined;
  }).catch(() => undefined);

  expect([killed, orders.size, missing()]).toEqual([true, total, []]);
  expect([...orders].filter((order) => !all.includes(order))).toEqual([]);
  const idsOf = (order: string) => new Set(received.filter((one) => one.order === order && one.type === 'withdrawal_ready').map((one) => one.id)).size;
  expect(all.filter((order) => idsOf(order) !== 1)).toEqual([]);
  const [kept] = await database.sql<{ rows: number; done: number; steps: number }[]>`
      select count(*)::int as rows, count(*) filter (where state = 'delivered')::int as done, count(distinct (subject_id, type, sequence))::int as steps from deliveries`;
  const ids = new Set(received.map((one) => one.id)).size;
  expect(kept).toEqual({ rows: ids, done: ids, steps: ids });
});
