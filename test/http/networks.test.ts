/** What one network may use. Everything that is counted by session is also counted by network, because sessions cost nothing. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Wallet } from '../../scripts/demo/wallet.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, until, walletFrom, type TestGateway } from '../support/gateway.ts';
import { inbound, startChannelSellers } from '../support/scenarios/liquidity.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const secretKey = 'secret-key-of-the-backend-0123';
const publicKey = 'pk_of-the-web-wallet-0123';
const webOrigin = 'https://app.wallet.example';
let gateway: TestGateway;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  gateway = await startTestGateway(
    {
      alpine: { simulator: { quoteTtlS: 3600 } },
      dune: { simulator: { quoteTtlS: 3600, proof: 'demanded' }, block: { proof: 'demanded', catalogue_without_session: true, opens_per_minute: 300 } },
    },
    {
      config: {
        trusted_proxies: ['127.0.0.1'],
        limits: { verify_per_minute: 100, quotes_per_minute: 2, quotes_per_minute_network: 3, orders_per_minute: 2, orders_per_minute_network: 3 },
        orders: { max_open: 50 },
        apps: {
          backend: { key_hashes: [createHash('sha256').update(secretKey).digest('hex')], quotes_per_minute: 40, orders_per_minute: 30 },
          web: { publishable_keys: [publicKey], cors_origins: [webOrigin], quotes_per_minute: 8 },
        },
      },
    },
  );
  await ready(walletFrom(gateway.url, '192.0.2.1'));
});
afterAll(async () => {
  await gateway.close();
  await receiver.close();
});

const ready = async (wallet: Wallet): Promise<string> => {
  const { sessionId } = await wallet.open();
  await wallet.call('/payment-options', { session_id: sessionId });
  return sessionId;
};
const asked = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
/** Asks for one quote from each address, each time in a new session. */
const quotesFrom = async (ips: string[], headers: Record<string, string> = {}): Promise<number[]> => {
  const statuses: number[] = [];
  for (const ip of ips) {
    const wallet = walletFrom(gateway.url, ip);
    const { sessionId } = await wallet.open();
    statuses.push((await wallet.call('/quote', { session_id: sessionId, ...asked }, headers)).status);
  }
  return statuses;
};
const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);

