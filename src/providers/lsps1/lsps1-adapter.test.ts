/** Tests the adapter against the simulator over real HTTP: prices, orders, and what sellers do differently. */
import { afterEach, describe, expect, it } from 'vitest';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { createFetchHttp } from '../../entry/http-fetch.ts';
import { ProviderFault } from '../fault.ts';
import type { AdapterDeps, FollowedOrder, LiquidityAdapter, LiquidityQuoteRequest, PlacedOrder } from '../spec.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import { provider } from './index.ts';
import { startLsps1Simulator, type Deviation, type RunningSimulator, type SimulatorOptions } from './lsps1.simulator.ts';

const nodePubkey = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const refundOnchain = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const asked: LiquidityQuoteRequest = {
  ramp: 'liquidity',
  product: 'inbound',
  amountSats: 1_000_000n,
  payWith: 'lightning',
  leaseBlocks: 4320,
  announce: false,
  firm: true,
  nodePubkey,
};
/** The fee for a channel of 1,000,000 sats: 1,000 sats, 2,000 ppm, and 2,400 ppm for each 4,320 blocks. */
const fee = 5400n;
const context = { signal: AbortSignal.timeout(30_000), requestId: 'req_test' };

const http = createFetchHttp((url, init) => fetch(url, init));

let running: RunningSimulator | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});
type Setup = { adapter: LiquidityAdapter; seller: RunningSimulator };
const start = async (options: Partial<SimulatorOptions> = {}, settings: object = {}, more: Partial<AdapterDeps> = {}): Promise<Setup> => {
  const seller = await startLsps1Simulator({ id: 'north', ...options });
  running = seller;
  const deps: AdapterDeps = {
    providerId: 'north',
    http,
    now: () => Date.now(),
    newId: () => 'id',
    log: () => undefined,
    network: 'regtest',
    mode: 'sandbox',
    secret: (name) => (name === 'NORTH_TOKEN' ? 'zeroconf' : undefined),
    ...more,
  };
  const { liquidity } = provider.create(deps, provider.settings.parse({ base_url: seller.url, ...settings }));
  if (!liquidity) throw new Error('no liquidity');
  return { adapter: liquidity, seller };
};
const offerOf = async ({ adapter }: Setup, request = asked): Promise<ProviderOffer> => {
  const answer = await adapter.quote(context, request);
  if (!answer.ok) throw new Error(`refused: ${answer.refusal.reason}`);
  return answer.value;
};
const placedOf = async ({ adapter }: Setup, offer: ProviderOffer, quote = asked): Promise<PlacedOrder> => {
  const answer = await adapter.placeOrder(context, { quote, offer, inputs: {} });
  if (!answer.ok) throw new Error(`refused: ${answer.refusal.reason}`);
  return answer.value;
};
const followedOf = (offer: ProviderOffer): FollowedOrder => ({
  orderId: 'ours',
  upstreamOrderId: offer.reservation?.upstreamOrderId ?? '',
  createdOn: 0,
  pay: offer.pay,
  receive: offer.receive,
  fee: offer.fee,
  upstream: offer.upstream,
  facts: offer.facts,
});
const created = (seller: RunningSimulator) => seller.control.requests.filter(({ endpoint }) => endpoint === 'create_order');
const faultOf = async (call: Promise<unknown>): Promise<{ kind: string; taken: string; retryAfterMs: number | undefined }> => {
  const error = await call.catch((thrown: unknown) => thrown);
  if (!(error instanceof ProviderFault)) throw new Error('no fault');
  return { kind: error.kind, taken: error.taken, retryAfterMs: error.retryAfterMs };
};

