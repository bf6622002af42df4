import { createHash, randomBytes } from 'node:crypto';
import { bech32 } from '@scure/base';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createWallet, type Reply } from '../../scripts/demo/wallet.ts';
import type { NewInvoice } from '../../src/bitcoin/bolt11.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startLsps1Simulator, type RunningSimulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, until, type TestGateway } from '../support/gateway.ts';
import { thorBlock } from '../support/scenarios/liquidity.ts';
import { invoiceOver as anInvoice, opened as openedAt, type Body, type Call } from '../support/wallet.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const appKey = 'the-key-of-an-app-that-may-spend';
const bearer = { authorization: `Bearer ${appKey}` };
const clock = movableClock();
let gateway: TestGateway;
let north: RunningSimulator;
let thor: Awaited<ReturnType<typeof startBitrefillSimulator>>;
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
beforeAll(async () => {
  [north, thor, receiver] = await Promise.all([
    startLsps1Simulator({ id: 'north', now: clock.now, baseSats: 1000, ppm: 2000, leasePpm: 2400 }),
    startBitrefillSimulator({ id: 'thor', now: clock.now, deliver: 'at-once', balanceSats: 10_000_000, step: 1000, stepFrom: 'zero' }),
    startWebhookReceiver(),
  ]);
  gateway = await startTestGateway(
    {},
    {
      clock,
      config: {
        liquidity: { balance_daily_sats: 1_000_000 },
        apps: { wallet: { key_hashes: [createHash('sha256').update(appKey).digest('hex')], allow: ['pay_with_balance'] } },
      },
      blocks: {
        north: { kind: 'lsps1', base_url: north.url, quotes_per_node_per_day: 3 },
        thor: { ...thorBlock(thor.baseUrl), step_from: 'zero' },
      },
      environment: { BITREFILL_API_KEY: 'thor-key', BITREFILL_API_SECRET: 'thor-secret' },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  await Promise.all([north, thor, receiver].map((one) => one.close()));
});
afterEach(() => {
  thor.control.clearFaults();
  north.control.clearFaults();
  thor.control.setOptions({ webhooks: {}, deliver: 'at-once', lightningLifeS: 1200, thorInfo: undefined });
});

type Offer = { provider: { id: string }; quote_id: string; pay_sats: number };
const opened = async (): Promise<Call> => (await openedAt(gateway.url)).call;
const invoiceOver = (sats: number | undefined, more: Partial<NewInvoice> = {}): string =>
  anInvoice(sats, { timestamp: Math.floor(clock.now() / 1000), ...more });
const recharge = { product: 'recharge', amount_sats: 100_000, pay_with: 'lightning' };
const turbo = { product: 'turbo', amount_sats: 1_000_000, pay_with: 'lightning' };
const thorQuote = async (call: Call, wanted: object): Promise<Offer> => {
  const { body } = await call('/liquidity/offers', wanted);
  const offer = (body['offers'] as Offer[]).find((one) => one.provider.id === 'thor');
  if (!offer) throw new Error(`no offer: ${JSON.stringify(body)}`);
  return offer;
};
const newestAtThor = () => {
  const order = [...thor.control.state.orders.values()].at(-1);
  if (!order) throw new Error('thor has no order');
  return order;
};
const staged = async (call: Call, orderId: string, stage: string): Promise<Body> =>
  await gateway.passUntil(stage, async () => {
    const { body } = await call('/liquidity/order-status', { order_id: orderId });
    const entry = body[orderId] as Body;
    return entry['stage'] === stage ? entry : undefined;
  });
const asked = (endpoint: string): number => thor.control.state.requests.filter((one) => one.endpoint === endpoint).length;
/** Sends Thor's webhook for its newest order to that order's notice URL. */
const ring = async (): Promise<void> => await thor.control.forge(newestAtThor().webhookUrl ?? '', { id: newestAtThor().id });

it('a firm price whose order our database did not take: nothing is lost, the same reserved order is placed again', async () => {
  const call = await opened();
  const { body } = await call('/liquidity/offers', { product: 'inbound', amount_sats: 900_000, pay_with: 'lightning', lease_blocks: 4320, firm: true });
  const [quote] = body['offers'] as Offer[];
  const ask = async () => await call('/liquidity/order', { quote_id: quote?.quote_id });
  const { sql } = gateway.database;
  await sql.unsafe(`create function full_disk() returns trigger language plpgsql as $$ begin raise 'no room' using errcode = '53100'; end $$`);
  await sql.unsafe('create trigger full_disk before insert on orders execute function full_disk()');
  const failed = await ask();
  expect([failed.status, failed.body['code'], failed.body['retryable']]).toEqual([503, 'storage-unavailable', true]);
  await sql.unsafe('drop trigger full_disk on orders; drop function full_disk');
  // The sender's lease expires by the database's clock. Then the attempt is resumed.
  await sql`update intents set lease_until = now() where state = 'sending'`;
  await gateway.pass(60_000);
  const placed = await ask();
  expect([placed.status, placed.body['code']]).toEqual([200, undefined]);
  const made = [...north.control.orders.values()].filter((order) => order.lspSats === 900_000);
  expect(made.map((order) => order.invoice)).toEqual([(placed.body['payment_info'] as Body)['lightning_invoice']]);
  north.control.pay(made[0]?.id ?? '');
  north.control.open(made[0]?.id ?? '');
  await staged(call, String(placed.body['order_id']), 'finished');
});

describe('what was asked for', () => {
  it.each([0, -1, 1.5, '100000', 1e21, Number.MAX_SAFE_INTEGER + 1])('%s sats are no amount', async (amount_sats) => {
    const call = await opened();
    const bad = await call('/liquidity/offers', { ...recharge, amount_sats });
    expect([bad.status, bad.body['code']]).toEqual([400, 'invalid-request']);
  });

  it('is off-step, too little or too much: told with the limits under the name that was used', async () => {
    const call = await opened();
    for (const [amount_sats, reason] of [
      [100_500, 'off-step'],
      [400, 'below-minimum'],
      [5_000_000, 'above-maximum'],
    ] as const) {
      const { status, body } = await call('/liquidity/quote', { ...recharge, amount_sats });
      const refused = (body['refused'] as Body[]).find((one) => (one['provider'] as Body)['id'] === 'thor');
      expect([status, body['code'], refused?.['reason']]).toEqual([422, 'no-offer', reason]);
      expect(body['limits']).toHaveProperty(reason === 'above-maximum' ? 'max_amount_sats' : 'min_amount_sats');
    }
  });

  it.each(['seashells', 'doge', 'bitcoin', ''])('is paid in a way that nobody has heard of: %j', async (pay_with) => {
    const call = await opened();
    const { status, body } = await call('/liquidity/quote', { ...turbo, pay_with });
    expect([status, body['code'], (body['errors'] as Body[])[0]?.['pointer']]).toEqual([400, 'invalid-request', '/pay_with']);
  });

  it('is paid in a way that its seller does not take', async () => {
    const call = await opened();
    const { status, body } = await call('/liquidity/quote', { product: 'inbound', amount_sats: 300_000, pay_with: 'onchain' });
    expect([status, body['code']]).toEqual([422, 'no-offer']);
    expect(new Set((body['refused'] as Body[]).map((one) => one['reason']))).toEqual(new Set(['payment-method-unsupported', 'below-minimum']));
    expect(asked('POST /order')).toBe(0);
  });

  it('names a refund address of another network, or none at all', async () => {
    const call = await opened();
    const before = north.control.orders.size;
    for (const refund_onchain of ['bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq', 'nonsense']) {
      const firm = await call('/liquidity/offers', { product: 'inbound', amount_sats: 300_000, pay_with: 'lightning', firm: true, refund_onchain });
      expect([firm.status, firm.body['code']]).toEqual([422, 'address-invalid']);
      const quote = await thorQuote(call, turbo);
      const order = await call('/liquidity/order', { quote_id: quote.quote_id, refund_onchain });
      expect([order.status, order.body['code']]).toEqual([422, 'address-invalid']);
    }
    expect(north.control.orders.size).toBe(before);
  });

  it('names another refund address than the one with which the seller reserved the order', async () => {
    const call = await opened();
    const [one, other] = ['bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry'];
    for (const given of [{ refund_onchain: one }, {}]) {
      const firm = await call('/liquidity/offers', { product: 'inbound', amount_sats: 300_000, pay_with: 'lightning', firm: true, ...given });
      const order = async (more: object) => await call('/liquidity/order', { quote_id: (firm.body['offers'] as Offer[])[0]?.quote_id, ...more });
      const { status, body } = await order({ refund_onchain: other });
      expect([status, body['code'], (body['errors'] as Body[])[0]?.['pointer']]).toEqual([400, 'invalid-request', '/refund_onchain']);
      const same = await order('refund_onchain' in given ? { refund_onchain: one?.toUpperCase() } : {});
      expect(same.status).toBe(200);
    }
    expect([...north.control.orders.values()].slice(-2).map((reserved) => reserved.refundOnchain)).toEqual([one, undefined]);
  });
});

describe("the customer's invoice", () => {
  const tampered = (): string => {
    const { prefix, words } = bech32.decode(invoiceOver(100_000, { namePayee: true }) as `${string}1${string}`, false);
    words[words.length - 50] = ((words[words.length - 50] ?? 0) + 1) % 32;
    return bech32.encode(prefix, words, false);
  };
  it.each<[string, () => string]>([
    ['over another amount', () => invoiceOver(100_001)],
    ['over no amount', () => invoiceOver(undefined)],
    ['of another network', () => invoiceOver(100_000, { network: 'main' })],
    ['expired', () => invoiceOver(100_000, { timestamp: Math.floor(clock.now() / 1000) - 7201 })],
    ['dated in the future', () => invoiceOver(100_000, { timestamp: Math.floor(clock.now() / 1000) + 25 * 3600 })],
    ['about to expire', () => invoiceOver(100_000, { expirySeconds: 1190 })],
    ['with a bad signature', tampered],
    ['with a broken checksum', () => invoiceOver(100_000).replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'))],
    ['that is an LNURL', () => 'LNURL1DP68GURN8GHJ7MRWW4EXCTNXD9SHG6NPVCHXXMMD9AKXUATJDSKHQCTE8AEK2UMND9HKU0'],
  ])('%s is not sent anywhere', async (_, make) => {
    const call = await opened();
    const quote = await thorQuote(call, recharge);
    const before = asked('POST /order');
    const refused = await call('/liquidity/order', { quote_id: quote.quote_id, invoice: make() });
    expect([refused.status, refused.body['code']]).toEqual([422, 'invoice-unsuitable']);
    expect(asked('POST /order')).toBe(before);
    // With a suitable invoice, the quote can still be ordered.
    const order = await call('/liquidity/order', { quote_id: quote.quote_id, invoice: invoiceOver(100_000) });
    expect(order.status).toBe(200);
  });

  it('is the one that is paid: the same quote with another one, or another refund, is never answered with the first order', async () => {
    const call = await opened();
    const quote = await thorQuote(call, recharge);
    const invoice = invoiceOver(100_000);
    const order = async (more: object) => await call('/liquidity/order', { quote_id: quote.quote_id, ...more });
    const first = await order({ invoice });
    expect(first.status).toBe(200);
    for (const [other, pointer] of [
      [{ invoice: invoiceOver(100_000) }, '/invoice'],
      [{ invoice, refund_onchain: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' }, '/refund_onchain'],
    ] as const) {
      const { status, body } = await order(other);
      expect([status, body['code'], body['order_id'], (body['errors'] as Body[])[0]?.['pointer']]).toEqual([
        409,
        'quote-used',
        first.body['order_id'],
        pointer,
      ]);
    }
    for (const same of [{ invoice }, { invoice: `LIGHTNING:${invoice.toUpperCase()}` }, { invoice: `lightning://${invoice}` }, {}])
      expect(await order(same)).toMatchObject({ status: 200, body: first.body });
  });
});

describe("the customer's invoice is paid once", () => {
  const refusal = ({ status, body }: Reply): unknown => [status, body['code'], (body['errors'] as Body[] | undefined)?.[0]?.['pointer']];
  const refused = [422, 'invoice-unsuitable', '/invoice'];
  const one = () => {
    const paymentHash = randomBytes(32).toString('hex');
    // Two invoices that ask for the same payment.
    return [invoiceOver(100_000, { paymentHash }), invoiceOver(100_000, { paymentHash, description: 'the same sats' })] as const;
  };
  const orderOf = async (call: Call, invoice: string, wanted: object = recharge) =>
    await call('/liquidity/order', { quote_id: (await thorQuote(call, wanted)).quote_id, invoice });

  it('so no second order can name it, whoever asks and in whatever writing', async () => {
    const [invoice, again] = one();
    const [call, stranger] = await Promise.all([opened(), opened()]);
    const quote = await thorQuote(call, recharge);
    const first = await call('/liquidity/order', { quote_id: quote.quote_id, invoice });
    expect(first.status).toBe(200);
    const before = asked('POST /order');
    for (const text of [invoice, again, `lightning:${invoice}`, `lightning://${invoice}`, invoice.toUpperCase()])
      for (const by of [call, stranger]) {
        const second = await orderOf(by, text);
        expect(refusal(second)).toEqual(refused);
        expect(JSON.stringify(second.body)).not.toContain(String(first.body['order_id']));
      }
    expect(asked('POST /order')).toBe(before);
    expect(await call('/liquidity/order', { quote_id: quote.quote_id, invoice })).toMatchObject({ status: 200, body: first.body });
    // A channel is not paid out to an invoice, so an invoice in its request is not used up.
    expect((await orderOf(stranger, invoice, turbo)).status).toBe(200);
  });

  it('of two orders at the same moment one is made', async () => {
    const named = one();
    const calls = await Promise.all([opened(), opened()]);
    const quotes = await Promise.all(calls.map(async (call) => await thorQuote(call, recharge)));
    const before = asked('POST /order');
    const answers = await Promise.all(calls.map(async (call, n) => await call('/liquidity/order', { quote_id: quotes[n]?.quote_id, invoice: named[n] })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
    expect(asked('POST /order')).toBe(before + 1);
  });

  it.each([
    ['was made at another price, and shown to nobody', { fault: 'price-jump', bps: 500 }],
    ['was lost with its answer', { fault: 'lost-answer' }],
  ] as const)('another order may name it if the first %s', async (_what, fault) => {
    const [invoice, same] = one();
    thor.control.setFault({ endpoint: 'POST /order', ...fault, times: 1 });
    expect((await orderOf(await opened(), invoice)).status).toBe(409);
    const other = await opened();
    expect((await orderOf(other, same)).status).toBe(200);
    expect(refusal(await orderOf(other, invoice))).toEqual(refused);
  });

  it('another order may name it if nothing was sent for the first', async () => {
    const call = await opened();
    const paymentHash = randomBytes(32).toString('hex');
    const quote = await thorQuote(call, recharge);
    const order = async (invoice: string) => await call('/liquidity/order', { quote_id: quote.quote_id, invoice });
    expect(refusal(await order(invoiceOver(100_000, { paymentHash, expirySeconds: 600 })))).toEqual([422, 'invoice-unsuitable', undefined]);
    expect((await orderOf(await opened(), invoiceOver(100_000, { paymentHash }))).status).toBe(200);
    expect(refusal(await order(invoiceOver(100_000, { paymentHash })))).toEqual(refused);
    expect((await order(invoiceOver(100_000))).status).toBe(200);
  });
});

it('a refund address is the same in every writing', async () => {
  const call = await opened();
  const [address, other] = ['bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry'];
  const quote = await thorQuote(call, turbo);
  const order = async (refund_onchain: string) => await call('/liquidity/order', { quote_id: quote.quote_id, refund_onchain });
  const first = await order(address.toUpperCase());
  expect(first.status).toBe(200);
  for (const same of [address, address.toUpperCase(), `bitcoin:${address}`, `BITCOIN:${address.toUpperCase()}`])
    expect(await order(same)).toMatchObject({ status: 200, body: first.body });
  for (const another of [other, 'nonsense', `bitcoin:${other}`]) {
    const { status, body } = await order(another);
    expect([status, body['code'], (body['errors'] as Body[])[0]?.['pointer']]).toEqual([409, 'quote-used', '/refund_onchain']);
  }
});

describe('between offer and order', () => {
  it('the price jumped: fresh offers, nothing to pay, nothing is handed out later', async () => {
    const call = await opened();
    const quote = await thorQuote(call, turbo);
    thor.control.setFault({ endpoint: 'POST /order', fault: 'price-jump', bps: 500, times: 1 });
    const changed = await call('/liquidity/order', { quote_id: quote.quote_id });
    expect([changed.status, changed.body['code']]).toEqual([409, 'price-changed']);
    expect(JSON.stringify(changed.body)).not.toMatch(/lnbcrt|payment_info/);
    expect((changed.body['offers'] as Offer[]).filter((one) => one.provider.id === 'thor')).toEqual([]);
    const again = await call('/liquidity/order', { quote_id: quote.quote_id });
    expect({ ...again.body, instance: '' }).toEqual({ ...changed.body, instance: '' });
    expect((await call('/liquidity/order-status', {})).body).toEqual({});
    // No other seller has this product, so the seller whose price jumped is asked again.
    const fresh = await thorQuote(call, turbo);
    expect(fresh.pay_sats).toBe(quote.pay_sats);
    const order = await call('/liquidity/order', { quote_id: fresh.quote_id });
    expect(order.status).toBe(200);
  });

  it("within the tolerance it is handed out, unless the customer's own bound says no", async () => {
    const call = await opened();
    const bound = await thorQuote(call, turbo);
    const impossible = await call('/liquidity/order', { quote_id: bound.quote_id, max_pay_sats: bound.pay_sats - 1 });
    expect([impossible.status, (impossible.body['errors'] as Body[])[0]?.['pointer']]).toEqual([422, '/max_pay_sats']);
    thor.control.setFault({ endpoint: 'POST /order', fault: 'price-jump', bps: 10, times: 2 });
    const refused = await call('/liquidity/order', { quote_id: bound.quote_id, max_pay_sats: bound.pay_sats });
    expect([refused.status, refused.body['code']]).toEqual([409, 'price-changed']);
    const quote = await thorQuote(call, turbo);
    const order = await call('/liquidity/order', { quote_id: quote.quote_id });
    expect(order.status).toBe(200);
    expect(order.body['pay_sats']).toBeGreaterThan(quote.pay_sats);
  });

  it('one reserved order becomes one order of ours, whichever quotes were given for it', async () => {
    const call = await opened();
    const firm = { product: 'inbound', amount_sats: 700_000, pay_with: 'lightning', lease_blocks: 4320, firm: true };
    const before = north.control.orders.size;
    const quotes = [];
    for (let n = 0; n < 6; n += 1) {
      const { body } = await call('/liquidity/offers', firm);
      quotes.push((body['offers'] as Offer[])[0]?.quote_id);
    }
    expect(north.control.orders.size).toBe(before + 1);
    const answers = await Promise.all(
      quotes.map(async (quote_id) => {
        for (;;) {
          const answer = await call('/liquidity/order', { quote_id });
          if (answer.body['code'] !== 'order-pending') return answer;
          await new Promise((wait) => setTimeout(wait, 5));
        }
      }),
    );
    expect(answers.map((one) => (one.status === 200 ? '200' : String(one.body['code']))).toSorted((a, b) => a.localeCompare(b))).toEqual([
      '200',
      ...Array<string>(5).fill('quote-used'),
    ]);
    expect(Object.keys((await call('/liquidity/order-status', {})).body)).toHaveLength(1);
  });
});

describe('an order whose answer was lost', () => {
  const isLost = async (call: Call, offer: Offer): Promise<void> => {
    const lost = await call('/liquidity/order', { quote_id: offer.quote_id });
    expect([lost.status, lost.body['code'], lost.body['action'], lost.body['retry_after_ms']]).toEqual([409, 'order-unpayable', 'requote', undefined]);
    const again = await call('/liquidity/order', { quote_id: offer.quote_id });
    expect({ ...again.body, instance: '' }).toEqual({ ...lost.body, instance: '' });
    expect((await call('/liquidity/order-status', {})).body).toEqual({});
  };

  it('at Bitrefill is over at once: nobody can have seen how to pay it, so the next price is asked for', async () => {
    const call = await opened();
    const quote = await thorQuote(call, turbo);
    const before = asked('POST /order');
    thor.control.setFault({ endpoint: 'POST /order', fault: 'lost-answer', times: 1 });
    await isLost(call, quote);
    expect(asked('POST /order')).toBe(before + 1);
    const next = await call('/liquidity/order', { quote_id: (await thorQuote(call, turbo)).quote_id });
    expect(next.status).toBe(200);
  });

  it('at a seller by LSPS1 likewise', async () => {
    const call = await opened();
    const wanted = { product: 'inbound', amount_sats: 900_000, pay_with: 'lightning', lease_blocks: 4320 };
    expect((await call('/liquidity/offers', { ...wanted, firm: true })).status).toBe(200);
    const estimate = async (): Promise<Offer> => {
      const { body } = await call('/liquidity/offers', wanted);
      const offer = (body['offers'] as Offer[]).find((one) => one.provider.id === 'north');
      if (!offer) throw new Error(`no offer: ${JSON.stringify(body)}`);
      return offer;
    };
    north.control.setFault({ endpoint: 'create_order', fault: 'lost-answer', times: 1 });
    await isLost(call, await estimate());
    const next = await call('/liquidity/order', { quote_id: (await estimate()).quote_id });
    expect([next.status, (next.body['provider'] as Body)['id']]).toEqual([200, 'north']);
  });
});

describe('an order', () => {
  it('that was paid too little says so, and goes on when the rest comes', async () => {
    const call = await opened();
    const quote = await thorQuote(call, turbo);
    const { body } = await call('/liquidity/order', { quote_id: quote.quote_id, webhook_url: receiver.url });
    const orderId = String(body['order_id']);
    thor.control.underpay(newestAtThor().id);
    await ring();
    const under = await staged(call, orderId, 'underpaid');
    expect([under['order_status'], under['final'], under['payment_info']]).toEqual(['placed', false, body['payment_info']]);
    await gateway.pass(2_100);
    await thor.control.pay(newestAtThor().id);
    await staged(call, orderId, 'filled');
    const told = await receiver.waitFor('filled', (one) => one.body.includes(orderId) && one.body.includes('"filled"'), gateway);
    expect(Number(told.headers['webhook-sequence'])).toBeGreaterThan(1);
  });

  it('that was paid after its time stays visible and moves on', async () => {
    const call = await opened();
    thor.control.setOptions({ lightningLifeS: 62 });
    const quote = await thorQuote(call, turbo);
    const { body } = await call('/liquidity/order', { quote_id: quote.quote_id });
    const orderId = String(body['order_id']);
    thor.control.expire(newestAtThor().id);
    await ring();
    const expired = await staged(call, orderId, 'expired');
    expect([expired['final'], expired['payment_info'], expired['redemption']]).toEqual([false, undefined, undefined]);
    await gateway.pass(2_100);
    await thor.control.pay(newestAtThor().id);
    const filled = await staged(call, orderId, 'filled');
    expect(filled['redemption']).toMatchObject({ lnurl: expect.stringMatching(/^LNURL1/i) });
  });

  it.each(['empty', 'nulls', 'missing'] as const)('that says how to redeem it only later (%s until then) is paid, and then filled', async (thorInfo) => {
    const call = await opened();
    const quote = await thorQuote(call, turbo);
    const { body } = await call('/liquidity/order', { quote_id: quote.quote_id });
    const orderId = String(body['order_id']);
    thor.control.setOptions({ thorInfo });
    await ring();
    await gateway.pass(2_100);
    expect(await staged(call, orderId, 'awaiting_payment')).toMatchObject({ payment_info: body['payment_info'] });
    await thor.control.pay(newestAtThor().id);
    const paid = await staged(call, orderId, 'paid');
    expect([paid['order_status'], paid['redemption']]).toEqual(['placed', undefined]);
    thor.control.setOptions({ thorInfo: undefined });
    const filled = await staged(call, orderId, 'filled');
    expect(filled['redemption']).toMatchObject({ lnurl: expect.stringMatching(/^LNURL1/i) });
  });

  it('whose first link leads to a foreign host is in review until there is another', async () => {
    const call = await opened();
    thor.control.setOptions({ thorInfo: 'foreign' });
    const quote = await thorQuote(call, turbo);
    const { body } = await call('/liquidity/order', { quote_id: quote.quote_id });
    const orderId = String(body['order_id']);
    await thor.control.pay(newestAtThor().id);
    const review = await staged(call, orderId, 'review');
    expect([review['review_reason'], review['redemption']]).toEqual(['unsafe-link', undefined]);
    expect(gateway.logs.filter((line) => line.includes('redemption_link_untrusted') && line.includes(orderId))).toHaveLength(1);
    const [row] = await gateway.database.sql<{ watch: Body }[]>`select terms as watch from orders where id = ${orderId}`;
    // The provider says that it delivered everything, so the order does not count as never filled.
    expect(row?.watch).toMatchObject({ filledSeen: true, moneySeen: true });
    thor.control.setOptions({ thorInfo: undefined });
    const filled = await staged(call, orderId, 'filled');
    expect(filled['redemption']).toMatchObject({ lnurl: expect.stringMatching(/^LNURL1/i) });
  });

  it.each([
    ['product', { slug: 'lightning-channel' }, { slug: 'turbo-lightning-channel' }],
    ['value', { value: '500000' }, { value: '1000000' }],
  ])('that the provider later reports with another %s is in review until it is the ordered one again', async (_name, other, ordered) => {
    const call = await opened();
    const quote = await thorQuote(call, turbo);
    const { body } = await call('/liquidity/order', { quote_id: quote.quote_id });
    const orderId = String(body['order_id']);
    Object.assign(newestAtThor(), other);
    const unpaid = await staged(call, orderId, 'review');
    expect([unpaid['review_reason'], unpaid['payment_info']]).toEqual(['unclear', undefined]);
    await thor.control.pay(newestAtThor().id);
    const paid = await gateway.passUntil('paid', async () => {
      const entry = (await call('/liquidity/order-status', { order_id: orderId })).body[orderId] as Body;
      return entry['review_reason'] === 'paid-not-delivered' ? entry : undefined;
    });
    expect([paid['stage'], paid['redemption']]).toEqual(['review', undefined]);
    Object.assign(newestAtThor(), ordered);
    expect((await staged(call, orderId, 'filled'))['redemption']).toMatchObject({ lnurl: expect.stringMatching(/^LNURL1/i) });
  });

  it('is not moved by what a notice says, only by what the provider says, and not often', async () => {
    const call = await opened();
    const quote = await thorQuote(call, turbo);
    const { body } = await call('/liquidity/order', { quote_id: quote.quote_id });
    const orderId = String(body['order_id']);
    const { id, webhookUrl = '' } = newestAtThor();
    const lie = { id, status: 'success', delivered: true, thorInfo: { link: 'https://evil.example/x', k1: 'ab'.repeat(32) } };
    const reads = (): number => thor.control.state.requests.filter((one) => one.endpoint === 'GET /order/{id}' && one.path.endsWith(id)).length;
    const before = reads();
    await thor.control.forge(webhookUrl.replace(/[\w-]{20,}$/, 'A'.repeat(43)), lie);
    await gateway.server.idle();
    expect(reads()).toBe(before);
    await clock.still(async () => {
      await Promise.all(Array.from({ length: 200 }, async () => await thor.control.forge(webhookUrl, lie)));
    });
    await gateway.pass(2_500);
    const [noticed] = await gateway.database.sql<{ rows: number; rings: number }[]>`select count(*)::int as rows, sum(n.count)::int as rings
      from notices n join intents i on i.id::text = n.target_id where i.order_id = ${orderId} and n.genuine`;
    expect(noticed?.rings).toBe(200);
    // Notices within two seconds share one row, and cause one read.
    expect(noticed?.rows).toBeLessThanOrEqual(3);
    const entry = (await call('/liquidity/order-status', { order_id: orderId })).body[orderId] as Body;
    expect([entry['stage'], entry['redemption']]).toEqual(['awaiting_payment', undefined]);
    expect(gateway.logs.join('\n')).not.toContain('ab'.repeat(32));
  });

  it('is nobody else’s, and its route is told to its owner', async () => {
    const call = await opened();
    const quote = await thorQuote(call, turbo);
    const { body } = await call('/liquidity/order', { quote_id: quote.quote_id });
    const route = await call('/route', { order_id: body['order_id'] });
    expect(route.body).toMatchObject({ product: 'turbo', amount_sats: 1_000_000, policy: { name: 'least-fee' }, chosen_rank: expect.any(Number) });
    expect(JSON.stringify(route.body)).not.toMatch(/lnbcrt|pay_to/);
    const stranger = await opened();
    expect((await stranger('/route', { order_id: body['order_id'] })).status).toBe(404);
    expect((await stranger('/liquidity/order', { quote_id: quote.quote_id })).body['code']).toBe('quote-not-found');
    expect((await stranger('/liquidity/order-status', { order_id: body['order_id'] })).body['code']).toBe('order-not-found');
  });
});

describe("a stranger's node", () => {
  it('is not asked for, and costs nothing', async () => {
    const victim = createWallet(gateway.url);
    const { sessionId } = await victim.open();
    const firm = { product: 'inbound', amount_sats: 800_000, pay_with: 'lightning', firm: true };
    const thief = await opened();
    for (let n = 0; n < 5; n += 1) {
      const refused = await thief('/liquidity/offers', { ...firm, amount_sats: 800_000 + n, node_pubkey: victim.pubkey });
      expect([refused.status, refused.body['code']]).toEqual([403, 'proof-required']);
    }
    const { body: verify } = await victim.call('/verify');
    const stated = { session_id: verify['session_id'], node_pubkey: victim.pubkey };
    const forged = await victim.call('/session', { ...stated, signatures: { gateway: 'd'.repeat(104) } });
    expect([forged.status, forged.body['session_id']]).toEqual([403, undefined]);
    // A node key that the customer only states, without a proof, is ignored.
    expect((await victim.call('/session', stated)).body['proven']).toEqual([]);
    for (const named of [{}, { node_pubkey: victim.pubkey }]) {
      const refused = await victim.call('/liquidity/offers', { session_id: verify['session_id'], ...firm, ...named });
      expect([refused.status, refused.body['code']]).toEqual([403, 'proof-required']);
    }
    expect(north.control.requests.filter((one) => one.endpoint === 'create_order' && one.body['public_key'] === victim.pubkey)).toEqual([]);
    const own = await victim.call('/liquidity/offers', { session_id: sessionId, ...firm });
    expect(own.body['firm_quotes_left']).toBe(2);
  });
});

describe("a purchase with the operator's balance", () => {
  const wanted = { product: 'recharge', amount_sats: 20_000, pay_with: 'balance' };
  const order = async (call: Call, invoice = invoiceOver(20_000)): Promise<{ quoteId: string; answer: () => Promise<Reply> }> => {
    const { body } = await call('/liquidity/quote', wanted, bearer);
    const request = { quote_id: body['quote_id'], invoice };
    return { quoteId: String(body['quote_id']), answer: async () => await call('/liquidity/order', request, bearer) };
  };
  const spent = async (): Promise<bigint> => {
    const [row] = await gateway.database.sql<{ used: string }[]>`select used::text from daily_uses where purpose = 'balance-sats'`;
    return BigInt(row?.used ?? 0);
  };

  it('whose response was lost is found by its notice, even by one that came before the gateway stopped waiting, and is sent once', async () => {
    const call = await opened();
    const before = asked('POST /purchase');
    const { answer } = await order(call);
    thor.control.setFault({ endpoint: 'POST /purchase', fault: 'lost-answer', times: 1 });
    const lost = await answer();
    expect([lost.status, lost.body['code']]).toEqual([503, 'order-pending']);
    const found = await gateway.passUntil('found', async () => {
      const again = await answer();
      return again.status === 200 ? again.body : undefined;
    });
    expect(['finished', 'filled', 'paid']).toContain(found['stage']);
    expect(asked('POST /purchase')).toBe(before + 1);
    await staged(call, String(found['order_id']), 'finished');
  });

  it('is not found by a notice about another customer’s order', async () => {
    const other = await opened();
    const { answer: others } = await order(other);
    expect((await others()).status).toBe(200);
    const theirs = newestAtThor().id;
    const call = await opened();
    thor.control.setOptions({ webhooks: { deliveries: 0 } });
    const { answer } = await order(call);
    thor.control.setFault({ endpoint: 'POST /purchase', fault: 'lost-answer', times: 1 });
    expect((await answer()).status).toBe(503);
    const mine = newestAtThor();
    await thor.control.forge(mine.webhookUrl ?? '', { id: theirs });
    await gateway.pass(2_100);
    expect((await answer()).body['code']).toBe('order-pending');
    await thor.control.forge(mine.webhookUrl ?? '', { id: mine.id });
    await gateway.passUntil('found', async () => ((await answer()).status === 200 ? true : undefined));
  });

  it('that made an order for another product goes to review, though its notice names it', async () => {
    const call = await opened();
    const before = asked('POST /purchase');
    const invoice = invoiceOver(20_000);
    const { quoteId, answer } = await order(call, invoice);
    thor.control.setFault({ endpoint: 'POST /purchase', fault: 'other-product', times: 1 });
    expect((await answer()).status).toBe(503);
    const { sql } = gateway.database;
    // The next read may show more than the first one, so only the end of the attempt leads to a review.
    await gateway.pass(5_000);
    expect((await answer()).body['code']).toBe('order-pending');
    await sql`update intents set dead_on = now() - interval '1 second', next_try_on = now() - interval '1 second' where quote_id = ${quoteId}`;
    const review = await gateway.passUntil('review', async () => {
      const again = await answer();
      return again.status === 503 ? undefined : again;
    });
    expect([review.status, review.body['code'], review.body['action']]).toEqual([409, 'order-unpayable', 'contact-support']);
    const [row] = await sql<{ state: string; id: string }[]>`select state, upstream_order_id as id from intents where quote_id = ${quoteId}`;
    expect(row).toEqual({ state: 'review', id: newestAtThor().id });
    expect(asked('POST /purchase')).toBe(before + 1);
    // That order may still pay the invoice.
    for (const by of [call, await opened()]) {
      const again = await (await order(by, invoice)).answer();
      expect([again.status, again.body['code']]).toEqual([422, 'invoice-unsuitable']);
    }
    expect(asked('POST /purchase')).toBe(before + 1);
  });

  it('for which no notice came goes to review after half an hour, and is never sent again', async () => {
    const call = await opened();
    thor.control.setOptions({ webhooks: { deliveries: 0 } });
    const before = asked('POST /purchase');
    const { quoteId, answer } = await order(call);
    thor.control.setFault({ endpoint: 'POST /purchase', fault: 'lost-answer', times: 1 });
    expect((await answer()).status).toBe(503);
    const counted = await spent();
    const { sql } = gateway.database;
    const [intent] = await sql<
      { minutes: number }[]
    >`select round(extract(epoch from dead_on - created_on) / 60)::int as minutes from intents where quote_id = ${quoteId}`;
    expect(intent?.minutes).toBe(30);
    await sql`update intents set next_try_on = now() - interval '1 second' where quote_id = ${quoteId}`;
    await gateway.pass(1_500);
    expect((await answer()).body['code']).toBe('order-pending');
    await sql`update intents set dead_on = now() - interval '1 second', next_try_on = now() - interval '1 second' where quote_id = ${quoteId}`;
    const review = await gateway.passUntil('review', async () => {
      const again = await answer();
      return again.status === 409 ? again.body : undefined;
    });
    expect([review['code'], review['action'], String(review['detail'])]).toEqual([
      'order-unpayable',
      'contact-support',
      expect.stringContaining('Do not order the same again'),
    ]);
    const [row] = await sql<{ state: string }[]>`select state from intents where quote_id = ${quoteId}`;
    expect(row?.state).toBe('review');
    expect(asked('POST /purchase')).toBe(before + 1);
    // The balance may have been spent, so the amount stays counted.
    expect(await spent()).toBe(counted);
  });

  it('is the only one under way for its account', async () => {
    const [one, two] = await Promise.all([opened(), opened()]);
    const [first, second] = [await order(one), await order(two)];
    const counted = await spent();
    thor.control.setFault({ endpoint: 'POST /purchase', fault: 'latency', ms: 700, times: 1 });
    const before = asked('POST /purchase');
    const running = first.answer();
    await until('sent', async () => await Promise.resolve(asked('POST /purchase') > before ? true : undefined));
    const meanwhile = await second.answer();
    expect([meanwhile.status, meanwhile.body['code']]).toEqual([503, 'order-pending']);
    expect(asked('POST /purchase')).toBe(before + 1);
    expect((await running).status).toBe(200);
    const after = await second.answer();
    expect(after.status).toBe(200);
    const pay = BigInt(newestAtThor().price);
    expect((await spent()) - counted).toBe(2n * pay);
  });

  it('that was refused is not counted', async () => {
    const call = await opened();
    const { answer } = await order(call);
    const counted = await spent();
    thor.control.setBalance(10);
    const refused = await answer();
    thor.control.setBalance(10_000_000);
    expect([refused.status, refused.body['code']]).toEqual([503, 'provider-unavailable']);
    expect(await spent()).toBe(counted);
    expect((await answer()).status).toBe(200);
  });

  it('that is refused on the next day (UTC) is given back to the day for which it was counted', async () => {
    const { liquidity } = gateway.server.gateway.stores;
    const dayMs = 86_400_000;
    const dayAt = (at: number) => ({ day: new Date(at).toISOString().slice(0, 10), purpose: 'balance-sats', subject: 'all' });
    const midnight = Math.ceil((clock.now() + 60_000) / dayMs) * dayMs;
    await gateway.pass(midnight - 30_000 - clock.now());
    const { answer } = await order(await opened());
    const used = async () => [await liquidity.used(dayAt(midnight - 1)), await liquidity.used(dayAt(midnight))];
    // Another purchase of the new day, which must stay counted.
    await liquidity.take(dayAt(midnight), 25_000n, 1_000_000n);
    const before = await used();
    expect(before[1]).toBe(25_000n);
    const take = liquidity.take.bind(liquidity);
    liquidity.take = async (...counted) => {
      liquidity.take = take;
      const taken = await take(...counted);
      expect([await liquidity.used(dayAt(midnight - 1)), clock.now() < midnight]).toEqual([(before[0] ?? 0n) + counted[1], true]);
      clock.move(midnight - clock.now());
      return taken;
    };
    thor.control.setBalance(0);
    const refused = await answer();
    thor.control.setBalance(10_000_000);
    expect([refused.status, refused.body['code'], await used()]).toEqual([503, 'provider-unavailable', before]);
  });
});
