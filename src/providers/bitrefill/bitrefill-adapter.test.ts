/** Tests the real adapter against the simulator over real HTTP. */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { startWebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { decodeLnurl } from '../../bitcoin/lnurl.ts';
import { createUndiciHttp } from '../../entry/http-undici.ts';
import type { Answer, CallContext, FollowedOrder, LiquidityProduct, LiquidityQuoteRequest, OrderEvidence, OrderInputs, PlacedOrder } from '../spec.ts';
import { readNotice } from './bitrefill-notice.ts';
import { startBitrefillSimulator, type SimulatorOptions } from './bitrefill.simulator.ts';
import { provider } from './index.ts';

const everyMethod = ['lightning', 'lightning-ltc', 'bitcoin', 'ethereum', 'litecoin', 'dash', 'dogecoin'];
const valueOf = <T>(answer: Answer<T>): T => {
  if (answer.ok) return answer.value;
  throw new Error(`refused: ${answer.refusal.reason} ${answer.refusal.note ?? ''}`);
};

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of running.splice(0)) await close();
});

const start = async (simulation: Partial<SimulatorOptions> = {}, block: object = {}, secrets: Record<string, string> = {}) => {
  const simulator = await startBitrefillSimulator({ id: 'bitrefill', ...simulation });
  const undici = createUndiciHttp();
  running.push(async () => {
    await simulator.close();
    await undici.close();
  });
  const { control } = simulator;
  const logs: string[] = [];
  const known: Record<string, string> = { THOR_KEY: 'thor-key', THOR_SECRET: 'thor-secret', ...secrets };
  const settings = provider.settings.parse({
    base_url: simulator.baseUrl,
    api_key_env: 'THOR_KEY',
    api_secret_env: 'THOR_SECRET',
    receipt_email: 'shop@example.com',
    ...block,
  });
  const deps = {
    providerId: 'bitrefill',
    http: undici.http,
    now: () => Date.now() + control.state.clockOffsetMs,
    newId: randomUUID,
    log: (level: string, event: string, fields: object = {}) => void logs.push(`${level} ${event} ${JSON.stringify(fields)}`),
    network: 'regtest',
    mode: 'sandbox',
    secret: (name: string) => known[name],
  } as const;
  const { liquidity: adapter } = provider.create(deps, settings);
  if (!adapter) throw new Error('no liquidity ramp');

  const call = (more: Partial<CallContext> = {}): CallContext => ({ signal: AbortSignal.timeout(5_000), requestId: 'r', idempotencyKey: 'intent-1', ...more });
  const requestFor = (product: LiquidityProduct, amountSats: bigint, payWith = 'lightning'): LiquidityQuoteRequest => ({
    ramp: 'liquidity',
    product,
    amountSats,
    payWith,
    announce: false,
    firm: false,
  });
  const quote = async (product: LiquidityProduct, amountSats: bigint, payWith?: string) =>
    await adapter.quote(call(), requestFor(product, amountSats, payWith));
  type Placing = { payWith?: string; inputs?: OrderInputs; noticeUrl?: string; context?: Partial<CallContext>; before?: () => void };
  const place = async (product: LiquidityProduct, amountSats: bigint, more: Placing = {}): Promise<Answer<PlacedOrder>> => {
    const { payWith = 'lightning', inputs = {}, noticeUrl, context, before } = more;
    const offer = valueOf(await quote(product, amountSats, payWith));
    before?.();
    const notice = noticeUrl === undefined ? {} : { noticeUrl };
    return await adapter.placeOrder(call(context), { quote: requestFor(product, amountSats, payWith), offer, inputs, ...notice });
  };
  const followed = (order: PlacedOrder): FollowedOrder => ({
    orderId: 'ours',
    upstreamOrderId: order.upstreamOrderId ?? '',
    createdOn: Date.now(),
    pay: order.pay,
    receive: order.receive,
    fee: order.fee,
    upstream: {},
    facts: {},
  });
  const read = async (order: PlacedOrder): Promise<OrderEvidence[]> => valueOf(await adapter.readOrders(call(), followed(order)));
  const stage = async (order: PlacedOrder): Promise<unknown> => (await read(order))[0]?.stage;
  const sent = (endpoint: string) => control.state.requests.filter((one) => one.endpoint === endpoint).map((one) => one.body);
  return { simulator, control, adapter, logs, call, requestFor, quote, place, read, stage, sent };
};
const idOf = (order: PlacedOrder): string => order.upstreamOrderId ?? '';
const ownInvoice = (sats: bigint, more: { expirySeconds?: number } = {}): string =>
  encodeInvoice({
    network: 'regtest',
    amountMsat: sats * 1000n,
    timestamp: Math.floor(Date.now() / 1000),
    paymentHash: '01'.repeat(32),
    paymentSecret: '02'.repeat(32),
    description: 'mine',
    payeePrivateKey: '11'.repeat(32),
    ...more,
  });

