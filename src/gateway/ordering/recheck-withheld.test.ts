import { expect, it } from 'vitest';
import { memoryGateway, problemOf } from '../../../test/support/memory/gateway.ts';
import type { FollowedOrder, OrderEvidence } from '../../providers/spec.ts';
import { placeOrder } from './place-order.ts';
import { lookAgain } from './recheck-withheld.ts';

/** Makes an order that the gateway withholds, because it is not at the price of its quote. `facts`: what the offer says. */
const withheld = async (facts: object = {}) => {
  const world = memoryGateway();
  const { gateway, scope, session, clock } = world;
  const { script, sound } = world.buyer();
  script.quote = async (...given) => {
    const answer = await sound.quote(...given);
    return answer.ok ? { ...answer, value: { ...answer.value, facts } } : answer;
  };
  script.placeOrder = async (...given) => {
    const answer = await sound.placeOrder(...given);
    return answer.ok ? { ...answer, value: { ...answer.value, receive: 1n } } : answer;
  };
  const quoteId = await world.quote();
  expect((await problemOf(placeOrder(scope, session, world.request(quoteId)))).code).toBe('price-changed');
  /** Makes the provider report `row`, and rechecks the attempt. */
  const look = async (row: Partial<OrderEvidence>): Promise<{ state: string | undefined; asked: FollowedOrder | undefined }> => {
    let asked: FollowedOrder | undefined;
    script.readOrders = async (_context, order) => {
      asked = order;
      return await Promise.resolve({ ok: true, value: [{ rawStatus: 'told', ...row }] });
    };
    clock.now += 60_000 + 3_600_000;
    await gateway.stores.intents.wake((await world.intentOf(quoteId))?.id ?? '', clock.now);
    await lookAgain(gateway, 10);
    return { state: (await world.intentOf(quoteId))?.state, asked };
  };
  const alerts = (): string[] => world.logs.filter(({ level, fields }) => level === 'error' && fields['where'] !== 'receipt').map(({ event }) => event);
  return { ...world, look, alerts };
};

it.each([
  [{ stage: 'awaiting_payment' }, 'unpayable', []],
  [{}, 'unpayable', []],
  [{ stage: 'paid' }, 'review', ['money_in_withheld_order']],
  [{ moneySeen: true }, 'review', ['money_in_withheld_order']],
  [{ stage: 'review', moneySeen: true }, 'review', ['money_in_withheld_order']],
  [{ stage: 'review' }, 'review', ['withheld_order_in_review']],
] as const)('a withheld order of which its provider says %o is %s, and what the operator is told: %o', async (row, state, told) => {
  const { look, alerts } = await withheld();
  expect((await look(row)).state).toBe(state);
  expect(alerts()).toEqual(told);
});

it('a withheld order is read with what other orders explain, and another order’s payment is not taken for its own', async () => {
  const { gateway, look, alerts, placed, buyer } = await withheld({ amount_tolerance_bps: 100 });
  Object.assign(gateway.stores.orders, { explained: async (_user: object, ids: string[]) => await Promise.resolve(ids.filter((id) => id === 'T1')) });
  const { asked } = await look({ stage: 'awaiting_payment' });
  expect([await asked?.ofOthers?.(['T1', 'T9']), asked?.idempotencyKey]).toEqual([['T1'], expect.any(String)]);
  const { script } = buyer();
  delete script.placeOrder;
  delete script.quote;
  const order = await placed();
  expect(await gateway.stores.orders.advance(order, { facts: { transaction_id: 'T2' } }, undefined, [])).toBe(true);
  expect((await look({ stage: 'paid', guessed: true, facts: { transaction_id: 'T2' } })).state).toBe('unpayable');
  expect(alerts()).toEqual([]);
  expect((await look({ stage: 'paid', guessed: true, facts: { transaction_id: 'T3' } })).state).toBe('review');
});
