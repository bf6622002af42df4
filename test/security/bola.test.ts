/**
 * G9: for an id of another customer, however it is written, the gateway responds exactly as for an id that does not exist. This is tested in every
 * place of every operation of /openapi.json that takes an id. New operations are included automatically: the last test fails until the test world
 * has such an id of the caller's own.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { valueFor, type Pool } from '../fuzz/hostile.ts';
import { readOperations, type Operation } from '../fuzz/operations.ts';
import { chaosSeed, createRandom, isFull, reportGoal, type Random } from '../fuzz/random.ts';
import { startBolaWorld, type Owner } from './bola-world.ts';

let world: Awaited<ReturnType<typeof startBolaWorld>>;
let operations: Operation[];
let victim: Owner;
let thief: Owner;
beforeAll(async () => {
  world = await startBolaWorld();
  operations = await readOperations(world.gateway.url);
  victim = await world.owner('victim');
  thief = await world.owner('thief');
});
afterAll(async () => await world.close());

type Place = { in: 'body' | 'path' | 'query'; name: string };
/** Returns the members in which an operation takes an id. Session ids are secrets, and have a test of their own. */
const idPlaces = ({ path, body, query }: Operation): Place[] => [
  ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']): Place => ({ in: 'path', name })),
  ...query.filter(({ schema }) => schema.format === 'uuid').map(({ name }): Place => ({ in: 'query', name })),
  ...Object.entries(body?.properties ?? {}).flatMap(([name, { format }]): Place[] =>
    format === 'uuid' && name !== 'session_id' ? [{ in: 'body', name }] : [],
  ),
];
type Cell = { operation: Operation; place: Place; name: string };
const cells = (): Cell[] =>
  operations.flatMap((operation) => idPlaces(operation).map((place) => ({ operation, place, name: `${operation.name} ${place.name}` })));

/** Sends a request in which everything but one value belongs to the caller. */
const ask = async ({ operation, place }: Omit<Cell, 'name'>, value: unknown, caller: Owner, more: Record<string, unknown> = {}) => {
  const own: Pool = new Map<string, unknown[]>([
    ['currency_id', [1]],
    ['payment_option_id', [1]],
    ['webhook_url', ['http://127.0.0.1:9/x']],
    ['provider', ['bringin']],
    ['code', ['000000']],
    ...[...caller.ids.keys()].map((name): [string, unknown[]] => [name, [caller.own(operation.path, name) ?? randomUUID()]]),
  ]);
  const random = createRandom(1);
  const required = Object.entries(operation.body?.properties ?? {}).filter(([name]) => operation.body?.required?.includes(name) === true);
  const body: Record<string, unknown> = Object.fromEntries(required.map(([name, schema]) => [name, valueFor(name, schema, random, own)]));
  if (operation.body?.properties?.['session_id']) body['session_id'] = caller.session;
  if (place.in === 'body') body[place.name] = value;
  Object.assign(body, more);
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === place.name ? String(value) : String(own.get(name)?.[0])));
  const query = place.in === 'query' ? `?${new URLSearchParams({ [place.name]: String(value) }).toString()}` : '';
  return await caller.call(`${path}${query}`, operation.method === 'post' ? body : undefined, { 'x-session-id': caller.session });
};

/** Returns the part of a response that must be equal for two ids: everything except the id itself, the request's own id and times. */
const essence = ({ status, body }: { status: number; body: unknown }, id: string): string =>
  JSON.stringify([status, { ...(body as object), instance: undefined }])
    .toLowerCase()
    .replaceAll(id.toLowerCase(), 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dt[\d:.]+z/g, 'TIME')
    .replaceAll(/"(?:waited|latency|retry_after)_ms":\d+/g, 'MS');