describe('what is on sale', () => {
  it('a self-test comes first, then one call with credentials for each of three products and its range', async () => {
    const { adapter, call, control } = await start({ step: 5 }, { payment_methods: ['lightning', 'bitcoin', 'dash'], pay_with_balance: true });
    const payWith = ['lightning', 'onchain', 'dash', 'balance'];
    expect(valueOf(await adapter.catalogue(call()))).toEqual([
      { product: 'recharge', minSats: 500n, maxSats: 4_294_967n, stepSats: 5n, payWith, peers: [] },
      { product: 'inbound', minSats: 500_000n, maxSats: 16_777_215n, stepSats: 5n, payWith, peers: [] },
      { product: 'turbo', minSats: 500_000n, maxSats: 8_388_607n, stepSats: 5n, payWith, peers: [] },
    ]);
    expect(control.state.requests.map((one) => [one.endpoint, one.authorized])).toEqual([
      ['GET /test', true],
      ['GET /inventory/{slug}', true],
      ['GET /inventory/{slug}', true],
      ['GET /inventory/{slug}', true],
    ]);
  });
  it.each(['message', 'error-200', 'error-message-200', 'v2'] as const)('what is gone is left out, said as %s', async (errorShape) => {
    const { adapter, call, quote } = await start({ slugs: ['lightning-channel'], errorShape });
    expect(valueOf(await adapter.catalogue(call())).map((one) => one.product)).toEqual(['inbound']);
    expect(await quote('turbo', 500_000n)).toEqual({ ok: false, refusal: { reason: 'option-unsupported', note: 'not-on-sale', detail: 'not_found' } });
  });
  it('packages instead of a range', async () => {
    const packages = { 'lightning-channel': ['5000000', '2000000'].map((value) => ({ value, satoshiPrice: Number(value) / 25 })) };
    const { adapter, call, quote } = await start({ packages, slugs: ['lightning-channel'] });
    expect(valueOf(await adapter.catalogue(call()))).toMatchObject([{ minSats: 2_000_000n, maxSats: 5_000_000n, stepSats: 3_000_000n }]);
    expect(valueOf(await quote('inbound', 2_000_000n)).pay).toBe(80_000n);
    expect(await quote('inbound', 3_000_000n)).toMatchObject({ ok: false, refusal: { reason: 'off-step', detail: 'nearest: 2000000, 5000000' } });
  });
  it('wrong credentials are the operator’s fault; missing ones send nothing', async () => {
    const wrong = await start({}, {}, { THOR_SECRET: 'other' });
    await expect(wrong.quote('inbound', 500_000n)).rejects.toMatchObject({ kind: 'rejected-credentials', taken: 'no' });
    await expect(wrong.adapter.catalogue(wrong.call())).rejects.toMatchObject({ kind: 'rejected-credentials' });
    const missing = await start({}, {}, { THOR_SECRET: '' });
    await expect(missing.quote('inbound', 500_000n)).rejects.toThrow('the variable THOR_SECRET is not set');
    expect(missing.control.state.requests).toEqual([]);
  });
  it('the self-test can be another one, or none', async () => {
    const none = await start({}, { self_test_path: null, products: ['inbound'] });
    await none.adapter.catalogue(none.call());
    expect(none.sent('GET /test')).toEqual([]);
  });
});

describe('prices', () => {
  it.each([
    ['recharge', 100_000n, { pay: 102_400n, receive: 100_000n, fee: 2_400n, requires: ['invoice'] }],
    ['inbound', 1_000_000n, { pay: 25_300n, receive: 0n, fee: 25_300n, requires: [] }],
    ['turbo', 1_000_000n, { pay: 1_057_100n, receive: 1_000_000n, fee: 57_100n, requires: [] }],
  ] as const)('%s', async (product, sats, offer) => {
    const { quote } = await start();
    expect(valueOf(await quote(product, sats))).toMatchObject({ ...offer, binding: false, facts: { inbound_sats: product === 'recharge' ? 0 : Number(sats) } });
  });
  it('move with the BTC/EUR quote', async () => {
    const { control, quote } = await start();
    control.moveQuote(1_000);
    expect(valueOf(await quote('inbound', 1_000_000n)).pay).toBe(23_000n);
  });
  it('limits and ways to pay are refusals', async () => {
    const { quote, sent } = await start({ step: 1_000 }, { products: ['inbound', 'turbo'] });
    const limits = { minReceive: 500_000n, maxReceive: 16_777_215n };
    expect(await quote('inbound', 499_999n)).toEqual({ ok: false, refusal: { reason: 'below-minimum', limits } });
    expect(await quote('inbound', 16_777_216n)).toEqual({ ok: false, refusal: { reason: 'above-maximum', limits } });
    expect(await quote('inbound', 500_001n)).toEqual({ ok: false, refusal: { reason: 'off-step', limits, detail: 'nearest: 500000, 501000' } });
    const asked = sent('GET /inventory/{slug}').length;
    expect(await quote('recharge', 1_000n)).toEqual({ ok: false, refusal: { reason: 'option-unsupported' } });
    expect(await quote('inbound', 500_000n, 'dash')).toEqual({ ok: false, refusal: { reason: 'payment-method-unsupported' } });
    expect(await quote('inbound', 500_000n, 'balance')).toEqual({ ok: false, refusal: { reason: 'payment-method-unsupported' } });
    expect(sent('GET /inventory/{slug}')).toHaveLength(asked);
  });
});

