import { describe, expect, it } from 'vitest';
import { casesOf, onNodeOnly, violations, type Subject, type Verb } from '../../../test/support/contract.ts';
import { mutants, noticed } from '../../../test/support/contract-mutants.ts';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { applyRules } from '../../domain/exclusion.ts';
import { judgeOrder } from '../../domain/judge-order.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import type { AdapterDeps, FollowedOrder, LiquidityAdapter, LiquidityQuoteRequest, PlacedOrder } from '../spec.ts';
import { provider } from './index.ts';

const now = Date.UTC(2026, 10, 21, 10, 15);
const baseUrl = 'https://seller.example/api/v1';
const nodePubkey = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const peer = '03532ff5138dc42af8dbee58f1779710186d792ab55cea54456fc24247eea1c66c@seller.example:9735';
const expiresOn = now + 3_600_000;
const invoice = encodeInvoice({
  network: 'regtest',
  amountMsat: 1_005_400_000n,
  timestamp: now / 1000,
  expirySeconds: 3600,
  paymentHash: '00'.repeat(32),
  paymentSecret: '11'.repeat(32),
  description: 'channel',
  payeePrivateKey: '22'.repeat(32),
});
const info = {
  uris: [peer],
  min_required_channel_confirmations: 0,
  min_funding_confirms_within_blocks: 6,
  supports_zero_channel_reserve: true,
  max_channel_expiry_blocks: 20_160,
  min_initial_client_balance_sat: '0',
  max_initial_client_balance_sat: '100000000',
  min_initial_lsp_balance_sat: '0',
  max_initial_lsp_balance_sat: '100000000',
  min_channel_balance_sat: '50000',
  max_channel_balance_sat: '100000000',
};
const orderId = 'bb4b5d0a-8334-49d8-9463-90a6d413af7c';
const bolt11 = { state: 'EXPECT_PAYMENT', expires_at: '2026-11-21T11:15:00.000Z', fee_total_sat: '5400', order_total_sat: '1005400', invoice };
const order = {
  order_id: orderId,
  lsp_balance_sat: '1000000',
  client_balance_sat: '1000000',
  required_channel_confirmations: 0,
  funding_confirms_within_blocks: 6,
  channel_expiry_blocks: 4320,
  token: '',
  created_at: '2026-11-21T10:15:00.000Z',
  announce_channel: false,
  order_state: 'CREATED',
  payment: { bolt11 },
  channel: null,
};
const request: LiquidityQuoteRequest = {
  ramp: 'liquidity',
  product: 'turbo',
  amountSats: 1_000_000n,
  payWith: 'lightning',
  leaseBlocks: 4320,
  announce: false,
  firm: true,
  nodePubkey,
};
const body = {
  public_key: nodePubkey,
  lsp_balance_sat: '1000000',
  client_balance_sat: '1000000',
  required_channel_confirmations: 0,
  funding_confirms_within_blocks: 6,
  channel_expiry_blocks: 4320,
  announce_channel: false,
  token: '',
};
const facts = { inbound_sats: 1_000_000, lease_blocks: 4320, delivered_as: 'channel' as const, connect_to: peer };
const amounts = { pay: 1_005_400n, receive: 1_000_000n, fee: 5400n };
const offer: ProviderOffer = {
  ...amounts,
  binding: true,
  expiresOn,
  reservation: { upstreamOrderId: orderId, acceptUntil: expiresOn },
  upstream: { pay_with: 'lightning', announce: false, order_id: orderId },
  secret: invoice,
  facts,
  requires: [],
  warnings: [],
};
const estimate: ProviderOffer = { ...amounts, binding: false, upstream: { pay_with: 'lightning', announce: false }, facts, requires: [], warnings: [] };
const placed: PlacedOrder = {
  upstreamOrderId: orderId,
  stage: 'awaiting_payment',
  rawStatus: 'CREATED/EXPECT_PAYMENT',
  ...amounts,
  expiresOn,
  paymentInfo: { kind: 'invoice', value: invoice, amountSats: 1_005_400n },
  facts,
};
const followed: FollowedOrder = { orderId: 'ours', upstreamOrderId: orderId, createdOn: now, ...amounts, upstream: offer.upstream, facts };
const listing = { minSats: 50_000n, maxSats: 100_000_000n, stepSats: 1n, payWith: ['lightning'], maxLeaseBlocks: 20_160, peers: [peer] };
const refusals = { 400: 'refusal', 401: 'refusal', 403: 'refusal', 404: 'refusal', 409: 'refusal', 422: 'refusal' } as const;
const optional = ['order_state', 'lsp_balance_sat', 'client_balance_sat', 'channel_expiry_blocks', 'channel', 'token', 'created_at'];

