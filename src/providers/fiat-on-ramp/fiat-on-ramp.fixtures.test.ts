/**
 * Runs every fixture of __fixtures__ through the adapter, which must send exactly that request and map the response as stated here. The
 * simulator answers the document's requests in the shape of the document's responses, so that neither drifts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readFixtures } from '../../../test/support/fixtures.ts';
import { ProviderFault } from '../fault.ts';
import type { AdapterDeps, ClaimingBuyer, CallContext, CatalogueOption, FollowedOrder } from '../spec.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from './fiat-on-ramp.simulator.ts';
import { provider } from './index.ts';

const { fixtures, named } = readFixtures(import.meta.url, { method: z.enum(['GET', 'POST']) }, { headers: z.record(z.string(), z.string()).optional() });
type Fixture = ReturnType<typeof named>;

const baseUrl = 'https://provider.example';
const sessionId = 'd7ef9a88-1ca1-4ac8-bc9e-da3d9824cdc5';
const id = '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6';
const printed = Date.UTC(2023, 8, 20, 0, 25, 11, 123);
const expiresOn = Date.UTC(2026, 10, 21, 10, 20, 0, 123);
const lnurl = 'LNURL1DP68GURN8GHJ7URP0YH8QUN0WE5KGETJ9EJHSCTDWPKX2TMH9UCSAQLZ3D';

const euros: CatalogueOption = { currency: 'EUR', name: 'SEPA', upstream: { currency_id: 1, id: 1 }, feePpm: 5000 };
const signet: CatalogueOption = { currency: 'SIGNET BTC', name: 'Signet BTC', upstream: { currency_id: 0, id: 0 }, feePpm: 0 };
const buying = { ramp: 'buy', fixed: 'pay', amount: 100_000n, option: euros } as const;
const offer: ProviderOffer = {
  pay: 100_000n,
  receive: 800_000n,
  fee: 1234n,
  binding: true,
  expiresOn: printed,
  upstream: { quote_id: id },
  facts: { currency: 'EUR', provider_btc_price: '6942000' },
  echo: { currency: 'EUR', option: 'SEPA' },
  requires: [],
  warnings: [],
};
const placed = {
  upstreamOrderId: id,
  stage: 'awaiting_payment',
  rawStatus: 'placed',
  pay: 100_000n,
  receive: 800_000n,
  fee: 1234n,
  expiresOn: printed,
  echo: { currency: 'EUR', option: 'SEPA' },
};
const finished = { upstreamOrderId: id, stage: 'finished', rawStatus: 'finished', pay: 100_000n, receive: 800_000n, fee: 1234n, statusOn: printed };
const followed: FollowedOrder = {
  orderId: 'ours',
  upstreamOrderId: id,
  createdOn: 0,
  pay: 100_000n,
  receive: 800_000n,
  fee: 1234n,
  upstream: {},
  facts: { currency: 'EUR' },
};
const bank = { provider_name: 'string', provider_address: 'string', provider_bank: 'string', provider_country: 'string', provider_bic: 'string' };
const old = { path_prefix: '/ALJAZ/fiatlink/1.0.0', sats_field: 'amount_btc' };
const blob = (more: object): string => JSON.stringify({ sessionId, ...more });
const fallbackAddress = 'bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj';
const [good, refused] = [(value: unknown) => ({ ok: true, value }), { ok: false, refusal: { reason: 'declined' } }];

type Call = (adapter: ClaimingBuyer, context: CallContext) => Promise<unknown>;
const verify: Call = (adapter, context) => adapter.beginSession(context);
const listing: Call = (adapter, context) => adapter.catalogue(context);
const price: Call = (adapter, context) => adapter.quote(context, buying);
const place = (option: CatalogueOption, noticeUrl?: string): Call => {
  const request = { quote: { ...buying, option }, offer, inputs: {}, ...(noticeUrl === undefined ? {} : { noticeUrl }) };
  return (adapter, context) => adapter.placeOrder(context, request);
};
const read: Call = (adapter, context) => adapter.readOrders(context, followed);
const claim =
  (more: object): Call =>
  (adapter, context) =>
    adapter.claim(context, { order: followed, ...more });
const byId = (upstreamId: number): CatalogueOption => ({ ...euros, upstream: { currency_id: 1, id: upstreamId } });
const webhook = 'https://webhook.example.com/';
const feature = (more: object) => ({ quotes: true, estimates: true, on_chain_fallback: true, webhook: true, ...more });
const listed = (currency: string, currencyId: number) => (name: string, optionId: number, feePpm: number, minFiat: bigint) => ({
  currency,
  name,
  upstream: { currency_id: currencyId, id: optionId },
  feePpm,
  minFiat,
  maxFiat: 100_000n,
});
const [eur, chf] = [listed('EUR', 1), listed('CHF', 2)];

/** What the adapter returns for each request and response: an answer, or the kind of fault. */
const cases: Record<string, { call: Call; makes: unknown; settings?: object }> = {
  features: { call: listing, makes: good({ features: feature({ on_chain_fallback: false }), options: [] }), settings: { options: [] } },
  verify: {
    call: verify,
    makes: { ...good({ expiresOn: printed, token: 'yyq6qpj2a' }), customer: blob({ expiresOn: printed, token: 'yyq6qpj2a' }) },
    settings: { proof: 'demanded' },
  },
  'verify-without-token': { call: verify, makes: { ...good({ expiresOn }), customer: blob({ expiresOn }) } },
  session: {
    call: (adapter, context) => {
      const { signature, node_pubkey: nodePubkey } = named('session').request.body as { signature: string; node_pubkey: string };
      return adapter.openSession(context, { signature, nodePubkey });
    },
    makes: { ...good({ expiresOn: printed }), customer: blob({ expiresOn: printed }) },
  },
  'payment-options': {
    call: listing,
    makes: good({
      features: feature({ on_chain_fallback: false }),
      options: [
        eur('SEPA', 1, 5000, 1000n),
        eur('SEPA Instant', 2, 10_000, 1000n),
        eur('Credit card', 3, 50_000, 2500n),
        chf('Bank transfer', 5, 10_000, 10n),
        chf('Credit card', 6, 50_000, 10n),
      ],
    }),
  },
  'payment-options-one': {
    call: listing,
    makes: good({
      features: feature({ on_chain_fallback: false }),
      options: [eur('Revolut', 1, 10_000, 1000n), eur('Sepa Instant', 2, 10_000, 1000n), eur('Credit card', 3, 10_000, 1000n)],
    }),
  },
  'quote-fiat': { call: price, makes: good(offer) },
  'quote-sats': { call: (adapter, context) => adapter.quote(context, { ...buying, fixed: 'receive', amount: 5_000_000n }), makes: good(offer) },
  'order-details': {
    call: place(euros, webhook),
    makes: good({ ...placed, paymentInfo: { kind: 'fiat', paymentDetails: { provider_iban: 'string', ...bank } } }),
  },
  'order-url': { call: place(byId(3), webhook), makes: good({ ...placed, paymentInfo: { kind: 'fiat', paymentUrl: 'url' } }) },
  'order-both': {
    call: place(byId(5), webhook),
    makes: good({ ...placed, paymentInfo: { kind: 'fiat', paymentUrl: 'url', paymentDetails: { provider_accountnumber: 'string', ...bank } } }),
  },
  'order-status': { call: read, makes: good([finished]) },
  'order-status-all': {
    call: (adapter, context) => adapter.readOrders(context),
    makes: good([finished, { ...finished, upstreamOrderId: '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f0333a' }]),
  },
  'withdrawal-placeholder': { call: claim({ fallbackAddress }), makes: 'malformed' },
  withdrawal: { call: claim({ fallbackAddress }), makes: good({ lnurl, expiresOn: Date.UTC(2026, 10, 21, 10, 45, 0, 123) }) },
  'flask-features': { call: listing, makes: good({ features: feature({}), options: [] }), settings: { ...old, options: [] } },
  'flask-verify': {
    call: verify,
    makes: {
      ...good({ expiresOn: Date.UTC(2026, 10, 21, 11, 15, 0, 123), token: 'yyq6qpj2a' }),
      customer: blob({ expiresOn: Date.UTC(2026, 10, 21, 11, 15, 0, 123), token: 'yyq6qpj2a' }),
    },
    settings: { ...old, proof: 'demanded' },
  },
  'flask-payment-options': {
    call: listing,
    makes: good({ features: feature({}), options: [listed('SIGNET BTC', 0)('Signet BTC', 0, 0, 1000n)] }),
    settings: old,
  },
  'flask-quote': {
    call: (adapter, context) => adapter.quote(context, { ...buying, fixed: 'receive', amount: 5000n, option: signet }),
    makes: good({
      ...offer,
      pay: 5000n,
      receive: 5000n,
      fee: 0n,
      expiresOn,
      facts: { currency: 'SIGNET BTC', provider_btc_price: '100000000' },
      echo: { currency: 'SIGNET BTC', option: 'Signet BTC' },
    }),
    settings: old,
  },
  'flask-quote-error': { call: (adapter, context) => adapter.quote(context, { ...buying, option: signet }), makes: refused, settings: old },
  'flask-order': {
    call: place(signet),
    makes: good({
      ...placed,
      pay: 5000n,
      receive: 5000n,
      expiresOn,
      paymentInfo: { kind: 'fiat', paymentUrl: 'https://provider.example/pay/1' },
      echo: { currency: 'SIGNET BTC', option: 'Signet BTC' },
    }),
    settings: old,
  },
  'flask-order-again': { call: place(signet), makes: 'malformed', settings: old },
  'flask-order-status': {
    call: read,
    makes: good([{ upstreamOrderId: id, stage: 'awaiting_payment', rawStatus: 'placed', pay: 5000n, receive: 5000n, expiresOn }]),
    settings: old,
  },
  'flask-order-status-unknown': { call: read, makes: good([]), settings: old },
  'flask-withdrawal': { call: claim({}), makes: 'malformed', settings: old },
  'draft-order-status': { call: read, makes: good([{ upstreamOrderId: id, stage: 'filled', rawStatus: 'Filled', pay: 100_000n, receive: 800_000n }]) },
  'error-problem': { call: price, makes: refused },
  'error-node-stub': { call: claim({ fallbackAddress }), makes: refused },
  'error-session-over': { call: price, makes: { ok: false, refusal: { reason: 'busy' }, customer: '' } },
};

