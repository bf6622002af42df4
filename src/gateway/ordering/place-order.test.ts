import { describe, expect, it } from 'vitest';
import { memoryGateway, problemOf } from '../../../test/support/memory/gateway.ts';
import type { IntentState } from '../../domain/order.ts';
import type { Account, AccountStore } from '../../ports/accounts.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { leaseFor } from '../lease.ts';
import { inputsPlace } from '../places.ts';
import { findQuote, quoteToJson } from '../pricing/store-route.ts';
import { placeOrder } from './place-order.ts';

it('the same quote again gets the same bytes, and the provider is asked once', async () => {
  const { scope, session, quote, request, calls } = memoryGateway();
  const quoteId = await quote();
  const answers = await Promise.all(Array.from({ length: 20 }, async () => await placeOrder(scope, session, request(quoteId))));
  const later = await placeOrder(scope, session, request(quoteId));
  expect(new Set([...answers, later]).size).toBe(1);
  expect(JSON.parse(later)).toMatchObject({ order_status: 'placed', stage: 'awaiting_payment', amount_fiat: 10_000, amount_sats: 107_869 });
  expect(calls('placeOrder')).toBe(1);
});

it('the order, its first event and the intent are stored together, before any caller gets an answer', async () => {
  const { gateway, scope, session, quote, request, intentOf, events } = memoryGateway();
  const quoteId = await quote();
  const { order_id } = JSON.parse(await placeOrder(scope, session, request(quoteId))) as { order_id: string };
  const intent = await intentOf(quoteId);
  expect([intent?.state, intent?.orderId, intent?.upstreamOrderId]).toEqual(['confirmed', order_id, expect.stringMatching(/^order-/)]);
  expect(await gateway.stores.orders.findAny(order_id)).toMatchObject({ stage: 'awaiting_payment', pay: 10_000n, receive: 107_869n, sequence: 1 });
  expect(events).toMatchObject([{ orderId: order_id, sequence: 1, toStage: 'awaiting_payment', source: 'place' }]);
});

it('an answer that was lost leaves the order pending, and nothing is sent again by asking', async () => {
  const { scope, session, quote, request, buyer, intentOf, calls } = memoryGateway();
  const { script, sound, orders } = buyer();
  script.placeOrder = async (...given) => {
    await sound.placeOrder(...given);
    throw new ProviderFault('timeout', 'no answer');
  };
  const quoteId = await quote();
  for (let n = 0; n < 3; n += 1) expect(await problemOf(placeOrder(scope, session, request(quoteId)))).toMatchObject({ code: 'order-pending' });
  expect([calls('placeOrder'), orders.length, (await intentOf(quoteId))?.state]).toEqual([1, 1, 'unknown']);
});

it.each([
  ['had no place for', async () => await Promise.resolve({ ok: false, refusal: { reason: 'busy' } } as const)],
  ['did not get', async () => await Promise.reject(new ProviderFault('unreachable', 'refused', { taken: 'no' }))],
])('what the provider %s leaves the quote usable', async (_, answer) => {
  const { gateway, scope, session, quote, request, buyer, intentOf } = memoryGateway();
  buyer().script.placeOrder = answer;
  const quoteId = await quote();
  const { code } = await problemOf(placeOrder(scope, session, request(quoteId)));
  expect([code, await intentOf(quoteId)]).toEqual(['provider-unavailable', undefined]);
  delete buyer().script.placeOrder;
  expect(JSON.parse(await placeOrder(scope, session, request(quoteId)))).toMatchObject({ stage: 'awaiting_payment' });
  expect(await gateway.stores.orders.list(session.customerId, 'buy', 10)).toHaveLength(1);
});

const two = { alpine: {}, cobalt: {} };

it('an order that the provider declined is declined for good, and the same step excludes the provider for this customer', async () => {
  const { scope, session, quote, request, buyer, intentOf, calls, declined, clock } = memoryGateway(two);
  buyer().script.placeOrder = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } } as const);
  const quoteId = await quote('alpine');
  const first = await problemOf(placeOrder(scope, session, request(quoteId)));
  const again = await problemOf(placeOrder(scope, session, request(quoteId)));
  const offered = [{ provider: { id: 'cobalt' } }];
  expect(first).toMatchObject({ code: 'provider-declined', more: { members: { offers: offered } } });
  expect(again.more).toEqual(first.more);
  expect([(await intentOf(quoteId))?.state, calls('placeOrder')]).toEqual(['declined', 1]);
  expect(declined.get(session.customerId)?.['alpine']).toBeGreaterThan(clock.now + 599_000);
});

