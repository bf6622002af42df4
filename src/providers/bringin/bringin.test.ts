import { describe, expect, it } from 'vitest';
import { casesOf, onNodeOnly, violations, type Subject, type Verb } from '../../../test/support/contract.ts';
import { sellingWithAccounts } from '../../../test/support/selling-with-accounts.ts';
import { httpMutants, overHttp, rewriting, type HttpMutant } from '../../../test/support/http-mutants.ts';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { applyRules } from '../../domain/exclusion.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import type { AdapterDeps, CatalogueOption, ConnectionState, FollowedOrder } from '../spec.ts';
import type { BringinAdapter } from './bringin-adapter.ts';
import { provider } from './index.ts';

const now = Date.UTC(2026, 10, 21, 10, 15);
const baseUrl = 'https://dev.bringin.xyz';
const key = 'pk_test_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
const customer = { status: 'connected', email: 'alice@example.com', ref: '550e8400-e29b-41d4-a716-446655440000', key, userId: 'u-1' } as const;
const context = { customer: JSON.stringify(customer), customerIp: '203.0.113.7', idempotencyKey: 'fc299b2f-036f-44a1-a9c3-fefee81ec47a' };
const block = { base_url: `${baseUrl}/`, master_key_env: 'MASTER', lightning_hosts: ['dev.bringin.xyz'] };
const adapterOf = (deps: AdapterDeps, more: object = {}): BringinAdapter =>
  sellingWithAccounts(provider.create(deps, provider.settings.parse({ ...block, ...more })));
const subject: Subject<BringinAdapter> = { create: adapterOf, deps: { secret: (name) => (name === 'MASTER' ? 'master' : undefined) }, context, baseUrl };

const card: CatalogueOption = { currency: 'EUR', name: 'Card balance', upstream: { rail: 'card' }, feePpm: 10_000, minFiat: 2_200n };
const request = { ramp: 'sell', fixed: 'pay', amount: 250_000n, option: card, network: 'lightning' } as const;
const offer: ProviderOffer = {
  pay: 250_000n,
  receive: 22_720n,
  fee: 230n,
  binding: false,
  upstream: { rail: 'card', network: 'lightning' },
  facts: { provider_btc_price: '9180000', delivered_to: 'card_balance', matched_by: 'order_id' },
  echo: { currency: 'EUR' },
  requires: [],
  warnings: [],
};
const orderId = '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6';
const invoice = encodeInvoice({
  network: 'regtest',
  amountMsat: 250_000_000n,
  timestamp: now / 1000,
  expirySeconds: 900,
  paymentHash: '01'.repeat(32),
  paymentSecret: '02'.repeat(32),
  description: 'Top up',
  payeePrivateKey: '11'.repeat(32),
});
const row = {
  orderId,
  type: 'OFFRAMP_WITHOUT_FIAT_WITHDRAWAL',
  subType: 'LIGHTNING',
  sourceAmount: '250000',
  sourceCurrency: 'BTC',
  destinationAmount: '22720',
  destinationCurrency: 'EUR',
  status: 'SUCCESSFUL',
  createdAt: '2026-11-21T10:16:00.000Z',
};
const followed: FollowedOrder = {
  orderId: 'ours',
  upstreamOrderId: orderId,
  createdOn: now,
  pay: 250_000n,
  receive: 22_720n,
  fee: 230n,
  upstream: offer.upstream,
  facts: {},
};
const connection: ConnectionState = {
  upstreamId: 'l-1',
  name: 'Savings',
  direction: 'sell',
  network: 'lightning',
  status: 'initiating',
  upstream: {},
  iban: 'DE89370400440532013000',
};
const since = now - 15 * 60_000;

const rates = { ticker: 'BTCEUR', price: '91800.00', bringinPrice: '90882.00', currency: 'EUR', timestamp: 1_795_256_100_000 };

/** A refused user key is never the provider's fault: the customer must reconnect. */
const userErrors = { 401: 'refusal', 403: 'refusal' } as const;