describe('a channel', () => {
  it('ordered, paid, redeemed: the LNURL leads to a channel, once', async () => {
    const { control, adapter, place, read, sent } = await start({ oldChannelRequest: true });
    const order = valueOf(await place('turbo', 1_000_000n, { inputs: { email: 'alice@example.com' } }));
    expect(order).toMatchObject({
      stage: 'awaiting_payment',
      receive: 1_000_000n,
      pay: 1_057_090n,
      fee: 57_090n,
      paymentInfo: { kind: 'invoice', amountSats: 1_057_090n },
    });
    expect(sent('POST /order')).toEqual([
      {
        operatorSlug: 'turbo-lightning-channel',
        valuePackage: '1000000',
        email: 'alice@example.com',
        sendEmail: true,
        userRef: 'intent-1',
        paymentMethod: 'lightning',
      },
    ]);
    const [before] = await read(order);
    expect([before?.stage, before?.secret]).toEqual(['awaiting_payment', undefined]);

    await control.pay((order.paymentInfo as { value: string }).value);
    const [evidence] = await read(order);
    expect(evidence).toMatchObject({ stage: 'filled', rawStatus: 'success', pay: 1_057_090n });
    const redemption = adapter.redemption?.(evidence!);
    expect(redemption).toEqual({ lnurl: expect.stringMatching(/^LNURL1/) as unknown, link: expect.stringContaining('/thor/') as unknown });

    const url = decodeLnurl(redemption?.lnurl ?? '', { loopbackHttp: true }) ?? '';
    const first = (await (await fetch(url)).json()) as { tag: string; uri: string; callback: string; k1: string; capacity: number; push: number };
    expect(first).toMatchObject({ tag: 'channelRequest', capacity: 2_000_000, push: 1_000_000 });
    const second = async (query: string): Promise<unknown> => await (await fetch(`${first.callback}?k1=${first.k1}&${query}`)).json();
    const remoteid = `03${'ab'.repeat(32)}`;
    expect(await second('remoteid=nobody&private=0')).toMatchObject({ status: 'ERROR' });
    expect(await second(`remoteid=${remoteid}&private=1`)).toEqual({ status: 'OK' });
    expect(control.state.channels).toEqual([{ k1: first.k1, remoteid, private: true, capacity: 2_000_000, push: 1_000_000 }]);
    expect([await second(`remoteid=${remoteid}&private=1`), await (await fetch(url)).json()]).toMatchObject([{ status: 'ERROR' }, { status: 'ERROR' }]);
    // The API does not show whether the order was redeemed, so the stage stays `filled`.
    expect((await read(order))[0]?.stage).toBe('filled');
  });
  it('the callback returns OK but no channel opens: the order stays filled', async () => {
    const { simulator, control, place, stage } = await start({ opensChannels: false });
    const order = valueOf(await place('inbound', 500_000n));
    await control.pay(idOf(order));
    const callback = `${simulator.baseUrl}/thor?k1=${control.order(idOf(order)).k1}&remoteid=03${'ab'.repeat(32)}&private=0`;
    expect(await (await fetch(callback)).json()).toEqual({ status: 'OK' });
    expect([control.state.channels, await stage(order)]).toEqual([[], 'filled']);
  });
  it.each(everyMethod)('paid by %s', async (payWith) => {
    const { control, place, stage, sent } = await start({}, { payment_methods: everyMethod });
    const order = valueOf(await place('inbound', 500_000n, { payWith: payWith === 'bitcoin' ? 'onchain' : payWith }));
    const kind = payWith === 'lightning' ? 'invoice' : payWith === 'bitcoin' ? 'onchain' : 'altcoin';
    const pay = payWith === 'lightning' ? 17_616n : 17_700n;
    expect([order.paymentInfo.kind, order.pay, sent('POST /order')[0]?.['paymentMethod']]).toEqual([kind, pay, payWith]);
    await control.pay(idOf(order));
    expect(await stage(order)).toBe('filled');
  });
  it('15 minutes on chain, 20 by Lightning, less the margin', async () => {
    const { place } = await start();
    const lives = [];
    for (const payWith of ['onchain', 'lightning']) {
      const { expiresOn = 0 } = valueOf(await place('inbound', 500_000n, { payWith }));
      lives.push(Math.round((expiresOn - Date.now()) / 60_000));
    }
    expect(lives).toEqual([14, 19]);
  });
  it('a refund address is sent with methods that refund in bitcoin, and must be valid', async () => {
    const { place, sent } = await start({}, { payment_methods: ['lightning', 'dash'] });
    const refundOnchain = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
    valueOf(await place('inbound', 500_000n, { inputs: { refundOnchain } }));
    valueOf(await place('inbound', 500_000n, { payWith: 'dash', inputs: { refundOnchain } }));
    expect(sent('POST /order').map((body) => body['refund_address'])).toEqual([refundOnchain, undefined]);
    const bad = await place('inbound', 500_000n, { inputs: { refundOnchain: '1fdsfjakiwlewkld3845kd8' } });
    expect(bad).toEqual({ ok: false, refusal: { reason: 'declined', note: 'address-invalid' } });
    expect(sent('POST /order')).toHaveLength(2);
  });
});

