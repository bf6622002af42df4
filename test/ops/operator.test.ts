import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { ProviderFault } from '../../src/providers/fault.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const token = 'operator-token-one-0123456789';
const second = 'operator-token-two-0123456789';
const config = { operator: { token_hashes: [sha256Hex(token), sha256Hex(second)] }, orders: { max_open: 50 } };
const providers = { alpine: { simulator: { quoteTtlS: 3600 } }, slow: { simulator: { quoteTtlS: 3600, spreadBps: 90 } } };
let gateway: TestGateway;
let twin: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(providers, { config });
  twin = await startTestGateway(providers, { config, database: gateway.database, clock: gateway.clock });
});
afterAll(async () => {
  await twin.close();
  await gateway.close();
});

const ask = async (path: string, body?: object, bearer: string | null = token, url = gateway.url) =>
  await createWallet(url).call(path, body, bearer === null ? {} : { authorization: `Bearer ${bearer}` });
const buy = async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call(
    '/quote',
    { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 },
    { 'x-request-id': 'req_of_the_price' },
  );
  const order = async () => await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] }, { 'x-request-id': 'req_of_the_order' });
  return { wallet, sessionId, provider: (quote.body['provider'] as { id: string } | undefined)?.id, order };
};
/** One session per instance, by URL. Opening many would use up the limit on new sessions at the providers. */
const open = new Map<string, Promise<{ sessionId: string }>>();
const providersOf = async (url = gateway.url): Promise<string[]> => {
  const wallet = createWallet(url);
  const opened = open.get(url) ?? wallet.open();
  open.set(url, opened);
  const { sessionId } = await opened;
  const { body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  return ((body['offers'] ?? []) as { provider: { id: string } }[]).map((offer) => offer.provider.id);
};

it.each(['0000-01-01', '9999-12-31', '2026-02-30', '10000-01-01', '2026-11-21\0'])('orders of the day %j cannot be searched', async (day) => {
  expect((await ask('/operator/orders-search', { day })).body['code']).toBe('invalid-request');
});

describe('who is no operator', () => {
  const paths: [string, object | undefined][] = [
    ['/operator/orders/00000000-0000-4000-8000-000000000000', undefined],
    ['/operator/attention', undefined],
    ['/operator/record', undefined],
    ['/operator/orders-search', { day: '2026-11-21' }],
    ['/operator/providers/alpine', { mode: 'off', reason: 'x' }],
  ];
  it.each(paths)('%s answers as a path that is not there', async (path, body) => {
    const { body: nothing } = await ask('/operator/nothing-here');
    for (const bearer of [null, 'not-a-token-of-the-operator', sha256Hex(token)]) {
      const answer = await ask(path, body, bearer);
      expect([answer.status, answer.body['code'], answer.body['detail']]).toEqual([404, nothing['code'], nothing['detail']]);
    }
    expect((await ask(path, body === undefined ? undefined : {}, 'not-a-token-of-the-operator')).status).toBe(404);
  });
  it('no caller is an operator if no token is configured', async () => {
    const closed = await startTestGateway({ alpine: { simulator: {} } });
    expect((await ask('/operator/attention', undefined, token, closed.url)).status).toBe(404);
    await closed.close();
  });
});

describe('orders', () => {
  it('are read, searched and listed; every token works; all of it is recorded', async () => {
    const { order } = await buy();
    const id = String((await order()).body['order_id']);
    const read = await ask(`/operator/orders/${id}`, undefined, second);
    expect(read.body).toMatchObject({ order_id: id, provider: 'alpine', placing: { state: 'confirmed', request_id: 'req_of_the_order' } });
    expect(JSON.stringify(read.body)).not.toMatch(/v1\.s1-/);
    const upstream = String(read.body['upstream_order_id']);
    const today = new Date().toISOString().slice(0, 10);
    const searches: [object, number][] = [
      [{ request_id: 'req_of_the_order' }, 1],
      [{ request_id: 'req_of_the_price' }, 1],
      [{ upstream_order_id: upstream }, 1],
      [{ day: today, amount: 10_000 }, 1],
      [{ day: today, amount: 10_001 }, 0],
      [{ day: '2020-01-01' }, 0],
      [{ reference: 'no such reference' }, 0],
    ];
    for (const [search, found] of searches) {
      const { status, body } = await ask('/operator/orders-search', search);
      expect([search, status, (body['orders'] as { order_id: string }[]).map((one) => one.order_id)]).toEqual([search, 200, found === 1 ? [id] : []]);
    }
    expect((await ask('/operator/orders-search', {})).status).toBe(400);
    expect((await ask('/operator/orders/%00')).status).toBe(404);
    const attention = await ask('/operator/attention');
    expect(attention.body).toMatchObject({ review: [], unknown: [], dead_letters: [] });

    const rows = await gateway.database.sql<
      { actor: string; action: string; subject: string }[]
    >`select actor, action, subject from operator_actions order by id`;
    expect(rows.find((row) => row.action === 'order.read')).toEqual({ actor: `token:${sha256Hex(second).slice(0, 8)}`, action: 'order.read', subject: id });
    expect(rows.filter((row) => row.action === 'orders.search')).toHaveLength(searches.length);
    expect(rows.filter((row) => row.action === 'attention.read')).toHaveLength(1);
  });

  it('are found by the payment reference, of which only the hash is stored', async () => {
    const { order } = await buy();
    const { body } = await order();
    const details = Object.entries((body['payment_info'] as { payment_details: Record<string, string> }).payment_details);
    const reference = details.find(([name]) => /reference/i.test(name))?.[1] ?? '';
    expect(reference).not.toBe('');
    const found = await ask('/operator/orders-search', { reference: ` ${reference.toLowerCase()} ` });
    expect((found.body['orders'] as { order_id: string }[]).map((one) => one.order_id)).toEqual([body['order_id']]);
    const shown = JSON.stringify((await ask(`/operator/orders/${String(body['order_id'])}`)).body);
    expect(shown).not.toContain(reference);
    const [row] = await gateway.database.sql<{ detail: string }[]>`select detail::text as detail from operator_actions order by id desc offset 1 limit 1`;
    expect(row?.detail).toBe(JSON.stringify({ reference: sha256Hex(` ${reference.toLowerCase()} `) }));
  });
});

it('attention lists webhooks that keep failing, and providers that fail or refuse our credentials', async () => {
  const own = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } }, ill: { simulator: { quoteTtlS: 3600, spreadBps: 90 } } }, { config });
  try {
    const read = async () => (await ask('/operator/attention', undefined, token, own.url)).body;
    expect(await read()).toMatchObject({ failing_webhooks: [], ill_providers: [] });
    const wallet = createWallet(own.url);
    const { sessionId } = await wallet.open();
    const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'], webhook_url: 'http://127.0.0.1:9/hook' });
    const { guard } = own.server.gateway.providers.find(({ id }) => id === 'ill') ?? {};
    const refuse = async () => await Promise.reject(new ProviderFault('rejected-credentials', 'status 401', { status: 401, taken: 'no' }));
    await guard?.call('quote', { deadlineMs: 1000, idempotent: true, isOwn: true }, refuse).catch(() => undefined);
    await own.simulators['alpine']?.control.pay([...own.simulators['alpine'].control.orders.keys()][0] ?? '');
    const found = await own.passUntil(
      'the third try',
      async () => {
        const body = await read();
        return (body['failing_webhooks'] as object[]).length > 0 ? body : undefined;
      },
      { stepMs: 60_000, limitMs: 3_600_000 },
    );
    expect(found['failing_webhooks']).toMatchObject([{ host: '127.0.0.1:9', state: 'due', attempts: 3 }]);
    expect(found['ill_providers']).toMatchObject([
      { provider: 'ill', circuits: { quote: 'off', order: 'closed' }, last_fault: { reason: 'rejected-credentials' } },
    ]);
  } finally {
    await own.close();
  }
});

