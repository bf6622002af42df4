import { createHash, createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createSigner } from '../../../src/outbound/sign.ts';
import { verifyWebhook, type WebhookHeaders } from './webhook.ts';

const now = 1_795_276_927_000;
const secret = 'whsec_R1Y0/x4Lz7dDn8gJwlEfGFCB8NvombmWXIIvXOmqYV0=';
const body = '{"type":"withdrawal_ready","data":{"order_id":"3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11","order_status":"filled"}}';
const seedOf = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest());
const signer = createSigner([{ kid: 'w1', seed: seedOf('one') }], new Map([['app', [secret]]]));
const other = createSigner([{ kid: 'w2', seed: seedOf('two') }]);
const [id, timestamp] = ['msg_5f0c2f6e7d5b4a0f9a3e2a1d8c7b6e54', now / 1000];
const signature = await signer.sign({ id, timestamp, body, appId: 'app' });
const { keys } = await signer.jwks();
const headers = { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signature, 'webhook-sequence': '3', 'webhook-attempt': '1' };
const event = {
  type: 'withdrawal_ready',
  data: { order_id: '3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11', order_status: 'filled' },
  id,
  sequence: 3,
  attempt: 1,
  sentOn: new Date(now),
};
const at = { receivedAt: now };
const only = (version: string): string =>
  signature
    .split(' ')
    .filter((one) => one.startsWith(`${version},`))
    .join(' ');

afterEach(() => vi.unstubAllGlobals());

/** The runtimes to test: one with WebCrypto, one whose WebCrypto lacks Ed25519, and one without WebCrypto. */
const places: [string, () => void][] = [
  ['WebCrypto', () => undefined],
  ['a WebCrypto without Ed25519', () => vi.stubGlobal('crypto', { subtle: { importKey: () => Promise.reject(new Error('NotSupportedError')) } })],
  ['no WebCrypto', () => vi.stubGlobal('crypto', undefined)],
];
describe.each(places)('with %s', (_, enter) => {
  it('takes what the gateway signed, by its key set, its keys as text, and the secret of an app', async () => {
    enter();
    for (const good of [{ keys }, [keys[0]?.whpk ?? ''], ['whpk_AAAA', 'whsec_AAAA', secret], { keys: [...(await other.jwks()).keys, ...keys] }])
      expect(await verifyWebhook(headers, body, good, at)).toEqual({ ok: true, event });
    expect(await verifyWebhook({ ...headers, 'webhook-signature': only('v1') }, body, [secret], at)).toEqual({ ok: true, event });
    expect(await verifyWebhook({ ...headers, 'webhook-signature': `v1a,AAAA v9,AAAA ${only('v1a')}` }, body, { keys }, at)).toEqual({ ok: true, event });
  });

  it('refuses, and does not throw, if the keys are none', async () => {
    enter();
    const answers = [undefined, null, {}, { code: 'rate-limited', keys: null }, { keys: [null, {}, 7] }, [null, keys], 'whpk_AAAA'];
    for (const none of answers)
      expect(await verifyWebhook(headers, body, none as never, at)).toEqual({ ok: false, problem: 'no signature matches any of the keys' });
    expect(await verifyWebhook(headers, body, keys as never, at)).toEqual({ ok: true, event });
  });

  it('refuses what was changed, and what another key signed', async () => {
    enter();
    const cases: [WebhookHeaders, string, Parameters<typeof verifyWebhook>[2]][] = [
      [headers, body.replace('filled', 'placed'), { keys }],
      [{ ...headers, 'webhook-id': 'msg_other' }, body, { keys }],
      [{ ...headers, 'webhook-timestamp': String(timestamp + 1) }, body, { keys }],
      [{ ...headers, 'webhook-signature': only('v1') }, body, { keys }],
      [{ ...headers, 'webhook-signature': only('v1a') }, body, [secret]],
      [{ ...headers, 'webhook-signature': only('v1a').replace('v1a', 'v1') }, body, { keys }],
      [{ ...headers, 'webhook-signature': 'v1a,' }, body, { keys }],
      [{ ...headers, 'webhook-signature': 'v1a,***' }, body, { keys }],
      [headers, body, { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }, { kty: 'RSA' }] }],
      [headers, body, ['whpk_', 'nonsense', '']],
      [headers, body, []],
    ];
    for (const [those, text, wrong] of cases)
      expect(await verifyWebhook(those, text, wrong, at)).toEqual({ ok: false, problem: 'no signature matches any of the keys' });
  });
});

it.each(['whsec_', 'whsec_AAAA', `whsec_${'A'.repeat(20)}`])('verifies nothing with a secret that anybody can guess, and says so: %s', async (weak) => {
  const forged = createHmac('sha256', Buffer.from(weak.slice(6), 'base64'))
    .update(`${id}.${timestamp}.${body}`)
    .digest('base64');
  expect(await verifyWebhook({ ...headers, 'webhook-signature': `v1,${forged}` }, body, [weak], at)).toEqual({
    ok: false,
    problem: 'no signature matches any of the keys, and a secret has fewer than 16 bytes',
  });
});

it('reads the headers of fetch, of Node and in capitals, and the body as bytes', async () => {
  const capitals = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
  for (const form of [new Headers(headers), capitals]) expect(await verifyWebhook(form, body, { keys }, at)).toEqual({ ok: true, event });
  expect(await verifyWebhook(headers, new TextEncoder().encode(body), { keys }, at)).toEqual({ ok: true, event });
  expect(await verifyWebhook(headers, Buffer.from(body), { keys }, at)).toEqual({ ok: true, event });
});

it('refuses what is old, ahead of time, not whole, or was parsed before', async () => {
  const why = async (more: object, text: string = body, options = at): Promise<unknown> => {
    const verified = await verifyWebhook({ ...headers, ...more }, text, { keys }, options);
    return verified.ok || verified.problem;
  };
  const old = 'its timestamp is too old, too far ahead of this clock, or not a number';
  expect(await why({}, body, { receivedAt: now + 300_000 })).toBe(true);
  expect([await why({}, body, { receivedAt: now + 301_000 }), await why({}, body, { receivedAt: now - 301_000 })]).toEqual([old, old]);
  expect([await why({ 'webhook-timestamp': 'NaN' }), await why({ 'webhook-timestamp': '1e9' })]).toEqual([old, old]);
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) expect(await why({ [name]: undefined })).toMatch(/^it lacks a header/);
  expect(await why({}, JSON.parse(body) as string)).toMatch(/^the body must be the text/);
  const text = 'not JSON';
  const signed = { 'webhook-signature': await signer.sign({ id, timestamp, body: text }) };
  expect(await why(signed, text)).toBe('its signature is valid, but its body is not JSON');
});
