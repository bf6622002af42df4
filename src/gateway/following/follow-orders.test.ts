import { describe, expect, it } from 'vitest';
import { memoryGateway } from '../../../test/support/memory/gateway.ts';
import type { Stage } from '../../domain/order.ts';
import type { Order } from '../../ports/orders.ts';
import type { Place } from '../../ports/runtime.ts';
import { placeOrder } from '../ordering/place-order.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { followOrders, refreshOrder } from './follow-orders.ts';
import { showOrder } from './show-order.ts';

const webhook = { webhookUrl: 'https://wallet.example/hook', webhookEvents: ['withdrawal_ready', 'order_status_changed'], order: {} };
const ordered = async (config: { orders?: object } = {}) => {
  const world = memoryGateway(undefined, config);
  const { gateway, scope, clock } = world;
  const { id } = await world.placed({ inputs: webhook });
  const order = async () => {
    const found = await gateway.stores.orders.findAny(id);
    if (!found) throw new Error('no order');
    return found;
  };
  const [upstream] = world.buyer().orders;
  if (!upstream) throw new Error('nothing upstream');
  /** Makes the provider report this stage, and polls the order. */
  const says = async (stage: Stage | undefined, more: Partial<typeof upstream> = {}): Promise<Stage> => {
    const { stage: _before, ...kept } = upstream;
    Object.assign(upstream, kept, more, { rawStatus: stage ?? 'pondering' });
    if (stage === undefined) delete upstream.stage;
    else upstream.stage = stage;
    clock.now += 1000;
    return (await refreshOrder(scope, await order(), 'read')).stage;
  };
  const steps = () => world.events.map((one) => one.toStage);
  const oddities = () => world.logs.filter((one) => one.event === 'order_oddity').map((one) => one.fields['kind']);
  return { ...world, id, order, says, steps, oddities, upstream };
};

it.each([
  ['a node key', 'open_node_key', 'inputs', 'paid'],
  ['a provider session', 'read_order', 'blob', 'awaiting_payment'],
])('%s that cannot be unsealed is logged as a defect', async (_what, where, kind, stage) => {
  const { says, id, logs, gateway } = await ordered();
  for (const { adapter } of gateway.providers) Object.assign(adapter.buy ?? {}, { opensForNode: true });
  const { seal } = gateway;
  Object.assign(gateway, {
    seal: {
      ...seal,
      open: async (sealed: string, at: Place) => await (at.field === kind ? Promise.reject(new Error('no key')) : seal.open(sealed, at)),
    },
  });
  expect(await says('paid')).toBe(stage);
  expect(logs.filter(({ event, fields }) => event === 'defect' && fields['where'] !== 'receipt')).toMatchObject([
    { level: 'error', fields: { where, order: id } },
  ]);
});

it('an order whose payment is on its way stays open after its end, even if a read fails, and expires once no payment is on its way', async () => {
  const { says, order, clock, scope, buyer, upstream } = await ordered();
  expect(await says('awaiting_payment', { arriving: true })).toBe('awaiting_payment');
  clock.now = ((await order()).expiresOn ?? 0) + 3_600_000;
  expect(await says('awaiting_payment', { arriving: true })).toBe('awaiting_payment');
  buyer().script.readOrders = async () => await Promise.reject(new ProviderFault('unreachable', 'x'));
  expect((await refreshOrder(scope, await order(), 'read')).stage).toBe('awaiting_payment');
  delete buyer().script.readOrders;
  // The seller no longer lists the transaction.
  delete upstream.arriving;
  expect(await says('awaiting_payment')).toBe('expired');
});

it('an order whose payment is on its way stays open after its end while its provider uses a word that we do not know', async () => {
  const { says, order, clock, upstream } = await ordered();
  clock.now = (await order()).expiresOn ?? 0;
  for (const stage of [undefined, 'awaiting_payment', undefined, undefined] as const) expect(await says(stage, { arriving: true })).toBe('awaiting_payment');
  delete upstream.arriving;
  expect(await says(undefined)).toBe('expired');
});

