/**
 * G3 for selling and for liquidity: the gateway process is killed at each named point of a card top-up, a connection, the firm prices of two sellers
 * of channels, the order of such a channel, an order at Bitrefill, at Blocktank and at DFX, and a purchase from the operator's balance. Two other
 * instances recover; the wallet repeats its requests. The promise: a request never gets two different ways to pay; no connection and no purchase from
 * the balance is made twice.
 */
import { createHash, randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { stringify } from 'yaml';
import { createWallet, type Reply } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startServer, type RunningServer } from '../../src/entry/node-server.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { addressOf } from '../../src/providers/dfx/dfx-identity.ts';
import { startDfxSimulator } from '../../src/providers/dfx/dfx.simulator.ts';
import { startBlocktankSimulator } from '../../src/providers/blocktank/blocktank.simulator.ts';
import { startBringinSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { isFull, reportGoal } from '../fuzz/random.ts';
import { apiSecret, bringinBlock, masterKey } from '../support/bringin.ts';
import { until } from '../support/gateway.ts';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';
import { bank, optionOf } from '../support/scenarios/sell.ts';
import { inbound, thorBlock } from '../support/scenarios/liquidity.ts';
import { startChild, type Child, type CrashPoint } from './replicas.ts';
import { type Call, invoiceOver } from '../support/wallet.ts';
import { most, unlimited } from './unlimited.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const appKey = 'an-app-key-that-only-this-test-knows';
const bearer = { authorization: `Bearer ${appKey}` };
/** C2 and C7 need a slow commit, and C9 and C10 are about webhooks: the buy ramp tests them, with the same code. */
const points: readonly CrashPoint[] = isFull ? ['C0', 'C1', 'C3', 'C4', 'C5', 'C6', 'C8', 'C13'] : ['C5'];

const startSimulators = async () => {
  const [bringin, north, tank, thor, dfx] = await Promise.all([
    startBringinSimulator({ id: 'bringin', masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20] }),
    startLsps1Simulator({ id: 'north', baseSats: 1000, ppm: 2000, leasePpm: 2400 }),
    startBlocktankSimulator({ id: 'tank', lifeS: 172_800 }),
    startBitrefillSimulator({ id: 'thor', deliver: 'at-once', balanceSats: 10_000_000, step: 1000, stepFrom: 'zero' }),
    startDfxSimulator({ id: 'dfx', network: 'regtest', wallets: { ours: { platformBps: 0, autoTradeApproval: true } } }),
  ]);
  return { bringin, north, tank, thor, dfx };
};
type Simulators = Awaited<ReturnType<typeof startSimulators>>;

const quick = { retry: { attempts: 0 }, breaker: { volume_threshold: most } };
const configOf = ({ bringin, north, tank, thor, dfx }: Simulators, publicUrl: string): string =>
  stringify({
    mode: 'sandbox',
    network: 'regtest',
    public_url: publicUrl,
    ...unlimited,
    // A deadline that a busy machine misses would end a call before the point at which its process dies.
    routing: { quote_deadline_ms: 20_000, order_deadline_ms: 30_000, status_deadline_ms: 15_000 },
    liquidity: { balance_daily_sats: 1_000_000 },
    apps: { wallet: { key_hashes: [createHash('sha256').update(appKey).digest('hex')], allow: ['pay_with_balance', 'customer_ip'] } },
    providers: {
      bringin: { ...quick, ...bringinBlock(bringin.url) },
      north: { ...quick, kind: 'lsps1', base_url: north.url, quotes_per_node_per_day: 100 },
      tank: { ...quick, kind: 'blocktank', base_url: tank.baseUrl, repost: 'duplicates', quotes_per_node_per_day: 100 },
      thor: { ...quick, ...thorBlock(thor.baseUrl), step_from: 'zero' },
      dfx: { ...quick, kind: 'dfx', base_url: dfx.url, login_key_env: 'DFX_LOGIN_KEY', wallet: 'ours', repost: 'same' },
    },
  });

