/** What the gateway tells a wallet to do: sentences that say what to send, the right action, and responses that a browser can read. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet, type Reply, type Wallet } from '../../scripts/demo/wallet.ts';
import { verifyDelivery } from '../../src/outbound/sign.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const origin = 'https://app.wallet.example';
const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');
const keys = { powerful: 'powerful-key-0123456789', label: 'label-key-0123456789abc', shop: 'pk_shop-0123456789abcd' };
const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let gateway: TestGateway;
let receiver: WebhookReceiver;
/** A provider that records the requests, and returns nothing useful. */
let provider: WebhookReceiver;
let wallet: Wallet;
let session: string;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  provider = await startWebhookReceiver();
  gateway = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 3600 } } },
    {
      config: {
        cors_origins: ['https://other.example/'],
        apps: {
          powerful: { key_hashes: [hashOf(keys.powerful)], allow: ['customer_ip'], webhook_secret_env: 'WALLET_WEBHOOK_SECRET' },
          label: { key_hashes: [hashOf(keys.label)] },
          shop: { publishable_keys: [keys.shop], cors_origins: [origin], webhook_secret_env: 'WALLET_WEBHOOK_SECRET' },
        },
      },
      blocks: { plain: { kind: 'fiat-on-ramp', base_url: provider.url } },
      environment: { WALLET_WEBHOOK_SECRET: webhookSecret },
    },
  );
  wallet = createWallet(gateway.url);
  session = (await wallet.open()).sessionId;
  await wallet.call('/payment-options', { session_id: session });
});
afterAll(async () => {
  await gateway.close();
  await receiver.close();
  await provider.close();
});

const good = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
const quote = async (more: object = {}): Promise<Reply> => await wallet.call('/quote', { session_id: session, ...good, ...more });
const raw = async (path: string, init: RequestInit = {}): Promise<Response> => await fetch(gateway.url + path, init);
const json = { 'content-type': 'application/json' };

