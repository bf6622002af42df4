/** Buys channels from the simulated Blocktank through the gateway: who opens them, what is refunded, and what is never shown. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBlocktankSimulator, type RunningSimulator } from '../../src/providers/blocktank/blocktank.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { opened, type Body, type Call } from '../support/wallet.ts';

const day = 86_400_000;
const inbound = { product: 'inbound', amount_sats: 1_000_000, pay_with: 'lightning', lease_blocks: 4320 };
const refund = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
let gateway: TestGateway;
let seller: RunningSimulator;
beforeAll(async () => {
  const clock = movableClock();
  seller = await startBlocktankSimulator({ id: 'tank', now: clock.now, feeRates: { fast: 6, mid: 5, slow: 4 } });
  gateway = await startTestGateway(
    {},
    { clock, blocks: { tank: { kind: 'blocktank', base_url: seller.baseUrl, repost: 'duplicates', quotes_per_node_per_day: 100, orders_per_day: 1000 } } },
  );
});
afterAll(async () => {
  await gateway.close();
  await seller.close();
});
beforeEach(() => {
  seller.control.clearFaults();
  seller.control.setOptions({ connected: 'all', lnurl: false, lifeS: 2 * 86_400, openErrors: 'code', network: 'regtest' });
});

/** Opens a session without a node key. */
const unproven = async (): Promise<{ call: Call }> => {
  const wallet = createWallet(gateway.url);
  const { body } = await wallet.call('/verify');
  const session = { session_id: body['session_id'] };
  await wallet.call('/session', session);
  return { call: async (path, more, headers) => await wallet.call(path, { ...session, ...more }, headers) };
};

type Offer = { quote_id: string; is_estimate: boolean; pay_sats: number; delivered_as: string; lease_blocks: number; connect_to?: string };
const offersOf = async (call: Call, body: object): Promise<Offer[]> => {
  const answer = await call('/liquidity/offers', body);
  return answer.body['offers'] as Offer[];
};
const ordered = async (call: Call, body: object, more: object = {}): Promise<Body> => {
  const [offer] = await offersOf(call, body);
  return (await call('/liquidity/order', { quote_id: offer?.quote_id, ...more })).body;
};
const statusOf = async (call: Call, order: Body): Promise<Body> =>
  (await call('/liquidity/order-status', { order_id: order['order_id'] })).body[String(order['order_id'])] as Body;
const reaches = async (call: Call, order: Body, stage: string): Promise<Body> =>
  await gateway.passUntil(stage, async () => {
    const entry = await statusOf(call, order);
    return entry['stage'] === stage ? entry : undefined;
  });

describe('prices', () => {
  it('an estimate makes no order; a firm price makes one, which is bought by the same quote', async () => {
    const { call } = await opened(gateway.url);
    const before = seller.control.orders.size;
    expect(await offersOf(call, inbound)).toMatchObject([{ is_estimate: true, pay_sats: 2169, lease_blocks: 5040, delivered_as: 'channel' }]);
    expect(seller.control.orders.size).toBe(before);
    const [firm] = await offersOf(call, { ...inbound, firm: true });
    expect(firm).toMatchObject({ is_estimate: false, pay_sats: 2169 });
    const order = await call('/liquidity/order', { quote_id: firm?.quote_id });
    expect(order.body).toMatchObject({ stage: 'awaiting_payment', pay_sats: 2169, payment_info: { kind: 'invoice', amount_sats: 2169 } });
    expect((await call('/liquidity/order', { quote_id: firm?.quote_id })).body).toEqual(order.body);
    expect(seller.control.orders.size).toBe(before + 1);
  });
});