describe('catalogue', () => {
  it('ranges, lease and where the node is', async () => {
    const { adapter, seller } = await start({ maxClientSats: 2_000_000 });
    const shared = { stepSats: 1n, payWith: ['lightning'], peers: [`${seller.control.nodePubkey}@north.example:9735`], maxLeaseBlocks: 13_140 };
    expect(await adapter.catalogue(context)).toEqual({
      ok: true,
      value: [
        { product: 'inbound', minSats: 100_000n, maxSats: 10_000_000n, ...shared },
        { product: 'turbo', minSats: 100_000n, maxSats: 2_000_000n, ...shared },
      ],
    });
  });

  it('limits under `options`, numbers for amounts, a key without an address: the block says where the node is', async () => {
    const peer = `${nodePubkey}@north.example:9735`;
    const { adapter } = await start({ deviations: ['info-in-options', 'number-amounts', 'no-uris'] }, { peer, max_lease_blocks: 8640 });
    expect(await adapter.catalogue(context)).toEqual({
      ok: true,
      value: [{ product: 'inbound', minSats: 100_000n, maxSats: 10_000_000n, stepSats: 1n, payWith: ['lightning'], peers: [peer], maxLeaseBlocks: 8640 }],
    });
  });
});

describe('estimates', () => {
  it('if no price was seen, only an order would show one, and none is made', async () => {
    const { adapter, seller } = await start();
    expect(await adapter.quote(context, { ...asked, firm: false })).toEqual({ ok: false, refusal: { reason: 'price-needs-order' } });
    expect(seller.control.requests).toEqual([]);
  });

  it('the last price seen is marked with its date', async () => {
    const { adapter, seller } = await start();
    const facts = { inbound_sats: 1_000_000, lease_blocks: 4320, delivered_as: 'channel' as const };
    const lastSeen = { offer: { pay: 6150n, receive: 0n, fee: 6150n, facts }, observedOn: Date.UTC(2026, 10, 20, 18, 2, 11) };
    const { nodePubkey: _, ...unproven } = asked;
    expect(await adapter.quote(context, { ...unproven, firm: false, lastSeen })).toEqual({
      ok: true,
      value: {
        pay: 6150n,
        receive: 0n,
        fee: 6150n,
        binding: false,
        upstream: { pay_with: 'lightning', announce: false },
        facts: { ...facts, observed_on: '2026-11-20T18:02:11.000Z' },
        requires: ['proof'],
        warnings: ['price-is-last-observed'],
      },
    });
    expect(seller.control.requests).toEqual([]);
  });

  it('placing an estimate makes the order then', async () => {
    const setup = await start();
    const lastSeen = { offer: { pay: 6150n, receive: 0n, fee: 6150n, facts: { inbound_sats: 1_000_000 } }, observedOn: 0 };
    const quote = { ...asked, firm: false, lastSeen };
    const order = await placedOf(setup, await offerOf(setup, quote), quote);
    expect(order).toMatchObject({ stage: 'awaiting_payment', rawStatus: 'CREATED/EXPECT_PAYMENT', pay: fee, receive: 0n, fee });
    expect(order.facts).toEqual({
      inbound_sats: 1_000_000,
      lease_blocks: 4320,
      delivered_as: 'channel' as const,
      connect_to: `${setup.seller.control.nodePubkey}@north.example:9735`,
    });
    expect([...setup.seller.control.orders.keys()]).toEqual([order.upstreamOrderId]);
  });
});

