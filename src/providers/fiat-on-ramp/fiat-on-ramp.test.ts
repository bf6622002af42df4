import { describe, expect, it } from 'vitest';
import { casesOf, violations, type Subject, type Verb } from '../../../test/support/contract.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { applyRules } from '../../domain/exclusion.ts';
import { judgeOrder } from '../../domain/judge-order.ts';
import { ProviderFault } from '../fault.ts';
import type { AdapterDeps, BuyAdapter, CatalogueOption, FollowedOrder, PlacedOrder } from '../spec.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import { provider } from './index.ts';

const now = Date.UTC(2026, 10, 21, 10, 15);
const baseUrl = 'https://provider.example';
const sessionId = 'd7ef9a88-1ca1-4ac8-bc9e-da3d9824cdc5';
const blob = JSON.stringify({ sessionId, expiresOn: now + 600_000 });
const option: CatalogueOption = { currency: 'EUR', name: 'SEPA', upstream: { currency_id: 1, id: 3 }, feePpm: 9000, minFiat: 1000n, maxFiat: 100_000n };
const quoteReply = {
  quote_id: '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6',
  amount_fiat: 10_000,
  currency_id: 1,
  payment_option_id: 3,
  amount_sats: 107_952,
  is_estimate: false,
  btc_price: 9_180_000,
  order_fee: 90,
  expires_on: '2026-11-24T10:15:00.715Z',
};
const offer: ProviderOffer = {
  pay: 10_000n,
  receive: 107_952n,
  fee: 90n,
  binding: true,
  expiresOn: Date.parse('2026-11-24T10:15:00.715Z'),
  upstream: { quote_id: quoteReply.quote_id },
  facts: { currency: 'EUR', provider_btc_price: '9180000' },
  echo: { currency: 'EUR', option: 'SEPA' },
  requires: [],
  warnings: [],
};
const orderId = '3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11';
const details = { provider_iban: 'DE89370400440532013000', payment_reference: 'ALP-4F7K2' };
const orderReply = {
  order_id: orderId,
  order_status: 'placed',
  amount_fiat: 10_000,
  currency_id: 1,
  payment_option_id: 3,
  amount_sats: 107_952,
  expires_on: '2026-11-24T10:15:00.715Z',
  payment_info: { payment_option_id: 3, payment_details: details },
};
const placed: PlacedOrder = {
  upstreamOrderId: orderId,
  stage: 'awaiting_payment',
  rawStatus: 'placed',
  pay: 10_000n,
  receive: 107_952n,
  fee: 90n,
  expiresOn: Date.parse('2026-11-24T10:15:00.715Z'),
  paymentInfo: { kind: 'fiat', paymentDetails: details },
  echo: { currency: 'EUR', option: 'SEPA' },
};
const followed: FollowedOrder = {
  orderId: 'ours',
  upstreamOrderId: orderId,
  createdOn: now,
  pay: 10_000n,
  receive: 107_952n,
  fee: 90n,
  upstream: {},
  facts: { currency: 'EUR' },
};

