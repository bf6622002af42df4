/** What the operator's console reads and does: the overview, figures, search, one order's card, and what an operator settles. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { countHours } from '../../src/gateway/figures/count-hours.ts';
import { ProviderFault } from '../../src/providers/fault.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const [alice, bob] = ['operator-token-of-alice-0123', 'operator-token-of-bob-012345'];
const config = {
  operator: { token_hashes: [sha256Hex(alice), sha256Hex(bob)] },
  orders: { max_open: 50 },
  limits: { verify_per_minute: 10_000, quotes_per_minute: 10_000, orders_per_minute: 10_000, operator_guesses_per_minute: 3 },
};
const providers = { alpine: { simulator: { quoteTtlS: 3600 } }, slow: { simulator: { quoteTtlS: 3600, spreadBps: 90 } } };
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(providers, { config, counts: true });
});
afterAll(async () => await gateway.close());

type Body = Record<string, unknown>;
const ask = async (path: string, body?: object, headers: Record<string, string> = {}, token = alice) => {
  const answer = await createWallet(gateway.url).call(path, body, { authorization: `Bearer ${token}`, ...headers });
  return { status: answer.status, body: answer.body };
};
const buy = async (more: object = {}): Promise<{ id: string; quoteId: string }> => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'], ...more });
  return { id: String(order.body['order_id']), quoteId: String(quote.body['quote_id']) };
};
const idsOf = (body: Body): string[] => (body['orders'] as { order_id: string }[]).map((one) => one.order_id);
const providerIn = async (id: string, token = alice): Promise<Body> => {
  const { body } = await ask('/operator/overview', undefined, {}, token);
  return (body['providers'] as Body[]).find((one) => one['provider'] === id) ?? {};
};

describe('one field for anything', () => {
  it('finds an order by its ids, its amount and its day, page by page', async () => {
    const made: { id: string; quoteId: string }[] = [];
    for (let i = 0; i < 5; i += 1) made.push(await buy());
    const newest = made.map(({ id }) => id).toReversed();
    const [{ id, quoteId } = { id: '', quoteId: '' }] = made;
    const card = (await ask(`/operator/orders/${id}`)).body;
    const day = new Date(gateway.clock.now()).toISOString().slice(0, 10);
    for (const anything of [id, quoteId.toUpperCase(), String(card['upstream_order_id']), ` ${id} `]) {
      const { body } = await ask('/operator/orders-search', { anything });
      expect([anything, idsOf(body), body['more']]).toEqual([anything, [id], false]);
    }
    for (const anything of ['100 EUR', '100', day]) {
      const first = await ask('/operator/orders-search', { anything, limit: 2 });
      const second = await ask('/operator/orders-search', { anything, limit: 2, cursor: first.body['next_cursor'] });
      const third = await ask('/operator/orders-search', { anything, limit: 2, cursor: second.body['next_cursor'] });
      const pages = [first, second, third].map(({ body }) => [idsOf(body), body['more'], 'next_cursor' in body]);
      expect([anything, pages]).toEqual([
        anything,
        [
          [newest.slice(0, 2), true, true],
          [newest.slice(2, 4), true, true],
          [newest.slice(4), false, false],
        ],
      ]);
    }
    expect((await ask('/operator/orders-search', { anything: '<img src=x onerror=alert(1)>' })).body).toMatchObject({ orders: [], more: false });
    expect((await ask('/operator/orders-search', { anything: day, cursor: 'nonsense' })).body['code']).toBe('invalid-request');
    expect(idsOf((await ask('/operator/orders-search', { list: 'open', provider: 'slow' })).body)).toEqual([]);
    // Without an index, only newer rows are searched, and the answer says so. A search that names a day also finds older rows.
    const since = (days: number): string => new Date(gateway.clock.now() - days * 86_400_000).toISOString().slice(0, 16);
    const { amounts_from: amountsFrom } = (await ask('/operator/orders-search', { amount: 10_000 })).body;
    expect(String(amountsFrom)).toContain(since(30));
    expect(String((await ask('/operator/orders-search', { anything: 'req_any' })).body['prices_from'])).toContain(since(2));
    expect(Object.keys((await ask('/operator/orders-search', { amount: 10_000, request_id: 'req_any', day })).body)).toEqual(['orders', 'more']);
    for (const other of [{ request_id: 'req_any' }, { upstream_order_id: 'x' }, { reference: 'x' }, { amount: 1 }])
      expect((await ask('/operator/orders-search', { anything: id, ...other })).body['code']).toBe('invalid-request');
    const rows = await gateway.database.sql<{ detail: string }[]>`select detail::text from operator_actions where action = 'orders.search'`;
    expect(rows.map((row) => row.detail).join()).not.toContain(id);
    expect(rows.map((row) => row.detail).join()).toContain(sha256Hex(id));
  });
});

describe('one card', () => {
  it('shows the decision as a table, what can be settled, and what to tell the customer', async () => {
    const { id } = await buy();
    const { body } = await ask(`/operator/orders/${id}`);
    expect(body).toMatchObject({ sequence: 1, settlings: ['paid-not-filled'] });
    expect(body['asked_providers']).toMatchObject([
      { provider: 'alpine', outcome: 'offer', rank: 1, ordered: true, pay: '10000', behind_best_bps: 0 },
      { provider: 'slow', outcome: 'offer', rank: 2, ordered: false },
    ]);
    expect(body['for_customer']).toBe(`About your order ${id}: Your order is waiting for your payment. Your wallet shows how to pay.`);
  });
});

describe('settling', () => {
  const inReview = async (): Promise<string> => {
    const { id } = await buy();
    // The new sequence number and the far next check keep a read that is under way, or due, from ending the review first.
    await gateway.database.sql`
      update orders set stage = 'review', sequence = sequence + 1, next_check_on = '2999-01-01T00:00Z',
        terms = jsonb_set(terms::jsonb, '{reviewReason}', '"unclear"')::json where id = ${id}`;
    return id;
  };

  it('is done once, only about what the operator saw, and is recorded under their token', async () => {
    const id = await inReview();
    const { body: card } = await ask(`/operator/orders/${id}`);
    expect(card['settlings']).toEqual(['leave-review', 'paid-not-filled']);
    const asked = { settling: 'leave-review', stage: 'awaiting_payment', reason: 'Alpine says so by telephone', pin: card['pin'] };
    expect((await ask(`/operator/orders/${id}/settle`, { ...asked, pin: '0123456789abcdef' })).body['code']).toBe('order-changed');
    expect((await ask(`/operator/orders/${id}/settle`, { ...asked, stage: undefined })).body['code']).toBe('invalid-request');
    expect((await ask(`/operator/orders/${id}/settle`, { ...asked, settling: 'close-dispute', stage: undefined })).body['code']).toBe('not-possible-now');
    expect((await ask('/operator/orders/%00/settle', asked)).body['code']).toBe('not-possible-now');
    expect((await ask(`/operator/orders/${id}/settle`, asked, {}, bob)).body).toEqual({
      order_id: id,
      settling: 'leave-review',
      done: `the review of ${id} ends at the next read from the provider that does not contradict "awaiting_payment". The order then has the stage that was read`,
    });
    const actions = await gateway.database.sql<{ actor: string; detail: string }[]>`
      select actor, detail::text from operator_actions where action = 'order.leave-review' and subject = ${id}`;
    expect(actions.map(({ actor, detail }) => [actor, JSON.parse(detail) as object])).toEqual([
      [`token:${sha256Hex(bob).slice(0, 8)}`, { stage: 'awaiting_payment', reason: 'Alpine says so by telephone' }],
    ]);
    const stage = await gateway.passUntil('the end of the review', async () => {
      const found = (await ask(`/operator/orders/${id}`)).body['order'] as { stage: string };
      return found.stage === 'review' ? undefined : found.stage;
    });
    expect(stage).toBe('awaiting_payment');
  });
});

it('what was pasted by mistake is not logged as an id', async () => {
  const pasted = 'IBAN-GB29NWBK60161331926819';
  expect((await ask(`/operator/orders/${pasted}`)).body['code']).toBe('order-not-found');
  expect((await ask(`/operator/orders/${pasted}/settle`, { settling: 'close-dispute', reason: 'x', pin: 'x' })).body['code']).toBe('not-possible-now');
  expect((await ask(`/operator/webhooks/${pasted}/send`, {})).body['code']).toBe('webhook-not-found');
  expect((await ask(`/operator/providers/${pasted}`, { mode: 'off', reason: 'x' })).body['code']).toBe('not-found');
  expect(await gateway.database.sql`select 1 from operator_actions where subject ilike '%GB29NWBK%'`).toEqual([]);
  expect(gateway.logs.filter((line) => line.includes('"operator"') && line.includes('GB29NWBK'))).toEqual([]);
});

describe('what a settling is about', () => {
  const settle = async (id: string, pin: unknown, more: object, token = alice) =>
    (await ask(`/operator/orders/${id}/settle`, { reason: 'their support says so', pin, ...more }, {}, token)).body;
  const pinOf = async (id: string): Promise<unknown> => (await ask(`/operator/orders/${id}`)).body['pin'];
  /** An order that no read changes during the test. */
  const still = async (): Promise<string> => {
    const { id } = await buy();
    await gateway.database.sql`update orders set next_check_on = '9999-01-01T00:00Z', stage = 'review', disputed = true where id = ${id}`;
    await gateway.server.idle();
    return id;
  };
  const set = (sql: string) => async (id: string) => await gateway.database.sql.unsafe(`update orders set ${sql} where id = '${id}'`);
  const learn = (name: string, value: string) => set(`terms = jsonb_set(terms::jsonb, '{${name}}', '${value}')::json`);
  const news: [string, (id: string) => Promise<unknown>][] = [
    ['delivered', set('receive = receive - 40000')],
    ['charged', set('pay = pay + 1')],
    ['fee', set('fee = fee + 1')],
    ['reported as paid', set('told_pay = 9999')],
    ['reported as delivered', set('told_receive = 1')],
    ['reported fee', set('told_fee = 7')],
    ['status word', set(`raw_status = 'COMPLETED'`)],
    ['what the link pays', set('link_receive = 3')],
    ['released', set('short_released_on = now()')],
    ['counted', set('recorded_on = now()')],
    ['sequence', set('sequence = sequence + 1')],
    ['money seen', learn('moneySeen', 'true')],
    ['payment seen', learn('paidSeenOn', '1764354343000')],
    ['delivery seen', learn('filledSeen', 'true')],
    ['refund without a payment', learn('refundUnseen', 'true')],
    ['arriving', learn('arriving', 'true')],
    ['a twin', learn('twinSeen', 'true')],
    ['the reason', learn('reviewReason', '"paid-not-delivered"')],
    ['the stage before', learn('beforeReview', '"paid"')],
    ['another review ended', learn('reviewed', '{"pay":"1","receive":"2"}')],
    ['a dispute closed', learn('disputeClosed', '{"on":1,"pay":"1","receive":"2"}')],
  ];
  const settlings = [
    { settling: 'leave-review', stage: 'failed' },
    { settling: 'close-dispute' },
    { settling: 'release-short' },
    { settling: 'paid-not-filled' },
  ];

  it('is everything that it judges: after any news about the money, nothing is done', async () => {
    const id = await still();
    for (const [i, [what, change]] of news.entries()) {
      const pin = await pinOf(id);
      await change(id);
      const [before] = await gateway.database.sql`select * from orders where id = ${id}`;
      // Each kind of settling is tried after some of the news, and all of them after the first kind of news.
      for (const one of settlings.filter((_, j) => i === 0 || i % settlings.length === j))
        expect([what, one.settling, (await settle(id, pin, one))['code']]).toEqual([what, one.settling, 'order-changed']);
      expect(await gateway.database.sql`select * from orders where id = ${id}`).toEqual([before]);
    }
    // A read that reports nothing new is no news. Neither is anything that does not concern the money.
    const pin = await pinOf(id);
    await set('checks = checks + 1, checked_on = now()')(id);
    await learn('noticeUnread', 'true')(id);
    expect(await settle(id, pin, { settling: 'close-dispute' })).toMatchObject({ done: `${id} is no longer disputed` });
    expect(await settle(id, undefined, { settling: 'leave-review', stage: 'paid' })).toMatchObject({ code: 'invalid-request' });
  });

  it('is settled once: the second of two operators learns that the first was there', async () => {
    const id = await still();
    const first = await pinOf(id);
    const both = await Promise.all([
      settle(id, first, { settling: 'leave-review', stage: 'paid' }, alice),
      settle(id, first, { settling: 'leave-review', stage: 'failed' }, bob),
    ]);
    expect(both.filter((one) => one['code'] === 'order-changed')).toHaveLength(1);
    const [row] = await gateway.database.sql<{ named: string }[]>`
      update orders set next_check_on = '9999-01-01T00:00Z' where id = ${id} returning terms->>'beforeReview' as named`;
    const named = both[0]['code'] === undefined ? 'paid' : 'failed';
    expect(row?.named).toBe(named);
    // The second time, the operator's word is the one that is stored already.
    const second = await pinOf(id);
    gateway.clock.move(1000);
    expect(await settle(id, second, { settling: 'leave-review', stage: named })).toMatchObject({ settling: 'leave-review' });
    expect(await settle(id, second, { settling: 'leave-review', stage: 'expired' })).toMatchObject({ code: 'order-changed' });
    await gateway.database.sql`update orders set stage = 'failed', disputed = false where stage = 'review'`;
  });

  it('is compared once more under the lock of the row: what came after the read of the gateway counts as well', async () => {
    const id = await still();
    const { stores } = gateway.server.gateway;
    const seen = await stores.orders.findAny(id);
    if (!seen) throw new Error('no order');
    await set('told_receive = 1')(id);
    const now = gateway.clock.now();
    expect([
      await stores.operator.learn(seen, { ...seen.watch, beforeReview: 'paid' }, now),
      await stores.operator.releaseShort(seen, now),
      await stores.record.paidNotFilled(id, now, seen),
    ]).toEqual([false, false, false]);
    await set(`stage = 'failed', disputed = false`)(id);
  });

  it('is an attempt, too', async () => {
    const { id: ordered } = await buy();
    const { sql } = gateway.database;
    const [id, other] = ['00000000-0000-4000-8000-00000000001a', '00000000-0000-4000-8000-00000000001b'];
    const own = { id, order_id: other, quote_id: id, provider_session_id: null, state: 'review', next_try_on: '9999-01-01T00:00:00Z' };
    await sql`insert into intents select copy.* from intents i, jsonb_populate_record(i, ${sql.json(own)}) copy where i.order_id = ${ordered}`;
    const pin = await pinOf(other);
    await sql`update intents set evidence = '{"taken":"yes"}' where id = ${id}`;
    expect(await settle(other, pin, { settling: 'close-attempt' })).toMatchObject({ code: 'order-changed' });
    expect(await settle(other, await pinOf(other), { settling: 'close-attempt' })).toMatchObject({ done: `${id} is closed` });
  });
});

