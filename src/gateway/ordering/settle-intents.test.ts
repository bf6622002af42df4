import { expect, it, vi } from 'vitest';
import { memoryGateway, problemOf } from '../../../test/support/memory/gateway.ts';
import type { ScriptedBuyer } from '../../../test/support/memory/scripted-buyer.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { placeOrder } from './place-order.ts';
import { settleIntents } from './settle-intents.ts';

const quoteLifeMs = 60_000;
/** Makes one order attempt whose answer is lost. `made`: whether the provider made an order nevertheless. */
const lostAt = async (repost: string, made: boolean, block: Record<string, unknown> = {}) => {
  const world = memoryGateway({ alpine: { repost, ...block } }, {}, quoteLifeMs);
  const { gateway, scope, session, clock } = world;
  const { script, sound, calls } = world.buyer();
  script.placeOrder = async (...given) => {
    if (made) await sound.placeOrder(...given);
    throw new ProviderFault('timeout', 'no answer');
  };
  const quoteId = await world.quote();
  expect((await problemOf(placeOrder(scope, session, world.request(quoteId)))).code).toBe('order-pending');
  delete script.placeOrder;
  calls.length = 0;
  const answer = async () => await placeOrder(scope, session, world.request(quoteId));
  const state = async () => (await gateway.stores.intents.findByQuote(quoteId, session.customerId))?.state ?? 'rejected';
  /** Moves time until the attempt is resolved. Returns the state, and how long that took. */
  const settled = async (withinMs = 2 * quoteLifeMs): Promise<{ state: string; afterMs: number }> => {
    const from = clock.now;
    for (; clock.now <= from + withinMs; clock.now += 250) {
      await settleIntents(gateway, 10);
      if ((await state()) !== 'unknown') break;
    }
    return { state: await state(), afterMs: clock.now - from };
  };
  return { ...world, answer, state, settled };
};
const orders = ({ buyer }: { buyer: () => ScriptedBuyer }): number => buyer().orders.length;

it.each([
  ['had made the order', true],
  ['had not', false],
])('a provider that repeats itself is sent the quote again: the same payable order, where it %s', async (_, made) => {
  const world = await lostAt('same', made);
  expect(await world.settled()).toMatchObject({ state: 'confirmed' });
  expect(JSON.parse(await world.answer())).toMatchObject({ stage: 'awaiting_payment', amount_sats: 107_869 });
  expect([orders(world), world.calls('placeOrder'), await world.answer()]).toEqual([1, 1, await world.answer()]);
});

it('a provider that gives its order only when the quote is over went back on its offer, also if its first answer was lost', async () => {
  const world = await lostAt('same', true);
  const { script, sound } = world.buyer();
  script.placeOrder = async (...given) => {
    const answer = await sound.placeOrder(...given);
    world.clock.now += quoteLifeMs;
    if (!answer.ok) return answer;
    const { expiresOn: _later, ...value } = answer.value;
    return { ok: true, value };
  };
  expect((await world.settled()).state).toBe('unpayable');
  expect(Object.keys(world.declined.get(world.session.customerId) ?? {})).toEqual(['alpine']);
});

it('a provider that would make a second order is never sent the quote again: an order found there cannot be paid', async () => {
  const world = await lostAt('duplicates', true);
  const settled = await world.settled();
  expect(settled.state).toBe('unpayable');
  expect(settled.afterMs).toBeLessThan(quoteLifeMs);
  expect([orders(world), world.calls('placeOrder')]).toEqual([1, 0]);
  expect((await problemOf(world.answer())).code).toBe('order-unpayable');
});

it('an order that is found under a word that we do not know, but with money, is for a person, and not unpayable', async () => {
  const world = await lostAt('duplicates', true);
  const [order] = world.buyer().orders;
  Object.assign(order ?? {}, { stage: undefined, rawStatus: 'pondering', moneySeen: true });
  expect((await world.settled()).state).toBe('review');
});

it('if nothing is found, the attempt is dead once the quote can no longer become an order, and not before', async () => {
  const world = await lostAt('duplicates', false);
  const settled = await world.settled();
  expect(settled.state).toBe('dead');
  // The attempt ends a second after the quote's lifetime, because this provider may be that late.
  expect(settled.afterMs).toBeGreaterThanOrEqual(quoteLifeMs + 1000);
  expect(settled.afterMs).toBeLessThan(quoteLifeMs + 2000);
  expect([orders(world), world.calls('placeOrder')]).toEqual([0, 0]);
});