const verbs: Verb<BuyAdapter>[] = [
  {
    name: 'beginSession',
    call: (adapter, context) => adapter.beginSession(context),
    reply: { session_id: sessionId, expires_on: '2026-11-21T10:25:00.000Z' },
    sent: { method: 'GET', path: '/verify' },
    returned: {
      ok: true,
      value: { expiresOn: Date.parse('2026-11-21T10:25:00.000Z') },
      customer: JSON.stringify({ sessionId, expiresOn: Date.parse('2026-11-21T10:25:00.000Z') }),
    },
    required: ['session_id'],
    optional: ['expires_on'],
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 404: 'refusal' },
  },
  {
    name: 'openSession',
    call: (adapter, context) => adapter.openSession(context, { signature: 'sig', nodePubkey: '02ab' }),
    reply: { session_id: sessionId, expires_on: '2026-11-21T11:15:00.000Z' },
    sent: { method: 'POST', path: '/session', body: { session_id: sessionId, signature: 'sig', node_pubkey: '02ab' } },
    returned: {
      ok: true,
      value: { expiresOn: Date.parse('2026-11-21T11:15:00.000Z') },
      customer: JSON.stringify({ sessionId, expiresOn: Date.parse('2026-11-21T11:15:00.000Z') }),
    },
    required: [],
    optional: ['session_id', 'expires_on'],
    stringReply: 'malformed',
    clientErrors: { 401: 'refusal', 403: 'refusal' },
  },
  {
    name: 'quote',
    call: (adapter, context) => adapter.quote(context, { ramp: 'buy', fixed: 'pay', amount: 10_000n, option }),
    reply: quoteReply,
    sent: { method: 'POST', path: '/quote', body: { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 3 } },
    returned: { ok: true, value: offer },
    required: ['quote_id', 'amount_fiat', 'amount_sats'],
    optional: ['is_estimate', 'expires_on', 'btc_price', 'order_fee', 'currency_id', 'payment_option_id'],
    money: {
      fields: ['amount_fiat', 'amount_sats'],
      believed: (value) => {
        const answer = value as { ok: true; value: ProviderOffer };
        const terms = { haircutBps: 50, preferenceBps: 0, named: { currency: 'EUR', option: 'SEPA' }, limits: { minPay: 1000n, maxPay: 100_000n } };
        const policy = {
          outlierBps: 1000,
          toleranceBps: 200,
          indicativeHaircutBps: 50,
          reference: { btcPrice: 9_180_000n, maxDeviationBps: 1000, observedOn: now },
        };
        return (
          applyRules(
            { ramp: 'buy', fixed: 'pay', amount: 10_000n, currency: 'EUR', option: 'SEPA' },
            [{ providerId: 'x', offer: answer.value, terms, latencyMs: 1 }],
            policy,
            now,
          ).accepted.length > 0
        );
      },
    },
    stringReply: 'refusal',
    clientErrors: { 400: 'refusal', 404: 'refusal', 409: 'refusal', 422: 'refusal' },
  },
  {
    name: 'placeOrder',
    call: (adapter, context) =>
      adapter.placeOrder(context, {
        quote: { ramp: 'buy', fixed: 'pay', amount: 10_000n, option },
        offer,
        inputs: {},
        noticeUrl: 'https://gateway.example/n/1',
      }),
    reply: orderReply,
    sent: { method: 'POST', path: '/order', body: { session_id: sessionId, quote_id: quoteReply.quote_id, webhook_url: 'https://gateway.example/n/1' } },
    returned: { ok: true, value: placed },
    required: ['order_id'],
    optional: ['order_status', 'amount_fiat', 'amount_sats', 'currency_id', 'payment_option_id', 'expires_on', 'payment_info'].filter(
      (field) => field !== 'amount_sats',
    ),
    money: {
      fields: ['amount_fiat', 'amount_sats'],
      believed: (value) =>
        judgeOrder({ pay: 10_000n, receive: 107_952n, binding: true }, (value as { value: PlacedOrder }).value, { slippageBps: 100 }) === 'as-accepted',
    },
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 404: 'refusal', 409: 'malformed', 410: 'refusal', 422: 'refusal', 408: 'malformed' },
  },
  {
    name: 'readOrders',
    call: (adapter, context) => adapter.readOrders(context, followed),
    reply: {
      [orderId]: {
        amount_fiat: 10_000,
        currency_id: 1,
        payment_option_id: 3,
        amount_sats: 107_952,
        btc_price: 9_180_000,
        order_fee: 90,
        order_status: 'filled',
        order_status_date: '2026-11-21T10:16:00.203Z',
      },
    },
    sent: { method: 'POST', path: '/order-status', body: { session_id: sessionId, order_id: orderId } },
    returned: {
      ok: true,
      value: [
        {
          rawStatus: 'filled',
          upstreamOrderId: orderId,
          stage: 'filled',
          pay: 10_000n,
          receive: 107_952n,
          fee: 90n,
          statusOn: Date.parse('2026-11-21T10:16:00.203Z'),
        },
      ],
    },
    required: [orderId],
    optional: [],
    stringReply: 'none',
    clientErrors: { 400: 'none', 404: 'none', 401: 'server' },
  },
  {
    name: 'claim',
    call: (adapter, context) => adapter.claim(context, { order: followed, fallbackAddress: 'bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj' }),
    reply: { order_id: orderId, withdrawal_expiration_date: '2026-11-21T11:00:00.000Z', lnurlw: encodeLnurl('https://pay.provider.example/w/1') },
    sent: {
      method: 'POST',
      path: '/withdrawal',
      body: { session_id: sessionId, order_id: orderId, failback_onchain: 'bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj' },
    },
    returned: { ok: true, value: { lnurl: encodeLnurl('https://pay.provider.example/w/1'), expiresOn: Date.parse('2026-11-21T11:00:00.000Z') } },
    required: ['lnurlw'],
    optional: ['withdrawal_expiration_date', 'order_id'],
    stringReply: 'refusal',
    clientErrors: { 400: 'refusal', 404: 'refusal', 409: 'refusal' },
  },
];

