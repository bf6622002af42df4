/**
 * Runs one small history from one seed: two instances of the real engine on one database, a clock that only the history moves, providers of every
 * re-POST profile, and the real adapters of DFX and Blocktank over their simulators. Its faults are responses that are lost or late, instances that
 * stop at any of their steps, senders that sleep past their lease, and a receiver that is down. One thing happens at a time, so that a seed repeats
 * its history: the database and the threads that seal and sign do one task at a time, and every timer runs by the history's clock.
 */
import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { vi } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig, type GatewayConfig } from '../../src/config/providers-config.ts';
import { freshSecrets, readSecrets, type Secrets } from '../../src/config/secrets.ts';
import { composeInstance, httpSettings } from '../../src/entry/compose.ts';
import type { Gateway } from '../../src/ports/gateway.ts';
import { runScheduled } from '../../src/gateway/run-scheduled.ts';
import { createApp } from '../../src/http/app.ts';
import { signNodeMessage } from '../../src/bitcoin/node-signature.ts';
import { publicKeyOf } from '../../src/bitcoin/secp256k1.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import type { Http } from '../../src/providers/spec.ts';
import { noMetrics } from '../../src/entry/gauges.ts';
import { createRandom, type Random } from '../fuzz/random.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { bank } from '../support/scenarios/sell.ts';
import { finishedUnlinked, quotedSql, violations, type Kept, type Told } from './checker.ts';
import { fakeBuyer, type FakeOrder, type FakeProvider, type Outcome } from './fake-buyer.ts';
import { introduce, openBooks, realBlocks, realEnvironment } from './real-books.ts';
import { realUrls, startReal } from './real-network.ts';
import { profiles } from './replicas.ts';

const most = 1_000_000_000;
const configText = stringify({
  mode: 'sandbox',
  network: 'regtest',
  proof_of_ownership: 'never',
  limits: { verify_per_minute: most, quotes_per_minute: most, orders_per_minute: most, in_flight: most },
  orders: { max_open: most },
  sessions: { opens_per_minute: most },
  // One webhook at a time: parallel ones would be sent in a different sequence the next time.
  webhooks: { in_flight_per_host: 1 },
  routing: { shortest_life_s: 0, expiry_margin_s: 0, quote_deadline_ms: 300, order_deadline_ms: 1500, status_deadline_ms: 1500 },
  providers: Object.fromEntries(
    Object.entries({
      ...Object.fromEntries(
        profiles.map((id) => [id, { kind: 'fake-buyer', base_url: 'http://127.0.0.1:9', repost: id, late_commit_max_s: 1, opens_per_minute: most }]),
      ),
      ...realBlocks(realUrls),
    }).map(([id, block]) => [id, { ...block, retry: { attempts: 0 }, breaker: { volume_threshold: most } }]),
  ),
});
const environment = { ...freshSecrets(randomBytes), ...realEnvironment };

type Instance = {
  name: string;
  fetch: (request: Request) => Promise<Response>;
  tick: () => Promise<void>;
  died: Promise<void>;
  isDead: () => boolean;
  dieAfter: (seams: number, done: boolean) => void;
};
export type Story = {
  seed: number;
  lines: string[];
  broken: string[];
  deaths: number;
  orders: number;
  /** Of `orders`, those at DFX and at Blocktank. */ real: number;
  answers: number;
  webhooks: number;
  moves: number;
};

/** The ramps. One that is listed more often is drawn more often. */
const kinds = ['buy', 'buy', 'buy', 'liquidity', 'sell'] as const;
const paths = { buy: '', sell: '/sell', liquidity: '/liquidity' } as const;

const outcomes: readonly Outcome[] = ['ok', 'ok', 'ok', 'ok', 'lost', 'lost', 'late', 'never', 'refused', 'not-sent', 'garbled', 'worse'];

