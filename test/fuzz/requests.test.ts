/**
 * G5: hostile requests to every operation of /openapi.json. They are made from the operation's schema and values of earlier responses. The members or
 * bytes of most requests are then corrupted.
 */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { createClient, type Client, type Seen, type Sent } from './client.ts';
import { hostileValue, spoilBytes, spoilMembers, toText, valueFor, type Pool } from './hostile.ts';
import { checkAnswer, readOperations, type Operation } from './operations.ts';
import { shop, startRequestWorld, type RequestWorld } from './request-world.ts';
import { chaosSeed, createRandom, isFull, reportGoal, sizeOf, type Random } from './random.ts';

const workers = 8;
// `npm test` runs the short form, with fewer requests; `npm run test:chaos` runs the long form.
const total = sizeOf(1_200, 100_000);
let world: RequestWorld;
let operations: Operation[];
let client: Client;
beforeAll(async () => {
  world = await startRequestWorld();
  operations = await readOperations(world.url);
  client = createClient(world.url);
  // Until the first listing has been read, requests for a price get 503 `temporary-reduced-capacity`, as documented (test/http/slow-listing.test.ts).
  // After that, only requests of ramps without a provider may get a 5xx.
  const { call, open } = createWallet(world.url);
  const { sessionId } = await open();
  expect((await call('/payment-options', { session_id: sessionId })).body['currencies']).toHaveLength(1);
});
afterAll(async () => {
  await client.close();
  await world.close();
});

const send = async (sent: Sent): Promise<Seen> => await client.send(sent);

const spoilHeaders = (headers: Record<string, string>, random: Random): void => {
  const printable = String(hostileValue(random))
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 300);
  const name = random.pick([
    'content-type',
    'idempotency-key',
    'x-request-id',
    'authorization',
    'x-session-id',
    'traceparent',
    'origin',
    'x-forwarded-for',
    'forwarded',
    'content-encoding',
    'accept',
  ]);
  headers[name] = random.chance(0.5) ? printable : random.pick(['text/plain', 'application/json; charset=latin1', '"quoted"', 'Bearer x', 'null', '*/*']);
};

const origins = [shop, shop, 'https://evil.example', 'null', `${shop}.evil.example`, shop.toUpperCase(), `${shop}/`];
/**
 * Returns a flaw unless a listed page, without credentials, may read the response and the headers that it needs, and no other page may read it. No
 * page may read what the operator's paths answer.
 */
const corsFlaws = ({ path, headers: { origin } }: Sent, { headers }: Seen): string[] => {
  const allowed = headers.get('access-control-allow-origin');
  if (path.startsWith('/operator/')) return allowed === null ? [] : [`${String(origin)} may read an answer for the operator`];
  const exposed = (headers.get('access-control-expose-headers') ?? '').split(', ');
  if (allowed !== (origin === shop ? shop : null)) return [`${String(origin)} is told ${String(allowed)}`];
  if (headers.get('access-control-allow-credentials') !== null) return ['credentials are allowed'];
  return allowed === null || ['retry-after', 'x-request-id'].every((name) => exposed.includes(name)) ? [] : ['a page cannot read Retry-After'];
};

/** Returns a flaw if a gzip body was refused for being compressed. */
const packedFlaws = ({ headers }: Sent, { status, text }: Seen): string[] =>
  headers['content-encoding'] === 'gzip' && (status === 415 || text.includes('not valid gzip')) ? [`a gzip body is refused: ${text.slice(0, 200)}`] : [];

const requestFor = (operation: Operation, random: Random, pool: Pool): Sent => {
  const session = String(pool.get('session_id')?.[0]);
  const headers: Record<string, string> = { 'x-session-id': session };
  const query = new URLSearchParams();
  for (const { name, schema } of operation.query)
    if (random.chance(0.5)) query.set(name, String(random.chance(0.6) ? valueFor(name, schema, random, pool) : hostileValue(random)).toWellFormed());
  // Fills in the ids of the path.
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(valueFor(name, { format: 'uuid' }, random, pool)).toWellFormed()),
  );
  const sent: Sent = { method: operation.method.toUpperCase(), path: query.size === 0 ? path : `${path}?${query.toString()}`, headers };
  if (operation.method === 'post') {
    headers['content-type'] = 'application/json';
    const value = valueFor('', operation.body ?? { type: 'object' }, random, pool) as Record<string, unknown>;
    // The two ways to ask for a price exclude each other.
    if ('amount_fiat' in value && random.chance(0.9)) for (const name of ['amount_sats', 'amount_btc']) delete value[name];
    const way = random.next();
    const text = toText(way < 0.4 ? value : spoilMembers(value, random));
    sent.body =
      way < 0.8
        ? text
        : way < 0.97
          ? spoilBytes(text, random)
          : random.pick(['', 'null', '[]', '"x"', '1', 'true', '\u{feff}{}', '['.repeat(100_000), ' '.repeat(17_000)]);
  }
  if (random.chance(0.2)) headers['origin'] = random.pick(origins);
  if (random.chance(0.15)) spoilHeaders(headers, random);
  else if (sent.body !== undefined && random.chance(0.1)) {
    sent.body = gzipSync(sent.body);
    headers['content-encoding'] = 'gzip';
  }
  return sent;
};

