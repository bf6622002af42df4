/** Tests the adapter against a scripted seller: orders that it must not sell, the opening of channels, and answers that are lost. */
import { describe, expect, it } from 'vitest';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import { createGuard } from '../../resilience/guard.ts';
import { ProviderFault } from '../fault.ts';
import type { AdapterDeps, FollowedOrder, LiquidityAdapter, LiquidityQuoteRequest, PlacedOrder } from '../spec.ts';
import { provider } from './index.ts';

const now = Date.UTC(2026, 10, 21, 10, 15);
const end = now + 2 * 86_400_000;
const minute = 60_000;
const nodePubkey = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const key = '0296b2db342fcf87ea94d981757fdf4d3e545bd5cef4919f58b5d38dfdd73bf5c9';
const peer = `${key}@lsp.example:9735`;
const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const id = 'fa7e6d29-a04d-47ea-8db4-ec05f6b8601c';
const lnurl = encodeLnurl('https://blocktank.example/lnurl/channel?order_id=1').toLowerCase();
const invoiceOf = (sats: number, network: 'regtest' | 'main' = 'regtest', timestamp = now / 1000): string =>
  encodeInvoice({
    network,
    amountMsat: BigInt(sats) * 1000n,
    timestamp,
    expirySeconds: 3 * 86_400,
    paymentHash: '00'.repeat(32),
    paymentSecret: '11'.repeat(32),
    description: 'channel',
    payeePrivateKey: '22'.repeat(32),
  });
const options = { minChannelSizeSat: 1000, maxChannelSizeSat: 3_170_000, minExpiryWeeks: 1, maxExpiryWeeks: 53 };
const info = { nodes: [{ pubkey: key, connectionStrings: [`${key}@${'a'.repeat(56)}.onion:9735`, peer] }], options, onchain: { network: 'Regtest' } };
const payment = (more: object = {}) => ({
  state2: 'created',
  paidSat: 0,
  bolt11Invoice: { request: invoiceOf(2169), state: 'pending' },
  onchain: { address, confirmedSat: 0, requiredConfirmations: 1, transactions: [] },
  ...more,
});
const order = (more: object = {}) => ({
  id,
  state2: 'created',
  feeSat: 2169,
  lspBalanceSat: 1_000_000,
  clientBalanceSat: 0,
  channelExpiryWeeks: 5,
  channelExpiresAt: new Date(end + 35 * 86_400_000).toISOString(),
  orderExpiresAt: new Date(end).toISOString(),
  lspNode: info.nodes[0],
  payment: payment(),
  ...more,
});
const paid = { payment: payment({ state2: 'paid', bolt11Invoice: { request: invoiceOf(2169), state: 'holding' } }) };
const executed = order({
  state2: 'executed',
  payment: payment({ state2: 'paid' }),
  channel: { state: 'opening', fundingTx: { id: 'fa'.repeat(32), vout: 1 } },
});

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
const { nodePubkey: _none, ...unproven } = asked;
const { leaseBlocks: _lease, ...anyLease } = asked;
const context = { signal: new AbortController().signal, requestId: 'req_test' };