describe('an order whose payment is on its way when others would be final, because `follow_days` is 1', () => {
  const day = 86_400_000;
  const placed = async () => {
    const world = await ordered({ orders: { follow_days: 1 } });
    const { expiresOn = 0, followUntil } = await world.order();
    expect(followUntil).toBeLessThan(expiresOn + day);
    return { ...world, expiresOn, followUntil };
  };
  const arriving = async () => {
    const world = await placed();
    expect(await world.says('awaiting_payment', { arriving: true })).toBe('awaiting_payment');
    world.clock.now = world.followUntil;
    return world;
  };

  it('is read until a day after its end, so that its review is reached', async () => {
    const { says, order, clock, upstream, expiresOn } = await arriving();
    expect([await says('awaiting_payment'), (await order()).final]).toEqual(['awaiting_payment', false]);
    clock.now = expiresOn + day;
    delete upstream.arriving;
    expect([await says('review'), (await order()).final]).toEqual(['review', false]);
  });

  it('is final with the read of that moment if it says nothing new', async () => {
    const { says, order, clock, expiresOn } = await arriving();
    clock.now = expiresOn + day;
    expect([await says('awaiting_payment'), (await order()).final]).toEqual(['expired', true]);
  });

  it('is read for longer if that read fails or is refused', async () => {
    const { says, order, clock, scope, buyer, upstream, expiresOn } = await arriving();
    clock.now = expiresOn + day;
    const failure = new ProviderFault('unreachable', 'x');
    for (const answer of [{ ok: false as const, refusal: { reason: 'declined' as const } }, failure]) {
      buyer().script.readOrders = async () => (answer instanceof ProviderFault ? await Promise.reject(answer) : await Promise.resolve(answer));
      expect(await refreshOrder(scope, await order(), 'poll')).toMatchObject({ stage: 'expired', final: false });
    }
    delete buyer().script.readOrders;
    delete upstream.arriving;
    expect([await says('review'), (await order()).final]).toEqual(['review', false]);
  });

  it('is read until then, too, if it had expired before its payment was seen', async () => {
    const { says, order, clock, upstream, expiresOn, followUntil } = await placed();
    clock.now = expiresOn;
    expect(await says('awaiting_payment')).toBe('expired');
    clock.now = followUntil;
    expect([await says('awaiting_payment', { arriving: true }), (await order()).final]).toEqual(['expired', false]);
    clock.now = expiresOn + day;
    delete upstream.arriving;
    expect([await says('review'), (await order()).final]).toEqual(['review', false]);
  });

  it('is read until then, too, if it had expired and the next reads are refused', async () => {
    const { says, order, clock, scope, buyer, upstream, expiresOn, followUntil } = await placed();
    clock.now = expiresOn;
    expect(await says('awaiting_payment')).toBe('expired');
    expect(await says('awaiting_payment', { arriving: true })).toBe('expired');
    buyer().script.readOrders = async () => await Promise.resolve({ ok: false as const, refusal: { reason: 'declined' as const } });
    for (const now of [followUntil, expiresOn + day - 1, expiresOn + day]) {
      clock.now = now;
      expect(await refreshOrder(scope, await order(), 'poll')).toMatchObject({ stage: 'expired', final: false });
    }
    delete buyer().script.readOrders;
    delete upstream.arriving;
    expect([await says('review'), (await order()).final]).toEqual(['review', false]);
  });

  it('is final with a refused read, if it had expired and its provider last said that no payment is on its way', async () => {
    const { says, order, clock, scope, buyer, upstream, expiresOn, followUntil } = await placed();
    clock.now = expiresOn;
    expect(await says('awaiting_payment')).toBe('expired');
    expect(await says('awaiting_payment', { arriving: true })).toBe('expired');
    delete upstream.arriving;
    expect(await says('awaiting_payment')).toBe('expired');
    buyer().script.readOrders = async () => await Promise.resolve({ ok: false as const, refusal: { reason: 'declined' as const } });
    clock.now = followUntil;
    expect(await refreshOrder(scope, await order(), 'poll')).toMatchObject({ stage: 'expired', final: true });
  });
});

it('a payment that only its amount tells is that of one order, also if two are read at the same moment', async () => {
  const world = memoryGateway();
  const { gateway, scope } = world;
  const placed = [await world.placed(), await world.placed()];
  for (const one of world.buyer().orders) Object.assign(one, { stage: 'paid', rawStatus: 'paid', guessed: true, facts: { transaction_id: 'T1' } });
  const found = async ({ id }: { id: string }): Promise<Order> => {
    const order = await gateway.stores.orders.findAny(id);
    if (!order) throw new Error('no order');
    return order;
  };
  const reads = async () => await Promise.all(placed.map(async (one) => (await refreshOrder(scope, await found(one), 'poll')).stage));
  expect((await reads()).toSorted()).toEqual(['awaiting_payment', 'paid']);
  const first = (await Promise.all(placed.map(found))).map(({ stage }) => stage);
  expect(await reads()).toEqual(first);
  // Its next poll is not put off because of the other order's payment.
  for (const one of placed) expect((await found(one)).checks).toBeGreaterThan(0);
  // If the provider itself links the payment to the other order, that is evidence and no guess, so a person must look at the order whose payment was
  // only guessed.
  const told = placed.findIndex((_, n) => first[n] !== 'paid');
  const upstream = world.buyer().orders[told];
  if (!upstream) throw new Error('nothing upstream');
  Object.assign(upstream, { guessed: undefined });
  expect((await reads())[told]).toBe('paid');
  const guessed = await found(placed[1 - told] ?? { id: '' });
  expect([guessed.stage, guessed.watch.reviewReason]).toEqual(['review', 'unclear']);
  expect(world.events.filter(({ toStage }) => toStage === 'review').map(({ note }) => note)).toEqual([
    `the provider says that the payment recorded for this order belongs to order ${placed[told]?.id}`,
  ]);
  // No read ends that review, and none repeats it.
  expect((await reads())[1 - told]).toBe('review');
  expect(world.events.filter(({ toStage }) => toStage === 'review')).toHaveLength(1);
});