let simulators: Simulators | undefined;
let database: TestDatabase | undefined;
const servers: RunningServer[] = [];
const children: Child[] = [];
afterAll(async () => {
  for (const one of children) await one.kill();
  await Promise.all(servers.map(async (one) => await one.stop()));
  await Promise.all(Object.values(simulators ?? {}).map(async (one) => await one.close()));
  await database?.close();
});

type Listing = { currencies: { [code: string]: { currency_id: number; payment_options: { id: number; option: string }[] } }[] };
const buyOptionOf = async (call: Call, name: string): Promise<object> => {
  const { currencies } = (await call('/payment-options', { currency_code: 'EUR' })).body as Listing;
  const listed = currencies[0]?.['eur'];
  return { currency_id: listed?.currency_id, payment_option_id: listed?.payment_options.find(({ option }) => option === name)?.id };
};

type Case = { point: CrashPoint; what: string; quoteId: string; ask: (url: string) => Promise<Reply> };
const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));
const isSettled = ({ status }: Reply): boolean => status === 200 || (status >= 400 && status < 500);

needsPostgres('selling and liquidity: dies at each crash point and nothing is shown, made or bought twice', async () => {
  const on = await testDatabase();
  database = on;
  const simulated = await startSimulators();
  simulators = simulated;
  const { bringin, north, tank, thor, dfx } = simulated;
  const environment = {
    ...freshSecrets(randomBytes),
    PORT: '0',
    DATABASE_URL: on.url,
    DATABASE_POOL: '6',
    LOG_LEVEL: 'error',
    BRINGIN_MASTER_KEY: masterKey,
    BRINGIN_API_SECRET: apiSecret,
    BITREFILL_API_KEY: 'thor-key',
    BITREFILL_API_SECRET: 'thor-secret',
    DFX_LOGIN_KEY: 'an-operator-key-of-at-least-32-characters',
  };
  const start = async (name: string, publicUrl: string): Promise<RunningServer> => {
    const configText = configOf(simulated, publicUrl);
    const server = await startServer({
      environment: { ...environment, INSTANCE: name },
      modules: providerModules,
      root,
      configText,
      writeLog: () => undefined,
    });
    servers.push(server);
    return server;
  };
  const first = await start('recoverer-1', 'http://127.0.0.1:1');
  first.config.public_url = first.url;
  const second = await start('recoverer-2', first.url);
  const started = Date.now();
  const broken: string[] = [];
  const outcomes: Record<string, Record<string, string>> = {};
  let answers = 0;
  /** Starts a child. The next child is started before it is needed. */
  const startOf = async (point: CrashPoint): Promise<Child> => {
    const child = await startChild(point, environment, configOf(simulated, first.url));
    children.push(child);
    return child;
  };
  let next = startOf(points[0] ?? 'C1');

  for (const [n, point] of points.entries()) {
    const child = await next;
    const following = points[n + 1];
    if (following !== undefined) next = startOf(following);

    const wallet = createWallet(first.url);
    const { sessionId } = await wallet.open();
    const call: Call = async (path, body, headers) => await wallet.call(path, { session_id: sessionId, ...body }, headers);
    const email = `${point.toLowerCase()}@example.com`;
    const sepa = await buyOptionOf(call, 'SEPA');
    const account = await connectedAccount(call, bringin, email);
    const at =
      (path: string, body: object, headers: Record<string, string> = {}) =>
      async (url: string): Promise<Reply> => {
        answers += 1;
        return await createWallet(url)
          .call(path, { session_id: sessionId, ...body }, headers)
          .catch(() => ({ status: 0, body: {} }));
      };

    // Prices come from an instance that stays alive; the orders go to the child that is about to be killed.
    const card = await call('/sell/quote', { amount_sats: 200_000 + n, ...(await optionOf(call, 'Card balance')) });
    const turbo = await call('/liquidity/offers', { product: 'turbo', amount_sats: 1_000_000, pay_with: 'lightning' });
    const recharge = await call('/liquidity/quote', { product: 'recharge', amount_sats: 20_000, pay_with: 'balance' }, bearer);
    const channel = await call('/liquidity/offers', { ...inbound, amount_sats: 500_000, firm: true });
    const quoteOf = (reply: Reply, id: string): string =>
      (reply.body['offers'] as { provider: { id: string }; quote_id: string }[]).find((one) => one.provider.id === id)?.quote_id ?? '';
    const payout_to = { node_pubkey: wallet.pubkey };
    const sent = async (): Promise<string> => quoteOf(await call('/offers', { amount_fiat: 10_000, ...sepa, payout_kinds: ['node_pubkey'] }), 'dfx');
    // A first order tells DFX the address. It refuses that order, because it does not know whose the address is.
    await call('/order', { quote_id: await sent(), payout_to });
    await dfx.control.approve(addressOf({ kind: 'node_pubkey', value: wallet.pubkey }) ?? '');
    const orders: Case[] = [
      { what: 'dfx', quoteId: await sent(), path: '/order', body: { payout_to } },
      { what: 'card', quoteId: String(card.body['quote_id']), path: '/sell/order', body: {} },
      { what: 'bitrefill', quoteId: quoteOf(turbo, 'thor'), path: '/liquidity/order', body: {} },
      { what: 'blocktank', quoteId: quoteOf(turbo, 'tank'), path: '/liquidity/order', body: {} },
      { what: 'balance', quoteId: String(recharge.body['quote_id']), path: '/liquidity/order', body: { invoice: invoiceOver(20_000) }, headers: bearer },
      { what: 'channel', quoteId: quoteOf(channel, 'north'), path: '/liquidity/order', body: {} },
    ].map(({ what, quoteId, path, body, headers }) => ({ point, what, quoteId, ask: at(path, { quote_id: quoteId, ...body }, headers) }));
    expect(orders.map((one) => one.quoteId).filter((id) => !/^[\w-]{8,}$/.test(id) || id === 'undefined')).toEqual([]);

    const around = point !== 'C4' && point !== 'C13';
    const connection = { account_id: account, name: 'Savings', lightning_username: `user${point.toLowerCase()}`, ...bank };
    const connect = at('/sell/connections', connection);
    const firm = at('/liquidity/offers', { ...inbound, amount_sats: 700_000, firm: true });
    const others = around ? [connect, ...(point === 'C0' || point === 'C1' ? [] : [firm])] : [];
    const lost = Promise.all([...orders.map(async (one) => await one.ask(child.url)), ...others.map(async (ask) => await ask(child.url))]);
    // Two sellers are asked for a firm price. Each price is stored by two calls at the same time, and all of them are stopped.
    const firmStops = point === 'C6' || point === 'C8' ? 4 : 2;
    await child.reached(orders.length + others.length + (others.includes(firm) ? firmStops - 1 : 0));
    const expireLeases = async (): Promise<void> => {
      for (const table of ['intents', 'connections'])
        await on.sql.unsafe(`update ${table} set lease_until = now() - interval '1 second' where lease_owner like 'child-${point}/%'`);
    };
    if (point === 'C13') {
      child.process.kill('SIGSTOP');
      await expireLeases();
      await until('others took over', async () => {
        const left = await on.sql`select 1 from intents where lease_owner like ${`child-${point}/%`}`;
        return left.length === 0 ? true : undefined;
      });
      await Promise.all([first.tick(), second.tick()]);
      child.process.kill('SIGCONT');
      await child.goOn();
      await lost;
    }
    await child.kill();
    await lost;
    await expireLeases();

    // The wallet repeats its requests. An attempt that waits for its quote to expire, or for half an hour, is ended early by its row.
    const told = await Promise.all(
      orders.map(async (one) => {
        const heard: Reply[] = [];
        const from = Date.now();
        await until(`${point} ${one.what} settles`, async () => {
          const reply = await one.ask(heard.length % 2 === 0 ? first.url : second.url);
          heard.push(reply);
          if (isSettled(reply)) return true;
          if (Date.now() - from > 2500)
            await on.sql`update intents set dead_on = now(), next_try_on = least(next_try_on, now()) where quote_id = ${one.quoteId} and state in ('sending', 'unknown')`;
          await wait(250);
          return undefined;
        });
        heard.push(await one.ask(first.url), await one.ask(second.url));
        return { one, heard };
      }),
    );
    for (const { one, heard } of told) {
      const settled = heard.filter(isSettled);
      const essence = new Set(settled.map(({ status, body }) => JSON.stringify([status, { ...body, instance: undefined }])));
      if (essence.size !== 1) broken.push(`${point} ${one.what}: the answer changed: ${[...essence].join(' | ')}`);
      const [intent] = await on.sql<{ state: string; upstream: string | null; orders: number; id: string }[]>`
          select i.id, i.state, i.upstream_order_id as upstream, (select count(*) from orders o where o.intent_id = i.id)::int as orders
          from intents i where i.quote_id = ${one.quoteId} and i.state <> 'rejected'`;
      const last = settled.at(-1);
      (outcomes[point] ??= {})[one.what] = `${last?.status === 200 ? 'payable' : String(last?.body['code'])} (${intent?.state ?? 'none'})`;
      if ((last?.status === 200) !== (intent?.state === 'confirmed')) broken.push(`${point} ${one.what}: ${last?.status} for ${intent?.state}`);
      if ((intent?.orders ?? 0) !== (intent?.state === 'confirmed' ? 1 : 0)) broken.push(`${point} ${one.what}: ${intent?.orders} orders kept`);
      if (one.what === 'balance' && intent) {
        const bought = [...thor.control.state.orders.values()].filter((made) => made.userRef === intent.id);
        if (bought.length > 1) broken.push(`${point} balance: bought ${bought.length} times`);
      }
    }
    if (!around) continue;
    const made = await until('the connection', async () => {
      const reply = await connect(first.url);
      await connect(second.url);
      return reply.status === 200 && reply.body['connection_status'] === 'code_required' ? reply : wait(100).then(() => undefined);
    });
    const links = bringin.control.user(email).links.length;
    const [rows] = await on.sql<{ n: number }[]>`select count(*)::int as n from connections where account_id = ${account}`;
    if (links !== 1 || rows?.n !== 1) broken.push(`${point}: ${links} connections at the provider, ${rows?.n} kept, ${String(made.body['connection_id'])}`);
    // The reservation that no wallet was told about belongs to no quote; the next request makes a new one.
    const priced = [await firm(first.url), await firm(second.url), await firm(first.url)];
    const reserved = {
      north: [...north.control.orders.values()].filter((order) => order.nodePubkey === wallet.pubkey && order.lspSats === 700_000).length,
      // Blocktank is not told whose node it is, so this is the number of orders over all points so far.
      tank: [...tank.control.orders.values()].filter((order) => order.lspSats === 700_000).length,
    };
    for (const seller of ['north', 'tank'] as const) {
      const shown = new Set<string>();
      for (const [m, reply] of priced.entries()) {
        const ordered = await at('/liquidity/order', { quote_id: quoteOf(reply, seller) })(m % 2 === 0 ? first.url : second.url);
        if (ordered.status === 200) shown.add(JSON.stringify(ordered.body['payment_info']));
      }
      if (shown.size !== 1)
        broken.push(`${point}: ${shown.size} payable orders for one firm price of ${seller}: ${JSON.stringify(priced.map(({ body }) => body))}`);
      (outcomes[point] ??= {})[`firm ${seller}`] = `${shown.size} payable of ${reserved[seller]} reserved`;
    }
    (outcomes[point] ??= {})['connection'] = `${links} made`;
  }
  console.log(JSON.stringify(outcomes, undefined, 1));
  expect(broken).toEqual([]);
  reportGoal(
    'G3',
    `card top-up, connection, firm prices, channel, Bitrefill, Blocktank, DFX, balance: ${points.length} points settled in ${((Date.now() - started) / 1000).toFixed(1)} s, ${answers} answers, nothing shown, made or bought twice`,
    0,
  );
});

const connectedAccount = async (call: Call, bringin: Simulators['bringin'], email: string): Promise<string> => {
  const begun = await call('/sell/accounts', { provider: 'bringin', email });
  expect([begun.status, begun.body['code']]).toEqual([200, undefined]);
  const accountId = String(begun.body['account_id']);
  while (!bringin.control.user(email).connected) await bringin.control.advanceKyc(email);
  await until('connected', async () => {
    const { body } = await call('/sell/account-status', { account_id: accountId });
    return body['account_status'] === 'connected' ? true : undefined;
  });
  return accountId;
};