it.each([
  ['states no end, and so ends with its quote', undefined, false],
  ['lasts as long as its quote', 60_000, false],
  ['lasts less long than its quote', 40_000, true],
])('an order that %s, but whose answer comes after that, is withheld, and its provider went back on its offer: %o', async (_, lastsMs, wentBack) => {
  const { scope, session, quote, request, buyer, intentOf, declined, clock } = memoryGateway(two);
  const { script, sound } = buyer();
  const began = clock.now;
  script.placeOrder = async (...given) => {
    const answer = await sound.placeOrder(...given);
    clock.now = began + 60_001;
    if (!answer.ok) return answer;
    const { expiresOn: _usual, ...value } = answer.value;
    return { ok: true, value: lastsMs === undefined ? value : { ...value, expiresOn: began + lastsMs } };
  };
  const quoteId = await quote('alpine');
  // The customer ordered at the last moment.
  clock.now = began + 57_000;
  expect((await problemOf(placeOrder(scope, session, request(quoteId)))).code).toBe('order-unpayable');
  expect((await intentOf(quoteId))?.state).toBe('unpayable');
  expect(declined.get(session.customerId)?.['alpine'] !== undefined).toBe(wentBack);
});

it.each([
  ['two seconds after its quote', true, 2_000, 14_500],
  ['six seconds before accept_by', true, 10_000, 6_500],
  ['in the last seconds before accept_by', false, 15_000, 2_000],
])('an order that was made %s, and answered too late, is withheld, and its provider went back on its offer: %o', async (...given) => {
  const [, wentBack, orderedAfter, answeredAfter] = given;
  const { scope, session, quote, request, buyer, declined, clock } = memoryGateway(two, { routing: { expiry_margin_s: 15, shortest_life_s: 30 } }, 31_000);
  const { script, sound } = buyer();
  script.placeOrder = async (...sent) => {
    const answer = await sound.placeOrder(...sent);
    clock.now += answeredAfter;
    if (!answer.ok) return answer;
    const { expiresOn: _usual, ...value } = answer.value;
    return { ok: true, value };
  };
  const quoteId = await quote('alpine');
  clock.now += orderedAfter;
  expect((await problemOf(placeOrder(scope, session, request(quoteId)))).code).toBe('order-unpayable');
  expect(declined.get(session.customerId)?.['alpine'] !== undefined).toBe(wentBack);
});

it('the time that an order waits in our own queue is the customer’s, not its provider’s', async () => {
  const blocks = { alpine: { concurrency: { in_flight: 1 } }, cobalt: {} };
  const world = memoryGateway(blocks, { routing: { expiry_margin_s: 15, shortest_life_s: 30 } }, 31_000);
  const { gateway, scope, session, quote, request, buyer, intentOf, declined, clock } = world;
  const { script, sound } = buyer();
  script.placeOrder = async (...sent) => {
    const answer = await sound.placeOrder(...sent);
    clock.now += 4_500;
    if (!answer.ok) return answer;
    const { expiresOn: _usual, ...value } = answer.value;
    return { ok: true, value };
  };
  const quoteId = await quote('alpine');
  clock.now += 10_000;
  // Another order takes the only slot.
  const other = Promise.withResolvers<undefined>();
  const { guard } = gateway.providers.find(({ id }) => id === 'alpine') ?? {};
  const taken = guard?.call('order', { deadlineMs: 60_000, idempotent: false }, async () => await other.promise);
  const placing = problemOf(placeOrder(scope, session, request(quoteId)));
  while ((await intentOf(quoteId))?.state !== 'sending') await new Promise((done) => setTimeout(done));
  clock.now += 2_000;
  other.resolve(undefined);
  await taken;
  expect((await placing).code).toBe('order-unpayable');
  expect(declined.get(session.customerId)?.['alpine']).toBeUndefined();
});

it('an order whose answer is lost was sent when it left our own queue', async () => {
  const { gateway, scope, session, quote, request, buyer, intentOf, clock } = memoryGateway({ alpine: { concurrency: { in_flight: 1 } } });
  buyer().script.placeOrder = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
  const quoteId = await quote();
  const other = Promise.withResolvers<undefined>();
  const taken = gateway.providers[0]?.guard.call('order', { deadlineMs: 60_000, idempotent: false }, async () => await other.promise);
  const placing = problemOf(placeOrder(scope, session, request(quoteId)));
  while ((await intentOf(quoteId))?.state !== 'sending') await new Promise((done) => setTimeout(done));
  clock.now += 2_000;
  other.resolve(undefined);
  await taken;
  expect((await placing).code).toBe('order-pending');
  expect(await intentOf(quoteId)).toMatchObject({ state: 'unknown', sentOn: clock.now });
});

