/**
 * A database of release 0ed2386 with orders in every state (made by make-database.ts) is restored, migrated by the start of today's gateway, and read
 * by its customer. docs/decisions/2026-11-28-upgrade-from-0ed2386.md says what happened when both releases ran at the same time.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fromJson } from '../../src/domain/route-json.ts';
import { replay } from '../../src/domain/route.ts';
import { connect } from '../../src/entry/database-node.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { calling, environment, type Call } from './old-world.ts';

type Body = Record<string, unknown>;
type Kept = { dumpedOn: string; sessionId: string; orders: Record<string, string>; told: Record<string, Record<string, Body>> };
const read = (kind: string): string => readFileSync(new URL(`./0ed2386.${kind}`, import.meta.url), 'utf8');
const kept = JSON.parse(read('json')) as Kept;
let database: TestDatabase;
let gateway: TestGateway;
let call: Call;
beforeAll(async () => {
  database = await testDatabase({ empty: true });
  if (database.kind === 'pglite') await database.sql.unsafe(read('sql'));
  else {
    const own = connect(database.url, 1);
    await own.unsafe(read('sql'));
    await own.end();
  }
  const clock = movableClock();
  clock.move(Date.parse(kept.dumpedOn) + 60_000 - Date.now());
  // Bringin and North cannot be reached at this address, and the simulators of Alpine and Cobalt have no orders: only what is stored can be shown.
  const nowhere = 'http://127.0.0.1:9';
  gateway = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 3600 } }, cobalt: { simulator: { estimate: true } } },
    {
      database,
      clock,
      config: { orders: { max_open: 1000 } },
      environment: { ...environment, LOG_LEVEL: 'debug' },
      blocks: {
        bringin: { kind: 'bringin', base_url: nowhere, master_key_env: 'BRINGIN_MASTER_KEY', api_secret_env: 'BRINGIN_API_SECRET', repost: 'same' },
        north: { kind: 'lsps1', base_url: nowhere },
      },
    },
  );
  call = calling(createWallet(gateway.url), kept.sessionId);
});
afterAll(async () => {
  await gateway.close();
  await database.close();
});

const paths = ['/order-status', '/sell/order-status', '/liquidity/order-status'];
/** Returns an entry without the members that change with time or when a provider is asked again. */
const lasting = ({ checked_on: _checked, next_check_on: _next, ...entry }: Body): Body => entry;

it.each(paths)('%s shows every order as that release did, with more members at most', async (path) => {
  const before = Object.entries(kept.told[path] ?? {});
  expect(before.length).toBeGreaterThan(0);
  const { body } = await call(path);
  expect(Object.keys(body).toSorted()).toEqual(before.map(([id]) => id).toSorted());
  for (const [id, entry] of before) expect(body[id]).toMatchObject(lasting(entry));
});

it('a withdrawal that was given is given again, and the session still quotes and orders', async () => {
  const { body } = await call('/withdrawal', { order_id: kept.orders['withdrawn'] });
  expect(body['lnurlw']).toMatch(/^lnurl1/i);
  const quote = await call('/quote', { amount_fiat: 10_000, currency_id: 1, payment_option_id: 2 });
  const order = await call('/order', { quote_id: quote.body['quote_id'] });
  expect(order.body['order_status']).toBe('placed');
});

it('its routes are read and rank again to the same order', async () => {
  const rows = await database.sql<{ route: { route: never } }[]>`select route from routes where reads is null and ramp = 'buy'`;
  expect(rows.length).toBeGreaterThan(10);
  for (const { route } of rows) {
    const stored = fromJson(route.route);
    expect(stored.version).toBe(1);
    expect(replay(stored)).toEqual(stored.offers.map(({ providerId }) => providerId));
  }
  const { body } = await call('/route', { order_id: kept.orders['filled'] });
  expect([body['version'], body['chosen_rank'], String(body['receipt']).split('.').length]).toEqual([1, expect.any(Number), 3]);
});

it('its fills are added once, whichever instances add them, and count in the record as they should', async () => {
  await gateway.pass(1000);
  const { record } = gateway.server.gateway.stores;
  const now = gateway.clock.now();
  const fortnight = now - 14 * 86_400_000;
  const fills = async (): Promise<Body[]> =>
    await database.sql<Body[]>`select order_id, counted_in, told_receive is null as unfilled, counted_quoted = counted_delivered as whole from fills`;
  const first = await fills();
  await Promise.all([record.addMissing(now, fortnight, 50), record.addMissing(now, fortnight, 50)]);
  await gateway.pass(60_000);
  expect(await fills()).toEqual(first);
  const named = new Map(Object.entries(kept.orders).map(([name, id]) => [id, name]));
  const told = Object.fromEntries(
    first.map(({ order_id: id, counted_in: row, unfilled, whole }) => [named.get(String(id)), [row, unfilled === true, whole === true]]),
  );
  expect(told).toEqual({
    filled: ['none', false, true],
    withdrawn: ['none', false, true],
    finished: ['none', false, true],
    estimate_filled: ['estimates', false, true],
    estimate_short: ['estimates', false, false],
    paid: ['estimates', true, false],
    sell_finished: [expect.any(String), false, expect.any(Boolean)],
    liquidity_finished: ['none', false, true],
  });
  const [sums] = await database.sql<Body[]>`select orders, all_quoted_sats > all_delivered_sats as short from record_estimates where provider_id = 'cobalt'`;
  expect(sums).toEqual({ orders: 3, short: true });
});

it('order attempts of every state are there, and none of them moved', async () => {
  const rows = await database.sql<
    { state: string; n: number }[]
  >`select state, count(*)::int as n from intents where next_try_on > '9998-01-01' group by state`;
  expect(rows.map(({ state, n }) => `${state} ${n}`).toSorted()).toEqual([
    'dead 1',
    'prepared 1',
    'rejected 1',
    'review 1',
    'sending 1',
    'unknown 1',
    'unpayable 1',
  ]);
});
