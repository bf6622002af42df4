/** Tests the adapter against the simulator over real HTTP. The simulator was written by another hand from the same documents (README). */
import { afterEach, describe, expect, it } from 'vitest';
import { movableClock } from '../../../test/support/clock.ts';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { createFetchHttp } from '../../entry/http-fetch.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import { ProviderFault } from '../fault.ts';
import type { AdapterDeps, FollowedOrder, LiquidityQuoteRequest } from '../spec.ts';
import { provider } from './index.ts';
import { startBlocktankSimulator, type Fault, type RunningSimulator, type SimulatorOptions } from './blocktank.simulator.ts';

const nodePubkey = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const refundOnchain = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const [minute, day] = [60_000, 86_400_000];
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
const turbo = { ...asked, product: 'turbo', amountSats: 500_000n, leaseBlocks: 13_000 } as const;
const onchain = { ...asked, payWith: 'onchain', refundOnchain };
const context = { signal: AbortSignal.timeout(30_000), requestId: 'req_test' };

const http = createFetchHttp((url, init) => fetch(url, init));

let running: RunningSimulator | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});
const start = async (options: Partial<SimulatorOptions> = {}, settings: object = {}) => {
  const clock = movableClock();
  const seller = await startBlocktankSimulator({ id: 'tank', now: clock.now, feeRates: { fast: 6, mid: 5, slow: 4 }, lifeS: 2 * 86_400, ...options });
  running = seller;
  const deps: AdapterDeps = {
    providerId: 'tank',
    http,
    now: clock.now,
    newId: () => 'id',
    log: () => undefined,
    network: 'regtest',
    mode: 'sandbox',
    secret: () => undefined,
  };
  const { liquidity: adapter } = provider.create(deps, provider.settings.parse({ base_url: seller.baseUrl, ...settings }));
  if (!adapter) throw new Error('no liquidity');
  const offerOf = async (request: LiquidityQuoteRequest = asked): Promise<ProviderOffer> => {
    const answer = await adapter.quote(context, request);
    if (!answer.ok) throw new Error(`refused: ${answer.refusal.reason}`);
    return answer.value;
  };
  const reasonOf = async (request: LiquidityQuoteRequest): Promise<string> => {
    const answer = await adapter.quote(context, request).catch((fault: unknown) => fault as ProviderFault);
    return answer instanceof Error ? answer.kind : answer.ok ? 'an offer' : answer.refusal.reason;
  };
  const follow = (offer: ProviderOffer, more: Partial<FollowedOrder> = { nodePubkey }): FollowedOrder => ({
    orderId: 'ours',
    upstreamOrderId: offer.reservation?.upstreamOrderId ?? '',
    createdOn: clock.now(),
    pay: offer.pay,
    receive: offer.receive,
    fee: offer.fee,
    upstream: offer.upstream,
    facts: offer.facts,
    ...more,
  });
  const read = async (offer: ProviderOffer, more?: Partial<FollowedOrder>) => {
    const answer = await adapter.readOrders(context, follow(offer, more));
    if (!answer.ok) throw new Error(`refused: ${answer.refusal.reason}`);
    return answer.value[0];
  };
  return { adapter, clock, control: seller.control, offerOf, reasonOf, follow, read };
};

