/** PgBouncer between the gateway and its database, as operators run it. */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { watchConnections } from '../../src/entry/connection-watch.ts';
import { connect, isPooled, openDatabase } from '../../src/entry/database-node.ts';
import { migrate } from '../../src/entry/migrate.ts';
import { startServer } from '../../src/entry/node-server.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { startAllRamps } from '../support/all-ramps.ts';
import { startTestGateway } from '../support/gateway.ts';
import { buyChannel, buyOpened, buyTurbo, inbound, recharge } from '../support/scenarios/liquidity.ts';
import { connected, optionOf, sellToBank, topUpCard } from '../support/scenarios/sell.ts';
import { opened, type Body } from '../support/wallet.ts';
import { needsPgbouncer, startPgbouncer } from '../support/pgbouncer.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { migrationsFolder } from '../setup/database.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const log = (): void => undefined;
const byTransaction = { pool_mode: 'transaction', server_round_robin: 1 };

let database: TestDatabase;
beforeAll(async () => {
  if (inject('testServer') !== undefined) database = await testDatabase();
});
afterAll(async () => await database?.close());

needsPgbouncer('one connection is enough to tell whether a pooler works', async () => {
  expect(await isPooled(database.url)).toBe(false);
  for (const pool_mode of ['transaction', 'session', 'statement']) {
    const pooler = await startPgbouncer(database.url, { pool_mode });
    expect([pool_mode, await isPooled(pooler)]).toEqual([pool_mode, true]);
  }
});

needsPgbouncer('each query gets its own rows, many at a time, also after a failed statement', async () => {
  const pooler = await startPgbouncer(database.url, byTransaction);
  const open = await openDatabase({ url: pooler, dataDir: 'unused', log, poolSize: 10 });
  const asked = Array.from({ length: 160 }, (_, n) => n);
  const answers = await Promise.all(
    asked.map(async (n) => {
      if (n % 10 === 3) await open.sql`select ${n}::int / 0 as n`.catch(() => undefined);
      // After a statement without parameters, the driver by default sends the next one without waiting.
      if (n % 7 === 1) await open.sql`select 1`;
      return await open.sql`select ${n}::int as n, ${`text ${n}`}::text as text`;
    }),
  );
  expect(answers).toEqual(asked.map((n) => [{ n, text: `text ${n}` }]));
  await open.close();
});

needsPgbouncer('statements that were prepared at another server process give their own rows too, or an error', async () => {
  const pooler = await startPgbouncer(database.url, byTransaction);
  const sql = connect(pooler, 10, { prepare: true });
  const asked = Array.from({ length: 200 }, (_, n) => n);
  const answers = await Promise.all(asked.map(async (n) => await sql`select ${n}::int as n, ${`text ${n}`}::text as text`));
  expect(answers).toEqual(asked.map((n) => [{ n, text: `text ${n}` }]));
  const told: string[] = [];
  const open = { sql, url: pooler, kind: 'postgres' as const, pooled: false, close: async () => await sql.end() };
  const watch = watchConnections(open, 10, (level, event) => told.push(`${level} ${event}`));
  expect(watch.trusted()).toBe(true);
  await watch.look();
  await watch.look();
  expect([watch.trusted(), told]).toEqual([false, ['error database.pooled']]);
  await sql.end();
});

