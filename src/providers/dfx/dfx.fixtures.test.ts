/** Every fixture goes through the adapter, which must send exactly that request, and read the response as stated here. */
import { describe, expect, it, test } from 'vitest';
import * as z from 'zod';
import { readFixtures } from '../../../test/support/fixtures.ts';
import type { PayoutTo } from '../../domain/payout.ts';
import type { AdapterDeps, CatalogueOption, HttpRequest } from '../spec.ts';
import { provider } from './index.ts';

const { fixtures, named } = readFixtures(import.meta.url, { method: z.enum(['GET', 'POST', 'PUT']) }, {});

const baseUrl = 'https://dfx.example';
/** Answers every call with the named fixture, except those whose paths other fixtures have. */
const answering = (name: string, others: string[] = []) => {
  const found = named(name);
  const sent: HttpRequest[] = [];
  const deps: AdapterDeps = {
    providerId: 'dfx',
    http: async (request) => {
      sent.push(request);
      const other = others.map(named).find(({ request: { path } }) => request.url === baseUrl + path);
      const { status, body } = request.url.endsWith('/confirm') ? { status: 200, body: {} } : (other ?? found).response;
      return await Promise.resolve({ status, headers: {}, body: new TextEncoder().encode(JSON.stringify(body)) });
    },
    now: () => 0,
    newId: () => '',
    log: () => undefined,
    network: 'main',
    mode: 'live',
    secret: () => 'an-operator-key-of-at-least-32-characters',
  };
  const { buy, sell } = provider.create(deps, provider.settings.parse({ base_url: baseUrl, login_key_env: 'DFX_KEY' }));
  if (!buy || !sell) throw new Error('a ramp is missing');
  return { buy, sell, sent, request: found.request };
};
const context = { signal: new AbortController().signal, requestId: 'req_fixture' };
const euros: CatalogueOption = { currency: 'EUR', name: 'SEPA', upstream: { method: 'Bank' }, feePpm: 14_900 };
const dollars: CatalogueOption = { currency: 'USD', name: 'Bank transfer', upstream: { method: 'Bank' }, feePpm: 14_900 };

const offer = { binding: false, upstream: { method: 'Bank' }, facts: { amount_tolerance_bps: 100, provider_btc_price: '8000000' }, requires: [], warnings: [] };
const refused = (refusal: object) => ({ ok: false, refusal });
const bought: [string, 'pay' | 'receive', bigint, CatalogueOption, object][] = [
  ['buy-quote', 'pay', 10_000n, euros, { ok: true, value: { ...offer, pay: 10_000n, receive: 123_137n, fee: 149n } }],
  ['buy-quote-small', 'pay', 4_990n, euros, { ok: true, value: { ...offer, pay: 4_990n, receive: 61_437n, fee: 75n } }],
  ['buy-quote-sats', 'receive', 107_869n, euros, { ok: true, value: { ...offer, pay: 8_760n, receive: 107_869n, fee: 131n } }],
  ['buy-quote-too-low', 'pay', 100n, euros, refused({ reason: 'below-minimum', limits: { minPay: 1_000n }, detail: 'AmountTooLow' })],
  ['buy-quote-unsupported', 'pay', 10_000n, dollars, refused({ reason: 'currency-unsupported', detail: 'CurrencyUnsupported' })],
  ['buy-quote-recommendation', 'pay', 10_000n, euros, refused({ reason: 'kyc-required', detail: 'RecommendationRequired' })],
  ['error-bad-request', 'pay', 10_000n, euros, refused({ reason: 'declined' })],
];
const sale = { ok: true, value: { ...offer, requires: ['account', 'connection'], pay: 250_000n, receive: 19_802n, fee: 198n } };
const sold: [string, bigint, object, boolean][] = [
  ['sell-quote', 250_000n, sale, true],
  ['sell-quote-rounded', 1_234_567n, refused({ reason: 'off-step', detail: 'nearest: 1234500, 1234600' }), false],
];

describe('prices', () => {
  it.each(bought)('%s', async (name, fixed, amount, option, answer) => {
    const { buy, sent, request } = answering(name);
    expect(await buy.quote(context, { ramp: 'buy', fixed, amount, option })).toEqual(answer);
    expect(sent.map(({ method, url, body = '' }) => ({ method, path: url.slice(baseUrl.length), body: JSON.parse(body) as unknown }))).toEqual([request]);
  });
  it.each(sold)('%s', async (name, amount, answer, isAsked) => {
    const { sell, sent, request } = answering(name);
    expect(await sell.quote(context, { ramp: 'sell', fixed: 'pay', amount, option: euros, network: 'lightning' })).toEqual(answer);
    const wanted = isAsked ? [request] : [];
    expect(sent.map(({ method, url, body = '' }) => ({ method, path: url.slice(baseUrl.length), body: JSON.parse(body) as unknown }))).toEqual(wanted);
  });
});

const payoutTo: PayoutTo = { kind: 'node_pubkey', value: '02e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad', isProven: true };
const order = { orderId: 'ours', upstreamOrderId: 'Q7hK2mPx9LtR4vWz8', createdOn: 0, pay: 10_000n, receive: 123_137n, fee: 149n, upstream: {}, facts: {} };
const placed: [string, object][] = [
  [
    'buy-order',
    {
      ok: true,
      value: {
        pay: 10_000n,
        receive: 123_137n,
        upstreamOrderId: 'Q7hK2mPx9LtR4vWz8',
        paymentInfo: { paymentDetails: { provider_reference: 'ABCD-EFGH-IJKL' } },
      },
    },
  ],
  ['buy-order-invalid', refused({ reason: 'kyc-required', detail: 'KycRequired' })],
];
const read: [string, object[]][] = [
  ['transaction-waiting', [{ stage: 'awaiting_payment', pay: 10_000n, rawStatus: 'WaitingForPayment' }]],
  ['transaction-completed', [{ stage: 'finished', pay: 10_000n, receive: 123_137n, facts: { payout_on: '2026-08-09T09:15:00.000Z' } }]],
  ['transaction-unknown', []],
];

describe('orders', () => {
  it.each(placed)('%s, after the login', async (name, answer) => {
    const { buy, sent, request } = answering(name, ['auth']);
    const quote = { ramp: 'buy', fixed: 'pay', amount: 10_000n, option: { ...euros, upstream: { method: 'Bank', currency: 2 } } } as const;
    const known = { ...context, idempotencyKey: 'our-attempt-1' };
    expect(await buy.placeOrder(known, { quote, offer: { ...offer, ...order, requires: [], warnings: [] }, inputs: { payoutTo } })).toMatchObject(answer);
    const told = sent.slice(0, 2).map(({ method, url, body = '' }) => ({ method, path: url.slice(baseUrl.length), body: JSON.parse(body) as unknown }));
    expect(told).toEqual([named('auth').request, request]);
  });
  it.each(read)('%s', async (name, answer) => {
    const { buy, sent, request } = answering(name);
    expect(await buy.readOrders(context, order)).toMatchObject({ ok: true, value: answer });
    expect(sent.map(({ method, url }) => ({ method, path: url.slice(baseUrl.length) }))).toEqual([request]);
  });
});

test('every fixture is used, the listings and orders to sell by the contract suite', () => {
  expect([...fixtures.keys()].toSorted()).toEqual(
    [...bought, ...sold, ...placed, ...read]
      .map(([name]) => name)
      .concat('assets', 'auth', 'fiats', 'sell-order')
      .toSorted(),
  );
});
