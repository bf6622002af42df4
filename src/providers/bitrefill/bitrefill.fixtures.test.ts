/**
 * Checks the samples of the Thor document, and those made after its clients' code: the wire schemas read them, and the simulator answers in the
 * document's shape. The document's samples are from three different months, so we never compare prices of one with rates of another.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { decodeLnurl } from '../../bitcoin/lnurl.ts';
import { parseJsonKeepingNumbers } from '../kit/wire-values.ts';
import { deadlineOf, paySatsOf, rateCardOf, rawStatusOf, redemptionOf, secretOf, slugOf, stageOf } from './bitrefill-mapping.ts';
import { readNotice } from './bitrefill-notice.ts';
import { paymentInfoOf } from './bitrefill-payment.ts';
import { estimate } from './bitrefill-price.ts';
import { startBitrefillSimulator, type RunningSimulator } from './bitrefill.simulator.ts';
import { inventoryReply, orderIn, orderReply, ordersIn, ordersReply } from './bitrefill-wire.ts';

const fixture = z.strictObject({
  meta: z.strictObject({ origin: z.enum(['recorded', 'from-docs', 'invented']), source: z.string().min(10), date: z.string(), note: z.string() }),
  request: z.strictObject({ method: z.enum(['GET', 'POST']), path: z.string(), body: z.record(z.string(), z.unknown()).optional() }),
  response: z.strictObject({ status: z.int(), body: z.unknown() }),
});
const folder = fileURLToPath(new URL('__fixtures__/', import.meta.url));
const names = readdirSync(folder).map((file) => file.replace('.json', ''));
const textOf = (name: string): string => readFileSync(`${folder}${name}.json`, 'utf8');
const fixtureOf = (name: string) => fixture.parse(JSON.parse(textOf(name)));
/** Returns the answer as the adapter reads it, with numbers as strings. */
const exactly = (name: string): unknown => z.object({ response: z.object({ body: z.unknown() }) }).parse(parseJsonKeepingNumbers(textOf(name))).response.body;

const ofClients = ['edge-orders', 'lntxbot-inventory', 'lntxbot-order', 'lntxbot-status-paid'];
test('all samples are there, from the document or after its public clients', () =>
  expect(names.toSorted().map((name) => [name, fixtureOf(name).meta.origin])).toEqual(
    [
      ...ofClients,
      'inventory-channel',
      'inventory-recharge',
      'inventory-turbo',
      'order-channel',
      'order-recharge',
      'purchase-channel',
      'self-test',
      'status-success-balance',
      'status-success-lightning',
      'status-unpaid',
    ]
      .toSorted()
      .map((name) => [name, ofClients.includes(name) ? 'invented' : 'from-docs']),
  ));

describe('inventories', () => {
  test.each([
    ['inventory-recharge', 500n, 4_294_967n, '10200634879994863/10000000000000000', 1_000n, 1_400n],
    ['inventory-channel', 500_000n, 16_777_215n, '15185658220118399/1000000000000000000', 2_000_000n, 40_400n],
    ['inventory-turbo', 500_000n, 8_388_607n, '1047072761487067/1000000000000000', 500_000n, 533_600n],
  ])('%s', (name, min, max, rate, value, high) => {
    const card = rateCardOf(inventoryReply.parse(exactly(name)));
    expect(card).toMatchObject({ range: { min, max, step: 1n } });
    expect(card && 'range' in card && `${card.range.rate.n}/${card.range.rate.d}`).toBe(rate);
    expect(card && estimate(card, value)?.high).toBe(high);
  });
});

describe('as public clients read them', () => {
  const order = (name: string) => orderReply.parse(orderIn(exactly(name)));
  test('lntxbot: orderId, numbers, no fee', () => {
    const card = rateCardOf(inventoryReply.parse(exactly('lntxbot-inventory')));
    expect(card && estimate(card, 500_000n)).toEqual({ low: 7_593n, high: 7_600n });
    const [made, paid] = [order('lntxbot-order'), order('lntxbot-status-paid')];
    const deadline = deadlineOf(made, 900_000, 0);
    expect([made.id, slugOf(made), made.valuePackage, paySatsOf(made), deadline]).toEqual([
      '5ce472b9950b353c59bcd412',
      'lightning-channel',
      '500000',
      17_616n,
      1_558_476_649_000,
    ]);
    expect([stageOf(made, deadline - 1, deadline), stageOf(made, deadline + 1, deadline), stageOf(paid, deadline + 1, deadline)]).toEqual([
      'awaiting_payment',
      'expired',
      'paid',
    ]);
    expect(readNotice(JSON.stringify(fixtureOf('lntxbot-status-paid').response.body))).toEqual({ about: 'order', upstreamOrderId: made.id });
    const wanted = { network: 'main', method: 'lightning', sats: 17_616n, now: 1_558_475_449_000 } as const;
    expect(made.payment && paymentInfoOf(made.payment, wanted)).toMatchObject({ paymentInfo: { kind: 'invoice', amountSats: 17_616n } });
  });
  test('Edge: a list, each with its orderId', () => {
    const { orders, nextUrl } = ordersReply.parse(ordersIn(exactly('edge-orders')));
    expect(orders.map((one) => [one?.id, one?.userRef, one?.satoshiPrice])).toEqual([
      ['5ce47aa5950b353c59bcd413', 'intent-2', 79_184n],
      ['5ce472b9950b353c59bcd412', 'intent-1', 17_616n],
    ]);
    expect(nextUrl).toBe('https://api.bitrefill.com/v1/orders/?after=2');
    expect(orders.map((one) => one && stageOf(one, 0, 1, { ordered: 'lightning-recharge' }))).toEqual(['filled', 'paid']);
  });
});