describe('firm prices', () => {
  it('the created order is the reservation; placing it sends nothing', async () => {
    const setup = await start();
    const offer = await offerOf(setup);
    const [order] = [...setup.seller.control.orders.values()];
    const end = Math.floor((order?.createdOn ?? 0) / 1000) * 1000 + 3_600_000;
    expect(offer).toEqual({
      pay: fee,
      receive: 0n,
      fee,
      binding: true,
      expiresOn: end,
      reservation: { upstreamOrderId: order?.id, acceptUntil: end },
      upstream: { pay_with: 'lightning', announce: false, order_id: order?.id },
      secret: order?.invoice,
      facts: {
        inbound_sats: 1_000_000,
        lease_blocks: 4320,
        delivered_as: 'channel' as const,
        connect_to: `${setup.seller.control.nodePubkey}@north.example:9735`,
      },
      requires: [],
      warnings: [],
    });
    expect(created(setup.seller)[0]?.body).toEqual({
      public_key: nodePubkey,
      lsp_balance_sat: '1000000',
      client_balance_sat: '0',
      required_channel_confirmations: 0,
      funding_confirms_within_blocks: 6,
      channel_expiry_blocks: 4320,
      announce_channel: false,
      token: '',
    });
    const sent = setup.seller.control.requests.length;
    expect(await placedOf(setup, offer)).toEqual({
      upstreamOrderId: order?.id,
      stage: 'awaiting_payment',
      pay: fee,
      receive: 0n,
      fee,
      expiresOn: end,
      paymentInfo: { kind: 'invoice', value: order?.invoice, amountSats: fee },
    });
    expect(setup.seller.control.requests).toHaveLength(sent);
    expect(decodeInvoice(order?.invoice ?? '')?.amountMsat).toBe(5_400_000n);
  });

  it('turbo, public, with a coupon and the longest lease', async () => {
    const setup = await start({ maxClientSats: 2_000_000, token: 'zeroconf' }, { token_env: 'NORTH_TOKEN', default_lease_blocks: 26_280 });
    const { leaseBlocks: _, ...open } = asked;
    const offer = await offerOf(setup, { ...open, product: 'turbo', announce: true });
    expect(offer).toMatchObject({ pay: 1_012_300n, receive: 1_000_000n, fee: 12_300n, facts: { lease_blocks: 13_140 } });
    expect(created(setup.seller)[0]?.body).toMatchObject({
      client_balance_sat: '1000000',
      required_channel_confirmations: 6,
      channel_expiry_blocks: 13_140,
      announce_channel: true,
      token: 'zeroconf',
    });
  });

  it('on chain, to where a refund can go', async () => {
    const setup = await start({ onchainExtraSats: 900 }, { pay_with: ['lightning', 'onchain'] });
    const offer = await offerOf(setup, { ...asked, payWith: 'onchain', refundOnchain });
    const address = [...setup.seller.control.orders.values()][0]?.onchain?.address ?? '';
    expect(offer).toMatchObject({ pay: 6300n, upstream: { pay_with: 'onchain' }, secret: address });
    expect((await placedOf(setup, offer)).paymentInfo).toEqual({
      kind: 'onchain',
      value: address,
      amountSats: 6300n,
      bip21: `bitcoin:${address}?amount=0.000063`,
    });
  });

  it('a channel that needs support of large channels says so', async () => {
    const setup = await start({ maxSats: 20_000_000 });
    expect((await offerOf(setup, { ...asked, amountSats: 16_777_215n })).warnings).toEqual([]);
    expect((await offerOf(setup, { ...asked, amountSats: 16_777_216n })).warnings).toEqual(['large-channel']);
  });

  it('a reserved order that has ended is not placed', async () => {
    const setup = await start();
    const offer = await offerOf(setup);
    expect(await setup.adapter.placeOrder(context, { quote: asked, offer: { ...offer, expiresOn: Date.now() - 1 }, inputs: {} })).toEqual({
      ok: false,
      refusal: { reason: 'declined', note: 'reservation-ended' },
    });
  });
});

describe('refusals that make no order', () => {
  const limits = { minReceive: 100_000n, maxReceive: 10_000_000n };
  const { nodePubkey: _, ...unproven } = asked;
  it.each([
    ['too little', { ...asked, amountSats: 99_999n }, { reason: 'below-minimum', limits }],
    ['too much', { ...asked, amountSats: 10_000_001n }, { reason: 'above-maximum', limits }],
    ['too long a lease', { ...asked, leaseBlocks: 13_141 }, { reason: 'lease-unsupported' }],
    ['a recharge', { ...asked, product: 'recharge' as const }, { reason: 'option-unsupported' }],
    ['turbo where the customer can have no balance', { ...asked, product: 'turbo' as const }, { reason: 'option-unsupported' }],
    ['another way to pay', { ...asked, payWith: 'litecoin' }, { reason: 'payment-method-unsupported' }],
    ['on chain without a refund address', { ...asked, payWith: 'onchain' }, { reason: 'payment-method-unsupported', note: 'refund-address-required' }],
    ['no proven node', unproven, { reason: 'proof-required' }],
  ])('%s', async (_name, request, refusal) => {
    const { adapter, seller } = await start({}, { pay_with: ['lightning', 'onchain'] });
    expect(await adapter.quote(context, request)).toEqual({ ok: false, refusal });
    expect(created(seller)).toEqual([]);
  });
});

