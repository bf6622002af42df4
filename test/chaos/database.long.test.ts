/**
 * G21: PostgreSQL is restarted, crashes, becomes read-only, is locked, ends its connections, and is slow or silent, while customers buy, sell and get
 * channels. Every response must be right, or a 503 that may be retried. Afterwards each promised order exists and is followed to its end, every
 * attempt is settled, and nothing was made twice.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { connect } from '../../src/entry/database-node.ts';
import { migrate } from '../../src/entry/migrate.ts';
import { chaosSeed, createRandom, reportGoal } from '../fuzz/random.ts';
import { migrationsFolder } from '../setup/database.ts';
import { startPostgres, type PostgresServer } from '../setup/postgres-server.ts';
import { startAllRamps } from '../support/all-ramps.ts';
import { startSlowNetwork } from '../support/slow-network.ts';
import { needsPgbouncer, startPgbouncer } from '../support/pgbouncer.ts';
import { needsPostgres, type TestDatabase } from '../support/postgres.ts';
import { violations, type Kept, type Made } from './checker.ts';
import { startCustomers, wait, type Kind } from './database-customers.ts';
import { most, unlimited } from './unlimited.ts';

/** Faults and customers have a random source each, so that the sequence of faults depends only on the seed. */
const [random, customersRandom] = [createRandom(chaosSeed), createRandom(chaosSeed + 1)];
/** Waits for about `ms`, so that each seed hits different moments. */
const about = async (ms: number): Promise<void> => await wait(ms * (0.7 + 0.6 * random.next()));