const twoOrders = async () => {
  const world = memoryGateway();
  const { gateway, scope } = world;
  const ids = [(await world.placed()).id, (await world.placed()).id];
  const found = async (n: number): Promise<Order> => {
    const order = await gateway.stores.orders.findAny(ids[n] ?? '');
    if (!order) throw new Error('no order');
    return order;
  };
  const reads = async () => await Promise.all([0, 1].map(async (n) => (await refreshOrder(scope, await found(n), 'poll')).stage));
  const [first, second] = world.buyer().orders;
  if (!first || !second) throw new Error('nothing upstream');
  return { ...world, found, reads, first, second, paid: { stage: 'paid', rawStatus: 'paid' } as const };
};

it('a payment that its provider links to one order while another is read that guesses it is not left with both', async () => {
  for (const guesser of [0, 1]) {
    const { found, reads, first, second, paid } = await twoOrders();
    for (const [n, one] of [first, second].entries()) Object.assign(one, paid, { facts: { transaction_id: 'T1' } }, n === guesser ? { guessed: true } : {});
    await reads();
    await reads();
    expect((await found(1 - guesser)).stage).toBe('paid');
    expect(['awaiting_payment', 'review']).toContain((await found(guesser)).stage);
    expect(Object.keys((await found(1 - guesser)).facts)).toContain('transaction_id');
  }
});

it('a payment with the id of an order is that order’s, and no other order’s that has its amount', async () => {
  const { found, reads, first, second, paid } = await twoOrders();
  Object.assign(second, paid, { guessed: true, facts: { transaction_id: first.upstreamOrderId } });
  expect(await reads()).toEqual(['awaiting_payment', 'awaiting_payment']);
  expect((await found(1)).facts).not.toHaveProperty('transaction_id');
});

it('an order that has taken the payment of an order with an id goes to review once the provider reports that one as paid', async () => {
  const { gateway, found, reads, first, second, paid } = await twoOrders();
  // An earlier release let an order take such a payment, and stored it like this.
  expect(await gateway.stores.orders.advance(await found(1), { stage: 'paid', facts: { transaction_id: first.upstreamOrderId } }, undefined, [])).toBe(true);
  Object.assign(second, paid);
  Object.assign(first, paid);
  expect((await reads())[0]).toBe('paid');
  expect([(await found(1)).stage, (await found(1)).watch.reviewReason]).toEqual(['review', 'unclear']);
});

it('an order that is taken out of review for another order’s payment stays out of it until a report about the other order is accepted', async () => {
  const { gateway, scope, found, events, first, second, paid } = await twoOrders();
  const read = async (n: number): Promise<Stage> => (await refreshOrder(scope, await found(n), 'poll')).stage;
  Object.assign(second, paid, { guessed: true, facts: { transaction_id: 'T1' } });
  expect(await read(1)).toBe('paid');
  Object.assign(first, paid, { pay: -1n, facts: { transaction_id: 'T1' } });
  expect([await read(0), await read(1)]).toEqual(['review', 'review']);
  const held = await found(1);
  // Lets the next read end the review, as the operator's command does.
  expect(await gateway.stores.orders.advance(held, { watch: { ...held.watch, beforeReview: 'paid' } }, undefined, [])).toBe(true);
  expect([await read(1), await read(0), await read(0), await read(1)]).toEqual(['paid', 'review', 'review', 'paid']);
  Object.assign(first, { pay: 10_000n });
  expect([await read(0), (await found(1)).stage, (await found(0)).facts]).toEqual(['paid', 'review', expect.objectContaining({ transaction_id: 'T1' })]);
  expect(events.filter(({ orderId, toStage }) => orderId === held.id && toStage === 'review')).toHaveLength(2);
});

