/**
 * G21: PostgreSQL is restarted, crashes, only reads, is locked and slow, while customers buy, sell and get channels. Every answer is right or 503
 * retryable; afterwards each promised order is there, is followed to its end, and nothing was made twice.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { connect } from '../../src/entry/database-node.ts';
import { migrate } from '../../src/entry/migrate.ts';
import { reportGoal } from '../fuzz/random.ts';
import { migrationsFolder } from '../setup/database.ts';
import { startPostgres } from '../setup/postgres-server.ts';
import { startAllRamps } from '../support/all-ramps.ts';
import { needsPostgres, type TestDatabase } from '../support/postgres.ts';
import { connected, optionOf } from '../support/scenarios/sell.ts';
import { invoiceOver, type Body } from '../support/wallet.ts';

const most = 1_000_000;
const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));
/** How long one request is repeated. */
const patienceMs = 60_000;

type Wallet = ReturnType<typeof createWallet>;
type Opened = { wallet: Wallet; session_id: string };
type Answer = { status: number; body: Body };
type Order = { ramp: string; path: string; request: Body; wallet: Wallet; answer: Answer };

needsPostgres(
  'G21: three ramps while the database is restarted, crashes, only reads, is locked and slow',
  async () => {
    const server = await startPostgres({ durable: true });
    if (!server) throw new Error('no PostgreSQL');
    const name = `ramp_outage_${randomBytes(4).toString('hex')}`;
    const admin = connect(server.url, 1);
    await admin.unsafe(`create database ${name}`);
    await admin.end();
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    const sql = connect(url.href, 3);
    await migrate({ kind: 'postgres', url: url.href, sql }, migrationsFolder);
    const database: TestDatabase = { url: `${url.href}?statement_timeout=1500&lock_timeout=1000`, kind: 'postgres', sql, close: async () => undefined };
    const { gateway, world, close } = await startAllRamps(
      { alpine: { simulator: { quoteTtlS: 7200, repost: 'rejects', autoFillMs: 500 }, block: { opens_per_minute: most } } },
      {
        database,
        firmPerNode: most,
        config: {
          limits: { verify_per_minute: most, quotes_per_minute: most, orders_per_minute: most },
          orders: { max_open: most },
          sessions: { opens_per_minute: most },
          routing: { quote_ttl_s: 3600 },
        },
      },
    );

    // ---- asking --------------------------------------------------------------------------------------------------------------------------
    const wrong: string[] = [];
    const counts = { answers: 0, good: 0, retried: 0, longestMs: 0 };
    let phase = 'calm';
    const seen = new Map<string, { good: number; retried: number }>();
    const traffic = { on: true };
    /** One request, repeated unchanged while the answer says so. `ends`: codes that end it for good. */
    const ask = async (wallet: Wallet, path: string, body: Body | undefined, ends: readonly string[] = []): Promise<Answer | undefined> => {
      const began = performance.now();
      for (;;) {
        const started = performance.now();
        const answer = await wallet.call(path, body).catch((error: unknown) => {
          wrong.push(`${phase}: ${path} was not answered: ${String(error)}`);
          return undefined;
        });
        if (!answer) return undefined;
        const { status, body: said } = answer;
        counts.answers += 1;
        counts.longestMs = Math.max(counts.longestMs, performance.now() - started);
        const of = seen.get(phase) ?? { good: 0, retried: 0 };
        seen.set(phase, of);
        if (status === 200 || ends.includes(String(said['code']))) {
          of.good += 1;
          counts.good += 1;
          return answer;
        }
        if (status !== 503 || said['retryable'] !== true) {
          wrong.push(`${phase}: ${path} ${status} ${String(said['code'])} ${String(said['detail'])}`);
          return undefined;
        }
        of.retried += 1;
        counts.retried += 1;
        if (performance.now() - began > patienceMs) {
          wrong.push(`${phase}: ${path} is 503 ${String(said['code'])} for ${patienceMs} ms`);
          return undefined;
        }
        await wait(150);
      }
    };

    // ---- the customers -------------------------------------------------------------------------------------------------------------------
    const orders: Order[] = [];
    /** Ordered until the answer is final, then once more: the same bytes. */
    const place = async (ramp: string, wallet: Wallet, path: string, request: Body): Promise<void> => {
      const answer = await ask(wallet, path, request, ['order-unpayable']);
      if (!answer) return;
      orders.push({ ramp, path, request, wallet, answer });
    };
    let next = 0;
    const opened = async (): Promise<Opened> => {
      for (;;) {
        const wallet = createWallet(gateway.url);
        try {
          return { wallet, session_id: (await wallet.open()).sessionId };
        } catch {
          await wait(100); // the answers of /verify and /session are looked at below
        }
      }
    };
    const sellers: (Opened & { card: { currency_id: number; payment_option_id: number } })[] = [];
    for (let n = 0; n < 3; n += 1) {
      const one = await opened();
      await connected(world, async (path, body) => await one.wallet.call(path, { session_id: one.session_id, ...body }), `seller-${n}@example.com`);
      sellers.push({
        ...one,
        card: await optionOf(async (path, body) => await one.wallet.call(path, { session_id: one.session_id, ...body }), 'Card balance'),
      });
    }
    const buy = async (): Promise<void> => {
      const wallet = createWallet(gateway.url);
      while (traffic.on) {
        const verified = await ask(wallet, '/verify', undefined);
        const session_id = verified?.body['session_id'];
        if (session_id === undefined || !(await ask(wallet, '/session', { session_id }))) continue;
        const quote = await ask(wallet, '/quote', { session_id, amount_fiat: 10_000 + (next += 1), currency_id: 1, payment_option_id: 1 });
        if (quote) await place('buy', wallet, '/order', { session_id, quote_id: quote.body['quote_id'] });
      }
    };
    const sell = async ({ wallet, session_id, card }: (typeof sellers)[number]): Promise<void> => {
      while (traffic.on) {
        const quote = await ask(wallet, '/sell/quote', { session_id, amount_sats: 100_000 + (next += 1), ...card });
        if (quote) await place('sell', wallet, '/sell/order', { session_id, quote_id: quote.body['quote_id'] });
      }
    };
    const channel = async (): Promise<void> => {
      const { wallet, session_id } = await opened();
      while (traffic.on) {
        const wanted = { session_id, product: 'inbound', amount_sats: 1_000_000 + (next += 1), pay_with: 'lightning', lease_blocks: 4320, firm: true };
        const offers = await ask(wallet, '/liquidity/offers', wanted);
        const [offer] = (offers?.body['offers'] ?? []) as Body[];
        if (offers && !offer)
          wrong.push(`${phase}: /liquidity/offers 200 without an offer: ${JSON.stringify([offers.body['refused'], offers.body['failed']])}`);
        if (offer) await place('channel', wallet, '/liquidity/order', { session_id, quote_id: offer['quote_id'] });
      }
    };
    const recharge = async (): Promise<void> => {
      const { wallet, session_id } = await opened();
      while (traffic.on) {
        const amount_sats = 100_000 + (next += 1);
        const quote = await ask(wallet, '/liquidity/quote', { session_id, product: 'recharge', amount_sats, pay_with: 'lightning' });
        const invoice = invoiceOver(amount_sats, { timestamp: Math.floor(gateway.clock.now() / 1000) });
        if (quote) await place('recharge', wallet, '/liquidity/order', { session_id, quote_id: quote.body['quote_id'], invoice });
      }
    };
    const customers = Promise.all([buy(), buy(), buy(), ...sellers.map(sell), channel(), channel(), recharge()]);

    // ---- what happens to the database ----------------------------------------------------------------------------------------------------
    const others = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`;
    const during = async (what: string, does: () => Promise<void>): Promise<void> => {
      phase = what;
      await does();
      phase = `after ${what}`;
      await wait(4_000);
    };
    const command = async (statements: string[]): Promise<void> => {
      const one = connect(server.url, 1);
      for (const statement of statements) await one.unsafe(statement);
      await one.end();
    };
    await wait(4_000);
    for (const [what, signal] of [
      ['a restart', 'SIGINT'],
      ['a crash', 'SIGQUIT'],
    ] as const)
      await during(what, async () => {
        await server.down(signal);
        await wait(2_000);
        await server.up();
      });
    await during('a server that only reads', async () => {
      await command([`alter database ${name} set default_transaction_read_only = on`, others]);
      await wait(4_000);
      await command([`alter database ${name} reset default_transaction_read_only`]);
    });
    for (const table of ['sessions', 'routes', 'intents', 'orders', 'daily_uses'])
      await during(`a lock on ${table}`, async () => {
        const blocker = connect(url.href, 1);
        await blocker.unsafe(`begin; lock table ${table} in access exclusive mode; select pg_sleep(2.5); rollback`);
        await blocker.end();
      });
    await during('connections that are ended', async () => {
      for (let n = 0; n < 6; n += 1) {
        await command([others]);
        await wait(400);
      }
    });
    traffic.on = false;
    await customers;

    // ---- what is left --------------------------------------------------------------------------------------------------------------------
    phase = 'afterwards';
    await gateway.pass(120_000);
    for (const { ramp, path, request, wallet, answer } of orders) {
      const again = await ask(wallet, path, request, ['order-unpayable']);
      const same = (one: Body): string => JSON.stringify({ ...one, instance: '', request_id: '' });
      if (again && same(again.body) !== same(answer.body)) wrong.push(`${ramp}: another answer for one quote: ${same(answer.body)} then ${same(again.body)}`);
    }
    const good = orders.filter(({ answer }) => answer.status === 200);
    const ids = new Set(good.map(({ answer }) => String(answer.body['order_id'])));
    const stored = await sql<{ id: string; upstream: string | null; quote: string }[]>`select id, upstream_order_id as upstream, quote_id as quote from orders`;
    for (const id of ids) if (!stored.some((row) => row.id === id)) wrong.push(`lost: ${id}`);
    const twice = (what: string, values: (string | null)[]): void => {
      const all = values.filter((one) => one !== null);
      if (new Set(all).size !== all.length) wrong.push(`twice: ${what}`);
    };
    twice(
      'an order of a quote',
      stored.map(({ quote }) => quote),
    );
    twice(
      'an upstream order',
      stored.map(({ upstream }) => upstream),
    );
    const intents = await sql<{ id: string; state: string }[]>`select id, state from intents`;
    for (const { id, state } of intents) if (['prepared', 'sending', 'unknown', 'review'].includes(state)) wrong.push(`unresolved: ${id} is ${state}`);
    // Each attempt was sent once: Bitrefill repeats our reference, FLS01 has one order for a quote.
    twice(
      'a recharge',
      [...world.thor.control.state.orders.values()].map(({ userRef }) => userRef ?? null),
    );
    // Every order of a channel seller was counted before it was made.
    for (const id of ['north', 'south'] as const) {
      const [row] = await sql<{ used: string }[]>`select sum(used)::text as used from daily_uses where purpose = 'seller-orders' and subject = ${id}`;
      const made = world[id].control.orders.size;
      if (Number(row?.used ?? 0) < made) wrong.push(`${id} made ${made} orders, and ${row?.used} are counted`);
    }
    // What was promised is followed to its end.
    const upstreamOf = new Map(stored.map(({ id, upstream }) => [id, upstream]));
    for (const { ramp, answer } of good) {
      const upstream = upstreamOf.get(String(answer.body['order_id'])) ?? '';
      const { lightning_invoice: invoice = '' } = answer.body['payment_info'] as { lightning_invoice?: string };
      for (const seller of ramp === 'channel' ? [world.north, world.south] : []) {
        if (!seller.control.orders.has(upstream)) continue;
        seller.control.pay(upstream);
        seller.control.open(upstream);
      }
      if (ramp === 'recharge') await world.thor.control.pay(upstream);
      if (ramp === 'sell') await world.bringin.control.pay(invoice);
    }
    const ends = { buy: 'filled', sell: 'finished', channel: 'finished', recharge: 'finished' } as const;
    const wanted = new Map(good.map(({ ramp, answer }) => [String(answer.body['order_id']), ends[ramp as keyof typeof ends]]));
    const behind = async (): Promise<string[]> => {
      const rows = await sql<{ id: string; stage: string }[]>`select id, stage from orders`;
      return rows.filter(({ id, stage }) => wanted.has(id) && wanted.get(id) !== stage).map(({ id, stage }) => `${id} is ${stage}`);
    };
    for (let n = 0; n < 60 && (await behind()).length > 0; n += 1) await gateway.pass(60_000);
    wrong.push(...(await behind()));

    const by = (ramp: string): string => `${good.filter((one) => one.ramp === ramp).length} ${ramp}`;
    const lapsed = orders.length - good.length;
    const phases = [...seen]
      .filter(([what]) => !what.startsWith('after') && what !== 'calm')
      .map(([what, { good: ok, retried }]) => `${what} ${ok} good, ${retried} told to retry`);
    reportGoal(
      'G21',
      `${counts.answers} answers (${phases.join('; ')}): ${counts.retried} were 503 retryable, ${wrong.length} wrong; orders ${['buy', 'sell', 'channel', 'recharge'].map(by).join(', ')}, all at their end, 0 lost, 0 twice; ${lapsed} lapsed unseen and said so; the longest answer ${Math.round(counts.longestMs)} ms`,
      0,
    );
    await close();
    await sql.end();
    await server.stop();
    expect(wrong).toEqual([]);
    expect(good.length).toBeGreaterThan(50);
  },
  300_000,
);
