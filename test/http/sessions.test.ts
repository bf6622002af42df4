import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { signNodeMessage } from '../../src/bitcoin/node-signature.ts';
import { publicKeyOf } from '../../src/bitcoin/secp256k1.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const key = '11'.repeat(32);
const pubkey = publicKeyOf(key);
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({
    alpine: { simulator: { quoteTtlS: 3600 } },
    dune: { simulator: { proof: 'demanded', quoteTtlS: 3600 }, block: { proof: 'demanded', catalogue_without_session: true } },
  });
});
afterAll(async () => await gateway.close());

const call = (path: string, body?: object) => createWallet(gateway.url).call(path, body);
const verify = async () => (await call('/verify')).body as { session_id: string; token: string; tokens: Record<string, string>; expires_on: string };
const buy = async (sessionId: string) => {
  const quote = await call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  return await call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] });
};

describe('sessions and proof', () => {
  it("gives tokens, and the first demanding provider's is `token`", async () => {
    const begun = await verify();
    expect(begun.session_id).toMatch(/^[0-9a-f-]{14}4[0-9a-f-]{4}[89ab]/);
    expect(begun.token).toBe(begun.tokens['dune']);
    expect(begun.tokens['gateway']).toMatch(/^ramp-gateway:127\.0\.0\.1:\d+:[\w-]{22}$/);
  });

  it('opens without proof; the demanding provider refuses', async () => {
    const begun = await verify();
    const opened = await call('/session', { session_id: begun.session_id, signature: 'anything', app_id: 'my-wallet' });
    expect(opened.body).toMatchObject({ session_id: begun.session_id, app_id: 'my-wallet', proven: [] });
    const offers = await call('/offers', { session_id: begun.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    expect(offers.body['refused']).toEqual([{ provider: { id: 'dune', name: 'dune' }, reason: 'proof-required' }]);
  });

  it('opens the sessions at providers that demand no proof before the first price, which then takes one request', async () => {
    const control = gateway.simulators['alpine']?.control;
    const begun = await verify();
    const from = control?.history.requests.length;
    const endpoints = () => control?.history.requests.slice(from).map(({ endpoint }) => endpoint);
    await call('/session', { session_id: begun.session_id });
    await gateway.passUntil('opened', async () => await Promise.resolve(endpoints()?.length === 2 ? true : undefined));
    expect(endpoints()).toEqual(['verify', 'session']);
    const asked = { session_id: begun.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
    for (const _ of [1, 2]) expect((await call('/quote', asked)).status).toBe(200);
    expect(endpoints()?.slice(2)).toEqual(['quote', 'quote']);
  });

  it('a first price that comes while the session is being opened waits for it, and has more time than later prices', async () => {
    const { simulators } = gateway;
    const begun = await verify();
    const from = simulators['alpine']?.control.history.requests.length;
    simulators['alpine']?.control.setFault({ endpoint: 'session', fault: 'latency', ms: 600, times: 1 });
    await call('/session', { session_id: begun.session_id });
    const quote = await call('/quote', { session_id: begun.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    expect([quote.status, (quote.body['provider'] as { id: string } | undefined)?.id]).toEqual([200, 'alpine']);
    expect(simulators['alpine']?.control.history.requests.slice(from).map(({ endpoint }) => endpoint)).toEqual(['verify', 'session', 'quote']);
  });

  it('a demanding provider that was away at /verify has failed in that session, not refused', async () => {
    gateway.simulators['dune']?.control.setFault({ endpoint: 'verify', fault: '500', times: 1 });
    const begun = await verify();
    expect(Object.keys(begun.tokens)).toEqual(['gateway']);
    await call('/session', { session_id: begun.session_id });
    const { body } = await call('/offers', { session_id: begun.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    expect([body['refused'], body['failed']]).toEqual([[], [{ provider: { id: 'dune', name: 'dune' }, reason: 'unreachable', retryable: true }]]);
  });

  it('likewise one that was away when the proof was handed on at /session', async () => {
    const begun = await verify();
    gateway.simulators['dune']?.control.setFault({ endpoint: 'session', fault: '500', times: 1 });
    const { body: opened } = await call('/session', { session_id: begun.session_id, node_pubkey: pubkey, signature: signNodeMessage(begun.token, key) });
    expect(opened['proven']).toEqual(['dune']);
    const { body } = await call('/offers', { session_id: begun.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    expect([body['refused'], body['failed']]).toEqual([[], [{ provider: { id: 'dune', name: 'dune' }, reason: 'unreachable', retryable: true }]]);
  });

  it('one whose session is over when it opens is not proven, and has failed', async () => {
    const begun = await verify();
    const options = gateway.simulators['dune']?.control.options;
    if (options) options.deviations = ['dates-of-2023'];
    const body = { session_id: begun.session_id, node_pubkey: pubkey, signature: signNodeMessage(begun.token, key) };
    const { body: opened } = await call('/session', body);
    if (options) options.deviations = [];
    expect(opened['proven']).toEqual([]);
    expect((await call('/session', body)).body).toEqual(opened);
    const offers = await call('/offers', { session_id: begun.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    expect([offers.body['refused'], offers.body['failed']]).toEqual([[], [{ provider: { id: 'dune', name: 'dune' }, reason: 'malformed', retryable: true }]]);
  });

  it('a signature under a name that every object has is under no provider', async () => {
    const begun = await verify();
    const answer = await call('/session', { session_id: begun.session_id, node_pubkey: pubkey, signatures: { toString: signNodeMessage('x', key) } });
    expect([answer.status, answer.body['detail']]).toEqual([403, 'This session has no token for "toString".']);
  });

  it('refuses a stated key without a good signature, an unknown or unopened session, and a second opening with another body', async () => {
    const begun = await verify();
    expect((await call('/quote', { session_id: begun.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 })).status).toBe(401);
    const bad = await call('/session', { session_id: begun.session_id, node_pubkey: pubkey, signature: signNodeMessage('another token', key) });
    expect([bad.status, bad.body['code']]).toEqual([403, 'ownership-proof-failed']);
    expect((await call('/session', { session_id: begun.session_id, node_pubkey: pubkey })).status).toBe(403);
    const body = { session_id: begun.session_id, node_pubkey: pubkey, signature: signNodeMessage(begun.token, key) };
    const good = await call('/session', body);
    expect(good.body['proven']).toEqual(['dune']);
    expect((await call('/session', body)).body).toEqual(good.body);
    const other = await call('/session', { session_id: begun.session_id });
    expect([other.status, other.body['code']]).toEqual([409, 'session-settled']);
    const madeUp = await call('/session', { session_id: crypto.randomUUID() });
    expect([madeUp.status, madeUp.body['code']]).toEqual([401, 'session-invalid']);
  });

  it('a replayed provider signature opens nothing old: only our own token does', async () => {
    const first = await verify();
    await call('/session', {
      session_id: first.session_id,
      node_pubkey: pubkey,
      signatures: { dune: signNodeMessage(first.tokens['dune'] ?? '', key), gateway: signNodeMessage(first.tokens['gateway'] ?? '', key) },
    });
    const order = await buy(first.session_id);
    expect(order.status).toBe(200);
    const second = await verify();
    const byProvider = await call('/session', {
      session_id: second.session_id,
      node_pubkey: pubkey,
      signatures: { dune: signNodeMessage(second.tokens['dune'] ?? '', key) },
    });
    expect(byProvider.body['proven']).toEqual(['dune']);
    expect((await call('/order-status', { session_id: second.session_id })).body).toEqual({});
    expect((await call('/order-status', { session_id: second.session_id, order_id: order.body['order_id'] })).status).toBe(404);
    const third = await verify();
    await call('/session', { session_id: third.session_id, node_pubkey: pubkey, signatures: { gateway: signNodeMessage(third.tokens['gateway'] ?? '', key) } });
    expect(Object.keys((await call('/order-status', { session_id: third.session_id })).body)).toEqual([order.body['order_id']]);
  });

  it('an unproven wallet that lost its session gets its order back with the recovery secret and with nothing else', async () => {
    const first = await verify();
    const opened = await call('/session', { session_id: first.session_id });
    const order = await buy(first.session_id);
    const upstream = gateway.simulators['alpine']?.control;
    await upstream?.pay(upstream.history.orders.at(-1)?.orderId ?? '');
    const stranger = await verify();
    await call('/session', { session_id: stranger.session_id });
    expect((await call('/withdrawal', { session_id: stranger.session_id, order_id: order.body['order_id'] })).status).toBe(404);
    const wrong = await verify();
    expect((await call('/session', { session_id: wrong.session_id, recovery_secret: 'x'.repeat(43) })).status).toBe(403);
    const next = await verify();
    const recovered = await call('/session', { session_id: next.session_id, recovery_secret: opened.body['recovery_secret'] });
    expect(recovered.body['recovery_secret']).toBeUndefined();
    expect((await call('/withdrawal', { session_id: next.session_id, order_id: order.body['order_id'] })).body['lnurlw']).toMatch(/^LNURL1/);
  });

  it('a known key opens the session of its customer although nobody has the secret beside it; with any other key, that secret is refused', async () => {
    const [known, unknown] = ['22'.repeat(32), '33'.repeat(32)];
    const lost = 'x'.repeat(43);
    const open = async (of: string, more: object) => {
      const { session_id, tokens } = await verify();
      const body = { session_id, node_pubkey: publicKeyOf(of), signatures: { gateway: signNodeMessage(tokens['gateway'] ?? '', of) } };
      return { session_id, body, answer: await call('/session', { ...body, ...more }) };
    };
    const first = await open(known, {});
    const order = await buy(first.session_id);
    const again = await open(known, { recovery_secret: lost });
    expect([again.answer.status, again.answer.body['recovery_secret']]).toEqual([200, undefined]);
    expect(Object.keys((await call('/order-status', { session_id: again.session_id })).body)).toEqual([order.body['order_id']]);

    const refused = await open(unknown, { recovery_secret: lost });
    const errors = [{ pointer: '/recovery_secret', detail: expect.stringContaining('No customer of this gateway has this secret.') as string }];
    expect(refused.answer.body).toMatchObject({ status: 403, code: 'ownership-proof-failed', action: 'fix-request', errors });
    const anew = await call('/session', refused.body);
    expect([anew.status, anew.body['recovery_secret']]).toEqual([200, expect.stringMatching(/^[\w-]{43}$/)]);
    // Only our own token proves a key: a provider's token beside the lost secret opens nothing.
    const begun = await verify();
    const byProvider = {
      session_id: begun.session_id,
      node_pubkey: publicKeyOf(known),
      signatures: { dune: signNodeMessage(begun.tokens['dune'] ?? '', known) },
    };
    expect((await call('/session', { ...byProvider, recovery_secret: lost })).status).toBe(403);
  });

  it('key and secret of two customers conflict', async () => {
    const [a, b] = [await verify(), await verify()];
    const unproven = await call('/session', { session_id: a.session_id });
    const answer = await call('/session', {
      session_id: b.session_id,
      node_pubkey: pubkey,
      recovery_secret: unproven.body['recovery_secret'],
      signatures: { gateway: signNodeMessage(b.tokens['gateway'] ?? '', key) },
    });
    expect([answer.status, answer.body['code']]).toEqual([409, 'customer-conflict']);
  });

  it('a paid order outlives its session; prices do not', async () => {
    const begun = await verify();
    await call('/session', { session_id: begun.session_id });
    const order = await buy(begun.session_id);
    await gateway.database.sql`update sessions set expires_on = now() - interval '1 hour' where id_hash = ${gateway.server.gateway.hash(begun.session_id)}`;
    expect((await call('/quote', { session_id: begun.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 })).status).toBe(401);
    const status = await call('/order-status', { session_id: begun.session_id, order_id: order.body['order_id'] });
    expect(status.body[String(order.body['order_id'])]).toMatchObject({
      stage: 'awaiting_payment',
      payment_info: order.body['payment_info'],
      expires_on: order.body['expires_on'],
    });
    expect((await call('/route', { session_id: begun.session_id, order_id: order.body['order_id'] })).status).toBe(200);
  });
});