describe('webhooks', () => {
  it('are listed by state, and one is sent now', async () => {
    await buy({ webhook_url: 'http://127.0.0.1:9/hook' });
    const { control } = gateway.simulators['alpine'] ?? { control: undefined };
    await control?.pay([...(control.orders.keys() ?? [])].at(-1) ?? '');
    const listed = await gateway.passUntil('a webhook', async () => {
      const { body } = await ask('/operator/webhooks', { list: 'due' });
      const [one] = body['webhooks'] as { id: string; attempts: number; due_on: string }[];
      return one && one.attempts > 0 ? one : undefined;
    });
    expect(listed).toMatchObject({ host: '127.0.0.1:9', state: 'due' });
    expect((await ask(`/operator/webhooks/${listed.id}/send`, {})).body).toEqual({ id: listed.id, state: 'due' });
    const again = (await ask('/operator/webhooks', { list: 'due' })).body['webhooks'] as { due_on: string }[];
    expect(Date.parse(again[0]?.due_on ?? '')).toBeLessThanOrEqual(gateway.clock.now());
    expect(Date.parse(listed.due_on)).toBeGreaterThan(gateway.clock.now());
    expect((await ask('/operator/webhooks/msg_nothing/send', {})).body['code']).toBe('webhook-not-found');
    await gateway.database.sql`update deliveries set state = 'superseded' where id = ${listed.id}`;
    expect((await ask(`/operator/webhooks/${listed.id}/send`, {})).body['code']).toBe('not-possible-now');
  });
});

