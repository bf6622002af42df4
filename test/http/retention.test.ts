import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { pruneOld } from '../../src/gateway/run-scheduled.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } });
});
afterAll(async () => await gateway.close());

const days = {
  quotes_days: 30,
  sessions_days: 30,
  people_days: 30,
  notices_days: 30,
  deliveries_days: 30,
  idempotency_hours: 24,
  operator_log_days: 30,
  fills_days: 30,
  figures_days: 730,
};

it('prunes what is old and not needed, and keeps the decision behind every order', async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const ask = { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
  await wallet.call('/payment-options', { session_id: sessionId });
  const ordered = (await wallet.call('/quote', ask)).body['quote_id'];
  const forgotten = (await wallet.call('/quote', ask)).body['quote_id'];
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: ordered }, { 'idempotency-key': 'first-order' });
  expect(order.status).toBe(200);
  const { stores } = gateway.server.gateway;
  await stores.liquidity.take({ day: '2026-01-01', purpose: 'firm-quotes', subject: 'north' }, 1n, 10n);
  await stores.liquidity.savePrice('north', 'inbound', {}, Date.now());

  const untouched = await pruneOld(gateway.server.gateway, days);
  expect(untouched).toMatchObject({ routes: 0, idempotency_keys: 0, sessions: 0, last_prices: 0, daily_uses: 1 });

  const { sql } = gateway.database;
  await sql`update routes set created_on = now() - interval '40 days'`;
  await sql`update idempotency_keys set created_on = now() - interval '40 days'`;
  await sql`update sessions set expires_on = now() - interval '40 days'`;
  await sql`update orders set changed_on = now() - interval '40 days', final = true`;
  await sql`update last_prices set observed_on = now() - interval '40 days'`;
  const pruned = await pruneOld(gateway.server.gateway, days);
  expect(pruned).toMatchObject({ routes: 1, idempotency_keys: 1, sessions: 0, last_prices: 1, payment_info: 1 });

  const gone = await wallet.call('/route', { session_id: sessionId, quote_id: forgotten });
  const kept = await wallet.call('/route', { session_id: sessionId, quote_id: ordered });
  expect([gone.status, kept.status]).toEqual([404, 200]);
  const list = await wallet.call('/order-status', { session_id: sessionId });
  expect(Object.keys(list.body)).toEqual([order.body['order_id']]);
});

it('keeps up with 100 quotes a second: ten minutes of them go at once, not a thousand', async () => {
  const { sql } = gateway.database;
  const [row] = await sql<{ customer_id: string }[]>`select customer_id from routes limit 1`;
  expect(row).toBeDefined();
  // The routes have no decisions, because only their number matters here.
  await sql`with one as materialized (select to_jsonb(r) || jsonb_build_object('created_on', now() - interval '40 days', 'route', '{}'::jsonb) as kept from routes r limit 1)
    insert into routes select (jsonb_populate_record(null::routes, kept || jsonb_build_object('id', gen_random_uuid()))).* from one, generate_series(1, 60000)`;
  // Pruning lasts at most a minute by the gateway's clock, which stands still here, so a busy machine does not matter.
  const pruned = await gateway.clock.still(async () => await pruneOld(gateway.server.gateway, days));
  expect(pruned['routes']).toBeGreaterThanOrEqual(60_000);
  expect(await sql`select 1 from routes where created_on < now() - interval '31 days' limit 1`).toHaveLength(1); // the one behind the order
});

it('a pass looks only at the kinds of which the last one deleted as many rows as it may', async () => {
  const { sql } = gateway.database;
  await sql`insert into notices (id, provider_id, purpose, target_id, genuine, received_on)
    select gen_random_uuid(), 'alpine', 'order', 'x', true, now() - interval '40 days' from generate_series(1, 5)`;
  const real = gateway.server.gateway;
  const asked: unknown[] = [];
  const prune: typeof real.stores.prune = async (...given) => {
    const pruned = await real.stores.prune(...given);
    asked.push([given[2], Object.keys(pruned.counts).length > 1, pruned.counts['notices']]);
    return pruned;
  };
  expect((await pruneOld({ ...real, stores: { ...real.stores, prune } }, days, 2))['notices']).toBe(5);
  expect(asked).toEqual([
    [undefined, true, 2],
    [['notices'], false, 2],
    [['notices'], false, 1],
  ]);
});

it('a kind of rows that cannot be deleted is logged, and the others go', async () => {
  const { sql } = gateway.database;
  const { stores } = gateway.server.gateway;
  await stores.liquidity.savePrice('south', 'inbound', {}, Date.now());
  await sql`update last_prices set observed_on = now() - interval '40 days'`;
  await sql`insert into notices (id, provider_id, purpose, target_id, genuine, received_on) values (${crypto.randomUUID()}, 'alpine', 'order', 'x', true, now() - interval '40 days')`;
  await sql.unsafe("create function refuse() returns trigger language plpgsql as $$ begin raise exception 'this row stays'; end $$");
  await sql.unsafe('create trigger refuse before delete on notices for each row execute function refuse()');
  const pruned = await pruneOld(gateway.server.gateway, days);
  expect([pruned['last_prices'], pruned['notices']]).toEqual([1, undefined]);
  expect(gateway.logs.filter((line) => line.includes('"prune_failed"')).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 'error', kind: 'notices', error: expect.stringContaining('this row stays') },
  ]);
});
