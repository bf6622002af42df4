/**
 * G6: providers whose true responses are altered on their way to the gateway. The gateway must never respond with 500, show an invalid offer, or show
 * a payable order with other amounts. The long form runs in two processes at the same time, each with half of the responses.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { decodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { finishedUnlinked } from '../chaos/checker.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { createClient, type Client } from './client.ts';
import { askedFor, listFlaws, offerFlaws, orderFlaws, statusFlaws, tokenFlaws, type Json } from './judges.ts';
import { startLyingProvider, type LyingProvider, type Said } from './lying-provider.ts';
import { checkAnswer, readOperations, type Operation } from './operations.ts';
import { createRandom, isFull, reportGoal, type Random } from './random.ts';

const liarIds = ['liar-1', 'liar-2', 'liar-3', 'liar-4', 'liar-5'] as const;
const workers = 4;
/** The share of a round's offers that are ordered. In the long form it is smaller, because an order takes ten times as long as a price. */
const orderedShare = isFull ? 0.2 : 0.5;
type World = {
  gateway: TestGateway;
  database: TestDatabase;
  liars: Map<string, LyingProvider>;
  operations: Map<string, Operation>;
  client: Client;
  random: Random;
  wrong: string[];
  seen: Seen;
};
type Seen = { offers: number; payable: number; withheld: number; pending: number; links: number };

export const startLyingWorld = async (seed: number): Promise<World> => {
  const started = await Promise.all(
    liarIds.map(async (id, n) => {
      const proof = id === 'liar-5' ? ({ proof: 'demanded' } as const) : {};
      return [id, await startLyingProvider({ id, quoteTtlS: 600, spreadBps: -50, ...proof }, createRandom(seed + n))] as const;
    }),
  );
  const liars = new Map<string, LyingProvider>(started);
  const most = 1_000_000_000;
  const more = { breaker: { volume_threshold: most }, opens_per_minute: most, concurrency: { in_flight: 64 }, repost: 'rejects' };
  const database = await testDatabase();
  // The options are numbered in the sequence in which they arrive. This gateway asks only a true provider, so SEPA gets the number 1 (listFlaws).
  const honest = { alpine: { simulator: { quoteTtlS: 600 } } };
  const environment = { ...freshSecrets(randomBytes), LOG_LEVEL: 'error' };
  const first = await startTestGateway(honest, { database, environment });
  const wallet = createWallet(first.url);
  const listed = await wallet.call('/payment-options', { session_id: (await wallet.open()).sessionId });
  expect(listed.status).toBe(200);
  await first.close();
  const gateway = await startTestGateway(honest, {
    database,
    blocks: Object.fromEntries(
      started.map(([id, { url }]) => [
        id,
        { kind: 'fiat-on-ramp', base_url: url, ...more, ...(id === 'liar-5' ? { proof: 'demanded', catalogue_without_session: true } : {}) },
      ]),
    ),
    config: {
      limits: { verify_per_minute: most, quotes_per_minute: most, orders_per_minute: most },
      orders: { max_open: most },
      sessions: { opens_per_minute: most },
      catalogue: { fresh_s: 1, stale_s: 600 },
    },
    environment,
  });
  const operations = new Map((await readOperations(gateway.url)).map((one) => [one.path, one]));
  const seen = { offers: 0, payable: 0, withheld: 0, pending: 0, links: 0 };
  return { gateway, database, liars, operations, client: createClient(gateway.url), random: createRandom(seed), wrong: [], seen };
};
export const endLyingWorld = async ({ gateway, database, liars, client }: World): Promise<void> => {
  await gateway.close();
  await database.close();
  await Promise.all([...liars.values()].map(async (one) => await one.close()));
  await client.close();
};