describe('opening', () => {
  it('a paid channel is opened to the node that the customer proved', async () => {
    const { call, wallet } = await opened(gateway.url);
    const order = await ordered(call, inbound);
    seller.control.pay();
    const done = await reaches(call, order, 'finished');
    expect(done).toMatchObject({ funding_outpoint: expect.stringMatching(/:0$/) as string });
    expect(seller.control.order().channel?.clientNodePubkey).toBe(wallet.pubkey);
  });

  it('a node that is not connected: paid, with the peer to connect to, then finished', async () => {
    seller.control.setOptions({ connected: 'none' });
    const { call, wallet } = await opened(gateway.url);
    const order = await ordered(call, { ...inbound, firm: true });
    seller.control.pay();
    expect(await reaches(call, order, 'paid')).toMatchObject({ connect_to: `${seller.control.nodePubkey}@tank.example:9735` });
    seller.control.setOptions({ connected: [wallet.pubkey] });
    await gateway.pass(30_000);
    await reaches(call, order, 'finished');
  });

  it('without a proven node: the wallet redeems an LNURL', async () => {
    seller.control.setOptions({ lnurl: true });
    const { call } = await unproven();
    expect(await offersOf(call, inbound)).toMatchObject([{ delivered_as: 'redemption' }]);
    const order = await ordered(call, inbound);
    seller.control.pay();
    expect((await reaches(call, order, 'filled'))['redemption']).toMatchObject({ lnurl: expect.stringMatching(/^LNURL1/) as string });
    expect(seller.control.order().channel).toBeUndefined();
  });

  it('without a proven node and without an LNURL: nobody is asked to pay', async () => {
    const { call } = await unproven();
    const [offer] = await offersOf(call, inbound);
    const answer = await call('/liquidity/order', { quote_id: offer?.quote_id });
    expect([answer.status, answer.body['code']]).toEqual([409, 'order-unpayable']);
    expect(JSON.stringify(answer.body)).not.toContain(seller.control.order().invoice);
  });
});

describe('refunds', () => {
  it('never opened: a held payment goes back, and that is no review', async () => {
    seller.control.setOptions({ connected: 'none' });
    const { call } = await opened(gateway.url);
    const order = await ordered(call, inbound);
    seller.control.pay();
    await reaches(call, order, 'paid');
    await gateway.pass(2 * day);
    await reaches(call, order, 'refunded');
  });

  it('on chain: paid until the refund comes; without a refund address there is no order', async () => {
    seller.control.setOptions({ connected: 'none' });
    const { call } = await opened(gateway.url);
    const refused = await call('/liquidity/offers', { ...inbound, pay_with: 'onchain', firm: true });
    expect(refused.body['refused']).toMatchObject([{ reason: 'payment-method-unsupported' }]);
    const order = await ordered(call, { ...inbound, pay_with: 'onchain', firm: true, refund_onchain: refund });
    expect(order).toMatchObject({ payment_info: { kind: 'onchain', amount_sats: 2169 } });
    seller.control.payOnchain();
    seller.control.mine();
    await reaches(call, order, 'paid');
    await gateway.pass(2 * day);
    expect(await statusOf(call, order)).toMatchObject({ stage: 'paid' });
    await gateway.pass(600_000);
    await reaches(call, order, 'refunded');
  });

  it('never paid: expired', async () => {
    const { call } = await opened(gateway.url);
    const order = await ordered(call, inbound);
    await gateway.pass(2 * day);
    await reaches(call, order, 'expired');
  });
});

describe('what is never shown', () => {
  it.each(['invoice-amount', 'wrong-currency', 'other-balance', 'foreign-node', 'absurd-price'] as const)('%s', async (fault) => {
    const { call } = await opened(gateway.url);
    const [offer] = await offersOf(call, inbound);
    seller.control.setFault({ endpoint: 'POST /channels', fault, times: 1 });
    const answer = await call('/liquidity/order', { quote_id: offer?.quote_id });
    expect(answer.status).toBe(409);
    expect(JSON.stringify(answer.body)).not.toContain(seller.control.order().invoice);
  });

  it('an order whose answer was lost: it says so, and no second order is made', async () => {
    const { call } = await opened(gateway.url);
    const [offer] = await offersOf(call, inbound);
    const before = seller.control.orders.size;
    seller.control.setFault({ endpoint: 'POST /channels', fault: 'lost-answer', times: 1 });
    const first = await call('/liquidity/order', { quote_id: offer?.quote_id });
    const again = await call('/liquidity/order', { quote_id: offer?.quote_id });
    expect([again.status, again.body['code']]).toEqual([409, 'order-unpayable']);
    expect([first.status, seller.control.orders.size]).toEqual([409, before + 1]);
  });
});
