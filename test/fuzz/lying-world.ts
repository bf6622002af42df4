/**
 * G6: providers whose true answers are changed on the way. Never a 500, never an invalid offer, never a payable order with other money. The long form
 * runs twice at a time, in two processes, half of the answers each.
 */
import { expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { decodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { createClient, type Client } from './client.ts';
import { startLyingProvider, type LyingProvider, type Said } from './lying-provider.ts';
import { checkAnswer, readOperations, type Operation } from './operations.ts';
import { createRandom, isFull, reportGoal, type Random } from './random.ts';

const liarIds = ['liar-1', 'liar-2', 'liar-3', 'liar-4', 'liar-5'] as const;
const workers = 4;
/** An order takes ten times what a price takes: of the offers of a round, some. */
const orderedShare = isFull ? 0.2 : 0.5;
type World = {
  gateway: TestGateway;
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
    liarIds.map(async (id, n) => [id, await startLyingProvider({ id, quoteTtlS: 600, spreadBps: -50 }, createRandom(seed + n))] as const),
  );
  const liars = new Map<string, LyingProvider>(started);
  const most = 1_000_000_000;
  const more = { breaker: { volume_threshold: most }, opens_per_minute: most, concurrency: { in_flight: 64 }, repost: 'rejects' };
  const gateway = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 600 } } },
    {
      blocks: Object.fromEntries(started.map(([id, { url }]) => [id, { kind: 'fiat-on-ramp', base_url: url, ...more }])),
      config: {
        limits: { verify_per_minute: most, quotes_per_minute: most, orders_per_minute: most },
        orders: { max_open: most },
        sessions: { opens_per_minute: most },
        catalogue: { fresh_s: 1, stale_s: 600 },
      },
      environment: { LOG_LEVEL: 'error' },
    },
  );
  const operations = new Map((await readOperations(gateway.url)).map((one) => [one.path, one]));
  const seen = { offers: 0, payable: 0, withheld: 0, pending: 0, links: 0 };
  return { gateway, liars, operations, client: createClient(gateway.url), random: createRandom(seed), wrong: [], seen };
};
export const endLyingWorld = async ({ gateway, liars, client }: World): Promise<void> => {
  await gateway.close();
  await Promise.all([...liars.values()].map(async (one) => await one.close()));
  await client.close();
};

type Json = Record<string, unknown>;
/** One request, held against the description. */
const ask = async ({ client, operations, wrong }: World, path: string, body?: Json): Promise<{ status: number; body: Json }> => {
  const operation = operations.get(path);
  if (!operation) throw new Error(`${path} is not described`);
  const post = { method: 'POST', path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const checked = await client.send(body === undefined ? { method: 'GET', path, headers: {} } : post);
  const { body: read, wrong: found } = checkAnswer(operation, checked);
  wrong.push(...found.map((one) => `${path}: ${one}`));
  return { status: checked.status, body: (read ?? {}) as Json };
};

const asked = 10_000;
/** What must hold of any offer that is shown, whoever made it. */
const offerFlaws = (offer: Json): string[] => {
  const [pay, receive, fee] = [Number(offer['amount_fiat']), Number(offer['amount_sats']), Number(offer['order_fee'])];
  const flaws = [
    ...(pay <= asked && pay * 10_000 >= asked * 9_950 ? [] : ['pays another amount than asked']),
    ...(Number.isSafeInteger(receive) && receive > 0 ? [] : ['pays out nothing']),
    ...(Number.isSafeInteger(fee) && fee >= 0 && fee < pay ? [] : ['has an impossible fee']),
    ...(offer['currency_id'] === 1 && offer['payment_option_id'] === 1 ? [] : ['is for something else']),
    ...(offer['expires_on'] === undefined || Date.parse(offer['expires_on'] as string) > Date.now() ? [] : ['has expired']),
  ];
  return flaws.map((flaw) => `an offer ${flaw}: ${JSON.stringify(offer).slice(0, 300)}`);
};

const numeric = (value: unknown): number | undefined =>
  typeof value === 'number' || (typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value)) ? Number(value) : undefined;

/**
 * A payable order names the quote's money, and none of what the provider said of it is another figure. `askedOf`: what it was asked for with its own
 * numbers of currency and option, which are those that its listing gave them.
 */