describe('a recharge', () => {
  it("pays the customer's invoice; without a status word, the booleans give waiting, sent and delivered", async () => {
    const { control, place, stage, sent } = await start();
    const invoice = ownInvoice(1_000n);
    const order = valueOf(await place('recharge', 1_000n, { inputs: { invoice } }));
    expect(order).toMatchObject({ rawStatus: 'no status', pay: 1_321n, receive: 1_000n, fee: 321n });
    expect(sent('POST /order')[0]).toMatchObject({ number: invoice, valuePackage: '1000', operatorSlug: 'lightning-recharge' });
    const stages = [await stage(order)];
    control.send(idOf(order));
    stages.push(await stage(order));
    await control.deliver(idOf(order));
    stages.push(await stage(order));
    expect(stages).toEqual(['awaiting_payment', 'filled', 'finished']);
  });
  it('an unsuitable invoice is refused before anything is sent', async () => {
    const { place, sent, logs } = await start();
    const note = async (invoice: string | undefined, payWith?: string) => {
      const answer = await place('recharge', 1_000n, { ...(payWith === undefined ? {} : { payWith }), inputs: invoice === undefined ? {} : { invoice } });
      return answer.ok ? 'taken' : answer.refusal.note;
    };
    const tried = [undefined, 'lnbcrt1', ownInvoice(999n), ownInvoice(1_000n, { expirySeconds: 600 })];
    for (const invoice of tried) expect(await note(invoice)).toBe('invoice-unsuitable');
    // For an order paid on chain, an invoice valid for the usual hour is refused: the confirmation may take longer.
    expect([await note(ownInvoice(1_000n), 'onchain'), await note(ownInvoice(1_000n, { expirySeconds: 7_200 }), 'onchain')]).toEqual([
      'invoice-unsuitable',
      'taken',
    ]);
    expect(logs).toEqual(
      ['required', 'invalid', 'wrong-amount', 'expires-too-soon', 'expires-too-soon'].map(
        (problem) => `info bitrefill_invoice_unsuitable {"problem":"${problem}"}`,
      ),
    );
    expect(sent('POST /order')).toHaveLength(1);
  });
  it('fails when its invoice has expired by the time it is paid', async () => {
    const { control, place, stage } = await start();
    const order = valueOf(await place('recharge', 1_000n, { inputs: { invoice: ownInvoice(1_000n, { expirySeconds: 1_500 }) } }));
    control.moveClock(1_600_000);
    await control.pay(idOf(order));
    expect(await stage(order)).toBe('failed');
    control.refund(idOf(order));
    expect(await stage(order)).toBe('refunded');
  });
});

describe('the time to pay', () => {
  const minutes = async (placing: Promise<Answer<PlacedOrder>>): Promise<number> => Math.round(((valueOf(await placing).expiresOn ?? 0) - Date.now()) / 60_000);
  it.each([
    ["no longer than the customer's invoice, less the margin", 'lightning', 7_200, 1_500, {}, 24],
    ["which may be longer than the order's", 'lightning', 1_200, 7_200, {}, 19],
    ['on chain less an hour, so that the payment can confirm', 'onchain', 7_200, 6_000, {}, 40],
    ['the hour follows from the settings', 'onchain', 7_200, 6_000, { onchain_order_s: 5_100 }, 30],
    ['in another coin, too', 'dash', 7_200, 6_000, {}, 40],
  ])('of a recharge: %s', async (_what, payWith, life, expirySeconds, block, left) => {
    const { place } = await start({ lightningLifeS: life, onchainLifeS: life }, { payment_methods: ['lightning', 'bitcoin', 'dash'], ...block });
    expect(await minutes(place('recharge', 1_000n, { payWith, inputs: { invoice: ownInvoice(1_000n, { expirySeconds }) } }))).toBe(left);
  });
  it('a recharge that nobody can pay in time is not shown', async () => {
    const { place } = await start({}, { lightning_order_s: 0 });
    const order = valueOf(await place('recharge', 1_000n, { inputs: { invoice: ownInvoice(1_000n, { expirySeconds: 59 }) } }));
    expect(order).toMatchObject({ stage: 'awaiting_payment', paymentInfo: { kind: 'none', problem: 'invoice-too-short' } });
  });
});