const verbs: Verb<LiquidityAdapter>[] = [
  {
    name: 'catalogue',
    call: (adapter, context) => adapter.catalogue(context),
    reply: info,
    sent: { method: 'GET', path: '/get_info' },
    returned: {
      ok: true,
      value: [
        { product: 'inbound', ...listing },
        { product: 'turbo', ...listing, minSats: 25_000n, maxSats: 50_000_000n },
      ],
    },
    required: [],
    optional: ['uris', 'max_channel_expiry_blocks', 'min_initial_client_balance_sat', 'max_initial_lsp_balance_sat', 'min_channel_balance_sat'],
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 403: 'refusal', 404: 'refusal' },
  },
  {
    name: 'quote',
    call: (adapter, context) => adapter.quote(context, request),
    others: { '/get_info': info },
    reply: order,
    sent: { method: 'POST', path: '/create_order', body },
    returned: { ok: true, value: offer },
    required: ['order_id', 'payment'],
    optional,
    money: {
      fields: ['lsp_balance_sat', 'client_balance_sat'],
      believed: (value) => {
        const asked = { ramp: 'liquidity', inboundSats: 1_000_000n, clientSats: 1_000_000n, leaseBlocks: 4320 } as const;
        const terms = { haircutBps: 0, preferenceBps: 0 };
        const candidate = { providerId: 'x', offer: (value as { value: ProviderOffer }).value, terms, latencyMs: 1 };
        return applyRules(asked, [candidate], { version: 2, outlierBps: 1000, toleranceBps: 200, indicativeHaircutBps: 50 }, now).accepted.length > 0;
      },
    },
    stringReply: 'malformed',
    clientErrors: refusals,
  },
  {
    name: 'placeOrder of an estimate',
    call: (adapter, context) => adapter.placeOrder(context, { quote: { ...request, firm: false }, offer: estimate, inputs: {} }),
    others: { '/get_info': info },
    reply: order,
    sent: { method: 'POST', path: '/create_order', body },
    returned: { ok: true, value: placed },
    required: ['order_id'],
    optional,
    money: {
      fields: ['lsp_balance_sat', 'client_balance_sat'],
      believed: (value) => judgeOrder({ ...amounts, binding: false }, (value as { value: PlacedOrder }).value, { slippageBps: 100 }) === 'as-accepted',
    },
    stringReply: 'malformed',
    clientErrors: refusals,
  },
  {
    name: 'readOrders',
    call: (adapter, context) => adapter.readOrders(context, followed),
    reply: order,
    sent: { method: 'GET', path: `/get_order?order_id=${orderId}` },
    returned: {
      ok: true,
      value: [{ upstreamOrderId: orderId, stage: 'awaiting_payment', rawStatus: 'CREATED/EXPECT_PAYMENT', ...amounts, expiresOn }],
    },
    required: ['order_id'],
    optional: [...optional, 'payment'],
    stringReply: 'malformed',
    clientErrors: { 400: 'server', 401: 'server', 404: 'none' },
  },
];

const adapterOf = (deps: AdapterDeps): LiquidityAdapter => {
  const { liquidity } = provider.create(deps, provider.settings.parse({ base_url: baseUrl }));
  if (!liquidity) throw new Error('no liquidity');
  return liquidity;
};
const subject: Subject<LiquidityAdapter> = { create: adapterOf, deps: {}, context: {}, baseUrl };

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
  }),
);