it('an order is taken out of review once for each of several orders whose refused reports name its payment', async () => {
  const world = memoryGateway();
  const { gateway, scope, events } = world;
  const ids = [(await world.placed()).id, (await world.placed()).id, (await world.placed()).id];
  const found = async (n: number): Promise<Order> => {
    const order = await gateway.stores.orders.findAny(ids[n] ?? '');
    if (!order) throw new Error('no order');
    return order;
  };
  const read = async (n: number): Promise<Stage> => (await refreshOrder(scope, await found(n), 'poll')).stage;
  const [first, second, guesser] = world.buyer().orders;
  if (!first || !second || !guesser) throw new Error('nothing upstream');
  const paid = { stage: 'paid', rawStatus: 'paid', facts: { transaction_id: 'T1' } } as const;
  Object.assign(guesser, paid, { guessed: true });
  expect(await read(2)).toBe('paid');
  for (const one of [first, second]) Object.assign(one, paid, { pay: -1n });
  for (const n of [0, 1]) {
    expect([await read(n), await read(2)]).toEqual(['review', 'review']);
    const held = await found(2);
    // Lets the next read end the review, as the operator's command does.
    expect(await gateway.stores.orders.advance(held, { watch: { ...held.watch, beforeReview: 'paid' } }, undefined, [])).toBe(true);
    expect(await read(2)).toBe('paid');
  }
  for (const n of [0, 1, 0, 1]) expect([await read(n), await read(2)]).toEqual(['review', 'paid']);
  expect(events.filter(({ orderId, toStage }) => orderId === ids[2] && toStage === 'review')).toHaveLength(2);
  Object.assign(second, { pay: 10_000n });
  expect([await read(1), (await found(2)).stage, (await found(2)).watch.paymentOf]).toEqual(['paid', 'review', [ids[0], ids[1]]]);
});

it("a final order that had another order's payment is followed again", async () => {
  const world = memoryGateway();
  const { gateway, scope } = world;
  const [guesser, told] = [await world.placed(), await world.placed()];
  const found = async (id: string): Promise<Order> => {
    const order = await gateway.stores.orders.findAny(id);
    if (!order) throw new Error('no order');
    return order;
  };
  const [first, second] = world.buyer().orders;
  if (!first || !second) throw new Error('nothing upstream');
  Object.assign(first, { stage: 'refunded', rawStatus: 'back', moneySeen: true, guessed: true, facts: { transaction_id: 'T1' } });
  expect((await refreshOrder(scope, await found(guesser.id), 'poll')).final).toBe(true);
  Object.assign(second, { stage: 'paid', rawStatus: 'paid', facts: { transaction_id: 'T1' } });
  expect((await refreshOrder(scope, await found(told.id), 'poll')).stage).toBe('paid');
  expect(await found(guesser.id)).toMatchObject({ stage: 'review', final: false, nextCheckOn: world.clock.now });
});

it("a payment that turns out to be another order's does not cost the order the provider's word about itself", async () => {
  const { says, order, gateway } = await ordered();
  Object.assign(gateway.stores.orders, { otherWithPayment: async () => await Promise.resolve('another') });
  const otherwise = { upstreamOrderId: (await order()).upstreamOrderId, stage: 'failed' as const, rawStatus: 'cancelled' };
  expect(await says('paid', { guessed: true, facts: { transaction_id: 'T1' }, otherwise } as object)).toBe('failed');
  expect((await order()).rawStatus).toBe('cancelled');
});

it('ranks only rise: a step back is logged and not reported to the customer', async () => {
  const { says, steps, oddities, order } = await ordered();
  expect([await says('paid'), await says('filled'), await says('paid'), await says('awaiting_payment')]).toEqual(['paid', 'filled', 'filled', 'filled']);
  expect([steps(), oddities()]).toEqual([
    ['awaiting_payment', 'paid', 'filled'],
    ['stale', 'stale'],
  ]);
  expect((await order()).sequence).toBe(3);
});

it('a contradiction leads to review, and a read that agrees leads out of it', async () => {
  const { says, steps, oddities, logs } = await ordered();
  expect(await says('paid', { pay: -1n })).toBe('review');
  expect(await says('paid', { pay: -1n })).toBe('review');
  expect(await says('paid', { pay: 10_000n })).toBe('paid');
  expect([steps(), oddities()]).toEqual([['awaiting_payment', 'review', 'paid'], ['contradiction']]);
  expect(logs.find((one) => one.event === 'order_oddity')).toMatchObject({ level: 'error', fields: { note: 'an amount is negative or impossibly large' } });
});

it('a refunded order cannot be delivered: a person must look', async () => {
  const { says } = await ordered();
  expect([await says('refunded'), await says('filled')]).toEqual(['refunded', 'review']);
});

