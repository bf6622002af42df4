/**
 * Starts today's gateway on a database that release 0ed2386 is using. Today's gateway migrates the database, and then both serve the same customer:
 * `npx node --no-warnings test/upgrade/beside.ts <worktree of 0ed2386>`. The results are in docs/decisions/2026-11-28-upgrade-from-0ed2386.md.
 */
import { deepStrictEqual } from 'node:assert';
import { fileURLToPath } from 'node:url';
import type { Sql } from 'postgres';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { connect } from '../../src/entry/database-node.ts';
import { startServer, type RunningServer } from '../../src/entry/node-server.ts';
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

/** Quotes and orders at both releases, in all four combinations. An order that is repeated at the other release must get the same response. */
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

/** Compares what both releases say about every order. Today's may say more, and the time of the next check may differ. */
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
    same(`${path}: both say the same about ${Object.keys(before ?? {}).length} orders`, common(now), common(before));
  }
};

const fillsOf = async (sql: Sql): Promise<string[]> => (await sql<{ id: string }[]>`select order_id as id from fills order by order_id`).map(({ id }) => id);

/**
 * Prints what both releases do with an order that its provider refused or made at a worse price. Today's release gives such an attempt a state that
 * the old release does not know, and the old release must not send that order again.
 */
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

/**
 * Repeats at the old release a request that moved to the next rank at today's release. Then lets the old release finish a rank that today's release
 * has begun, as if the instance that was sending it had stopped.
 */
const movedAcross = async (world: OldWorld, sql: Sql, urls: Record<(typeof releases)[number], string>, { intents }: RunningServer['gateway']['stores']) => {
  const { alpine, cobalt } = world.simulators;
  const made = (): number => alpine.control.history.orders.length + cobalt.control.history.orders.length;
  const said = ({ status, body }: { status: number; body: Body }): string => `${status} ${String(body['code'] ?? body['order_status'])}`;
  /** Makes a new customer, whose best provider will refuse the order. `second` is the fault of the next provider, if it has one. */
  const request = async (second?: 'lost-answer' | 'order-refused') => {
    const { sessionId } = await createWallet(urls.today).open();
    const call = async (where: (typeof releases)[number], path: string, body: object) =>
      await createWallet(urls[where]).call(path, { session_id: sessionId, ...body });
    const { body } = await call('today', '/offers', asked);
    const [best, next] = body['offers'] as Offer[];
    const controlOf = (offer: Offer | undefined) => (offer?.provider.id === 'alpine' ? alpine.control : cobalt.control);
    controlOf(best).setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
    if (second) controlOf(next).setFault({ endpoint: 'order', fault: second, times: 1 });
    const failover = { failover: { max: 1, min_amount_sats: 1 } };
    const order = async (where: (typeof releases)[number]) => await call(where, '/order', { quote_id: best?.quote_id, ...failover });
    const stateOf = async (offer: Offer | undefined) =>
      (await sql<{ state: string }[]>`select state from intents where quote_id = ${offer?.quote_id ?? ''}`)[0]?.state;
    return { order, states: async () => [await stateOf(best), await stateOf(next)] };
  };

  for (const second of [undefined, 'lost-answer'] as const) {
    const { order, states } = await request(second);
    const before = made();
    const told = [];
    for (const where of ['today', 'old', 'today'] as const) told.push(`${where} ${said(await order(where))}`);
    console.log(`    failover, ${second ?? 'taken by the next'}: ${told.join(', then ')}; ${(await states()).join(', ')}`);
    if (second === undefined) same('repeated in turn at both, it stays one order upstream', made() - before, 1);
    if (second) {
      await sql`update intents set dead_on = now(), next_try_on = now() where state = 'unknown'`;
      await until('it is settled', async () => ((await states())[1] === 'unknown' ? undefined : true));
      console.log(`    settled as ${(await states()).join(', ')}: ${said(await order('today'))} at today's, ${said(await order('old'))} at the old one`);
      same('whoever settled it, one order upstream', made() - before, 1);
    }
  }

  const { startSending, claimDue } = { startSending: intents.startSending.bind(intents), claimDue: intents.claimDue.bind(intents) };
  for (const second of [undefined, 'order-refused'] as const) {
    const { order, states } = await request(second);
    const before = made();
    // Today's release stops before it sends the second rank's order, and only the old release looks for attempts that are due.
    let starts = 0;
    intents.startSending = async (...given) => ((starts += 1) === 1 ? await startSending(...given) : await new Promise<never>(() => undefined));
    intents.claimDue = async () => await Promise.resolve([]);
    void order('today').catch(() => undefined);
    await until('it has moved', async () => ((await states())[1] === 'prepared' ? true : undefined));
    await sql`update intents set lease_until = now() - interval '1 second' where state = 'prepared'`;
    await until('the old release has taken it over', async () => ((await states())[1] === 'prepared' ? undefined : true));
    const { body, status } = await order('today');
    console.log(
      `    the old release sends the second rank, ${second ?? 'taken'}: ${(await states()).join(', ')}; ${status} ${JSON.stringify(body).slice(0, 220)}`,
    );
    same('one order at most, and the repeat says what became of it', [made() - before, status], second ? [0, 409] : [1, 200]);
    Object.assign(intents, { startSending, claimDue });
  }
};

/** Runs both releases in parallel: statuses, orders across releases, refusals, withdrawals, fills. */
const beside = async (world: OldWorld, sql: Sql, orders: Record<string, string>, today: RunningServer): Promise<void> => {
  const { url } = today;
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
  // All that are followed are due again, at today's release and then at the old one.
  for (const { tick } of [today, world]) {
    await sql`update orders set next_check_on = now() where next_check_on < '9999-01-01'`;
    await tick();
  }
  same('and more background work of both adds nothing', [await fillsOf(sql), await sums()], [expected, before]);
  console.log(before);
  await declined(world, both, { old: world.url, today: url });
  await movedAcross(world, sql, { old: world.url, today: url }, today.gateway.stores);
};

const version = async (call: Call): Promise<unknown> => {
  const { body } = await call('/offers', asked);
  return (await call('/route', { quote_id: body['offers_id'] })).body['version'];
};

const run = async (world: OldWorld, sql: Sql): Promise<void> => {
  const orders = await fillOldWorld(world, sql);
  // Nobody reads this order, neither on time nor for a customer: today's release would end the review, because it keeps a short fill as a dispute.
  await sql`update orders set next_check_on = '9999-01-01', checked_on = now() + interval '1 hour' where stage = 'review'`;
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const logs: string[] = [];
  const start = async () => {
    const server = await startServer({ ...world.options, modules: new Map(providerModules), root, writeLog: (line) => logs.push(line) });
    server.config.public_url = server.url;
    return server;
  };
  const first = await start();
  await beside(world, sql, orders, first);
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
if (!postgres) throw new Error('PostgreSQL is not installed');
const sql = connect(postgres.url, 4);
try {
  const world = await startOldWorld(folder, postgres.url);
  await run(world, sql);
  await world.close();
} finally {
  await sql.end({ timeout: 1 });
  await postgres.stop();
}