/** Runs a history. `database` must have a single connection, so that its results come in the sequence of the statements. */
export const tellHistory = async (database: Pick<TestDatabase, 'sql'>, seed: number): Promise<Story> => {
  await emptyDatabase(database);
  // The connection is open by now, so only the gateway starts timers. With real timers, it would depend on the machine's load which deadlines pass.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const limits = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const limit = new AbortController();
    setTimeout(() => limit.abort(), ms);
    return limit.signal;
  });
  try {
    return await tell(database, seed);
  } finally {
    limits.mockRestore();
    vi.useRealTimers();
  }
};

/** Deletes all rows, because the options and fills of the previous history would change the next one. The migrations are in another schema. */
const emptyDatabase = async ({ sql }: Pick<TestDatabase, 'sql'>): Promise<void> => {
  const tables = await sql<{ name: string }[]>`select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`;
  await sql.unsafe(`truncate ${tables.map(({ name }) => name).join(', ')} restart identity cascade`);
};

const tell = async (database: Pick<TestDatabase, 'sql'>, seed: number): Promise<Story> => {
  const random = createRandom(seed);
  const ids = createRandom(seed + 1);
  const clock = { now: Date.UTC(2026, 10, 21) };
  const pass = (ms: number): void => {
    clock.now += ms;
    vi.advanceTimersByTime(ms);
  };
  const inTurn = oneAtATime();
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(`${((clock.now - Date.UTC(2026, 10, 21)) / 1000).toFixed(2)} ${line}`);

  // No fault disturbs how the customers' sessions are opened.
  const calm = { on: true };
  let interlude: ((at: string) => Promise<void>) | undefined;
  let interluded: Promise<void> | undefined;
  const providers = new Map<string, FakeProvider>(
    profiles.map((id, n): [string, FakeProvider] => {
      // Each provider has its own random source, because providers are asked in parallel.
      const failing = createRandom(seed + 2 + n);
      return [
        id,
        {
          id,
          orders: [],
          outcome: () => {
            const outcome = calm.on ? 'ok' : random.pick(outcomes);
            say(`${id}: a POST will be ${outcome}`);
            return outcome;
          },
          fails: () => failing.chance(0.1) && !calm.on,
          meanwhile: async () => {
            const now = interlude;
            interlude = undefined;
            interluded = now?.(id);
            await interluded;
          },
        },
      ];
    }),
  );
  const modules = new Map([...providerModules, ['fake-buyer', fakeBuyer(providers, clock, ids)] as const]);
  const parsed = parseConfig(configText, { fileName: 'history.yaml', modules });
  if (!parsed.ok) throw new Error(parsed.mistakes.join('; '));
  const secrets = readSecrets(environment, parsed.config);
  if (!secrets.ok) throw new Error(secrets.mistakes.join('; '));
  const real = startReal({
    now: () => clock.now,
    random: createRandom(seed + 2 + profiles.length),
    outcome: (id) => {
      const outcome = calm.on ? 'ok' : random.pick(outcomes);
      say(`${id}: a POST will be ${outcome}`);
      return outcome;
    },
    isCalm: () => calm.on,
    meanwhile: async (id) => {
      const now = interlude;
      interlude = undefined;
      interluded = now?.(id);
      await interluded;
    },
    inTurn,
  });
  const books = openBooks(real.dfx.control, real.tank.control);
  const accepted: { id: string; subject: string; type: string; sequence: number }[] = [];
  let receiverAway = false;
  const world: World = {
    sql: database.sql,
    clock,
    pass,
    inTurn,
    ids,
    say,
    modules,
    config: parsed.config,
    secrets: secrets.secrets,
    http: real.http,
    receive: (headers, body) => {
      if (receiverAway) return false;
      const { type, data } = JSON.parse(body) as { type: string; data: { order_id: string } };
      accepted.push({ id: headers['webhook-id'] ?? '', subject: data.order_id, type, sequence: Number(headers['webhook-sequence']) });
      return true;
    },
  };
  let deaths = 0;
  let born = 0;
  const instances: [Instance, Instance] = [startInstance(world, `i${(born += 1)}`), startInstance(world, `i${(born += 1)}`)];
  // These statements take their turn, so that they run after the statements that a dead instance had already sent.
  const expireLeases = async (name: string): Promise<void> =>
    await inTurn(async () => {
      for (const table of ['intents', 'deliveries', 'orders', 'connections'])
        await database.sql.unsafe(`update ${table} set lease_until = now() - interval '1 second' where lease_owner like '${name}/%'`);
      // Other instances also wait for a provider session whose opening has not finished, so its claim is made a minute older.
      await database.sql`update provider_sessions set claimed_on = claimed_on - interval '1 minute' where not ready`;
    });
  /** Replaces a dead instance: its leases expire, and a new instance takes its place. */
  const bury = async (): Promise<void> => {
    for (const [n, one] of instances.entries())
      if (one.isDead()) {
        deaths += 1;
        say(`${one.name} is dead`);
        await expireLeases(one.name);
        instances[n] = startInstance(world, `i${(born += 1)}`);
      }
  };

  const call = async (on: Instance, path: string, body?: object): Promise<{ status: number; text: string }> => {
    const headers = { 'content-type': 'application/json', ...(body && 'quote_id' in body ? { 'idempotency-key': `key-${String(body.quote_id)}` } : {}) };
    const request = new Request(`http://gateway.test${path}`, body ? { method: 'POST', headers, body: JSON.stringify(body) } : {});
    const lost = on.died.then(() => ({ status: 0, text: '{}' }));
    const answered = (async () => {
      const response = await on.fetch(request);
      return { status: response.status, text: await response.text() };
    })();
    return await Promise.race([answered, lost]);
  };

  const told: Told[] = [];
  let asked = 0;
  const wanted: Wanted[] = [];
  const order = async (on: Instance, { session, quoteId, name, path, more }: Wanted): Promise<number> => {
    const { status, text } = await call(on, path, { session_id: session, quote_id: quoteId, webhook_url: 'http://127.0.0.1:9/hook', ...more });
    const { code, instance: _, ...rest } = JSON.parse(text) as { code?: string; instance?: string };
    told.push({ quoteId, at: clock.now, status, code, essence: status === 200 ? text : JSON.stringify({ code, ...rest }) });
    say(`${on.name}: order of ${name} answered ${status} ${code ?? ''}`);
    return status;
  };
  const session = async (): Promise<Session> => {
    const key = ids.hex(64);
    const node = publicKeyOf(key);
    const { session_id: id, tokens } = JSON.parse((await call(instances[0], '/verify')).text) as { session_id: string; tokens: { gateway: string } };
    const proof = { signatures: { gateway: signNodeMessage(tokens.gateway, key) }, node_pubkey: node };
    const opened = await call(instances[0], '/session', { session_id: id, ...proof });
    if (opened.status !== 200) throw new Error(`seed ${seed}: no session: ${opened.text}`);
    await introduce(real.dfx.control, realUrls.dfx, node, async (request) => await real.dfx.app.fetch(request));
    return { id, node };
  };
  const sessions = [await session(), await session()];
  const optionOf = async (path: string) => sepaIn((await call(instances[0], path, { session_id: sessions[0]?.id, currency_code: 'EUR' })).text);
  const [sepa, sepaSale] = [await optionOf('/payment-options'), await optionOf('/sell/payment-options')];
  const connections = new Map<string, string>();
  /** Connects the customer's account and bank, if that has not been done. Returns the connection, or undefined if a fault prevented it. */
  const connectionOf = async (on: Instance, { id, node }: Session): Promise<string | undefined> => {
    const known = connections.get(id);
    if (known !== undefined) return known;
    const account = await call(on, '/accounts', { session_id: id, provider: 'dfx', payout_to: { node_pubkey: node } });
    const { account_id } = JSON.parse(account.text) as { account_id?: string };
    const made = await call(on, '/sell/connections', { session_id: id, account_id, name: 'Bank', lightning_username: 'unused', ...bank });
    const { connection_id: connection } = JSON.parse(made.text) as { connection_id?: string };
    if (made.status === 200 && connection !== undefined) connections.set(id, connection);
    return connections.get(id);
  };
  const tick = async (on: Instance): Promise<void> => {
    say(`${on.name}: its tick`);
    await Promise.race([on.tick(), on.died]);
  };
  const quote = async (on: Instance): Promise<void> => {
    const owner = random.pick(sessions);
    const kind = random.pick(kinds);
    // Each request has an amount of its own, further from all others than DFX's tolerance.
    const nth = asked++;
    const size = 100_000 + 2000 * nth;
    const firm = random.chance(0.4);
    const ask = {
      buy: async () => await call(on, '/offers', { session_id: owner.id, amount_fiat: 5000 + 120 * nth, ...sepa, payout_kinds: ['node_pubkey'] }),
      sell: async () => await call(on, '/sell/offers', { session_id: owner.id, amount_sats: size, ...sepaSale }),
      liquidity: async () => await call(on, '/liquidity/offers', { session_id: owner.id, product: 'inbound', amount_sats: size, pay_with: 'lightning', firm }),
    };
    const connection = kind === 'sell' ? await connectionOf(on, owner) : undefined;
    if (kind === 'sell' && connection === undefined) return say(`${on.name}: no connection`);
    const { status, text } = await ask[kind]();
    if (status !== 200) return say(`${on.name}: no offers: ${status}`);
    const { offers } = JSON.parse(text) as { offers: { quote_id: string; provider: { id: string } }[] };
    if (offers.length === 0) return say(`${on.name}: no offer`);
    const { quote_id: quoteId, provider } = random.pick(offers.sort((a, b) => (a.provider.id < b.provider.id ? -1 : 1)));
    const moves = random.below(4);
    const failover = moves === 0 ? {} : { failover: { max: moves, min_amount_sats: 1 } };
    const more = { buy: { payout_to: { node_pubkey: owner.node }, ...failover }, sell: { connection_id: connection }, liquidity: {} };
    wanted.push({ session: owner.id, quoteId, name: `${provider.id}-${wanted.length}`, path: `${paths[kind]}/order`, more: more[kind] });
    if (kind === 'liquidity' && !firm) books.channels.set(size, quoteId);
    // A second firm price for the same channel belongs to the same order. Only one of the two requests may get that order.
    if (kind === 'liquidity' && firm && random.chance(0.6)) {
      const again = await ask.liquidity();
      const [second] = (JSON.parse(again.text) as { offers?: { quote_id: string }[] }).offers ?? [];
      if (second) wanted.push({ session: owner.id, quoteId: second.quote_id, name: `${provider.id}-${wanted.length}`, path: '/liquidity/order', more: {} });
    }
    const other = instances[0] === on ? instances[1] : instances[0];
    const mine = wanted.at(-1);
    if (mine && random.chance(0.4))
      interlude = async (at) => {
        say('meanwhile:');
        const sleeps = random.chance(0.4);
        if (sleeps) await expireLeases(on.name);
        // DFX books the money for the order that was confirmed last. A real lease outlasts the deadline, after which a sender confirms no order. So
        // if the lease has expired here, the clock must pass that deadline, too.
        pass(sleeps && at === 'dfx' ? 2000 : random.below(4000));
        await (random.chance(0.5) ? tick(other) : order(other, mine));
      };
    if (mine) await order(on, mine);
    interlude = undefined;
    // The sender may have died while its order was on the way and the interlude is still running.
    await interluded;
  };
  const pay = async (on: Instance): Promise<void> => {
    const shownReal = (await answersOfReal()).filter(books.isUnpaid);
    if (shownReal.length > 0 && random.chance(0.5)) {
      await books.pay(random.pick(shownReal));
      return say('a customer of DFX or Blocktank pays');
    }
    // Only a customer who was shown how to pay can pay.
    const made = (await unpaidFake())[0];
    if (made) await end(on, made, random.chance(0.3) ? 'finished' : 'filled');
  };
  const unpaidFake = async (): Promise<FakeOrder[]> => {
    const shown = new Set((await kept()).flatMap((one) => (one.state === 'confirmed' ? (one.upstreamOrderId ?? []) : [])));
    return [...providers.values()].flatMap((one) => one.orders).filter((one) => one.status === 'placed' && shown.has(one.id));
  };
  /**
   * Makes the provider say what became of an order. `finished`: that its sats were withdrawn, although these providers give no link to withdraw them
   * with.
   */
  const end = async (on: Instance, made: FakeOrder, as: 'filled' | 'finished'): Promise<void> => {
    made.status = as;
    const { status } = await call(on, new URL(made.noticeUrl).pathname, { type: 'status', data: { order_id: made.id, order_status: made.status } });
    say(`${on.name}: a notice was answered ${status}`);
  };
  const kept = async (): Promise<Kept[]> =>
    await inTurn(
      async () =>
        await database.sql<
          Kept[]
        >`select ${database.sql.unsafe(quotedSql)} as quoted, i.id as "intentId", i.quote_id as "quoteId", i.provider_id as provider, i.state, i.upstream_order_id as "upstreamOrderId", i.moved_to as "movedTo",
      (select count(*) from orders o where o.intent_id = i.id)::int as orders from intents i where i.state <> 'rejected'
        or not exists (select 1 from intents j where j.quote_id = i.quote_id and j.id <> i.id)`,
    );

  /** Returns the answers by which orders at DFX and Blocktank can be paid. */
  const answersOfReal = async (): Promise<string[]> => {
    const held = new Map((await realOrders()).map(({ id, stage }) => [id, stage]));
    const shown = new Map(told.flatMap(({ status, essence }) => (status === 200 ? [[(JSON.parse(essence) as { order_id: string }).order_id, essence]] : [])));
    return [...shown].flatMap(([id, answer]) => (held.has(id) ? [answer] : []));
  };
  const realOrders = async () =>
    await inTurn(
      async () =>
        await database.sql<{ id: string; stage: string; upstreamOrderId: string }[]>`
          select id, stage, upstream_order_id as "upstreamOrderId" from orders where provider_id in ('dfx', 'tank')`,
    );
  const steps = 8 + random.below(8);
  calm.on = false;
  for (let step = 0; step < steps; step += 1) {
    const on = random.pick(instances);
    const draw = random.next();
    if (random.chance(0.25)) on.dieAfter(1 + random.below(25), random.chance(0.5));
    if (draw < 0.45) await quote(on);
    else if (draw < 0.6 && wanted.length > 0) await order(on, random.pick(wanted));
    else if (draw < 0.75) await tick(on);
    else if (draw < 0.8) pass(random.below(20_000));
    else if (draw < 0.93) await pay(on);
    else receiverAway = !receiverAway;
    await bury();
    pass(random.below(1500));
    await inTurn(real.arrive);
  }

  // All faults end, and customers without a final response ask again.
  calm.on = true;
  receiverAway = false;
  for (const one of instances) one.dieAfter(Infinity, false);
  const open = async (): Promise<number> =>
    (
      await inTurn(
        async () =>
          await database.sql<{ n: number }[]>`select (select count(*) from intents where state in ('prepared', 'sending', 'unknown'))::int
        + (select count(*) from deliveries where state = 'due')::int as n`,
      )
    )[0]?.n ?? 0;
  for (let round = 0; round < 60 && (round < 3 || (await open()) > 0); round += 1) {
    pass(round < 20 ? 3000 : 400_000);
    for (const one of instances) await one.tick();
    for (const one of wanted) {
      const last = told.findLast((answer) => answer.quoteId === one.quoteId);
      if (!last || last.status === 0 || last.status >= 500) await order(random.pick(instances), one);
    }
  }
  for (const one of wanted) {
    await order(instances[0], one);
    await order(instances[1], one);
  }
  for (const answer of await answersOfReal()) await books.pay(answer);
  for (const made of await unpaidFake()) await end(instances[0], made, 'finished');
  for (let round = 0; round < 60 && (round === 0 || books.unfulfilled(await realOrders()).length > 0 || (await open()) > 0); round += 1) {
    pass(3_600_000);
    await instances[0].tick();
  }
  const rows = await kept();
  const realMade = books.made(rows);
  const made = [
    ...[...providers.values()].flatMap((one) =>
      one.orders.map((each) => ({ provider: one.id, orderId: each.id, intentId: each.intentId, status: each.status })),
    ),
    ...realMade,
  ];
  const broken = [
    ...violations(told, made, rows, books.habits),
    ...books.unfulfilled(await realOrders()),
    ...(await brokenWebhooks(database, accepted)),
    ...(await finishedUnlinked(database)),
  ];
  const webhooks = new Set(accepted.map((one) => one.id)).size;
  const moves = rows.filter((one) => one.movedTo !== null).length;
  return { seed, lines, broken, deaths, orders: made.length, real: realMade.length, answers: told.length, webhooks, moves };
};