const verbs: Verb<BringinAdapter>[] = [
  {
    name: 'quote',
    call: (adapter, call) => adapter.quote(call, request),
    reply: rates,
    sent: { method: 'POST', path: '/api/v0/offramp/rates', body: { ticker: 'BTCEUR' } },
    returned: { ok: true, value: offer },
    required: ['ticker', 'price', 'bringinPrice', 'currency'],
    optional: ['timestamp'],
    money: {
      fields: ['price', 'bringinPrice'],
      believed: (value) => {
        const asked = { ramp: 'sell', fixed: 'pay', amount: 250_000n, currency: 'EUR', option: 'Card balance' } as const;
        const reference = { btcPrice: 9_180_000n, maxDeviationBps: 300, observedOn: now };
        const candidate = { providerId: 'x', offer: (value as { value: ProviderOffer }).value, terms: { haircutBps: 0, preferenceBps: 0 }, latencyMs: 1 };
        return (
          applyRules(asked, [candidate], { version: 2, outlierBps: 1000, toleranceBps: 200, indicativeHaircutBps: 50, reference }, now).accepted.length > 0
        );
      },
    },
    stringReply: 'malformed',
    clientErrors: { 400: 'malformed', 401: 'rejected-credentials', 403: 'rejected-credentials', 404: 'malformed' },
  },
  {
    name: 'placeOrder',
    call: (adapter, call) => adapter.placeOrder(call, { quote: request, offer, inputs: {} }),
    reply: { id: orderId, amount: '250000', invoice, expiresAt: now + 900_000 },
    sent: {
      method: 'POST',
      path: '/api/v0/offramp/order',
      body: { sourceAmount: '250000', ipAddress: '203.0.113.7', paymentMethod: 'LIGHTNING', sourceId: `${context.idempotencyKey}.1` },
    },
    others: { '/api/v0/offramp/rates': rates },
    returned: {
      ok: true,
      value: {
        stage: 'awaiting_payment',
        pay: 250_000n,
        receive: 22_720n,
        fee: 230n,
        facts: { provider_btc_price: '9180000', delivered_to: 'card_balance' },
        paymentInfo: { kind: 'invoice', value: invoice, amountSats: 250_000n },
        upstreamOrderId: orderId,
        expiresOn: now + 900_000,
        matchedBy: 'order_id',
      },
    },
    required: ['id', 'invoice'],
    // If they are missing, both are taken from the invoice.
    optional: ['amount', 'expiresAt'],
    money: { fields: ['amount', 'expiresAt'], believed: () => true },
    stringReply: 'malformed',
    clientErrors: { ...userErrors, 400: 'refusal', 404: 'refusal', 409: 'refusal', 408: 'server' },
  },
  {
    name: 'readOrders',
    call: (adapter, call) => adapter.readOrders(call, followed),
    reply: { transactions: [row, { ...row, orderId: 'another' }], number: 2, totalCount: 2 },
    sent: { method: 'POST', path: '/api/v0/account/transactions', body: { startDate: since, limit: '100', offset: '0' } },
    returned: {
      ok: true,
      value: [{ upstreamOrderId: orderId, rawStatus: 'SUCCESSFUL', stage: 'finished', pay: 250_000n, receive: 22_720n, echo: { currency: 'EUR' } }],
    },
    required: ['transactions'],
    optional: ['totalCount', 'number'],
    stringReply: 'malformed',
    clientErrors: { ...userErrors, 400: 'malformed', 404: 'malformed' },
  },
  {
    name: 'transactions',
    call: (adapter, call) => adapter.transactions(call, { since: now, limit: 10 }),
    reply: { transactions: [{ ...row, createdAt: '2026-11-21T10:14:59.999Z' }, row], number: 2, totalCount: 2 },
    sent: { method: 'POST', path: '/api/v0/account/transactions', body: { startDate: now, limit: '100', offset: '0' } },
    returned: {
      ok: true,
      value: [
        { upstreamId: orderId, rawStatus: 'SUCCESSFUL', stage: 'finished', kind: 'sell_lightning', pay: 250_000n, receive: 22_720n, createdOn: now + 60_000 },
      ],
    },
    required: ['transactions'],
    optional: ['totalCount'],
    stringReply: 'malformed',
    clientErrors: { ...userErrors, 400: 'malformed' },
  },
  {
    name: 'balance',
    call: (adapter, call) => adapter.balance(call),
    reply: { balance: '12992' },
    sent: { method: 'POST', path: '/api/v0/account/get-balance', body: { currency: 'EUR' } },
    returned: { ok: true, value: { currency: 'EUR', amountFiat: 12_992n } },
    required: ['balance'],
    optional: [],
    // A balance of 0 is possible, so if the lie is 0, the adapter may return it.
    money: { fields: ['balance'], believed: (value) => (value as { value: { amountFiat: bigint } }).value.amountFiat !== 0n },
    stringReply: 'malformed',
    clientErrors: { ...userErrors, 400: 'malformed' },
  },
  {
    name: 'startAccount',
    call: (adapter, call) => adapter.startAccount(call, { email: ' alice@example.com ', ref: customer.ref }),
    reply: { status: 'connected', userRegistered: true, isUserConnected: true, apiKey: key, userId: 'u-1' },
    sent: { method: 'POST', path: '/api/v0/application/connect', body: { email: 'alice@example.com', ref: customer.ref } },
    returned: {
      ok: true,
      value: { status: 'connected', userId: 'u-1' },
      customer: JSON.stringify(customer),
    },
    required: ['apiKey'],
    optional: ['userId', 'status'],
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 401: 'rejected-credentials', 403: 'rejected-credentials' },
  },
  {
    name: 'readAccount',
    call: (adapter, call) => adapter.readAccount({ ...call, customer: JSON.stringify({ status: 'pending', email: 'a+b@example.com' }) }),
    // If Bringin does not name the user, the adapter asks with the new key.
    reply: { status: 'connected', apiKey: key, userId: 'u-1' },
    sent: { method: 'GET', path: '/api/v0/application/connect/status?email=a%2Bb%40example.com' },
    returned: {
      ok: true,
      value: { status: 'connected', userId: 'u-1' },
      customer: JSON.stringify({ status: 'connected', email: 'a+b@example.com', key, userId: 'u-1' }),
    },
    required: ['status', 'apiKey'],
    optional: [],
    stringReply: 'malformed',
    clientErrors: { 401: 'rejected-credentials', 403: 'rejected-credentials' },
  },
  {
    name: 'adoptKey',
    call: (adapter, call) => adapter.adoptKey(call, { key: ` ${key}\n` }),
    reply: { userId: 'u-1' },
    sent: { method: 'GET', path: '/api/v0/user/user-id' },
    returned: {
      ok: true,
      value: { status: 'connected', userId: 'u-1' },
      customer: JSON.stringify(customer),
    },
    required: ['userId'],
    optional: [],
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 401: 'refusal', 403: 'refusal', 404: 'refusal' },
  },
  {
    name: 'connections.read',
    call: async (adapter, call) => await adapter.connections?.read(call, connection),
    reply: {
      bringinLink: {
        id: 'l-1',
        name: 'Savings',
        type: 'CRYPTO_TO_FIAT',
        subtype: 'LN',
        status: 'ACTIVE',
        createdAt: '2026-11-21T10:00:00.000Z',
        updatedAt: '2026-11-21T10:01:00.000Z',
      },
      standingOrder: { id: 's-1', status: 'ACTIVE', percentFeeBps: '0.01' },
      lnAddress: 'alice@dev.bringin.xyz',
      destinationIban: 'DE89370400440532013000',
    },
    sent: { method: 'GET', path: '/api/v0/bringin-link/l-1' },
    returned: {
      ok: true,
      value: {
        ...connection,
        status: 'active',
        upstream: { standingOrderId: 's-1' },
        lightningAddress: 'alice@dev.bringin.xyz',
        createdOn: Date.UTC(2026, 10, 21, 10),
      },
    },
    required: ['bringinLink'],
    optional: ['standingOrder', 'lnAddress', 'destinationIban', 'error'],
    stringReply: 'malformed',
    clientErrors: { ...userErrors, 400: 'refusal', 404: 'refusal' },
  },
];