describe('requests in progress', () => {
  const operatorToken = 'the-token-of-an-operator-of-this-gateway';
  const publicKeyOfMany = 'pk_of-the-carrier-wallet-0123';
  let busy: TestGateway;
  beforeAll(async () => {
    // One provider has slots for all requests, so that each stays in progress while that provider is slow; the other has only a few slots.
    const slow = { simulator: { quoteTtlS: 3600 }, block: { concurrency: { in_flight: 40, queue: 0 } } };
    const tight = { simulator: { quoteTtlS: 3600 }, block: { concurrency: { in_flight: 4, queue: 0 } } };
    busy = await startTestGateway(
      { slow, tight },
      {
        config: {
          trusted_proxies: ['127.0.0.1'],
          limits: { in_flight: 60, in_flight_network: 3 },
          operator: { token_hashes: [sha256Hex(operatorToken)] },
          apps: { many: { publishable_keys: [publicKeyOfMany], cors_origins: [webOrigin], in_flight: 12 } },
        },
      },
    );
    await ready(walletFrom(busy.url, '192.0.2.1'));
  });
  afterAll(async () => await busy.close());

  /** Asks from all addresses at the same time, in separate sessions, while one provider is slow. */
  const atOnce = async (ips: string[], headers: Record<string, string> = {}) => {
    const wallets: { wallet: Wallet; session: string }[] = [];
    for (const ip of ips) {
      const wallet = walletFrom(busy.url, ip);
      wallets.push({ wallet, session: (await wallet.open()).sessionId });
    }
    for (const name of ['slow', 'tight']) busy.simulators[name]?.control.setFault({ endpoint: 'quote', fault: 'latency', times: ips.length, ms: 1000 });
    return await Promise.all(wallets.map(async ({ wallet, session }) => await wallet.call('/offers', { session_id: session, ...asked }, headers)));
  };
  const statusesOf = (answers: { status: number }[]): Record<number, number> =>
    Object.fromEntries([200, 429].map((status) => [status, answers.filter((one) => one.status === status).length]));

  it('of one network: two thirds of its places are for quotes, and all others are served', async () => {
    const answers = await atOnce([...times(6, '203.0.113.60'), ...times(2, '203.0.113.61')]);
    expect([statusesOf(answers.slice(0, 6)), statusesOf(answers.slice(6))]).toEqual([
      { 200: 2, 429: 4 },
      { 200: 2, 429: 0 },
    ]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({
      code: 'rate-limited',
      retry_after_ms: 1000,
      detail: 'Too many requests from this network are in progress. Try again when one of them has finished.',
    });
    // The finished requests have freed their slots.
    expect(statusesOf(await atOnce(times(2, '203.0.113.60')))).toEqual({ 200: 2, 429: 0 });
  });

  it('orders and status of a network have a place while its quotes have none', async () => {
    const wallet = walletFrom(busy.url, '203.0.113.62');
    const { sessionId } = await wallet.open();
    const { body } = await wallet.call('/quote', { session_id: sessionId, ...asked });
    busy.simulators['slow']?.control.setFault({ endpoint: 'quote', fault: 'latency', times: 2, ms: 1500 });
    const quote = async () => await wallet.call('/offers', { session_id: sessionId, ...asked });
    const quotes = [quote(), quote()];
    await until('the places of its quotes are taken', async () => ((await quote()).status === 429 ? true : undefined));
    const order = await wallet.call('/order', { session_id: sessionId, quote_id: body['quote_id'] });
    expect([order.status, ...(await Promise.all(quotes)).map(({ status }) => status)]).toEqual([200, 200, 200]);
  });

  it('of a network do not lock out the operator who is behind the same address', async () => {
    const ip = '203.0.113.63';
    const wallet = walletFrom(busy.url, ip);
    const { sessionId: session_id } = await wallet.open();
    const { body } = await wallet.call('/offers', { session_id, ...asked });
    const own = (body['offers'] as { quote_id: string; provider: { id: string } }[]).find(({ provider }) => provider.id === 'slow');
    busy.simulators['slow']?.control.setFault({ endpoint: 'quote', fault: 'latency', times: 2, ms: 4000 });
    busy.simulators['slow']?.control.setFault({ endpoint: 'order', fault: 'latency', times: 1, ms: 4000 });
    const slow = [wallet.call('/offers', { session_id, ...asked }), wallet.call('/offers', { session_id, ...asked })];
    slow.push(wallet.call('/order', { session_id, quote_id: own?.quote_id }));
    const status = async () => (await wallet.call('/order-status', { session_id })).status;
    await until('all places of the network are taken', async () => ((await status()) === 429 ? true : undefined));
    const read = async (token: string): Promise<number> => {
      const headers = { 'x-forwarded-for': ip, authorization: `Bearer ${token}` };
      return (await fetch(`${busy.url}/operator/overview`, { headers })).status;
    };
    expect([await read(operatorToken), await status(), await read('x'.repeat(32))]).toEqual([200, 429, 404]);
    await Promise.all(slow);
  });

  it('of a /48: those of 16 networks, but never more than half of all', async () => {
    const answers = await atOnce(Array.from({ length: 24 }, (_, i) => `2001:db8:60:${i.toString(16)}::1`));
    expect(statusesOf(answers)).toEqual({ 200: 20, 429: 4 });
  });

  it('of one network are as many as the app says whose customers share an address', async () => {
    const headers = { authorization: `Bearer ${publicKeyOfMany}`, origin: webOrigin };
    const answers = await atOnce(times(9, '203.0.113.63'), headers);
    expect(statusesOf(answers)).toEqual({ 200: 8, 429: 1 });
    // A network also leaves some of a provider's slots to other networks.
    const failed = answers.flatMap(({ body }) => (body['failed'] as { reason: string }[] | undefined) ?? []);
    expect([failed.length > 0, new Set(failed.map(({ reason }) => reason))]).toEqual([true, new Set(['busy'])]);
  });
});

describe('quotes', () => {
  it('of one IPv4 address, whatever the proxy writes it as', async () => {
    const forms = ['203.0.113.1', '8.8.8.8, 203.0.113.1:51008', '9.9.9.9, "::ffff:203.0.113.1"', '7.7.7.7, 203.0.113.1:1'];
    expect(await quotesFrom(forms)).toEqual([...times(3, 200), 429]);
    expect(await quotesFrom(['203.0.113.2'])).toEqual([200]);
  });

  it('of one IPv6 /64; another one has its own, until their /48 has had 16 times as many', async () => {
    expect(await quotesFrom(times(4, '2001:db8:1:1::1').map((ip, i) => `${ip}${i}`))).toEqual([...times(3, 200), 429]);
    const others = Array.from({ length: 48 }, (_, i) => `[2001:db8:1:${(16 + Math.floor(i / 3)).toString(16)}::1]:443`);
    const statuses = await quotesFrom(others);
    expect([statuses.filter((status) => status === 200).length, statuses.at(-1)]).toEqual([45, 429]);
    expect(await quotesFrom(['2001:db8:2:1::1'])).toEqual([200]);
  });

  it('are as many as the app may that shows a secret key: its customers share an address', async () => {
    expect(await quotesFrom(times(6, '203.0.113.3'), { authorization: `Bearer ${secretKey}` })).toEqual(times(6, 200));
  });

  it('by a publishable key are as many as the app says, for each network', async () => {
    const headers = { authorization: `Bearer ${publicKey}`, origin: webOrigin };
    expect(await quotesFrom(times(9, '203.0.113.4'), headers)).toEqual([...times(8, 200), 429]);
    expect(await quotesFrom(['203.0.113.5'], headers)).toEqual([200]);
  });
});

it('the RateLimit fields tell of what is nearest to its end, and the refusal says who is counted', async () => {
  const wallet = walletFrom(gateway.url, '203.0.113.10');
  const { sessionId } = await wallet.open();
  const quote = async () =>
    await fetch(`${gateway.url}/quote`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.10' },
      body: JSON.stringify({ session_id: sessionId, ...asked }),
    });
  const first = await quote();
  expect([first.headers.get('ratelimit'), first.headers.get('ratelimit-policy')]).toEqual(['"quotes";r=1;t=60', '"quotes";q=2;w=60']);
  await quotesFrom(times(2, '203.0.113.10'));
  const refused = await quote();
  expect(refused.status).toBe(429);
  expect(refused.headers.get('ratelimit')?.split(';')[1]).toBe('r=0');
  expect(((await refused.json()) as { detail: string }).detail).toBe('At most 3 requests for prices a minute are allowed from one network.');
});