it('a refund before any payment was seen is followed for as long as a failure: the money may come after it, and then a person must look', async () => {
  const { says, order, clock } = await ordered();
  expect([await says('refunded'), (await order()).final]).toEqual(['refunded', false]);
  expect((await order()).nextCheckOn).toBeGreaterThan(clock.now);
  expect([await says('paid'), (await order()).final]).toEqual(['review', false]);
  expect((await order()).watch).toMatchObject({ beforeReview: 'refunded', reviewReason: 'contradiction', paidSeenOn: clock.now });
  expect(await says('refunded')).toBe('refunded');
  clock.now = (await order()).followUntil;
  expect([await says('refunded'), (await order()).final]).toEqual(['refunded', true]);
});

it('each payment after a refund counts from when it was seen itself', async () => {
  const { says, order, clock, gateway } = await ordered();
  const seenOn = async () => (await order()).watch.paidSeenOn;
  await says('refunded');
  expect([await says('paid'), await seenOn()]).toEqual(['review', clock.now]);
  const first = await seenOn();
  expect([await says('refunded'), await seenOn()]).toEqual(['refunded', undefined]);
  // The previous release kept what was seen before the refund.
  const now = await order();
  await gateway.stores.orders.advance(now, { watch: { ...now.watch, ...(first === undefined ? {} : { paidSeenOn: first }) } }, undefined, []);
  expect([await says('paid'), await seenOn()]).toEqual(['review', clock.now]);
  const second = await seenOn();
  expect([await says('paid'), await seenOn()]).toEqual(['review', second]);
});

it.each([
  ['a part of the payment', 'underpaid', {}],
  ['the failure of a paid order', 'failed', { moneySeen: true }],
] as const)('%s after such a refund is noted as money, too', async (_what, stage, more) => {
  const { says, order } = await ordered();
  await says('refunded');
  expect([await says(stage, more), (await order()).final]).toEqual(['review', false]);
  expect((await order()).watch).toMatchObject({ beforeReview: 'refunded', reviewReason: 'contradiction', moneySeen: true });
});

it('a refund of money that was seen is final at once', async () => {
  const { says, order } = await ordered();
  expect([await says('paid'), await says('refunded'), (await order()).final]).toEqual(['paid', 'refunded', true]);
});

it.each([
  ['paid', 1n, 1],
  ['paid', 9_899n, 1],
  ['paid', 9_900n, 0],
  ['paid', 0n, 0],
  ['filled', 1n, 1],
  ['underpaid', 100n, 0],
] as const)('%s, then a refund of %s of 10,000 cents: %s alerts, and every refund is counted', async (before, pay, alerts) => {
  const { says, gateway, logs } = await ordered();
  const kinds: unknown[] = [];
  Object.assign(gateway, { count: (name: string, labels: Record<string, unknown>) => name === 'order_oddities_total' && kinds.push(labels['kind']) });
  expect([await says(before), await says('refunded', { pay }), await says('refunded', { pay })]).toEqual([before, 'refunded', 'refunded']);
  expect(kinds).toEqual(alerts === 1 ? ['refunded', 'refund-short'] : ['refunded']);
  expect(logs.filter(({ event, level }) => event === 'order_refund_short' && level === 'error')).toHaveLength(alerts);
});

it('a refund of 0 says nothing about the amount: what was known of it stays', async () => {
  const { says, order } = await ordered();
  expect([await says('paid', { pay: 9_999n }), await says('refunded', { pay: 0n, receive: 0n })]).toEqual(['paid', 'refunded']);
  expect(await order()).toMatchObject({ pay: 9_999n, toldPay: 9_999n, toldReceive: 0n });
});

it('an order with an unknown status word is still pending, with a warning', async () => {
  const { says, oddities } = await ordered();
  expect([await says(undefined), oddities()]).toEqual(['awaiting_payment', ['unknown']]);
});

it('an oddity is told once, and again only if the provider says something else', async () => {
  const { says, oddities } = await ordered();
  for (let read = 0; read < 4; read += 1) await says(undefined);
  expect([await says('paid'), await says('paid'), oddities()]).toEqual(['paid', 'paid', ['unknown']]);
  for (let read = 0; read < 4; read += 1) await says('awaiting_payment');
  expect(oddities()).toEqual(['unknown', 'stale']);
  for (let read = 0; read < 4; read += 1) await says('awaiting_payment', { receive: 7n });
  expect(oddities()).toEqual(['unknown', 'stale', 'stale']);
  for (let read = 0; read < 4; read += 1) await says(undefined);
  expect(oddities()).toEqual(['unknown', 'stale', 'stale', 'unknown']);
});