describe('the overview', () => {
  it('shows each provider, its calls, its circuits with since and why, and its credentials', async () => {
    const { guard } = gateway.server.gateway.providers.find(({ id }) => id === 'slow') ?? {};
    const fail = async () => await Promise.reject(new ProviderFault('server', 'status 500', { status: 500, taken: 'no' }));
    const refuse = async () => await Promise.reject(new ProviderFault('rejected-credentials', 'status 401', { status: 401, taken: 'no' }));
    const since = await gateway.clock.still(async () => {
      for (let i = 0; i < 5; i += 1) await guard?.call('account', { deadlineMs: 1000, idempotent: false }, fail).catch(() => undefined);
      await guard?.call('quote', { deadlineMs: 1000, idempotent: true, isOwn: true }, refuse).catch(() => undefined);
      return new Date(gateway.clock.now()).toISOString();
    });
    await gateway.pass(20_000);
    const { body } = await ask('/operator/overview');
    const { instance } = gateway.server.gateway.state;
    expect(body).toMatchObject({ mode: 'sandbox', network: 'regtest', instance, holds: {}, waiting: { ill_providers: 1, review: 0, more: false } });
    expect(body['instances']).toMatchObject([{ instance, version: body['version'], answers: true }]);
    expect(await providerIn('slow')).toMatchObject({
      mode: 'on',
      configured_mode: 'on',
      switch_version: 'none',
      credentials: 'refused',
      credentials_refused_on: since,
      open_circuits: [{ instance, operation: 'account', since, reason: 'server' }],
      last_15_minutes: { failed: 0, answered_ppm: 1_000_000 },
    });
    const alpine = await providerIn('alpine');
    expect(alpine).toMatchObject({ open_circuits: [], credentials: 'none' });
    expect((alpine['last_15_minutes'] as Body)['answered']).toBe((await gateway.database.sql`select 1 from routes`).length);
  });

  it('counts figures by hour', async () => {
    await gateway.pass(61_000);
    const [{ n: routes } = { n: 0 }] = await gateway.database.sql<{ n: number }[]>`select count(*)::int as n from routes`;
    const { body } = await ask('/operator/series?step=hour');
    expect(body['hours_to_count']).toBe(0);
    const all = (list: string, name: string, provider?: string): number =>
      (body[list] as Body[]).filter((one) => provider === undefined || one['provider'] === provider).reduce((sum, one) => sum + Number(one[name]), 0);
    expect([all('decisions', 'decisions'), all('offers', 'won', 'alpine'), all('offers', 'won', 'slow')]).toEqual([routes, routes, 0]);
    // The tests before may have begun in another hour.
    const slow = (await ask('/operator/series?provider=slow&step=hour')).body['offers'] as Body[];
    expect([...new Set(slow.map(({ provider }) => provider))]).toEqual(['slow']);
    expect((await ask('/operator/series?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&step=hour')).body['code']).toBe('invalid-request');
    expect((await ask('/operator/series?from=yesterday')).body['code']).toBe('invalid-request');
  });
});