/** Simulates a provider that answers this one request, and /features in the same dialect. */
const replay = (exchange: Fixture, features: Fixture, sent: unknown[]): AdapterDeps['http'] => {
  return (request) => {
    const path = request.url.slice(baseUrl.length);
    const { response } = path === exchange.request.path ? exchange : features;
    if (response === exchange.response)
      sent.push({ method: request.method, path, ...(request.body === undefined ? {} : { body: JSON.parse(request.body) as unknown }) });
    const body = new TextEncoder().encode(JSON.stringify(response.body));
    return Promise.resolve({ status: response.status, headers: { 'content-type': 'application/json', ...response.headers }, body });
  };
};

it('every exchange is played', () => {
  expect(Object.keys(cases).sort()).toEqual([...fixtures.keys()].sort());
});

it.each([...fixtures])('%s', async (name, exchange) => {
  const known = cases[name];
  if (!known) throw new Error(`nothing says what ${name} means`);
  const { call, makes, settings } = known;
  const sent: unknown[] = [];
  const deps: AdapterDeps = {
    providerId: 'x',
    http: replay(exchange, named(name.startsWith('flask') ? 'flask-features' : 'features'), sent),
    // One second before the expiry in the document's example.
    now: () => printed - 1000,
    newId: () => id,
    log: () => undefined,
    network: 'regtest',
    mode: 'sandbox',
    secret: () => undefined,
  };
  const { buy } = provider.create(deps, provider.settings.parse({ base_url: baseUrl, ...settings }));
  const context = { signal: new AbortController().signal, requestId: 'r', customer: blob({ expiresOn: printed }) };
  const made = buy?.claim ? await call(buy, context).catch((error: unknown) => (error instanceof ProviderFault ? error.kind : error)) : undefined;
  expect(made).toEqual(makes);
  expect(sent).toEqual([exchange.request]);
});