describe('prices', () => {
  it.each<[string, LiquidityQuoteRequest, number, bigint, bigint, number]>([
    ['inbound at 5 sat/vB', asked, 5, 2169n, 2169n, 5040],
    ['inbound at 50 sat/vB', asked, 50, 13_194n, 13_194n, 5040],
    ['turbo at 5 sat/vB', turbo, 5, 502_452n, 2452n, 13_104],
  ])("the documents' figures: %s", async (_what, request, mid, pay, fee, lease) => {
    const { offerOf, control } = await start({ feeRates: { fast: mid, mid, slow: mid } });
    const estimate = await offerOf({ ...request, firm: false });
    expect(estimate).toMatchObject({ pay, fee, receive: pay - fee, binding: false, facts: { lease_blocks: lease } });
    expect(control.orders.size).toBe(0);
    const firm = await offerOf(request);
    expect(firm).toMatchObject({ pay, fee, receive: pay - fee, binding: true, facts: { lease_blocks: lease } });
    expect(decodeInvoice(firm.secret ?? '')?.amountMsat).toBe(pay * 1000n);
  });

  it.each<[string, Partial<SimulatorOptions>, object]>([
    ['feeSat of estimates without the balance', { estimateFeeWithClient: false }, {}],
    ['an older server', { estimates: 'old' }, {}],
    ['an older server, without the balance', { estimates: 'old', estimateFeeWithClient: false }, { estimate_includes_client_balance: false }],
    ['estimates with 201', { estimateStatus: 201 }, {}],
    ['a fee that is rounded down', { rounding: 'down', feeRates: { fast: 5, mid: 5, slow: 5 } }, {}],
  ])('%s', async (_what, options, settings) => {
    const { offerOf } = await start(options, settings);
    const { pay, receive } = await offerOf({ ...turbo, firm: false });
    expect([pay === 502_452n || ('rounding' in options && pay === 502_451n), receive]).toEqual([true, 500_000n]);
  });

  it('limits: of /info, in fiat, and those that move', async () => {
    const { reasonOf, control } = await start({ hiddenMaxSats: 900_000 });
    expect(await reasonOf({ ...asked, amountSats: 10_000n })).toBe('below-minimum');
    expect(await reasonOf({ ...asked, amountSats: 3_200_000n })).toBe('above-maximum');
    expect(await reasonOf({ ...asked, leaseBlocks: 60_000 })).toBe('lease-unsupported');
    expect(await reasonOf(asked)).toBe('declined');
    for (const errorBodies of ['text', 'message'] as const) {
      control.setOptions({ errorBodies });
      expect(await reasonOf({ ...asked, firm: false })).toBe('declined');
    }
    expect(control.orders.size).toBe(0);
  });

  it('no estimates at all, our country blocked, a signature demanded: refused', async () => {
    const { reasonOf, adapter, control } = await start({ estimates: 'none' });
    expect(await reasonOf({ ...asked, firm: false })).toBe('declined');
    control.setOptions({ signatureRequired: true, estimates: 'full' });
    expect(await reasonOf(asked)).toBe('declined');
    for (const geoStatus of [403, 200, 451]) {
      control.setOptions({ geoBlocked: true, geoStatus });
      expect(await adapter.catalogue(context)).toEqual({ ok: false, refusal: { reason: 'country-restricted' } });
      expect(await reasonOf(asked)).toBe(geoStatus === 200 ? 'malformed' : 'country-restricted');
    }
  });

  it('2023: the balance of the customer must be less', async () => {
    const { reasonOf } = await start({ strictClient: true });
    expect([await reasonOf(asked), await reasonOf(turbo)]).toEqual(['an offer', 'declined']);
  });
});

describe('orders that are not sold', () => {
  it.each<Fault['fault']>([
    'wrong-currency',
    'wrong-address',
    'invoice-amount',
    'order-amounts-differ',
    'other-balance',
    'other-weeks',
    'foreign-node',
    'expired-quote',
    'unknown-status',
  ])('%s', async (fault) => {
    const { adapter, control } = await start();
    control.setFault({ endpoint: 'POST /channels', fault, times: 1 });
    const thrown = await adapter.quote(context, asked).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ kind: 'malformed', orderMade: [...control.orders.keys()][0] });
  });

  it('feeSat without the balance that the invoice includes', async () => {
    const { reasonOf } = await start({ orderFeeWithClient: false });
    expect([await reasonOf(asked), await reasonOf(turbo)]).toEqual(['an offer', 'malformed']);
  });

  it('an order that is too short to pay on chain', async () => {
    const { reasonOf } = await start({ lifeS: 1800 });
    expect([await reasonOf(asked), await reasonOf(onchain)]).toEqual(['an offer', 'payment-method-unsupported']);
  });

  it('a lost answer leaves an order that nobody is shown', async () => {
    const { adapter, control } = await start();
    control.setFault({ endpoint: 'POST /channels', fault: 'lost-answer', times: 1 });
    await expect(adapter.quote(context, asked)).rejects.toMatchObject({ kind: 'unreachable', taken: 'maybe' });
    expect(control.orders.size).toBe(1);
  });
});