const percent = (text: string): string => [...text].map((one) => `%${one.charCodeAt(0).toString(16)}`).join('');
/** Forms in which a program, a person or a thief might write the same id. `own` is an id of the caller. */
const writings: Record<string, (id: string, own: string) => unknown> = {
  'as it is': (id) => id,
  'in capitals': (id) => id.toUpperCase(),
  'in mixed case': (id) => [...id].map((one, i) => (i % 2 === 0 ? one.toUpperCase() : one)).join(''),
  'after a blank': (id) => ` ${id}`,
  'before a line end': (id) => `${id}\r\n`,
  'with a no-break space': (id) => `${id}\u00a0`,
  'with a zero-width space': (id) => `\u200b${id}`,
  'with a NUL': (id) => `${id}\0`,
  'percent-encoded dashes': (id) => id.replaceAll('-', '%2d'),
  'all percent-encoded': percent,
  'percent-encoded twice': (id) => percent(percent(id)),
  'as a URN': (id) => `urn:uuid:${id}`,
  'in braces': (id) => `{${id}}`,
  'in quotes': (id) => `"${id}"`,
  'without dashes': (id) => id.replaceAll('-', ''),
  prefixed: (id) => `order_${id}`,
  'as a path': (id, own) => `${own}/../${id}`,
  'with a query': (id) => `${id}?x=1`,
  'in full-width digits': (id) => id.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  'after the own one': (id, own) => `${own},${id}`,
  'before the own one': (id, own) => `${id},${own}`,
  'in a condition': (id) => `${randomUUID()}' or id = '${id}`,
  'in a list': (id) => [id],
  'in a list after the own one': (id, own) => [own, id],
  'in an object': (id) => ({ id }),
  'in a query of MongoDB': (id) => ({ $eq: id }),
};

const inTurns = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    }),
  );
};
/** Returns all items in the long form of the tests, otherwise `n` of them, chosen at random at each call. */
const some = <T>(of: readonly T[], n: number, random: Random): T[] => {
  const left = [...of];
  return isFull ? left : Array.from({ length: Math.min(n, left.length) }, () => left.splice(random.below(left.length), 1)).flat();
};
/** Returns the writings to try: the two in which every place gets all ids, and eight others in `npm test`, or all in the long form. */
const someWritings = (random: Random) => {
  const [plain, capitals, ...rest] = Object.entries(writings);
  return [plain, capitals, ...some(rest, 8, random)].filter((one) => one !== undefined);
};
const ownFor = (place: Place): string => thief.ids.get(place.name)?.[0] ?? randomUUID();

it('a foreign id of every kind answers as an unknown one, in every writing, everywhere', { timeout: 120_000 }, async () => {
  const told: string[] = [];
  let tried = 0;
  const random = createRandom(chaosSeed);
  const before = world.upstream();
  const foreign = [...victim.ids].flatMap(([kind, ids]) => ids.map((id) => ({ kind, id }))).concat({ kind: 'session_id', id: victim.session });
  await inTurns(cells(), async (cell) => {
    for (const [writing, write] of someWritings(random)) {
      // A list or an object cannot be part of a path.
      const isText = typeof write('x', 'y') === 'string';
      if (cell.place.in !== 'body' && !isText) continue;
      const unknownId = randomUUID();
      const written = (id: string): unknown =>
        cell.place.in === 'path' ? String(write(id, ownFor(cell.place))).replaceAll(/[\0\r\n]/g, '%0a') : write(id, ownFor(cell.place));
      const unknown = await ask(cell, written(unknownId), thief);
      if (unknown.status < 400 || unknown.status >= 500) told.push(`${cell.name}: an unknown id ${writing} returns ${unknown.status}`);
      // As they are and in capitals, all foreign ids are tried at each place. In other forms, only ids of the place's kind and one more are tried.
      const tries =
        writing === 'as it is' || writing === 'in capitals'
          ? foreign
          : foreign.filter(({ kind }, i) => kind === cell.place.name || i === tried % foreign.length);
      for (const { kind, id } of tries) {
        const answer = await ask(cell, written(id), thief);
        tried += 1;
        if (essence(answer, id) !== essence(unknown, unknownId))
          told.push(`${cell.name} = the victim's ${kind} ${writing}: ${essence(answer, id)} is not ${essence(unknown, unknownId)}`);
      }
    }
  });
  expect(told, `seed ${chaosSeed}`).toEqual([]);
  expect(world.upstream()).toEqual(before);
  expect(tried).toBeGreaterThan(1000);
  reportGoal(
    'G9',
    `${tried} foreign ids in ${Object.keys(writings).length} writings at ${cells().length} places of ${operations.length} operations, all as unknown`,
  );
});