it.each([
  ['at a whole minute that is over', 60_000, 0],
  ['at the latest moment that still counts as its quote’s end', 30_000, 15_000],
])('an order that was answered at once, and ends %s, is no order that came too late', async (_when, quoteLifeMs, endsAfterMs) => {
  const { scope, session, quote, request, buyer, declined, clock } = memoryGateway(two, { routing: { expiry_margin_s: 15, shortest_life_s: 30 } }, quoteLifeMs);
  const { script, sound } = buyer();
  const began = clock.now;
  script.placeOrder = async (...sent) => {
    const answer = await sound.placeOrder(...sent);
    return answer.ok ? { ok: true, value: { ...answer.value, expiresOn: began + endsAfterMs } } : answer;
  };
  expect((await problemOf(placeOrder(scope, session, request(await quote('alpine'))))).code).toBe('order-unpayable');
  expect(declined.get(session.customerId)?.['alpine']).toBeDefined();
});

it('an order at another price than the binding quote is withheld, and every caller gets the same other offers', async () => {
  const { gateway, scope, session, quote, request, buyer, intentOf } = memoryGateway(two);
  const { script, sound } = buyer();
  const { price } = buyer('cobalt');
  const quoteId = await quote('alpine');
  script.placeOrder = async (...given) => {
    const answer = await sound.placeOrder(...given);
    return answer.ok ? { ...answer, value: { ...answer.value, receive: answer.value.receive - 1n } } : answer;
  };
  price.receive = 107_000n;
  const first = await problemOf(placeOrder(scope, session, request(quoteId)));
  expect([first.code, first.more.members?.['offers']]).toEqual(['price-changed', [expect.objectContaining({ amount_sats: 107_869 })]]);
  expect(JSON.stringify(first.more)).not.toContain('CH44');
  price.receive = 106_000n;
  const again = await problemOf(placeOrder(scope, session, request(quoteId)));
  expect(again.more.members?.['offers']).toEqual(first.more.members?.['offers']);
  expect([(await intentOf(quoteId))?.state, await gateway.stores.orders.list(session.customerId, 'buy', 10)]).toEqual(['unpayable', []]);
});

it("nothing is sent for a quote that has expired, or that is outside the request's own limits", async () => {
  const { scope, session, quote, request, clock, calls } = memoryGateway();
  const quoteId = await quote();
  const bounded = request(quoteId, { inputs: { minReceive: '107870', order: {} } });
  expect(await problemOf(placeOrder(scope, session, bounded))).toMatchObject({ code: 'amount-out-of-range' });
  clock.now += 60_001;
  let counted = 0;
  const late = request(quoteId, { count: async () => await Promise.resolve(void (counted += 1)) });
  expect([(await problemOf(placeOrder(scope, session, late))).code, counted]).toEqual(['quote-expired', 0]);
  expect(await problemOf(placeOrder(scope, { ...session, customerId: crypto.randomUUID() }, request(quoteId)))).toMatchObject({ code: 'quote-not-found' });
  expect(calls('placeOrder')).toBe(0);
});

it('orders that can still be paid are counted across parallel requests', async () => {
  const { scope, session, quote, request } = memoryGateway({ alpine: { status_by_session: false } }, { orders: { max_open: 2 } });
  const quotes = [await quote(), await quote(), await quote()];
  const answers = await Promise.allSettled(quotes.map(async (quoteId) => await placeOrder(scope, session, request(quoteId))));
  // An upstream session places one order at a time, so callers that were turned away must repeat their requests.
  const again = await Promise.allSettled(quotes.map(async (quoteId) => await placeOrder(scope, session, request(quoteId))));
  const last = await Promise.allSettled(quotes.map(async (quoteId) => await placeOrder(scope, session, request(quoteId))));
  expect(answers.filter((one) => one.status === 'fulfilled').length).toBeLessThanOrEqual(2);
  expect(again.filter((one) => one.status === 'fulfilled').length).toBeLessThanOrEqual(2);
  expect(last.filter((one) => one.status === 'fulfilled')).toHaveLength(2);
  const refused = last.find((one) => one.status === 'rejected');
  expect(refused?.reason).toMatchObject({ code: 'too-many-open-orders', more: { members: { order_ids: [expect.any(String), expect.any(String)] } } });
});

it('another Idempotency-Key for the quote is referred to the existing order', async () => {
  const { scope, session, quote, request } = memoryGateway();
  const quoteId = await quote();
  const { order_id } = JSON.parse(await placeOrder(scope, session, request(quoteId, { idempotencyKey: 'one' }))) as { order_id: string };
  const other = await problemOf(placeOrder(scope, session, request(quoteId, { idempotencyKey: 'two' })));
  expect([other.code, other.more.members?.['order_id']]).toEqual(['quote-used', order_id]);
});