describe('by Lightning', () => {
  it.each<[string, Partial<SimulatorOptions>]>([
    ['today', {}],
    ['paid orders stay created', { paidWord: 'created' }],
    ['only the invoice says that it is held', { heldIn: 'invoice' }],
    ['in the other word', { heldIn: 'invoice', words: { holding: 'inflight' } }],
    ['old states only', { onlyOldStates: true }],
    ['capitals', { words: { created: 'CREATED', paid: 'PAID', executed: 'EXECUTED', holding: 'HOLDING' } }],
    ['the misspelt end', { misspelt: true }],
    ['without the parts of the fee', { feeParts: false }],
  ])('%s: paid, opened by the adapter for the proven node, finished', async (_what, options) => {
    const { offerOf, read, control } = await start(options);
    const offer = await offerOf();
    expect(await read(offer)).toMatchObject({ stage: 'awaiting_payment', pay: 2169n, receive: 0n });
    control.pay();
    expect(await read(offer)).toMatchObject({
      stage: 'finished',
      moneySeen: true,
      facts: { funding_outpoint: expect.stringMatching(/^[0-9a-f]{64}:0$/) as string },
    });
    expect(control.order().channel).toMatchObject({ clientNodePubkey: nodePubkey, announce: false });
    control.closeChannel();
    expect(await read(offer)).toMatchObject({ stage: 'finished' });
  });

  it('a node that is not connected yet: paid until it is, with the peer to connect to', async () => {
    const { offerOf, read, control, clock } = await start({ connected: 'none' });
    const offer = await offerOf();
    control.pay();
    expect(await read(offer)).toMatchObject({ stage: 'paid', facts: { connect_to: `${control.nodePubkey}@tank.example:9735` } });
    control.setOptions({ connected: [nodePubkey] });
    clock.move(minute / 2);
    expect(await read(offer)).toMatchObject({ stage: 'finished' });
  });

  it.each(['CHANNEL_REJECTED_BY_DESTINATION', 'CHANNEL_REJECTED_BY_LSP', 'BLOCKTANK_NOT_READY', 'UNKNOWN_ERROR'] as const)(
    '%s: paid, then tried again',
    async (fault) => {
      for (const openErrors of ['code', 'type', '2023'] as const) {
        const { offerOf, read, control, clock } = await start({ openErrors });
        const offer = await offerOf();
        control.pay();
        control.setFault({ endpoint: 'POST /channels/{id}/open', fault, times: 1 });
        expect(await read(offer)).toMatchObject({ stage: 'paid', rawStatus: expect.stringContaining(fault) as string });
        clock.move(minute / 2);
        expect(await read(offer)).toMatchObject({ stage: 'finished' });
        await running?.close();
      }
    },
  );

  it('two reads at once open one channel, and so does a read after a lost answer', async () => {
    const { offerOf, read, control } = await start({ openCallMs: 50 });
    const offer = await offerOf();
    control.pay();
    const both = await Promise.all([read(offer), read(offer)]);
    expect(both.map((one) => one?.stage)).toContain('finished');
    expect(both.every((one) => one?.stage === 'finished' || one?.stage === 'paid')).toBe(true);
    const { fundingTx } = control.order().channel ?? {};
    expect(await read(offer)).toMatchObject({ stage: 'finished', facts: { funding_outpoint: `${fundingTx?.id}:${fundingTx?.vout}` } });
    const second = await offerOf();
    control.pay(second.reservation?.upstreamOrderId);
    control.setFault({ endpoint: 'POST /channels/{id}/open', fault: 'lost-answer', times: 1 });
    expect(await read(second)).toMatchObject({ stage: 'paid' });
    expect(await read(second)).toMatchObject({ stage: 'finished' });
  });

  it.each(['canceled', 'refunded'] as const)('never opened: the money goes back by itself (%s)', async (cancelledBackWord) => {
    const { offerOf, read, control, clock } = await start({ connected: 'none', cancelledBackWord });
    const offer = await offerOf();
    control.pay();
    expect(await read(offer)).toMatchObject({ stage: 'paid' });
    clock.move(2 * day);
    expect(await read(offer, { nodePubkey, paymentSeen: true })).toMatchObject({ stage: 'refunded' });
  });

  it.each(['created', 'canceled'] as const)('never paid (%s)', async (unpaidWord) => {
    const { offerOf, read, clock } = await start({ unpaidWord });
    const offer = await offerOf();
    clock.move(2 * day);
    const evidence = await read(offer);
    expect([evidence?.stage, evidence?.moneySeen]).toEqual(['expired', undefined]);
  });

  it('without a proven node: the LNURL of the order, which the wallet redeems', async () => {
    const { adapter, offerOf, control, read } = await start({ lnurl: true });
    const { nodePubkey: _none, ...unproven } = { ...asked, firm: false };
    const estimate = await offerOf(unproven);
    expect(estimate.facts.delivered_as).toBe('redemption');
    const placed = await adapter.placeOrder(context, { quote: unproven, offer: estimate, inputs: {} });
    expect(placed).toMatchObject({ ok: true, value: { paymentInfo: { kind: 'invoice' } } });
    control.pay();
    const ours = { upstreamOrderId: control.order().id };
    const evidence = await read(estimate, ours);
    expect(evidence).toMatchObject({ stage: 'filled' });
    const { lnurl } = adapter.redemption?.(evidence ?? { rawStatus: '' }) ?? {};
    expect(lnurl).toMatch(/^LNURL1/);
    expect(control.order().channel).toBeUndefined();
    control.setOptions({ lnurl: false });
    const withheld = await adapter.placeOrder(context, { quote: unproven, offer: estimate, inputs: {} });
    expect(withheld).toMatchObject({ ok: true, value: { paymentInfo: { kind: 'none', problem: 'proof-required' } } });
  });
});