type Session = { id: string; node: string };
/** A request that a wallet repeats until it has a final response. */
type Wanted = { session: string; quoteId: string; name: string; path: string; more: object };

type Listing = { currencies: { [code: string]: { currency_id: number; payment_options: { id: number; option: string }[] } }[] };
const sepaIn = (listing: string): { currency_id: number | undefined; payment_option_id: number | undefined } => {
  const { currencies } = JSON.parse(listing) as Listing;
  const listed = currencies[0]?.['eur'];
  return { currency_id: listed?.currency_id, payment_option_id: listed?.payment_options.find(({ option }) => option === 'SEPA')?.id };
};

type World = {
  sql: Sql;
  clock: { now: number };
  /** Moves the clock, and runs the timers that are due by then. */
  pass: (ms: number) => void;
  inTurn: Turns;
  ids: Random;
  say: (line: string) => void;
  modules: Parameters<typeof composeInstance>[0]['modules'];
  config: GatewayConfig;
  secrets: Secrets;
  http: Http;
  receive: (headers: Record<string, string>, body: string) => boolean;
};

/** The app is shared by all instances, because building its routes takes longer than a history. They share nothing else. */
let theApp: ReturnType<typeof createApp> | undefined;
const gateways = new Map<string, Gateway>();
/** Calls to the database and to the threads that seal and sign take turns. If they ran in parallel, a seed would not always repeat its history. */
type Turns = <T>(work: () => Promise<T>) => Promise<T>;
const oneAtATime = (): Turns => {
  let last: Promise<unknown> = Promise.resolve();
  return async <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return await mine;
  };
};
/** Returns an object with the same methods, whose calls take their turn. */
const turning = (of: object, inTurn: Turns): object =>
  Object.fromEntries(
    Object.entries(of).map(([name, method]: [string, (...given: unknown[]) => Promise<unknown>]) => [
      name,
      async (...given: unknown[]) => await inTurn(() => method(...given)),
    ]),
  );

