import { expect, it } from 'vitest';
import { memoryGateway } from '../../../test/support/memory/gateway.ts';
import type { Gateway, PollSlot } from '../../ports/gateway.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { placeOrder } from '../ordering/place-order.ts';
import { networkKeyOf } from '../pricing/in-flight.ts';
import { followOrders, refreshOrder } from './follow-orders.ts';
import { pollOn } from './poll-share.ts';

type Orders = { key: string | undefined; appId?: string; count: number };
/** Follows orders for ten minutes. Each wants to be polled every ten seconds. Returns how often those of each group were polled. */
const polls = (groups: Orders[], outlivesRequest = true): number[] => {
  let now = 1_000_000;
  const gateway = { now: () => now, outlivesRequest, state: { pollSlots: new Map<string, PollSlot>() } } as Partial<Gateway> as Gateway;
  const orders = groups.flatMap(({ count, ...order }, group) => Array.from({ length: count }, () => ({ ...order, group, next: now + 10_000 })));
  const counts = groups.map(() => 0);
  for (const end = now + 600_000; now < end; now += 1_000)
    for (const order of orders)
      if (order.next <= now) {
        counts[order.group] = (counts[order.group] ?? 0) + 1;
        order.next = pollOn(gateway, order, order.key, now + 10_000);
      }
  return counts;
};

it("one network's unpaid orders are polled once a second in all, a minute's worth at once; those of another network as if it had none", () => {
  expect(polls([{ key: 'other', count: 1 }])).toEqual([59]);
  const [many = 0, other] = polls([
    { key: 'many', count: 300 },
    { key: 'other', count: 1 },
  ]);
  // The first poll of each order was due before the network had used anything.
  expect([many <= 300 + 600 + 60, many > 600, other]).toEqual([true, true, 59]);
  const [few = 0] = polls([{ key: 'many', count: 300 }], false);
  expect(few).toBeLessThanOrEqual(300 + 60 + 6);
});

it('the networks of one /48 share what 16 networks have; so do the orders of one app without networks; others of no known network have one budget', () => {
  const [whole = 0] = polls(Array.from({ length: 1 }, () => ({ key: 'own wide', count: 1 })));
  expect(whole).toBe(59);
  const sixtyFours = polls(Array.from({ length: 400 }, (_, n) => ({ key: `own${n} wide`, count: 1 })));
  const all = sixtyFours.reduce((sum, n) => sum + n);
  expect([all <= 400 + 16 * 660, all > 16 * 500]).toEqual([true, true]);
  const [unknown = 0, ofApp = 0, ofOther] = polls([
    { key: undefined, count: 300 },
    { key: undefined, appId: 'wallet', count: 400 },
    { key: undefined, appId: 'other', count: 1 },
  ]);
  expect([unknown <= 960, ofApp <= 400 + 16 * 660, ofApp > 16 * 500, ofOther]).toEqual([true, true, true, 59]);
});

it('an order whose network has used up its polls still expires on time, and a read by its customer does not make a poll come sooner', async () => {
  const { gateway, scope, session, clock, ...world } = memoryGateway();
  const network = { own: '203.0.113.7', wide: '203.0.113.7' };
  const usedUntil = clock.now + 1_000_000;
  gateway.state.pollSlots.set(networkKeyOf({ ...scope, network }) ?? '', { notedOn: clock.now, until: usedUntil });
  const placed = async (ip: string) => {
    const order = JSON.parse(await placeOrder({ ...scope, network: { own: ip, wide: ip } }, session, world.request(await world.quote()))) as {
      order_id: string;
    };
    return async () => {
      const found = await gateway.stores.orders.findAny(order.order_id);
      if (!found) throw new Error('no order');
      return found;
    };
  };
  const [waiting, other] = [await placed(network.own), await placed('198.51.100.1')];
  const { nextCheckOn, expiresOn = 0 } = await waiting();
  expect([nextCheckOn, (await other()).nextCheckOn]).toEqual([usedUntil - 60_000, clock.now + 300_000]);
  await refreshOrder({ ...scope, network }, await waiting(), 'read');
  expect(await waiting()).toMatchObject({ checks: 1, nextCheckOn });
  // After a poll, too, the order waits for its network's turn.
  clock.now = nextCheckOn ?? 0;
  gateway.state.pollSlots.set(networkKeyOf({ ...scope, network }) ?? '', { notedOn: clock.now, until: clock.now + 100_000_000 });
  expect(await followOrders(gateway, 20)).toBe(2);
  expect(await waiting()).toMatchObject({ checks: 2, stage: 'awaiting_payment', nextCheckOn: expiresOn });
  clock.now = expiresOn;
  await followOrders(gateway, 20);
  expect(await waiting()).toMatchObject({ stage: 'expired', nextCheckOn: expect.toSatisfy((on: number) => on > clock.now + 90_000_000) as number });
});