describe('on chain', () => {
  it('a part, then the rest, then the channel', async () => {
    const { offerOf, read, control } = await start();
    const offer = await offerOf(onchain);
    control.payOnchain(undefined, { sats: 1000 });
    expect(await read(offer)).toMatchObject({ stage: 'awaiting_payment' });
    control.mine();
    expect(await read(offer)).toMatchObject({ stage: 'underpaid', moneySeen: true });
    control.payOnchain(undefined, { sats: 1169 });
    control.mine();
    expect(await read(offer)).toMatchObject({ stage: 'finished' });
  });

  it('more than the price is a payment as well', async () => {
    const { offerOf, read, control } = await start();
    const offer = await offerOf(onchain);
    control.payOnchain(undefined, { sats: 5000 });
    control.mine();
    expect(await read(offer)).toMatchObject({ stage: 'finished' });
  });

  it.each<[string, Partial<SimulatorOptions>]>([
    ['an exact payment is too little', { exactIsTooLittle: true }],
    ['the order overlooks its payment', { stuck: true }],
  ])('%s: shown as paid, then a person must ask', async (_what, options) => {
    const { offerOf, read, control } = await start(options);
    const offer = await offerOf(onchain);
    control.payOnchain();
    control.mine();
    expect(await read(offer)).toMatchObject({ stage: 'paid', rawStatus: expect.stringContaining('confirmed 2169 of 2169') as string });
    control.mine(12);
    expect(await read(offer)).toMatchObject({ stage: 'review', moneySeen: true });
  });

  it('never opened: paid until the automatic refund comes, or a person is needed', async () => {
    const { offerOf, read, control, clock } = await start({ connected: 'none' });
    const offer = await offerOf(onchain);
    control.payOnchain();
    control.mine();
    expect(await read(offer)).toMatchObject({ stage: 'paid' });
    clock.move(2 * day);
    expect(await read(offer)).toMatchObject({ stage: 'paid', rawStatus: expect.stringContaining('refundavailable') as string });
    clock.move(10 * minute);
    expect(await read(offer)).toMatchObject({ stage: 'refunded' });
    control.setOptions({ automaticRefunds: false });
    const second = await offerOf(onchain);
    control.payOnchain(second.reservation?.upstreamOrderId);
    control.mine();
    clock.move(16 * day);
    expect(await read(second)).toMatchObject({ stage: 'review' });
  });

  it('a transaction that never confirms: expired, without money', async () => {
    const { offerOf, read, control, clock } = await start();
    const offer = await offerOf(onchain);
    control.payOnchain(undefined, { neverMined: true });
    clock.move(2 * day + 30 * minute);
    expect(await read(offer)).toMatchObject({ stage: 'awaiting_payment' });
    clock.move(30 * minute);
    const evidence = await read(offer);
    expect([evidence?.stage, evidence?.moneySeen]).toEqual(['expired', undefined]);
  });

  it('a payment that confirms within an hour after the end still opens the channel', async () => {
    const { offerOf, read, control, clock } = await start();
    const offer = await offerOf(onchain);
    control.payOnchain();
    clock.move(2 * day + 30 * minute);
    expect(await read(offer)).toMatchObject({ stage: 'awaiting_payment' });
    control.mine();
    expect(await read(offer)).toMatchObject({ stage: 'finished' });
  });

  it('a payment after the end is refunded, too', async () => {
    const { offerOf, read, control, clock } = await start();
    const offer = await offerOf(onchain);
    clock.move(2 * day);
    control.payOnchain();
    control.mine();
    expect(await read(offer)).toMatchObject({ stage: 'paid', moneySeen: true });
    clock.move(10 * minute);
    expect(await read(offer)).toMatchObject({ stage: 'refunded' });
  });

  it('by both ways: they are not added up, and the channel opens once', async () => {
    const { offerOf, read, control } = await start();
    const offer = await offerOf(onchain);
    control.payOnchain(undefined, { sats: 1000 });
    control.mine();
    control.pay();
    expect(await read(offer)).toMatchObject({ stage: 'finished' });
  });
});

it('an unknown order is none, and 429 tells how long to wait', async () => {
  const { adapter, offerOf, follow, control } = await start();
  const offer = await offerOf();
  expect(await adapter.readOrders(context, follow(offer, { upstreamOrderId: 'other' }))).toEqual({ ok: true, value: [] });
  control.setFault({ endpoint: '*', fault: '429', times: 1 });
  await expect(adapter.readOrders(context, follow(offer))).rejects.toMatchObject({ kind: 'rate-limited', retryAfterMs: 2000 });
});