describe('from the balance', () => {
  const block = { pay_with_balance: true };
  const balance = { payWith: 'balance' };
  it('if the price cannot be read again, nothing was bought', async () => {
    const { control, place, sent } = await start({}, block);
    const before = () => control.setFault({ endpoint: 'GET /inventory/{slug}', fault: '500', times: 1 });
    await expect(place('inbound', 500_000n, { ...balance, before })).rejects.toMatchObject({ kind: 'server', taken: 'no', status: 500 });
    expect(sent('POST /purchase')).toEqual([]);
  });
  it('one call, paid at once, later redeemable with a rebuilt LNURL that works', async () => {
    const { control, adapter, place, read, sent } = await start({ deliver: 'by-hand' }, block);
    const order = valueOf(await place('inbound', 2_000_000n, balance));
    expect(order).toMatchObject({ stage: 'paid', rawStatus: 'payment_pending', pay: 40_400n, paymentInfo: { kind: 'none' } });
    expect(order).not.toHaveProperty('expiresOn');
    expect(sent('POST /purchase')).toEqual([
      { operatorSlug: 'lightning-channel', valuePackage: '2000000', email: 'shop@example.com', sendEmail: false, userRef: 'intent-1' },
    ]);
    expect([(await read(order))[0]?.stage, control.state.balance]).toEqual(['paid', 959_600]);
    await control.deliver(idOf(order));
    const [evidence] = await read(order);
    const redemption = adapter.redemption?.(evidence!);
    expect([evidence?.stage, redemption?.rebuilt]).toEqual(['filled', true]);
    const url = decodeLnurl(redemption?.lnurl ?? '', { loopbackHttp: true }) ?? '';
    expect(await (await fetch(url)).json()).toMatchObject({ tag: 'channelRequest' });
  });
  it('inputs.payWithBalance chooses it too; a recharge takes its invoice along', async () => {
    const { place, sent } = await start({}, block);
    const invoice = ownInvoice(1_000n);
    expect(valueOf(await place('recharge', 1_000n, { inputs: { invoice, payWithBalance: true } })).stage).toBe('paid');
    expect([sent('POST /purchase')[0]?.['number'], sent('POST /order')]).toEqual([invoice, []]);
  });
  it('is refused where it was not switched on', async () => {
    const { place, sent } = await start();
    expect(await place('inbound', 500_000n, { inputs: { payWithBalance: true } })).toEqual({ ok: false, refusal: { reason: 'payment-method-unsupported' } });
    expect(sent('POST /purchase')).toEqual([]);
  });
  it('a price that has risen since the offer is not paid', async () => {
    const { control, place, sent } = await start({}, block);
    const answer = await place('inbound', 500_000n, { ...balance, before: () => control.moveQuote(-500) });
    expect([answer, sent('POST /purchase'), control.state.balance]).toEqual([
      { ok: false, refusal: { reason: 'declined', note: 'price-moved' } },
      [],
      1_000_000,
    ]);
  });
  it('a balance that is too small is a refusal', async () => {
    const { place } = await start({ balanceSats: 100, errorShape: 'v2' }, block);
    expect(await place('inbound', 500_000n, balance)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'order-refused', detail: 'balance_too_low' } });
  });
  it('is never sent again: not for a lost answer, not for 503, not for 429, not as a second attempt', async () => {
    const { control, place, sent } = await start({}, block);
    control.setFault({ endpoint: 'POST /purchase', fault: 'lost-answer', times: 1 });
    await expect(place('inbound', 500_000n, balance)).rejects.toMatchObject({ retryable: false, taken: 'maybe' });
    await expect(place('inbound', 500_000n, { ...balance, context: { attempt: 2 } })).rejects.toMatchObject({ retryable: false, taken: 'maybe' });
    expect([sent('POST /purchase').length, control.state.balance]).toEqual([1, 982_300]);
    control.setFault({ endpoint: 'POST /purchase', fault: '503', times: 1 });
    await expect(place('inbound', 500_000n, balance)).rejects.toMatchObject({ kind: 'server', retryable: false, taken: 'maybe', status: 503 });
    control.setFault({ endpoint: 'POST /purchase', fault: '429', times: 1 });
    await expect(place('inbound', 500_000n, balance)).rejects.toMatchObject({ kind: 'rate-limited', retryable: false, taken: 'no' });
  });
  it('an order without a status in the response counts as paid', async () => {
    const { place } = await start({ dialect: 'B', deliver: 'by-hand' }, block);
    expect(valueOf(await place('inbound', 500_000n, balance))).toMatchObject({ stage: 'paid', rawStatus: 'paymentReceived' });
  });
});

describe.each(['A', 'B'] as const)('what can become of an order, dialect %s', (dialect) => {
  it('too little, too late, given back', async () => {
    const { control, place, stage } = await start({ dialect });
    const order = valueOf(await place('inbound', 500_000n, { payWith: 'onchain' }));
    const stages = [];
    control.underpay(idOf(order));
    stages.push(await stage(order));
    control.order(idOf(order)).partial = false;
    control.expire(idOf(order));
    stages.push(await stage(order));
    await control.pay(idOf(order));
    stages.push(await stage(order));
    control.refund(idOf(order));
    stages.push(await stage(order));
    expect(stages).toEqual(['underpaid', 'expired', 'filled', 'refunded']);
  });
  it('paid and stuck, then failed', async () => {
    const { control, place, stage } = await start({ dialect, deliver: 'by-hand', failedStatus: 'permanent_failure' });
    const order = valueOf(await place('inbound', 500_000n));
    await control.pay(idOf(order));
    const stuck = await stage(order);
    await control.fail(idOf(order));
    expect([stuck, await stage(order)]).toEqual(['paid', 'failed']);
  });
  it('an unknown status word is kept and logged', async () => {
    const { control, place, read, logs } = await start({ dialect });
    const order = valueOf(await place('inbound', 500_000n));
    control.setFault({ endpoint: 'GET /order/{id}', fault: 'unknown-status', times: 1 });
    const [evidence] = await read(order);
    expect([evidence?.stage, evidence?.rawStatus, logs.at(-1)]).toEqual([undefined, 'in_orbit', 'warn bitrefill_status_unknown {"status":"in_orbit"}']);
  });
});

