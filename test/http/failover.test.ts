/** `failover` of POST /order: the request goes on with the next rank, and stays one request with one response and at most one payable order. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestGateway, walletFrom, type TestGateway } from '../support/gateway.ts';

type Body = Record<string, unknown>;
type Offer = { quote_id: string; rank: number; amount_sats: number; amount_fiat: number; provider: { id: string } };
type Reply = { status: number; body: Body };
/** Longer than the money needs to arrive, so that the quotes count as binding. */
const quoteLifeS = 2 * 86_400;
const ids = ['best', 'second', 'third', 'dear'] as const;
let gateway: TestGateway;
beforeAll(async () => {
  const simulator = { quoteTtlS: quoteLifeS };
  gateway = await startTestGateway(
    {
      best: { simulator: { ...simulator, spreadBps: 0 } },
      second: { simulator: { ...simulator, spreadBps: 20, repost: 'same' }, block: { repost: 'same' } },
      third: { simulator: { ...simulator, spreadBps: 40 } },
      dear: { simulator: { ...simulator, spreadBps: 500 } },
    },
    { config: { trusted_proxies: ['127.0.0.1'], orders: { max_open: 50 } } },
  );
});
afterAll(async () => await gateway.close());
beforeEach(() => {
  // After this time, no provider is in back-off any longer.
  gateway.clock.move(60_000);
  for (const id of ids) control(id).clearFaults();
});

const control = (id: string) => {
  const found = gateway.simulators[id]?.control;
  if (!found) throw new Error(`no ${id}`);
  return found;
};
const fault = (id: string, name: 'order-refused' | 'order-amounts-differ' | 'lost-answer' | '429' | '500', times = 1): void =>
  control(id).setFault({ endpoint: 'order', fault: name, times });
const ordersAt = (): number[] => ids.map((id) => control(id).history.orders.length);
let customers = 0;
/** Returns a customer in a network of their own, with the four offers for 100 EUR. */
const customer = async (asked: object = { amount_fiat: 10_000 }) => {
  const wallet = walletFrom(gateway.url, `203.0.113.${(customers += 1)}`);
  const { sessionId } = await wallet.open();
  const call = async (path: string, body: object, headers = {}): Promise<Reply> => await wallet.call(path, { session_id: sessionId, ...body }, headers);
  const { body } = await call('/offers', { currency_id: 1, payment_option_id: 1, ...asked });
  const offers = body['offers'] as Offer[];
  expect(offers.map(({ provider }) => provider.id)).toEqual([...ids]);
  const at = (id: (typeof ids)[number]): Offer => {
    const found = offers.find(({ provider }) => provider.id === id);
    if (!found) throw new Error(`no offer of ${id}`);
    return found;
  };
  /** The customer's minimum, which every offer except the most expensive one meets. */
  const least = at('third').amount_sats;
  const order = async (more: object = { failover: { max: 2, min_amount_sats: least } }, id: (typeof ids)[number] = 'best', headers = {}): Promise<Reply> =>
    await call('/order', { quote_id: at(id).quote_id, ...more }, headers);
  return { call, at, least, order, sessionId };
};
const ref = (id: string) => ({ id, name: id });
const without = (body: Body): Body => ({ ...body, instance: '' });
const attempts = async (...offers: Offer[]) =>
  await gateway.database.sql<{ state: string; provider_id: string; moved: boolean; upstream: boolean }[]>`
    select state, provider_id, moved_to is not null as moved, upstream_order_id is not null as upstream
    from intents where quote_id in ${gateway.database.sql(offers.map((one) => one.quote_id))} order by quote_id`;
const states = async (...offers: Offer[]): Promise<string[]> => (await attempts(...offers)).map((row) => row.state);