it('a repeated request continues an attempt whose sender stopped before anything was sent', async () => {
  const { gateway, scope, session, quote, request, calls } = memoryGateway();
  const quoteId = await quote();
  const stored = await findQuote(gateway, quoteId, session.customerId);
  const id = gateway.ids.uuid();
  const dead = { ...leaseFor(gateway, id), seconds: -1 };
  await gateway.stores.intents.create(
    {
      id,
      quoteId,
      orderId: gateway.ids.uuid(),
      ramp: 'buy',
      customerId: session.customerId,
      providerId: 'alpine',
      requestId: 'req_of_the_dead',
      quote: quoteToJson(stored),
      inputs: await gateway.seal.seal('{"order":{}}', inputsPlace(id)),
      createdOn: gateway.now(),
      deadOn: gateway.now() + 61_000,
      nextTryOn: gateway.now(),
      ...(stored.providerSessionId === undefined ? {} : { exclusiveKey: stored.providerSessionId }),
    },
    dead,
    { maxOpen: 5 },
  );
  expect(JSON.parse(await placeOrder(scope, session, request(quoteId)))).toMatchObject({ stage: 'awaiting_payment' });
  expect(calls('placeOrder')).toBe(1);
});

it('a payment link on a foreign host is not shown, and a person must look at the order', async () => {
  const { gateway, scope, session, quote, request, buyer } = memoryGateway({ alpine: { payment_hosts: ['pay.buyer.example'] } }, {});
  const { script, sound } = buyer();
  script.placeOrder = async (...given) => {
    const answer = await sound.placeOrder(...given);
    return answer.ok ? { ...answer, value: { ...answer.value, paymentInfo: { kind: 'fiat', paymentUrl: 'https://evil.example/pay' } } } : answer;
  };
  const { code, more } = await problemOf(placeOrder(scope, session, request(await quote())));
  expect(code).toBe('payout-link-refused');
  expect(await gateway.stores.orders.findAny(more.members?.['order_id'] as string)).toMatchObject({ stage: 'review', watch: { reviewReason: 'unsafe-link' } });
});

describe('the same quote again with another destination', () => {
  const named = (fallback: string) => ({ inputs: { named: { refund_onchain: fallback }, order: {} } });

  it.each<[string, IntentState, string]>([
    ['was declined', 'declined', 'requote'],
    ['made an order that cannot be paid', 'unpayable', 'requote'],
    ['waits for a person', 'review', 'contact-support'],
    ['is in progress', 'unknown', 'wait'],
  ])('says what to do if the attempt %s', async (_what, state, action) => {
    const { gateway, scope, session, quote, request, buyer, intentOf } = memoryGateway();
    buyer().script.placeOrder = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    const quoteId = await quote();
    await problemOf(placeOrder(scope, session, request(quoteId, named('one'))));
    const lease = leaseFor(gateway, 'ending');
    const { id = '' } = (await intentOf(quoteId)) ?? {};
    await gateway.stores.intents.claim(id, lease);
    await gateway.stores.intents.change(id, lease.owner, { state }, true);
    const { code, more } = await problemOf(placeOrder(scope, session, request(quoteId, named('two'))));
    expect([code, more.members?.['action']]).toEqual(['quote-used', action]);
  });

  it.each(['connected', 'removed'] as const)('moves to a provider with accounts only while the customer’s account there is connected (%s)', async (state) => {
    const { gateway, scope, session, quote, request, buyer } = memoryGateway(two);
    const account = { id: 'a0000000-0000-4000-8000-000000000000', customerId: session.customerId, providerId: 'cobalt', status: 'connected' } as Account;
    const accounts: Partial<AccountStore> = { list: async () => await Promise.resolve([account]), findAny: async () => await Promise.resolve(account) };
    gateway.stores.accounts = accounts as AccountStore;
    Object.assign(buyer('cobalt').adapter, { byAccount: true });
    buyer('alpine').script.placeOrder = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
    const quoteId = await quote('alpine');
    if (state === 'removed') accounts.findAny = async () => await Promise.resolve(undefined);
    const ordered = placeOrder(scope, session, request(quoteId, { failover: { max: 1, minReceive: 100_000n } }));
    const ended = state === 'connected' ? await ordered : (await problemOf(ordered)).code;
    expect([ended.includes('"awaiting_payment"'), ended === 'provider-declined', buyer('cobalt').calls.includes('placeOrder')]).toEqual([
      state === 'connected',
      state === 'removed',
      state === 'connected',
    ]);
  });

  it('names the order of the attempt to which failover has moved', async () => {
    const { scope, session, quote, request, buyer, intentOf } = memoryGateway(two);
    buyer('alpine').script.placeOrder = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
    const quoteId = await quote('alpine');
    const ordered = request(quoteId, { ...named('one'), failover: { max: 1, minReceive: 100_000n } });
    const { order_id } = JSON.parse(await placeOrder(scope, session, ordered)) as { order_id: string };
    const { code, more } = await problemOf(placeOrder(scope, session, request(quoteId, named('two'))));
    expect((await intentOf(quoteId))?.orderId).not.toBe(order_id);
    expect([code, more.members]).toEqual(['quote-used', { order_id }]);
  });
});