/**
 * Returns the shape of a value: its members and their types at every depth. Keys of `currencies` and of a map of orders are ids, so any key will do.
 */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    const keyed = members.every(([key, member]) => typeof member === 'object' && member !== null && /^(?:[a-z]{3}|[0-9a-f-]{36})$/.test(key));
    return keyed ? { id: shapeOf(members[0]?.[1]) } : Object.fromEntries(members.map(([key, member]) => [key, shapeOf(member)]));
  }
  if (typeof value !== 'string') return typeof value;
  return /^\d{4}-\d{2}-\d{2}T[\d:]+\.\d{3}Z$/.test(value) ? 'time' : /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) ? 'uuid' : 'text';
};

describe('the simulator answers in the shape of', () => {
  let simulator: RunningSimulator;
  const ids = { session_id: '', quote_id: '', order_id: '' };
  beforeAll(async () => {
    simulator = await startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 600 });
  });
  afterAll(async () => await simulator.close());

  /** Sends the fixture's request, unchanged except for ids that only the simulator knows. */
  const send = async (name: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const { method, path, body } = named(name).request;
    const known = Object.fromEntries(Object.entries(ids).filter(([key]) => body && key in body));
    const response = await fetch(`${simulator.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify({ ...body, ...known, ...('webhook_url' in body ? { webhook_url: undefined } : {}) }) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const same = async (name: string, differs: object = {}): Promise<Record<string, unknown>> => {
    const { response } = named(name);
    const answer = await send(name);
    expect([name, answer.status, shapeOf(answer.body)]).toEqual([name, response.status, { ...(shapeOf(response.body) as object), ...differs }]);
    return answer.body;
  };

  it('a purchase, from its features to its withdrawal', async () => {
    await same('features');
    ids.session_id = String((await same('verify-without-token'))['session_id']);
    // The simulator echoes an app_id only when one was sent.
    const opened = await send('session');
    expect(shapeOf({ ...opened.body, app_id: id })).toEqual(shapeOf(named('session').response.body));
    await same('payment-options');
    ids.quote_id = String((await same('quote-fiat'))['quote_id']);
    const info = {
      payment_option_id: 'number',
      payment_details: { provider_iban: 'text', provider_bic: 'text', provider_name: 'text', provider_country: 'text', payment_reference: 'text' },
    };
    ids.order_id = String((await same('order-details', { payment_info: info }))['order_id']);
    await same('order-status');
    await same('order-status-all');
    await simulator.control.pay(ids.order_id);
    await same('withdrawal');
  });
  it('a quote in sats, and proof of ownership', async () => {
    expect((await same('quote-sats'))['amount_sats']).toBe(5_000_000);
    simulator.control.options.proof = 'demanded';
    await same('verify');
  });
});
