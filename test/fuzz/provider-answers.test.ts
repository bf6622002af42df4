/** G6: a provider whose true answers are changed on the way. Never a 500, never an invalid offer, never a payable order with other money. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { decodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startLyingProvider, type LyingProvider, type Said } from './lying-provider.ts';
import { checkAnswer, readOperations, type Operation } from './operations.ts';
import { chaosSeed, createRandom, isFull, reportGoal, sizeOf } from './random.ts';

const answersWanted = sizeOf(1_000, 200_000);
const workers = 6;
let truth: RunningSimulator;
let liar: LyingProvider;
let gateway: TestGateway;
let operations: Map<string, Operation>;
beforeAll(async () => {
  truth = await startFiatOnRampSimulator({ id: 'liar', quoteTtlS: 600, spreadBps: -50 });
  liar = await startLyingProvider(truth.url, createRandom(chaosSeed));
  const most = 1_000_000_000;
  gateway = await startTestGateway(
    {
      alpine: { simulator: { quoteTtlS: 600 } },
      liar: {
        simulator: {},
        block: { base_url: liar.url, breaker: { volume_threshold: most }, opens_per_minute: most, concurrency: { in_flight: 64 }, repost: 'rejects' },
      },
    },
    {
      config: {
        limits: { verify_per_minute: most, quotes_per_minute: most, orders_per_minute: most },
        orders: { max_open: most },
        sessions: { opens_per_minute: most },
        catalogue: { fresh_s: 1, stale_s: 600 },
      },
      environment: { LOG_LEVEL: 'error' },
    },
  );
  operations = new Map((await readOperations(gateway.url)).map((one) => [one.path, one]));
});
afterAll(async () => {
  await gateway.close();
  await liar.close();
  await truth.close();
});

type Json = Record<string, unknown>;
const wrong: string[] = [];
const seen = { offers: 0, payable: 0, withheld: 0, pending: 0, links: 0 };

/** One request, held against the description. */
const ask = async (wallet: Wallet, path: string, body?: Json): Promise<{ status: number; body: Json }> => {
  const response = await fetch(
    gateway.url + path,
    body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  );
  const text = await response.text();
  const operation = operations.get(path);
  if (!operation) throw new Error(`${path} is not described`);
  const checked = checkAnswer(operation, { status: response.status, headers: response.headers, text });
  wrong.push(...checked.wrong.map((one) => `${wallet.pubkey.slice(0, 6)} ${path}: ${one}`));
  return { status: response.status, body: (checked.body ?? {}) as Json };
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

/** A payable order names the quote's money, and none of what the provider said of it is another figure. */
const orderFlaws = (quote: Json, order: Json, said: Said | undefined): string[] => {
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
  for (const name of ['amount_fiat', 'amount_sats', 'currency_id', 'payment_option_id']) {
    const named = numeric((wire as Json | undefined)?.[name]);
    if (named !== undefined && Math.abs(named - Number(order[name])) >= 1) flaws.push(`the provider said ${name} = ${named}`);
  }
  const url = (order['payment_info'] as Json)['payment_url'] as string | undefined;
  if (url !== undefined && new URL(url).hostname !== '127.0.0.1') flaws.push(`pays at ${url}`);
  return flaws.map((flaw) => `a payable order: ${flaw} <- ${said?.text.slice(0, 400)}`);
};

const buyOnce = async (wallet: Wallet, session_id: string): Promise<void> => {
  const price = { session_id, amount_fiat: asked, currency_id: 1, payment_option_id: 1, max_wait_ms: 1000 };
  const { status, body } = await ask(wallet, '/offers', price);
  if (status !== 200) return;
  const offers = body['offers'] as Json[];
  for (const offer of offers) wrong.push(...offerFlaws(offer));
  seen.offers += offers.length;
  const quote = offers.find((one) => (one['provider'] as Json)['id'] === 'liar');
  if (!quote) return;
  const order = await ask(wallet, '/order', { session_id, quote_id: quote['quote_id'] });
  if (order.status !== 200) {
    seen[order.status === 503 ? 'pending' : 'withheld'] += 1;
    return;
  }
  seen.payable += 1;
  const { upstreamId, said } = await saidOf(String(order.body['order_id']));
  wrong.push(...orderFlaws(quote, order.body, said));
  await ask(wallet, '/order-status', { session_id, order_id: order.body['order_id'] });
  if (upstreamId !== undefined && truth.control.orders.has(upstreamId)) await truth.control.pay(upstreamId);
  await ask(wallet, '/order-status', { session_id, order_id: order.body['order_id'] });
  const withdrawal = await ask(wallet, '/withdrawal', { session_id, order_id: order.body['order_id'] });
  if (withdrawal.status !== 200) return;
  seen.links += 1;
  const link = decodeLnurl(String(withdrawal.body['lnurlw']), { loopbackHttp: true });
  if (link === undefined || new URL(link).hostname !== '127.0.0.1') wrong.push(`a payout link to ${link}`);
};

/** What the provider said of this order: the notice address that it was given names the intent. */
const saidOf = async (orderId: string): Promise<{ upstreamId: string | undefined; said: Said | undefined }> => {
  const [intent] = await gateway.database.sql<{ id: string }[]>`select id from intents where order_id = ${orderId}`;
  const said = liar.said.findLast((one) => String(one.asked['webhook_url']).includes(`/${intent?.id}/`));
  const id = (said?.truth as Json | undefined)?.['order_id'];
  return { upstreamId: typeof id === 'string' ? id : undefined, said };
};

it(
  `${answersWanted} answers of a lying provider: no 500, no invalid offer, no payable order with other money`,
  async () => {
    const end = Date.now() + (isFull ? 1_500_000 : 8_000);
    const work = async (): Promise<void> => {
      const wallet = createWallet(gateway.url);
      let { sessionId } = await wallet.open();
      for (let round = 0; liar.count() < answersWanted && Date.now() < end; round += 1) {
        if (round % 50 === 49) ({ sessionId } = await wallet.open());
        if (round % 10 === 0) for (const path of ['/features', '/providers']) await ask(wallet, path);
        if (round % 10 === 5) await ask(wallet, '/payment-options', { session_id: sessionId });
        await buyOnce(wallet, sessionId);
        if (liar.said.length > 1000) liar.said.splice(0, 500);
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
    expect([...new Set(wrong)].slice(0, 20), `seed ${chaosSeed}`).toEqual([]);
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
      `${liar.count()} changed answers, 0 5xx defects, ${seen.offers} offers valid, ${seen.payable} payable orders with the money quoted, ${seen.withheld} withheld`,
    );
  },
  isFull ? 1_800_000 : 30_000,
);