it('an unpaid order expires by the clock while its provider is silent; a later report moves it on', async () => {
  const { buyer, gateway, order, says, clock, events } = await ordered();
  buyer().script.readOrders = async () => await Promise.reject(new ProviderFault('unreachable', 'x'));
  clock.now = (await order()).expiresOn ?? 0;
  await followOrders(gateway, 10);
  expect([(await order()).stage, events.at(-1)?.source]).toEqual(['expired', 'clock']);
  delete buyer().script.readOrders;
  expect(await says('filled')).toBe('filled');
});

it('a step and its webhooks are written together and once, whoever reads', async () => {
  const { says, id, deliveries, order, scope, buyer, clock } = await ordered();
  expect(await says('paid')).toBe('paid');
  const [upstream] = buyer().orders;
  if (upstream) upstream.stage = 'filled';
  clock.now += 1000;
  const before = await order();
  const both = await Promise.all([refreshOrder(scope, before, 'read'), refreshOrder(scope, before, 'notice')]);
  expect(both.map((one) => [one.stage, one.sequence])).toEqual([
    ['filled', 3],
    ['filled', 3],
  ]);
  expect(deliveries.map((one) => [one.type, one.sequence, one.state])).toEqual([
    ['order_status_changed', 2, 'superseded'],
    ['withdrawal_ready', 3, 'due'],
    ['order_status_changed', 3, 'due'],
  ]);
  expect(JSON.parse(deliveries[1]?.body ?? '')).toEqual({ type: 'withdrawal_ready', data: { order_id: id, order_status: 'filled' } });
});

it('a provider that refuses to report causes one alert, and the order is still followed', async () => {
  const { buyer, says, logs, order } = await ordered();
  buyer().script.readOrders = async () => await Promise.resolve({ ok: false, refusal: { reason: 'session-expired' } } as never);
  for (let n = 0; n < 3; n += 1) expect(await says('paid')).toBe('awaiting_payment');
  expect(logs.filter((one) => one.event === 'order_unreadable')).toHaveLength(1);
  expect((await order()).nextCheckOn).toBeGreaterThan((await order()).createdOn);
  delete buyer().script.readOrders;
  expect(await says('paid')).toBe('paid');
  expect((await order()).watch).toEqual({});
});

it('two reads at the same time with different results: the step that is stored first stands, and both callers see it', async () => {
  const { says, order, scope, buyer, steps } = await ordered();
  expect(await says('paid')).toBe('paid');
  const before = await order();
  const words = ['filled', 'refunded'] as const;
  let reads = 0;
  buyer().script.readOrders = async () => {
    const word = words[reads++ % 2] ?? 'filled';
    return await Promise.resolve({ ok: true, value: [{ upstreamOrderId: before.upstreamOrderId ?? '', stage: word, rawStatus: word }] });
  };
  const both = await Promise.all([refreshOrder(scope, before, 'read'), refreshOrder(scope, before, 'read')]);
  // Chance decides which read is stored first, because each encrypts its webhooks before that.
  const { stage } = await order();
  expect(words).toContain(stage);
  expect([both.map((one) => one.stage), steps()]).toEqual([
    [stage, stage],
    ['awaiting_payment', 'paid', stage],
  ]);
});

it('an order is polled when it is due, by only one of several instances', async () => {
  const { gateway, order, clock, calls } = await ordered();
  expect(await followOrders(gateway, 10)).toBe(0);
  clock.now = (await order()).nextCheckOn ?? 0;
  const looked = await Promise.all([followOrders(gateway, 10), followOrders(gateway, 10)]);
  expect([looked.toSorted((a, b) => a - b), calls('readOrders')]).toEqual([[0, 1], 1]);
});

it('what was delivered for a paid order is handed out; what is missing is a dispute, reported to the operator once', async () => {
  const { says, order, logs, gateway } = await ordered();
  expect(await says('filled', { receive: 50_000n })).toBe('filled');
  expect(await order()).toMatchObject({ receive: 50_000n, quotedReceive: 107_869n, toldPay: 10_000n, toldReceive: 50_000n, disputed: true, final: false });
  expect(await showOrder(gateway, await order(), 'buy')).toMatchObject({
    amount_sats: 50_000,
    quoted_amount_sats: 107_869,
    disputed: true,
    warnings: ['filled-differently'],
  });
  // The customer takes what there is.
  const { id } = await order();
  await gateway.stores.claims.create({ orderId: id, now: gateway.now() }, { owner: 'one', seconds: 60 });
  await gateway.stores.claims.hold(id, 'one', { lnurl: 'sealed' });
  expect(await says('finished', { receive: 50_000n })).toBe('finished');
  expect(await order()).toMatchObject({ disputed: true, final: false });
  expect(logs.filter((one) => one.event === 'order_short')).toMatchObject([{ level: 'error' }]);
  // The provider delivers the rest.
  expect(await says('finished', { receive: 107_869n })).toBe('finished');
  expect(await order()).toMatchObject({ disputed: false, final: true });
});

