/**
 * Bitrefill's responses in the forms that its public clients can read, through the whole gateway: orders in every form, and what happens to the
 * operator's money when a response is unclear.
 */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBitrefillSimulator, type SimulatorOptions } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { thorBlock } from '../support/scenarios/liquidity.ts';
import { invoiceOver, opened as openedAt, type Body, type Call } from '../support/wallet.ts';

const appKey = 'the-key-of-an-app-that-may-spend';
const bearer = { authorization: `Bearer ${appKey}` };
const clock = movableClock();
let gateway: TestGateway;
let thor: Awaited<ReturnType<typeof startBitrefillSimulator>>;
const usual = {
  idMember: 'id',
  numericIds: false,
  envelope: undefined,
  dialect: undefined,
  listPage: 0,
  webhooks: {},
  deliver: 'by-hand',
  zeroConfStatus: undefined,
  withoutFee: undefined,
  invoiceAsLink: false,
  amounts: undefined,
};
beforeAll(async () => {
  thor = await startBitrefillSimulator({ id: 'thor', now: clock.now, deliver: 'by-hand', balanceSats: 10_000_000 });
  gateway = await startTestGateway(
    {},
    {
      clock,
      config: {
        liquidity: { balance_daily_sats: 1_000_000 },
        apps: { wallet: { key_hashes: [createHash('sha256').update(appKey).digest('hex')], allow: ['pay_with_balance'] } },
      },
      blocks: { thor: thorBlock(thor.baseUrl) },
      environment: { BITREFILL_API_KEY: 'thor-key', BITREFILL_API_SECRET: 'thor-secret' },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  await thor.close();
});
afterEach(() => {
  thor.control.clearFaults();
  thor.control.setOptions(usual as never);
});

const opened = async (): Promise<Call> => (await openedAt(gateway.url)).call;
const newest = () => [...thor.control.state.orders.values()].at(-1) ?? expect.fail('thor has no order');
const intentsAt = async (upstreamId: string) => await gateway.database.sql`select state from intents where upstream_order_id = ${upstreamId}`;
const staged = async (call: Call, orderId: string, stage: string): Promise<Body> =>
  await gateway.passUntil(
    stage,
    async () => {
      const entry = (await call('/liquidity/order-status', { order_id: orderId })).body[orderId] as Body;
      return entry['stage'] === stage ? entry : undefined;
    },
    { limitMs: 120_000, stepMs: 10_000 },
  );
const turbo = { product: 'turbo', amount_sats: 1_000_000, pay_with: 'lightning' };

describe('a channel bought in a dialect', () => {
  it.each<[string, Partial<SimulatorOptions>]>([
    ['as lntxbot knows it', { idMember: 'orderId', dialect: 'B', zeroConfStatus: 'none', withoutFee: 'null' }],
    ['in an envelope, with numbers as ids', { envelope: 'result', numericIds: true }],
    ['with a unit and a link', { amounts: 'with-unit', invoiceAsLink: true, idMember: 'orderID', envelope: 'order' }],
  ])('%s: ordered, unpaid past its end, paid, redeemed', async (_name, options) => {
    thor.control.setOptions(options);
    const call = await opened();
    const quote = await call('/liquidity/quote', turbo);
    const { status, body } = await call('/liquidity/order', { quote_id: quote.body['quote_id'] });
    expect([status, body['payment_info']]).toMatchObject([200, { kind: 'invoice', lightning_invoice: expect.stringMatching(/^lnbcrt/i) as unknown }]);
    const orderId = String(body['order_id']);
    thor.control.expire(newest().id);
    await staged(call, orderId, 'expired');
    await thor.control.pay(newest().id);
    await staged(call, orderId, 'paid');
    await thor.control.deliver(newest().id);
    expect(await staged(call, orderId, 'filled')).toMatchObject({ redemption: { lnurl: expect.stringMatching(/^LNURL1/) as unknown } });
  });
});

describe('an order that nobody can be shown', () => {
  it.each(['other-amount', 'other-product'] as const)('%s: it is withheld under its id, and money in it is noticed', async (fault) => {
    const call = await opened();
    const quote = await call('/liquidity/quote', { ...turbo, product: 'inbound' });
    thor.control.setFault({ endpoint: 'POST /order', fault, times: 1 });
    const { status, body } = await call('/liquidity/order', { quote_id: quote.body['quote_id'] });
    expect([status, body['code']]).toEqual([409, 'order-unpayable']);
    const { id } = newest();
    expect(await intentsAt(id)).toEqual([{ state: 'unpayable' }]);
    await thor.control.pay(id);
    await gateway.passUntil('review', async () => ((await intentsAt(id))[0]?.['state'] === 'review' ? true : undefined), {
      limitMs: 3_600_000,
      stepMs: 300_000,
    });
  });

  it('a price that jumped is withheld under its id in every form of one', async () => {
    thor.control.setOptions({ idMember: 'orderId', numericIds: true, envelope: 'data' });
    const call = await opened();
    const quote = await call('/liquidity/quote', turbo);
    thor.control.setFault({ endpoint: 'POST /order', fault: 'price-jump', bps: 900, times: 1 });
    const { status, body } = await call('/liquidity/order', { quote_id: quote.body['quote_id'] });
    expect([status, body['code'], await intentsAt(newest().id)]).toEqual([409, 'price-changed', [{ state: 'unpayable' }]]);
  });
});

describe("the operator's balance", () => {
  const wanted = { product: 'recharge', amount_sats: 20_000, pay_with: 'balance' };
  const spent = async (): Promise<bigint> => {
    const [row] = await gateway.database.sql<{ used: string }[]>`select used::text from daily_uses where purpose = 'balance-sats'`;
    return BigInt(row?.used ?? 0);
  };
  const purchase = async () => {
    const call = await opened();
    const { body } = await call('/liquidity/quote', wanted, bearer);
    const request = { quote_id: body['quote_id'], invoice: invoiceOver(20_000, { timestamp: Math.floor(clock.now() / 1000) }) };
    return { call, pay: BigInt(Number(body['pay_sats'])), answer: async () => await call('/liquidity/order', request, bearer) };
  };
  const sent = (): number => thor.control.state.requests.filter(({ endpoint }) => endpoint === 'POST /purchase').length;

  it('may be spent by an answer that says nothing, so it stays counted and nothing is sent again', async () => {
    thor.control.setOptions({ webhooks: { deliveries: 0 } });
    const [counted, before] = [await spent(), sent()];
    const { pay, answer } = await purchase();
    thor.control.setFault({ endpoint: 'POST /purchase', fault: 'error-200', times: 1 });
    const lost = await answer();
    expect([lost.status, lost.body['code']]).toEqual([503, 'order-pending']);
    await gateway.pass(31_000);
    expect([(await answer()).body['code'], await spent(), sent()]).toEqual(['order-pending', counted + pay, before + 1]);
    const ended = await gateway.passUntil('review', async () => ((await answer()).status === 409 ? await answer() : undefined), {
      limitMs: 3_600_000,
      stepMs: 300_000,
    });
    expect([ended.body['code'], await spent(), sent()]).toEqual(['order-unpayable', counted + pay, before + 1]);
  });

  it.each<[string, Partial<SimulatorOptions>]>([
    ['by its id', { listPage: 50 }],
    ['by its orderId, on the second page', { listPage: 1, idMember: 'orderId' }],
  ])('whose purchase got lost is found in the list of orders %s, where nobody rang', async (_name, options) => {
    thor.control.setOptions({ webhooks: { deliveries: 0 }, ...options });
    const before = sent();
    const { call, answer } = await purchase();
    thor.control.setFault({ endpoint: 'POST /purchase', fault: 'lost-answer', times: 1 });
    expect((await answer()).status).toBe(503);
    const { id } = newest();
    if (options.listPage === 1) thor.control.state.orders.set('later', { ...newest(), id: 'later', userRef: 'somebody-else' });
    const found = await gateway.passUntil('found', async () => {
      const again = await answer();
      return again.status === 200 ? again.body : undefined;
    });
    expect([found['stage'], sent(), await intentsAt(id)]).toEqual(['paid', before + 1, [{ state: 'confirmed' }]]);
    await thor.control.deliver(id);
    await staged(call, String(found['order_id']), 'finished');
    thor.control.state.orders.delete('later');
  });

  it('whose order has a part that cannot be read is read again, and costs less than its value', async () => {
    thor.control.setOptions({ webhooks: { deliveries: 0 }, listPage: 50 });
    const before = sent();
    const { answer } = await purchase();
    thor.control.setFault({ endpoint: 'POST /purchase', fault: 'lost-answer', times: 1 });
    expect((await answer()).status).toBe(503);
    const order = newest();
    const reads = (): number => thor.control.state.requests.filter(({ endpoint }) => endpoint.startsWith('GET /order/')).length;
    const readBefore = reads();
    Object.assign(order, { done: 'on its way', price: 19_990 });
    await thor.control.forge(order.webhookUrl ?? '', { id: order.id });
    await gateway.passUntil('read twice', async () => await Promise.resolve(reads() > readBefore + 1 ? true : undefined));
    expect([(await answer()).body['code'], await intentsAt(order.id)]).toEqual(['order-pending', []]);
    order.done = false;
    const found = await gateway.passUntil('found', async () => {
      const again = await answer();
      return again.status === 200 ? again.body : undefined;
    });
    expect([found['stage'], found['pay_sats'], found['fee_sats'], sent()]).toEqual(['paid', 19_990, 0, before + 1]);
  });

  it('whose purchase cannot be read goes to review under the id that its answer named', async () => {
    thor.control.setOptions({ webhooks: { deliveries: 0 } });
    const { answer } = await purchase();
    thor.control.setFault({ endpoint: 'POST /purchase', fault: 'other-product', times: 1 });
    expect((await answer()).status).toBe(503);
    const { id } = newest();
    await gateway.passUntil('review', async () => ((await intentsAt(id))[0]?.['state'] === 'review' ? true : undefined), {
      limitMs: 3_600_000,
      stepMs: 300_000,
    });
  });
});