it("another's id in addition to one's own, under the other name that clients use, opens nothing", { timeout: 60_000 }, async () => {
  const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const told: string[] = [];
  await inTurns(
    cells().filter(({ place }) => place.in === 'body'),
    async (cell) => {
      const id = victim.ids.get(cell.place.name)?.[0];
      if (id === undefined) return;
      const unknownId = randomUUID();
      const own = randomUUID();
      for (const beside of [camel(cell.place.name), cell.place.name.toUpperCase(), `${cell.place.name} `]) {
        const [foreign, unknown] = [await ask(cell, own, thief, { [beside]: id }), await ask(cell, own, thief, { [beside]: unknownId })];
        if (essence(foreign, id) !== essence(unknown, unknownId)) told.push(`${cell.name} with ${beside}: ${essence(foreign, id)}`);
      }
    },
  );
  expect(told).toEqual([]);
});

it('no other id is a session, and a session id in another form is not valid', { timeout: 120_000 }, async () => {
  const told: string[] = [];
  const ids = [...victim.ids.values()].flat();
  const needSession = operations.filter(({ body, query }) => body?.properties?.['session_id'] ?? query.some(({ name }) => name === 'session_id'));
  expect(needSession.length).toBeGreaterThan(20);
  const place: Place = { in: 'body', name: 'session_id' };
  const random = createRandom(chaosSeed);
  await inTurns(needSession, async (operation) => {
    const unknownId = randomUUID();
    const unknown = await ask({ operation, place }, unknownId, thief);
    for (const id of some(ids, 5, random)) {
      const answer = await ask({ operation, place }, id, thief);
      if (essence(answer, id) !== essence(unknown, unknownId)) told.push(`${operation.name}: an id is taken for a session: ${essence(answer, id)}`);
    }
    for (const [writing, write] of some(Object.entries(writings), 10, random)) {
      // A UUID in capitals is the same UUID, and Swift writes it like this.
      if (['as it is', 'in capitals', 'in mixed case'].includes(writing)) continue;
      const [answer, none] = [
        await ask({ operation, place }, write(victim.session, thief.session), thief),
        await ask({ operation, place }, write(unknownId, thief.session), thief),
      ];
      if (essence(answer, victim.session) !== essence(none, unknownId))
        told.push(`${operation.name}: the session ${writing}: ${essence(answer, victim.session)}`);
    }
  });
  for (const write of Object.values(writings).slice(3)) {
    const text = write(victim.session, thief.session);
    if (typeof text !== 'string' || !/^[\x21-\x7e]*$/.test(text)) continue;
    const { status } = await thief.call('/payment-options', undefined, { 'x-session-id': text });
    if (status < 400) told.push(`GET /payment-options takes ${text}`);
  }
  expect(told, `seed ${chaosSeed}`).toEqual([]);
});

/** Dates, numbers, names, links and networks for any other member, in forms that readers interpret differently. */
const others = (): unknown[] => [
  '1970-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '2026-11-28T24:00:00Z',
  '2026-W48-6',
  '28.11.2026',
  '1764354343',
  1_764_354_343_000,
  0,
  -0,
  -1,
  1,
  1e15,
  2 ** 53,
  '١٢٣',
  '１',
  '1e9',
  '0x10',
  'NaN',
  '*',
  '%',
  '_',
  '',
  world.people.victim.email,
  world.people.victim.email.toUpperCase(),
  `${world.people.victim.email} `,
  `victim+x@mailbox.example`,
  world.people.victim.username,
  `${world.people.victim.username}@dev.bringin.xyz`,
  world.people.victim.name,
  world.people.victim.iban,
  'ＳＥＰＡ',
  'SEP\u0410',
  'http://127.0.0.1:9/victims',
  'https://evil.example/?x=1',
  'lnurl1dp68gurn8ghj7',
  'bringin',
  'alpine',
  'north',
];
const networks = (): Record<string, string>[] => [
  {},
  { 'x-forwarded-for': world.people.victim.ip },
  { 'x-forwarded-for': `${world.people.victim.ip}, 127.0.0.1`, forwarded: `for=${world.people.victim.ip}` },
  { forwarded: `for="[::ffff:${world.people.victim.ip}]:443"` },
];