it('a provider that refuses a second request is sent the quote again only when the first can no longer be committed late', async () => {
  const found = await lostAt('rejects', true);
  expect((await found.settled()).state).toBe('unpayable');
  expect(found.calls('placeOrder')).toBe(0);
  const none = await lostAt('rejects', false);
  const settled = await none.settled();
  expect(settled.state).toBe('confirmed');
  expect(settled.afterMs).toBeGreaterThanOrEqual(1000);
  expect([orders(none), none.calls('placeOrder')]).toEqual([1, 1]);
});

it('two new orders for one quote are for a person to look at', async () => {
  const world = await lostAt('duplicates', true);
  const [order] = world.buyer().orders;
  if (!order) throw new Error('no order');
  world.buyer().orders.push({ ...order, upstreamOrderId: 'another' });
  expect((await world.settled()).state).toBe('review');
  expect(world.logs.filter((one) => one.event === 'intent_settled')).toMatchObject([{ level: 'error', fields: { state: 'review' } }]);
});

it('a read that fails or is refused does not count as an empty list, and resolves nothing', async () => {
  for (const readOrders of [
    async () => await Promise.reject(new ProviderFault('server', 'x', { status: 500 })),
    async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } } as const),
  ]) {
    const world = await lostAt('duplicates', true);
    world.buyer().script.readOrders = readOrders;
    expect((await world.settled(quoteLifeMs + 5000)).state).toBe('unknown');
    delete world.buyer().script.readOrders;
    expect((await world.settled()).state).toBe('unpayable');
  }
});

it('if no read is answered, waiting ends ten minutes after the quote is dead', async () => {
  const world = await lostAt('duplicates', false);
  world.buyer().script.readOrders = async () => await Promise.reject(new ProviderFault('unreachable', 'x'));
  const settled = await world.settled(30 * 60_000);
  expect(settled.state).toBe('dead');
  expect(settled.afterMs).toBeGreaterThanOrEqual(quoteLifeMs + 10 * 60_000);
});

it('several instances check an attempt one at a time', async () => {
  const world = await lostAt('same', true);
  world.clock.now += 5000;
  const looked = await Promise.all([settleIntents(world.gateway, 10), settleIntents(world.gateway, 10), settleIntents(world.gateway, 10)]);
  expect(looked.toSorted((a, b) => a - b)).toEqual([0, 0, 1]);
  expect(world.calls('placeOrder')).toBe(1);
});

it('a repeated request that certainly did not arrive does not count and is sent again', async () => {
  const world = await lostAt('rejects', false);
  world.buyer().script.placeOrder = async () => await Promise.reject(new ProviderFault('unreachable', 'refused', { taken: 'no' }));
  expect((await world.settled(10_000)).state).toBe('unknown');
  delete world.buyer().script.placeOrder;
  expect((await world.settled()).state).toBe('confirmed');
});

it('a move to the next provider in the background still belongs to the network of the customer who ordered', async () => {
  const limited = { max_in_flight_sats: 10_000_000 };
  const { gateway, scope, session, buyer, clock, ...world } = memoryGateway({ alpine: limited, dune: limited });
  const quoteId = await world.quote();
  const { intents } = gateway.stores;
  vi.spyOn(intents, 'startSending').mockRejectedValueOnce(new Error('the instance stops here'));
  const network = { own: '203.0.113.7', wide: '203.0.113.7' };
  const request = world.request(quoteId, { failover: { max: 1, minReceive: 100_000n } });
  await expect(placeOrder({ ...scope, network }, session, request)).rejects.toThrow('the instance stops here');
  const first = await world.intentOf(quoteId);
  buyer(first?.providerId).script.placeOrder = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
  clock.now += 30_000;
  await settleIntents(gateway, 10);
  const next = await intents.find((await world.intentOf(quoteId))?.movedTo ?? '');
  expect([next?.state, next?.providerId]).toEqual(['confirmed', first?.providerId === 'dune' ? 'alpine' : 'dune']);
  expect(next?.networkKey).toBe(first?.networkKey);
  expect(first?.networkKey).toBeDefined();
});
