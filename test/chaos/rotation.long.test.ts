/** G17: the sealing key is replaced as docs/operations.md says, step by step, while wallets order and read on two instances. */
import { randomBytes } from 'node:crypto';
import { afterAll, expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { rotateEnvironment } from '../../scripts/ops/key-plan.ts';
import { countByKey, reseal } from '../../scripts/ops/reseal.ts';
import { freshSecrets, readSecrets } from '../../src/config/secrets.ts';
import { createSeal } from '../../src/seal/seal.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { reportGoal } from '../fuzz/random.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';
import { most, unlimited } from './unlimited.ts';

/** The number of orders that a list shows by default. */
const limit = 50;

type Environment = Record<string, string>;
let database: TestDatabase | undefined;
let simulator: RunningSimulator | undefined;
const running = new Set<TestGateway>();
afterAll(async () => {
  for (const one of running) await one.close();
  await simulator?.close();
  await database?.close();
});

needsPostgres('G17: nothing is unreadable at any step of a rotation', async () => {
  const on = await testDatabase();
  database = on;
  const alpine = await startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600 });
  simulator = alpine;
  const step0: Environment = freshSecrets(randomBytes);
  const step1 = { ...step0, ...rotateEnvironment('seal', step0, undefined).variables };
  const [first = '', second = ''] = [step1['SEAL_KEY'], step1['SEAL_KEY_OLD']].map((key) => key?.split(':')[0]);
  const step2 = { ...step1, ...rotateEnvironment('seal', step1, second).variables };
  const step3 = { ...step2, SEAL_KEY_OLD: '' };
  const start = async (environment: Environment): Promise<TestGateway> => {
    const block = { opens_per_minute: most, concurrency: { in_flight: 64, queue: 64 } };
    const blocks = { alpine: { kind: 'fiat-on-ramp', base_url: alpine.url, ...block } };
    const gateway = await startTestGateway({}, { database: on, environment, config: unlimited, blocks });
    running.add(gateway);
    return gateway;
  };
  const stop = async (gateway: TestGateway): Promise<void> => {
    running.delete(gateway);
    await gateway.close();
  };

  let live: TestGateway[] = [await start(step0)];
  const bad: string[] = [];
  let reads = 0;
  let orders = 0;
  const traffic = { on: true };
  const shopped: { sessionId: string; mine: string[] }[] = [];
  const shop = async (n: number): Promise<void> => {
    const { sessionId } = await createWallet(live[0]?.url ?? '').open();
    const mine: string[] = [];
    shopped.push({ sessionId, mine });
    for (let turn = n; traffic.on; turn += 1) {
      const wallet = createWallet(live[turn % live.length]?.url ?? '');
      const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
      const order = await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] });
      if (order.status !== 200) bad.push(`/order ${order.status} ${String(order.body['code'])}`);
      else mine.push(String(order.body['order_id']));
      orders += 1;
      // The other instance reads the orders, which it can only do if it can open their sealed payment details.
      const other = createWallet(live[(turn + 1) % live.length]?.url ?? '');
      const all = await other.call('/order-status', { session_id: sessionId, limit });
      reads += 1;
      const shown = Object.values(all.body).filter((one) => (one as { payment_info?: object }).payment_info !== undefined).length;
      if (all.status !== 200 || shown !== Math.min(limit, mine.length)) bad.push(`/order-status ${all.status}: ${shown} of ${mine.length}`);
    }
  };
  const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));
  const phase = async (): Promise<void> => await wait(4000);
  /** Replaces the instances by one with this environment. For a while all of them get requests, but one that is about to stop gets none. */
  const roll = async (environment: Environment): Promise<void> => {
    const next = await start(environment);
    const old = live;
    live = [...old, next];
    await phase();
    live = [next];
    await wait(1000);
    for (const one of old) await stop(one);
  };
  const shops = Promise.all([0, 1, 2].map(shop));
  await phase();
  await roll(step1);
  await roll(step2);
  const before = await countByKey(on.sql);
  expect([...before.keys()].sort()).toEqual([first, second]);
  const secrets = readSecrets(step2, (live[0] as TestGateway).server.config);
  if (!secrets.ok) throw new Error(secrets.mistakes.join('; '));
  const started = performance.now();
  const wrapped = await reseal(on.sql, createSeal(secrets.secrets.seal), second);
  const ms = performance.now() - started;
  expect([...(await countByKey(on.sql)).keys()]).toEqual([second]);
  await roll(step3);
  await phase();
  traffic.on = false;
  await shops;
  // A list shows only 50 orders, so each order is read by itself, whichever key it was sealed under.
  const last = createWallet(live[0]?.url ?? '');
  for (const { sessionId, mine } of shopped)
    for (const order_id of mine) {
      const { status, body } = await last.call('/order-status', { session_id: sessionId, order_id });
      const entry = body[order_id] as { payment_info?: object } | undefined;
      if (entry?.payment_info === undefined) bad.push(`/order-status ${status} of ${order_id} at the end`);
    }
  expect(shopped.length).toBe(3);
  expect(bad).toEqual([]);
  const keys = await countByKey(on.sql);
  expect([...keys.keys()]).toEqual([second]);
  reportGoal(
    'G17',
    `${orders} orders and ${reads} reads of the newest ${limit} over three rolling steps: 0 failed, and each order read once more at the end; ${wrapped} values wrapped again in ${ms.toFixed(0)} ms under traffic, then 100 % of ${keys.get(second)} under the new key`,
    0,
  );
});