/** Sends one request, and checks the response against the OpenAPI document. */
const ask = async ({ client, operations, wrong }: World, path: string, body?: Json): Promise<{ status: number; body: Json }> => {
  const operation = operations.get(path);
  if (!operation) throw new Error(`${path} is not described`);
  const post = { method: 'POST', path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const checked = await client.send(body === undefined ? { method: 'GET', path, headers: {} } : post);
  const { body: read, wrong: found } = checkAnswer(operation, checked);
  wrong.push(...found.map((one) => `${path}: ${one}`));
  return { status: checked.status, body: (read ?? {}) as Json };
};

const buyOnce = async (world: World, session_id: string): Promise<void> => {
  const price = { session_id, amount_fiat: askedFor, currency_id: 1, payment_option_id: 1, max_wait_ms: 1000 };
  const { status, body } = await ask(world, '/offers', price);
  if (status !== 200) return;
  const offers = body['offers'] as Json[];
  for (const offer of offers) world.wrong.push(...offerFlaws(offer));
  world.seen.offers += offers.length;
  await Promise.all(
    offers.map(async (offer) => {
      const liar = world.liars.get(String((offer['provider'] as Json)['id']));
      if (liar && world.random.chance(orderedShare)) await orderOnce(world, liar, session_id, offer);
    }),
  );
};

const orderOnce = async (world: World, liar: LyingProvider, session_id: string, quote: Json): Promise<void> => {
  const { seen, wrong } = world;
  const order = await ask(world, '/order', { session_id, quote_id: quote['quote_id'] });
  if (order.status !== 200) {
    seen[order.status === 503 ? 'pending' : 'withheld'] += 1;
    return;
  }
  seen.payable += 1;
  const order_id = String(order.body['order_id']);
  const said = await saidOf(world, liar, order_id);
  wrong.push(...orderFlaws(quote, order.body, said, liar.quoted.get(said?.asked['quote_id'])));
  const told = async (): Promise<void> => {
    const { status, body } = await ask(world, '/order-status', { session_id, order_id });
    if (status === 200) wrong.push(...statusFlaws(quote, order.body, body[order_id] as Json | undefined));
  };
  await told();
  const upstreamId = (said?.truth as Json | undefined)?.['order_id'];
  if (typeof upstreamId === 'string' && liar.truth.orders.has(upstreamId)) await liar.truth.pay(upstreamId);
  await told();
  const withdrawal = await ask(world, '/withdrawal', { session_id, order_id });
  if (withdrawal.status !== 200) return;
  seen.links += 1;
  const link = decodeLnurl(String(withdrawal.body['lnurlw']), { loopbackHttp: true });
  if (link === undefined || new URL(link).hostname !== '127.0.0.1') wrong.push(`a payout link to ${link}`);
};

/** Returns what the provider said when this order was placed. The request is recognised by the intent's id, which is part of its notice URL. */
const saidOf = async ({ gateway }: World, liar: LyingProvider, orderId: string): Promise<Said | undefined> => {
  const [intent] = await gateway.database.sql<{ id: string }[]>`select id from intents where order_id = ${orderId}`;
  return liar.said.findLast((one) => String(one.asked['webhook_url']).includes(`/${intent?.id}/`));
};

/** How many of each the run must have seen. Otherwise it would have tested too little. */
const least = { offers: 20, payable: 5, withheld: 1, pending: 1, links: 1 };
const tooFew = (seen: Seen): string[] => (Object.keys(least) as (keyof Seen)[]).filter((name) => seen[name] < least[name]);

export const lieAndBuy = async (world: World, answersWanted: number, seed: number): Promise<void> => {
  const { gateway, liars, wrong, seen } = world;
  const sum = (of: 'answers' | 'changed'): number => [...liars.values()].reduce((total, { counts }) => total + counts[of], 0);
  const end = isFull ? Date.now() + 1_500_000 : Infinity;
  /** Returns whether the run continues. One that has had few payable orders by chance continues for a while. */
  const needsMore = (): boolean => sum('answers') < answersWanted || (tooFew(seen).length > 0 && sum('answers') < answersWanted * 4);
  const work = async (): Promise<void> => {
    const wallet = createWallet(gateway.url);
    let { sessionId } = await wallet.open();
    for (let round = 0; needsMore() && Date.now() < end; round += 1) {
      if (round % 5 === 4) ({ sessionId } = await wallet.open());
      if (round % 10 === 0) for (const path of ['/features', '/providers']) await ask(world, path);
      if (round % 3 === 1) wrong.push(...tokenFlaws((await ask(world, '/verify')).body));
      if (round % 3 === 2) {
        const { status, body } = await ask(world, '/payment-options', { session_id: sessionId });
        if (status === 200) wrong.push(...listFlaws(body));
      }
      await buyOnce(world, sessionId);
      for (const { said } of liars.values()) if (said.length > 1000) said.splice(0, 500);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const twins = await gateway.database.sql<{ ids: string[] }[]>`
    select array_agg(id) as ids from orders where stage <> 'review' and upstream_order_id is not null
    group by provider_id, lower(regexp_replace(upstream_order_id, '^urn:uuid:|[{}-]', '', 'g')) having count(*) > 1`;
  wrong.push(...twins.map(({ ids }) => `one upstream order for ${ids.join(' and ')}`), ...(await finishedUnlinked(gateway.database)));
  expect([...new Set(wrong)].slice(0, 20), `seed ${seed}`).toEqual([]);
  expect(tooFew(seen)).toEqual([]);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  reportGoal(
    'G6',
    `${sum('answers')} answers of ${liars.size} lying providers, ${sum('changed')} of them changed, 0 5xx defects, ${seen.offers} offers valid, ${seen.payable} payable orders with the money quoted, ${seen.withheld} withheld, ${seen.pending} in doubt, ${seen.links} links`,
    seed,
  );
};