describe('errors', () => {
  it.each([
    ['message', 'unsupported_payment_method'],
    ['status-message', 'unsupported_payment_method'],
    ['error-type', 'unsupported_payment_method'],
    ['error-200', 'unsupported_payment_method'],
    ['error-message-200', 'unsupported_payment_method'],
    ['v2', 'unsupported_payment_method'],
  ] as const)('an order refused as %s', async (errorShape, code) => {
    const { place } = await start({ errorShape }, { payment_methods: ['usdc_base'] });
    expect(await place('inbound', 500_000n, { payWith: 'usdc_base' })).toEqual({
      ok: false,
      refusal: { reason: 'declined', note: 'order-refused', detail: code },
    });
  });
  it.each(['error-and-message', 'message-list', 'error-list', 'detail', 'rpc', 'plain-text', 'plain-text-200', 'page'] as const)(
    'an order refused as %s, and a purchase for which there is too little',
    async (errorShape) => {
      const { control, place } = await start({ errorShape, balanceSats: 100 }, { payment_methods: ['usdc_base'], pay_with_balance: true });
      const refused = (detail: string) => ({ ok: false, refusal: { reason: 'declined', note: 'order-refused', detail } });
      expect(await place('inbound', 500_000n, { payWith: 'usdc_base' })).toEqual(refused('unsupported_payment_method'));
      expect(await place('inbound', 500_000n, { payWith: 'balance' })).toEqual(refused('balance_too_low'));
      expect(control.state.orders.size).toBe(0);
    },
  );
  it('a refusal without words is certain under a 4xx', async () => {
    const { place } = await start({ errorShape: 'empty' }, { payment_methods: ['usdc_base'] });
    expect(await place('inbound', 500_000n, { payWith: 'usdc_base' })).toMatchObject({ ok: false, refusal: { detail: 'no-code' } });
  });
  it('after an error under 200 that does not say what happened, an order may have been made from the balance', async () => {
    const { control, place } = await start({}, { pay_with_balance: true });
    control.setFault({ endpoint: 'POST /order', fault: 'error-200', times: 1 });
    await expect(place('inbound', 500_000n)).rejects.toMatchObject({ kind: 'server', taken: 'maybe' });
    control.setFault({ endpoint: 'POST /purchase', fault: 'error-200', times: 1 });
    await expect(place('inbound', 500_000n, { payWith: 'balance' })).rejects.toMatchObject({ kind: 'server', taken: 'maybe', retryable: false });
  });
  it.each(['message', 'error-200', 'error-message-200', 'v2', 'detail', 'error-list', 'plain-text', 'plain-text-200'] as const)(
    'an order that is not known, said as %s',
    async (errorShape) => {
      const { control, place, read } = await start({ errorShape });
      const order = valueOf(await place('inbound', 500_000n));
      control.state.orders.clear();
      expect(await read(order)).toEqual([]);
    },
  );
  it('an error of another kind under 200 is no word on the order', async () => {
    const { control, place, read } = await start();
    const order = valueOf(await place('inbound', 500_000n));
    control.setFault({ endpoint: 'GET /order/{id}', fault: 'error-200', times: 1 });
    await expect(read(order)).rejects.toMatchObject({ kind: 'server', retryable: true });
  });
  it('what the simulator refuses by itself', async () => {
    const { simulator } = await start({ step: 10, stepFrom: 'zero' });
    const good = { operatorSlug: 'lightning-channel', valuePackage: '500000', email: 'a@b.example', paymentMethod: 'bitcoin' };
    const status = async (more: object): Promise<number> => {
      const headers = { authorization: `Basic ${btoa('thor-key:thor-secret')}`, 'content-type': 'application/json' };
      return (await fetch(`${simulator.baseUrl}/order/`, { method: 'POST', headers, body: JSON.stringify({ ...good, ...more }) })).status;
    };
    const bad = [
      { valuePackage: '500000.5' },
      { valuePackage: 500_000 },
      { valuePackage: '499990' },
      { valuePackage: '16777220' },
      { valuePackage: '500001' },
      { paymentMethod: 'gold' },
      { userRef: 'a'.repeat(129) },
      { email: undefined },
      { operatorSlug: 'amazon' },
      { operatorSlug: 'lightning-recharge', valuePackage: '1000' },
      { operatorSlug: 'lightning-recharge', valuePackage: '1000', number: ownInvoice(990n) },
    ];
    expect([await status({}), ...(await Promise.all(bad.map(status)))]).toEqual([200, ...bad.map(() => 400)]);
  });
  it('a long reference is cut to what is allowed', async () => {
    const { place, sent } = await start();
    valueOf(await place('inbound', 500_000n, { context: { idempotencyKey: 'k'.repeat(300) } }));
    expect(sent('POST /order')[0]?.['userRef']).toBe('k'.repeat(128));
  });
});