const orderFlaws = (quote: Json, order: Json, said: Said | undefined, askedOf: Json | undefined): string[] => {
  const flaws: string[] = [];
  const slack = quote['is_estimate'] === true ? 0.02 : 0;
  for (const [name, worse] of [
    ['amount_fiat', 1],
    ['amount_sats', -1],
  ] as const) {
    const [is, was] = [Number(order[name]), Number(quote[name])];
    if (slack === 0 ? is !== was : (is - was) * worse > was * slack) flaws.push(`${name} ${is} was quoted as ${was}`);
  }
  for (const name of ['currency_id', 'payment_option_id']) if (order[name] !== quote[name]) flaws.push(`${name} is another`);
  let wire: unknown;
  try {
    wire = JSON.parse(said?.text ?? '');
  } catch {
    flaws.push('its answer was not even JSON');
  }
  const figures = {
    amount_fiat: order['amount_fiat'],
    amount_sats: order['amount_sats'],
    currency_id: askedOf?.['currency_id'],
    payment_option_id: askedOf?.['payment_option_id'],
  };
  for (const [name, expected] of Object.entries(figures)) {
    const named = numeric((wire as Json | undefined)?.[name]);
    if (named !== undefined && !(Math.abs(named - Number(expected)) < 1)) flaws.push(`the provider said ${name} = ${named}, not ${String(expected)}`);
  }
  const url = (order['payment_info'] as Json)['payment_url'] as string | undefined;
  if (url !== undefined && new URL(url).hostname !== '127.0.0.1') flaws.push(`pays at ${url}`);
  return flaws.map((flaw) => `a payable order: ${flaw} <- ${said?.text.slice(0, 400)}`);
};

const buyOnce = async (world: World, session_id: string): Promise<void> => {
  const price = { session_id, amount_fiat: asked, currency_id: 1, payment_option_id: 1, max_wait_ms: 1000 };
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
  await ask(world, '/order-status', { session_id, order_id });
  const upstreamId = (said?.truth as Json | undefined)?.['order_id'];
  if (typeof upstreamId === 'string' && liar.truth.orders.has(upstreamId)) await liar.truth.pay(upstreamId);
  await ask(world, '/order-status', { session_id, order_id });
  const withdrawal = await ask(world, '/withdrawal', { session_id, order_id });
  if (withdrawal.status !== 200) return;
  seen.links += 1;
  const link = decodeLnurl(String(withdrawal.body['lnurlw']), { loopbackHttp: true });
  if (link === undefined || new URL(link).hostname !== '127.0.0.1') wrong.push(`a payout link to ${link}`);
};

/** What the provider said of this order: the notice address that it was given names the intent. */
const saidOf = async ({ gateway }: World, liar: LyingProvider, orderId: string): Promise<Said | undefined> => {
  const [intent] = await gateway.database.sql<{ id: string }[]>`select id from intents where order_id = ${orderId}`;
  return liar.said.findLast((one) => String(one.asked['webhook_url']).includes(`/${intent?.id}/`));
};

export const lieAndBuy = async (world: World, answersWanted: number, seed: number): Promise<void> => {
  const { gateway, liars, wrong, seen } = world;
  const sum = (of: 'answers' | 'changed'): number => [...liars.values()].reduce((total, { counts }) => total + counts[of], 0);
  const end = Date.now() + (isFull ? 1_500_000 : 8_000);
  const work = async (): Promise<void> => {
    const wallet = createWallet(gateway.url);
    let { sessionId } = await wallet.open();
    for (let round = 0; sum('answers') < answersWanted && Date.now() < end; round += 1) {
      if (round % 50 === 49) ({ sessionId } = await wallet.open());
      if (round % 10 === 0) for (const path of ['/features', '/providers']) await ask(world, path);
      if (round % 10 === 5) await ask(world, '/payment-options', { session_id: sessionId });
      await buyOnce(world, sessionId);
      for (const { said } of liars.values()) if (said.length > 1000) said.splice(0, 500);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  expect([...new Set(wrong)].slice(0, 20), `seed ${seed}`).toEqual([]);
  for (const [name, least] of [
    ['offers', 20],
    ['payable', 5],
    ['withheld', 1],
    ['pending', 1],
    ['links', 1],
  ] as const)
    expect([name, seen[name] >= least]).toEqual([name, true]);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  reportGoal(
    'G6',
    `${sum('answers')} answers of ${liars.size} lying providers, ${sum('changed')} of them changed, 0 5xx defects, ${seen.offers} offers valid, ${seen.payable} payable orders with the money quoted, ${seen.withheld} withheld`,
    seed,
  );
};