describe('refusals and faults of the seller', () => {
  it.each<[string, Deviation[]]>([
    ['JSON-RPC', []],
    ['a text', ['text-errors']],
    ['JSON-RPC under 200', ['errors-under-200']],
    ['a text under 200', ['text-errors', 'errors-under-200']],
    ['JSON-RPC under 500', ['errors-under-500']],
    ['error and message', ['error-and-message']],
    ['error and message under 200', ['error-and-message', 'errors-under-200']],
    ['a list of messages', ['message-lists']],
    ['a list of errors', ['error-lists']],
    ['detail', ['detail-errors']],
    ['plain text', ['plain-text-errors']],
    ['plain text under 200', ['plain-text-errors', 'errors-under-200']],
    ['a page', ['page-errors']],
  ])('a node that is not connected is told where to connect: %s', async (_name, deviations) => {
    const setup = await start({ connected: 'none', deviations });
    expect(await setup.adapter.quote(context, asked)).toEqual({
      ok: false,
      refusal: { reason: 'peer-not-connected', connectTo: `${setup.seller.control.nodePubkey}@north.example:9735` },
    });
    setup.seller.control.options.connected = [nodePubkey];
    expect((await offerOf(setup)).pay).toBe(fee);
  });

  it('a coupon that is not taken', async () => {
    const { adapter } = await start({ token: 'another' });
    expect(await adapter.quote(context, asked)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'token-refused' } });
  });

  it('a way to pay that the seller leaves out', async () => {
    const { adapter, seller } = await start({}, { pay_with: ['onchain'] });
    const refused = await adapter.quote(context, { ...asked, payWith: 'onchain', refundOnchain });
    const [orderMade] = seller.control.orders.keys();
    expect(refused).toEqual({ ok: false, refusal: { reason: 'payment-method-unsupported', orderMade } });
  });

  it('too many orders', async () => {
    const setup = await start({ ordersPerNode: 1 });
    await offerOf(setup);
    expect(await faultOf(setup.adapter.quote(context, asked))).toEqual({ kind: 'rate-limited', taken: 'no', retryAfterMs: 3_600_000 });
  });

  it('get_info that fails before the order: certainly none was made', async () => {
    const { adapter, seller } = await start();
    seller.control.setFault({ endpoint: 'get_info', fault: '503', times: 1 });
    expect(await faultOf(adapter.quote(context, asked))).toEqual({ kind: 'server', taken: 'no', retryAfterMs: undefined });
    expect(created(seller)).toEqual([]);
  });

  it('an answer that was lost may have made an order', async () => {
    const { adapter, seller } = await start();
    seller.control.setFault({ endpoint: 'create_order', fault: 'lost-answer', times: 1 });
    expect(await faultOf(adapter.quote(context, asked))).toMatchObject({ kind: 'unreachable', taken: 'maybe' });
    expect(seller.control.orders.size).toBe(1);
  });

  it.each([
    ['a total that is not fee and client balance', 'order-amounts-differ'],
    ['an invoice over another amount', 'absurd-price'],
    ['an invoice for another network', 'wrong-currency'],
    ['an order that is over', 'expired-quote'],
  ] as const)('%s is not believed', async (_name, fault) => {
    const { adapter, seller } = await start();
    seller.control.setFault({ endpoint: 'create_order', fault, times: 1 });
    expect((await faultOf(adapter.quote(context, asked))).kind).toBe('malformed');
    expect(seller.control.orders.size).toBe(1);
  });
});