/** Adds the ids in a good response to the pool, for later requests. */
const harvest = (value: unknown, pool: Pool): void => {
  if (Array.isArray(value)) for (const item of value) harvest(item, pool);
  else if (typeof value === 'object' && value !== null)
    for (const [name, item] of Object.entries(value)) {
      if (name.endsWith('_id') && (typeof item === 'string' || typeof item === 'number')) {
        const known = pool.get(name) ?? [];
        // The worker's own session stays the likeliest to be drawn. POST /session needs a new one.
        if (!known.includes(item)) pool.set(name, name === 'session_id' ? [...known.slice(0, 8), item] : [...known.slice(-9), item]);
      } else harvest(item, pool);
    }
};

const orderIds = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap(orderIds);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => (name === 'order_id' && typeof item === 'string' ? [item] : orderIds(item)));
};

/** The operations of which at least one request must be served. Otherwise the run would have tested too little. */
const served = ['POST /quote', 'POST /offers', 'POST /order', 'POST /order-status', 'POST /route', 'GET /verify'];
const notReached = (reached: ReadonlyMap<string, ReadonlySet<number>>): string[] => served.filter((name) => reached.get(name)?.has(200) !== true);

it(
  `every answer to ${total} hostile requests is documented and well-formed, and nothing is stored half way`,
  async () => {
    const wrong: string[] = [];
    const reached = new Map<string, Set<number>>();
    const told = new Set<string>();
    const looks = [await world.memory()];
    let sentInAll = 0;
    const work = async (worker: number): Promise<void> => {
      const random = createRandom(chaosSeed + worker);
      const { call, open } = createWallet(world.url);
      const { sessionId } = await open();
      // Otherwise a worker that got no quote by chance would order nothing.
      const quote = await call('/quote', { session_id: sessionId, currency_id: 1, payment_option_id: 1, amount_fiat: 10_000 });
      const pool: Pool = new Map<string, unknown[]>([
        ['quote_id', [quote.body['quote_id']]],
        ['session_id', Array.from({ length: 8 }, () => sessionId)],
        ['currency_id', [1]],
        ['payment_option_id', [1]],
        ['amount_fiat', [10_000, 25_000]],
        ['amount_sats', [100_000]],
        ['amount_btc', [100_000]],
        ['webhook_url', ['http://127.0.0.1:9/wallet']],
        ['country', ['DE']],
        ['min_amount_sats', [1]],
        ['max_amount_fiat', [10_000_000]],
        ['max_wait_ms', [300, 1000]],
      ]);
      // A random run may have no good order among its requests; then it continues for a while.
      for (let i = 0; i < total / workers || (notReached(reached).length > 0 && sentInAll < total * 4); i += 1) {
        const operation = random.pick(operations);
        const sent = requestFor(operation, random, pool);
        sentInAll += 1;
        if (sentInAll % Math.ceil(total / 5) === 0) looks.push(await world.memory());
        const seen = await send(sent);
        const { code, body, wrong: found } = checkAnswer(operation, seen);
        // This gateway has no providers for two of the ramps, and its response says so.
        const nobody = code === 'all-providers-failed' && seen.text.includes('No provider of this gateway offers this.');
        if (seen.status >= 500 && !nobody) found.push(`${seen.status} ${code}`);
        found.push(...corsFlaws(sent, seen), ...packedFlaws(sent, seen));
        if (found.length > 0 && wrong.length < 20)
          wrong.push(`${operation.name}: ${found.join(' | ')} <- ${typeof sent.body === 'string' ? sent.body.slice(0, 300) : String(sent.body?.length)}`);
        reached.set(operation.name, (reached.get(operation.name) ?? new Set()).add(seen.status));
        if (seen.status === 200) harvest(body, pool);
        for (const id of orderIds(body)) told.add(id);
      }
    };
    await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
    expect(wrong, `seed ${chaosSeed}`).toEqual([]);
    expect(notReached(reached)).toEqual([]);
    expect([...reached.keys()].sort()).toEqual(operations.map((one) => one.name).sort());

    // An order is stored in full or not at all: with its intent and its first event, and the customer got the response.
    const { sql } = world.database;
    const stored = await sql<{ id: string }[]>`select id from orders`;
    expect(
      stored.filter(({ id }) => !told.has(id)),
      `seed ${chaosSeed}`,
    ).toEqual([]);
    const [half] = await sql<{ n: number }[]>`select (
        (select count(*) from orders o where not exists (select 1 from order_events e where e.order_id = o.id and e.sequence = 1))
      + (select count(*) from orders o where not exists (select 1 from intents i where i.id = o.intent_id and i.state = 'confirmed' and i.answer is not null))
      + (select count(*) from intents i where i.state = 'confirmed' and not exists (select 1 from orders o where o.intent_id = i.id))
      + (select count(*) from intents i where i.state in ('prepared', 'sending')))::int as n`;
    expect(half?.n, `seed ${chaosSeed}`).toBe(0);
    const upstream = world.simulators.reduce((sum, simulator) => sum + simulator.control.history.orders.length, 0);
    expect(stored.length).toBe(upstream);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    looks.push(await world.memory());
    const inTurn = (of: 'rss' | 'heap'): string => looks.map((look) => look[of].toFixed(0)).join(', ');
    // Compiled code and filled caches do not count as growth: the first fifth of the run includes them.
    const grown = ((looks.at(-1)?.rss ?? 0) - (looks[1]?.rss ?? 0)).toFixed(0);
    reportGoal(
      'G5',
      `${total} requests to ${operations.length} operations, 0 undocumented, 0 5xx, ${stored.length} orders whole, RSS ${world.ofGatewayAlone ? 'of the gateway alone' : 'with client and simulators'} at each fifth ${inTurn('rss')}: +${grown} MB (heap ${inTurn('heap')})`,
    );
  },
  isFull ? 900_000 : undefined,
);

