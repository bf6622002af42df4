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
const baseUrl = 'https://blocktank.example/api';
const nodePubkey = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const key = '0296b2db342fcf87ea94d981757fdf4d3e545bd5cef4919f58b5d38dfdd73bf5c9';
const peer = `${key}@lsp.example:9735`;
/** The order ends after an hour. We stop taking Lightning payments ten minutes earlier. */
const expiresOn = now + 3_000_000;
const invoice = encodeInvoice({
  network: 'regtest',
  amountMsat: 502_452_000n,
  timestamp: now / 1000,
  expirySeconds: 3600,
  paymentHash: '00'.repeat(32),
  paymentSecret: '11'.repeat(32),
  description: 'channel',
  payeePrivateKey: '22'.repeat(32),
});
const info = {
  version: 2,
  nodes: [{ alias: 'LSP', pubkey: key, connectionStrings: [peer], readonly: false }],
  options: {
    minChannelSizeSat: 1000,
    maxChannelSizeSat: 3_170_000,
    minExpiryWeeks: 1,
    maxExpiryWeeks: 53,
    minPaymentConfirmations: 0,
    max0ConfClientBalanceSat: 317_000,
  },
  onchain: { network: 'Regtest', feeRates: { fast: 5, mid: 5, slow: 5 } },
  versions: { http: '1', btc: '1', ln2: '1' },
};
const orderId = 'fa7e6d29-a04d-47ea-8db4-ec05f6b8601c';
const order = {
  id: orderId,
  state: 'created',
  state2: 'created',
  feeSat: 502_452,
  networkFeeSat: 1225,
  serviceFeeSat: 1227,
  lspBalanceSat: 500_000,
  clientBalanceSat: 500_000,
  channelExpiryWeeks: 13,
  channelExpiresAt: '2027-02-20T11:15:00.000Z',
  orderExpiresAt: '2026-11-21T11:15:00.000Z',
  zeroConf: false,
  lspNode: info.nodes[0],
  payment: {
    state: 'created',
    state2: 'created',
    paidSat: 0,
    bolt11Invoice: { request: invoice, state: 'pending' },
    onchain: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', confirmedSat: 0, requiredConfirmations: 0, transactions: [] },
  },
  createdAt: '2026-11-21T10:15:00.000Z',
  updatedAt: '2026-11-21T10:15:00.000Z',
};
const request: LiquidityQuoteRequest = {
  ramp: 'liquidity',
  product: 'turbo',
  amountSats: 500_000n,
  payWith: 'lightning',
  leaseBlocks: 13_000,
  announce: false,
  firm: true,
  nodePubkey,
};
const body = { lspBalanceSat: 500_000, clientBalanceSat: 500_000, channelExpiryWeeks: 13, announceChannel: false };
const facts = { inbound_sats: 500_000, lease_blocks: 13_104, delivered_as: 'channel' as const, connect_to: peer };
const dated = { ...facts, channel_expires_on: '2027-02-20T11:15:00.000Z' };
const amounts = { pay: 502_452n, receive: 500_000n, fee: 2452n };
const notes = { pay_with: 'lightning', announce: false };
const offer: ProviderOffer = {
  ...amounts,
  binding: true,
  expiresOn,
  reservation: { upstreamOrderId: orderId, acceptUntil: expiresOn },
  secret: invoice,
  upstream: { ...notes, order_id: orderId },
  facts: dated,
  requires: [],
  warnings: [],
};
const estimate: ProviderOffer = { ...amounts, binding: false, upstream: notes, facts, requires: [], warnings: [] };
const placed: PlacedOrder = {
  upstreamOrderId: orderId,
  stage: 'awaiting_payment',
  rawStatus: 'created/created/invoice pending',
  ...amounts,
  expiresOn,
  paymentInfo: { kind: 'invoice', value: invoice, amountSats: 502_452n },
  facts: dated,
};
const followed: FollowedOrder = { orderId: 'ours', upstreamOrderId: orderId, createdOn: now, ...amounts, upstream: offer.upstream, facts, nodePubkey };
const listing = { stepSats: 1n, payWith: ['lightning', 'onchain'], maxLeaseBlocks: 53_424, peers: [peer] };
const refusals = { 400: 'refusal', 401: 'refusal', 403: 'refusal', 404: 'refusal', 409: 'refusal', 422: 'refusal' } as const;
const accepts = (value: unknown): boolean => {
  const asked = { ramp: 'liquidity', inboundSats: 500_000n, clientSats: 500_000n, leaseBlocks: 13_000 } as const;
  const candidate = { providerId: 'x', offer: (value as { value: ProviderOffer }).value, terms: { haircutBps: 0, preferenceBps: 0 }, latencyMs: 1 };
  return applyRules(asked, [candidate], { version: 2, outlierBps: 1000, toleranceBps: 200, indicativeHaircutBps: 50 }, now).accepted.length > 0;
};
const ofOrder = {
  required: ['id', 'feeSat', 'lspBalanceSat', 'clientBalanceSat', 'channelExpiryWeeks', 'lspNode', 'payment'],
  optional: ['state', 'channelExpiresAt', 'lnurl', 'channel'],
};