it('more figures than a chart needs are refused with a sentence, and fewer are shown', async () => {
  const { sql } = gateway.database;
  await sql`
    insert into hourly_figures select '2026-01-01T00:00Z'::timestamptz, 'offered', 'p' || i % 2, 'buy', 'EUR', 'o' || i, '', 1, 0, 0, 0, 0, 0 from generate_series(1, 20001) i`;
  const of = '/operator/series?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z';
  expect((await ask(of)).body).toMatchObject({
    code: 'invalid-request',
    detail: expect.stringMatching(/more than 20000 figures: ask for less time/) as string,
  });
  expect(((await ask(`${of}&provider=p1`)).body['offers'] as object[]).length).toBe(10_001);
  await sql`delete from hourly_figures where hour = '2026-01-01T00:00Z'`;
});

it('the calls of the overview are counted once in five seconds, for all operators', async () => {
  const counted = vi.spyOn(gateway.server.gateway.stores.figures, 'recentCalls');
  await gateway.clock.still(async () => {
    gateway.clock.move(6_000);
    for (const token of [alice, bob, alice]) expect((await ask('/operator/overview', undefined, {}, token)).status).toBe(200);
    expect(counted).toHaveBeenCalledTimes(1);
    gateway.clock.move(6_000);
    await ask('/operator/overview');
    expect(counted).toHaveBeenCalledTimes(2);
  });
  counted.mockRestore();
});