describe('every message is a sentence that says what to send', () => {
  it.each<[object, string]>([
    [{ amount_fiat: 99.5 }, 'amount_fiat must be a whole number of cents (hundredths of the fiat unit), without quotes: 99.50 EUR is 9950'],
    [{ amount_fiat: '50.00' }, 'amount_fiat must be a whole number of cents (hundredths of the fiat unit), without quotes: 99.50 EUR is 9950'],
    [{ amount_fiat: undefined, amount_sats: 0.001 }, 'amount_sats must be a whole number of sats, without quotes: 0.001 BTC is 100000'],
    [{ amount_fiat: undefined, amount_sats: '1000' }, 'amount_sats must be a whole number of sats, without quotes: 0.001 BTC is 100000'],
    [{ amount_fiat: 0 }, 'amount_fiat must be an integer of at least 1'],
    [{ currency_id: 'EUR' }, 'currency_id must be a number from POST /payment-options (EUR is 1)'],
    [{ currency_id: 'XYZ' }, 'currency_id must be a number from POST /payment-options'],
    [{ payment_option_id: 'sepa' }, 'payment_option_id must be a number from POST /payment-options (SEPA is 1)'],
    [{ session_id: undefined }, 'session_id is missing'],
    [{ session_id: null }, 'session_id is missing'],
    [{ session_id: 'abc' }, 'session_id must be a UUID like 72614b08-f884-479e-8a90-b13495afd5d9'],
    [{ session_id: 7 }, 'session_id must be a string, in quotes'],
    [{ max_wait_ms: 10 }, 'max_wait_ms must be a whole number from 300 to 60000'],
    [{ max_wait_ms: '1000' }, 'max_wait_ms must be a whole number, without quotes'],
    [{ country: 'Germany' }, 'country must be an ISO 3166 country code of two letters'],
  ])('%j', async (more, sentence) => {
    const { status, body } = await quote(more);
    expect([status, body['code'], body['detail']]).toEqual([400, 'invalid-request', sentence]);
    expect(body['errors']).toEqual([{ pointer: expect.stringMatching(/^\/\w+$/) as string, detail: sentence }]);
  });

  it('says one thing of one member, among others that are wrong, too', async () => {
    const { body } = await wallet.call('/quote', { country: 'Germany' });
    expect(body['errors']).toEqual([
      { pointer: '/session_id', detail: 'session_id is missing' },
      { pointer: '/currency_id', detail: 'currency_id is missing' },
      { pointer: '/payment_option_id', detail: 'payment_option_id is missing' },
      { pointer: '/country', detail: 'country must be an ISO 3166 country code of two letters' },
    ]);
  });

  it('carries no raw words of the validator, on whatever route', async () => {
    const paths = Object.entries((await wallet.call('/openapi.json')).body['paths'] as Record<string, { post?: unknown }>).flatMap(([path, methods]) =>
      methods.post !== undefined && !path.includes('{') ? [path] : [],
    );
    const values = [{}, [], 'x'.repeat(5000), -1, 1.5, true, '2026-13-45', { a: 1 }, 9e15, ''];
    const said: string[] = [];
    for (const path of paths)
      for (const value of values) {
        const names = [
          'session_id',
          'quote_id',
          'amount_fiat',
          'amount_sats',
          'webhook_url',
          'webhook_events',
          'limit',
          'changed_since',
          'signatures',
          'code',
          'email',
          'firm',
          'network',
          'customer_ip',
        ];
        const { body } = await wallet.call(path, Object.fromEntries(names.map((name) => [name, value])));
        const errors = (body['errors'] ?? []) as { pointer: string; detail: string }[];
        for (const { detail } of errors) said.push(detail);
        expect(new Set(errors.map(({ pointer }) => pointer)).size).toBe(errors.length);
      }
    expect(said.length).toBeGreaterThan(100);
    expect(said.filter((detail) => /Invalid input|expected|Too (?:big|small)|received|Invalid \w+$/.test(detail))).toEqual([]);
  });

  it('the rest of the table', async () => {
    const empty = await raw('/quote', { method: 'POST', headers: json, body: '' });
    expect(((await empty.json()) as { detail: string }).detail).toBe('The body is empty. Send a JSON object.');
    const { body: offers } = await wallet.call('/offers', { session_id: session, ...good });
    const asQuote = await wallet.call('/order', { session_id: session, quote_id: offers['offers_id'] });
    expect([asQuote.status, asQuote.body['detail']]).toEqual([404, 'This is an offers_id: order one of its offers by quote_id.']);
    const { body: offer } = await quote();
    const bound = await wallet.call('/order', { session_id: session, quote_id: offer['quote_id'], min_amount_sats: 99_999_999 });
    expect([bound.status, bound.body['detail']]).toEqual([
      422,
      `the quote gives ${String(offer['amount_sats'])} sats, less than your min_amount_sats 99999999.`,
    ]);
    const dear = await wallet.call('/order', { session_id: session, quote_id: offer['quote_id'], max_amount_fiat: 9000 });
    expect(dear.body['detail']).toBe('the quote costs 10000 cents, more than your max_amount_fiat 9000.');
    const { body: order } = await wallet.call('/order', { session_id: session, quote_id: offer['quote_id'] });
    const asOrder = await wallet.call('/order-status', { session_id: session, order_id: offer['quote_id'] });
    expect([asOrder.status, asOrder.body['order_id'], asOrder.body['detail']]).toEqual([
      404,
      order['order_id'],
      `This is a quote; its order is ${String(order['order_id'])}.`,
    ]);
    const stranger = await createWallet(gateway.url).open();
    const foreign = await wallet.call('/order-status', { session_id: stranger.sessionId, order_id: offer['quote_id'] });
    expect(foreign.body['detail']).toBe('This customer has no such order.');
  });
});

describe('a misspelt member', () => {
  it.each<[string, string, string]>([
    ['/order', 'min_amount_sat', 'min_amount_sats'],
    ['/order', 'min_amonut_sats', 'min_amount_sats'],
    ['/order', 'min_amount', 'min_amount_sats'],
    ['/order', 'Max_Amount_Fiat', 'max_amount_fiat'],
    ['/order', 'max-amount-fiat', 'max_amount_fiat'],
    ['/order', 'minAmountSat', 'min_amount_sats'],
    ['/order', 'maxAmount', 'max_amount_fiat'],
    ['/order', 'MinAmountSats', 'min_amount_sats'],
    ['/offers', 'currency_code', 'currency_id'],
    ['/offers', 'country_code', 'country'],
    ['/quote', 'max_wait', 'max_wait_ms'],
    ['/withdrawal', 'failback_onchian', 'failback_onchain'],
    ['/order-status', 'order_ids', 'order_id'],
    ['/sell/order', 'min_amount_fiats', 'min_amount_fiat'],
    ['/liquidity/order', 'max_pay_sat', 'max_pay_sats'],
    ['/order', 'min_sats', 'min_amount_sats'],
    ['/order', 'minimum_received', 'min_amount_sats'],
    ['/order', 'at_least', 'min_amount_sats'],
    ['/order', 'slippage_bps', 'min_amount_sats'],
    ['/order', 'maxPrice', 'max_amount_fiat'],
    ['/order', 'price limit', 'min_amount_sats'],
    ['/order', 'max_amount_eur', 'max_amount_fiat'],
    ['/order', ' min_amount_sats', 'min_amount_sats'],
    ['/order', 'ｍｉｎ_ａｍｏｕｎｔ_sats', 'min_amount_sats'],
    ['/order', 'm\u0456n_amount_sats', 'min_amount_sats'],
    ['/sell/order', 'slippage', 'min_amount_fiat'],
    ['/liquidity/order', 'max_fee', 'max_pay_sats'],
  ])('%s %s is refused, and named', async (path, member, meant) => {
    const id = crypto.randomUUID();
    const { status, body } = await wallet.call(path, { session_id: session, quote_id: id, order_id: id, ...good, [member]: 1 });
    expect([status, body['code']]).toEqual([400, 'invalid-request']);
    expect(body['errors']).toContainEqual({ pointer: `/${member}`, detail: `there is no member "${member}": did you mean "${meant}"?` });
  });

  it('more members than any route knows are not compared with each', async () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`qq${i}`, 1]));
    const { status, body } = await wallet.call('/order', many(65));
    expect([status, body['code'], body['detail']]).toEqual([400, 'invalid-request', 'The request has 65 members; send at most 64.']);
    expect((await wallet.call('/payment-options', { ...many(63), session_id: session })).status).toBe(200);
  });

  it('is not what FLS01 clients send beside: other words, camelCase, null', async () => {
    expect((await quote({ sessionId: session, amountFiat: 10_000, wallet_version: '1.2', locale: 'de', min_amount_sat: null })).status).toBe(200);
  });
});