/** Starts the gateway and its providers. If given, `pooler` starts a pooler in front of the server and returns the address that the gateway gets. */
const startWorld = async (server: PostgresServer, pooler?: (url: string) => Promise<string>) => {
  const name = `ramp_outage_${randomBytes(4).toString('hex')}`;
  const command = async (...statements: string[]): Promise<void> => {
    const one = connect(server.url, 1);
    for (const statement of statements) await one.unsafe(statement);
    await one.end();
  };
  await command(`create database ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  // The test's own statements have no time limit.
  const own = `${url.href}?statement_timeout=0&lock_timeout=0`;
  const sql = connect(own, 3);
  await migrate({ kind: 'postgres', url: url.href, sql }, migrationsFolder);
  const network = await startSlowNetwork(Number(url.port));
  const through = new URL(url);
  through.host = `127.0.0.1:${network.port}`;
  // The gateway's time limits are also settings of the database, because a pooler does not pass on those of DATABASE_URL.
  await command(`alter database ${name} set statement_timeout = 1500`, `alter database ${name} set lock_timeout = 1000`);
  const address = pooler ? await pooler(through.href) : `${through.href}?statement_timeout=1500&lock_timeout=1000`;
  const database: TestDatabase = { url: address, kind: 'postgres', sql, close: async () => undefined };
  const ramps = await startAllRamps(
    { alpine: { simulator: { quoteTtlS: 7200, repost: 'rejects' }, block: { opens_per_minute: most } } },
    {
      database,
      firmPerNode: most,
      config: {
        ...unlimited,
        routing: { quote_ttl_s: 3600 },
      },
    },
  );
  return { ...ramps, sql, name, url: own, command, network };
};
type World = Awaited<ReturnType<typeof startWorld>>;

/** Returns everything that a database can do to a gateway, in a sequence that depends on the seed. */
const faults = (server: PostgresServer, { name, url, command, network }: World): [string, () => Promise<void>][] => {
  const endAll = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`;
  const away = (signal: 'SIGINT' | 'SIGQUIT') => async (): Promise<void> => {
    await server.down(signal);
    await about(2_000);
    await server.up();
  };
  const locked = (table: string) => async (): Promise<void> => {
    const blocker = connect(url, 1);
    await blocker.unsafe(`begin; lock table ${table} in access exclusive mode; select pg_sleep(2.5); rollback`);
    await blocker.end();
  };
  const all: [string, () => Promise<void>][] = [
    ['a restart', away('SIGINT')],
    ['a crash', away('SIGQUIT')],
    [
      'a server that only reads',
      async () => {
        await command(`alter database ${name} set default_transaction_read_only = on`, endAll);
        await about(4_000);
        await command(`alter database ${name} reset default_transaction_read_only`);
      },
    ],
    ...['sessions', 'routes', 'intents', 'orders', 'daily_uses'].map((table): [string, () => Promise<void>] => [`a lock on ${table}`, locked(table)]),
    [
      'connections that are ended',
      async () => {
        for (let n = 0; n < 6; n += 1) {
          await command(endAll);
          await about(400);
        }
      },
    ],
    [
      'a slow network',
      async () => {
        network.delayMs = 60;
        await about(4_000);
        network.delayMs = 0;
      },
    ],
    [
      'a silent network',
      async () => {
        network.hold();
        await about(3_000);
        network.release();
      },
    ],
  ];
  return all
    .map((one) => ({ one, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one);
};

const keptOf = async ({ sql }: World): Promise<Kept[]> =>
  await sql<Kept[]>`
  select i.id as "intentId", i.quote_id as "quoteId", i.provider_id as provider, i.state, i.upstream_order_id as "upstreamOrderId", i.moved_to as "movedTo",
    (select count(*) from orders o where o.intent_id = i.id)::int as orders from intents i`;

/**
 * Returns the orders that the providers made, except those that no customer was shown. The attempt's id is in the notice URL or the reference of an
 * order. Sellers of channels do not get it: there, the attempt names the order that was reserved for its price.
 */
const madeOf = ({ gateway, world }: World, kept: readonly Kept[]) => {
  const attempts = new Map(kept.map((one) => [one.intentId, one]));
  const buys = [...(gateway.simulators['alpine']?.control.orders.values() ?? [])].map(({ id, webhookUrl = '' }) => ({
    provider: 'alpine',
    orderId: id,
    intentId: /\/order\/([\w-]+)\//.exec(webhookUrl)?.[1] ?? 'none',
  }));
  const invoices = [...world.bringin.control.state.payables.values()].map(({ orderId, sourceId = '' }) => ({
    provider: 'bringin',
    orderId,
    intentId: sourceId.replace(/\.\d+$/, ''),
  }));
  // An invoice whose response was lost is requested again. At most one of them may have been shown, and the attempt must name that one.
  const sells = invoices.filter(({ orderId, intentId }) => (attempts.get(intentId)?.upstreamOrderId ?? orderId) === orderId);
  const recharges = [...world.thor.control.state.orders.values()].map(({ id, userRef = 'none' }) => ({ provider: 'thor', orderId: id, intentId: userRef }));
  const channels = (['north', 'south'] as const).flatMap((provider) => [...world[provider].control.orders.keys()].map((orderId) => ({ provider, orderId })));
  const ordered = channels.flatMap(({ provider, orderId }) =>
    kept.filter((one) => one.provider === provider && one.upstreamOrderId === orderId).map(({ intentId }) => ({ provider, orderId, intentId })),
  );
  // Only the lost response said how to pay, so the order expires: docs/decisions/2026-11-21-lost-liquidity-orders-end-at-once.md.
  const lapsed = new Set(kept.filter((one) => one.provider === 'thor' && one.state === 'unpayable' && one.upstreamOrderId === null).map((one) => one.intentId));
  const shown = [...buys, ...sells, ...recharges.filter(({ intentId }) => !lapsed.has(intentId)), ...ordered];
  return {
    made: shown.map((one): Made => ({ ...one, status: '' })),
    settled: kept.map((one) => (lapsed.has(one.intentId) ? { ...one, state: 'dead' } : one)),
    unseen: `${invoices.length - sells.length} invoices, ${lapsed.size} recharges and ${channels.length - new Set(ordered.map((one) => one.orderId)).size} channel orders that nobody was shown`,
  };
};

const kinds = ['buy', 'sell', 'channel', 'recharge'] as const;
const more = (values: readonly (string | null)[]): number => values.filter((one) => one !== null).length - new Set(values.filter((one) => one !== null)).size;

const outages = async (title: string, pooler?: (url: string) => Promise<string>): Promise<void> => {
  const server = await startPostgres({ durable: true });
  if (!server) throw new Error('PostgreSQL is not installed');
  const on = await startWorld(server, pooler);
  const { gateway, world, sql } = on;
  const customers = await startCustomers(on, customersRandom);
  const { wrong, told, placed, counts, phases } = customers;
  await wait(4_000);
  let slowestReturnMs = 0;
  for (const [what, happens] of faults(server, on)) {
    customers.enter(what);
    await happens();
    customers.enter(`after ${what}`);
    const [ended, before] = [performance.now(), placed.length];
    // Before the next fault, traffic of every kind must be running again.
    const isBack = (): boolean => kinds.every((kind) => placed.slice(before).some((one) => one.kind === kind && one.answer.status === 200));
    while (!isBack() && performance.now() < ended + 60_000) await wait(100);
    if (!isBack()) wrong.push(`a minute after ${what} not every ramp takes orders again`);
    slowestReturnMs = Math.max(slowestReturnMs, performance.now() - ended);
    await about(1_500);
  }
  await customers.leave();

  customers.enter('afterwards');
  await customers.repeatAndPay();
  const open = async (): Promise<number> => (await keptOf(on)).filter((one) => ['prepared', 'sending', 'unknown'].includes(one.state)).length;
  for (let n = 0; n < 40 && (await open()) > 0; n += 1) await gateway.pass(60_000);
  const ends: Record<Kind, string> = { buy: 'filled', sell: 'finished', channel: 'finished', recharge: 'finished' };
  const good = placed.filter(({ answer }) => answer.status === 200);
  const wanted = new Map(good.map(({ kind, answer }) => [String(answer.body['order_id']), ends[kind]]));
  type Stored = { id: string; stage: string; upstream: string; quote: string };
  const stored = async (): Promise<Stored[]> =>
    await sql<Stored[]>`select id, stage, quote_id as quote, provider_id || ' ' || upstream_order_id as upstream from orders`;
  const behind = async (): Promise<Stored[]> => (await stored()).filter(({ id, stage }) => (wanted.get(id) ?? stage) !== stage);
  const untold = async (): Promise<number> =>
    (await sql<{ n: number }[]>`select count(*)::int as n from deliveries where state not in ('delivered', 'superseded')`)[0]?.n ?? 0;
  for (let n = 0; n < 60 && (await behind()).length + (await untold()) > 0; n += 1) await gateway.pass(60_000);
  const unfinished = await behind();
  for (const { id, stage } of unfinished) wrong.push(`${id} was paid and is ${stage}`);

  // ---- what the wallets were told, what the providers made, what the database says ----------------------------------------------------
  const [kept, rows, unsettled] = [await keptOf(on), await stored(), await open()];
  if (unsettled > 0) wrong.push(`${unsettled} attempts are not settled`);
  const { made, settled, unseen } = madeOf(on, kept);
  wrong.push(...violations(told, made, settled));
  for (const { id, evidence } of await sql<{ id: string; evidence: string }[]>`select id, evidence::text from intents where state = 'review'`)
    wrong.push(`${id} is in review: ${evidence}`);
  const lost = [...wanted.keys()].filter((id) => !rows.some((row) => row.id === id));
  const repeated = more(made.map(({ intentId }) => intentId)) + more(rows.map(({ upstream }) => upstream)) + more(rows.map(({ quote }) => quote));
  // Every order of a seller of channels was counted before it was made.
  for (const id of ['north', 'south'] as const) {
    const [row] = await sql<
      { used: string }[]
    >`select coalesce(sum(used), 0)::text as used from daily_uses where purpose = 'seller-orders' and subject = ${id}`;
    if (Number(row?.used) < world[id].control.orders.size) wrong.push(`${id} made ${world[id].control.orders.size} orders, and ${row?.used} are counted`);
  }
  // Each order's wallet got webhooks about it, and none is left to deliver.
  const heard = new Set(world.receiver.received.map(({ body }) => (JSON.parse(body) as { data: { order_id: string } }).data.order_id));
  const unheard = [...wanted.keys()].filter((id) => !heard.has(id));
  if (unheard.length + (await untold()) > 0) wrong.push(`${await untold()} webhooks are not delivered, and ${unheard.length} orders had none`);

  const share = (kind: Kind): string => `${good.filter((one) => one.kind === kind).length} ${kind}`;
  const ended = rows.filter(({ id, stage }) => wanted.get(id) === stage).length;
  const under = [...phases]
    .filter(([what]) => !/^(?:after|calm)/.test(what))
    .map(([what, { good: ok, retried }]) => `${what} ${ok} were good and ${retried} told to retry`);
  const sums = `${lost.length} lost, ${repeated} twice, ${kept.length - unsettled} of ${kept.length} attempts settled, ${made.length} orders at providers, ${heard.size} orders' webhooks`;
  const rest = `${placed.length - good.length} lapsed and said so; ${unseen}`;
  const back = `every ramp took orders again within ${Math.round(slowestReturnMs)} ms of each`;
  reportGoal(
    'G21',
    `${title}: ${counts.answers} answers (of those that met ${under.join('; ')}; ${back}): ${counts.retried} were 503 retryable, ${wrong.length} wrong; orders ${kinds.map(share).join(', ')}: ${good.filter(({ paid }) => paid).length} paid, ${ended} at their end, ${sums}; ${rest}; the longest answer ${Math.round(counts.longestMs)} ms (${counts.longest})`,
  );
  if (wrong.length > 0) for (const line of gateway.logs.filter((one) => one.includes('"level":"error"')).slice(0, 60)) console.error(line);
  await on.close();
  on.network.close();
  await sql.end();
  await server.stop();
  expect({ wrong, lost, repeated }).toEqual({ wrong: [], lost: [], repeated: 0 });
  for (const kind of kinds) expect(good.filter((one) => one.kind === kind).length).toBeGreaterThan(10);
};

needsPostgres(
  'G21: three ramps while the database is restarted, crashes, only reads, is locked, slow and ends its connections',
  async () => await outages('a PostgreSQL'),
);
needsPgbouncer(
  'G21: the same behind a pooler in transaction mode',
  async () => await outages('a PostgreSQL behind PgBouncer', async (url) => await startPgbouncer(url, { pool_mode: 'transaction' })),
);