/** `never`: no answer until the call is aborted. */
type Answer = { status?: number; body?: unknown; text?: string; headers?: Record<string, string> } | 'lost' | 'never';
/** Answers each call with the next of the answers under its method and path; the last one is repeated. */
type Script = { [call: string]: Answer | Answer[] };
const start = (script: Script, settings: object = {}, more: Partial<AdapterDeps> = {}) => {
  const sent: { call: string; body: unknown }[] = [];
  const logged: unknown[] = [];
  const seen = new Map<string, number>();
  const deps: AdapterDeps = {
    providerId: 'blocktank',
    http: async ({ method, url, body, signal }) => {
      const call = `${method} ${url.replace('https://blocktank.example/api', '')}`;
      sent.push({ call, body: body === undefined ? undefined : (JSON.parse(body) as unknown) });
      const answers = [script[call] ?? (call === 'GET /info' ? { body: info } : { status: 404, text: 'not scripted' })].flat();
      const n = seen.get(call) ?? 0;
      seen.set(call, n + 1);
      const answer = answers[Math.min(n, answers.length - 1)];
      if (answer === 'never') await new Promise((done) => signal.addEventListener('abort', () => done(undefined)));
      if (answer === undefined || typeof answer === 'string') throw new ProviderFault('timeout', 'no answer');
      const { status = 200, text } = answer;
      const headers = { 'content-type': text === undefined ? 'application/json' : text.startsWith('<') ? 'text/html' : 'text/plain' };
      return await Promise.resolve({ status, headers: { ...headers, ...answer.headers }, body: new TextEncoder().encode(text ?? JSON.stringify(answer.body)) });
    },
    now: () => now,
    newId: () => 'id',
    log: (...line) => logged.push(line),
    network: 'regtest',
    mode: 'sandbox',
    secret: () => undefined,
    ...more,
  };
  const { liquidity: adapter } = provider.create(deps, provider.settings.parse({ base_url: 'https://blocktank.example/api/', ...settings }));
  if (!adapter) throw new Error('no liquidity');
  return { adapter, sent, logged, calls: () => sent.map(({ call }) => call) };
};
const offerOf = async (adapter: LiquidityAdapter, request: LiquidityQuoteRequest = asked): Promise<ProviderOffer> => {
  const answer = await adapter.quote(context, request);
  if (!answer.ok) throw new Error(`refused: ${answer.refusal.reason}`);
  return answer.value;
};
const placedOf = async (adapter: LiquidityAdapter, quote: LiquidityQuoteRequest, offer: ProviderOffer, inputs: object = {}): Promise<PlacedOrder> => {
  const answer = await adapter.placeOrder(context, { quote, offer, inputs });
  if (!answer.ok) throw new Error(`refused: ${answer.refusal.reason}`);
  return answer.value;
};
const followed: FollowedOrder = {
  orderId: 'ours',
  upstreamOrderId: id,
  createdOn: now,
  pay: 2169n,
  receive: 0n,
  fee: 2169n,
  upstream: { pay_with: 'lightning', announce: false },
  facts: { inbound_sats: 1_000_000 },
  nodePubkey,
};
const evidenceOf = async (adapter: LiquidityAdapter, more: Partial<FollowedOrder> = {}) => {
  const answer = await adapter.readOrders(context, { ...followed, ...more });
  return answer.ok ? answer.value[0] : answer.refusal;
};
const byWallet = (): Partial<FollowedOrder> => {
  const { nodePubkey: _key, ...rest } = followed;
  return { ...rest, ...({ nodePubkey: undefined } as object) };
};
const faultOf = async (call: Promise<unknown>) => {
  const error = await call.catch((thrown: unknown) => thrown);
  if (!(error instanceof ProviderFault)) throw new Error('no fault');
  const { kind, taken, orderMade, retryable } = error;
  return { kind, taken, orderMade, retryable };
};
const full = 'POST /channels/estimate-fee-full';

describe('estimates', () => {
  it('change nothing, need no node key, and are not binding', async () => {
    const { adapter, sent } = start({ [full]: { body: { feeSat: 2169, networkFeeSat: 1225, serviceFeeSat: 944 } } });
    expect(await adapter.quote(context, { ...unproven, firm: false })).toEqual({
      ok: true,
      value: {
        pay: 2169n,
        receive: 0n,
        fee: 2169n,
        binding: false,
        upstream: { pay_with: 'lightning', announce: false },
        facts: { inbound_sats: 1_000_000, lease_blocks: 5040, delivered_as: 'redemption', connect_to: peer },
        requires: [],
        warnings: [],
      },
    });
    expect(sent).toEqual([
      { call: 'GET /info', body: undefined },
      { call: full, body: { lspBalanceSat: 1_000_000, clientBalanceSat: 0, channelExpiryWeeks: 5, announceChannel: false } },
    ]);
  });

  it('an older server knows only the short form', async () => {
    const { adapter, calls } = start({ [full]: { status: 404, text: 'Cannot POST' }, 'POST /channels/estimate-fee': { body: { feeSat: 13_194 } } });
    expect(await offerOf(adapter, { ...asked, firm: false })).toMatchObject({ pay: 13_194n, fee: 13_194n, facts: { delivered_as: 'channel' } });
    expect(calls()).toEqual(['GET /info', full, 'POST /channels/estimate-fee']);
  });

  it('a large channel carries a warning', async () => {
    const large = { ...info, options: { ...options, maxChannelSizeSat: 50_000_000 } };
    const { adapter } = start({ 'GET /info': { body: large }, [full]: { body: { feeSat: 5000 } } });
    expect(await offerOf(adapter, { ...asked, amountSats: 17_000_000n, firm: false })).toMatchObject({ warnings: ['large-channel'] });
  });
});