describe('providers', () => {
  it('are switched for every instance within five seconds, and back', async () => {
    expect(await providersOf()).toEqual(['alpine', 'slow']);
    expect(await providersOf(twin.url)).toEqual(['alpine', 'slow']);
    const before = await buy();
    expect(before.provider).toBe('alpine');
    const drained = await ask('/operator/providers/alpine', { mode: 'drain', reason: 'their bank is closed' });
    expect(drained.body).toMatchObject({ provider: 'alpine', mode: 'drain', reason: 'their bank is closed' });
    const started = gateway.clock.now();
    // The clock stands still, except for `passUntil`, so that a busy machine adds no time.
    const took = await gateway.clock.still(async () => {
      for (const url of [gateway.url, twin.url])
        await gateway.passUntil('it is obeyed', async () => ((await providersOf(url)).join() === 'slow' ? true : undefined), { limitMs: 5000 });
      return gateway.clock.now() - started;
    });
    expect(took).toBeLessThan(5000);
    expect((await before.order()).body['stage']).toBe('awaiting_payment');

    await ask('/operator/providers/alpine', { mode: 'configured', reason: 'open again' });
    expect(await gateway.passUntil('it is back', async () => ((await providersOf()).length === 2 ? true : undefined), { limitMs: 5000 })).toBe(true);
    const given = await buy();
    await ask('/operator/providers/alpine', { mode: 'off', reason: 'fraud', until: new Date(gateway.clock.now() + 6000).toISOString() });
    const refused = await given.order();
    expect([refused.status, refused.body['code']]).toEqual([503, 'provider-unavailable']);
    expect((await ask('/operator/attention')).body['switches']).toMatchObject([{ name: 'provider/alpine', mode: 'off', reason: 'fraud' }]);
    await gateway.passUntil('it lapses by itself', async () => ((await providersOf()).length === 2 ? true : undefined), { limitMs: 9000 });
    expect((await ask('/operator/attention')).body['switches']).toEqual([]);
    expect((await given.order()).status).toBe(200);
  });

  it('refuses what it does not know', async () => {
    expect((await ask('/operator/providers/nobody', { mode: 'off', reason: 'x' })).status).toBe(404);
    expect((await ask('/operator/providers/alpine', { mode: 'half', reason: 'x' })).status).toBe(400);
    expect((await ask('/operator/providers/alpine', { mode: 'off' })).status).toBe(400);
    expect((await ask('/operator/providers/alpine', { mode: 'off', reason: 'x', until: '2020-01-01T00:00:00Z' })).status).toBe(400);
  });
});
