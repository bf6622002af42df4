/**
 * A gateway of an older release over real sockets, and a customer with orders in every state. The gateway is that release's own code, from a worktree
 * of its commit with its packages installed. The providers are today's simulators, and the types are today's where both releases have the same.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Sql } from 'postgres';
import { stringify } from 'yaml';
import type { Reply, Wallet } from '../../scripts/demo/wallet.ts';
import type { RunningServer } from '../../src/entry/node-server.ts';
import { startBringinSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { startFiatOnRampSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';

type Old = {
  server: typeof import('../../src/entry/node-server.ts');
  wallet: typeof import('../../scripts/demo/wallet.ts');
  registry: typeof import('../../src/providers/registry.gen.ts');
};
const load = async (folder: string): Promise<Old> => {
  const from = async (path: string): Promise<unknown> => await import(pathToFileURL(join(folder, path)).href);
  return {
    server: await from('src/entry/node-server.ts'),
    wallet: await from('scripts/demo/wallet.ts'),
    registry: await from('src/providers/registry.gen.ts'),
  } as Old;
};

/** Keys for this test only, which protect nothing. The database of the fixture is sealed with them. */
export const environment = {
  SEAL_KEY: `s1:${Buffer.alloc(32, 1).toString('base64')}`,
  NOTICE_KEY: `n1:${Buffer.alloc(32, 2).toString('base64')}`,
  WEBHOOK_SIGNING_KEY: `w1:${Buffer.alloc(32, 3).toString('base64')}`,
  BRINGIN_MASTER_KEY: 'sandbox-master-key-of-bringin',
  BRINGIN_API_SECRET: 'sandbox-api-secret-of-bringin',
  LOG_LEVEL: 'warn',
  PORT: '0',
};

/** Returns the configuration, with the same providers for every release. `urls` maps provider ids to URLs. */
const configFor = (urls: Record<string, string>): string =>
  stringify({
    mode: 'sandbox',
    network: 'regtest',
    limits: { verify_per_minute: 10_000, quotes_per_minute: 10_000, orders_per_minute: 10_000 },
    orders: { max_open: 1000 },
    providers: {
      alpine: { kind: 'fiat-on-ramp', base_url: urls['alpine'] },
      cobalt: { kind: 'fiat-on-ramp', base_url: urls['cobalt'] },
      bringin: { kind: 'bringin', base_url: urls['bringin'], master_key_env: 'BRINGIN_MASTER_KEY', api_secret_env: 'BRINGIN_API_SECRET', repost: 'same' },
      north: { kind: 'lsps1', base_url: urls['north'] },
    },
  });

export const until = async <T>(what: string, read: () => Promise<T | undefined>, limitMs = 60_000): Promise<T> => {
  for (const began = Date.now(); Date.now() < began + limitMs; await new Promise((done) => setTimeout(done, 200))) {
    const value = await read();
    if (value !== undefined) return value;
  }
  throw new Error(`waited ${limitMs} ms in vain: ${what}`);
};
export type Call = (path: string, body?: object) => Promise<Reply>;
export const calling =
  (wallet: Pick<Wallet, 'call'>, sessionId: string): Call =>
  async (path, body) => {
    const reply = await wallet.call(path, { session_id: sessionId, ...body });
    if (reply.status !== 200) throw new Error(`${path} returned ${reply.status}: ${JSON.stringify(reply.body)}`);
    return reply;
  };

/** Starts the simulators and the older release, and opens a customer's session there. */
export const startOldWorld = async (folder: string, databaseUrl: string) => {
  const old = await load(folder);
  const startBuyer = async (id: string, more: object) => await startFiatOnRampSimulator({ id, quoteTtlS: 86_400, ...more });
  const alpine = await startBuyer('alpine', { spreadBps: -20 });
  const cobalt = await startBuyer('cobalt', { estimate: true });
  const { BRINGIN_MASTER_KEY: masterKey, BRINGIN_API_SECRET: apiSecret } = environment;
  const bringin = await startBringinSimulator({ id: 'bringin', masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20] });
  const north = await startLsps1Simulator({ id: 'north', baseSats: 1000, ppm: 2000, leasePpm: 2400, autoPayMs: 200 });
  const simulators = { alpine, cobalt, bringin, north };
  const configText = configFor(Object.fromEntries(Object.entries(simulators).map(([id, { url }]) => [id, url])));
  const options = { environment: { ...environment, DATABASE_URL: databaseUrl }, configText, writeLog: () => undefined };
  const server: RunningServer = await old.server.startServer({ ...options, modules: new Map(old.registry.providerModules), root: folder });
  // Providers call back to where this gateway really listens.
  server.config.public_url = server.url;
  const { sessionId } = await old.wallet.createWallet(server.url).open();
  return {
    sessionId,
    url: server.url,
    simulators,
    options,
    createWallet: old.wallet.createWallet,
    tick: async () => await server.tick(),
    stopServer: async () => await server.stop(),
    close: async () => void (await Promise.all(Object.values(simulators).map(async (one) => await one.close()))),
  };
};
export type OldWorld = Awaited<ReturnType<typeof startOldWorld>>;

type Offer = { provider: { id: string }; quote_id: string; pay_sats?: number };