describe('orders', () => {
  const read = (name: string) => {
    const order = orderReply.parse(exactly(name));
    const deadline = deadlineOf(order, 900_000, 0);
    const facts = { slug: slugOf(order), raw: rawStatusOf(order), pay: paySatsOf(order), deadline, rating: stageOf(order, deadline - 1, deadline) };
    return { order, facts };
  };
  test.each([
    ['order-channel', { slug: 'lightning-channel', raw: 'unpaid', pay: 78_498n, deadline: 1_558_475_449_000 + 1_200_000, rating: 'awaiting_payment' }],
    ['status-unpaid', { slug: 'lightning-channel', raw: 'unpaid', pay: 78_498n, deadline: 1_558_475_449_000 + 1_200_000, rating: 'awaiting_payment' }],
    ['order-recharge', { slug: 'lightning-recharge', raw: 'no status', pay: 1_100n, deadline: 1_563_224_880_090, rating: 'awaiting_payment' }],
    ['purchase-channel', { slug: 'lightning-channel', raw: 'payment_pending', pay: 80_900n, deadline: 1_559_013_081_000 + 900_000, rating: 'paid' }],
    // In the document's example, the payment (with its invoice and deadline) is that of another order.
    ['status-success-lightning', { slug: 'lightning-channel', raw: 'success', pay: 78_498n, deadline: 1_558_475_449_000 + 1_200_000, rating: 'filled' }],
    ['status-success-balance', { slug: 'lightning-channel', raw: 'success', pay: 80_900n, deadline: 1_559_013_081_000 + 900_000, rating: 'filled' }],
  ])('%s', (name, facts) => expect(read(name).facts).toEqual(facts));

  test('the same in the other dialect: only booleans, no status', () => {
    const { order } = read('order-recharge');
    const staged = [{ paymentReceived: true }, { sent: true }, { sent: true, delivered: true }, { refunded: true }, { expired: true }].map((more) =>
      stageOf({ ...order, ...more }, 0, 1),
    );
    expect(staged).toEqual(['paid', 'filled', 'finished', 'refunded', 'expired']);
  });

  test('an LNURL as given, upper case and without its scheme; one rebuilt in the very same form', () => {
    const [given, rebuilt] = ['status-success-lightning', 'status-success-balance'].map((name) => {
      const thorInfo = read(name).order.thorInfo!;
      return { k1: thorInfo.k1, ...redemptionOf({ secret: secretOf(thorInfo) }, 'https://api.bitrefill.com/v1', false) };
    });
    const url = (k1: string | undefined) => `https://api.bitrefill.com/v1/thor?q=${k1}`;
    expect([given?.rebuilt, rebuilt?.rebuilt]).toEqual([undefined, true]);
    expect([given, rebuilt].map((one) => decodeLnurl(one?.lnurl ?? ''))).toEqual([url(given?.k1), url(rebuilt?.k1)]);
    expect(given?.lnurl?.startsWith('LNURL1DP68GURN8GHJ7')).toBe(true);
    expect([given, rebuilt].map((one) => one?.link)).toEqual([given, rebuilt].map((one) => `https://www.bitrefill.com/thor/${one?.k1}`));
  });
});

/** Returns the shape of a value: its members and their types at every depth. Strings of digits, for example, count as a type of their own. */
const shapeOf = (value: unknown): unknown => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
  if (typeof value !== 'string') return value === null ? 'null' : typeof value;
  return /^\d+$/.test(value)
    ? 'digits'
    : /^\d+\.\d+$/.test(value)
      ? 'decimal'
      : /^https?:/.test(value)
        ? 'url'
        : value.slice(0, 8) === 'lightning'
          ? 'uri'
          : 'text';
};