describe('refusals', () => {
  const refusalOf = async (adapter: LiquidityAdapter, request: LiquidityQuoteRequest = asked) => {
    const answer = await adapter.quote(context, request);
    return answer.ok ? 'an offer' : answer.refusal;
  };

  it('what /info already says makes no order', async () => {
    const { adapter, calls } = start({});
    expect(await refusalOf(adapter, { ...asked, amountSats: 10_000n })).toMatchObject({ reason: 'below-minimum', limits: { minReceive: 20_000n } });
    expect(await refusalOf(adapter, { ...asked, leaseBlocks: 60_000 })).toEqual({ reason: 'lease-unsupported' });
    expect(await refusalOf(adapter, { ...asked, product: 'recharge' })).toEqual({ reason: 'option-unsupported' });
    expect(await refusalOf(adapter, { ...asked, payWith: 'liquid' })).toEqual({ reason: 'payment-method-unsupported' });
    expect(new Set(calls())).toEqual(new Set(['GET /info']));
  });

  it('a limit that moved between /info and the order is named', async () => {
    const lower = { ...info, options: { ...options, maxChannelSizeSat: 900_000 } };
    const { adapter } = start({ 'GET /info': [{ body: info }, { body: lower }], 'POST /channels': { status: 400, text: 'Channel too large' } });
    expect(await refusalOf(adapter)).toEqual({ reason: 'above-maximum', limits: { minReceive: 20_000n, maxReceive: 882_000n } });
  });

  it.each<[string, Answer, object]>([
    ['plain text', { status: 400, text: 'Bad request' }, { reason: 'declined', note: 'order-refused' }],
    [
      'a list of issues',
      { status: 400, body: { issues: [{ path: ['lspBalanceSat'], message: 'Expected number' }] } },
      { reason: 'declined', note: 'order-refused' },
    ],
    ['our country is blocked', { status: 403, body: { error: 'GEO_BLOCKED' } }, { reason: 'country-restricted' }],
  ])('%s in response to an order, and to an estimate', async (_what, answer, refusal) => {
    const { adapter } = start({ 'POST /channels': answer, [full]: answer });
    expect([await refusalOf(adapter), await refusalOf(adapter, { ...asked, firm: false })]).toEqual([refusal, refusal]);
  });

  it('our country is blocked: nothing is listed. A seller that does not say is not blocked', async () => {
    const blocked = start({ 'GET /geocheck': { status: 403, body: { error: 'GEO_BLOCKED' } } });
    expect(await blocked.adapter.catalogue(context)).toEqual({ ok: false, refusal: { reason: 'country-restricted' } });
    for (const script of [{}, { 'GET /geocheck': 'lost' as const }, { 'GET /geocheck': { body: { ok: true } } }])
      expect(await start(script).adapter.catalogue(context)).toMatchObject({ ok: true });
    const { adapter, calls } = start({}, { geocheck_path: null });
    await adapter.catalogue(context);
    expect(calls()).toEqual(['GET /info']);
  });

  it('a seller on another network sells nothing here', async () => {
    const { adapter, calls } = start({ 'GET /info': { body: { ...info, onchain: { network: 'Mainnet' } } } });
    expect(await adapter.catalogue(context)).toMatchObject({ ok: false, refusal: { reason: 'declined', note: 'not-on-sale' } });
    expect(await refusalOf(adapter)).toMatchObject({ reason: 'declined', note: 'not-on-sale' });
    expect(calls()).not.toContain('POST /channels');
  });

  it('on chain, nobody pays without a refund address: without it, only a person gets the money back', async () => {
    const { adapter, sent } = start({ 'POST /channels': { status: 201, body: order() } });
    expect(await refusalOf(adapter, { ...asked, payWith: 'onchain' })).toEqual({ reason: 'payment-method-unsupported', note: 'refund-address-required' });
    const offer = await offerOf(adapter, { ...asked, payWith: 'onchain', refundOnchain: address });
    expect(sent.at(-1)?.body).toMatchObject({ refundOnchainAddress: address });
    expect(offer).toMatchObject({ secret: address, expiresOn: end - 60 * minute });
  });
});

