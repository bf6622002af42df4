import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { encodeInvoice } from '../../src/bitcoin/bolt11.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startLsps1Simulator, type RunningSimulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { startTestGateway, until, type TestGateway } from '../support/gateway.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const appKey = 'an-app-key-that-only-this-test-knows';
let gateway: TestGateway;
let north: RunningSimulator;
let south: RunningSimulator;
let west: RunningSimulator;
let thor: Awaited<ReturnType<typeof startBitrefillSimulator>>;
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
beforeAll(async () => {
  [north, south, west, thor, receiver] = await Promise.all([
    startLsps1Simulator({ id: 'north', baseSats: 1000, ppm: 2000, leasePpm: 2400 }),
    startLsps1Simulator({ id: 'south', baseSats: 500, ppm: 3200, leasePpm: 2450 }),
    startLsps1Simulator({ id: 'west', baseSats: 0, ppm: 1000, leasePpm: 1000, connected: 'none' }),
    startBitrefillSimulator({ id: 'thor', deliver: 'at-once', balanceSats: 10_000_000, step: 1000, stepFrom: 'zero' }),
    startWebhookReceiver(),
  ]);
  const seller = (one: RunningSimulator, name: string) => ({ kind: 'lsps1', base_url: one.url, display: { name }, quotes_per_node_per_day: 2 });
  gateway = await startTestGateway(
    {},
    {
      config: {
        liquidity: { balance_daily_sats: 150_000 },
        apps: { wallet: { key_hashes: [createHash('sha256').update(appKey).digest('hex')], allow: ['pay_with_balance'] } },
      },
      blocks: {
        north: seller(north, 'LSP North'),
        south: seller(south, 'LSP South'),
        west: seller(west, 'LSP West'),
        thor: {
          kind: 'bitrefill',
          base_url: thor.baseUrl,
          api_key_env: 'BITREFILL_API_KEY',
          api_secret_env: 'BITREFILL_API_SECRET',
          receipt_email: 'receipts@example.com',
          pay_with_balance: true,
          repost: 'duplicates',
          step_from: 'zero',
        },
      },
      environment: { BITREFILL_API_KEY: 'thor-key', BITREFILL_API_SECRET: 'thor-secret' },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  await Promise.all([north, south, west, thor, receiver].map((one) => one.close()));
});

type Body = Record<string, unknown>;
type Offer = { provider: { id: string }; quote_id: string; pay_sats: number; fee_sats: number; warnings: string[]; is_estimate: boolean };
type Call = (path: string, body?: object, headers?: Record<string, string>) => Promise<{ status: number; body: Body }>;
const opened = async (): Promise<{ wallet: Wallet; call: Call }> => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  return { wallet, call: async (path, body, headers) => await wallet.call(path, { session_id: sessionId, ...body }, headers) };
};
const inbound = { product: 'inbound', amount_sats: 1_000_000, pay_with: 'lightning', lease_blocks: 4320 };
const staged = async (call: Call, orderId: string, stage: string): Promise<Body> =>
  await until(
    stage,
    async () => {
      const { body } = await call('/liquidity/order-status', { order_id: orderId });
      const entry = body[orderId] as Body;
      return entry['stage'] === stage ? entry : undefined;
    },
    15_000,
  );

const invoiceOver = (sats: number, expirySeconds = 7200): string =>
  encodeInvoice({
    network: 'regtest',
    amountMsat: BigInt(sats) * 1000n,
    timestamp: Math.floor(Date.now() / 1000),
    expirySeconds,
    paymentHash: randomBytes(32).toString('hex'),
    paymentSecret: randomBytes(32).toString('hex'),
    description: 'recharge',
    payeePrivateKey: randomBytes(32).toString('hex'),
  });

describe('inbound capacity', () => {
  it('compares sellers by a firm price for the proven node, and buys a channel', async () => {
    const { call } = await opened();
    const products = await call('/liquidity/products');
    const listed = products.body['products'] as { product: string; peers: { uri: string }[]; min_amount_sats: number }[];
    expect(listed.map((one) => one.product)).toEqual(['recharge', 'inbound', 'turbo']);
    expect(listed[1]?.peers.length).toBe(3);

    const free = await call('/liquidity/offers', inbound);
    expect((free.body['offers'] as Offer[]).map((one) => one.provider.id)).toEqual([]);
    expect(free.body['excluded']).toEqual([
      { provider: { id: 'thor', name: 'thor' }, rule: 'lease-not-promised', pay_sats: expect.any(Number), is_estimate: true },
    ]);
    expect(new Set((free.body['refused'] as { reason: string }[]).map((one) => one.reason))).toEqual(new Set(['price-needs-order']));
    expect([north, south, west].flatMap((one) => [...one.control.orders.values()])).toEqual([]);

    const firm = await call('/liquidity/offers', { ...inbound, firm: true });
    const offers = firm.body['offers'] as Offer[];
    expect(offers.map((one) => [one.provider.id, one.is_estimate, one.pay_sats])).toEqual([
      ['north', false, 1000 + 2000 + 2400],
      ['south', false, 500 + 3200 + 2450],
    ]);
    expect(firm.body['refused']).toMatchObject([
      { provider: { id: 'west' }, reason: 'peer-not-connected', connect_to: expect.stringMatching(/^0[23][0-9a-f]{64}@/) },
    ]);
    expect(firm.body).toMatchObject({ product: 'inbound', amount_sats: 1_000_000, firm_quotes_left: 1, policy: { name: 'least-fee', decided_by: 'fee_sats' } });

    const again = await call('/liquidity/offers', { ...inbound, firm: true });
    expect(again.body['firm_quotes_left']).toBe(1);
    expect([...north.control.orders.values()]).toHaveLength(1);

    const ordered = await call('/liquidity/order', { quote_id: offers[0]?.quote_id, max_pay_sats: 5400, webhook_url: receiver.url });
    expect(ordered.status).toBe(200);
    expect(ordered.body).toMatchObject({
      product: 'inbound',
      pay_sats: 5400,
      fee_sats: 5400,
      client_sats: 0,
      inbound_sats: 1_000_000,
      lease_blocks: 4320,
      delivered_as: 'channel',
      payment_info: { kind: 'invoice', amount_sats: 5400 },
    });
    const twice = await call('/liquidity/order', { quote_id: offers[0]?.quote_id, max_pay_sats: 5400, webhook_url: receiver.url });
    expect(twice.body).toEqual(ordered.body);
    expect([...north.control.orders.values()]).toHaveLength(1);

    const [order] = [...north.control.orders.values()];
    await north.control.pay(order?.id ?? '');
    await north.control.open(order?.id ?? '');
    await staged(call, String(ordered.body['order_id']), 'finished');
    const told = await receiver.waitFor('told', (one) => one.body.includes('"finished"'));
    expect(JSON.parse(told.body)).toMatchObject({ type: 'order_status_changed', data: { order_id: ordered.body['order_id'] } });

    const seen = await call('/liquidity/offers', inbound);
    expect((seen.body['offers'] as Offer[]).map((one) => [one.provider.id, one.warnings])).toEqual([
      ['north', ['price-is-last-observed']],
      ['south', ['price-is-last-observed']],
    ]);
  });

  it('counts firm prices for a node, and takes no other node than the proven one', async () => {
    const { call } = await opened();
    const first = await call('/liquidity/offers', { ...inbound, amount_sats: 400_000, firm: true });
    expect(first.body['firm_quotes_left']).toBe(1);
    const second = await call('/liquidity/offers', { ...inbound, amount_sats: 500_000, firm: true });
    expect(second.body['firm_quotes_left']).toBe(0);
    const third = await call('/liquidity/offers', { ...inbound, amount_sats: 600_000, firm: true });
    expect(third.body['refused']).toEqual(expect.arrayContaining([{ provider: { id: 'north', name: 'LSP North' }, reason: 'quota-used' }]));
    const foreign = await call('/liquidity/offers', { ...inbound, firm: true, node_pubkey: `02${'ab'.repeat(32)}` });
    expect([foreign.status, foreign.body['code']]).toEqual([403, 'proof-required']);
  });

  it('wants a proof before it asks for a firm price', async () => {
    const wallet = createWallet(gateway.url);
    const { body: verify } = await wallet.call('/verify');
    await wallet.call('/session', { session_id: verify['session_id'] });
    const refused = await wallet.call('/liquidity/offers', { session_id: verify['session_id'], ...inbound, firm: true });
    expect([refused.status, refused.body['code']]).toEqual([403, 'proof-required']);
  });
});

describe('Bitrefill', () => {
  it('sells a turbo channel to redemption', async () => {
    const { call } = await opened();
    const offers = await call('/liquidity/offers', { product: 'turbo', amount_sats: 1_000_000, pay_with: 'lightning' });
    const offer = (offers.body['offers'] as Offer[]).find((one) => one.provider.id === 'thor');
    const ordered = await call('/liquidity/order', { quote_id: offer?.quote_id });
    expect(ordered.status).toBe(200);
    expect(ordered.body).toMatchObject({
      product: 'turbo',
      client_sats: 1_000_000,
      inbound_sats: 1_000_000,
      delivered_as: 'redemption',
      payment_info: { kind: 'invoice' },
    });
    const [order] = [...thor.control.state.orders.values()].slice(-1);
    await thor.control.pay(order?.id ?? '');
    const entry = await staged(call, String(ordered.body['order_id']), 'filled');
    expect(entry['redemption']).toMatchObject({ lnurl: expect.stringMatching(/^LNURL1/i) });
    expect(entry['redemption_means']).toContain('the channel opens when');
    expect(gateway.logs.join('\n')).not.toContain(String((entry['redemption'] as { lnurl: string }).lnurl));
  });

  it('recharges an invoice of the customer, and only a suitable one', async () => {
    const { call } = await opened();
    const wanted = { product: 'recharge', amount_sats: 100_000, pay_with: 'lightning' };
    const offers = await call('/liquidity/offers', wanted);
    const offer = (offers.body['offers'] as Offer[])[0];
    expect(offers.body['offers']).toMatchObject([{ provider: { id: 'thor' }, requires: ['invoice'], client_sats: 100_000 }]);
    for (const invoice of [undefined, 'lnbc1nonsense', invoiceOver(99_999), invoiceOver(100_000, 60)]) {
      const refused = await call('/liquidity/order', { quote_id: offer?.quote_id, ...(invoice === undefined ? {} : { invoice }) });
      expect([refused.status, refused.body['code']]).toEqual([422, 'invoice-unsuitable']);
    }
    const ordered = await call('/liquidity/order', { quote_id: offer?.quote_id, invoice: invoiceOver(100_000) });
    expect(ordered.status).toBe(200);
    const [order] = [...thor.control.state.orders.values()].slice(-1);
    await thor.control.pay(order?.id ?? '');
    await staged(call, String(ordered.body['order_id']), 'finished');
  });

  it('refuses amounts between its steps, with the limits under the caller’s own name', async () => {
    const { call } = await opened();
    const off = await call('/liquidity/quote', { product: 'recharge', amount_sats: 100_001, pay_with: 'lightning' });
    expect([off.status, off.body['code']]).toEqual([422, 'no-offer']);
    expect(off.body['refused']).toEqual(expect.arrayContaining([expect.objectContaining({ reason: 'off-step', min_amount_sats: expect.any(Number) })]));
  });
});

describe("the operator's balance", () => {
  const wanted = { product: 'recharge', amount_sats: 20_000, pay_with: 'balance' };
  const bearer = { authorization: `Bearer ${appKey}` };

  it('is spent by an app that may, within the day’s limit, exactly, also by a hundred at the same time', async () => {
    const { call } = await opened();
    const first = (await call('/liquidity/quote', wanted)).body;
    const stranger = await call('/liquidity/order', { quote_id: first['quote_id'], invoice: invoiceOver(20_000) });
    expect([stranger.status, stranger.body['code']]).toEqual([403, 'app-key-required']);
    const pay = Number(first['pay_sats']);
    const most = Math.floor(150_000 / pay);
    const people = await Promise.all(Array.from({ length: 20 }, () => opened()));
    const answers = await Promise.all(
      people.flatMap((person) =>
        Array.from({ length: 5 }, async () => {
          let quote = await person.call('/liquidity/quote', wanted);
          while (quote.status !== 200) quote = await person.call('/liquidity/quote', wanted);
          for (;;) {
            const answer = await person.call('/liquidity/order', { quote_id: quote.body['quote_id'], invoice: invoiceOver(20_000) }, bearer);
            if (answer.body['code'] !== 'order-pending') return answer;
            await new Promise((wait) => setTimeout(wait, 50));
          }
        }),
      ),
    );
    expect(answers.filter((one) => one.status === 200)).toHaveLength(most);
    expect(new Set(answers.filter((one) => one.status !== 200).map((one) => one.body['code']))).toEqual(new Set(['daily-limit-reached']));
    expect([...thor.control.state.orders.values()].filter((one) => one.method === undefined)).toHaveLength(most);
  });
});