describe('the simulator answers in the shape of', () => {
  let simulator: RunningSimulator;
  beforeAll(async () => {
    simulator = await startBitrefillSimulator({ id: 'bitrefill', deliver: 'by-hand' });
  });
  afterAll(async () => await simulator.close());
  const ask = async (name: string, more: { path?: string; body?: object } = {}): Promise<{ status: number; body: Record<string, unknown> }> => {
    const { request } = fixtureOf(name);
    const body = request.body === undefined ? undefined : JSON.stringify({ ...request.body, ...more.body });
    const response = await fetch(`${simulator.baseUrl}${more.path ?? request.path}`, {
      method: request.method,
      headers: { authorization: `Basic ${btoa('thor-key:thor-secret')}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const same = async (name: string, more: { path?: string; body?: object } = {}): Promise<string> => {
    const { status, body } = await ask(name, more);
    const expected = fixtureOf(name).response;
    expect([name, status, shapeOf(body)]).toEqual([name, expected.status, shapeOf(expected.body)]);
    return z.object({ id: z.string().regex(/^[0-9a-f]{24}$/) }).parse(body).id;
  };

  test('self-test', async () => {
    const response = await fetch(`${simulator.baseUrl}/test`, { headers: { authorization: `Basic ${btoa('thor-key:thor-secret')}` } });
    expect(await response.text()).toBe(fixtureOf('self-test').response.body);
  });
  test.each(['inventory-recharge', 'inventory-channel', 'inventory-turbo'])('%s, to the last digit', async (name) =>
    expect(await ask(name)).toEqual(fixtureOf(name).response),
  );
  test('a channel paid by Lightning, from the order to its LNURL', async () => {
    const path = `/order/${await same('order-channel')}`;
    await same('status-unpaid', { path });
    const target = path.slice('/order/'.length);
    await simulator.control.pay(target);
    await simulator.control.deliver(target);
    await same('status-success-lightning', { path });
  });
  test('as lntxbot and Edge read it: its request is taken, and the answers have the members that they want', async () => {
    simulator.control.setOptions({ idMember: 'orderId', dialect: 'B', numberValues: true, zeroConfStatus: 'none', listPage: 10, withoutFee: 'null' });
    const members = (body: unknown): string[] => Object.keys(z.record(z.string(), z.unknown()).parse(body));
    const made = await ask('lntxbot-order');
    expect([made.status, members(made.body)]).toEqual([
      200,
      expect.arrayContaining(members(fixtureOf('lntxbot-order').response.body).filter((name) => name !== 'userRef')),
    ]);
    const id = String(made.body['orderId']);
    await simulator.control.pay(id);
    const status = await ask('lntxbot-status-paid', { path: `/order/${id}` });
    expect(status.body).toMatchObject({ orderId: id, paymentReceived: true, delivered: false });
    const inventory = await ask('lntxbot-inventory');
    expect(members((inventory.body['operator'] as { range: object }).range).toSorted()).toEqual(
      members((fixtureOf('lntxbot-inventory').response.body as { operator: { range: object } }).operator.range).toSorted(),
    );
    const [listed] = (await ask('edge-orders')).body['orders'] as Record<string, unknown>[];
    const wanted = (fixtureOf('edge-orders').response.body as { orders: object[] }).orders[0] ?? {};
    expect(members(listed)).toEqual(expect.arrayContaining(Object.keys(wanted)));
    simulator.control.setOptions({
      idMember: 'id',
      dialect: undefined,
      numberValues: false,
      zeroConfStatus: undefined,
      listPage: 0,
      withoutFee: undefined,
    } as never);
  });
  test('a channel paid from the balance: no payment, later no LNURL', async () => {
    const id = await same('purchase-channel');
    await simulator.control.deliver(id);
    await same('status-success-balance', { path: `/order/${id}` });
  });
  test('a recharge; without the fee it costs what it cost', async () => {
    const number = encodeInvoice({
      network: 'regtest',
      amountMsat: 1_000_000n,
      timestamp: Math.floor(Date.now() / 1000),
      paymentHash: '01'.repeat(32),
      paymentSecret: '02'.repeat(32),
      description: '',
      payeePrivateKey: '11'.repeat(32),
    });
    await same('order-recharge', { body: { number } });
    simulator.control.setOptions({ applyPurchaseFee: false });
    const { body } = await ask('order-recharge', { body: { number } });
    const known = z.record(z.string(), z.unknown()).parse(fixtureOf('order-recharge').response.body);
    const equal = ['value', 'valuePackage', 'operator', 'price', 'satoshiPrice', 'merchant_price', 'btcPrice', 'usdPrice', 'eurPrice', 'summary', 'currency'];
    expect(equal.map((key) => body[key])).toEqual(equal.map((key) => known[key]));
    simulator.control.setOptions({ applyPurchaseFee: true });
  });
});