describe('orders', () => {
  const made = { 'POST /channels': { status: 201, body: order() } };

  it('a firm price is an order that is reserved until there is too little time to open', async () => {
    const { adapter, calls } = start(made);
    const offer = await offerOf(adapter);
    expect(offer).toEqual({
      pay: 2169n,
      receive: 0n,
      fee: 2169n,
      binding: true,
      expiresOn: end - 10 * minute,
      reservation: { upstreamOrderId: id, acceptUntil: end - 10 * minute },
      secret: invoiceOf(2169),
      upstream: { pay_with: 'lightning', announce: false, order_id: id },
      facts: { inbound_sats: 1_000_000, lease_blocks: 5040, delivered_as: 'channel', connect_to: peer, channel_expires_on: '2026-12-28T10:15:00.000Z' },
      requires: [],
      warnings: [],
    });
    const before = calls().length;
    expect(await placedOf(adapter, asked, offer)).toEqual({
      upstreamOrderId: id,
      stage: 'awaiting_payment',
      pay: 2169n,
      receive: 0n,
      fee: 2169n,
      expiresOn: end - 10 * minute,
      paymentInfo: { kind: 'invoice', value: invoiceOf(2169), amountSats: 2169n },
      facts: { delivered_as: 'channel' },
    });
    expect(calls().length).toBe(before);
  });

  it('a reservation that is over, or whose channel nobody could open, is not placed', async () => {
    const { adapter } = start(made);
    const offer = await offerOf(adapter);
    const place = async (quote: LiquidityQuoteRequest, one: ProviderOffer) => await adapter.placeOrder(context, { quote, offer: one, inputs: {} });
    expect(await place(asked, { ...offer, expiresOn: now })).toEqual({ ok: false, refusal: { reason: 'declined', note: 'reservation-ended' } });
    expect(await place(unproven, offer)).toEqual({ ok: false, refusal: { reason: 'proof-required' } });
  });

  it.each<[string, object]>([
    ['an invoice over another amount', { payment: payment({ bolt11Invoice: { request: invoiceOf(2170) } }) }],
    ['an invoice for another network', { payment: payment({ bolt11Invoice: { request: invoiceOf(2169, 'main') } }) }],
    ['an invoice that is over', { payment: payment({ bolt11Invoice: { request: invoiceOf(2169, 'regtest', now / 1000 - 3 * 86_400) } }) }],
    ['an invoice that is none', { payment: payment({ bolt11Invoice: { request: 'lnbcrt1' } }) }],
    ['no invoice', { payment: payment({ bolt11Invoice: null }) }],
    ['an address for another network', { payment: payment({ onchain: { address: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' } }) }],
    ['a node that /info does not name', { lspNode: { pubkey: nodePubkey, connectionStrings: [] } }],
    ['another balance of the seller', { lspBalanceSat: 999_999 }],
    ['a balance of the customer', { clientBalanceSat: 1 }],
    ['a shorter lease', { channelExpiryWeeks: 4 }],
    ['a channel that ends early', { channelExpiresAt: new Date(now + 33 * 86_400_000).toISOString() }],
    ['an end that is over', { orderExpiresAt: new Date(now).toISOString() }],
    ['an end that cannot be read', { orderExpiresAt: 'soon' }],
    ['no end', { orderExpiresAt: undefined }],
    ['a state that no new order has', { state2: 'expired' }],
    ['a payment that nobody made', paid],
  ])('%s: the order is not sold, and its id is kept', async (_what, wrong) => {
    const { adapter } = start({ 'POST /channels': { status: 201, body: order(wrong) } });
    expect(await faultOf(adapter.quote(context, asked))).toMatchObject({ kind: 'malformed', orderMade: id, taken: 'maybe' });
  });

  it("less than the customer's own balance is no price", async () => {
    const turbo = { ...asked, product: 'turbo', amountSats: 500_000n } as const;
    const less = order({
      lspBalanceSat: 500_000,
      clientBalanceSat: 500_000,
      feeSat: 499_999,
      payment: payment({ bolt11Invoice: { request: invoiceOf(499_999) } }),
    });
    expect(await faultOf(start({ 'POST /channels': { body: less } }).adapter.quote(context, turbo))).toMatchObject({ kind: 'malformed', orderMade: id });
  });

  it('the misspelt end of one sample counts', async () => {
    const { orderExpiresAt, ...rest } = order();
    const { adapter } = start({ 'POST /channels': { body: { ...rest, orderExiresAt: orderExpiresAt } } });
    expect(await offerOf(adapter)).toMatchObject({ expiresOn: end - 10 * minute });
  });

  it('too little time to pay on chain and to open: refused, and the order is counted', async () => {
    const short = order({ orderExpiresAt: new Date(now + 30 * minute).toISOString() });
    const { adapter } = start({ 'POST /channels': { body: short } });
    const answer = await adapter.quote(context, { ...asked, payWith: 'onchain', refundOnchain: address });
    expect(answer).toEqual({ ok: false, refusal: { reason: 'payment-method-unsupported', orderMade: id } });
    expect(await offerOf(adapter)).toMatchObject({ expiresOn: now + 20 * minute });
  });

  it('an estimate is ordered once, by one POST', async () => {
    const { adapter, calls } = start({ ...made, [full]: { body: { feeSat: 2169, networkFeeSat: 1225, serviceFeeSat: 944 } } });
    const quote = { ...asked, firm: false };
    expect(await placedOf(adapter, quote, await offerOf(adapter, quote))).toMatchObject({ upstreamOrderId: id, pay: 2169n, facts: { lease_blocks: 5040 } });
    expect(calls().filter((call) => call === 'POST /channels')).toHaveLength(1);
  });

  it.each<[string, LiquidityQuoteRequest, object, object]>([
    ['no lease was asked for, and the longest is now shorter', anyLease, options, { ...options, maxExpiryWeeks: 1 }],
    ['the shortest was longer than what was asked for', { ...asked, leaseBlocks: 1008 }, { ...options, minExpiryWeeks: 5 }, options],
  ])('an estimate is not ordered for a shorter lease than it promised, and nothing is sent: %s', async (_what, request, before, after) => {
    const quote = { ...request, firm: false };
    const { adapter, calls } = start({
      'GET /info': [{ body: { ...info, options: before } }, { body: { ...info, options: after } }],
      [full]: { body: { feeSat: 2169 } },
      'POST /channels': { status: 201, body: order({ channelExpiryWeeks: 1 }) },
    });
    const offer = await offerOf(adapter, quote);
    expect(offer.facts).toMatchObject({ lease_blocks: 5040 });
    expect(await adapter.placeOrder(context, { quote, offer, inputs: {} })).toEqual({ ok: false, refusal: { reason: 'lease-unsupported' } });
    expect(calls()).not.toContain('POST /channels');
  });

  it('without a proven node, an order is sold only if its LNURL opens the channel', async () => {
    const quote = { ...unproven, firm: false };
    const estimate = { [full]: { body: { feeSat: 2169 } } };
    const withIt = start({ ...estimate, 'POST /channels': { body: order({ lnurl }) } });
    const offer = await offerOf(withIt.adapter, quote);
    expect(await placedOf(withIt.adapter, quote, offer)).toMatchObject({ paymentInfo: { kind: 'invoice' }, facts: { delivered_as: 'redemption' } });
    const foreign = encodeLnurl('https://elsewhere.example/lnurl/channel?order_id=1');
    for (const wrong of [undefined, 'nonsense', foreign]) {
      const without = start({ 'POST /channels': { body: order({ lnurl: wrong }) } });
      expect(await placedOf(without.adapter, quote, offer)).toMatchObject({ upstreamOrderId: id, paymentInfo: { kind: 'none', problem: 'proof-required' } });
    }
    const allowed = start({ 'POST /channels': { body: order({ lnurl: foreign }) } }, {}, { payoutHosts: ['elsewhere.example'] });
    expect(await placedOf(allowed.adapter, quote, offer)).toMatchObject({ paymentInfo: { kind: 'invoice' } });
    const proofOnly = start(estimate, { open_by_lnurl: false });
    expect(await proofOnly.adapter.quote(context, quote)).toEqual({ ok: false, refusal: { reason: 'proof-required' } });
  });

  it.each<[string, Answer, object]>([
    ['no answer', 'lost', { kind: 'timeout', taken: 'maybe', orderMade: undefined }],
    ['a server error', { status: 500, body: {} }, { kind: 'server', taken: 'maybe', orderMade: undefined }],
    ['a page under 200', { status: 200, text: '<html>' }, { kind: 'malformed', taken: 'maybe' }],
    ['a page under 403', { status: 403, text: '<html>' }, { kind: 'malformed', taken: 'no' }],
    ['a time-out of the server', { status: 408, text: 'Request Timeout' }, { kind: 'server', taken: 'maybe' }],
    ['a sentence under 201', { status: 201, text: 'Created' }, { kind: 'malformed', taken: 'maybe' }],
  ])('%s to a new order may have left one', async (_what, answer, fault) => {
    expect(await faultOf(start({ 'POST /channels': answer }).adapter.quote(context, asked))).toMatchObject(fault);
  });

  it('/info that fails before an order leaves none', async () => {
    expect(await faultOf(start({ 'GET /info': 'lost' }).adapter.quote(context, asked))).toMatchObject({ kind: 'timeout', taken: 'no' });
  });
});

describe('opening', () => {
  const path = `/channels/${id}`;
  const opens = `POST ${path}/open`;
  const refusedBy = (code: string, member = 'code'): Answer => ({ status: 412, body: { name: 'ChannelOpenError', [member]: code, message: 'x', details: '' } });

  it('the first read that shows the payment has the channel opened, for the proven node', async () => {
    const { adapter, sent } = start({ [`GET ${path}`]: { body: order(paid) }, [opens]: { body: executed } });
    expect(await evidenceOf(adapter)).toEqual({
      upstreamOrderId: id,
      stage: 'finished',
      rawStatus: 'executed/paid/invoice pending/channel opening, paid 0, confirmed 0 of 2169',
      pay: 2169n,
      receive: 0n,
      fee: 2169n,
      moneySeen: true,
      expiresOn: end - 10 * minute,
      facts: { funding_outpoint: `${'fa'.repeat(32)}:1`, channel_expires_on: '2026-12-28T10:15:00.000Z' },
    });
    expect(sent.at(-1)).toEqual({ call: opens, body: { connectionStringOrPubkey: nodePubkey, announceChannel: false } });
  });

  it('an unpaid order is not opened', async () => {
    const { adapter, calls } = start({ [`GET ${path}`]: { body: order() } });
    expect(await evidenceOf(adapter)).toMatchObject({ stage: 'awaiting_payment' });
    expect(calls()).toEqual([`GET ${path}`]);
  });

  it('a node that cannot be reached: the order stays paid, says where to connect, and is tried every half minute until its end', async () => {
    let at = now;
    const script = { [`GET ${path}`]: { body: order(paid) }, [opens]: [refusedBy('PEER_NOT_REACHABLE'), { body: executed }] };
    const { adapter, calls } = start(script, {}, { now: () => at });
    const first = await evidenceOf(adapter);
    expect(first).toMatchObject({ stage: 'paid', moneySeen: true, facts: { connect_to: peer } });
    at += 29_999;
    expect(await evidenceOf(adapter)).toEqual(first);
    expect(calls()).toEqual([`GET ${path}`, opens, `GET ${path}`]);
    at += 1;
    expect(await evidenceOf(adapter)).toMatchObject({ stage: 'finished' });
    const late = start(script, {}, { now: () => end });
    expect(await evidenceOf(late.adapter)).toMatchObject({ stage: 'paid' });
    expect(late.calls()).toEqual([`GET ${path}`]);
  });

  it.each<[string, Answer, string]>([
    ['rejected by the node', refusedBy('CHANNEL_REJECTED_BY_DESTINATION'), 'CHANNEL_REJECTED_BY_DESTINATION'],
    ['rejected by the seller, in the member of the client', refusedBy('CHANNEL_REJECTED_BY_LSP', 'type'), 'CHANNEL_REJECTED_BY_LSP'],
    ['not ready', refusedBy('BLOCKTANK_NOT_READY'), 'BLOCKTANK_NOT_READY'],
    ['an unknown code', refusedBy('MOON_PHASE'), 'UNKNOWN_ERROR'],
    ['no answer', 'lost', 'open-failed'],
    ['a server error', { status: 500, body: {} }, 'open-failed'],
    ['an answer without an order', { body: {} }, 'open-failed'],
  ])('%s: what the read said still counts', async (_what, answer, problem) => {
    const { adapter, logged } = start({ [`GET ${path}`]: { body: order(paid) }, [opens]: answer });
    expect(await evidenceOf(adapter)).toMatchObject({ stage: 'paid', moneySeen: true, rawStatus: expect.stringContaining(problem) as string });
    expect(logged).toHaveLength(1);
  });

  it.each([
    ['as long as the seller asks', { 'retry-after': '120' }, 120_000],
    ['half a minute if it does not say for how long', {}, 30_000],
  ])('a seller that limits our openings is left in peace %s, and every order is read all the same', async (_what, headers, waitMs) => {
    let at = now;
    const script = { [`GET ${path}`]: { body: order(paid) }, [opens]: [{ status: 429, body: {}, headers }, { body: executed }] };
    const { adapter, calls } = start(script, {}, { now: () => at });
    expect(await evidenceOf(adapter)).toMatchObject({ stage: 'paid', moneySeen: true });
    at += waitMs - 1;
    expect(await evidenceOf(adapter)).toMatchObject({ stage: 'paid', moneySeen: true });
    expect(calls()).toEqual([`GET ${path}`, opens, `GET ${path}`]);
    at += 1;
    expect(await evidenceOf(adapter)).toMatchObject({ stage: 'finished' });
  });

  describe('of one order does not stop those of others', () => {
    const minutes40 = now + 40 * minute;
    const victim = 'b7e6d29a-04d4-47ea-8db4-ec05f6b8601c';
    const hour = { status: 429, body: {}, headers: { 'retry-after': '3600' } };
    /** Openings of orders named `limited…` get a 429 that asks to wait for an hour; others get a channel. */
    const world = (ends = minutes40) => {
      let at = now;
      const sent: string[] = [];
      const { adapter } = start(
        {},
        {},
        {
          now: () => at,
          http: async ({ method, url }) => {
            const [, named = ''] = /channels\/([^/]+)/.exec(url) ?? [];
            if (method === 'POST') sent.push(named);
            const isLimited = method === 'POST' && named.startsWith('limited');
            const body = method === 'POST' ? executed : order({ ...paid, orderExpiresAt: new Date(ends).toISOString() });
            const headers = { 'content-type': 'application/json', ...(isLimited ? hour.headers : {}) };
            const text = JSON.stringify(isLimited ? {} : { ...body, id: named });
            return await Promise.resolve({ status: isLimited ? 429 : 200, headers, body: new TextEncoder().encode(text) });
          },
        },
      );
      const stageOf = async (upstreamOrderId: string, nodePubkey: string = upstreamOrderId) => {
        const evidence = await evidenceOf(adapter, { upstreamOrderId, nodePubkey });
        return evidence && 'stage' in evidence ? evidence.stage : undefined;
      };
      return { stageOf, sent, move: (ms: number) => (at += ms) };
    };

    it('if it is limited, that order waits as long as the seller asks, and no other', async () => {
      const { stageOf, sent } = world(end);
      expect([await stageOf('limited-1'), await stageOf('limited-1'), await stageOf(victim)]).toEqual(['paid', 'paid', 'finished']);
      expect(sent).toEqual(['limited-1', victim]);
    });

    it('but all wait 8 seconds once the openings of five nodes were limited; one node counts once', async () => {
      const { stageOf, move } = world();
      for (const n of [1, 2, 3, 4, 5, 6]) await stageOf(`limited-${n}`, 'one node');
      expect(await stageOf(victim)).toBe('finished');
      for (const n of [11, 12, 13, 14, 15]) await stageOf(`limited-${n}`);
      expect(await stageOf(victim)).toBe('paid');
      move(7_999);
      expect(await stageOf(victim)).toBe('paid');
      move(1);
      expect(await stageOf(victim)).toBe('finished');
    });

    it('nor do limited openings with channels opened in between, or with a minute between them', async () => {
      const { stageOf, move } = world();
      for (const n of [1, 2, 3, 4]) await stageOf(`limited-${n}`);
      expect(await stageOf(victim)).toBe('finished');
      for (const n of [11, 12, 13, 14]) await stageOf(`limited-${n}`);
      move(minute);
      await stageOf('limited-15');
      expect(await stageOf(victim)).toBe('finished');
    });

    it('a wait takes at most half of the time that the order has left, so it never outlasts the order', async () => {
      const { stageOf, sent, move } = world();
      await stageOf('limited-1');
      move((40 * minute) / 3 - 1);
      await stageOf('limited-1');
      expect(sent).toHaveLength(1);
      move(1);
      await stageOf('limited-1');
      expect(sent).toHaveLength(2);
      move((40 * minute * 2) / 3 - 2);
      await stageOf('limited-1');
      expect(sent).toHaveLength(3);
    });
  });

  it('an opening whose answer was lost: the next one finds the order in another state, and reads it again', async () => {
    const { adapter, calls } = start({ [`GET ${path}`]: [{ body: order(paid) }, { body: executed }], [opens]: refusedBy('WRONG_ORDER_STATE') });
    expect(await evidenceOf(adapter)).toMatchObject({ stage: 'finished', facts: { funding_outpoint: `${'fa'.repeat(32)}:1` } });
    expect(calls()).toEqual([`GET ${path}`, opens, `GET ${path}`]);
  });

  it.each<[string, { [call: string]: Answer | Answer[] }]>([
    ['an opening that is never answered', { [`GET ${path}`]: { body: order(paid) }, [opens]: 'never' }],
    ['a read after it that is never answered', { [`GET ${path}`]: [{ body: order(paid) }, 'never'], [opens]: refusedBy('WRONG_ORDER_STATE') }],
  ])('%s does not use up the time of the read: the gateway learns that the order is paid', async (_what, script) => {
    const { adapter, calls } = start(script);
    const guard = createGuard(
      {
        breaker: { volumeThreshold: 5, errorPercent: 50, windowMs: 30_000, resetMs: 10_000, resetMaxMs: 300_000 },
        bulkhead: { inFlight: 8, queue: 16, queueAgeMs: 200 },
        retryAttempts: 1,
        lateGraceMs: 0,
        timeoutMs: { status: 1000 },
      },
      { now: () => now, random: () => 0.5 },
    );
    const answer = await guard.call('status', { deadlineMs: 8000, idempotent: true }, (signal, endsOn) =>
      adapter.readOrders({ ...context, signal, endsOn }, followed),
    );
    expect(answer).toMatchObject({ ok: true, value: [{ stage: 'paid', moneySeen: true, rawStatus: expect.stringContaining('open-failed') as string }] });
    expect(calls()).toEqual([`GET ${path}`, opens, `GET ${path}`].slice(0, Object.values(script).flat().length));
  });

  it('without a proven node, the wallet redeems the LNURL: nothing is opened here', async () => {
    const { adapter, calls } = start({ [`GET ${path}`]: { body: order({ ...paid, lnurl }) } });
    const evidence = await evidenceOf(adapter, byWallet());
    expect(evidence).toMatchObject({ stage: 'filled', secret: { lnurl } });
    expect(calls()).toEqual([`GET ${path}`]);
    expect(adapter.redemption?.({ rawStatus: '', secret: { lnurl } })).toEqual({ lnurl: lnurl.toUpperCase() });
    expect([adapter.redemption?.({ rawStatus: '', secret: { lnurl: 'nonsense' } }), adapter.redemption?.({ rawStatus: '' })]).toEqual([undefined, undefined]);
  });

  it('an unpaid order shows no LNURL, and a paid one without an LNURL waits', async () => {
    const script = { [`GET ${path}`]: [{ body: order({ lnurl }) }, { body: order(paid) }] };
    const { adapter } = start(script);
    expect(await evidenceOf(adapter, byWallet())).not.toHaveProperty('secret');
    expect(await evidenceOf(adapter, byWallet())).toMatchObject({ stage: 'paid' });
  });
});

const refusedToOpen: Answer = { status: 412, body: { code: 'PEER_NOT_REACHABLE' } };

describe('reading', () => {
  const path = `GET /channels/${id}`;
  it('an order that is unknown, and answers that say nothing about it', async () => {
    const read = async (answer: Answer) => await start({ [path]: answer }).adapter.readOrders(context, followed);
    expect(await read({ status: 404, text: 'Not found' })).toEqual({ ok: true, value: [] });
    expect(await read({ status: 404, body: { message: 'Order not found' } })).toEqual({ ok: true, value: [] });
    expect(await faultOf(read({ status: 404, text: '<html>' }))).toMatchObject({ kind: 'malformed' });
    expect(await faultOf(read({ status: 404, text: `Cannot GET /channels/${id}` }))).toMatchObject({ kind: 'malformed' });
    expect(await faultOf(read({ status: 400, body: {} }))).toMatchObject({ kind: 'server' });
    expect(await faultOf(read({ body: order({ id: 'other' }) }))).toMatchObject({ kind: 'malformed' });
  });

  it('without an id nothing can be said: Blocktank lists no orders', async () => {
    const { adapter, calls } = start({});
    expect(await adapter.readOrders(context)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'orders-not-listed' } });
    expect(calls()).toEqual([]);
  });

  it('a hold invoice that was released is a refund, if its payment was seen', async () => {
    const over = { state2: 'expired', payment: payment({ state2: 'canceled' }) };
    const { adapter } = start({ [path]: { body: order(over) } });
    expect(await evidenceOf(adapter, { paymentSeen: true })).toMatchObject({ stage: 'refunded' });
    expect(await evidenceOf(adapter)).toMatchObject({ stage: 'expired' });
  });

  it.each<[string, object]>([
    ["another balance on the seller's side", { lspBalanceSat: 900_000 }],
    ["another balance on the customer's side", { clientBalanceSat: 1 }],
    ['a shorter lease', { channelExpiryWeeks: 4 }],
    ['an earlier end of the channel', { channelExpiresAt: new Date(end + 33 * 86_400_000).toISOString() }],
    ['another node', { lspNode: { pubkey: nodePubkey, connectionStrings: [`${nodePubkey}@elsewhere.example:9735`] } }],
  ])('%s than was ordered needs a person, and the channel is not opened', async (_what, other) => {
    const { adapter, calls } = start({ [path]: { body: order({ ...paid, ...other }) }, [`POST /channels/${id}/open`]: refusedToOpen });
    const facts = { inbound_sats: 1_000_000, lease_blocks: 5040, connect_to: peer, channel_expires_on: '2026-12-28T10:15:00.000Z' };
    const evidence = await evidenceOf(adapter, { facts });
    expect(evidence).toMatchObject({ stage: 'review', moneySeen: true });
    // What was promised stays with the order, so that the next read finds the same difference.
    expect({ ...facts, ...(evidence as { facts?: object }).facts }).toEqual(facts);
    expect(calls()).toEqual([path]);
  });

  it.each<[string, object, object?]>([
    ['a price that is no number', { feeSat: 'paid' }],
    ['a lease that is no number', { channelExpiryWeeks: 'five' }],
    ['a node without a key', { lspNode: { pubkey: 'LSP' } }],
    ['a channel that is only a word', { channel: 'open' }],
    ['an invoice that is no text', {}, { bolt11Invoice: { request: { paid: true }, state: 'holding' } }],
    ['an address that is no text', {}, { onchain: { address: 7 } }],
  ])('%s does not hide that the order was paid, and nothing is opened', async (_what, other, way = {}) => {
    const body = (state: object) => ({ body: order({ ...other, payment: payment({ ...way, ...state }) }) });
    for (const state of [{ state2: 'paid' }, { state2: 'refundAvailable' }, { state: 'partiallyPaid' }, { paidSat: 2169 }]) {
      const { adapter, calls } = start({ [path]: body(state) });
      expect(await evidenceOf(adapter)).toMatchObject({ upstreamOrderId: id, stage: 'review', moneySeen: true });
      expect(calls()).toEqual([path]);
    }
    // Without any money, such an answer is malformed. Nothing is lost by that, since the order is read again later.
    for (const state of [{ bolt11Invoice: { request: {}, state: 'pending' } }, { state2: 'canceled', bolt11Invoice: { request: {}, state: 'canceled' } }])
      expect(await faultOf(evidenceOf(start({ [path]: body(state) }).adapter))).toMatchObject({ kind: 'malformed' });
  });

  it('a part that cannot be read takes nothing from what redeems the channel', async () => {
    const { adapter } = start({ [path]: { body: order({ ...paid, lnurl, feeSat: 'paid' }) } });
    expect(await evidenceOf(adapter, byWallet())).toMatchObject({ stage: 'review', moneySeen: true, secret: { lnurl } });
  });

  it('a difference takes nothing from what redeems the channel', async () => {
    const { adapter } = start({ [path]: { body: order({ ...paid, lnurl, lspBalanceSat: 900_000 }) } });
    const evidence = await evidenceOf(adapter, { ...byWallet(), facts: { inbound_sats: 1_000_000 } });
    expect(evidence).toMatchObject({ stage: 'review', moneySeen: true, secret: { lnurl } });
  });

  it('no fee is below nothing', async () => {
    const { adapter } = start({ [path]: { body: order({ clientBalanceSat: 2170 }) } });
    const evidence = await evidenceOf(adapter, { receive: 2170n });
    expect(evidence).toMatchObject({ pay: 2169n, receive: 2170n });
    expect(evidence).not.toHaveProperty('fee');
  });

  it('balances and a lease that the seller does not repeat are no difference', async () => {
    const said = order({ ...paid, lspBalanceSat: undefined, clientBalanceSat: undefined, channelExpiryWeeks: undefined });
    const { adapter } = start({ [path]: { body: said }, [`POST /channels/${id}/open`]: { body: executed } });
    expect(await evidenceOf(adapter, { facts: { inbound_sats: 1_000_000, lease_blocks: 5040 } })).toMatchObject({ stage: 'finished' });
  });
});
