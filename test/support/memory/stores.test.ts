/** Runs the tests of the in-memory stores against PostgreSQL as well, so that both behave the same for a use case. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longestHoldMs } from '../../../src/domain/order-life.ts';
import type { NewDelivery } from '../../../src/ports/deliveries.ts';
import type { Intent, NewIntent } from '../../../src/ports/intents.ts';
import type { Order, OrderEvent } from '../../../src/ports/orders.ts';
import type { Stores } from '../../../src/ports/stores.ts';
import { createStores } from '../../../src/store/stores.ts';
import { testDatabase, type TestDatabase } from '../postgres.ts';
import { memoryStores } from './stores.ts';

let database: TestDatabase;
const forms: Record<string, Stores> = { memory: memoryStores(() => Date.now()).stores };
beforeAll(async () => {
  database = await testDatabase();
  forms['PostgreSQL'] = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
});
afterAll(async () => await database.close());

const now = Date.now();
const past = now - 1000;
const lease = (owner: string) => ({ owner, seconds: 60 });
/** Returns a lease that has already expired, like that of an instance that stopped. */
const lapsed = (owner: string) => ({ owner, seconds: -1 });
const aPlacing = (more: Partial<NewIntent> = {}): NewIntent => ({
  id: crypto.randomUUID(),
  quoteId: crypto.randomUUID(),
  orderId: crypto.randomUUID(),
  ramp: 'buy',
  customerId: crypto.randomUUID(),
  providerId: crypto.randomUUID(),
  requestId: 'req_1',
  quote: {},
  inputs: 'sealed',
  createdOn: now,
  deadOn: now + 60_000,
  nextTryOn: past,
  ...more,
});
const orderOf = (intent: NewIntent, more: Partial<Order> = {}): Order => ({
  id: intent.orderId,
  intentId: intent.id,
  quoteId: intent.quoteId,
  ramp: 'buy',
  customerId: intent.customerId,
  providerId: intent.providerId,
  stage: 'awaiting_payment',
  stageOn: now,
  rawStatus: 'placed',
  sequence: 1,
  pay: 10_000n,
  receive: 107_869n,
  fee: 90n,
  quotedPay: 10_000n,
  quotedReceive: 107_869n,
  binding: true,
  terms: { currencyId: 1, paymentOptionId: 1, optionName: 'SEPA' },
  watch: {},
  facts: {},
  upstream: {},
  paymentInfo: 'sealed',
  createdOn: now,
  changedOn: now,
  checks: 0,
  nextCheckOn: past,
  followUntil: now + 86_400_000,
  final: false,
  ...more,
});
const event = (sequence: number, toStage: OrderEvent['toStage'] = 'awaiting_payment'): OrderEvent => ({
  sequence,
  at: now,
  toStage,
  rawStatus: 'x',
  source: 'read',
});
const webhook = (subjectId: string, sequence: number): NewDelivery => ({
  id: `msg_${crypto.randomUUID()}`,
  subjectId,
  type: 'order_status_changed',
  sequence,
  body: '{}',
  url: 'sealed',
  host: 'wallet.example',
  createdOn: now,
  dueOn: now,
});