it.each([
  ['whose payment may be on its way', { arriving: true }, false],
  ['that cannot be read when it would be final', {}, true],
] as const)('an unpaid order %s takes its turn, too', async (_what, more, isUnread) => {
  const { gateway, scope, session, clock, ...world } = memoryGateway();
  const network = { own: '203.0.113.7', wide: '203.0.113.7' };
  const { order_id: id } = JSON.parse(await placeOrder({ ...scope, network }, session, world.request(await world.quote()))) as { order_id: string };
  const order = async () => {
    const found = await gateway.stores.orders.findAny(id);
    if (!found) throw new Error('no order');
    return found;
  };
  const { expiresOn = 0, followUntil } = await order();
  Object.assign(world.buyer().orders[0] ?? {}, more);
  if (isUnread) world.buyer().script.readOrders = async () => await Promise.reject(new ProviderFault('unreachable', 'x'));
  clock.now = isUnread ? followUntil : expiresOn;
  const [hour, day] = [3_600_000, 86_400_000];
  const key = networkKeyOf({ ...scope, network }) ?? '';
  gateway.state.pollSlots.set(key, { notedOn: clock.now, until: clock.now + 2 * hour + 60_000 });
  await refreshOrder({ ...scope, network }, await order(), 'poll');
  expect(await order()).toMatchObject({ stage: isUnread ? 'expired' : 'awaiting_payment', final: false, nextCheckOn: clock.now + 2 * hour });
  if (isUnread) return;
  // The order expires by the clock, however long it has to wait for its turn.
  gateway.state.pollSlots.set(key, { notedOn: clock.now, until: clock.now + 100 * day });
  await refreshOrder({ ...scope, network }, await order(), 'poll');
  expect((await order()).nextCheckOn).toBe(expiresOn + day);
  clock.now = expiresOn + day;
  await refreshOrder({ ...scope, network }, await order(), 'poll');
  expect((await order()).stage).toBe('expired');
});

it('the first poll of a new order is no later than its expiry either', async () => {
  const { gateway, scope, session, clock, ...world } = memoryGateway();
  const network = { own: '203.0.113.7', wide: '203.0.113.7' };
  gateway.state.pollSlots.set(networkKeyOf({ ...scope, network }) ?? '', { notedOn: clock.now, until: clock.now + 100_000_000 });
  const { order_id: id } = JSON.parse(await placeOrder({ ...scope, network }, session, world.request(await world.quote()))) as { order_id: string };
  const order = await gateway.stores.orders.findAny(id);
  expect(order?.nextCheckOn).toBe(order?.expiresOn);
});

it('a clock that is set back holds up no poll', () => {
  const hour = 3_600_000;
  let now = 10 * hour;
  const gateway = { now: () => now, outlivesRequest: true, state: { pollSlots: new Map<string, PollSlot>() } } as Partial<Gateway> as Gateway;
  const waits = (key: string, times: number): number[] => Array.from({ length: times }, () => pollOn(gateway, {}, key, now) - now);
  expect(waits('many', 601).at(-1)).toBe(540_000);
  for (let n = 0; n < 10_000; n += 1) waits(`network ${n}`, 1);
  now -= 5 * hour;
  expect(waits('many', 601)).toEqual([...Array.from({ length: 61 }, () => 0), ...Array.from({ length: 540 }, (_, n) => (n + 1) * 1_000)]);
  expect(gateway.state.pollSlots.size).toBe(1);
});