it('orders and webhook tests', async () => {
  const backend = { authorization: `Bearer ${secretKey}` };
  const statuses: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    const wallet = walletFrom(gateway.url, '203.0.113.20');
    const { sessionId } = await wallet.open();
    const { body } = await wallet.call('/quote', { session_id: sessionId, ...asked }, backend);
    statuses.push((await wallet.call('/order', { session_id: sessionId, quote_id: body['quote_id'] })).status);
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
  const tests: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    const wallet = walletFrom(gateway.url, '203.0.113.21');
    const { sessionId } = await wallet.open();
    tests.push((await wallet.call('/webhook-test', { session_id: sessionId, webhook_url: receiver.url })).status);
  }
  expect(tests).toEqual([200, 200, 200, 429]);
});

it('new sessions at a provider: a part of them, at GET /verify too, and it is the gateway that is busy', { timeout: 30_000 }, async () => {
  const proven = async (ip: string) => (await walletFrom(gateway.url, ip).open()).proven;
  for (let i = 0; i < 30; i += 1) expect(await proven('203.0.113.30')).toContain('dune');
  expect(await proven('203.0.113.30')).not.toContain('dune');
  const wallet = walletFrom(gateway.url, '203.0.113.30');
  const { sessionId } = await wallet.open();
  const { body } = await wallet.call('/offers', { session_id: sessionId, ...asked });
  expect(body['failed']).toMatchObject([{ provider: { id: 'dune' }, reason: 'gateway-busy', retryable: true }]);
  expect(await proven('203.0.113.31')).toContain('dune');
});

it('forged notices leave nothing behind but a count, however many there are', async () => {
  const { sql } = gateway.database;
  const send = async () =>
    (
      await fetch(`${gateway.url}/notices/alpine/order/${crypto.randomUUID()}/${'A'.repeat(43)}`, {
        method: 'POST',
        headers: { 'x-forwarded-for': '203.0.113.40' },
        body: 'x'.repeat(5000),
      })
    ).status;
  const statuses = await Promise.all(Array.from({ length: 100 }, send));
  expect(new Set(statuses)).toEqual(new Set([202]));
  expect(await sql`select 1 from notices where not genuine`).toHaveLength(0);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics).toContain('ramp_notices_total{provider="alpine",genuine="false"} 100');
  const lines = gateway.logs.filter((line) => line.includes('notice_forged'));
  expect([lines.length > 0, lines.length <= 60]).toEqual([true, true]);
});