const adapterOf = (deps: AdapterDeps, more: object = {}): BuyAdapter => {
  const { buy } = provider.create(deps, provider.settings.parse({ base_url: baseUrl, ...more }));
  if (!buy) throw new Error('no buy');
  return buy;
};
const subject: Subject<BuyAdapter> = { create: (deps) => adapterOf(deps), deps: {}, context: { customer: blob }, baseUrl };

describe.each(verbs)('contract: $name', (verb) => {
  it(`keeps all of its ${casesOf(verb).length} cases`, async () => {
    expect(casesOf(verb).length).toBeGreaterThanOrEqual(20);
    expect(await violations(subject, verb)).toEqual([]);
  });
});

/** Each breaks one promise; the suite has to notice. */
const mutants: [string, (deps: AdapterDeps) => AdapterDeps][] = [
  ['forgets the abort', (deps) => ({ ...deps, http: (request) => deps.http({ ...request, signal: new AbortController().signal }) })],
  ['lifts the byte cap', (deps) => ({ ...deps, http: async (request) => await deps.http(Object.assign(request, { maxBytes: Infinity })) })],
  [
    'swallows faults',
    (deps) => ({ ...deps, http: async (request) => await deps.http(request).catch(() => ({ status: 404, headers: {}, body: new Uint8Array() })) }),
  ],
  [
    'follows redirects',
    (deps) => ({
      ...deps,
      http: async (request) => {
        const answer = await deps.http(request);
        return answer.status === 307 ? await deps.http({ ...request, url: answer.headers['location'] ?? '' }) : answer;
      },
    }),
  ],
  ['takes errors for answers', (deps) => ({ ...deps, http: async (request) => ({ ...(await deps.http(request)), status: 200 }) })],
  [
    'takes HTML for JSON',
    (deps) => ({
      ...deps,
      http: async (request) => {
        const answer = await deps.http(request);
        return answer.headers['content-type'] === 'text/html'
          ? { ...answer, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode('{}') }
          : answer;
      },
    }),
  ],
  [
    'forgets Retry-After',
    (deps) => ({ ...deps, http: async (request) => ({ ...(await deps.http(request)), headers: { 'content-type': 'application/json' } }) }),
  ],
  ['sends something else', (deps) => ({ ...deps, http: async (request) => await deps.http(Object.assign(request, { url: `${request.url}?x=1` })) })],
  [
    'turns every fault into "certainly not taken"',
    (deps) => ({
      ...deps,
      http: async (request) =>
        await deps.http(request).catch((error: unknown) => {
          throw new ProviderFault(error instanceof ProviderFault ? error.kind : 'server', 'x', { taken: 'no' });
        }),
    }),
  ],
  [
    'reads another amount than was answered',
    (deps) => ({
      ...deps,
      http: async (request) => {
        const answer = await deps.http(request);
        const text = new TextDecoder().decode(answer.body);
        return {
          ...answer,
          body: new TextEncoder().encode(
            text.replaceAll(/"amount_(sats|fiat)":(-?\d+|"[^"]*"|true)/g, '"amount_$1":10000').replaceAll('"amount_sats":10000', '"amount_sats":107952'),
          ),
        };
      },
    }),
  ],
];
it.each(mutants)('the suite notices an adapter that %s', async (_name, mutate) => {
  const broken = await Promise.all(verbs.map((verb) => violations({ ...subject, create: (deps) => adapterOf(mutate(deps)) }, verb)));
  expect(broken.flat().length).toBeGreaterThan(0);
});

describe('dialects', () => {
  const asked: { url: string; body: unknown }[] = [];
  const answering = (answers: unknown[], settings: object) => {
    asked.length = 0;
    const left = [...answers];
    return adapterOf(
      {
        providerId: 'x',
        now: () => now,
        newId: () => sessionId,
        log: () => undefined,
        network: 'regtest',
        mode: 'sandbox',
        secret: () => undefined,
        http: (request) => {
          asked.push({ url: request.url, body: request.body === undefined ? undefined : (JSON.parse(request.body) as unknown) });
          return Promise.resolve({
            status: 200,
            headers: { 'content-type': 'application/json' },
            body: new TextEncoder().encode(JSON.stringify(left.shift())),
          });
        },
      },
      settings,
    );
  };
  const context = { signal: new AbortController().signal, requestId: 'r', customer: blob };

  it('fee added: asks for less, corrects once, and tells the total', async () => {
    const first = { ...quoteReply, amount_fiat: 9910, order_fee: 100 };
    const second = { ...quoteReply, amount_fiat: 9900, order_fee: 99 };
    const answer = await answering([first, second], { fee_style: 'added' }).quote(context, { ramp: 'buy', fixed: 'pay', amount: 10_000n, option });
    expect(asked.map((one) => (one.body as { amount_fiat: number }).amount_fiat)).toEqual([9910, 9900]);
    expect(answer).toMatchObject({ ok: true, value: { pay: 9999n, fee: 99n } });
    const hopeless = await answering([first, { ...second, order_fee: 200 }], { fee_style: 'added' }).quote(context, {
      ramp: 'buy',
      fixed: 'pay',
      amount: 10_000n,
      option,
    });
    expect(hopeless).toEqual({ ok: false, refusal: { reason: 'fee-unresolved' } });
  });

  it('before 2024: amount_btc in sats, a prefix, floats, object currencies, two feature objects', async () => {
    const settings = { sats_field: 'amount_btc', path_prefix: '/ALJAZ/fiatlink/1.0.0' };
    const { amount_sats: _, ...old } = quoteReply;
    const quote = await answering([{ ...old, amount_btc: 107_952.0000001, is_estimate: 'false' }], settings).quote(context, {
      ramp: 'buy',
      fixed: 'receive',
      amount: 107_952n,
      option,
    });
    expect(asked[0]).toEqual({
      url: `${baseUrl}/ALJAZ/fiatlink/1.0.0/quote`,
      body: { session_id: sessionId, amount_btc: 107_952, currency_id: 1, payment_option_id: 3 },
    });
    expect(quote).toMatchObject({ value: { receive: 107_952n, binding: true } });
    const listing = await answering(
      [
        { supported_features: [{ quotes: true }, { quotes: false, estimates: 'true' }] },
        { currencies: { eur: { currency_id: 0, payment_options: [{ option: 'SEPA', id: 0, fee_rate: 0.005, min_amount: '1000' }] } } },
      ],
      settings,
    ).catalogue(context);
    expect(listing).toEqual({
      ok: true,
      value: {
        features: { quotes: true, estimates: true, on_chain_fallback: false, webhook: false },
        options: [{ currency: 'EUR', name: 'SEPA', upstream: { currency_id: 0, id: 0 }, feePpm: 5000, minFiat: 1000n }],
      },
    });
  });

  it('a currency whose exponent is not 2 is offered only when its units are stated', async () => {
    const yen = {
      currencies: [
        { jpy: { currency_id: 7, currency_code: 'JPY', payment_options: [{ option: 'Bank', id: 1, fee_rate: 0.01, min_amount: 1000, max_amount: 9000 }] } },
      ],
    };
    const features = { supported_features: [] };
    expect(await answering([features, yen], {}).catalogue(context)).toMatchObject({ value: { options: [] } });
    const stated = await answering([features, yen], { minor_units: 'iso4217' }).catalogue(context);
    expect(stated).toMatchObject({ value: { options: [{ minFiat: 100_000n, maxFiat: 900_000n }] } });
  });

  it('every shape of a status answer', async () => {
    const entry = { order_status: 'FILLED', amount_sats: 5 };
    for (const answer of [{ [orderId]: entry }, [{ order_id: orderId, ...entry }], { order_id: orderId, ...entry }]) {
      expect(await answering([answer], {}).readOrders(context, followed)).toMatchObject({
        value: [{ upstreamOrderId: orderId, stage: 'filled', receive: 5n }],
      });
    }
    for (const none of [{}, [], null, { message: 'not found' }, 'Something went wrong'])
      expect(await answering([none], {}).readOrders(context, followed)).toEqual({ ok: true, value: [] });
    expect(await answering([{ [orderId]: { order_status: 'in_progress' } }], {}).readOrders(context, followed)).toMatchObject({
      value: [{ rawStatus: 'in_progress' }],
    });
  });

  it('a provider that demands proof against its block is refused and named', async () => {
    expect(await answering([{ session_id: sessionId, token: 'yyq6qpj2a', expires_on: null }], {}).beginSession(context)).toMatchObject({
      ok: false,
      refusal: { reason: 'proof-required' },
    });
    expect(await answering([{ session_id: sessionId, token: 'yyq6qpj2a' }], { proof: 'demanded' }).beginSession(context)).toMatchObject({
      ok: true,
      value: { token: 'yyq6qpj2a' },
    });
  });
});