describe('what to do next', () => {
  it('quote-used leads to the order, never to another quote', async () => {
    const { body: offer } = await quote();
    const order = async (key: string) => await wallet.call('/order', { session_id: session, quote_id: offer['quote_id'] }, { 'idempotency-key': key });
    const first = await order('one');
    const again = await order('two');
    expect([again.status, again.body['code'], again.body['action'], again.body['order_id']]).toEqual([409, 'quote-used', 'read-order', first.body['order_id']]);
  });

  it('another key while the placing is unknown is told what any call is told', async () => {
    const { body: offer } = await quote();
    gateway.simulators['alpine']?.control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
    const order = async (key: string) => await wallet.call('/order', { session_id: session, quote_id: offer['quote_id'] }, { 'idempotency-key': key });
    expect((await order('three')).body['code']).toBe('order-pending');
    const other = await order('four');
    expect([other.body['code'], other.body['action']]).not.toEqual(['quote-used', 'requote']);
  });

  it.each<[string, object, string]>([
    ['a key that is none', { signatures: { gateway: 'y' }, node_pubkey: 'nope' }, 'fix-request'],
    ['a signature that is none', { signatures: { gateway: 'y'.repeat(90) }, node_pubkey: `02${'11'.repeat(32)}` }, 'fix-request'],
    ['an unknown recovery_secret', { recovery_secret: 'x'.repeat(43) }, 'fix-request'],
  ])('%s does not loop', async (_name, more, action) => {
    const { body } = await wallet.call('/verify');
    const answer = await wallet.call('/session', { session_id: body['session_id'], ...more });
    expect([answer.status, answer.body['code'], answer.body['action']]).toEqual([403, 'ownership-proof-failed', action]);
  });

  it('the recovery secret is given again for ten minutes, not as long as the session lives', async () => {
    const { body: begun } = await wallet.call('/verify');
    const open = async () => (await wallet.call('/session', { session_id: begun['session_id'] })).body;
    const first = await open();
    expect(first['recovery_secret']).toBeDefined();
    expect(await open()).toEqual(first);
    await gateway.database.sql`update sessions set opened_on = now() - interval '11 minutes'`;
    expect(await open()).toEqual({ ...first, recovery_secret: undefined });
  });
});

describe('a packed body', () => {
  const send = async (body: Uint8Array<ArrayBuffer>, coding: string) =>
    await raw('/quote', { method: 'POST', headers: { ...json, 'content-encoding': coding }, body });
  const packed = (text: string) => new Uint8Array(gzipSync(text));
  it('of gzip is the same request', async () => {
    for (const coding of ['gzip', 'GZIP', 'x-gzip']) expect((await send(packed(JSON.stringify({ session_id: session, ...good })), coding)).status).toBe(200);
    expect((await send(packed(' '.repeat(16_000)), 'gzip')).status).toBe(400);
  });
  it('that is not gzip, is cut off or unpacks to too much is refused', async () => {
    expect((await send(new Uint8Array(Buffer.from('{"a":1}')), 'gzip')).status).toBe(400);
    expect((await send(packed(JSON.stringify(good)).slice(0, -9), 'gzip')).status).toBe(400);
    const started = performance.now();
    expect((await send(packed(' '.repeat(10_000_000)), 'gzip')).status).toBe(413);
    expect(performance.now() - started).toBeLessThan(3000);
  });
  it.each(['br', 'deflate', 'gzip, gzip', 'zstd'])('of %s is not taken, and what is taken is said', async (coding) => {
    const answer = await send(packed('{}'), coding);
    expect([answer.status, answer.headers.get('accept-encoding')]).toEqual([415, 'gzip, identity']);
  });
});