describe('orders', () => {
  const stageOf = async ({ adapter }: Setup, offer: ProviderOffer) => {
    const answer = await adapter.readOrders(context, followedOf(offer));
    if (!answer.ok) throw new Error('refused');
    return answer.value.map(({ stage, rawStatus }) => [stage, rawStatus]);
  };

  it('paid, opened, with the channel that came of it', async () => {
    const setup = await start();
    const offer = await offerOf(setup);
    const id = offer.reservation?.upstreamOrderId ?? '';
    expect(await stageOf(setup, offer)).toEqual([['awaiting_payment', 'CREATED/EXPECT_PAYMENT']]);
    setup.seller.control.pay(id);
    expect(await stageOf(setup, offer)).toEqual([['paid', 'CREATED/HOLD']]);
    setup.seller.control.open(id);
    const channel = setup.seller.control.orders.get(id)?.channel;
    expect(await setup.adapter.readOrders(context, followedOf(offer))).toEqual({
      ok: true,
      value: [
        {
          upstreamOrderId: id,
          stage: 'finished',
          rawStatus: 'COMPLETED/PAID',
          moneySeen: true,
          pay: fee,
          receive: 0n,
          fee,
          statusOn: channel?.fundedOn,
          expiresOn: setup.seller.control.orders.get(id)?.expiresOn,
          facts: { funding_outpoint: channel?.outpoint, channel_expires_on: new Date(channel?.expiresOn ?? 0).toISOString() },
        },
      ],
    });
  });

  it('a failed channel is refunded; an unpaid order expires', async () => {
    const setup = await start();
    const offer = await offerOf(setup);
    const id = offer.reservation?.upstreamOrderId ?? '';
    setup.seller.control.pay(id);
    setup.seller.control.fail(id);
    expect(await stageOf(setup, offer)).toEqual([['refunded', 'FAILED/REFUNDED']]);
    const second = await offerOf(setup);
    setup.seller.control.expire(second.reservation?.upstreamOrderId ?? '');
    expect(await stageOf(setup, second)).toEqual([['expired', 'CREATED/EXPECT_PAYMENT']]);
  });

  it.each<[string, Deviation[], string[]]>([
    ['flat payment', ['flat-payment'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    ['fee in msat', ['fee-in-msat', 'flat-payment'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    ['numbers, lower case, Unix times', ['number-amounts', 'lower-case-states', 'unix-times'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    ['in result', ['in-result'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    ['in data, camel case', ['in-data', 'camel-case'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    ['in order, with an id', ['in-order', 'id-for-order-id'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    ['numbers as ids', ['numeric-ids'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    ['milliseconds, amounts with a unit', ['milliseconds', 'amounts-with-unit'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    ['no fee', ['no-fee'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    ['no total, the invoice as a link', ['no-fee', 'no-total', 'invoice-as-link'], ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID']],
    [
      'words for no confirmations, no maximum, no channel until there is one',
      ['zero-conf-words', 'no-maximum', 'no-channel-member'],
      ['CREATED/EXPECT_PAYMENT', 'CREATED/HOLD', 'COMPLETED/PAID'],
    ],
    [
      'states with their type',
      ['prefixed-states'],
      ['ORDER_STATE_CREATED/PAYMENT_STATE_EXPECT_PAYMENT', 'ORDER_STATE_CREATED/PAYMENT_STATE_HOLD', 'ORDER_STATE_COMPLETED/PAYMENT_STATE_PAID'],
    ],
    ['order states of other clients', ['extra-order-states'], ['EXPECT_PAYMENT/EXPECT_PAYMENT', 'OPENING/HOLD', 'COMPLETED/PAID']],
  ])('the same life in another dialect: %s', async (_name, deviations, words) => {
    const setup = await start({ deviations });
    const offer = await offerOf(setup);
    expect(offer).toMatchObject({ pay: fee, receive: 0n, fee });
    const id = offer.reservation?.upstreamOrderId ?? '';
    const seen = [...(await stageOf(setup, offer))];
    setup.seller.control.pay(id);
    seen.push(...(await stageOf(setup, offer)));
    setup.seller.control.open(id);
    seen.push(...(await stageOf(setup, offer)));
    expect(seen).toEqual([
      ['awaiting_payment', words[0]],
      ['paid', words[1]],
      ['finished', words[2]],
    ]);
  });

  it('a channel for a coupon is opened without a payment, or fails and nothing is owed', async () => {
    const setup = await start({ freeToken: 'zeroconf' }, { token_env: 'NORTH_TOKEN' });
    const offer = await offerOf(setup);
    expect(offer).toMatchObject({ pay: 0n, receive: 0n, fee: 0n, binding: true });
    expect(await placedOf(setup, offer)).toMatchObject({ stage: 'paid', paymentInfo: { kind: 'none' } });
    expect(await stageOf(setup, offer)).toEqual([['paid', 'CREATED']]);
    setup.seller.control.open(offer.reservation?.upstreamOrderId ?? '');
    expect(await stageOf(setup, offer)).toEqual([['finished', 'COMPLETED']]);
    const second = await offerOf(setup);
    setup.seller.control.fail(second.reservation?.upstreamOrderId ?? '');
    expect(await stageOf(setup, second)).toEqual([['refunded', 'FAILED']]);
  });

  it.each<[string, Deviation[], string]>([
    ['without an invoice', ['no-bolt11'], 'payment-method-unsupported'],
    ['without any way to pay, and without a coupon', ['no-payment'], 'payment-method-unsupported'],
    ['announced', ['announces'], 'option-unsupported'],
  ])('an order that cannot be sold is named: %s', async (_name, deviations, reason) => {
    const { adapter, seller } = await start({ deviations });
    const refused = await adapter.quote(context, asked);
    expect(refused).toEqual({ ok: false, refusal: { reason, orderMade: [...seller.control.orders.keys()][0] } });
  });

  it('a shorter lease than asked for is told as it is', async () => {
    expect((await offerOf(await start({ deviations: ['short-lease'] }))).facts).toMatchObject({ lease_blocks: 432 });
  });

  it('an address that is a link', async () => {
    const setup = await start({ onchainExtraSats: 900, deviations: ['address-as-link'] }, { pay_with: ['lightning', 'onchain'] });
    const offer = await offerOf(setup, { ...asked, payWith: 'onchain', refundOnchain });
    const address = [...setup.seller.control.orders.values()][0]?.onchain?.address ?? '';
    expect(offer).toMatchObject({ pay: 6300n, secret: address });
  });

  it('the older word for money given back', async () => {
    const setup = await start({ deviations: ['cancelled-for-refunded'] });
    const offer = await offerOf(setup);
    setup.seller.control.pay(offer.reservation?.upstreamOrderId ?? '');
    setup.seller.control.fail(offer.reservation?.upstreamOrderId ?? '');
    expect(await stageOf(setup, offer)).toEqual([['refunded', 'FAILED/CANCELLED']]);
  });

  it("an unknown word gives no stage, but the payment's state still counts", async () => {
    const setup = await start();
    const offer = await offerOf(setup);
    setup.seller.control.setFault({ endpoint: 'get_order', fault: 'unknown-status', times: 2 });
    expect(await stageOf(setup, offer)).toEqual([[undefined, 'PONDERING/EXPECT_PAYMENT']]);
    setup.seller.control.pay(offer.reservation?.upstreamOrderId ?? '');
    expect(await stageOf(setup, offer)).toEqual([['paid', 'PONDERING/HOLD']]);
  });

  it('an order that the seller does not know, in every form of saying so', async () => {
    for (const deviations of [[], ['text-errors'], ['errors-under-200'], ['text-errors', 'errors-under-200']] satisfies Deviation[][]) {
      const setup = await start({ deviations });
      expect(await setup.adapter.readOrders(context, { ...followedOf(await offerOf(setup)), upstreamOrderId: 'gone' })).toEqual({ ok: true, value: [] });
      await setup.seller.close();
    }
  });

  it('there is no list of orders: the read is refused, not empty', async () => {
    const { adapter } = await start();
    expect(await adapter.readOrders(context)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'orders-not-listed' } });
  });
});