it('every member of every body takes every hostile value, with the rest as it should be', async () => {
  const random = createRandom(chaosSeed);
  const { call, open } = createWallet(world.url);
  const { sessionId } = await open();
  const pool: Pool = new Map<string, unknown[]>([
    ['session_id', [sessionId]],
    ['webhook_url', ['http://127.0.0.1:9/wallet']],
  ]);
  const wrong: string[] = [];
  let sent = 0;
  for (const operation of operations) {
    const base = { currency_id: 1, payment_option_id: 1, amount_fiat: 10_000, session_id: sessionId };
    for (const [name, schema] of Object.entries(operation.body?.properties ?? {})) {
      const values = [
        'a\0b',
        '\ud800',
        'x'.repeat(10_000),
        -1,
        1.5,
        null,
        [],
        { __proto__: null, a: 1 },
        2 ** 53,
        `${String(valueFor(name, schema, random, pool))}\0`,
      ];
      for (const value of values) {
        const whole = Object.entries(operation.body?.properties ?? {}).flatMap(([member, one]): [string, unknown][] =>
          operation.body?.required?.includes(member) === true ? [[member, valueFor(member, one, random, pool)]] : [],
        );
        // A session can be opened only once, so each try has a new one.
        const fresh = operation.path === '/session' ? { session_id: (await call('/verify')).body['session_id'] } : {};
        const seen = await send({
          method: 'POST',
          path: operation.path,
          headers: { 'content-type': 'application/json' },
          body: toText({ ...base, ...Object.fromEntries(whole), ...fresh, [name]: value }),
        });
        sent += 1;
        wrong.push(...checkAnswer(operation, seen).wrong.map((one) => `${operation.name} ${name} = ${JSON.stringify(value).slice(0, 40)}: ${one}`));
      }
    }
  }
  expect(wrong, `seed ${chaosSeed}`).toEqual([]);
  expect(sent).toBeGreaterThan(300);
});