describe('an Idempotency-Key', () => {
  it('is remembered only for a quote that there is', async () => {
    const wallet = walletFrom(gateway.url, '203.0.113.50');
    const { sessionId } = await wallet.open();
    const { sql } = gateway.database;
    for (let i = 0; i < 10; i += 1) {
      const answer = await wallet.call('/order', { session_id: sessionId, quote_id: crypto.randomUUID() }, { 'idempotency-key': `key-${i}` });
      expect(answer.body['code']).toBe('quote-not-found');
    }
    expect(await sql`select 1 from idempotency_keys where route = '/order'`).toHaveLength(0);
    const { body } = await wallet.call('/quote', { session_id: sessionId, ...asked });
    const order = async (key: string) => await wallet.call('/order', { session_id: sessionId, quote_id: body['quote_id'] }, { 'idempotency-key': key });
    expect((await order('first')).status).toBe(200);
    for (let i = 0; i < 10; i += 1) expect((await order(`other-${i}`)).body['code']).toBe('quote-used');
    expect(await sql`select 1 from idempotency_keys where route = '/order'`).toHaveLength(1);
  });
});

it('throw-away node keys use up a part of what a seller makes in a day', async () => {
  const clock = movableClock();
  const sellers = await startChannelSellers(clock.now);
  const north = { kind: 'lsps1', base_url: sellers.north.url, orders_per_day: 20, quotes_per_node_per_day: 1 };
  const selling = await startTestGateway({}, { clock, config: { trusted_proxies: ['127.0.0.1'] }, blocks: { north } });
  const firmFrom = async (ip: string, n: number) => {
    const wallet = walletFrom(selling.url, ip);
    const { sessionId } = await wallet.open();
    const { body } = await wallet.call('/liquidity/offers', { session_id: sessionId, ...inbound, amount_sats: 400_000 + n, firm: true });
    left.push(body['firm_quotes_left']);
    return [(body['offers'] as unknown[]).length, ...(body['refused'] as { reason: string }[]).map(({ reason }) => reason)];
  };
  const left: unknown[] = [];
  const seen = [];
  for (let n = 0; n < 4; n += 1) seen.push(await firmFrom('203.0.113.70', n));
  expect(seen).toEqual([[1], [1], [0, 'quota-used'], [0, 'quota-used']]);
  expect(await firmFrom('203.0.113.71', 9)).toEqual([1]);
  // A node whose network has used up its part still has its own price left.
  expect(left).toEqual([0, 0, 1, 1, 0]);
  await selling.close();
  await Promise.all(Object.values(sellers).map(async (one) => await one.close()));
});

it('an amount of sats far beyond every limit is not sent to a provider', async () => {
  const wallet = walletFrom(gateway.url, '203.0.113.60');
  const { sessionId } = await wallet.open();
  const backend = { authorization: `Bearer ${secretKey}` };
  await wallet.call('/offers', { session_id: sessionId, ...asked }, backend);
  const control = gateway.simulators['alpine']?.control;
  // Sessions are opened there all the same.
  const quotes = () => control?.history.requests.filter((one) => one.endpoint === 'quote').length;
  const before = quotes();
  for (const [amount_sats, reason] of [
    [2_100_000_000_000_000, 'above-maximum'],
    [10_000_000_000, 'above-maximum'],
    [1, 'below-minimum'],
  ] as const) {
    const { sessionId: other } = await wallet.open();
    const { body } = await wallet.call('/offers', { session_id: other, currency_id: 1, payment_option_id: 1, amount_sats }, backend);
    expect(body['refused']).toContainEqual(expect.objectContaining({ provider: { id: 'alpine', name: 'alpine' }, reason }));
  }
  expect(quotes()).toBe(before);
  const { sessionId: third } = await wallet.open();
  const fair = await wallet.call('/offers', { session_id: third, currency_id: 1, payment_option_id: 1, amount_sats: 100_000 }, backend);
  expect((fair.body['offers'] as unknown[]).length).toBeGreaterThan(0);
});