describe('the same life in another dialect', () => {
  it.each<[string, Partial<SimulatorOptions>]>([
    ['lntxbot: orderId, booleans, no fee', { idMember: 'orderId', dialect: 'B', withoutFee: 'null' }],
    ['no fee at all', { withoutFee: 'missing' }],
    ['order_id in data', { idMember: 'order_id', envelope: 'data' }],
    ['orderID in JSON-RPC', { idMember: 'orderID', envelope: 'result' }],
    ['in order', { envelope: 'order' }],
    ['in body, with numbers as ids', { envelope: 'body', numericIds: true }],
    ['statuses in capitals, amounts as text', { upperCaseStatus: true, amounts: 'text' }],
    ['amounts with a unit, the invoice as a link', { amounts: 'with-unit', invoiceAsLink: true }],
    ['times in seconds', { dialect: 'B', times: 's' }],
    ['times in ISO 8601', { dialect: 'B', times: 'iso' }],
    ['zero-conf none', { dialect: 'B', zeroConfStatus: 'none' }],
    ['zero-conf failed', { dialect: 'B', zeroConfStatus: 'failed' }],
    ['zero-conf rejected', { dialect: 'B', zeroConfStatus: 'rejected' }],
    ['zero-conf disabled', { dialect: 'B', zeroConfStatus: 'disabled' }],
    ['zero-conf in a word that nobody knows', { dialect: 'B', zeroConfStatus: 'shiny' }],
  ])('%s: waiting, past its end, paid, redeemable', async (_name, options) => {
    const { control, place, stage } = await start({ deliver: 'by-hand', ...options });
    const order = valueOf(await place('inbound', 500_000n));
    expect(order).toMatchObject({ stage: 'awaiting_payment', pay: 17_616n, paymentInfo: { kind: 'invoice', amountSats: 17_616n } });
    const stages = [await stage(order)];
    control.expire(idOf(order));
    if (options.dialect === 'B') stages.push(await stage(order));
    await control.pay(idOf(order));
    stages.push(await stage(order));
    await control.deliver(idOf(order));
    stages.push(await stage(order));
    expect(stages).toEqual(['awaiting_payment', ...(options.dialect === 'B' ? ['expired'] : []), 'paid', 'filled']);
  });
  it('zero-conf accepted is a payment', async () => {
    const { place, stage } = await start({ dialect: 'B', zeroConfStatus: 'accepted' });
    expect(await stage(valueOf(await place('inbound', 500_000n)))).toBe('paid');
  });
  it.each(['upper-case', 'with-invoice', 'alone'] as const)('a bitcoin: link %s', async (link) => {
    const { control, place } = await start({ link });
    const order = valueOf(await place('inbound', 500_000n, { payWith: 'onchain' }));
    const { address } = control.order(idOf(order));
    expect(order.paymentInfo).toEqual({ kind: 'onchain', value: address, amountSats: 17_700n, bip21: `bitcoin:${address}?amount=0.000177` });
  });
  it('one whose link asks for more is kept by its id', async () => {
    const { control, place } = await start({ link: 'upper-case' });
    control.setFault({ endpoint: 'POST /order', fault: 'other-amount', times: 1 });
    const fault: unknown = await place('inbound', 500_000n, { payWith: 'onchain' }).catch((error: unknown) => error);
    expect(fault).toMatchObject({ kind: 'malformed', taken: 'maybe', orderMade: [...control.state.orders.keys()][0] });
  });
});

describe('a purchase whose answer was lost', () => {
  const lost = (userRef: string): FollowedOrder => ({
    orderId: 'ours',
    createdOn: 0,
    pay: 17_700n,
    receive: 0n,
    fee: 17_700n,
    upstream: {},
    facts: { user_ref: userRef },
  });
  const block = { pay_with_balance: true };
  it.each<[string, Partial<SimulatorOptions>]>([
    ['on the first page', { listPage: 100 }],
    ['on the third', { listPage: 1, idMember: 'orderId' }],
  ])('is found under our reference, %s', async (_name, options) => {
    const { adapter, call, place, sent } = await start({ deliver: 'by-hand', ...options }, block);
    for (const idempotencyKey of ['mine', 'another', 'a third']) valueOf(await place('inbound', 500_000n, { payWith: 'balance', context: { idempotencyKey } }));
    const [found] = valueOf(await adapter.readOrders(call(), lost('mine')));
    expect(found).toMatchObject({ stage: 'paid', pay: 17_700n });
    expect(sent('GET /orders')).toHaveLength(options.listPage === 1 ? 3 : 1);
    expect(valueOf(await adapter.readOrders(call(), lost('nobody’s')))).toEqual([]);
  });
  it('is not searched for beyond three pages, so it may still exist', async () => {
    const { adapter, call, place, sent } = await start({ deliver: 'by-hand', listPage: 1 }, block);
    for (let n = 0; n < 5; n += 1) valueOf(await place('inbound', 500_000n, { payWith: 'balance', context: { idempotencyKey: `k${n}` } }));
    expect(await adapter.readOrders(call(), lost('k0'))).toMatchObject({ ok: false, refusal: { note: 'orders-not-listed' } });
    expect(sent('GET /orders')).toHaveLength(3);
  });
  it.each<[string, object, object]>([
    ['the path is not served', {}, block],
    ['the operator wants no such call', { listPage: 100 }, { ...block, orders_path: null }],
  ])('where %s the read is refused, not empty', async (_name, options, settings) => {
    const { adapter, call } = await start(options, settings);
    expect(await adapter.readOrders(call(), lost('mine'))).toEqual({ ok: false, refusal: { reason: 'option-unsupported', note: 'orders-not-listed' } });
  });
});