/** Places the orders and brings each to its state through its provider. States that no simulator reaches are written to the database. */
export const fillOldWorld = async (world: OldWorld, sql: Sql): Promise<Record<string, string>> => {
  const call = calling(world.createWallet(world.url), world.sessionId);
  await call('/payment-options');
  const orders: Record<string, string> = {};
  const stageIs = async (id: string, stage: string): Promise<void> =>
    void (await until(`${id} is ${stage}`, async () => (await sql`select 1 from orders where id = ${id} and stage = ${stage}`)[0] as object | undefined));

  const bought = async (name: string, provider: 'alpine' | 'cobalt', told?: { status: string; perMille?: number; stage?: string }): Promise<void> => {
    const offers = (await call('/offers', { amount_fiat: 10_000, currency_id: 1, payment_option_id: 2 })).body['offers'] as Offer[];
    const { body } = await call('/order', { quote_id: offers.find((offer) => offer.provider.id === provider)?.quote_id });
    orders[name] = String(body['order_id']);
    if (!told) return;
    const { control } = world.simulators[provider];
    const upstream = [...control.orders.values()].at(-1);
    if (!upstream) throw new Error('no order upstream');
    upstream.quote.amountSats = Math.floor((upstream.quote.amountSats * (told.perMille ?? 1000)) / 1000);
    await control.pay(upstream.id, told.status);
    await stageIs(orders[name], told.stage ?? told.status);
  };
  await bought('awaiting_payment', 'alpine');
  await bought('filled', 'alpine', { status: 'filled' });
  await bought('withdrawn', 'alpine', { status: 'filled' });
  await call('/withdrawal', { order_id: orders['withdrawn'] });
  await bought('finished', 'alpine', { status: 'finished' });
  await bought('refunded', 'alpine', { status: 'refunded' });
  await bought('review', 'alpine', { status: 'filled', perMille: 900, stage: 'review' });
  await bought('estimate_filled', 'cobalt', { status: 'filled' });
  await bought('estimate_short', 'cobalt', { status: 'filled', perMille: 995 });
  for (const name of ['paid', 'underpaid', 'expired', 'failed']) await bought(name, 'cobalt');
  await writtenStages(sql, orders);
  orders['liquidity_finished'] = await boughtChannel(call);
  await stageIs(orders['liquidity_finished'], 'finished');
  orders['sell_finished'] = await soldOntoCard(world, call, sql);
  await stageIs(orders['sell_finished'], 'finished');
  await attempts(sql, orders['awaiting_payment'] ?? '');
  return orders;
};

/** Writes stages that FLS01 has no word for, with their events, as that release wrote them. The stage `paid` was reached 20 days ago. */
const writtenStages = async (sql: Sql, orders: Record<string, string>): Promise<void> => {
  for (const stage of ['paid', 'underpaid', 'expired', 'failed']) {
    const id = orders[stage] ?? '';
    const days = stage === 'paid' ? 20 : 0;
    await sql`
      insert into order_events (order_id, sequence, at, from_stage, to_stage, raw_status, source)
      select id, sequence + 1, now() - make_interval(days => ${days}), stage, ${stage}, ${stage}, 'read' from orders where id = ${id}`;
    await sql`update orders set stage = ${stage}, raw_status = ${stage}, sequence = sequence + 1, next_check_on = '9999-01-01' where id = ${id}`;
  }
};

/** Writes order attempts without an order, one in each state that such an attempt has in that release. */
const attempts = async (sql: Sql, like: string): Promise<void> => {
  for (const state of ['prepared', 'sending', 'unknown', 'rejected', 'unpayable', 'dead', 'review']) {
    const [id, order, quote] = [randomUUID(), randomUUID(), randomUUID()];
    const own = {
      id,
      order_id: order,
      quote_id: quote,
      provider_session_id: null,
      state,
      answer: null,
      upstream_order_id: null,
      next_try_on: '9999-01-01T00:00Z',
    };
    await sql`insert into intents select copy.* from intents i, jsonb_populate_record(i, ${sql.json(own)}) copy where i.order_id = ${like}`;
  }
};

const boughtChannel = async (call: Call): Promise<string> => {
  const wanted = { product: 'inbound', amount_sats: 1_000_000, pay_with: 'lightning', lease_blocks: 4320 };
  const [best] = (await call('/liquidity/offers', { ...wanted, firm: true })).body['offers'] as Offer[];
  const order = await call('/liquidity/order', { quote_id: best?.quote_id, max_pay_sats: best?.pay_sats });
  return String(order.body['order_id']);
};

const soldOntoCard = async ({ simulators: { bringin } }: OldWorld, call: Call, sql: Sql): Promise<string> => {
  const email = 'alice@example.com';
  await call('/sell/accounts', { provider: 'bringin', email });
  while (!bringin.control.user(email).connected) await bringin.control.advanceKyc(email);
  await until('the account is connected', async () => (await sql`select 1 from accounts where status = 'connected'`)[0] as object | undefined);
  const listed = (await call('/sell/payment-options', { currency_code: 'EUR' })).body['currencies'] as Record<
    string,
    { currency_id: number; payment_options: { id: number; option: string }[] }
  >[];
  const euro = listed[0]?.['eur'];
  const card = euro?.payment_options.find((one) => one.option === 'Card balance');
  const quote = await call('/sell/quote', { amount_sats: 250_000, currency_id: euro?.currency_id, payment_option_id: card?.id });
  const { body } = await call('/sell/order', { quote_id: quote.body['quote_id'] });
  const { lightning_invoice: invoice } = body['payment_info'] as { lightning_invoice: string };
  await bringin.control.pay(invoice);
  return String(body['order_id']);
};