it(
  'paths, methods and notices that are not in the description are refused as problems',
  async () => {
    const random = createRandom(chaosSeed);
    const wrong: string[] = [];
    for (let i = 0; i < (isFull ? 5_000 : 250); i += 1) {
      const { path } = random.pick(operations);
      const bent = random.pick([
        `${path}/`,
        `${path}/%00`,
        `/%2e%2e${path}`,
        `${path}%`,
        `/${random.hex(8)}`,
        `${path}%ff`,
        `//${path}`,
        `/notices/${random.hex(6)}/order/${random.hex(8)}/${random.hex(30)}`,
        `/notices/%00/order/x/${random.hex(30)}`,
        `/docs/${encodeURIComponent(String(random.pick(['../package.json', '%2e%2e/', '\0', 'x'])))}`,
        path,
      ]);
      const method = random.pick(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']);
      const sent: Sent = {
        method,
        path: bent,
        headers: { 'content-type': 'application/json', origin: random.pick(origins) },
        ...(['GET', 'HEAD'].includes(method) ? {} : { body: toText(hostileValue(random)) }),
      };
      const seen = await send(sent);
      // Providers send notices from servers, not from web pages, so CORS does not apply to notices. Whether a corrupted path is still one of the
      // operator's is not checked.
      if (!bent.startsWith('/notices/') && !bent.includes('/operator/')) wrong.push(...corsFlaws(sent, seen).map((flaw) => `${method} ${bent}: ${flaw}`));
      if (seen.status >= 500) wrong.push(`${method} ${bent}: ${seen.status} ${seen.text}`);
      else if (seen.status >= 400 && method !== 'HEAD' && seen.headers.get('content-type') !== 'application/problem+json')
        wrong.push(`${method} ${bent}: ${seen.status} ${seen.headers.get('content-type')}`);
    }
    expect(wrong, `seed ${chaosSeed}`).toEqual([]);
  },
  isFull ? 120_000 : undefined,
);

it('what is nobody’s leaves nothing behind, and amounts that nobody sells are not asked for', async () => {
  const random = createRandom(chaosSeed);
  const { call, open } = createWallet(world.url);
  const session_id = (await open()).sessionId;
  const option = { session_id, currency_id: 1, payment_option_id: 1 };
  const { sql } = world.database;
  const kept = async () =>
    await sql`select (select count(*) from notices where not genuine)::int as forged, (select count(*) from idempotency_keys)::int as keys`;
  // The gateway knows a price once it has been asked for an amount in fiat. Only then can it judge amounts in sats.
  const { status, body } = await call('/quote', { ...option, amount_fiat: 10_000 });
  expect(status).toBe(200);
  const { body: listed } = await call('/payment-options', { session_id });
  const [euro] = (listed['currencies'] as Record<string, { payment_options: { min_amount: number; max_amount: number }[] }>[]).flatMap(Object.values);
  const { min_amount: min = 0, max_amount: max = 0 } = euro?.payment_options[0] ?? {};
  const satsOf = (fiat: number): number => (fiat * Number(body['amount_sats'])) / 10_000;
  for (const { control } of world.simulators) control.history.requests.length = 0;
  const before = await kept();
  for (let i = 0; i < (isFull ? 5_000 : 150); i += 1) {
    const json = { 'content-type': 'application/json' };
    const sent: Sent = random.pick([
      {
        method: 'POST',
        path: `/notices/${random.pick(['alpine', 'dune', random.hex(5)])}/${random.pick(['order', 'account'])}/${random.uuid()}/${random.hex(random.pick([22, 43]))}`,
        headers: json,
        body: toText(hostileValue(random)),
      },
      {
        method: 'POST',
        path: '/order',
        headers: { ...json, 'idempotency-key': random.hex(8) },
        body: JSON.stringify({ session_id, quote_id: random.uuid() }),
      },
      // From one sat to all 21 million bitcoin, with each power of ten equally likely.
      { method: 'POST', path: '/quote', headers: json, body: JSON.stringify({ ...option, amount_sats: Math.floor(10 ** (random.next() * 15.3)) }) },
    ]);
    expect((await send(sent)).status, `seed ${chaosSeed}`).toBeLessThan(500);
  }
  expect(await kept(), `seed ${chaosSeed}`).toEqual(before);
  const asked = world.simulators
    .flatMap(({ control }) => control.history.requests)
    .flatMap(({ body: one }) => (one as { amount_sats?: number } | undefined)?.amount_sats ?? []);
  expect(asked.length, `seed ${chaosSeed}`).toBeGreaterThan(0);
  // Prices move, so the gateway may ask for up to twice the highest and half the lowest amount. The rest allows for what two providers differ by.
  expect(
    asked.filter((sats) => sats < satsOf(min) / 2.5 || sats > satsOf(max) * 2.5),
    `seed ${chaosSeed}`,
  ).toEqual([]);
});
