import { describe, expect, it } from 'vitest';
import { casesOf, onNodeOnly, violations, type Subject, type Verb } from '../../../test/support/contract.ts';
import { mutants, noticed } from '../../../test/support/contract-mutants.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { applyRules } from '../../domain/exclusion.ts';
import { judgeOrder } from '../../domain/judge-order.ts';
import type { AdapterDeps, ClaimingBuyer, CatalogueOption, FollowedOrder, PlacedOrder } from '../spec.ts';
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

const entry = {
  amount_fiat: 10_000,
  currency_id: 1,
  payment_option_id: 3,
  amount_sats: 107_952,
  btc_price: 9_180_000,
  order_fee: 90,
  order_status: 'filled',
  order_status_date: '2026-11-21T10:16:00.203Z',
};
const evidence = {
  rawStatus: 'filled',
  upstreamOrderId: orderId,
  stage: 'filled',
  pay: 10_000n,
  receive: 107_952n,
  fee: 90n,
  statusOn: Date.parse('2026-11-21T10:16:00.203Z'),
};
const sepa = { option: 'SEPA', id: 3, fee_rate: 0.009, min_amount: 1000, max_amount: 100_000 };

const verbs: Verb<ClaimingBuyer>[] = [
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
    name: 'catalogue',
    call: (adapter, context) => adapter.catalogue(context),
    others: { '/features': { supported_features: [{ quotes: true, estimates: false, on_chain_fallback: true, webhook: true }] } },
    reply: { currencies: [{ eur: { currency_id: 1, currency_code: 'EUR', payment_options: [sepa] } }] },
    sent: { method: 'POST', path: '/payment-options', body: { session_id: sessionId } },
    returned: {
      ok: true,
      value: { features: { quotes: true, estimates: false, on_chain_fallback: true, webhook: true }, options: [option] },
    },
    required: [],
    optional: ['currencies'],
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 401: 'refusal', 403: 'refusal', 404: 'refusal' },
  },
  {
    name: 'catalogue, features',
    call: (adapter, context) => adapter.catalogue(context),
    others: { '/payment-options': { currencies: [{ eur: { currency_id: 1, currency_code: 'EUR', payment_options: [sepa] } }] } },
    reply: { supported_features: [{ quotes: true, estimates: false, on_chain_fallback: true, webhook: true }] },
    sent: { method: 'GET', path: '/features' },
    returned: {
      ok: true,
      value: { features: { quotes: true, estimates: false, on_chain_fallback: true, webhook: true }, options: [option] },
    },
    required: [],
    optional: ['supported_features'],
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 403: 'refusal' },
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
          version: 2 as const,
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
    clientErrors: { 400: 'refusal', 401: 'refusal', 404: 'refusal', 409: 'refusal', 422: 'refusal' },
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
    optional: ['order_status', 'amount_fiat', 'amount_sats', 'currency_id', 'payment_option_id', 'expires_on', 'payment_info'],
    money: {
      fields: ['amount_fiat', 'amount_sats'],
      believed: (value) =>
        judgeOrder({ pay: 10_000n, receive: 107_952n, binding: true }, (value as { value: PlacedOrder }).value, { slippageBps: 100 }) === 'as-accepted',
    },
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 401: 'refusal', 404: 'refusal', 409: 'malformed', 410: 'refusal', 422: 'refusal', 408: 'malformed' },
  },
  {
    name: 'readOrders',
    call: (adapter, context) => adapter.readOrders(context, followed),
    reply: { [orderId]: entry },
    sent: { method: 'POST', path: '/order-status', body: { session_id: sessionId, order_id: orderId } },
    returned: { ok: true, value: [evidence] },
    required: [orderId],
    optional: [],
    stringReply: 'none',
    clientErrors: { 400: 'none', 404: 'none', 401: 'refusal', 403: 'server' },
  },
  {
    name: 'readOrders of a session',
    call: (adapter, context) => adapter.readOrders(context),
    reply: { [orderId]: entry },
    sent: { method: 'POST', path: '/order-status', body: { session_id: sessionId } },
    returned: { ok: true, value: [evidence] },
    required: [],
    optional: [],
    stringReply: 'malformed',
    clientErrors: { 400: 'server', 404: 'none', 401: 'server' },
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
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 404: 'refusal', 409: 'refusal', 408: 'server', 425: 'server', 499: 'server' },
  },
];

const adapterOf = (deps: AdapterDeps, more: object = {}): ClaimingBuyer => {
  const { buy } = provider.create(deps, provider.settings.parse({ base_url: baseUrl, ...more }));
  if (!buy?.claim) throw new Error('no buy');
  return buy;
};
const subject: Subject<ClaimingBuyer> = { create: (deps) => adapterOf(deps), deps: {}, context: { customer: blob }, baseUrl };

describe.each(verbs)('contract: $name', (verb) => {
  it(`keeps all of its ${casesOf(verb).length} cases`, async () => {
    expect(casesOf(verb).length).toBeGreaterThanOrEqual(20);
    expect(await violations(subject, verb)).toEqual([]);
  });
});

onNodeOnly(() =>
  describe('the suite itself', async () => {
    const broken = await noticed(subject, verbs);
    it.each(mutants)('notices an adapter that $name', ({ name, breaks }) => {
      expect(broken.get(name)?.filter((one) => breaks.test(one)).length).toBeGreaterThan(0);
    });
    it('has no case that every broken adapter passes', () => {
      const failed = [...broken.values()].flat();
      const idle = verbs.flatMap((verb) => casesOf(verb)).filter(({ name }) => !failed.some((one) => one.startsWith(`${name}: `)));
      expect(idle.map(({ name }) => name)).toEqual([]);
    });
  }),
);