it("one sat less is handed out with a warning and no dispute; less than the customer's limit is a dispute", async () => {
  const { says, order, gateway } = await ordered();
  expect(await says('filled', { receive: 107_868n })).toBe('filled');
  expect(await showOrder(gateway, await order(), 'buy')).toMatchObject({ amount_sats: 107_868, warnings: ['filled-differently'] });
  expect((await order()).disputed).not.toBe(true);
  const bounded = memoryGateway();
  const { id } = await bounded.placed({ inputs: { minReceive: '107869', order: {} } });
  Object.assign(bounded.buyer().orders[0] ?? {}, { stage: 'filled', rawStatus: 'filled', receive: 107_868n });
  const placed = await bounded.gateway.stores.orders.findAny(id);
  if (!placed) throw new Error('no order');
  expect(await refreshOrder(bounded.scope, placed, 'read')).toMatchObject({ stage: 'filled', disputed: true, minReceive: 107_869n });
});

it('changed figures before any payment are not applied, but kept for a dispute', async () => {
  const { says, order } = await ordered();
  expect(await says('awaiting_payment', { receive: 100_000n })).toBe('review');
  expect(await order()).toMatchObject({ receive: 107_869n, toldReceive: 100_000n });
  expect((await order()).disputed).not.toBe(true);
});

it('figures that the operator has accepted cause no second review', async () => {
  const { says, order, gateway } = await ordered();
  expect(await says('filled', { fee: 10_001n })).toBe('review');
  const now = await order();
  const reviewed = { pay: '10000', receive: '107869' };
  await gateway.stores.orders.advance(now, { watch: { ...now.watch, beforeReview: 'paid', reviewed } }, undefined, []);
  expect([await says('filled'), await says('filled')]).toEqual(['filled', 'filled']);
  expect(await says('finished', { pay: 9_999n })).toBe('review');
});

it('an order that its provider reports as filled in full while we hold it in review is noted, as long as that is what it says', async () => {
  const { says, order } = await ordered();
  const seen = async () => (await order()).watch.filledSeen;
  expect([await says('paid', { fee: 10_001n }), await seen()]).toEqual(['review', undefined]);
  expect([await says('filled'), await seen()]).toEqual(['review', true]);
  expect([await says('filled', { receive: 107_868n }), await seen()]).toEqual(['review', undefined]);
  expect([await says('filled', { receive: 107_870n }), await seen()]).toEqual(['review', true]);
  expect([await says('filled', { receive: 10n ** 20n }), await seen()]).toEqual(['review', undefined]);
  expect([await says('filled', { receive: 107_869n }), await seen()]).toEqual(['review', true]);
  expect([await says('failed'), await seen()]).toEqual(['review', undefined]);
});

it.each([
  ['a cent more, and more for it', { pay: 10_001n, receive: 107_962n }, undefined],
  ['one per cent more for nothing', { pay: 10_100n, receive: 107_869n }, 'order_overcharged'],
  ['one per cent of both', { pay: 100n, receive: 1_079n }, 'order_short'],
])('%s: filled, and disputed where the customer must agree', async (_name, told, event) => {
  const { says, order, logs } = await ordered();
  expect(await says('filled', told)).toBe('filled');
  expect((await order()).disputed ?? false).toBe(event !== undefined);
  expect((await order()).final).toBe(false);
  expect(logs.map((one) => one.event).filter((one) => one.startsWith('order_'))).toEqual(event === undefined ? [] : [event]);
});

/** Two providers with orders that are due. Reads of the slow one have no answer until the test gives it. */
const besideASlowOne = async () => {
  const world = memoryGateway({ slow: {}, quick: {} }, { orders: { max_open: 50 } });
  const { gateway, clock, buyer } = world;
  const place = async (id: string): Promise<Order> => {
    const placed = JSON.parse(await placeOrder(world.scope, world.session, world.request(await world.quote(id)))) as { order_id: string };
    const order = await gateway.stores.orders.findAny(placed.order_id);
    if (!order) throw new Error('no order');
    return order;
  };
  for (let n = 0; n < 10; n += 1) await place('slow');
  clock.now += 1;
  const quick = await place('quick');
  clock.now += 600_000;
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((done) => {
    answer = done;
  });
  const { sound, script } = buyer('slow');
  script.readOrders = async (...given) => {
    await answered;
    return await sound.readOrders(...given);
  };
  // No time passes while the code waits for a provider.
  gateway.waitAtMost = async (work) => void (await Promise.race([work, new Promise((done) => setImmediate(() => setImmediate(done)))]));
  return { ...world, quick, answer: () => answer() };
};

