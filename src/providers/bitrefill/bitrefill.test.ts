import { afterEach, describe, expect, it } from 'vitest';
import { casesOf, onNodeOnly, violations, type Subject, type Verb } from '../../../test/support/contract.ts';
import { httpMutants, overHttp, rewriting, type HttpMutant } from '../../../test/support/http-mutants.ts';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import type { AdapterDeps, FollowedOrder, LiquidityAdapter, LiquidityQuoteRequest, PlacedOrder } from '../spec.ts';
import { provider } from './index.ts';

const now = Date.UTC(2026, 10, 21, 10, 15);
const baseUrl = 'https://api.bitrefill.com/v1';
const id = `${Math.floor(now / 1000).toString(16)}950b353c59bcd412`;
const idempotencyKey = 'fc299b2f-036f-44a1-a9c3-fefee81ec47a';
const block = { base_url: `${baseUrl}/`, api_key_env: 'KEY', api_secret_env: 'SECRET', receipt_email: 'shop@example.com', products: ['inbound'] };
const adapterOf = (deps: AdapterDeps): LiquidityAdapter => {
  const { liquidity } = provider.create(deps, provider.settings.parse(block));
  if (!liquidity) throw new Error('no liquidity ramp');
  return liquidity;
};
const subject: Subject<LiquidityAdapter> = { create: adapterOf, deps: { secret: (name) => name.toLowerCase() }, context: { idempotencyKey }, baseUrl };

const request: LiquidityQuoteRequest = { ramp: 'liquidity', product: 'inbound', amountSats: 2_000_000n, payWith: 'lightning', announce: false, firm: false };
const offer: ProviderOffer = {
  pay: 40_400n,
  receive: 0n,
  fee: 40_400n,
  binding: false,
  upstream: { slug: 'lightning-channel', method: 'lightning' },
  facts: { inbound_sats: 2_000_000, delivered_as: 'redemption', least_pay_sats: 30_372 },
  requires: [],
  warnings: [],
};
const inventory = {
  operator: {
    name: 'Thor Lightning Channel Capacity',
    slug: 'lightning-channel',
    currency: 'SAT',
    range: { min: 500_000, max: 16_777_215, step: 1, customerSatoshiPriceRate: 0.015185658220118399, purchaseFee: 10_023 },
  },
};
const lightningInvoice = encodeInvoice({
  network: 'regtest',
  amountMsat: 40_395_000n,
  timestamp: now / 1000,
  expirySeconds: 1_200,
  paymentHash: '01'.repeat(32),
  paymentSecret: '02'.repeat(32),
  description: `Bitrefill ${id}`,
  payeePrivateKey: '11'.repeat(32),
});
const order = {
  id,
  email: 'shop@example.com',
  expired: false,
  value: '2000000',
  product: 'lightning-channel',
  price: 40_395,
  partialPayment: false,
  userRef: idempotencyKey,
  status: 'unpaid',
  payment: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', lightningInvoice, satoshiPrice: 40_395, altcoinCode: 'LNBC' },
};
const followed: FollowedOrder = {
  orderId: 'ours',
  upstreamOrderId: id,
  createdOn: now,
  pay: 40_395n,
  receive: 0n,
  fee: 40_395n,
  upstream: offer.upstream,
  facts: {},
};
const believesAnother = (value: unknown): boolean => {
  const answer = (value as { value: PlacedOrder | PlacedOrder[] }).value;
  return (Array.isArray(answer) ? answer[0] : answer)?.pay !== 40_395n;
};
const optional = ['email', 'expired', 'value', 'product', 'price', 'partialPayment', 'userRef', 'status'];
const credentials = { 401: 'rejected-credentials', 403: 'rejected-credentials', 408: 'server' } as const;