needsPgbouncer('five starts at once migrate through it, and leave no lock behind', async () => {
  const empty = await testDatabase({ empty: true });
  const pooler = await startPgbouncer(empty.url, byTransaction);
  const start = async (): Promise<void> => {
    const open = await openDatabase({ url: pooler, dataDir: 'unused', log });
    await migrate(open, migrationsFolder);
    await open.close();
  };
  await Promise.all([1, 2, 3, 4, 5].map(start));
  await start();
  expect(
    await empty.sql`select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
  ).toEqual([]);
  await empty.close();
});

needsPgbouncer('twelve purchases at a time through it', async () => {
  const pooler = await startPgbouncer(database.url, byTransaction);
  const pooled: TestDatabase = { ...database, url: pooler };
  const gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } }, borealis: { simulator: {} } }, { database: pooled });
  const buy = async (): Promise<unknown> => {
    const wallet = createWallet(gateway.url);
    const { session_id } = (await wallet.call('/verify')).body;
    const opened = await wallet.call('/session', { session_id });
    expect([opened.status, opened.body['code']]).toEqual([200, undefined]);
    const quote = await wallet.call('/quote', { session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    const order = await wallet.call('/order', { session_id, quote_id: quote.body['quote_id'] });
    const again = await wallet.call('/order', { session_id, quote_id: quote.body['quote_id'] });
    expect(again.body).toEqual(order.body);
    return [quote.status, order.status, typeof order.body['order_id']];
  };
  const bought = await Promise.all(Array.from({ length: 12 }, buy));
  expect(bought).toEqual(bought.map(() => [200, 200, 'string']));
  // Each of these may be answered by another server process. None of them has a statement of the gateway. `select 1` is that of startPgbouncer.
  const through = connect(pooler, 10);
  const held = await Promise.all(
    Array.from({ length: 40 }, async () => await through`select statement from pg_prepared_statements where statement <> 'select 1'`),
  );
  await through.end();
  expect(held.flat()).toEqual([]);
  expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200);
  expect(gateway.logs.some((line) => line.includes('"event":"database.pooled"'))).toBe(true);
  expect(gateway.logs.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  await gateway.close();
});

needsPgbouncer(
  'a sale to a bank and one onto the card, a channel with its firm prices, one that the gateway has opened, a turbo channel and a recharge through it',
  async () => {
    const own = await testDatabase();
    const pooler = await startPgbouncer(own.url, byTransaction);
    const { gateway, world, close } = await startAllRamps({}, { database: { ...own, url: pooler } });
    try {
      await sellToBank(world);
      await topUpCard(world);
      await buyChannel(world);
      await buyOpened(world);
      expect(await buyTurbo(world)).toMatch(/^LNURL1/i);
      await recharge(world);
      expect(gateway.logs.some((line) => line.includes('"event":"database.pooled"'))).toBe(true);
      expect(gateway.logs.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    } finally {
      await close();
      await own.close();
    }
  },
);

needsPgbouncer('sales and channels of twelve customers at a time through it: each gets their own order, once', async () => {
  const own = await testDatabase();
  const pooler = await startPgbouncer(own.url, byTransaction);
  const { gateway, world, close } = await startAllRamps({}, { database: { ...own, url: pooler } });
  try {
    const sell = async (n: number): Promise<unknown> => {
      const { call } = await opened(gateway.url);
      await connected(world, call, `seller-${n}@example.com`);
      const card = await optionOf(call, 'Card balance');
      const quote = await call('/sell/quote', { amount_sats: 100_000 + n, ...card });
      const order = await call('/sell/order', { quote_id: quote.body['quote_id'] });
      const again = await call('/sell/order', { quote_id: quote.body['quote_id'] });
      expect(again.body).toEqual(order.body);
      return [order.status, order.body['amount_sats'], (order.body['payment_info'] as Body)['amount_sats']];
    };
    const channel = async (n: number): Promise<unknown> => {
      const { call } = await opened(gateway.url);
      const offers = await call('/liquidity/offers', { ...inbound, amount_sats: 1_000_000 + n, firm: true });
      const [offer] = offers.body['offers'] as Body[];
      const order = await call('/liquidity/order', { quote_id: offer?.['quote_id'] });
      const again = await call('/liquidity/order', { quote_id: offer?.['quote_id'] });
      expect(again.body).toEqual(order.body);
      return [order.status, order.body['inbound_sats'], order.body['pay_sats'] === offer?.['pay_sats']];
    };
    const many = Array.from({ length: 6 }, (_, n) => n);
    const [sold, bought] = await Promise.all([Promise.all(many.map(sell)), Promise.all(many.map(channel))]);
    expect(sold).toEqual(many.map((n) => [200, 100_000 + n, 100_000 + n]));
    expect(bought).toEqual(many.map((n) => [200, 1_000_000 + n, true]));
    expect([world.north.control.orders.size, world.south.control.orders.size]).toEqual([6, 6]);
    expect(gateway.logs.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  } finally {
    await close();
    await own.close();
  }
});

needsPgbouncer('by statement, and with a setting that it does not take, the start is refused by name', async () => {
  const start = async (url: string): Promise<string> =>
    await startServer({
      environment: { ...freshSecrets(randomBytes), PORT: '0', DATABASE_URL: url, LOG_LEVEL: 'silent' },
      modules: providerModules,
      root,
      configText: stringify({ mode: 'sandbox', network: 'regtest', providers: {} }),
    }).then(
      async (server) => {
        await server.stop();
        return 'it started';
      },
      (error: Error) => error.message,
    );
  const empty = await testDatabase({ empty: true });
  const byStatement = await startPgbouncer(empty.url, { pool_mode: 'statement' });
  expect(await start(byStatement)).toMatch(/^the pooler of DATABASE_URL ends connections that begin a transaction \(pool_mode = statement\)/);
  const pooler = await startPgbouncer(database.url, byTransaction);
  expect(await start(`${pooler}?statement_timeout=10000`)).toMatch(
    /^DATABASE_URL asks for a setting that this server, or the pooler in front of it, does not accept/,
  );
  await empty.close();
});