it('a provider that answers slowly holds up its own orders only, and only as many at a time as it has room for', async () => {
  const { gateway, quick, buyer, calls, answer } = await besideASlowOne();
  Object.assign(buyer('quick').orders[0] ?? {}, { stage: 'paid', rawStatus: 'paid' });
  const before = calls('readOrders', 'slow');
  expect([await followOrders(gateway, 20), await followOrders(gateway, 20)]).toEqual([7, 0]);
  expect((await gateway.stores.orders.findAny(quick.id))?.stage).toBe('paid');
  expect(calls('readOrders', 'slow') - before).toBe(6);
  answer();
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
  expect(await followOrders(gateway, 20)).toBe(4);
  expect(calls('readOrders', 'slow') - before).toBe(10);
});

it('an order whose row cannot be worked on is logged, and the others of its batch are read', async () => {
  const { gateway, quick, logs, answer } = await besideASlowOne();
  answer();
  const { orders } = gateway.stores;
  const claimDue = orders.claimDue.bind(orders);
  orders.claimDue = async (...given) =>
    (await claimDue(...given)).map((order) => (order.id === quick.id ? order : { ...order, followUntil: undefined as never, terms: undefined as never }));
  expect(await followOrders(gateway, 20)).toBe(7);
  expect(logs.filter((one) => one.fields['where'] === 'follow_orders')).toHaveLength(6);
  expect((await gateway.stores.orders.findAny(quick.id))?.checks).toBe(1);
});

it('an order that would be final is read again for a week if its read was refused after a notice', async () => {
  const refused = async () => {
    const world = await ordered();
    const { order, clock, buyer, scope } = world;
    clock.now = (await order()).followUntil + 1000;
    buyer().script.readOrders = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
    return { ...world, read: async (source: 'read' | 'notice') => (await refreshOrder(scope, await order(), source)).final };
  };
  const { read, clock, buyer, says, order } = await refused();
  expect([await read('read'), await read('notice'), await read('read')]).toEqual([true, false, false]);
  clock.now += 6 * 86_400_000;
  expect(await read('read')).toBe(false);
  delete buyer().script.readOrders;
  expect([await says('paid'), (await order()).watch.unreadSince]).toEqual(['paid', undefined]);

  const other = await refused();
  expect(await other.read('notice')).toBe(false);
  other.clock.now += 7 * 86_400_000;
  expect(await other.read('read')).toBe(true);
});

it('an unpaid order that ended long ago is read again within hours if a read failed, or if a notice brought no money', async () => {
  const { gateway, scope, buyer, clock, order, says } = await ordered();
  const hours = async (): Promise<number> => Math.round((((await order()).nextCheckOn ?? 0) - clock.now) / 3_600_000);
  const poll = async (): Promise<number> => {
    clock.now = (await order()).nextCheckOn ?? 0;
    await followOrders(gateway, 10);
    return await hours();
  };
  await says('expired');
  const endedOn = clock.now;
  while (clock.now < endedOn + 4 * 86_400_000) await poll();
  expect(await hours()).toBeGreaterThan(70);
  const rings = async (): Promise<number> => {
    await refreshOrder(scope, await order(), 'notice');
    return await hours();
  };
  // The provider rings before its status shows the money.
  expect(await rings()).toBeLessThanOrEqual(7);
  // A second ring within two seconds causes a poll instead of a read.
  clock.now += 2_000;
  await gateway.stores.orders.wake((await order()).id, clock.now);
  expect(await poll()).toBeLessThanOrEqual(7);
  for (const refused of [false, true]) {
    buyer().script.readOrders = async () =>
      refused ? await Promise.resolve({ ok: false, refusal: { reason: 'declined' } }) : await Promise.reject(new ProviderFault('unreachable', 'x'));
    expect([(await rings()) <= 7, (await poll()) <= 7, (await poll()) <= 7]).toEqual([true, true, true]);
  }
  // The provider rings once more. Then a read succeeds at last, so the notices count as answered.
  clock.now += 2_000;
  await gateway.stores.orders.wake((await order()).id, clock.now);
  delete buyer().script.readOrders;
  expect([(await poll()) <= 7, (await poll()) > 9, (await poll()) > 18]).toEqual([true, true, true]);
  expect(await says('paid')).toBe('paid');
});