/** Starts an instance of the real engine. It can freeze before or after any call to its stores and providers. */
const startInstance = (world: World, name: string): Instance => {
  const { clock, ids, config, secrets, inTurn } = world;
  let seams = 0;
  let dieAt = Infinity;
  let afterDone = false;
  let dead = false;
  let die: () => void = () => undefined;
  const died = new Promise<void>((done) => {
    die = () => {
      dead = true;
      done();
    };
  });
  const running = new Set<Promise<unknown>>();
  const follow = (work: Promise<unknown>): void => {
    const settled: Promise<unknown> = work.then(
      () => running.delete(settled),
      () => running.delete(settled),
    );
    running.add(settled);
  };
  const never = async (): Promise<never> => await new Promise<never>(() => undefined);
  /** Returns the same call, before or after which the instance can freeze. */
  const seam =
    <A extends unknown[], R>(label: string, call: (...given: A) => Promise<R>, turns: boolean) =>
    async (...given: A): Promise<R> => {
      if (dead) return await never();
      seams += 1;
      const mine = seams === dieAt;
      if (mine) world.say(`${name} dies ${afterDone ? 'after' : 'before'} ${label}`);
      if (mine && !afterDone) {
        die();
        return await never();
      }
      const asked = turns ? inTurn(() => call(...given)) : call(...given);
      // A call to a provider may outlast its deadline, and then the response.
      if (!turns) follow(asked);
      try {
        return await asked;
      } finally {
        // A dead instance never learns the outcome.
        if (mine) die();
        if (dead) await never();
      }
    };
  const wrap = (of: object, label: string, turns: boolean): void => {
    for (const [key, value] of Object.entries(of) as [string, unknown][])
      if (typeof value === 'function')
        Object.assign(of, { [key]: seam(`${label}.${key}`, value.bind(of) as (...given: unknown[]) => Promise<unknown>, turns) });
  };
  const composed = composeInstance({
    config,
    secrets,
    modules: world.modules,
    http: seam('a request', world.http, false),
    sender: async ({ headers, body }) =>
      await Promise.resolve(
        world.receive(headers, body) ? { outcome: 'delivered', statusClass: '2xx', status: 200 } : { outcome: 'failed', statusClass: 'unreachable' },
      ),
    log: () => undefined,
    metrics: noMetrics,
    now: () => clock.now,
    random: ids.next,
    uuid: ids.uuid,
    randomSecret: (bytes) => ids.hex(bytes * 2),
    sleep: async (ms) => {
      world.pass(ms);
      await Promise.resolve();
    },
    instance: name,
    outlivesRequest: true,
  });
  const gateway = composed.onDatabase(world.sql, {
    grouped: false,
    migrated: async () => await Promise.resolve(true),
    background: follow,
  });
  for (const [label, store] of Object.entries(gateway.stores)) if (typeof store === 'object') wrap(store, label, true);
  // The calls of the real adapters are not wrapped: the requests that they send are seams already.
  for (const { id, adapter } of composed.providers) if (adapter.buy && id !== 'dfx') wrap(adapter.buy, id, false);
  const idle = async (): Promise<void> => {
    while (running.size > 0 && !dead) await Promise.race([Promise.all(running), died]);
  };
  for (const slow of ['seal', 'signer', 'receiptSigner'] as const) Object.assign(gateway, { [slow]: turning(gateway[slow], inTurn) });
  const app = (theApp ??= createApp({
    platform: (c) => ({ gateway: gateways.get(c.req.header('x-instance') ?? '') as Gateway, ip: () => '192.0.2.7' }),
    http: httpSettings(config, secrets),
    limiter: async () => await Promise.resolve({ allowed: true, resetSeconds: 60 }),
    pages: () => Promise.resolve(undefined),
    metrics: async (c) => await Promise.resolve(c.text('')),
  }));
  gateways.set(name, gateway);
  const drain = composed.drain(gateway);
  return {
    name,
    // Work that continues after a response must end before the next thing happens.
    fetch: async (request) => {
      request.headers.set('x-instance', name);
      const response = await app.fetch(request);
      await idle();
      return response;
    },
    died,
    isDead: () => dead,
    tick: async () => {
      // Leaves the console's figures out. After the clock has moved by hours, they would be most of what an instance does, and of where it dies.
      gateway.state.figuresIdleOn = clock.now;
      await runScheduled(gateway, drain, { ms: 25_000, calls: 200 });
      await idle();
    },
    dieAfter: (more, done) => {
      dieAt = seams + more;
      afterDone = done;
    },
  };
};

const brokenWebhooks = async (
  database: Pick<TestDatabase, 'sql'>,
  accepted: readonly { id: string; subject: string; type: string; sequence: number }[],
): Promise<string[]> => {
  const rows = await database.sql<{ id: string; state: string; attempt: number }[]>`select id, state, attempt from deliveries`;
  const ids = new Set(accepted.map((one) => one.id));
  const unknown = [...ids].filter((id) => !rows.some((row) => row.id === id)).map((id) => `webhook ${id} is not known`);
  const last = new Map<string, number>();
  const turned = accepted.flatMap(({ subject, type, sequence }) => {
    const before = last.get(`${subject} ${type}`) ?? 0;
    last.set(`${subject} ${type}`, Math.max(before, sequence));
    return before > sequence ? [`${subject}: webhook ${sequence} after ${before}`] : [];
  });
  const open = rows.filter((row) => row.state === 'due' || row.state === 'dead' || (row.state === 'delivered' && !ids.has(row.id)));
  return [...unknown, ...turned, ...open.map((row) => `webhook ${row.id} is ${row.state} after ${row.attempt}`)];
};