const verbs: Verb<LiquidityAdapter>[] = [
  {
    name: 'catalogue',
    call: (adapter, call) => adapter.catalogue(call),
    reply: inventory,
    others: { '/test': 'Hello World!' },
    sent: { method: 'GET', path: '/inventory/lightning-channel' },
    returned: {
      ok: true,
      value: [{ product: 'inbound', minSats: 500_000n, maxSats: 16_777_215n, stepSats: 1n, payWith: ['lightning', 'onchain'], peers: [] }],
    },
    required: ['operator'],
    optional: [],
    stringReply: 'malformed',
    clientErrors: { ...credentials, 400: 'none', 404: 'none' },
  },
  {
    name: 'quote',
    call: (adapter, call) => adapter.quote(call, request),
    reply: inventory,
    sent: { method: 'GET', path: '/inventory/lightning-channel' },
    returned: { ok: true, value: offer },
    required: ['operator'],
    optional: [],
    stringReply: 'malformed',
    clientErrors: { ...credentials, 400: 'refusal', 404: 'refusal' },
  },
  {
    name: 'placeOrder',
    call: (adapter, call) => adapter.placeOrder(call, { quote: request, offer, inputs: {}, noticeUrl: 'https://gw.example/notices/1' }),
    reply: order,
    sent: {
      method: 'POST',
      path: '/order',
      body: {
        operatorSlug: 'lightning-channel',
        valuePackage: '2000000',
        email: 'shop@example.com',
        sendEmail: false,
        userRef: idempotencyKey,
        webhook_url: 'https://gw.example/notices/1',
        paymentMethod: 'lightning',
      },
    },
    returned: {
      ok: true,
      value: {
        upstreamOrderId: id,
        rawStatus: 'unpaid',
        stage: 'awaiting_payment',
        pay: 40_395n,
        receive: 0n,
        fee: 40_395n,
        facts: { inbound_sats: 2_000_000, delivered_as: 'redemption' },
        paymentInfo: { kind: 'invoice', value: lightningInvoice, amountSats: 40_395n },
        expiresOn: now + 1_140_000,
      },
    },
    required: ['id', 'payment'],
    optional,
    money: { fields: ['price', 'satoshiPrice'], believed: believesAnother },
    stringReply: 'malformed',
    clientErrors: { ...credentials, 400: 'refusal', 404: 'refusal', 409: 'refusal', 422: 'refusal' },
  },
  {
    name: 'readOrders',
    call: (adapter, call) => adapter.readOrders(call, followed),
    reply: order,
    sent: { method: 'GET', path: `/order/${id}` },
    returned: {
      ok: true,
      value: [
        {
          upstreamOrderId: id,
          rawStatus: 'unpaid',
          stage: 'awaiting_payment',
          pay: 40_395n,
          receive: 0n,
          fee: 40_395n,
          expiresOn: now + 1_140_000,
        },
      ],
    },
    required: ['id'],
    optional: [...optional, 'payment'],
    money: { fields: ['price', 'satoshiPrice'], believed: believesAnother },
    stringReply: 'malformed',
    clientErrors: { ...credentials, 400: 'malformed', 404: 'none' },
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
  overHttp('forgets the fee per order', rewriting(/"purchaseFee":10023/, '"purchaseFee":0')),
  overHttp('believes another amount than the invoice', rewriting(/"satoshiPrice":40395/, '"satoshiPrice":1')),
  overHttp('loses a digit of a rate', rewriting(/0\.015185658220118399/, '0.01518')),
];
onNodeOnly(() =>
  it.each(mutants)('the suite notices an adapter that %s', async (_name, mutate) => {
    const broken = await Promise.all(verbs.map((verb) => violations({ ...subject, create: (deps) => adapterOf(mutate(deps)) }, verb)));
    expect(broken.flat().length).toBeGreaterThan(0);
  }),
);

describe('answers that no simulator gives', () => {
  let at = now;
  afterEach(() => void (at = now));
  const scripted = (...answers: unknown[]) => {
    const asked: string[] = [];
    const logs: string[] = [];
    const adapter = adapterOf({
      providerId: 'bitrefill',
      http: (sent) => {
        asked.push(`${sent.method} ${sent.url.replace(baseUrl, '')}`);
        const body = answers.shift() ?? {};
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        return Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(text) });
      },
      now: () => at,
      newId: () => 'new-id',
      log: (_level, event) => void logs.push(event),
      network: 'regtest',
      mode: 'sandbox',
      secret: () => 'secret',
    });
    return { adapter, asked, logs, call: { signal: new AbortController().signal, requestId: 'r', idempotencyKey } };
  };
  const place = { quote: request, offer, inputs: {} };

  it('a rate of more digits than a float has counts to its last one', async () => {
    const text = JSON.stringify(inventory).replace('0.015185658220118399', '1.00000000000000000001').replace('10023', '0');
    const { adapter, call } = scripted(text);
    expect(await adapter.quote(call, request)).toMatchObject({ ok: true, value: { pay: 2_000_100n, facts: { least_pay_sats: 2_000_001 } } });
  });
  it('the inventory of another product is not believed', async () => {
    const { adapter, call } = scripted({ operator: { ...inventory.operator, slug: 'lightning-recharge' } });
    await expect(adapter.quote(call, request)).rejects.toThrow('the inventory is that of another product');
  });
  it('an order by Lightning ends with its invoice, whatever Bitrefill states', async () => {
    const { adapter, call } = scripted({ ...order, expirationTime: now + 86_400_000 });
    expect(await adapter.placeOrder(call, place)).toMatchObject({ ok: true, value: { expiresOn: now + 1_140_000 } });
  });
  it('an order that costs less than its value has no fee', async () => {
    const cheap = { ...order, payment: { ...order.payment, lightningInvoice: undefined, satoshiPrice: 990 }, value: '1000', product: 'lightning-recharge' };
    const { adapter, call } = scripted({ ...cheap, paymentReceived: true });
    const recharge = { ...followed, pay: 990n, receive: 1_000n, fee: 0n, upstream: { slug: 'lightning-recharge' } };
    expect(await adapter.readOrders(call, recharge)).toMatchObject({ ok: true, value: [{ stage: 'paid', pay: 990n, receive: 1_000n, fee: 0n }] });
  });
  it('if the price differs from the amount in `payment`, that amount is used, and the difference is logged', async () => {
    const { adapter, call, logs } = scripted({ ...order, price: 41_000 });
    expect(await adapter.placeOrder(call, place)).toMatchObject({ ok: true, value: { pay: 40_395n } });
    expect(logs).toEqual(['bitrefill_price_differs']);
  });
  it.each([
    [{ product: 'lightning-recharge' }, 'the order is for another product'],
    [{ value: '2000001' }, 'the order is for another amount'],
    [{ userRef: 'somebody else' }, 'the order has another reference'],
    [{ payment: { ...order.payment, satoshiPrice: 40_394 } }, "the invoice's amount differs from the order's"],
    [{ payment: { address: order.payment.address, satoshiPrice: 40_395 } }, 'the order has no invoice that can be paid'],
    [{ expirationTime: now + 60_000 }, 'the order expires too soon to be paid'],
  ])('an order with %j is shown to nobody', async (more, problem) => {
    const { adapter, call } = scripted({ ...order, ...more });
    await expect(adapter.placeOrder(call, place)).rejects.toMatchObject({ kind: 'malformed', taken: 'maybe', orderMade: id, message: `malformed: ${problem}` });
  });
  it.each([
    ['permanent_failure', 'permanent_failure'],
    ['failed, see https://evil.example', '(no word)'],
    ['failed\u202e\u200b', '(no word)'],
  ])('an order that has failed before it began is refused: %j', async (status, detail) => {
    const { adapter, call } = scripted({ ...order, status });
    expect(await adapter.placeOrder(call, place)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'order-refused', detail, orderMade: id } });
  });
  it.each([
    [{ payment: { ...order.payment, satoshiPrice: 0 } }],
    [{ payment: { ...order.payment, satoshiPrice: 'paid' } }],
    [{ payment: 'received' }],
    [{ satoshiPrice: '40395 gwei' }],
    [{ delivered: 'on its way' }],
    [{ expirationTime: 'over' }],
    [{ value: 2_000_000n.toString(), product: { slug: 'lightning-channel' } }],
  ])('with %j, it is not lost that the order was paid', async (more) => {
    const read = async (words: object) => {
      const { adapter, call } = scripted({ ...order, ...more, ...words });
      return await adapter.readOrders(call, followed);
    };
    for (const words of [{ status: 'success' }, { status: 'processing' }, { paymentReceived: true }, { partialPayment: true }])
      expect(await read(words)).toMatchObject({ ok: true, value: [{ upstreamOrderId: id, stage: 'review', moneySeen: true }] });
    // Without any money, such an answer is malformed. Nothing is lost by that, since the order is read again later.
    for (const words of [{}, { status: 'expired' }, { status: 'refunded' }])
      await expect(read(words)).rejects.toThrow('malformed: the answer does not match the schema at ');
  });
  describe('a payment on chain that may have no confirmation yet', () => {
    const onchain = { ...followed, upstream: { slug: 'lightning-channel', method: 'bitcoin' }, expiresOn: now + 600_000 };
    const read = async (more: object, as: FollowedOrder = onchain) => {
      const { adapter, call } = scripted({ ...order, ...more });
      const answer = await adapter.readOrders(call, as);
      return answer.ok ? answer.value[0] : undefined;
    };
    it.each([
      [{ status: 'payment_detected' }],
      [{ status: 'payment_pending' }],
      [{ status: 'payment_detected', expired: true }],
      [{ status: 'unpaid', zeroConfStatus: 'detected' }],
      [{ status: 'payment_detected', zeroConfStatus: 'pending' }],
    ])('%j: it is on its way, also after the order’s end; a day later, a person must look', async (more) => {
      expect(await read(more)).toMatchObject({ stage: 'awaiting_payment', arriving: true });
      expect(await read(more)).not.toHaveProperty('moneySeen');
      at = onchain.expiresOn + 86_400_000 - 1;
      expect(await read(more)).toMatchObject({ stage: 'awaiting_payment', arriving: true });
      at += 1;
      const late = await read(more);
      expect(late).toMatchObject({ stage: 'review' });
      expect(late).not.toHaveProperty('moneySeen');
      expect(late).not.toHaveProperty('arriving');
    });
    it.each([[{ paymentReceived: true }], [{ zeroConfStatus: 'accepted' }]])('with %j, it counts', async (more) => {
      const evidence = await read({ status: 'payment_detected', ...more });
      expect(evidence).toMatchObject({ stage: 'paid', moneySeen: true });
      expect(evidence).not.toHaveProperty('arriving');
    });
    it.each(['lightning', 'balance', undefined])('paid by %s, the same word means that Bitrefill has it', async (method) => {
      const as = { ...followed, upstream: { slug: 'lightning-channel', ...(method === undefined ? {} : { method }) } };
      expect(await read({ status: 'payment_pending' }, as)).toMatchObject({ stage: 'paid', moneySeen: true });
    });
    it('replaced: the order ends unpaid, and nobody owes anything', async () => {
      const evidence = await read({ status: 'expired' });
      expect(evidence).toMatchObject({ stage: 'expired' });
      expect(evidence).not.toHaveProperty('moneySeen');
    });
    it('next to a failure, it is for a person; for another product, too', async () => {
      for (const more of [{ errorMessage: 'no route' }, { product: 'turbo-lightning-channel' }]) {
        const evidence = await read({ status: 'payment_detected', ...more });
        expect(evidence).toMatchObject({ stage: 'review' });
        expect(evidence).not.toHaveProperty('moneySeen');
      }
    });
    it('is not lost if a part of the answer cannot be read', async () => {
      const odd = { status: 'payment_detected', delivered: 'on its way' };
      expect(await read(odd)).toEqual({ upstreamOrderId: id, rawStatus: 'payment_detected', stage: 'awaiting_payment', arriving: true });
      expect(await read({ ...odd, errorMessage: 'no route' })).toEqual({ upstreamOrderId: id, rawStatus: 'payment_detected', stage: 'review' });
      at = onchain.expiresOn + 86_400_000;
      expect(await read(odd)).toEqual({ upstreamOrderId: id, rawStatus: 'payment_detected', stage: 'review' });
    });
  });
  it('a part that cannot be read takes nothing from what redeems the channel', async () => {
    const lnurl = encodeLnurl(`${new URL(baseUrl).origin}/thor?q=1`);
    const read = async (more: object) => {
      const { adapter, call } = scripted({ ...order, status: 'success', thorInfo: { lnurl }, ...more });
      const answer = await adapter.readOrders(call, followed);
      return answer.ok ? answer.value[0] : undefined;
    };
    const clean = await read({});
    expect(clean).toMatchObject({ stage: 'filled', secret: { lnurl } });
    expect(await read({ expirationTime: 'over' })).toMatchObject({ stage: 'review', moneySeen: true, rawStatus: clean?.rawStatus, secret: { lnurl } });
  });
  it('an answer about another order is no evidence', async () => {
    const { adapter, call } = scripted({ ...order, id: 'ffffffff950b353c59bcd412' });
    await expect(adapter.readOrders(call, followed)).rejects.toThrow('the answer is about another order');
  });
  it('without an id there is nothing to read, and that is not "no order"', async () => {
    const { adapter, asked, call } = scripted();
    const { upstreamOrderId: _lost, ...lost } = followed;
    const refusal = { ok: false, refusal: { reason: 'option-unsupported', note: 'orders-not-listed' } };
    expect([await adapter.readOrders(call), await adapter.readOrders(call, lost), asked]).toEqual([refusal, refusal, []]);
  });
  it('a self-test that does not say hello is a provider that is down', async () => {
    const { adapter, asked, call } = scripted('"Hello"');
    await expect(adapter.catalogue(call)).rejects.toMatchObject({ kind: 'malformed', taken: 'no' });
    expect(asked).toEqual(['GET /test']);
  });
  it.each([
    { message: 'Order not found', orderId: id },
    { error: 'Order not found', id },
    { status: 'error', errorMessage: 'Order not found', id },
  ])('an order that is not known, said with its id: %j', async (body) => {
    const { adapter, call } = scripted(body);
    expect(await adapter.readOrders(call, followed)).toEqual({ ok: true, value: [] });
  });
  it('an error of another kind that names the order says nothing about it', async () => {
    const { adapter, call } = scripted({ error: 'Something went wrong', orderId: id });
    await expect(adapter.readOrders(call, followed)).rejects.toMatchObject({ kind: 'server', retryable: true });
  });
  it.each<[string, object]>([
    ['leads to another host', { orders: [], nextUrl: 'https://evil.example/v1/orders/?from=1' }],
    ['holds an order that cannot be read', { orders: [{ ...order, userRef: 'mine', expired: 'perhaps' }] }],
  ])('a list of orders that %s does not say that ours is missing', async (_name, page) => {
    const { adapter, asked, call } = scripted(page);
    const { upstreamOrderId: _lost, ...lost } = followed;
    expect(await adapter.readOrders(call, { ...lost, facts: { user_ref: 'mine' } })).toMatchObject({ ok: false, refusal: { note: 'orders-not-listed' } });
    expect(asked).toEqual(['GET /orders/']);
  });
  it.each<[string, object]>([
    ['without a payment', { payment: null }],
    ['for nothing', { payment: { ...order.payment, satoshiPrice: 0 } }],
    ['with a flag that nobody can read', { expired: 'perhaps' }],
    ['with an amount in another unit', { payment: { ...order.payment, satoshiPrice: '40395 gwei' } }],
    ['under another name of its id', { id: undefined, orderId: id, payment: null }],
    ['in an envelope', { id: undefined, payment: undefined, data: { id, status: 'unpaid' } }],
  ])('an order %s is kept by its id', async (_name, more) => {
    const { adapter, call } = scripted({ ...order, ...more });
    await expect(adapter.placeOrder(call, place)).rejects.toMatchObject({ kind: 'malformed', taken: 'maybe', orderMade: id });
  });
  it.each<[unknown, string]>([
    [{}, 'malformed'],
    [[], 'malformed'],
    ['Thank you', 'malformed'],
    [{ message: 'Order received' }, 'server'],
    [{ error: 'Internal server error' }, 'server'],
  ])('%j may have made an order', async (body, kind) => {
    const { adapter, call } = scripted(body);
    await expect(adapter.placeOrder(call, place)).rejects.toMatchObject({ kind, taken: 'maybe', orderMade: undefined });
  });
});
