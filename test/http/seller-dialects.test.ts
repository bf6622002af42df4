/** Sellers of channels as they exist, through the whole gateway: an order that a seller made is kept, whatever the form of the seller's response. */
import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import { startLsps1Simulator, type Deviation, type RunningSimulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { opened as openedAt, type Body, type Call } from '../support/wallet.ts';

const clock = movableClock();
let gateway: TestGateway;
let north: RunningSimulator;
beforeAll(async () => {
  north = await startLsps1Simulator({ id: 'north', now: clock.now, baseSats: 1000, ppm: 2000, leasePpm: 2400 });
  gateway = await startTestGateway(
    {},
    {
      clock,
      config: { limits: { verify_per_minute: 10_000, quotes_per_minute: 10_000, orders_per_minute: 10_000 } },
      blocks: {
        north: {
          kind: 'lsps1',
          base_url: north.url,
          pay_with: ['lightning', 'onchain'],
          quotes_per_node_per_day: 3,
          orders_per_day: 1000,
          token_env: 'NORTH_TOKEN',
        },
      },
      environment: { NORTH_TOKEN: 'a-coupon' },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  await north.close();
});
afterEach(() => {
  north.control.clearFaults();
  north.control.options.deviations = [];
  north.control.options.connected = 'all';
  delete north.control.options.freeToken;
  delete north.control.options.onchainExtraSats;
});

const wanted = { product: 'inbound', pay_with: 'lightning', lease_blocks: 4320, firm: true };
const speaks = (...deviations: Deviation[]): void => void (north.control.options.deviations = deviations);
const opened = async (): Promise<Call> => (await openedAt(gateway.url)).call;
const firm = async (call: Call, amount_sats: number, more: object = {}) => (await call('/liquidity/offers', { ...wanted, amount_sats, ...more })).body;
const reasons = (body: Body): unknown[] => [...(body['refused'] as Body[]), ...(body['failed'] as Body[])].map((one) => one['reason']);
const made = (): number => north.control.orders.size;
const logged = (event: string): Body[] => gateway.logs.filter((line) => line.includes(`"event":"${event}"`)).map((line) => JSON.parse(line) as Body);
const staged = async (call: Call, orderId: string, stage: string): Promise<Body> =>
  await gateway.passUntil(
    stage,
    async () => {
      const entry = (await call('/liquidity/order-status', { order_id: orderId })).body[orderId] as Body;
      return entry['stage'] === stage ? entry : undefined;
    },
    { limitMs: 120_000, stepMs: 10_000 },
  );

describe('orders that nobody can be shown', () => {
  it.each<[string, Deviation[], string]>([
    ['without the way to pay that was asked for', ['no-bolt11'], 'payment-method-unsupported'],
    ['without any', ['no-bolt11', 'in-result'], 'payment-method-unsupported'],
    ['announced, though private was asked for', ['announces'], 'option-unsupported'],
    ['with an amount that nobody can read', [], 'malformed'],
  ])('%s count: after three, no more are made, and each is named', async (_name, deviations, reason) => {
    const call = await opened();
    speaks(...deviations);
    if (reason === 'malformed') north.control.setFault({ endpoint: 'create_order', fault: 'order-amounts-differ' });
    const before = made();
    const seen = [];
    for (const amount of [400_000, 500_000, 600_000, 700_000, 800_000]) {
      const body = await firm(call, amount);
      seen.push([reasons(body), body['firm_quotes_left']]);
    }
    expect(seen).toEqual([
      [[reason], 2],
      [[reason], 1],
      [[reason], 0],
      [['quota-used'], 0],
      [['quota-used'], 0],
    ]);
    expect(made()).toBe(before + 3);
    const ids = [...north.control.orders.keys()].slice(before);
    expect(logged('firm_price_unusable').slice(-3)).toMatchObject(ids.map((upstream_order) => ({ provider: 'north', reason, upstream_order })));
    const kept = await gateway.database.sql<{ text: string }[]>`select route::text as text from routes order by created_on desc limit 5`;
    for (const id of ids) expect(kept.some(({ text }) => text.includes(`"orderMade": "${id}"`) || text.includes(`"orderMade":"${id}"`))).toBe(true);
  });

  it('count where the answer was lost, and where nobody understands it', async () => {
    const call = await opened();
    north.control.setFault({ endpoint: 'create_order', fault: 'lost-answer', times: 1 });
    expect((await firm(call, 400_000))['firm_quotes_left']).toBe(2);
    north.control.setFault({ endpoint: 'create_order', fault: '500', times: 1 });
    expect((await firm(call, 500_000))['firm_quotes_left']).toBe(1);
    north.control.setFault({ endpoint: 'create_order', fault: 'html200', times: 1 });
    expect((await firm(call, 600_000))['firm_quotes_left']).toBe(0);
  });

  it('do not count where certainly none was made: a refusal in any form, and a seller that was not reached', async () => {
    const call = await opened();
    const before = made();
    north.control.options.connected = 'none';
    for (const form of [
      'error-and-message',
      'message-lists',
      'error-lists',
      'detail-errors',
      'plain-text-errors',
      'page-errors',
      'errors-under-200',
    ] as const) {
      speaks(form);
      const body = await firm(call, 400_000);
      expect([form, body['refused'], body['firm_quotes_left']]).toMatchObject([
        form,
        [{ reason: 'peer-not-connected', connect_to: `${north.control.nodePubkey}@north.example:9735` }],
        3,
      ]);
    }
    speaks();
    north.control.options.connected = 'all';
    north.control.setFault({ endpoint: 'get_info', fault: '503', times: 1 });
    expect(reasons(await firm(call, 400_000))).toEqual(['server']);
    const offers = await firm(call, 400_000);
    expect([(offers['offers'] as Body[]).length, offers['firm_quotes_left'], made()]).toEqual([1, 2, before + 1]);
  });

  it('are withheld under their id when they were ordered by an estimate', async () => {
    const call = await opened();
    expect(((await firm(call, 900_000))['offers'] as Body[]).length).toBe(1);
    for (const deviations of [['announces'], ['short-lease'], ['no-bolt11']] satisfies Deviation[][]) {
      const [estimate] = (await firm(await opened(), 900_000, { firm: false }))['offers'] as Body[];
      const other = await opened();
      const [mine] = (await firm(other, 900_000, { firm: false }))['offers'] as Body[];
      expect(estimate).toMatchObject({ is_estimate: true });
      speaks(...deviations);
      const { status, body } = await other('/liquidity/order', { quote_id: mine?.['quote_id'] });
      speaks();
      expect([deviations, status, body['code']]).toEqual([deviations, 409, 'order-unpayable']);
      const [last] = [...north.control.orders.keys()].slice(-1);
      expect(await gateway.database.sql`select state from intents where upstream_order_id = ${last ?? ''}`).toEqual([{ state: 'unpayable' }]);
    }
  });

  it('are withheld under their id when their answer could not be used', async () => {
    const [mine] = (await firm(await opened(), 900_000, { firm: false }))['offers'] as Body[];
    const call = await opened();
    const [offer] = (await firm(call, 900_000, { firm: false }))['offers'] as Body[];
    expect(mine).toMatchObject({ is_estimate: true });
    north.control.setFault({ endpoint: 'create_order', fault: 'absurd-price', times: 1 });
    const { status, body } = await call('/liquidity/order', { quote_id: offer?.['quote_id'] });
    expect([status, body['code']]).toEqual([409, 'order-unpayable']);
    const [last] = [...north.control.orders.keys()].slice(-1);
    expect(await gateway.database.sql`select state from intents where upstream_order_id = ${last ?? ''}`).toEqual([{ state: 'unpayable' }]);
  });
});

describe('a channel for a coupon (ZEUS)', () => {
  it('is one order however often it is asked for, told as free, and followed until it is open', async () => {
    const call = await opened();
    north.control.options.freeToken = 'a-coupon';
    const before = made();
    const quotes = [];
    for (let n = 0; n < 6; n += 1) quotes.push(await firm(call, 1_000_000));
    expect(made()).toBe(before + 1);
    expect(quotes.map((one) => one['firm_quotes_left'])).toEqual(Array(6).fill(2));
    const [offer] = (quotes[0] ?? {})['offers'] as Body[];
    expect(offer).toMatchObject({ pay_sats: 0, fee_sats: 0, client_sats: 0, inbound_sats: 1_000_000, is_estimate: false, fee_ppm: 0 });
    const { status, body } = await call('/liquidity/order', { quote_id: offer?.['quote_id'], max_pay_sats: 0 });
    expect([status, body]).toMatchObject([200, { stage: 'paid', pay_sats: 0, fee_sats: 0, payment_info: {} }]);
    expect(made()).toBe(before + 1);
    north.control.open([...north.control.orders.keys()].at(-1) ?? '');
    const entry = await staged(call, String(body['order_id']), 'finished');
    expect(entry).toMatchObject({ pay_sats: 0, fee_sats: 0, final: true });
  });

  it('is no price for the next customer, and other amounts count', async () => {
    const call = await opened();
    north.control.options.freeToken = 'a-coupon';
    const before = made();
    for (const amount of [310_000, 320_000, 330_000, 340_000]) await firm(call, amount);
    expect(made()).toBe(before + 3);
    const other = await opened();
    expect(reasons(await firm(other, 310_000, { firm: false }))).toEqual(['price-needs-order']);
  });

  it('that could not be opened owes nothing', async () => {
    const call = await opened();
    north.control.options.freeToken = 'a-coupon';
    const [offer] = (await firm(call, 1_100_000))['offers'] as Body[];
    const { body } = await call('/liquidity/order', { quote_id: offer?.['quote_id'] });
    north.control.fail([...north.control.orders.keys()].at(-1) ?? '');
    expect(await staged(call, String(body['order_id']), 'refunded')).toMatchObject({ pay_sats: 0 });
  });

  it('may come of an estimate that cost something', async () => {
    expect(((await firm(await opened(), 1_200_000))['offers'] as Body[])[0]).toMatchObject({ is_estimate: false });
    const call = await opened();
    const [offer] = (await firm(call, 1_200_000, { firm: false }))['offers'] as Body[];
    north.control.options.freeToken = 'a-coupon';
    const { status, body } = await call('/liquidity/order', { quote_id: offer?.['quote_id'] });
    expect([status, body['stage'], body['pay_sats'], body['payment_info']]).toEqual([200, 'paid', 0, { kind: 'none' }]);
  });
});

describe('a channel that is paid on chain', () => {
  const minute = 60_000;
  it('is paid until half an hour before its end, and does not expire before the payment had time to confirm', async () => {
    const call = await opened();
    north.control.options.onchainExtraSats = 900;
    const order = async (amount: number) => {
      const body = await firm(call, amount, { pay_with: 'onchain', refund_onchain: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' });
      const placed = await call('/liquidity/order', { quote_id: (body['offers'] as Body[])[0]?.['quote_id'] });
      expect(placed).toMatchObject({ status: 200, body: { stage: 'awaiting_payment', payment_info: { kind: 'onchain' } } });
      return {
        orderId: String(placed.body['order_id']),
        upstream: [...north.control.orders.values()].at(-1),
        expiresOn: Date.parse(String(placed.body['expires_on'])),
      };
    };
    const [paid, unpaid] = [await order(450_000), await order(460_000)];
    const read = async ({ orderId }: { orderId: string }): Promise<Body> =>
      (await call('/liquidity/order-status', { order_id: orderId })).body[orderId] as Body;
    for (const { expiresOn, upstream } of [paid, unpaid]) expect((upstream?.expiresOn ?? 0) - expiresOn).toBe(30 * minute);
    for (const passed of [unpaid.expiresOn - clock.now(), 29 * minute]) {
      await gateway.pass(passed);
      for (const one of [paid, unpaid]) {
        const { stage, payment_info: shown } = await read(one);
        expect([stage, shown]).toEqual(['awaiting_payment', undefined]);
      }
    }
    north.control.pay(paid.upstream?.id ?? '', 'onchain');
    await gateway.pass(2 * minute);
    await staged(call, paid.orderId, 'paid');
    await staged(call, unpaid.orderId, 'expired');
    // A payment that confirms late is not lost, either.
    north.control.pay(unpaid.upstream?.id ?? '', 'onchain');
    await gateway.pass(5 * minute);
    await staged(call, unpaid.orderId, 'paid');
  });
});

describe('a channel bought in a dialect', () => {
  it.each<[string, Deviation[]]>([
    ['in an envelope, camel case', ['in-data', 'camel-case']],
    ['with numbers as ids', ['numeric-ids', 'number-amounts']],
    ['by id', ['in-order', 'id-for-order-id', 'prefixed-states']],
    ['by what the invoice says', ['no-fee', 'no-total', 'invoice-as-link']],
    ['in JSON-RPC, flat', ['in-result', 'flat-payment', 'unix-times']],
  ])('%s: ordered, paid, open', async (_name, deviations) => {
    const call = await opened();
    speaks(...deviations);
    const [offer] = (await firm(call, 1_300_000))['offers'] as Body[];
    const { status, body } = await call('/liquidity/order', { quote_id: offer?.['quote_id'] });
    expect([status, body['stage'], body['payment_info']]).toMatchObject([200, 'awaiting_payment', { kind: 'invoice', amount_sats: offer?.['pay_sats'] }]);
    const [id = ''] = [...north.control.orders.keys()].slice(-1);
    north.control.pay(id);
    await staged(call, String(body['order_id']), 'paid');
    north.control.open(id);
    await staged(call, String(body['order_id']), 'finished');
  });
});