describe('the next rank takes the order', () => {
  it.each([
    ['refused', 'order-refused', 'provider-declined', false],
    ['made worse', 'order-amounts-differ', 'price-changed', true],
    ['not taken just now', '429', 'provider-unavailable', false],
  ] as const)('where it was %s: one order, the same bytes for every repeat', async (_how, name, reason, upstream) => {
    const { call, at, order } = await customer();
    const before = ordersAt();
    fault('best', name);
    const answer = await order();
    expect(answer.body).toMatchObject({
      quote_id: at('second').quote_id,
      provider: ref('second'),
      moved_from: [{ provider: ref('best'), reason }],
      amount_sats: at('second').amount_sats,
      stage: 'awaiting_payment',
    });
    expect(await attempts(at('best'), at('second'))).toEqual([
      { state: 'moved', provider_id: 'best', moved: true, upstream },
      { state: 'confirmed', provider_id: 'second', moved: false, upstream: true },
    ]);
    const after = before.map((count, n) => count + (n === 1 || (n === 0 && upstream) ? 1 : 0));
    expect(ordersAt()).toEqual(after);
    // Three repeats get the same response: the same request, the request without `failover`, and an order of the quote that the response names.
    for (const again of [await order(), await order({}), await order({}, 'second')]) expect(again).toEqual(answer);
    expect(ordersAt()).toEqual(after);
    const orderId = String(answer.body['order_id']);
    const status = (await call('/order-status', { order_id: orderId })).body[orderId];
    expect(status).toMatchObject({ quote_id: at('second').quote_id, provider: ref('second'), payment_info: answer.body['payment_info'] });
    expect((await call('/order-status', { order_id: at('best').quote_id })).body['order_id']).toBe(orderId);
    // A provider that refused or changed its price is missing from the next offers. A provider that was unavailable is not.
    const { body } = await call('/offers', { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    expect((body['excluded'] as Body[]).map((one) => one['rule'])).toEqual(reason === 'provider-unavailable' ? [] : ['declined-your-order']);
    gateway.clock.move(11_000);
  });

  it('after two refusals', async () => {
    const { at, order } = await customer();
    fault('best', 'order-refused');
    fault('second', '429');
    expect((await order()).body).toMatchObject({
      quote_id: at('third').quote_id,
      moved_from: [
        { provider: ref('best'), reason: 'provider-declined' },
        { provider: ref('second'), reason: 'provider-unavailable' },
      ],
    });
  });

  it('an order that needs no failover names its quote all the same', async () => {
    const plain = await customer();
    expect((await plain.order()).body).toMatchObject({ quote_id: plain.at('best').quote_id, moved_from: [] });
    expect((await (await customer()).order({})).body).not.toHaveProperty('moved_from');
  });

  it('its bounds and webhook are the request’s: the stricter of both bounds is kept with the order', async () => {
    const { at, least, order } = await customer();
    fault('best', 'order-refused');
    const webhook = { webhook_url: 'https://wallet.example/hook', webhook_events: ['order_status_changed'] };
    const { body } = await order({ ...webhook, min_amount_sats: least + 1, failover: { max: 3, min_amount_sats: least } });
    expect(body['provider']).toEqual(ref('second'));
    const [kept] = await gateway.database.sql`select min_receive, webhook_events from orders where id = ${String(body['order_id'])}`;
    expect(kept).toEqual({ min_receive: String(least + 1), webhook_events: '{order_status_changed}' });
    expect(await states(at('third'))).toEqual([]);
  });

  it('if the sats are fixed, too, with a bound on what is paid', async () => {
    const { at, order } = await customer({ amount_sats: 100_000 });
    fault('best', 'order-refused');
    fault('second', 'order-refused');
    const most = at('second').amount_fiat;
    // The third offer would cost more than that.
    const { status, body } = await order({ failover: { max: 3, max_amount_fiat: most } });
    expect([status, body['code'], body['moved_from']]).toEqual([409, 'provider-declined', [{ provider: ref('best'), reason: 'provider-declined' }]]);
    expect(await states(at('best'), at('second'), at('third'))).toEqual(['moved', 'declined']);
  });
});

describe('if no provider takes the order', () => {
  it('no more ranks than the request allows are tried, and the response offers the others', async () => {
    const { call, at, least, order } = await customer();
    for (const id of ['best', 'second', 'third']) fault(id, 'order-refused', 5);
    const asked = ids.map((id) => control(id).history.requests.filter(({ endpoint }) => endpoint === 'order').length);
    const answer = await order({ failover: { max: 1, min_amount_sats: least } });
    expect([answer.status, answer.body['code'], answer.body['action'], answer.body['moved_from']]).toEqual([
      409,
      'provider-declined',
      'ask-user',
      [{ provider: ref('best'), reason: 'provider-declined' }],
    ]);
    const offered = answer.body['offers'] as Offer[];
    expect(offered).toEqual([at('third'), at('dear')]);
    for (const again of [await order(), await order({})]) expect(without(again.body)).toEqual(without(answer.body));
    const now = ids.map((id) => control(id).history.requests.filter(({ endpoint }) => endpoint === 'order').length);
    expect(now.map((count, n) => count - (asked[n] ?? 0))).toEqual([1, 1, 0, 0]);
    expect((await call('/order', { quote_id: at('dear').quote_id })).status).toBe(200);
  });

  it('no rank beyond the bound is tried', async () => {
    const { at, order } = await customer();
    const before = ordersAt();
    fault('best', 'order-refused');
    const answer = await order({ failover: { max: 3, min_amount_sats: at('second').amount_sats + 1 } });
    expect([answer.status, answer.body['code'], answer.body['moved_from']]).toEqual([409, 'provider-declined', undefined]);
    expect([await states(at('best')), ordersAt()]).toEqual([['declined'], before]);
  });

  it('an order that is made below the bound is not accepted, whatever its provider quoted', async () => {
    const { at, order } = await customer();
    fault('best', 'order-refused');
    fault('second', 'order-amounts-differ');
    fault('third', 'order-amounts-differ');
    const answer = await order();
    expect([answer.status, answer.body['code'], (answer.body['moved_from'] as Body[]).map((one) => one['reason'])]).toEqual([
      409,
      'price-changed',
      ['provider-declined', 'price-changed'],
    ]);
    expect(await states(at('best'), at('second'), at('third'))).toEqual(['moved', 'moved', 'unpayable']);
  });

  it('after a move, a repeat does not ask a busy provider again: the request has its response', async () => {
    const { at, order } = await customer();
    for (const id of ['best', 'second', 'third']) fault(id, '429');
    const answer = await order();
    expect([answer.status, answer.body['code'], answer.body['retryable']]).toEqual([409, 'provider-declined', false]);
    expect(answer.body['detail']).toBe('None of the providers that were tried made an order that you can pay. There is nothing to pay.');
    expect(await states(at('best'), at('second'), at('third'))).toEqual(['moved', 'moved', 'declined']);
    gateway.clock.move(11_000);
    expect(without((await order()).body)).toEqual(without(answer.body));
  });

  it('a repeat gets its response even if the previous release sent the last order, which stores no response for a refusal', async () => {
    const { at, order } = await customer();
    fault('best', 'order-refused');
    fault('second', 'order-refused');
    await order({ failover: { max: 1, min_amount_sats: 1 } });
    await gateway.database.sql`update intents set state = 'rejected', answer = null where quote_id = ${at('second').quote_id}`;
    const answer = await order();
    expect([answer.status, answer.body['code'], answer.body['offers']]).toEqual([409, 'provider-declined', []]);
    expect(without((await order({})).body)).toEqual(without(answer.body));
  });

  it('without a move, the quote stays good', async () => {
    const { at, order } = await customer();
    fault('dear', '429');
    const failover = { max: 3, min_amount_sats: at('dear').amount_sats };
    const answer = await order({ failover }, 'dear');
    expect([answer.status, answer.body['code'], answer.body['action']]).toEqual([503, 'provider-unavailable', 'retry']);
    gateway.clock.move(11_000);
    expect((await order({ failover }, 'dear')).body).toMatchObject({ provider: ref('dear'), moved_from: [] });
  });
});

describe('an unknown outcome', () => {
  it('of the first rank is waited for: no other provider is asked', async () => {
    const { at, order } = await customer();
    const before = ordersAt();
    fault('best', 'lost-answer');
    expect((await order()).body['code']).toBe('order-pending');
    expect([await states(at('best')), ordersAt()]).toEqual([['unknown'], before.map((count, n) => count + (n === 0 ? 1 : 0))]);
    await gateway.passUntil('it is settled', async () => ((await states(at('best')))[0] === 'unpayable' ? true : undefined));
    expect((await order()).body).toMatchObject({ code: 'order-unpayable' });
    expect(await states(at('best'), at('second'), at('third'))).toEqual(['unpayable']);
  });

  it('of a later rank is settled, and its response is that of the request', async () => {
    const { at, order } = await customer();
    fault('best', 'order-refused');
    fault('second', 'lost-answer');
    const before = ordersAt();
    expect((await order()).body['code']).toBe('order-pending');
    expect(await states(at('best'), at('second'), at('third'))).toEqual(['moved', 'unknown']);
    // When the order is sent again, its provider returns the order that it has already made.
    await gateway.passUntil('it is settled', async () => ((await states(at('second')))[0] === 'confirmed' ? true : undefined));
    const answer = await order();
    expect(answer.body).toMatchObject({ quote_id: at('second').quote_id, moved_from: [{ provider: ref('best'), reason: 'provider-declined' }] });
    expect([await order(), ordersAt()]).toEqual([answer, before.map((count, n) => count + (n === 1 ? 1 : 0))]);
  });

  it('that turns out to be an order at a worse price ends there: the third rank is not asked', async () => {
    const { at, order } = await customer();
    fault('best', 'order-refused');
    fault('second', 'lost-answer');
    expect((await order()).body['code']).toBe('order-pending');
    fault('second', 'order-amounts-differ', 9);
    await gateway.passUntil('it is settled', async () => ((await states(at('second')))[0] === 'unpayable' ? true : undefined));
    const answer = await order();
    expect([answer.body['code'], (answer.body['offers'] as Offer[])[0]]).toEqual(['price-changed', at('third')]);
    expect(await states(at('best'), at('second'), at('third'))).toEqual(['moved', 'unpayable']);
    expect(without((await order()).body)).toEqual(without(answer.body));
  });
});

describe('a rank is left out', () => {
  it('that another request has ordered', async () => {
    const { at, order, call } = await customer();
    const own = await call('/order', { quote_id: at('second').quote_id });
    fault('best', 'order-refused');
    expect((await order()).body['quote_id']).toBe(at('third').quote_id);
    expect(await call('/order', { quote_id: at('second').quote_id })).toEqual(own);
  });

  it('whose provider has declined an order since', async () => {
    const { at, order, call } = await customer();
    const again = (await call('/offers', { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 })).body['offers'] as Offer[];
    fault('second', 'order-refused');
    await call('/order', { quote_id: again[1]?.quote_id });
    fault('best', 'order-refused');
    expect((await order()).body['quote_id']).toBe(at('third').quote_id);
  });

  it('whose provider the operator has switched off', async () => {
    const { at, order } = await customer();
    const { operator } = gateway.server.gateway.stores;
    await operator.setSwitch({ name: 'provider/second', mode: 'off', reason: 'a test', setOn: gateway.clock.now(), setBy: 'test' });
    gateway.clock.move(3000);
    fault('best', 'order-refused');
    expect((await order()).body['quote_id']).toBe(at('third').quote_id);
    await operator.clearSwitch('provider/second');
    gateway.clock.move(3000);
  });

  it('not even the first, if the operator has switched its provider off', async () => {
    const { at, order } = await customer();
    const { operator } = gateway.server.gateway.stores;
    await operator.setSwitch({ name: 'provider/best', mode: 'off', reason: 'a test', setOn: gateway.clock.now(), setBy: 'test' });
    gateway.clock.move(3000);
    const before = ordersAt();
    expect(await order({})).toMatchObject({ status: 503, body: { code: 'provider-unavailable' } });
    const moved = await order();
    expect(moved.body).toMatchObject({ quote_id: at('second').quote_id, moved_from: [{ provider: ref('best'), reason: 'provider-unavailable' }] });
    expect(ordersAt()).toEqual(before.map((count, n) => count + (n === 1 ? 1 : 0)));
    expect(without((await order()).body)).toEqual(without(moved.body));
    await operator.clearSwitch('provider/best');
    await operator.setSwitch({ name: 'orders', mode: 'held', reason: 'a test', setOn: gateway.clock.now(), setBy: 'test' });
    gateway.clock.move(3000);
    const held = await customer();
    expect(await held.order()).toMatchObject({ status: 503, body: { code: 'provider-unavailable' } });
    expect(await attempts(held.at('best'))).toEqual([]);
    await operator.clearSwitch('orders');
    gateway.clock.move(3000);
  });

  it('once its own accept_by has passed', async () => {
    const { at, order } = await customer();
    await gateway.database
      .sql`update routes set route = jsonb_set(route::jsonb, '{acceptBy,1}', '0')::json where left(id::text, 34) = ${at('best').quote_id.slice(0, 34)}`;
    fault('best', 'order-refused');
    expect((await order()).body['quote_id']).toBe(at('third').quote_id);
  });

  it.each([
    ['is not begun with two thirds of the deadline gone', 13_400, 409],
    ['is begun with less gone', 6000, 200],
  ])('which %s', async (_when, ms, status) => {
    const { at, order } = await customer();
    fault('best', 'order-refused');
    const { adapter } = gateway.server.gateway.providers.find(({ id }) => id === 'best') ?? {};
    const { buy } = adapter ?? {};
    if (!buy) throw new Error('no adapter');
    const placeOrder = buy.placeOrder.bind(buy);
    buy.placeOrder = async (...given) => {
      const answer = await placeOrder(...given);
      gateway.clock.move(ms);
      return answer;
    };
    const answer = await order();
    buy.placeOrder = placeOrder;
    expect([answer.status, (await states(at('best')))[0]]).toEqual([status, status === 200 ? 'moved' : 'declined']);
  });
});

describe('what was ordered before in the same session at a provider is read first', () => {
  /** Does the work while a read of all orders at a provider takes `ms`. Ordering begins with such a read. */
  const slowly = async (id: string, ms: number, work: () => Promise<Reply>): Promise<Reply> => {
    const { buy } = gateway.server.gateway.providers.find((one) => one.id === id)?.adapter ?? {};
    if (!buy) throw new Error('no adapter');
    const readOrders = buy.readOrders.bind(buy);
    let left = ms;
    buy.readOrders = async (...given) => {
      const answer = await readOrders(...given);
      // Background work reads a single order, which it names. The time must not pass during that read.
      if (given[1] !== undefined) return answer;
      gateway.clock.move(left);
      left = 0;
      return answer;
    };
    const answer = await work();
    buy.readOrders = readOrders;
    return answer;
  };
  /** Returns a customer who has ordered at that provider before. */
  const returning = async (id: string) => {
    const { call, order, at } = await customer();
    const offers = async (): Promise<Offer[]> =>
      (await call('/offers', { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 })).body['offers'] as Offer[];
    await call('/order', { quote_id: (await offers()).find(({ provider }) => provider.id === id)?.quote_id });
    return { order, at };
  };

  it('and that reading takes nothing from the deadline of the first order', async () => {
    const { order } = await returning('best');
    expect((await slowly('best', 19_000, order)).body['provider']).toEqual(ref('best'));
  });

  it('and if too little time is left then, a later rank is not begun', async () => {
    const { order, at } = await returning('second');
    const before = ordersAt();
    fault('best', 'order-refused');
    const answer = await slowly('second', 13_400, order);
    expect([answer.status, answer.body['code'], ordersAt()]).toEqual([409, 'provider-declined', before]);
    expect(await states(at('best'), at('second'))).toEqual(['moved', 'declined']);
  });
});

describe('requests at the same time', () => {
  it('repeats of one request get one order', async () => {
    const { at, order } = await customer();
    const before = ordersAt();
    fault('best', 'order-refused');
    const answers = await Promise.all([order(), order(), order(), order()]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({ quote_id: at('second').quote_id });
    expect(ordersAt()).toEqual(before.map((count, n) => count + (n === 1 ? 1 : 0)));
  });

  it('an order for a quote that a request has moved on from gets no order of another provider', async () => {
    const { at, order, call } = await customer();
    fault('best', 'order-refused');
    fault('second', 'order-refused');
    const { body } = await order();
    expect(body['quote_id']).toBe(at('third').quote_id);
    const passing = await call('/order', { quote_id: at('second').quote_id });
    expect([passing.status, passing.body['code'], passing.body['action'], passing.body['order_id']]).toEqual([
      409,
      'quote-used',
      'read-order',
      body['order_id'],
    ]);
  });

  it('another Idempotency-Key points to the order, the same one gets its bytes', async () => {
    const { order } = await customer();
    fault('best', 'order-refused');
    const failover = { max: 2, min_amount_sats: 1 };
    const first = await order({ failover }, 'best', { 'idempotency-key': 'one' });
    expect(await order({ failover }, 'best', { 'idempotency-key': 'one' })).toEqual(first);
    const other = await order({ failover }, 'best', { 'idempotency-key': 'two' });
    expect([other.body['code'], other.body['order_id']]).toEqual(['quote-used', first.body['order_id']]);
    const differs = await order({ failover: { ...failover, max: 1 } }, 'best', { 'idempotency-key': 'one' });
    expect([differs.status, differs.body['code']]).toEqual([422, 'idempotency-key-reused']);
  });
});

it('money in an order that a request has moved on from causes an alert, and changes nothing for the customer', async () => {
  const { at, order } = await customer();
  fault('best', 'order-amounts-differ');
  const answer = await order();
  await control('best').pay(control('best').history.orders.at(-1)?.orderId ?? '');
  await gateway.passUntil('it is in review', async () => ((await states(at('best')))[0] === 'review' ? true : undefined));
  const [kept] = await gateway.database.sql`select evidence from intents where quote_id = ${at('best').quote_id}`;
  expect(kept).toEqual({ evidence: { note: 'the attempt ended as "moved", yet the provider reports filled' } });
  expect(gateway.logs.filter((line) => line.includes('money_in_withheld_order')).length).toBe(1);
  expect(await order()).toEqual(answer);
});

it('a move is counted and logged', async () => {
  const { order } = await customer();
  fault('best', 'order-refused');
  gateway.logs.length = 0;
  await order();
  expect(await (await fetch(`${gateway.url}/metrics`)).text()).toMatch(/ramp_order_moves_total\{provider="best",reason="provider-declined"\} [1-9]/);
  expect(gateway.logs.filter((line) => line.includes('"order_moved"') && line.includes('to second')).length).toBe(1);
});

describe('what the request may say', () => {
  it.each<[string, object, string, string]>([
    ['no number', {}, '/failover/max', 'failover.max is missing'],
    ['none', { max: 0, min_amount_sats: 1 }, '/failover/max', 'failover.max must be a whole number from 1 to 3'],
    ['too many', { max: 4, min_amount_sats: 1 }, '/failover/max', 'failover.max must be a whole number from 1 to 3'],
    ['euros', { max: 1, max_amount_fiat: 100.5 }, '/failover/max_amount_fiat', 'must be a whole number of cents'],
    ['a bound misspelt', { max: 1, min_amount_sat: 1 }, '/failover/min_amount_sat', 'in failover: did you mean "min_amount_sats"?'],
    ['no bound', { max: 1 }, '/failover/min_amount_sats', 'failover must contain min_amount_sats: all offers for this request have the same amount_fiat'],
    ['a bound on what is fixed', { max: 1, max_amount_fiat: 10_000 }, '/failover/min_amount_sats', 'failover must contain min_amount_sats'],
  ])('%s', async (_what, failover, pointer, detail) => {
    const { order } = await customer();
    const { status, body } = await order({ failover });
    expect([status, body['errors']]).toEqual([400, [{ pointer, detail: expect.stringContaining(detail) as string }]]);
  });

  it('a bound that the quote itself breaks', async () => {
    const { at, order } = await customer();
    const { status, body } = await order({ failover: { max: 1, min_amount_sats: at('best').amount_sats + 1 } });
    expect([status, body['code'], (body['errors'] as Body[])[0]?.['pointer']]).toEqual([422, 'amount-out-of-range', '/failover/min_amount_sats']);
  });

  it('camelCase names, and null for an absent member', async () => {
    const { order, least } = await customer();
    fault('best', 'order-refused');
    expect((await order({ failover: { max: 1, minAmountSats: least, max_amount_fiat: null } })).body['provider']).toEqual(ref('second'));
    expect((await (await customer()).order({ failover: null })).status).toBe(200);
  });
});