describe('faults', () => {
  it('429 in both styles says when to come back', async () => {
    const { control, quote } = await start();
    control.setFault({ endpoint: 'GET /inventory/{slug}', fault: '429-old', times: 1 });
    await expect(quote('inbound', 500_000n)).rejects.toMatchObject({ kind: 'rate-limited', taken: 'no', retryAfterMs: 7_000 });
    control.setFault({ endpoint: 'GET /inventory/{slug}', fault: '429', times: 1 });
    const fault = await quote('inbound', 500_000n).catch((error: unknown) => error as { kind: string; retryAfterMs: number });
    expect([fault, Math.round((fault as { retryAfterMs: number }).retryAfterMs / 2_000)]).toMatchObject([{ kind: 'rate-limited' }, 15]);
  });
  it.each([
    ['truncated', 'malformed', 'malformed'],
    ['html200', 'malformed', 'malformed'],
    ['redirect', 'malformed', 'server'],
    ['500', 'server', 'server'],
    ['503', 'server', 'server'],
    ['reset', 'unreachable', 'unreachable'],
  ] as const)('%s', async (fault, kind, ofSelfTest) => {
    const { control, adapter, call, quote, place } = await start();
    control.setFault({ endpoint: 'GET /inventory/{slug}', fault, times: 1 });
    await expect(quote('inbound', 500_000n)).rejects.toMatchObject({ kind });
    control.setFault({ endpoint: 'POST /order', fault, times: 1 });
    await expect(place('inbound', 500_000n)).rejects.toMatchObject({ kind, taken: 'maybe' });
    control.setFault({ endpoint: 'GET /test', fault, times: 1 });
    await expect(adapter.catalogue(call())).rejects.toMatchObject({ kind: ofSelfTest });
  });
  it('a slow answer ends with the signal', async () => {
    const { control, adapter, call, requestFor } = await start();
    control.setFault({ endpoint: '*', fault: 'latency', ms: 2_000, times: 1 });
    await expect(adapter.quote(call({ signal: AbortSignal.timeout(50) }), requestFor('inbound', 500_000n))).rejects.toMatchObject({ kind: 'timeout' });
  });
  it('a price that jumps between inventory and order is told as it is: the gateway judges it', async () => {
    const { control, place } = await start();
    control.setFault({ endpoint: 'POST /order', fault: 'price-jump', bps: 5_000, times: 1 });
    expect(valueOf(await place('inbound', 500_000n)).pay).toBe(26_424n);
  });
  it('an invoice for another amount, or another product, is shown to nobody', async () => {
    const { control, place } = await start();
    control.setFault({ endpoint: 'POST /order', fault: 'other-amount', times: 1 });
    await expect(place('inbound', 500_000n)).rejects.toThrow("the invoice's amount differs from the order's");
    control.setFault({ endpoint: 'POST /order', fault: 'other-product', times: 1 });
    await expect(place('inbound', 500_000n)).rejects.toThrow('the order is for another product');
  });
  it('a lost answer may have made an order; every sending makes one', async () => {
    const { control, place } = await start();
    control.setFault({ endpoint: 'POST /order', fault: 'lost-answer', times: 1 });
    await expect(place('inbound', 500_000n)).rejects.toMatchObject({ kind: 'unreachable', taken: 'maybe' });
    valueOf(await place('inbound', 500_000n, { context: { attempt: 2 } }));
    expect(control.state.orders.size).toBe(2);
  });
  it('members nobody knows are ignored', async () => {
    const { control, place } = await start();
    control.setFault({ endpoint: 'POST /order', fault: 'unknown-member', times: 1 });
    expect(valueOf(await place('inbound', 500_000n)).stage).toBe('awaiting_payment');
  });
});

describe('webhooks', () => {
  it('three copies of a webhook, each only a hint; a forged one changes nothing', async () => {
    const { control, place, stage, read } = await start({ webhooks: { deliveries: 3 } });
    const receiver = await startWebhookReceiver();
    running.push(receiver.close);
    const noticeUrl = `${receiver.url}/notices/bitrefill/order/1/token`;
    const order = valueOf(await place('inbound', 500_000n, { noticeUrl }));
    await control.forge(noticeUrl, { id: idOf(order), status: 'success', thorInfo: { k1: 'ff'.repeat(32), link: 'https://evil.example' } });
    expect(receiver.received.map((one) => readNotice(one.body))).toEqual([{ about: 'order', upstreamOrderId: idOf(order) }]);
    expect([await stage(order), (await read(order))[0]?.secret]).toEqual(['awaiting_payment', undefined]);
    await control.pay(idOf(order));
    expect(receiver.received.slice(1).map((one) => [one.path, readNotice(one.body)])).toEqual(
      Array.from({ length: 3 }, () => ['/notices/bitrefill/order/1/token', { about: 'order', upstreamOrderId: idOf(order) }]),
    );
    expect(await stage(order)).toBe('filled');
  });
  it('a webhook that comes before the order shows its end: the read decides', async () => {
    const { control, place, read } = await start({ webhooks: { early: true } });
    const seen: unknown[] = [];
    const receiver = await startWebhookReceiver();
    running.push(receiver.close);
    const order = valueOf(await place('inbound', 500_000n, { noticeUrl: receiver.url }));
    const paying = control.pay(idOf(order));
    await receiver.waitFor('the early notice', () => true);
    seen.push(JSON.parse(receiver.received[0]?.body ?? '{}'));
    await paying;
    expect([seen, (await read(order))[0]?.stage]).toMatchObject([[{ status: 'success' }], 'filled']);
  });
  it('without any webhook, polling finds the end', async () => {
    const { control, place, stage } = await start({ webhooks: { deliveries: 0 } });
    const order = valueOf(await place('inbound', 500_000n, { noticeUrl: 'http://127.0.0.1:1/never' }));
    await control.pay(idOf(order));
    expect([await stage(order), control.state.webhooks]).toEqual(['filled', []]);
  });
});

it('no secret, redemption link or e-mail ever reaches a log', async () => {
  const { control, place, read, logs } = await start();
  const order = valueOf(await place('inbound', 500_000n, { inputs: { email: 'alice@example.com' } }));
  control.setFault({ endpoint: 'GET /order/{id}', fault: 'unknown-status', times: 1 });
  await read(order);
  await control.pay(idOf(order));
  await read(order);
  const { k1 } = control.order(idOf(order));
  expect(logs).toEqual(['warn bitrefill_status_unknown {"status":"in_orbit"}']);
  expect(logs.join()).not.toMatch(new RegExp(`thor-secret|thor-key|alice|${k1}`));
});