describe.each(verbs)('contract: $name', (verb) => {
  it.each(casesOf(verb))('$name', async (one) => {
    expect(await one.violates(subject)).toBeUndefined();
  });
});

/** Broken adapters. Each breaks one promise, and the contract suite must fail for it. */
const mutants: HttpMutant[] = [
  ...httpMutants,
  overHttp("believes the market price to be the user's", rewriting(/"bringinPrice":"[^"]*"/, '"bringinPrice":"91800.00"')),
  overHttp('does not compare the amount of an order', rewriting(/"amount":[^,]+/, '"amount":"250000"')),
];
onNodeOnly(() =>
  it.each(mutants)('the suite notices an adapter that %s', async (_name, mutate) => {
    const broken = await Promise.all(verbs.map((verb) => violations({ ...subject, create: (deps) => adapterOf(mutate(deps)) }, verb)));
    expect(broken.flat().length).toBeGreaterThan(0);
  }),
);

it('has twenty cases a verb and more', () => {
  expect(Math.min(...verbs.map((verb) => casesOf(verb).length))).toBeGreaterThanOrEqual(20);
});

describe('answers that no simulator gives', () => {
  /** Makes an adapter whose server returns these answers in turn, whatever the requests are. */
  const scripted = (...answers: [status: number, body: unknown][]) => {
    const asked: string[] = [];
    const adapter = adapterOf({
      providerId: 'bringin',
      http: (sent) => {
        asked.push(`${sent.method} ${sent.url.replace(`${baseUrl}/api/v0`, '')}`);
        const [status, body] = answers.shift() ?? [500, {}];
        return Promise.resolve({ status, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(JSON.stringify(body)) });
      },
      now: () => now,
      newId: () => 'new-id',
      log: () => undefined,
      network: 'regtest',
      mode: 'sandbox',
      secret: () => 'master',
    });
    return { adapter, asked, call: { ...context, signal: new AbortController().signal, requestId: 'r' } };
  };
  const link = (status: string, id = 'l-1') => ({
    bringinLink: { id, name: 'Savings', type: 'CRYPTO_TO_FIAT', subtype: 'LN', status, createdAt: '2026-11-21T10:00:00.000Z' },
    standingOrder: { id: 's-1', status: 'ACTIVE' },
    lnAddress: 'alice@dev.bringin.xyz',
    destinationIban: 'DE89370400440532013000',
  });
  const wanted = {
    name: 'Savings',
    direction: 'sell',
    network: 'lightning',
    iban: 'DE89370400440532013000',
    bic: 'COBADEFFXXX',
    beneficiaryName: 'Alice Nakamoto',
    lightningUsername: 'alice',
  } as const;

  it('an earlier request arrives between our lookup and our own request: 409, and the connection is there', async () => {
    const { adapter, asked, call } = scripted([200, []], [409, {}], [200, [link('ACTIVE')]]);
    expect(await adapter.connections?.create(call, wanted)).toMatchObject({ ok: true, value: { upstreamId: 'l-1', status: 'active' } });
    expect(asked).toEqual(['GET /bringin-link', 'POST /bringin-link', 'GET /bringin-link']);
  });
  it.each<[string, number, unknown]>([
    ['has no such connection yet', 200, []],
    ['refuses the key', 401, {}],
    ['has the name with another bank account', 200, [{ ...link('ACTIVE'), destinationIban: 'FR1420041010050500013M02606' }]],
    ['has a masked bank account', 200, [{ ...link('PENDING'), destinationIban: 'DE89 **** 3000' }]],
  ])('a creation that was accepted without an id is being made, even if the list %s', async (_what, status, body) => {
    const { adapter, call } = scripted([200, []], [202, { success: true }], [status, body]);
    expect(await adapter.connections?.create(call, wanted)).toEqual({ ok: false, refusal: { reason: 'busy', note: 'connection-initiating' } });
  });
  it.each<[string, object]>([
    ['its bank account masked', { destinationIban: 'DE89 **** 3000' }],
    ['no address', { lnAddress: undefined }],
  ])('a request that was sent before may have made a connection that is listed with %s; a new request has not', async (_what, shownAs) => {
    const listed = { ...link('PENDING'), ...shownAs };
    const { adapter, asked, call } = scripted([200, [listed]], [200, [listed]]);
    expect(await adapter.connections?.create({ ...call, attempt: 2 }, wanted)).toEqual({
      ok: false,
      refusal: { reason: 'busy', note: 'connection-initiating' },
    });
    expect(await adapter.connections?.create({ ...call, attempt: 1 }, wanted)).toEqual({
      ok: false,
      refusal: { reason: 'declined', note: 'connection-name-taken' },
    });
    expect(asked).toEqual(['GET /bringin-link', 'GET /bringin-link']);
  });
  const unnamed = { ...link('ACTIVE'), bringinLink: { ...link('ACTIVE').bringinLink, name: '' } };
  it.each<[string, object, string]>([
    ['its bank account masked', { ...link('ACTIVE'), destinationIban: 'DE89 **** 3000' }, 'connection-name-taken'],
    ['its bank account masked and no name', { ...unnamed, destinationIban: 'DE89 **** 3000' }, 'username-taken'],
    ['no bank account', { ...link('INITIATING'), destinationIban: undefined }, 'connection-name-taken'],
  ])('a request that is older than a code waits no longer for a connection that is listed with %s', async (_what, listed, note) => {
    const { adapter, asked, call } = scripted([200, [listed]], [200, [listed]]);
    const again = async (ms: number) => await adapter.connections?.create({ ...call, attempt: 2, requestedOn: now - ms }, wanted);
    expect(await again(1_800_000)).toEqual({ ok: false, refusal: { reason: 'busy', note: 'connection-initiating' } });
    expect(await again(1_800_001)).toEqual({ ok: false, refusal: { reason: 'declined', note } });
    expect(asked).toEqual(['GET /bringin-link', 'GET /bringin-link']);
  });
  it('a request that is older than a code is not sent again', async () => {
    const { adapter, asked, call } = scripted([200, []], [200, []], [202, link('INITIATING')]);
    const again = async (ms: number) => await adapter.connections?.create({ ...call, attempt: 2, requestedOn: now - ms }, wanted);
    expect(await again(1_800_001)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'connection-not-found' } });
    expect(await again(1_800_000)).toMatchObject({ ok: true, value: { upstreamId: 'l-1', status: 'initiating' } });
    expect(asked).toEqual(['GET /bringin-link', 'GET /bringin-link', 'POST /bringin-link']);
  });
  it('a request that is older than a code still finds its connection', async () => {
    const { adapter, call } = scripted([200, [link('ACTIVE')]]);
    expect(await adapter.connections?.create({ ...call, attempt: 2, requestedOn: now - 86_400_000 }, wanted)).toMatchObject({
      ok: true,
      value: { upstreamId: 'l-1', status: 'active' },
    });
  });
  it.each([400, 404, 429])('a creation that was accepted without an id may be made, if the list then answers %i', async (status) => {
    const { adapter, call } = scripted([200, []], [202, { success: true }], [status, {}]);
    await expect(adapter.connections?.create(call, wanted)).rejects.toMatchObject({ name: 'ProviderFault', taken: 'maybe' });
  });
  it('a connection whose code was accepted is active, even if the read after it refuses the key', async () => {
    const { adapter, call } = scripted([200, { id: 's-2' }], [403, {}]);
    const waiting: ConnectionState = { ...connection, status: 'code_required', upstream: { challengeId: 'c-1' } };
    expect(await adapter.connections?.confirm(call, waiting, '123456')).toMatchObject({ ok: true, value: { status: 'active' } });
  });
  it('another connection than the one asked for is not believed', async () => {
    const { adapter, call } = scripted([200, link('ACTIVE', 'l-2')]);
    await expect(adapter.connections?.read(call, connection)).rejects.toMatchObject({ kind: 'malformed', taken: 'no' });
  });
  it('a cancel that is not immediate waits for its code; one that is neither is no answer', async () => {
    const { adapter, call } = scripted(
      [200, link('ACTIVE')],
      [200, { immediate: false, challengeId: 'c-9' }],
      [200, link('ACTIVE')],
      [200, { immediate: false }],
    );
    expect(await adapter.connections?.cancel(call, connection)).toMatchObject({ ok: true, value: { status: 'code_required', codeExpiresOn: now + 1_800_000 } });
    await expect(adapter.connections?.cancel(call, connection)).rejects.toMatchObject({ kind: 'malformed', taken: 'maybe' });
  });
  it('a key that is refused is not taken again from the status', async () => {
    const { adapter, asked, call } = scripted([403, {}], [200, { status: 'connected', apiKey: key }]);
    expect(await adapter.readAccount(call)).toMatchObject({ ok: true, value: { status: 'needs_reconnect' } });
    expect(asked).toEqual(['GET /user/user-id', 'GET /application/connect/status?email=alice%40example.com']);
  });
  it('an order that expired before it came is shown to nobody', async () => {
    const stale = encodeInvoice({
      network: 'regtest',
      amountMsat: 250_000_000n,
      timestamp: now / 1000 - 900,
      expirySeconds: 900,
      paymentHash: '01'.repeat(32),
      paymentSecret: '02'.repeat(32),
      description: 'Top up',
      payeePrivateKey: '11'.repeat(32),
    });
    const { adapter, call } = scripted([200, rates], [200, { id: orderId, amount: '250000', invoice: stale, expiresAt: now }]);
    await expect(adapter.placeOrder(call, { quote: request, offer, inputs: {} })).rejects.toThrow('already expired');
  });
  it('an order is paid to the address that its connection was known by, whatever Bringin says now', async () => {
    const other = { ...link('ACTIVE'), lnAddress: 'mallory@dev.bringin.xyz' };
    const { adapter, asked, call } = scripted(
      [200, rates],
      [200, other],
      [200, { tag: 'payRequest', minSendable: 1000, maxSendable: 250_000_000 }],
      [200, { transactions: [] }],
    );
    const stored = { ...connection, status: 'active', lightningAddress: 'alice@dev.bringin.xyz' };
    const byBank = { ...offer, upstream: { rail: 'sepa', network: 'lightning' } };
    const placed = await adapter.placeOrder(call, { quote: request, offer: byBank, inputs: { connection: stored } });
    expect(placed).toMatchObject({ ok: true, value: { paymentInfo: { value: 'alice@dev.bringin.xyz' } } });
    expect(asked).toContain('GET https://dev.bringin.xyz/.well-known/lnurlp/alice');
  });
  it('a minimum in millisats is rounded up, a maximum down', async () => {
    const pay = { tag: 'payRequest', minSendable: '21786001', maxSendable: 250_000_999 };
    const { adapter, asked, call } = scripted([200, rates], [200, link('ACTIVE')], [200, pay], [200, { transactions: [] }]);
    const byBank = { ...offer, upstream: { rail: 'sepa', network: 'lightning' } };
    const stored = { ...connection, status: 'active' };
    expect(await adapter.placeOrder(call, { quote: request, offer: byBank, inputs: { connection: stored } })).toMatchObject({
      ok: true,
      value: { paymentInfo: { kind: 'lightning_address', value: 'alice@dev.bringin.xyz', minSats: 21_787n, maxSats: 250_000n } },
    });
    expect(asked).toEqual([
      'POST /offramp/rates',
      'GET /bringin-link/l-1',
      'GET https://dev.bringin.xyz/.well-known/lnurlp/alice',
      'POST /account/transactions',
    ]);
  });
});