describe.each(['memory', 'PostgreSQL'])('%s', (form) => {
  const stores = (): Stores => {
    const found = forms[form];
    if (!found) throw new Error(`no ${form}`);
    return found;
  };
  const placed = async (more: Partial<NewIntent> = {}, owner = 'one'): Promise<NewIntent> => {
    const intent = aPlacing(more);
    expect(await stores().intents.create(intent, lease(owner), { maxOpen: 100 })).toBe('created');
    return intent;
  };
  const ordered = async (more: Partial<Order> = {}, webhooks: NewDelivery[] = []): Promise<Order> => {
    const intent = await placed();
    const order = orderOf(intent, more);
    expect(await stores().intents.confirm(intent.id, 'one', { state: 'confirmed' }, { order, event: event(1), deliveries: webhooks })).toBe('confirmed');
    return order;
  };
  /** Adds a customer. The in-memory stores have no customers: any id will do. */
  const addCustomer = async (id: string): Promise<void> => {
    if (form === 'PostgreSQL') await database.sql`insert into customers (id, created_on) values (${id}, now())`;
  };
  /** Connects two customers as one user of a provider. The in-memory stores have no users: there, each sees only what is their own. */
  const sameUser = async () => {
    const [customerId, other, providerId, user] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
    for (const id of [customerId, other]) {
      await addCustomer(id);
      if (form === 'PostgreSQL')
        await database.sql`insert into accounts (id, customer_id, provider_id, user_hash, status, status_on, connected_on, created_on, sequence)
          values (${crypto.randomUUID()}, ${id}, ${providerId}, ${user}, 'connected', now(), now(), now(), 1)`;
    }
    const both = (own: string[], others: string[]): string[] => [...own, ...(form === 'PostgreSQL' ? others : [])].toSorted();
    return { one: { customerId, providerId }, other, both };
  };
  const stateOf = async (id: string): Promise<Intent['state'] | undefined> => (await stores().intents.find(id))?.state;
  const ids = (rows: { id: string }[]): string[] => rows.map((row) => row.id);

  describe('placings', () => {
    it('one live placing per quote: a rejected one does not count', async () => {
      const { intents } = stores();
      const first = await placed();
      const second = aPlacing({ quoteId: first.quoteId, customerId: first.customerId });
      expect(await intents.create(second, lease('two'), { maxOpen: 100 })).toBe('exists');
      expect(await intents.reject(first.id, 'one', { refused: 'declined' })).toBe(true);
      expect(await intents.findByQuote(first.quoteId, first.customerId)).toBeUndefined();
      expect(await intents.create(second, lease('two'), { maxOpen: 100 })).toBe('created');
      expect((await intents.findByQuote(first.quoteId, first.customerId))?.id).toBe(second.id);
      expect(await intents.findByQuote(first.quoteId, crypto.randomUUID())).toBeUndefined();
    });

    it('one unsettled placing per exclusive key', async () => {
      const { intents } = stores();
      const exclusiveKey = crypto.randomUUID();
      const first = await placed({ exclusiveKey });
      const second = aPlacing({ exclusiveKey });
      expect(await intents.create(second, lease('two'), { maxOpen: 100 })).toBe('busy');
      expect((await intents.unsettledIn(exclusiveKey))?.id).toBe(first.id);
      expect(await intents.change(first.id, 'one', { state: 'unpayable' }, true)).toBe(true);
      expect(await intents.create(second, lease('two'), { maxOpen: 100 })).toBe('created');
      expect((await intents.earlierIn(exclusiveKey)).toSorted()).toEqual([first.id, second.id].toSorted());
    });

    it('one placing or order per payout key, whoever its customer is', async () => {
      const { intents } = stores();
      const payoutKey = crypto.randomUUID();
      const tried = async (more: Partial<NewIntent> = {}) => await intents.create(aPlacing({ payoutKey, ...more }), lease('two'), { maxOpen: 100 });
      const first = await placed({ payoutKey });
      expect([await tried(), await tried({ quoteId: first.quoteId, customerId: first.customerId })]).toEqual(['payout-used', 'exists']);
      expect(await intents.reject(first.id, 'one', { refused: 'busy' })).toBe(true);
      const second = await placed({ payoutKey });
      // The customer was never shown how to pay, so nothing will be paid out. If money arrives all the same, the placing goes into review.
      expect(await intents.end(second.id, 'one', { state: 'unpayable' }, undefined)).toBe(true);
      const third = await placed({ payoutKey });
      expect(await intents.changeWithheld(second.id, 'one', { state: 'review' })).toBe(true);
      expect(await intents.confirm(third.id, 'one', { state: 'confirmed' }, { order: orderOf(third), event: event(1), deliveries: [] })).toBe('confirmed');
      expect([await tried(), await tried({ payoutKey: crypto.randomUUID() })]).toEqual(['payout-used', 'created']);
    });

    it('an attempt in review keeps its payout key, whoever its customer is, until it is closed', async () => {
      const { intents, operator } = stores();
      const payoutKey = crypto.randomUUID();
      const create = async (more: Partial<NewIntent> = {}) => await intents.create(aPlacing({ payoutKey, ...more }), lease('two'), { maxOpen: 100 });
      const first = await placed({ payoutKey });
      const moving = await placed({ customerId: crypto.randomUUID() });
      await addCustomer(moving.customerId);
      expect(await intents.end(first.id, 'one', { state: 'review' }, undefined)).toBe(true);
      expect([await create(), await create({ customerId: first.customerId })]).toEqual(['payout-used', 'payout-used']);
      const next = { intent: aPlacing({ customerId: moving.customerId, payoutKey }), lease: lease('one') };
      expect(await intents.move(moving.id, 'one', { nextTryOn: now }, next, undefined)).toBe('skipped');
      // An attempt may move on with its own key.
      const own = await placed({ payoutKey: crypto.randomUUID(), customerId: moving.customerId });
      const after = { intent: aPlacing({ customerId: moving.customerId, payoutKey: own.payoutKey ?? '' }), lease: lease('one') };
      expect(await intents.move(own.id, 'one', { nextTryOn: now }, after, undefined)).toBe('moved');
      const judged = await operator.attemptInReview(first.id);
      if (!judged) throw new Error('no attempt in review');
      expect([await operator.closeAttempt({ ...judged, attempt: judged.attempt + 1 }), await create()]).toEqual([false, 'payout-used']);
      expect([await operator.closeAttempt(judged), await create()]).toEqual([true, 'created']);
    });

    it('are known as sales of their customer, and of others who are connected as the same user, until they have an outcome', async () => {
      const { intents } = stores();
      const users = await sameUser();
      const sale = { ramp: 'sell' as const, ...users.one };
      const [placing, over, ,] = [
        await placed(sale),
        await placed(sale),
        await placed({ ...users.one, ramp: 'buy' }),
        await placed({ ...sale, customerId: crypto.randomUUID() }),
      ];
      await placed({ ...sale, providerId: crypto.randomUUID() });
      expect(await intents.reject(over.id, 'one', {})).toBe(true);
      const others = await placed({ ...sale, customerId: users.other });
      expect(ids(await intents.unsettledSales(users.one.providerId, users.one.customerId)).toSorted()).toEqual(users.both([placing.id], [others.id]));
    });

    it('no more orders than may be open, whether placed or being placed', async () => {
      const { intents } = stores();
      const customerId = crypto.randomUUID();
      const first = await placed({ customerId });
      const second = await placed({ customerId });
      const open = { open: expect.arrayContaining([first.orderId, second.orderId]) as string[] };
      expect(await intents.create(aPlacing({ customerId }), lease('one'), { maxOpen: 2 })).toEqual(open);
      await intents.confirm(first.id, 'one', { state: 'confirmed' }, { order: orderOf(first), event: event(1), deliveries: [] });
      expect(await intents.create(aPlacing({ customerId }), lease('one'), { maxOpen: 2 })).toEqual(open);
      await intents.reject(second.id, 'one', {});
      expect(await intents.create(aPlacing({ customerId }), lease('one'), { maxOpen: 2 })).toBe('created');
    });

    it.each([
      ['an order that could be paid until now does not count', 'awaiting_payment', now, 'created'],
      ['an order that can still be paid counts', 'awaiting_payment', now + 1, 'open'],
      ['an order without an end counts', 'awaiting_payment', undefined, 'open'],
      ['an order that is paid in part counts, even after its end', 'underpaid', now, 'open'],
      ['an unpaid order of a day ago does not count, however long it can be paid', 'awaiting_payment', now + 1, 'created', 86_400_000],
      ['an unpaid order counts for a day', 'awaiting_payment', now + 1, 'open', 86_399_999],
      ['an order that is paid in part counts, however old it is', 'underpaid', now, 'open', 9 * 86_400_000],
      ['an order whose payment may be on its way counts, even after its end', 'awaiting_payment', now, 'open', 1, { arriving: true }],
      ['an order whose payment may be on its way counts for a day, too', 'awaiting_payment', now, 'created', 86_400_000, { arriving: true }],
    ] as const)('when another order is placed, %s', async (_what, stage, expiresOn, outcome, ageMs = 0, watch: Order['watch'] = {}) => {
      const { intents } = stores();
      const first = await placed({ customerId: crypto.randomUUID() });
      const order = orderOf(first, { stage, watch, createdOn: now - ageMs, ...(expiresOn === undefined ? {} : { expiresOn }) });
      await intents.confirm(first.id, 'one', { state: 'confirmed' }, { order, event: event(1), deliveries: [] });
      const made = await intents.create(aPlacing({ customerId: first.customerId }), lease('one'), { maxOpen: 1 });
      expect(made).toEqual(outcome === 'open' ? { open: [first.orderId] } : 'created');
    });

    it('none near an open order of the same customer, provider and currency, whether placed or being placed', async () => {
      const { intents } = stores();
      const priced = (pay: bigint, currency = 'EUR') => {
        const asked = { ramp: 'buy', fixed: 'pay', amount: pay.toString(), currency, option: 'SEPA' };
        const offers = [{ providerId: 'x', offer: { pay: pay.toString(), receive: '1', fee: '0' } }];
        return {
          route: { version: 2, asked, offers, excluded: [], refused: [], failed: [] },
          terms: {},
          acceptBy: [now],
          sessions: {},
          options: {},
          shadow: [],
        };
      };
      const owner = { customerId: crypto.randomUUID(), providerId: crypto.randomUUID() };
      const first = await placed({ ...owner, quote: priced(10_000n) });
      const create = async (more: Partial<NewIntent>, near = { currency: 'EUR', least: 9_900n, most: 10_000n }) =>
        await intents.create(aPlacing({ ...owner, ...more }), lapsed('two'), { maxOpen: 100, near });
      const found = { near: first.orderId };
      const all = async (expected: unknown): Promise<void> => {
        expect(await create({})).toEqual(expected);
        expect(await create({}, { currency: 'EUR', least: 10_000n, most: 10_100n })).toEqual(expected);
      };
      await all(found);
      for (const more of [{ customerId: crypto.randomUUID() }, { providerId: crypto.randomUUID() }]) expect(await create(more)).toBe('created');
      // Each of these asks for another currency or other amounts. The attempts that this creates are for 0.01 EUR, so that none is near the next.
      for (const near of [
        { currency: 'CHF', least: 9_900n, most: 10_000n },
        { currency: 'EUR', least: 9_900n, most: 9_999n },
        { currency: 'EUR', least: 10_001n, most: 10_100n },
      ])
        expect(await create({ quote: priced(1n) }, near)).toBe('created');
      const moving = await placed({ customerId: owner.customerId });
      const next = { intent: aPlacing({ ...owner, quote: priced(9_950n) }), lease: lease('one'), near: { currency: 'EUR', least: 9_900n, most: 10_000n } };
      await addCustomer(owner.customerId);
      expect(await intents.move(moving.id, 'one', { nextTryOn: now }, next, undefined)).toBe('skipped');
      const order = orderOf(first, { terms: { currencyId: 1, paymentOptionId: 1, optionName: 'SEPA', currency: 'EUR' } });
      await intents.confirm(first.id, 'one', { state: 'confirmed' }, { order, event: event(1), deliveries: [] });
      await all(found);
      await stores().orders.advance(order, { stage: 'paid' }, event(2, 'paid'), []);
      await expect(create({ quote: priced(1n) })).resolves.toBe('created');
    });

    it.each<[number, 'pay' | 'receive', boolean, unknown]>([
      [9_802, 'receive', false, 'near'],
      [9_800, 'receive', false, 'created'],
      [10_100, 'receive', false, 'near'],
      [10_102, 'receive', false, 'created'],
      [10_100, 'pay', false, 'created'],
      [10_100, 'receive', true, 'created'],
    ])('none whose amount an order that is being placed may still reach (%s, fixed %s, binding %s: %s)', async (pay, fixed, binding, expected) => {
      const asked = { ramp: 'buy', fixed, amount: '1', currency: 'EUR', option: 'SEPA' };
      const offers = [{ providerId: 'x', offer: { pay: String(pay), receive: '1', fee: '0', binding } }];
      const route = { version: 2, asked, offers, excluded: [], refused: [], failed: [] };
      const quote = { route, terms: {}, acceptBy: [now], sessions: {}, options: {}, shadow: [] };
      const owner = { customerId: crypto.randomUUID(), providerId: crypto.randomUUID() };
      const first = await placed({ ...owner, quote });
      const near = { currency: 'EUR', least: 9_900n, most: 10_000n, slippageBps: 100 };
      const made = await stores().intents.create(aPlacing(owner), lapsed('two'), { maxOpen: 100, near });
      expect(made).toEqual(expected === 'near' ? { near: first.orderId } : expected);
    });

    it.each([
      ['that ended a moment ago, whose money may be on its way', { stage: 'awaiting_payment', expiresOn: now }, 'near'],
      ['that expired a moment ago', { stage: 'expired', expiresOn: now }, 'near'],
      ['that ended before the time that its money takes', { stage: 'expired', expiresOn: now - 3_600_000 }, 'created'],
      [
        'whose payment is seen on its way, however long ago it ended',
        { stage: 'awaiting_payment', expiresOn: now - 86_400_000, watch: { arriving: true } },
        'near',
      ],
      ['that is paid', { stage: 'paid', expiresOn: now + 1 }, 'created'],
    ] as const)('an order %s: %s', async (_what, changed, outcome) => {
      const { intents } = stores();
      const first = await placed({ customerId: crypto.randomUUID() });
      const terms = { currencyId: 1, paymentOptionId: 1, optionName: 'SEPA', currency: 'EUR', arrivalSeconds: 3600 };
      const order = orderOf(first, { terms, ...changed });
      await intents.confirm(first.id, 'one', { state: 'confirmed' }, { order, event: event(1), deliveries: [] });
      const { customerId, providerId } = first;
      const near = { currency: 'EUR', least: order.pay, most: order.pay };
      const made = await intents.create(aPlacing({ customerId, providerId }), lease('two'), { maxOpen: 100, near });
      expect(made).toEqual(outcome === 'near' ? { near: first.orderId } : outcome);
    });

    it('are sent by the owner of the lease, while it lasts, once', async () => {
      const { intents } = stores();
      const { id } = await placed();
      expect(await intents.startSending(id, lease('two'), now)).toBe(false);
      expect(await intents.startSending(id, lease('one'), now)).toBe(true);
      expect(await intents.startSending(id, lease('one'), now)).toBe(false);
      expect(await intents.find(id)).toMatchObject({ state: 'sending', attempt: 1, sentOn: now });
      const late = aPlacing();
      await intents.create(late, lapsed('one'), { maxOpen: 100 });
      expect(await intents.startSending(late.id, lease('one'), now)).toBe(false);
      // Another instance takes the placing over. The first instance can no longer change it.
      expect((await intents.claim(late.id, lease('two')))?.id).toBe(late.id);
      expect(await intents.claim(late.id, lease('three'))).toBeUndefined();
      expect(await intents.change(late.id, 'one', { state: 'unknown' }, true)).toBe(false);
      expect(await intents.reject(late.id, 'one', {})).toBe(false);
      expect(await stateOf(late.id)).toBe('prepared');
    });

    it('are leased by one instance when they are due', async () => {
      const { intents } = stores();
      const [due, later] = [aPlacing(), aPlacing({ nextTryOn: now + 60_000 })];
      for (const one of [due, later]) await intents.create(one, lapsed('dead'), { maxOpen: 100 });
      const held = await placed();
      const taken = ids(await intents.claimDue(now, lease('two'), 100));
      expect(taken).toContain(due.id);
      expect(taken.filter((id) => id === later.id || id === held.id)).toEqual([]);
      expect(ids(await intents.claimDue(now, lease('three'), 100))).not.toContain(due.id);
      await intents.change(due.id, 'two', { state: 'unknown', nextTryOn: now + 5000, evidence: { tries: 1 } }, true);
      expect(ids(await intents.claimDue(now, lease('three'), 100))).not.toContain(due.id);
      await intents.wake(due.id, past);
      expect(ids(await intents.claimDue(now, lease('three'), 100))).toContain(due.id);
    });

    it('of one provider are taken only up to its share, and those of another one do not wait behind them', async () => {
      const { intents } = stores();
      const [slow, other] = [crypto.randomUUID(), crypto.randomUUID()];
      const add = async (providerId: string, nextTryOn: number): Promise<string> => {
        const intent = aPlacing({ providerId, nextTryOn });
        await intents.create(intent, lapsed('dead'), { maxOpen: 100 });
        return intent.id;
      };
      // These placings are due before all others, so they come first in the queue.
      const [first, second, third, late] = [await add(slow, 1), await add(slow, 2), await add(slow, 3), await add(other, 4)];
      expect(ids(await intents.claimDue(10, lease('one'), 100, { most: 2, busy: {} }))).toEqual(expect.arrayContaining([first, second, late]));
      expect(await intents.claimDue(10, lease('one'), 100, { most: 2, busy: { [slow]: 2 } })).toEqual([]);
      expect(ids(await intents.claimDue(10, lease('one'), 100, { most: 3, busy: { [slow]: 2 } }))).toEqual([third]);
    });

    it('that are settled no longer change, but withheld ones are checked again', async () => {
      const { intents } = stores();
      const one = await placed();
      expect(await intents.change(one.id, 'one', { state: 'dead', nextTryOn: past, answer: 'first' }, true)).toBe(true);
      expect(await intents.change(one.id, 'one', { state: 'unknown' }, true)).toBe(false);
      expect(ids(await intents.claimDue(now, lease('two'), 100))).not.toContain(one.id);
      expect(ids(await intents.claimWithheld(now, lease('two'), 100))).toContain(one.id);
      expect(await intents.changeWithheld(one.id, 'three', { upstreamOrderId: 'stolen' })).toBe(false);
      expect(await intents.replaceAnswer(one.id, 'another', 'second')).toBe(false);
      expect(await intents.replaceAnswer(one.id, 'first', 'second')).toBe(true);
      expect(await intents.changeWithheld(one.id, 'two', { upstreamOrderId: 'up-2' })).toBe(true);
      expect(await intents.find(one.id)).toMatchObject({ state: 'dead', answer: 'second', upstreamOrderId: 'up-2' });
    });

    it('that are declined keep their answer, and end once', async () => {
      const { intents } = stores();
      const one = await placed();
      const back = { customerId: one.customerId, providerId: one.providerId, now, until: now + 1 };
      expect(await intents.end(one.id, 'two', { state: 'declined', answer: 'stolen' }, back)).toBe(false);
      // An instance that has released a placing can no longer decline it: the outcome that was stored meanwhile stays.
      const lost = await placed();
      await intents.change(lost.id, 'one', { state: 'unknown' }, true);
      expect(await intents.end(lost.id, 'one', { state: 'declined' }, undefined)).toBe(false);
      expect(await stateOf(lost.id)).toBe('unknown');
      expect(await intents.end(one.id, 'one', { state: 'declined', answer: 'first', nextTryOn: past }, back)).toBe(true);
      expect(await intents.end(one.id, 'one', { state: 'declined', answer: 'again' }, back)).toBe(false);
      expect(ids(await intents.claimWithheld(now, lease('two'), 100))).not.toContain(one.id);
      expect(await intents.replaceAnswer(one.id, 'first', 'with offers')).toBe(true);
      expect((await intents.findByQuote(one.quoteId, one.customerId))?.answer).toBe('with offers');
    });

    describe('that move', () => {
      /** Returns a new customer's placing to move (`one`), the placing of the next rank, and what excludes the provider (`back`). */
      const refused = async (more: Partial<NewIntent> = {}) => {
        const customerId = crypto.randomUUID();
        await addCustomer(customerId);
        const one = await placed({ customerId });
        const next = { intent: aPlacing({ customerId, ...more }), lease: lease('one-next') };
        const back = { customerId, providerId: one.providerId, now, until: now + 60_000 };
        return { one, next, back };
      };

      it('end with the next one, in one step, and once', async () => {
        const { intents } = stores();
        const { one, next, back } = await refused();
        const change = { nextTryOn: past, evidence: { refused: 'declined' } };
        expect(await intents.move(one.id, 'another', change, next, back)).toBe('lost');
        expect([await stateOf(one.id), await intents.find(next.intent.id)]).toEqual(['prepared', undefined]);
        expect(await intents.move(one.id, 'one', change, next, back)).toBe('moved');
        expect(await intents.find(one.id)).toMatchObject({ state: 'moved', movedTo: next.intent.id, evidence: { refused: 'declined' } });
        expect(await intents.find(next.intent.id)).toMatchObject({ state: 'prepared', attempt: 0 });
        // The quote still belongs to this request, and the instance that moved it sends the next attempt.
        expect((await intents.findByQuote(one.quoteId, one.customerId))?.id).toBe(one.id);
        expect(await intents.create(aPlacing({ quoteId: one.quoteId }), lease('two'), { maxOpen: 100 })).toBe('exists');
        expect(await intents.claim(next.intent.id, lease('two'))).toBeUndefined();
        expect(await intents.startSending(next.intent.id, next.lease, now)).toBe(true);
        const again = { intent: aPlacing({ customerId: one.customerId }), lease: lease('one') };
        expect([await intents.move(one.id, 'one', change, again, back), await intents.find(again.intent.id)]).toEqual(['lost', undefined]);
      });

      it('keep their payout key, and skip if another placing has it', async () => {
        const { intents } = stores();
        const payoutKey = crypto.randomUUID();
        const first = await placed({ payoutKey });
        const other = await placed({ payoutKey: crypto.randomUUID() });
        const next = (more: Partial<NewIntent>) => ({ intent: aPlacing(more), lease: lease('one') });
        expect(await intents.move(first.id, 'one', {}, next({ payoutKey: other.payoutKey ?? '' }), undefined)).toBe('skipped');
        expect(await intents.move(first.id, 'one', {}, next({ payoutKey }), undefined)).toBe('moved');
        expect(await intents.move(other.id, 'one', {}, next({ payoutKey }), undefined)).toBe('skipped');
      });

      it('skip a quote that has a live one, a busy session, and a provider that stands back', async () => {
        const { intents } = stores();
        const exclusiveKey = crypto.randomUUID();
        const { one, back } = await refused();
        const { customerId } = one;
        const taken = await placed({ customerId });
        await placed({ exclusiveKey });
        const declining = await placed({ customerId });
        await intents.end(declining.id, 'one', { state: 'declined' }, { ...back, providerId: declining.providerId, until: now + 1 });
        const skip = async (more: Partial<NewIntent>): Promise<string> =>
          await intents.move(one.id, 'one', {}, { intent: aPlacing({ customerId, ...more }), lease: lease('one') }, back);
        const skipped = [await skip({ quoteId: taken.quoteId }), await skip({ exclusiveKey }), await skip({ providerId: declining.providerId })];
        expect([skipped, await stateOf(one.id)]).toEqual([['skipped', 'skipped', 'skipped'], 'prepared']);
        // No provider is excluded for a move that was not made.
        expect(await skip({ providerId: one.providerId })).toBe('moved');
        const later = await placed({ customerId });
        const aimed = aPlacing({ customerId, providerId: declining.providerId, createdOn: now + 1 });
        expect(await intents.move(later.id, 'one', {}, { intent: aimed, lease: lease('one') }, undefined)).toBe('moved');
      });

      it('are checked again only if an order exists upstream', async () => {
        const { intents } = stores();
        const withheld = await refused();
        await intents.move(withheld.one.id, 'one', { nextTryOn: past, upstreamOrderId: 'up-1' }, withheld.next, withheld.back);
        const declined = await refused();
        await intents.move(declined.one.id, 'one', { nextTryOn: past }, declined.next, declined.back);
        const due = ids(await intents.claimWithheld(now, lease('two'), 100));
        expect([due.includes(withheld.one.id), due.includes(declined.one.id)]).toEqual([true, false]);
        expect(await intents.changeWithheld(withheld.one.id, 'two', { state: 'review' })).toBe(true);
        expect(await intents.find(withheld.one.id)).toMatchObject({ state: 'review', movedTo: withheld.next.intent.id });
      });
    });

    it('stand for one upstream order each', async () => {
      const { intents, orders } = stores();
      const providerId = crypto.randomUUID();
      const [one, other] = [await placed({ providerId }), await placed({ providerId })];
      const confirm = async (intent: NewIntent) =>
        await intents.confirm(
          intent.id,
          'one',
          { state: 'confirmed', upstreamOrderId: 'UP-1' },
          { order: { ...orderOf(intent), upstreamKey: 'up-1' }, event: event(1), deliveries: [] },
        );
      expect(await confirm(one)).toBe('confirmed');
      expect([await confirm(other), await stateOf(other.id), await orders.findAny(other.orderId)]).toEqual(['twin', 'prepared', undefined]);
      expect(ids(await intents.sharing(providerId, ['up-1', 'UP-1'], other.id))).toEqual([one.id]);
      expect(await intents.sharing(providerId, ['up-1', 'UP-1'], one.id)).toEqual([]);
      expect(ids(await intents.sharing(providerId, ['up-1', 'UP-1'], undefined))).toEqual([one.id]);
    });

    it('have their order read soon if a genuine notice came before it was stored', async () => {
      const { intents, orders, notices } = stores();
      const orderFrom = async (target: string, genuine: boolean) => {
        const intent = await placed();
        const targetId = target === 'own' ? intent.id : target;
        await notices.record({ id: crypto.randomUUID(), providerId: intent.providerId, purpose: 'order', targetId, genuine, receivedOn: now }, 1000);
        const order = { ...orderOf(intent), nextCheckOn: now + 60_000 };
        const looked = { targets: [intent.id, 'shared'], checkOn: now + 500 };
        const outcome = await intents.confirm(intent.id, 'one', { state: 'confirmed' }, { order, event: event(1), deliveries: [], notices: looked });
        return [outcome, ((await orders.findAny(intent.orderId))?.nextCheckOn ?? 0) - now];
      };
      expect(await orderFrom('own', true)).toEqual(['rung', 500]);
      expect(await orderFrom('own', false)).toEqual(['confirmed', 60_000]);
      expect(await orderFrom('another', true)).toEqual(['confirmed', 60_000]);
      expect(await orderFrom('shared', true)).toEqual(['rung', 500]);
    });

    it('without an outcome are known by their provider, and made due sooner but not later', async () => {
      const { intents } = stores();
      const providerId = crypto.randomUUID();
      expect(await intents.isPlacingAt(providerId)).toBe(false);
      const one = await placed({ providerId });
      expect(await intents.isPlacingAt(providerId)).toBe(true);
      await intents.wakeUnknown(providerId, past);
      expect((await intents.find(one.id))?.nextTryOn).toBe(one.nextTryOn);
      await intents.change(one.id, 'one', { state: 'unknown', nextTryOn: now + 60_000 }, true);
      await intents.wakeUnknown(providerId, now + 2_000);
      await intents.wakeUnknown(providerId, now + 9_000);
      await intents.wakeUnknown(crypto.randomUUID(), past);
      expect((await intents.find(one.id))?.nextTryOn).toBe(now + 2_000);
      await intents.change(one.id, 'one', { state: 'dead' }, true);
      expect(await intents.isPlacingAt(providerId)).toBe(false);
    });

    it('know which upstream orders are claimed', async () => {
      const { intents } = stores();
      const one = await placed();
      await intents.change(one.id, 'one', { state: 'unpayable', upstreamOrderId: 'up-1' }, true);
      expect(await intents.claimedUpstreamIds(one.providerId, ['up-1', 'up-2'])).toEqual(['up-1']);
      expect(await intents.claimedUpstreamIds(crypto.randomUUID(), ['up-1'])).toEqual([]);
      expect(await intents.claimedUpstreamIds(one.providerId, [])).toEqual([]);
    });
  });

  describe('orders', () => {
    it('are stored with their placing, or not at all', async () => {
      const order = await ordered({ terms: { currencyId: 1, paymentOptionId: 1, optionName: 'SEPA', country: 'DE' }, watch: {} });
      expect(await stores().orders.findAny(order.id)).toMatchObject(order);
      expect(await stores().orders.find(order.id, crypto.randomUUID())).toBeUndefined();
      const intent = await placed();
      const late = { order: orderOf(intent), event: event(1), deliveries: [] };
      expect(await stores().intents.confirm(intent.id, 'somebody-else', { state: 'confirmed' }, late)).toBe('lost');
      expect([await stateOf(intent.id), await stores().orders.findAny(intent.orderId)]).toEqual(['prepared', undefined]);
    });

    it('move on only from the step that they were read at', async () => {
      const { orders } = stores();
      const order = await ordered();
      expect(
        await orders.advance(order, { stage: 'filled', stageOn: now, checks: 1, nextCheckOn: null, watch: { unreadableSince: 5 } }, event(2, 'filled'), []),
      ).toBe(true);
      expect(await orders.advance(order, { stage: 'expired' }, event(2, 'expired'), [])).toBe(false);
      const after = await orders.findAny(order.id);
      expect(after).toMatchObject({ stage: 'filled', sequence: 2, checks: 1, watch: { unreadableSince: 5 } });
      expect(after?.nextCheckOn).toBeUndefined();
      // A read that changes nothing does not count as a step.
      expect(await orders.advance({ ...order, sequence: 2 }, { checks: 2 }, undefined, [])).toBe(true);
      expect(await orders.findAny(order.id)).toMatchObject({ sequence: 2, checks: 2, stage: 'filled' });
    });

    it('get a payment that was recognised by its amount only if no other order there has it, of two at the same moment, too', async () => {
      const { orders } = stores();
      const { providerId } = await ordered();
      const id = crypto.randomUUID();
      const change = { facts: { transaction_id: id }, payment: { providerId, id } };
      const both = [await ordered({ providerId }), await ordered({ providerId })];
      const isStored = await Promise.all(both.map(async (one) => await orders.advance(one, change, undefined, [])));
      const [first] = both.filter((_, n) => isStored[n]);
      const [second, ...more] = both.filter((_, n) => !isStored[n]);
      expect(more).toEqual([]);
      expect((await orders.findAny(second?.id ?? ''))?.facts).toEqual(second?.facts);
      expect([await orders.otherWithPayment({ providerId, id }, second?.id ?? ''), await orders.otherWithPayment({ providerId, id }, first?.id ?? '')]).toEqual(
        [first?.id, undefined],
      );
      // The order that has the payment may be read again, and another provider may use the same id for a payment of its own.
      expect(await orders.advance(first!, change, undefined, [])).toBe(true);
      expect(await orders.advance(second!, { ...change, payment: { providerId: `${providerId}-2`, id } }, undefined, [])).toBe(true);
    });

    it('do not get a payment by its amount that has the id of another order there, in any writing', async () => {
      const { orders } = stores();
      const id = crypto.randomUUID();
      const owner = await ordered({ upstreamOrderId: id.toUpperCase() });
      const { providerId } = owner;
      const [second, third] = [await ordered({ providerId }), await ordered({ providerId })];
      expect(await orders.advance(second, { facts: { transaction_id: id }, payment: { providerId, id } }, undefined, [])).toBe(false);
      expect(await orders.otherWithPayment({ providerId, id }, second.id)).toBe(owner.id);
      // A payment that the provider itself links to an order may have another order's id. The link is refused only if that other order has taken the
      // payment.
      expect(await orders.advance(third, { facts: { transaction_id: id }, payment: { providerId, id, linked: true } }, undefined, [])).toBe(true);
    });

    it('get a payment that their provider links to them only once the order that has guessed it is in review, of two at the same moment, too', async () => {
      const { orders } = stores();
      const { providerId } = await ordered();
      const id = crypto.randomUUID();
      const [guesser, told] = [await ordered({ providerId }), await ordered({ providerId })];
      const facts = { transaction_id: id };
      const link = async () => await orders.advance(told, { facts, payment: { providerId, id, linked: true } }, undefined, []);
      const guess = async () => await orders.advance(guesser, { facts, payment: { providerId, id } }, undefined, []);
      const both = await Promise.all([guess(), link()]);
      expect(both.toSorted()).toEqual([false, true]);
      // Whichever came first, the order that guessed keeps the payment only until the provider's own link is stored.
      expect(await orders.otherWithPayment({ providerId, id, linked: true }, told.id)).toBe(both[0] === true ? guesser.id : undefined);
      await orders.advance(guesser, { stage: 'review' }, undefined, []);
      expect(await orders.otherWithPayment({ providerId, id, linked: true }, told.id)).toBeUndefined();
      expect([await link(), await guess()]).toEqual([true, false]);
      expect((await orders.findAny(told.id))?.facts).toMatchObject(facts);
    });

    it('are known as sales of their customer, and of others who are connected as the same user, while a payment may arrive', async () => {
      const { orders } = stores();
      const { one, other, both } = await sameUser();
      const sale = { ramp: 'sell' as const, expiresOn: now, ...one };
      const arriving = [];
      for (const stage of ['awaiting_payment', 'underpaid', 'expired', 'review', 'paid'] as const) arriving.push((await ordered({ ...sale, stage })).id);
      // A partial payment is waited for until its order ends otherwise. For the others, a payment is too late after an hour and a half.
      const old = { ...sale, expiresOn: now - longestHoldMs };
      arriving.push((await ordered({ ...old, stage: 'underpaid' })).id, (await ordered({ ...old, expiresOn: old.expiresOn + 1, stage: 'expired' })).id);
      for (const stage of ['expired', 'review', 'paid'] as const) await ordered({ ...old, stage });
      for (const stage of ['filled', 'finished', 'failed', 'refunded'] as const) await ordered({ ...sale, stage });
      for (const more of [{ ramp: 'buy' as const }, { providerId: crypto.randomUUID() }, { customerId: crypto.randomUUID() }])
        await ordered({ ...sale, ...more });
      const others = await ordered({ ...sale, customerId: other });
      expect(ids(await orders.arrivingSales(one.providerId, one.customerId, now)).toSorted()).toEqual(both(arriving, [others.id]));
    });

    it('keep what others have learnt since a caller read them', async () => {
      const { orders } = stores();
      const read = await ordered({ watch: { linkUnseen: true, unreadSince: 5, moneySeen: true } });
      const disputeClosed = { on: now, pay: '10000', receive: '50000' };
      const { linkUnseen: _given, ...others } = read.watch;
      expect(await orders.advance(read, { watch: { ...others, disputeClosed } }, undefined, [])).toBe(true);
      const { unreadSince: _over, ...mine } = read.watch;
      expect(await orders.advance(read, { watch: { ...mine, unreadableSince: 7 } }, undefined, [])).toBe(true);
      const after = await orders.findAny(read.id);
      expect([after?.watch, after?.terms]).toEqual([{ moneySeen: true, disputeClosed, unreadableSince: 7 }, read.terms]);
    });

    it('are leased by one instance when they are due, until they are final', async () => {
      const { orders } = stores();
      const [due, later] = [await ordered(), await ordered({ nextCheckOn: now + 60_000 })];
      const taken = ids(await orders.claimDue(now, lease('one'), 1000));
      expect(taken).toContain(due.id);
      expect(taken).not.toContain(later.id);
      expect(ids(await orders.claimDue(now, lease('two'), 1000))).not.toContain(due.id);
      await orders.wake(later.id, past);
      await orders.wake(due.id, now + 5000);
      expect(ids(await orders.claimDue(now, lease('two'), 1000))).toContain(later.id);
      // Writing an order frees it.
      await orders.advance(due, { checks: 1, nextCheckOn: past }, undefined, []);
      expect(ids(await orders.claimDue(now, lease('two'), 1000))).toContain(due.id);
      await orders.advance({ ...due, nextCheckOn: past }, { final: true, nextCheckOn: null }, undefined, []);
      expect(ids(await orders.claimDue(now, lease('three'), 1000))).not.toContain(due.id);
      // After a notice, a final order is followed again until the next read.
      await orders.wake(due.id, past);
      expect((await orders.findAny(due.id))?.final).toBe(false);
      expect(ids(await orders.claimDue(now, lease('three'), 1000))).toContain(due.id);
    });

    it('stay due after a notice that came during a read', async () => {
      const { orders } = stores();
      const written = async (woken: boolean, change: Parameters<typeof orders.advance>[1]): Promise<unknown> => {
        const order = await ordered();
        await orders.advance(order, { final: true, nextCheckOn: null }, undefined, []);
        const read = await orders.findAny(order.id);
        if (!read) throw new Error('the order is gone');
        if (woken) await orders.wake(order.id, now + 2000);
        expect(await orders.advance(read, change, undefined, [])).toBe(true);
        const after = await orders.findAny(order.id);
        return [after?.final, after?.nextCheckOn];
      };
      expect(await written(false, { final: true, nextCheckOn: null })).toEqual([true, undefined]);
      expect(await written(true, { final: true, nextCheckOn: null })).toEqual([false, now + 2000]);
      expect(await written(true, { final: false, nextCheckOn: now + 60_000 })).toEqual([false, now + 2000]);
      expect(await written(true, { final: false, nextCheckOn: now + 1000 })).toEqual([false, now + 1000]);
    });

    it('are listed newest first', async () => {
      const customerId = crypto.randomUUID();
      const made: Order[] = [];
      for (const n of [1, 2, 3]) {
        const intent = await placed({ customerId });
        const order = orderOf(intent, { createdOn: now + n, changedOn: now + n * 10 });
        await stores().intents.confirm(intent.id, 'one', { state: 'confirmed' }, { order, event: event(1), deliveries: [] });
        made.push(order);
      }
      const [first, second, third] = ids(made);
      const list = async (limit: number, since?: number) => ids(await stores().orders.list(customerId, 'buy', limit, since));
      expect([await list(10), await list(2), await list(10, now + 20)]).toEqual([
        [third, second, first],
        [third, second],
        // Another order may have changed in the same millisecond, after the caller had read the list.
        [third, second],
      ]);
      expect(await stores().orders.list(customerId, 'sell', 10)).toEqual([]);
    });

    it('if there are too many, final ones are left out first, then unpaid ones, however new they are', async () => {
      const customerId = crypto.randomUUID();
      const made: Order[] = [];
      for (const [n, more] of [
        { stage: 'paid' },
        { stage: 'awaiting_payment' },
        { stage: 'filled' },
        { stage: 'finished', final: true },
        { stage: 'expired' },
        { stage: 'finished', final: true },
      ].entries() as ArrayIterator<[number, Partial<Order>]>) {
        const intent = await placed({ customerId });
        const order = orderOf(intent, { createdOn: now + n, ...more });
        await stores().intents.confirm(intent.id, 'one', { state: 'confirmed' }, { order, event: event(1), deliveries: [] });
        made.push(order);
      }
      const [paid, awaiting, filled, , expired, finished] = ids(made);
      const list = async (limit: number) => ids(await stores().orders.list(customerId, 'buy', limit));
      expect([await list(2), await list(3), await list(5)]).toEqual([
        [filled, paid],
        [expired, filled, paid],
        [finished, expired, filled, awaiting, paid],
      ]);
    });

    it('bring their webhooks: a newer one takes the place of what was not told, and each is written once', async () => {
      const { orders, deliveries } = stores();
      const order = await ordered();
      const [first, second] = [webhook(order.id, 2), webhook(order.id, 3)];
      await orders.advance(order, { stage: 'paid' }, event(2, 'paid'), [first]);
      await orders.advance({ ...order, sequence: 2 }, { stage: 'filled' }, event(3, 'filled'), [second, first]);
      const written = (await deliveries.list({ limit: 1000 })).filter((one) => one.subjectId === order.id);
      expect(new Map(written.map((one) => [one.sequence, one.state]))).toEqual(
        new Map([
          [2, 'superseded'],
          [3, 'due'],
        ]),
      );
    });
  });

  describe('the queue of orders', () => {
    it('those with money come first; of the unpaid ones, networks and apps take turns', async () => {
      const { intents, orders } = stores();
      const providerId = crypto.randomUUID();
      const due = async (nextCheckOn: number, networkKey: string | undefined, more: Partial<Order> = {}): Promise<string> => {
        const intent = await placed({ providerId, ...(networkKey === undefined ? {} : { networkKey }) });
        const order = orderOf(intent, { nextCheckOn, ...more });
        await intents.confirm(intent.id, 'one', { state: 'confirmed' }, { order, event: event(1), deliveries: [] });
        return order.id;
      };
      const [a1, a2, a3] = [await due(11, 'a wide'), await due(12, 'b wide', { stage: 'expired' }), await due(13, 'c wide')];
      const [quiet, app, paid] = [await due(14, 'other'), await due(15, undefined), await due(16, 'a wide', { stage: 'paid' })];
      // The sequence is the same whether one provider's share (`most`) or the whole batch (`limit`) is what ends it.
      const take = async (limit: number, most = 100): Promise<string[]> => ids(await orders.claimDue(20, lease('one'), limit, { most, busy: {} }));
      expect([await take(100, 1), (await take(3)).toSorted(), await take(100, 1), await take(5)]).toEqual([[paid], [a1, quiet, app].toSorted(), [a2], [a3]]);
      // Apps, whose customers have no network here, take turns, too. So do orders whose network and app are no longer known.
      const [b1, b2] = [await due(1, undefined, { appId: 'wallet' }), await due(2, undefined, { appId: 'wallet' })];
      const [old1, old2, shop] = [await due(3, undefined), await due(4, undefined), await due(5, undefined, { appId: 'shop' })];
      expect([(await take(3)).toSorted(), (await take(2)).toSorted()]).toEqual([[b1, old1, shop].toSorted(), [b2, old2].toSorted()]);
    });
  });

  describe('claims', () => {
    it('are one per order, and only the instance that leases one can store its link', async () => {
      const { claims } = stores();
      const order = await ordered();
      expect(await claims.create({ orderId: order.id, now: past, fallbackHash: 'hash' }, lease('one'))).toBe(true);
      expect(await claims.create({ orderId: order.id, now: past }, lease('two'))).toBe(false);
      expect(await claims.find(order.id)).toEqual({
        orderId: order.id,
        state: 'sending',
        attempt: 1,
        isUnlost: true,
        fallbackHash: 'hash',
        createdOn: past,
        askedOn: past,
        nextTryOn: past,
      });
      expect(await claims.take(order.id, lease('two'))).toBeUndefined();
      expect(await claims.hold(order.id, 'two', { lnurl: 'theirs' })).toBe(false);
      expect(await claims.hold(order.id, 'one', { lnurl: 'sealed', expiresOn: now })).toBe(true);
      expect(await claims.find(order.id)).toMatchObject({ state: 'held', lnurl: 'sealed', expiresOn: now });
      expect((await claims.take(order.id, lease('two')))?.lnurl).toBe('sealed');
    });

    it('are not changed by an instance that was paused while another one stored a link', async () => {
      const { claims } = stores();
      const order = await ordered();
      await claims.create({ orderId: order.id, now: past }, lapsed('paused'));
      expect(await claims.take(order.id, lease('two'))).toBeDefined();
      expect(await claims.hold(order.id, 'two', { lnurl: 'given out' })).toBe(true);
      expect([await claims.hold(order.id, 'paused', { lnurl: 'late' }), await claims.change(order.id, 'paused', { state: 'review' })]).toEqual([false, false]);
      expect(await claims.find(order.id)).toMatchObject({ state: 'held', lnurl: 'given out' });
      // If nobody else has taken the claim, the link that came late is the only one.
      const other = await ordered();
      await claims.create({ orderId: other.id, now: past }, lapsed('paused'));
      expect(await claims.hold(other.id, 'paused', { lnurl: 'late' })).toBe(true);
    });

    it('keep a link that came late if the instance that took the claim meanwhile got none', async () => {
      const { claims } = stores();
      const order = await ordered();
      await claims.create({ orderId: order.id, now: past }, lapsed('paused'));
      expect(await claims.take(order.id, lease('two'))).toBeDefined();
      expect(await claims.hold(order.id, 'paused', { lnurl: 'first' })).toBe(false);
      expect(await claims.change(order.id, 'two', { state: 'review' })).toBe(true);
      expect([await claims.change(order.id, 'paused', {}), await claims.hold(order.id, 'paused', { lnurl: 'first' })]).toEqual([false, true]);
      expect(await claims.find(order.id)).toMatchObject({ state: 'held', lnurl: 'first' });
      // The same for a link that replaces an expired one, but not if the other instance has replaced it.
      const late = async () => await claims.hold(order.id, 'paused', { lnurl: 'second' }, 'first');
      expect(await claims.take(order.id, lapsed('paused'))).toBeDefined();
      expect(await claims.take(order.id, lease('two'))).toBeDefined();
      expect(await claims.change(order.id, 'two', {})).toBe(true);
      expect([await late(), (await claims.find(order.id))?.lnurl, await late()]).toEqual([true, 'second', false]);
    });

    it('that were refused are reopened once, with another fallback address or none, and are not due by themselves', async () => {
      const { claims } = stores();
      const order = await ordered();
      await claims.create({ orderId: order.id, now: past, fallback: 'sealed', fallbackHash: 'hash' }, lease('one'));
      expect(await claims.reopen(order.id, { now }, lease('one'))).toBeUndefined();
      await claims.change(order.id, 'one', { state: 'refused', attempt: 2, nextTryOn: past, fallback: null, fallbackHash: null });
      expect(await claims.find(order.id)).toEqual({ orderId: order.id, state: 'refused', attempt: 2, createdOn: past, askedOn: past, nextTryOn: past });
      expect((await claims.claimDue(now, lease('two'), 1000)).map((one) => one.orderId)).not.toContain(order.id);
      expect(await claims.reopen(order.id, { fallback: 'next', fallbackHash: 'other', now }, lease('one'))).toMatchObject({
        state: 'sending',
        attempt: 2,
        fallback: 'next',
        fallbackHash: 'other',
        createdOn: past,
        askedOn: now,
        nextTryOn: now,
      });
      expect([await claims.reopen(order.id, { now }, lease('two')), await claims.take(order.id, lease('two'))]).toEqual([undefined, undefined]);
    });

    it('that were refused are not taken like others, so that their address can be named anew', async () => {
      const { claims } = stores();
      const order = await ordered();
      await claims.create({ orderId: order.id, now: past }, lease('one'));
      await claims.change(order.id, 'one', { state: 'refused', attempt: 2, nextTryOn: past });
      expect(await claims.take(order.id, lease('two'))).toBeUndefined();
      expect(await claims.reopen(order.id, { now }, lease('two'))).toMatchObject({ state: 'sending', isUnlost: true });
    });

    it('have lost no answer until a call dies, or counts an attempt without saying so, as an earlier release does', async () => {
      const { claims } = stores();
      const order = await ordered();
      await claims.create({ orderId: order.id, now: past }, lease('one'));
      await claims.change(order.id, 'one', { attempt: 2, unlostAttempt: 2 });
      expect((await claims.take(order.id, lapsed('two')))?.isUnlost).toBe(true);
      expect((await claims.take(order.id, lease('three')))?.isUnlost).toBeUndefined();
      const other = await ordered();
      await claims.create({ orderId: other.id, now: past }, lease('one'));
      await claims.change(other.id, 'one', { attempt: 2, nextTryOn: past });
      expect((await claims.claimDue(now, lease('two'), 1000)).find((one) => one.orderId === other.id)?.isUnlost).toBeUndefined();
    });

    it('lose their fallback address only if no link can exist with it, or somebody vouches for that', async () => {
      const { claims } = stores();
      const claimed = async (owner = lease('one')) => {
        const order = await ordered();
        await claims.create({ orderId: order.id, now: past, fallback: 'sealed', fallbackHash: 'hash' }, owner);
        const read = async () => {
          const claim = await claims.find(order.id);
          if (!claim) throw new Error('no claim');
          return claim;
        };
        return { id: order.id, read };
      };
      const sure = await claimed();
      expect(await claims.dropFallback(await sure.read(), true)).toBe('changed');
      const before = await sure.read();
      await claims.change(sure.id, 'one', { state: 'review', attempt: 2, unlostAttempt: 2 });
      expect([await claims.dropFallback(before, true), await claims.dropFallback(await sure.read(), false)]).toEqual(['changed', 'dropped']);
      expect(await sure.read()).toEqual({ orderId: sure.id, state: 'refused', attempt: 2, isUnlost: true, createdOn: past, askedOn: past, nextTryOn: past });
      const unsure = await claimed();
      await claims.change(unsure.id, 'one', { state: 'review', attempt: 2 });
      expect([await claims.dropFallback(await unsure.read(), false), (await unsure.read()).fallbackHash]).toEqual(['lost', 'hash']);
      expect(await claims.dropFallback(await unsure.read(), true)).toBe('dropped');
      expect(await claims.reopen(unsure.id, { now }, lease('one'))).toMatchObject({ state: 'sending', isUnlost: true });
      const dead = await claimed(lapsed('one'));
      expect([await claims.dropFallback(await dead.read(), false), await claims.dropFallback(await dead.read(), true)]).toEqual(['lost', 'dropped']);
      const linked = await claimed();
      await claims.hold(linked.id, 'one', { lnurl: 'link' });
      expect(await claims.dropFallback(await linked.read(), true)).toBe('changed');
    });

    it('do not keep the end of the first link for one without an end', async () => {
      const { claims } = stores();
      const order = await ordered();
      await claims.create({ orderId: order.id, now: past }, lease('one'));
      await claims.hold(order.id, 'one', { lnurl: 'first', expiresOn: past });
      await claims.take(order.id, lease('two'));
      await claims.hold(order.id, 'two', { lnurl: 'second' }, 'first');
      const { lnurl, expiresOn } = (await claims.find(order.id)) ?? {};
      expect([lnurl, expiresOn]).toEqual(['second', undefined]);
    });

    it('whose response was lost are leased by one instance when they are due', async () => {
      const { claims } = stores();
      const order = await ordered();
      await claims.create({ orderId: order.id, now: past }, lease('one'));
      const due = async (owner: string) => (await claims.claimDue(now, lease(owner), 1000)).map((one) => one.orderId);
      expect(await due('two')).not.toContain(order.id);
      await claims.change(order.id, 'one', { attempt: 2, nextTryOn: past });
      expect(await due('two')).toContain(order.id);
      expect(await due('three')).not.toContain(order.id);
      await claims.change(order.id, 'two', { state: 'review' });
      expect(await due('three')).not.toContain(order.id);
    });
  });

  it('a withdrawal link counts for an order once: what the first was said to pay, or that it was given out unread', async () => {
    const { orders, record } = stores();
    for (const [first, expected] of [[100_000n, 100_000n] as const, [undefined, undefined] as const]) {
      const order = await ordered();
      expect([await record.linkRead(order.id, first, now), await record.linkRead(order.id, 1n, now + 1)]).toEqual([true, false]);
      const after = await orders.findAny(order.id);
      expect([after?.linkReceive, after?.linkReadOn]).toEqual([expected, now]);
    }
    const raced = await ordered();
    const both = await Promise.all([record.linkRead(raced.id, 1n, now), record.linkRead(raced.id, undefined, now)]);
    expect(both.filter(Boolean)).toHaveLength(1);
  });

  it('market prices: read by one instance when they are due, and stored only by the instance that leases them', async () => {
    const { reference } = stores();
    const row = (readOn: number) => ({
      currency: 'EUR',
      readings: [
        { name: 'a', said: { price: 9_000_000n, text: '90000', at: readOn, since: readOn } },
        { name: 'b', fault: 'away' as const },
      ],
      state: 'live' as const,
      price: 9_000_000n,
      readOn,
    });
    const due = { before: now - 15_000, now };
    expect(await reference.take('EUR', due, lapsed('dead'))).toBe(true);
    await reference.save(row(now), lapsed('dead'));
    expect(await reference.read()).toEqual([]);
    expect(await reference.take('EUR', due, lease('one'))).toBe(true);
    expect(await reference.take('EUR', due, lease('two'))).toBe(false);
    await reference.save(row(now), lease('two'));
    expect(await reference.read()).toEqual([]);
    await reference.save(row(now), lease('one'));
    expect(await reference.read()).toEqual([row(now)]);
    expect(await reference.take('EUR', due, lease('two'))).toBe(false);
    // A price is read again when it is old, and when its time is in the future because the clock was put back.
    expect(await reference.take('EUR', { before: now + 1, now: now + 15_001 }, lease('two'))).toBe(true);
    await reference.save({ ...row(now + 60_000), price: undefined, state: 'away' } as never, lease('two'));
    expect(await reference.take('EUR', due, lease('one'))).toBe(true);
    expect((await reference.read())[0]).not.toHaveProperty('price');
    await reference.save(row(now), lease('one'));
    await reference.keepOnly(['EUR']);
    expect(await reference.read()).toHaveLength(1);
    await reference.keepOnly(['CHF']);
    expect(await reference.read()).toEqual([]);
  });

  it('upstream sessions: one live session per owner and provider', async () => {
    const { sessions, intents } = stores();
    const row = { owner: crypto.randomUUID(), providerId: 'alpine', now };
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
    expect([await sessions.claimUpstream({ ...row, id: first }), await sessions.claimUpstream({ ...row, id: second })]).toEqual([true, false]);
    await sessions.saveUpstream(first, { blob: 'sealed', ready: true, expiresOn: now + 5000 });
    expect(await sessions.findUpstream(row.owner, 'alpine')).toMatchObject({ id: first, blob: 'sealed', ready: true, unsettled: false });
    expect(await intents.create(aPlacing({ exclusiveKey: first }), lease('one'), { maxOpen: 100 })).toBe('created');
    expect((await sessions.findUpstream(row.owner, 'alpine'))?.unsettled).toBe(true);
    expect([await sessions.replaceUpstream(first, undefined, 'lost'), await sessions.replaceUpstream(first, 'other', 'lost')]).toEqual([false, false]);
    expect(await sessions.replaceUpstream(first, 'sealed', 'newer')).toBe(true);
    expect((await sessions.findUpstreamById(first))?.blob).toBe('newer');
    expect(await sessions.replaceUpstream(first, 'newer', 'sealed')).toBe(true);
    await sessions.retireUpstream(first, now);
    expect(await sessions.findUpstream(row.owner, 'alpine')).toBeUndefined();
    expect(await sessions.findUpstreamById(first)).toMatchObject({ owner: row.owner, blob: 'sealed' });
    expect(await sessions.claimUpstream({ ...row, id: second })).toBe(true);
  });

  it('routes: found by their owner only', async () => {
    const route = {
      id: crypto.randomUUID(),
      customerId: crypto.randomUUID(),
      sessionHash: 'h',
      ramp: 'buy',
      requestId: 'r',
      createdOn: now,
      route: { a: 1 },
    } as const;
    await stores().routes.insert(route);
    expect(await stores().routes.find(route.id, route.customerId)).toMatchObject(route);
    expect(await stores().routes.find(route.id, crypto.randomUUID())).toBeUndefined();
  });
});