const verbs: Verb<LiquidityAdapter>[] = [
  {
    name: 'catalogue',
    call: (adapter, context) => adapter.catalogue(context),
    others: { '/geocheck': {} },
    reply: info,
    sent: { method: 'GET', path: '/info' },
    returned: {
      ok: true,
      value: [
        { product: 'inbound', minSats: 20_000n, maxSats: 3_106_600n, ...listing },
        { product: 'turbo', minSats: 20_000n, maxSats: 1_553_300n, ...listing },
      ],
    },
    required: ['nodes', 'options', 'onchain'],
    optional: ['version', 'versions'],
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 403: 'refusal', 404: 'refusal' },
  },
  {
    name: 'an estimate',
    call: (adapter, context) => adapter.quote(context, { ...request, firm: false }),
    others: { '/info': info },
    reply: { feeSat: 502_452, networkFeeSat: 1225, serviceFeeSat: 1227, min0ConfTxFee: { satPerVByte: 5, validityEndsAt: '2026-11-21T10:17:00.000Z' } },
    sent: { method: 'POST', path: '/channels/estimate-fee-full', body },
    returned: { ok: true, value: estimate },
    required: ['feeSat'],
    optional: ['networkFeeSat', 'serviceFeeSat', 'min0ConfTxFee'],
    // 502,452 is the customer's balance and both fees. No other number is.
    money: { fields: ['feeSat'], believed: (value) => accepts(value) && (value as { value: ProviderOffer }).value.pay !== 502_452n },
    stringReply: 'malformed',
    clientErrors: { 400: 'refusal', 401: 'refusal', 403: 'refusal', 409: 'refusal', 422: 'refusal' },
  },
  {
    name: 'a firm price',
    call: (adapter, context) => adapter.quote(context, request),
    others: { '/info': info },
    reply: order,
    sent: { method: 'POST', path: '/channels', body },
    returned: { ok: true, value: offer },
    ...ofOrder,
    money: { fields: ['feeSat', 'lspBalanceSat', 'clientBalanceSat'], believed: accepts },
    stringReply: 'malformed',
    clientErrors: refusals,
  },
  {
    name: 'placeOrder of an estimate',
    call: (adapter, context) => adapter.placeOrder(context, { quote: { ...request, firm: false }, offer: estimate, inputs: {} }),
    others: { '/info': info },
    reply: order,
    sent: { method: 'POST', path: '/channels', body },
    returned: { ok: true, value: placed },
    ...ofOrder,
    money: {
      fields: ['feeSat', 'lspBalanceSat', 'clientBalanceSat'],
      believed: (value) => judgeOrder({ ...amounts, binding: false }, (value as { value: PlacedOrder }).value, { slippageBps: 100 }) === 'as-accepted',
    },
    stringReply: 'malformed',
    clientErrors: refusals,
  },
  {
    name: 'readOrders',
    call: (adapter, context) => adapter.readOrders(context, followed),
    reply: order,
    sent: { method: 'GET', path: `/channels/${orderId}` },
    returned: {
      ok: true,
      value: [
        {
          upstreamOrderId: orderId,
          stage: 'awaiting_payment',
          rawStatus: 'created/created/invoice pending',
          ...amounts,
          expiresOn,
          facts: { channel_expires_on: '2027-02-20T11:15:00.000Z' },
        },
      ],
    },
    required: ['id'],
    optional: ['state', 'state2', 'feeSat', 'lspBalanceSat', 'clientBalanceSat', 'orderExpiresAt', 'payment', 'channel', 'lspNode'],
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
