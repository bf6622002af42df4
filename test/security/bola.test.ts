/** G9: a foreign id answers exactly as one that does not exist, at every operation of /openapi.json that takes an id. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { valueFor, type Pool } from '../fuzz/hostile.ts';
import { readOperations, type Operation } from '../fuzz/operations.ts';
import { createRandom, reportGoal } from '../fuzz/random.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let operations: Operation[];
type Customer = { session: string; ids: Record<string, string>; call: ReturnType<typeof createWallet>['call'] };
let victim: Customer;
let thief: Customer;

/** A customer who owns one of everything that this gateway hands out an id for. */
const customerWithEverything = async (): Promise<Customer> => {
  const { call, open } = createWallet(gateway.url);
  const { sessionId } = await open();
  const price = { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
  const offers = await call('/offers', price);
  const quote = await call('/quote', price);
  const ordered = await call('/quote', price);
  const order = await call('/order', { session_id: sessionId, quote_id: ordered.body['quote_id'] });
  const { control } = gateway.simulators['alpine'] ?? {};
  await control?.pay(control.history.orders.at(-1)?.orderId ?? '');
  const orderId = order.body['order_id'] as string;
  await gateway.passUntil('filled', async () => {
    const { body } = await call('/order-status', { session_id: sessionId, order_id: orderId });
    return (body[orderId] as { stage: string }).stage === 'filled' ? true : undefined;
  });
  return {
    session: sessionId,
    call,
    ids: {
      offers_id: offers.body['offers_id'] as string,
      quote_id: quote.body['quote_id'] as string,
      ordered_quote_id: ordered.body['quote_id'] as string,
      order_id: orderId,
    },
  };
};

beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } });
  operations = await readOperations(gateway.url);
  victim = await customerWithEverything();
  thief = await customerWithEverything();
});
afterAll(async () => await gateway.close());

/** The places of an operation where an id is given: members of the body and parts of the path. The session is a secret, not an id. */
const idPlaces = ({ path, body }: Operation): string[] => [
  ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
  ...Object.entries(body?.properties ?? {}).flatMap(([name, schema]) => (schema.format === 'uuid' && name !== 'session_id' ? [name] : [])),
];

/** The same request but for the id: everything else is the caller's own. */
const requestWith = (operation: Operation, place: string, id: string, { session, ids }: Customer): { path: string; body: Record<string, unknown> } => {
  const own: Pool = new Map<string, unknown[]>([
    ['session_id', [session]],
    ['currency_id', [1]],
    ['payment_option_id', [1]],
    ['webhook_url', ['http://127.0.0.1:9/x']],
    ...Object.entries(ids).map(([name, value]): [string, unknown[]] => [name, [value]]),
  ]);
  const random = createRandom(1);
  const required = Object.entries(operation.body?.properties ?? {}).filter(([name]) => operation.body?.required?.includes(name) === true);
  const body: Record<string, unknown> = Object.fromEntries(required.map(([name, schema]) => [name, valueFor(name, schema, random, own)]));
  if (operation.body?.properties?.['session_id']) body['session_id'] = session;
  if (operation.body?.properties?.[place]) body[place] = id;
  return { path: operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === place ? id : String(own.get(name)?.[0]))), body };
};

/** What of an answer must not tell the two apart: all but the id itself, the request's own id and the time. */
const essence = ({ status, body }: { status: number; body: unknown }, id: string): string =>
  JSON.stringify([status, { ...(body as object), instance: undefined }])
    .replaceAll(id, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');

const ask = async (operation: Operation, place: string, id: string, caller: Customer) => {
  const { path, body } = requestWith(operation, place, id, caller);
  return await caller.call(path, operation.method === 'post' ? body : undefined, { 'x-session-id': caller.session });
};

const cells = (): [string, Operation, string][] =>
  operations.flatMap((operation) => idPlaces(operation).map((place): [string, Operation, string] => [operation.name, operation, place]));

it('a foreign id of every kind answers as an unknown one, everywhere', async () => {
  const told: string[] = [];
  let tried = 0;
  for (const [name, operation, place] of cells()) {
    const unknownId = randomUUID();
    const unknown = await ask(operation, place, unknownId, thief);
    if (unknown.status < 400 || unknown.status >= 500) told.push(`${name} ${place}: an unknown id answers ${unknown.status}`);
    for (const [kind, id] of Object.entries(victim.ids)) {
      const foreign = await ask(operation, place, id, thief);
      tried += 1;
      if (essence(foreign, id) !== essence(unknown, unknownId))
        told.push(`${name} ${place} = the victim's ${kind}: ${essence(foreign, id)} is not ${essence(unknown, unknownId)}`);
    }
  }
  expect(told).toEqual([]);
  expect(cells().map(([name, , place]) => `${name} ${place}`)).toEqual(
    expect.arrayContaining([
      'POST /order quote_id',
      'POST /order-status order_id',
      'POST /withdrawal order_id',
      'POST /route quote_id',
      'POST /route order_id',
      'POST /route offers_id',
    ]),
  );
  expect(gateway.simulators['alpine']?.control.history.orders).toHaveLength(2);
  reportGoal('G9', `${tried} foreign ids at ${cells().length} places of ${operations.length} operations, all as unknown`, 1);
});

it("the owner's own id is known where a foreign one is not: the matrix is not made of refusals for another reason", async () => {
  const known: string[] = [];
  for (const [name, operation, place] of cells()) {
    const id = victim.ids[place];
    if (id === undefined) continue;
    const unknownId = randomUUID();
    if (essence(await ask(operation, place, id, victim), id) !== essence(await ask(operation, place, unknownId, victim), unknownId))
      known.push(`${name} ${place}`);
  }
  expect(known).toEqual(
    expect.arrayContaining([
      'POST /order quote_id',
      'POST /order-status order_id',
      'POST /withdrawal order_id',
      'POST /route quote_id',
      'POST /route order_id',
      'POST /route offers_id',
    ]),
  );
});

it('a listing without an id shows nobody else, and an Idempotency-Key is its caller’s own', async () => {
  const list = async ({ call, session }: Customer) => Object.keys((await call('/order-status', { session_id: session })).body);
  const mine = await list(thief);
  expect(mine).toContain(thief.ids['order_id']);
  expect(mine).not.toContain(victim.ids['order_id']);
  const key = { 'idempotency-key': 'the-same-key-of-two-callers' };
  const codes = await Promise.all(
    [victim, thief].map(
      async ({ call, session, ids }) =>
        (await call('/order', { session_id: session, quote_id: ids['ordered_quote_id'], min_amount_sats: 1 }, key)).body['code'],
    ),
  );
  // Both are told that their own quote was ordered without that key; neither hears of the other's body.
  expect(codes).toEqual(['quote-used', 'quote-used']);
});