describe('a browser', () => {
  const fromBrowser = { ...json, origin };
  it.each<[string, string, RequestInit, number]>([
    ['an answer', '/verify', { headers: fromBrowser }, 200],
    ['a problem', '/quote', { method: 'POST', headers: fromBrowser, body: '{}' }, 400],
    ['another media type', '/quote', { method: 'POST', headers: { origin, 'content-type': 'text/plain' }, body: '{}' }, 415],
    ['a wrong path', '/quotes', { headers: fromBrowser }, 404],
    ['a wrong method', '/quote', { headers: fromBrowser }, 405],
    ['the description', '/openapi.json', { headers: fromBrowser }, 200],
  ])('reads %s without any key', async (_name, path, init, status) => {
    const answer = await raw(path, init);
    expect([answer.status, answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')?.split(', ')[0]]).toEqual([status, origin, 'Origin']);
    const exposed = answer.headers.get('access-control-expose-headers') ?? '';
    for (const name of ['retry-after', 'ratelimit', 'ratelimit-policy', 'x-request-id', 'deprecation', 'sunset', 'link'])
      expect(exposed.split(', ')).toContain(name);
    const foreign = await raw(path, { ...init, headers: { ...(init.headers as object), origin: 'https://evil.example' } });
    expect([foreign.headers.get('access-control-allow-origin'), foreign.headers.get('access-control-expose-headers')]).toEqual([null, null]);
  });

  it('may send a key from where a publishable one may stand', async () => {
    const ask = async (from: string, path = '/order') =>
      await raw(path, {
        method: 'OPTIONS',
        headers: { origin: from, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
      });
    const allowed = await ask(origin);
    expect([allowed.status, allowed.headers.get('access-control-allow-headers')]).toEqual([204, expect.stringContaining('authorization')]);
    expect((await ask('https://other.example')).status).toBe(204);
    expect((await ask(origin, '/no-such-path')).status).toBe(204);
    expect([404, 405]).toContain((await ask('https://evil.example')).status);
  });

  it('is refused with a key that is worth stealing, with a sentence; a label or a publishable key is none', async () => {
    const verify = async (key: string, from?: string) =>
      await raw('/verify', { headers: { authorization: `Bearer ${key}`, ...(from === undefined ? {} : { origin: from }) } });
    const refused = await verify(keys.powerful, origin);
    expect([refused.status, await refused.json()]).toEqual([403, expect.objectContaining({ code: 'app-key-exposed', action: 'fix-request' })]);
    for (const from of ['https://evil.example', 'null']) expect((await verify(keys.powerful, from)).status).toBe(403);
    expect((await verify(keys.powerful)).status).toBe(200);
    expect([(await verify(keys.label, origin)).status, (await verify(keys.shop, origin)).status, (await verify(keys.shop)).status]).toEqual([200, 200, 200]);
  });
});

describe('webhooks', () => {
  it('and providers are told who calls', async () => {
    const asked = await provider.waitFor('a call', () => true);
    expect(asked.headers['user-agent']).toMatch(/^ramp-gateway\/\d/);
  });

  const test = async (key: string | undefined, url = receiver.url): Promise<string> => {
    const before = receiver.received.length;
    const answer = await wallet.call('/webhook-test', { session_id: session, webhook_url: url }, key === undefined ? {} : { authorization: `Bearer ${key}` });
    expect(answer.body).toEqual({ delivered: true, status_class: '2xx' });
    const got = receiver.received[before];
    expect(got?.headers['user-agent']).toMatch(/^ramp-gateway\/\d/);
    const part = (name: string): string => String(got?.headers[name]);
    const received = { id: part('webhook-id'), timestamp: part('webhook-timestamp'), signature: part('webhook-signature'), body: got?.body ?? '' };
    return (await verifyDelivery(received, [webhookSecret], Date.now(), 86_400)) ? 'v1' : 'no v1';
  };
  it('a test is signed as the real ones of the app; a publishable key signs nothing in its name', async () => {
    expect([await test(keys.powerful), await test(undefined), await test(keys.shop)]).toEqual(['v1', 'no v1', 'no v1']);
  });
  it('of long addresses are delivered', async () => {
    expect(await test(undefined, `${receiver.url}/${'a'.repeat(1800)}?sig=${'b'.repeat(100)}`)).toBe('no v1');
  });
});