it('the calls of the overview are forgotten once no operator has asked for five minutes, and then read again', async () => {
  const { server, clock } = gateway;
  const figures = async () => {
    const { body } = await ask('/operator/overview');
    return (body['providers'] as { provider: string; last_15_minutes: unknown }[]).map((one) => [one.provider, one.last_15_minutes]);
  };
  const secondsKept = async (afterMs: number): Promise<number> => {
    clock.move(afterMs);
    await countHours(server.gateway, 1);
    return server.gateway.state.recentCalls.seconds.size;
  };
  // No decision becomes older than 15 minutes meanwhile.
  clock.move(16 * 60_000);
  await buy();
  await clock.still(async () => {
    const before = await figures();
    expect(await secondsKept(299_000)).toBeGreaterThan(0);
    expect(await figures()).toEqual(before);
    expect(await secondsKept(299_000)).toBeGreaterThan(0);
    expect(await secondsKept(1_000)).toBe(0);
    expect(await figures()).toEqual(before);
  });
});

describe('a switch', () => {
  it('tells the second of two operators what the first did', async () => {
    const seen = String((await providerIn('alpine'))['switch_version']);
    const first = await ask('/operator/providers/alpine', { mode: 'drain', reason: 'their bank is closed' }, { 'if-match': `"${seen}"` }, alice);
    expect(first).toMatchObject({ status: 200, body: { mode: 'drain' } });
    const second = await ask('/operator/providers/alpine', { mode: 'off', reason: 'they are slow' }, { 'if-match': seen }, bob);
    const by = `token:${sha256Hex(alice).slice(0, 8)}`;
    expect(second.status).toBe(412);
    expect(second.body).toMatchObject({ code: 'switch-changed', switch: { mode: 'drain', set_by: by, reason: 'their bank is closed' } });
    expect(second.body['detail']).toBe(`${by} set the provider to drain at ${String(first.body['set_on'])}: their bank is closed`);
    expect(await providerIn('alpine', bob)).toMatchObject({ mode: 'drain', switch_version: first.body['version'], switch: { set_by: by } });
    const third = await ask(
      '/operator/providers/alpine',
      { mode: 'configured', reason: 'open again' },
      { 'if-match': String(second.body['switch_version']) },
      bob,
    );
    expect(third.body).toMatchObject({ mode: 'configured', version: 'none' });
    const late = await ask('/operator/providers/alpine', { mode: 'off', reason: 'late' }, { 'if-match': String(first.body['version']) }, alice);
    expect(late.body).toMatchObject({ code: 'switch-changed', switch_version: 'none' });
  });
});

describe('wrong tokens', () => {
  it('are counted by network; a right one works all the same', async () => {
    const guess = async () => (await ask('/operator/attention', undefined, {}, 'a-guess-of-an-operator-token')).status;
    expect([await guess(), await guess(), await guess(), await guess()]).toEqual([404, 404, 404, 429]);
    // A stranger behind the operator's address cannot lock them out.
    expect((await ask('/operator/attention')).status).toBe(200);
    // A request without any token is not a guess.
    expect((await createWallet(gateway.url).call('/operator/attention')).status).toBe(404);
    expect(gateway.logs.filter((line) => line.includes('operator_token_refused'))).toHaveLength(3);
    gateway.clock.move(61_000);
    expect(await guess()).toBe(404);
  });
});
