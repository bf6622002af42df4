import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let session: string;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600, fallback: false } } });
  session = (await createWallet(gateway.url).open()).sessionId;
  await post('/payment-options', JSON.stringify({ session_id: session }));
});
afterAll(async () => await gateway.close());

const post = async (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = { 'content-type': 'application/json' }) => {
  const response = await fetch(gateway.url + path, { method: 'POST', headers, body });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  };
};
const quote = (more: object) => JSON.stringify({ session_id: session, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1, ...more });
const asked = () => gateway.simulators['alpine']?.control.history.requests.filter((one) => one.endpoint === 'quote' || one.endpoint === 'order').length;
const rows = async () =>
  (
    await gateway.database
      .sql`select (select count(*) from routes)::int as routes, (select count(*) from intents)::int as intents, (select count(*) from orders)::int as orders`
  )[0];

describe('nothing bad gets far', () => {
  const deep = `{"session_id":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  it.each<[string, string, number, string]>([
    ['not JSON', '{', 400, 'invalid-request'],
    ['empty', '', 400, 'invalid-request'],
    ['null', 'null', 400, 'invalid-request'],
    ['an array', '[]', 400, 'invalid-request'],
    ['a string', '"x"', 400, 'invalid-request'],
    ['deep', `{"a":${'['.repeat(20)}${']'.repeat(20)}}`, 400, 'invalid-request'],
    ['too large and deep', deep, 413, 'payload-too-large'],
    ['1 MiB', JSON.stringify({ x: 'y'.repeat(1_048_576) }), 413, 'payload-too-large'],
    ['__proto__', '{"__proto__":{"x":1}}', 400, 'invalid-request'],
    ['constructor', '{"a":{"constructor":{"prototype":{}}}}', 400, 'invalid-request'],
    ['NUL', '{"session_id":"a\\u0000b"}', 400, 'invalid-request'],
    ['a lone surrogate', '{"session_id":"\\ud800"}', 400, 'invalid-request'],
    ['a member twice', '{"session_id":"x","max_amount_fiat":10000,"max_amount_fiat":10000000}', 400, 'invalid-request'],
    ['a member twice, once behind an escape', '{"min_amount_sats":9,"min_amount\\u005fsats":1}', 400, 'invalid-request'],
    ['a member twice, further in', '{"a":[{"b":{":":1,":":2}}]}', 400, 'invalid-request'],
    ['UTF-16', '\u0000{\u0000}', 400, 'invalid-request'],
  ])('%s', async (_name, body, status, code) => {
    const answer = await post('/quote', body);
    expect([answer.status, answer.body['code'], answer.type]).toEqual([status, code, 'application/problem+json']);
    expect(answer.body).toMatchObject({
      type: `urn:ramp-gateway:problem:${code}`,
      status,
      instance: answer.headers.get('x-request-id'),
      help: `/docs/errors#${code}`,
    });
  });

  it('invalid UTF-8 and another media type', async () => {
    expect((await post('/quote', Uint8Array.from([0x7b, 0xff, 0x7d]))).status).toBe(400);
    expect((await post('/quote', quote({}), { 'content-type': 'text/plain' })).body['code']).toBe('unsupported-media-type');
  });

  it.each<[string, object]>([
    ['negative', { amount_fiat: -1 }],
    ['zero', { amount_fiat: 0 }],
    ['fractional', { amount_fiat: 1.5 }],
    ['a string', { amount_fiat: '100' }],
    ['above 2^53', { amount_fiat: 2 ** 53 }],
    ['missing', { amount_fiat: undefined }],
    ['both', { amount_sats: 1000 }],
    ['both names of sats', { amount_fiat: undefined, amount_sats: 1000, amount_btc: 1000 }],
    ['more sats than there are', { amount_fiat: undefined, amount_btc: 2_100_000_000_000_001 }],
    ['a bad country', { country: 'Germany' }],
    ['a session that is no uuid', { session_id: 'abc' }],
  ])('amounts: %s', async (_name, more) => {
    const answer = await post('/quote', quote(more));
    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid-request']);
    expect((answer.body['errors'] as { pointer: string }[])[0]?.pointer).toMatch(/^\//);
  });

  it('1e400 is not an amount', async () => {
    expect((await post('/quote', quote({}).replace('10000', '1e400'))).status).toBe(400);
  });

  it.each<[string, string, object, number, string]>([
    ['an unknown option', '/quote', { payment_option_id: 999 }, 422, 'option-unavailable'],
    ['an unknown currency', '/quote', { currency_id: 999 }, 422, 'option-unavailable'],
    ['an unknown session', '/quote', { session_id: '72614b08-f884-479e-8a90-b13495afd5d9' }, 401, 'session-invalid'],
    ['below every minimum', '/quote', { amount_fiat: 900 }, 422, 'no-offer'],
    ['an unknown quote', '/order', { quote_id: '49d09de1-dcf7-45e6-b908-fc31584cce0e' }, 404, 'quote-not-found'],
    ['orders changed since before the calendar', '/order-status', { changed_since: '0000-01-01T00:00:00Z' }, 200, ''],
    ['an unknown order', '/order-status', { order_id: '49d09de1-dcf7-45e6-b908-fc31584cce0e' }, 404, 'order-not-found'],
    ['an unknown order to withdraw', '/withdrawal', { order_id: '49d09de1-dcf7-45e6-b908-fc31584cce0e' }, 404, 'order-not-found'],
    ['a private webhook', '/order', { quote_id: '49d09de1-dcf7-45e6-b908-fc31584cce0e', webhook_url: 'https://10.0.0.1/x' }, 422, 'webhook-url-refused'],
  ])('%s', async (_name, path, more, status, code) => {
    const answer = await post(path, quote(more));
    expect([answer.status, answer.body['code'] ?? '']).toEqual([status, code]);
  });

  it('UUIDs in capitals are the same UUIDs', async () => {
    const offer = await post('/quote', quote({ session_id: session.toUpperCase() }));
    expect(offer.status).toBe(200);
    const quoteId = String(offer.body['quote_id']).toUpperCase();
    const placed = await post('/order', JSON.stringify({ session_id: session.toUpperCase(), quote_id: quoteId }));
    expect(placed.status).toBe(200);
    const orderId = String(placed.body['order_id']);
    const status = await post('/order-status', JSON.stringify({ session_id: session, order_id: orderId.toUpperCase() }));
    expect(Object.keys(status.body)).toEqual([orderId]);
  });

  it('a no-offer problem says which amounts are accepted', async () => {
    const { body } = await post('/quote', quote({ amount_fiat: 900 }));
    expect(body).toMatchObject({
      detail: '1 provider was asked for 9.00 EUR via SEPA: 1 starts at 10.00 EUR.',
      limits: { min_amount_fiat: 1000 },
      action: 'ask-user',
      refused: [{ reason: 'below-minimum', min_amount_fiat: 1000 }],
    });
  });

  it('a list says so too, but only if it has no offer', async () => {
    const { status, body } = await post('/offers', quote({ amount_fiat: 900 }));
    expect([status, body]).toMatchObject([200, { offers: [], hint: '1 provider was asked for 9.00 EUR via SEPA: 1 starts at 10.00 EUR.' }]);
    expect((await post('/offers', quote({}))).body).not.toHaveProperty('hint');
  });

  it('wrong methods and paths', async () => {
    const get = await fetch(`${gateway.url}/quote`);
    expect([get.status, get.headers.get('allow'), ((await get.json()) as { code: string }).code]).toEqual([405, 'POST', 'method-not-allowed']);
    for (const path of ['/nothing', '/%00', '/docs/../x', '/notices/x']) expect((await fetch(gateway.url + path)).status).toBe(404);
    expect((await fetch(`${gateway.url}/quote`, { method: 'TRACE' as 'GET' }).catch(() => ({ status: 405 }))).status).toBe(405);
  });

  it('nothing is stored, and no provider is asked', async () => {
    const [before, calls] = [await rows(), asked()];
    await post('/quote', '{');
    await post('/quote', quote({ amount_fiat: -1 }));
    await post('/order', quote({ quote_id: 'nonsense' }));
    expect([await rows(), asked()]).toEqual([before, calls]);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it('a withdrawal to a bitcoin address, if the provider has no such fallback', async () => {
    const { body: offer } = await post('/quote', quote({}));
    const { body: order } = await post('/order', JSON.stringify({ session_id: session, quote_id: offer['quote_id'] }));
    const withdrawal = await post(
      '/withdrawal',
      JSON.stringify({ session_id: session, order_id: order['order_id'], failback_onchain: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' }),
    );
    expect([withdrawal.status, withdrawal.body['code']]).toEqual([422, 'fallback-unsupported']);
  });

  it('answers carry their mode, their id and no cache', async () => {
    const { headers } = await post('/quote', quote({}), { 'content-type': 'application/json', 'x-request-id': 'my-request-0001' });
    expect([headers.get('x-request-id'), headers.get('x-ramp-mode'), headers.get('cache-control')]).toEqual(['my-request-0001', 'sandbox', 'no-store']);
    expect(headers.get('ratelimit-policy')).toBe('"quotes";q=10000;w=60');
  });

  it.each(['/docs', '/buy', '/openapi.json', '/metrics'])('%s carries them too, and takes GET only', async (path) => {
    const { headers, status } = await fetch(gateway.url + path, { headers: { 'x-request-id': 'my-request-0002' } });
    expect([status, headers.get('x-request-id'), headers.get('x-ramp-mode')]).toEqual([200, 'my-request-0002', 'sandbox']);
    expect(headers.get('cache-control')).toBe({ '/docs': 'no-cache', '/buy': 'no-cache', '/openapi.json': 'public, max-age=300' }[path] ?? 'no-store');
    const posted = await fetch(gateway.url + path, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
  });

  it('notices carry the mode', async () => {
    const { headers, status } = await fetch(`${gateway.url}/notices/alpine/order/x/${'A'.repeat(22)}`, { method: 'POST', body: '{}' });
    expect([status, headers.get('x-ramp-mode')]).toEqual([202, 'sandbox']);
  });

  it('takes camelCase where the proper name is absent, amount_btc for sats, null for absent', async () => {
    const camel = await post('/quote', JSON.stringify({ sessionId: session, amountFiat: 10_000, currencyId: 1, paymentOptionId: 1, country: null }));
    expect(camel.body['amount_fiat']).toBe(10_000);
    const sats = await post('/quote', JSON.stringify({ session_id: session, amount_btc: 100_000, currency_id: 1, payment_option_id: 1 }));
    expect(sats.body['amount_sats']).toBe(100_000);
  });

  it('refuses a member under both of its names, unless they say the same', async () => {
    const twice = await post('/quote', quote({ amountFiat: 20_000 }));
    expect([twice.status, twice.body['detail']]).toEqual([400, 'amount_fiat and amountFiat are the same member: send only amount_fiat']);
    expect((await post('/quote', quote({ amountFiat: 10_000 }))).status).toBe(200);
  });

  it('braces, colons and quotes in strings are not taken for members', async () => {
    const odd = quote({ note: 'a:b "c": {"d":1} \\\\":' });
    expect((await post('/quote', odd)).status).toBe(200);
    expect((await post('/quote', `\u{feff}${odd}`)).status).toBe(200);
  });
});