it('nothing of one customer is in any answer to another, whatever else they send and wherever they send it from', { timeout: 180_000 }, async () => {
  const random = createRandom(chaosSeed);
  const found: string[] = [];
  let asked = 0;
  const removing = /remove|cancel/;
  await inTurns(
    operations.filter(({ path }) => !removing.test(path) && path !== '/verify' && path !== '/session'),
    async (operation) => {
      const members = Object.keys(operation.body?.properties ?? {}).filter((name) => name !== 'session_id');
      for (const name of members.length === 0 ? ['x'] : members)
        for (const value of some(others(), 12, random)) {
          const { status, body } = await (async () => {
            const own: Pool = new Map([...thief.ids].map(([kind, ids]): [string, unknown[]] => [kind, ids.slice(-1)]));
            const required = Object.entries(operation.body?.properties ?? {}).filter(([one]) => operation.body?.required?.includes(one) === true);
            const whole = Object.fromEntries(required.map(([one, schema]) => [one, valueFor(one, schema, random, own)]));
            const path = operation.path.replaceAll(/\{(\w+)\}/g, () => encodeURIComponent(String(value)));
            const headers = { 'x-session-id': thief.session, ...random.pick(networks()) };
            return await thief.call(path, operation.method === 'post' ? { ...whole, session_id: thief.session, [name]: value } : undefined, headers);
          })();
          asked += 1;
          const text = JSON.stringify(body).toLowerCase();
          // The response may repeat what the thief has sent.
          const leaked = victim.private.filter((one) => text.includes(one.toLowerCase()) && one.toLowerCase() !== String(value).trim().toLowerCase());
          if (leaked.length > 0) found.push(`${operation.name} ${name} = ${String(value)}: ${status} ${leaked.join(', ')}`);
          if (status === 500) found.push(`${operation.name} ${name} = ${String(value)}: 500`);
        }
    },
  );
  expect(found, `seed ${chaosSeed}`).toEqual([]);
  expect(asked).toBeGreaterThan(1000);
});

it('a listing without an id shows nobody else, and an Idempotency-Key is its caller’s own', async () => {
  for (const path of ['/order-status', '/sell/order-status', '/liquidity/order-status']) {
    const listed = Object.keys((await thief.call(path, { session_id: thief.session })).body);
    expect([path, listed.some((id) => thief.ids.get('order_id')?.includes(id)), listed.some((id) => victim.ids.get('order_id')?.includes(id))]).toEqual([
      path,
      true,
      false,
    ]);
  }
  const key = { 'idempotency-key': 'the-same-key-of-two-callers' };
  const codes = await Promise.all(
    [victim, thief].map(
      async ({ call, session, ids }) =>
        (await call('/order', { session_id: session, quote_id: ids.get('quote_id')?.[1], min_amount_sats: 1 }, key)).body['code'],
    ),
  );
  // Both responses say that the customer's own quote was ordered without that key. Neither shows anything of the other's request.
  expect(codes).toEqual(['quote-used', 'quote-used']);
});

it("the owner's own id is known wherever a foreign one is not: the matrix is not made of refusals for another reason", async () => {
  const unknownThere: string[] = [];
  // Operations that take something away from its owner come last.
  for (const cell of cells().toSorted(
    (a, b) => Number(/remove|cancel/.test(a.name)) - Number(/remove|cancel/.test(b.name)) || Number(/remove/.test(a.name)) - Number(/remove/.test(b.name)),
  )) {
    const unknownId = randomUUID();
    const unknown = essence(await ask(cell, unknownId, victim), unknownId);
    let known = false;
    // Two operations remove an account, and a customer has one account at a provider: the second operation removes the thief's.
    for (const owner of [victim, thief]) for (const id of owner.ids.get(cell.place.name) ?? []) known ||= essence(await ask(cell, id, owner), id) !== unknown;
    if (!known) unknownThere.push(cell.name);
  }
  // Days of receipts are public, and the operator's calls are not made by a customer.
  expect(unknownThere.toSorted()).toEqual([
    'GET /.well-known/receipts/{day} day',
    'GET /operator/orders/{id} id',
    'POST /operator/orders/{id}/settle id',
    'POST /operator/providers/{id} id',
    'POST /operator/webhooks/{id}/send id',
  ]);
});
