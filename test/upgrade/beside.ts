/**
 * Today's gateway starts beside the release 0ed2386 on one database, migrates it under its feet, and both serve the same customer:
 * `npx node --no-warnings test/upgrade/beside.ts <worktree of 0ed2386>`. What was seen stands in docs/decisions/2026-11-28-upgrade-from-0ed2386.md.
 */
import { deepStrictEqual } from 'node:assert';
import { fileURLToPath } from 'node:url';
import type { Sql } from 'postgres';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { connect } from '../../src/entry/database-node.ts';
import { startServer } from '../../src/entry/node-server.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { startPostgres } from '../setup/postgres-server.ts';
import { calling, fillOldWorld, startOldWorld, until, type Call, type OldWorld } from './old-world.ts';

type Body = Record<string, unknown>;
type Offer = { provider: { id: string }; quote_id: string };
type Both = { old: Call; today: Call };
const asked = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 2 };

const seen: string[] = [];
const same = (what: string, got: unknown, wanted: unknown): void => {
  deepStrictEqual(got, wanted, what);
  seen.push(what);
  console.log(`ok  ${what}`);
};
const releases = ['old', 'today'] as const;

/** One quoted here and ordered there, four ways; each repeated at the other gives the same bytes. */
const ordersAcross = async ({ old, today }: Both): Promise<string[]> => {
  const call = { old, today };
  const ids: string[] = [];
  for (const quotedAt of releases)
    for (const orderedAt of releases) {
      const { body } = await call[quotedAt]('/offers', asked);
      const { quote_id } = (body['offers'] as Offer[])[0] ?? {};
      const order = await call[orderedAt]('/order', { quote_id });
      const again = await call[orderedAt === 'old' ? 'today' : 'old']('/order', { quote_id });
      same(`quoted at ${quotedAt}, ordered at ${orderedAt}, and repeated at the other: the same answer`, again.body, order.body);
      ids.push(String(order.body['order_id']));
    }
  return ids;
};

/** What both say of an order; today's may say more, and when it looks next is each one's own. */
const statuses = async ({ old, today }: Both): Promise<void> => {
  for (const path of ['/order-status', '/sell/order-status', '/liquidity/order-status']) {
    const [before, now] = [(await old(path)).body, (await today(path)).body] as Record<string, Body>[];
    const common = (entries: Record<string, Body> = {}): unknown =>
      Object.fromEntries(
        Object.entries(entries).map(([id, entry]) => [
          id,
          Object.fromEntries(Object.entries(entry).filter(([name]) => name in (before?.[id] ?? {}) && !/check/.test(name))),
        ]),
      );
    same(`${path}: ${Object.keys(before ?? {}).length} orders are told alike by both`, common(now), common(before));
  }
};

const fillsOf = async (sql: Sql): Promise<string[]> => (await sql<{ id: string }[]>`select order_id as id from fills order by order_id`).map(({ id }) => id);

/** Refused, or made worse: today's answer is a word that the old release does not know, and whose quote it must not send again. */
const declined = async (world: OldWorld, both: Both, urls: Record<(typeof releases)[number], string>): Promise<void> => {
  for (const fault of ['order-refused', 'order-amounts-differ'] as const)
    for (const first of releases) {
      const { body } = await both[first]('/offers', asked);
      const { quote_id, provider } = (body['offers'] as Offer[])[0] ?? { quote_id: '', provider: { id: '' } };
      const { control } = world.simulators[provider.id === 'cobalt' ? 'cobalt' : 'alpine'];
      control.setFault({ endpoint: 'order', fault, times: 1 });
      const before = control.history.orders.length;
      const answers = [];
      for (const where of [first, ...releases.filter((one) => one !== first), first])
        answers.push([where, await createWallet(urls[where]).call('/order', { session_id: world.sessionId, quote_id })] as const);
      control.clearFaults();
      const told = answers.map(([where, { status, body: said }]) => `${where} ${status} ${String(said['code'] ?? said['order_status'])}`).join(', then ');
      console.log(`    ${fault} of ${provider.id}: ${told}; orders made upstream: ${control.history.orders.length - before}`);
    }
};

/** Beside each other: statuses, orders across, refusals, withdrawals, fills. */
const beside = async (world: OldWorld, sql: Sql, orders: Record<string, string>, url: string, tick: () => Promise<unknown>): Promise<void> => {
  const at = (where: string): Call => calling(createWallet(where), world.sessionId);
  const both = { old: at(world.url), today: at(url) };
  await statuses(both);
  const across = await ordersAcross(both);
  same('while the old release gives quotes, routes are written in version 1', await version(both.today), 1);
  const link = async (call: Call): Promise<unknown> => (await call('/withdrawal', { order_id: orders['withdrawn'] })).body['lnurlw'];
  same('a withdrawal that was given is the same at both', await link(both.today), await link(both.old));
  for (const { id } of [...world.simulators.alpine.control.orders.values()].slice(-4)) await world.simulators.alpine.control.pay(id);
  await until('all four are filled', async () =>
    (await sql`select 1 from orders where id in ${sql(across)} and stage = 'filled'`).length === 4 ? true : undefined,
  );
  await statuses(both);
  const filled = ['filled', 'withdrawn', 'finished', 'estimate_filled', 'estimate_short', 'paid', 'sell_finished', 'liquidity_finished'];
  const expected = [...filled.map((name) => orders[name] ?? name), ...across].toSorted();
  await until('the fills are added', async () => ((await fillsOf(sql)).length >= expected.length ? true : undefined));
  same('the fills of orders of both releases are there once each', await fillsOf(sql), expected);
  const sums = async (): Promise<unknown[]> => [
    ...(await sql`select provider_id, ramp, option, orders, all_quoted_sats, all_delivered_sats from record_estimates order by 1, 2, 3`),
  ];
  const before = await sums();
  await tick();
  await new Promise((done) => setTimeout(done, 5000));
  same('and more background work of both adds nothing', [await fillsOf(sql), await sums()], [expected, before]);
  console.log(before);
  await declined(world, both, { old: world.url, today: url });
};

const version = async (call: Call): Promise<unknown> => {
  const { body } = await call('/offers', asked);
  return (await call('/route', { quote_id: body['offers_id'] })).body['version'];
};

const run = async (world: OldWorld, sql: Sql): Promise<void> => {
  const orders = await fillOldWorld(world, sql);
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const logs: string[] = [];
  const start = async () => {
    const server = await startServer({ ...world.options, modules: new Map(providerModules), root, writeLog: (line) => logs.push(line) });
    server.config.public_url = server.url;
    return server;
  };
  const first = await start();
  await beside(world, sql, orders, first.url, async () => await first.tick());
  await Promise.all([first.stop(), world.stopServer()]);
  await sql`update routes set created_on = created_on - interval '1 hour'`;
  const alone = await start();
  same('a quarter of an hour after its last quote, routes are written in version 2', await version(calling(createWallet(alone.url), world.sessionId)), 2);
  await alone.stop();
  console.log(`${seen.length} checks; warnings of today's gateway:`, logs);
};

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: beside.ts <worktree of 0ed2386>');
const postgres = await startPostgres();
if (!postgres) throw new Error('no PostgreSQL here');
const sql = connect(postgres.url, 4);
try {
  const world = await startOldWorld(folder, postgres.url);
  await run(world, sql);
  await world.close();
} finally {
  await sql.end({ timeout: 1 });
  await postgres.stop();
}
