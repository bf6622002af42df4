/** `max_in_flight_sats` limits what a provider can steal before its first fill. A rival cannot abuse the limit to block a provider. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, walletFrom, type TestGateway } from '../support/gateway.ts';

type Offer = { provider: { id: string }; quote_id: string };
type Failed = { provider: { id: string }; reason: string; retryable: boolean };
const limit = 1_000_000;
let gateway: TestGateway;
let customers: Customer[];
type Customer = { wallet: Wallet; sessionId: string };
const from = async (ip: string): Promise<Customer> => {
  const wallet = walletFrom(gateway.url, ip);
  return { wallet, sessionId: (await wallet.open()).sessionId };
};
beforeAll(async () => {
  gateway = await startTestGateway(
    {
      alpine: { simulator: { quoteTtlS: 86_400, spreadBps: -300 }, block: { max_in_flight_sats: limit } },
      borealis: { simulator: { quoteTtlS: 86_400 } },
    },
    { config: { trusted_proxies: ['127.0.0.1'], orders: { max_open: 50 } } },
  );
  customers = [];
  for (let i = 0; i < 12; i += 1) customers.push(await from(`203.0.113.${i + 1}`));
  await someone().wallet.call('/payment-options', { session_id: someone().sessionId });
});
afterAll(async () => await gateway.close());

const someone = (n = 0): Customer => {
  const found = customers[n];
  if (!found) throw new Error('nobody');
  return found;
};
const sepaInstant = 2;
const ask = async ({ wallet, sessionId }: Customer, sats: number): Promise<{ offers: Offer[]; failed: Failed[] }> =>
  (await wallet.call('/offers', { session_id: sessionId, amount_sats: sats, currency_id: 1, payment_option_id: sepaInstant })).body as never;
/** Returns the providers that offer that many sats. */
const offered = async (sats: number): Promise<string[]> => (await ask(someone(), sats)).offers.map((offer) => offer.provider.id).toSorted();
const order = async (customer: Customer, sats: number) => {
  const { offers } = await ask(customer, sats);
  const alpines = offers.find((offer) => offer.provider.id === 'alpine');
  return await customer.wallet.call('/order', { session_id: customer.sessionId, quote_id: alpines?.quote_id });
};

it('an offer for more than is left is not made, with the reason; the other providers are asked as before', async () => {
  expect(await offered(limit)).toEqual(['alpine', 'borealis']);
  const { offers, failed } = await ask(someone(), limit + 1);
  expect(offers.map((offer) => offer.provider.id)).toEqual(['borealis']);
  expect(failed).toEqual([{ provider: { id: 'alpine', name: 'alpine' }, reason: 'at-limit', retryable: true, latency_ms: expect.any(Number) }]);
});

it('the unpaid orders of one network count for at most a tenth: a rival cannot be shut out', async () => {
  for (let i = 0; i < 12; i += 1) expect((await order(someone(), 90_000)).status).toBe(200);
  expect([await offered((limit * 9) / 10), await offered((limit * 9) / 10 + 1)]).toEqual([['alpine', 'borealis'], ['borealis']]);
});

it('the unpaid orders of ten networks count in full, and a provider at its limit is not asked', async () => {
  for (let n = 1; n <= 10; n += 1) expect((await order(someone(n), 90_000)).status).toBe(200);
  const asked = gateway.simulators['alpine']?.control.history.requests.length;
  const { failed } = await ask(someone(), 11_000);
  expect(failed).toEqual([{ provider: { id: 'alpine', name: 'alpine' }, reason: 'at-limit', retryable: true }]);
  expect(gateway.simulators['alpine']?.control.history.requests.length).toBe(asked);
  const { sessionId, wallet } = someone();
  const alone = await wallet.call('/offers', { session_id: sessionId, amount_sats: 11_000, currency_id: 1, payment_option_id: sepaInstant });
  expect(alone.status).toBe(200);
});

it('the unpaid orders of a /48 count for at most half: an owner of many addresses cannot shut a provider out', async () => {
  const own = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 86_400 }, block: { max_in_flight_sats: limit } } },
    { config: { trusted_proxies: ['127.0.0.1'] } },
  );
  const neighbour = async (n: number) => {
    const wallet = walletFrom(own.url, `2001:db8:7:${n}::1`);
    return { wallet, sessionId: (await wallet.open()).sessionId };
  };
  const someoneElse = walletFrom(own.url, '203.0.113.200');
  const { sessionId } = await someoneElse.open();
  await someoneElse.call('/payment-options', { session_id: sessionId });
  const quotes = [];
  for (let n = 1; n <= 11; n += 1) {
    const one = await neighbour(n);
    const { offers } = await ask(one, 90_000);
    quotes.push({ ...one, quoteId: offers[0]?.quote_id });
  }
  for (const { wallet, sessionId: session_id, quoteId: quote_id } of quotes) await wallet.call('/order', { session_id, quote_id });
  const most = async (sats: number) => (await ask({ wallet: someoneElse, sessionId }, sats)).offers?.length ?? 0;
  expect([await most(limit / 2), await most(limit / 2 + 1)]).toEqual([1, 0]);
  await own.close();
});

it('a part of a payment makes no order count beyond its network’s share: anybody can send dust', async () => {
  const own = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 86_400 }, block: { max_in_flight_sats: limit } } },
    { config: { trusted_proxies: ['127.0.0.1'] } },
  );
  const { sql } = own.database;
  const wallet = walletFrom(own.url, '203.0.113.9');
  const { sessionId } = await wallet.open();
  const { offers } = await ask({ wallet, sessionId }, 900_000);
  const { body } = await wallet.call('/order', { session_id: sessionId, quote_id: offers[0]?.quote_id });
  const id = String(body['order_id']);
  let now = own.clock.now();
  const inFlight = async () => Number(await own.server.gateway.stores.record.inFlight('alpine', { own: 100_000n, wide: 500_000n }, now));
  const terms = async (stage: string, watch: object): Promise<void> =>
    void (await sql`update orders set stage = ${stage}, terms = (terms::jsonb - 'paidSeenOn' - 'beforeReview' || ${JSON.stringify(watch)}::text::jsonb)::json where id = ${id}`);
  const counts: [string, number][] = [];
  const note = async (what: string): Promise<unknown> => counts.push([what, await inFlight()]);
  await terms('underpaid', {});
  await note('underpaid');
  await terms('review', { reviewReason: 'paid-not-delivered', beforeReview: 'underpaid' });
  await note('in review after a part');
  await terms('review', { reviewReason: 'paid-not-delivered', beforeReview: 'expired', moneySeen: true });
  await note('in review at once');
  now += 30 * 86_400_000;
  await note('a month later');
  await terms('review', { paidSeenOn: now });
  await note('paid, by a read that left it in review');
  await terms('review', { beforeReview: 'paid' });
  await note('paid before the review');
  await sql`update orders set ramp = 'liquidity', pay = 900000, told_pay = 50000 where id = ${id}`;
  await terms('underpaid', {});
  await note('a part in sats');
  await sql`update orders set told_pay = 900000 where id = ${id}`;
  await note('a part whose amount is not told');
  await sql`insert into order_events (order_id, sequence, at, from_stage, to_stage, raw_status, source) values (${id}, 2, now(), 'awaiting_payment', 'paid', 'x', 'read')`;
  await terms('review', {});
  await note('that was paid once');
  expect(counts).toEqual([
    ['underpaid', 100_000],
    ['in review after a part', 100_000],
    ['in review at once', 100_000],
    ['a month later', 100_000],
    ['paid, by a read that left it in review', 900_000],
    ['paid before the review', 900_000],
    ['a part in sats', 150_000],
    ['a part whose amount is not told', 100_000],
    ['that was paid once', 900_000],
  ]);
  await own.close();
});

it('an order whose payment may be on its way counts with those of its network, even after its end', async () => {
  const own = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 86_400 }, block: { max_in_flight_sats: limit } } },
    { config: { trusted_proxies: ['127.0.0.1'] } },
  );
  const { sql } = own.database;
  const wallet = walletFrom(own.url, '203.0.113.10');
  const { sessionId } = await wallet.open();
  const { offers } = await ask({ wallet, sessionId }, 900_000);
  const { body } = await wallet.call('/order', { session_id: sessionId, quote_id: offers[0]?.quote_id });
  const id = String(body['order_id']);
  const inFlight = async () => Number(await own.server.gateway.stores.record.inFlight('alpine', { own: 100_000n, wide: 500_000n }, own.clock.now()));
  await sql`update orders set created_on = created_on - interval '2 days', expires_on = created_on - interval '1 day' where id = ${id}`;
  expect(await inFlight()).toBe(0);
  await sql`update orders set terms = (terms::jsonb || '{"arriving":true}')::json where id = ${id}`;
  expect(await inFlight()).toBe(100_000);
  await sql`update orders set stage = 'expired' where id = ${id}`;
  expect(await inFlight()).toBe(0);
  await own.close();
});

it('a part of a payment shuts nobody out after its network is forgotten, nor if it is an app’s', async () => {
  const own = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 86_400 }, block: { max_in_flight_sats: limit } } },
    { config: { trusted_proxies: ['127.0.0.1'] } },
  );
  const { stores } = own.server.gateway;
  const { sql } = own.database;
  const wallet = walletFrom(own.url, '203.0.113.9');
  const { sessionId } = await wallet.open();
  const quotes = [];
  for (const sats of [600_000, 500_000]) quotes.push((await ask({ wallet, sessionId }, sats)).offers[0]?.quote_id);
  for (const quote_id of quotes) expect((await wallet.call('/order', { session_id: sessionId, quote_id })).status).toBe(200);
  let now = own.clock.now();
  const counts: [string, number][] = [];
  const note = async (what: string): Promise<unknown> =>
    counts.push([what, Number(await stores.record.inFlight('alpine', { own: 100_000n, wide: 500_000n }, now))]);
  await sql`update intents set network_key = null`;
  await note('unpaid, of an app');
  await sql`update orders set stage = 'underpaid'`;
  await note('a part, while the rest may arrive');
  await sql`update orders set terms = (terms::jsonb || '{"reviewReason":"paid-not-delivered","beforeReview":"underpaid"}'::jsonb)::json, stage = 'review'`;
  now += 8 * 86_400_000;
  await note('a part, a week later, of an app');
  await sql`update orders set stage = 'underpaid' where pay = (select min(pay) from orders)`;
  await note('one of them not in review');
  await sql`update intents set network_key = 'somebody'`;
  await note('with its network');
  const kept = {
    idempotencyBefore: 0,
    noticesBefore: 0,
    deliveriesBefore: 0,
    sessionsBefore: 0,
    ownedBefore: 0,
    operatorBefore: 0,
    peopleBefore: 0,
    fillsBefore: 0,
    figuresBefore: 0,
  };
  expect((await stores.prune({ ...kept, quotesBefore: now - 7 * 86_400_000 }, 100)).counts['network_keys']).toBe(2);
  await note('after its network was forgotten');
  await sql`update orders set stage = 'paid' where pay = (select min(pay) from orders)`;
  await note('one of them paid in whole');
  expect(counts).toEqual([
    ['unpaid, of an app', 1_100_000],
    ['a part, while the rest may arrive', 1_100_000],
    ['a part, a week later, of an app', 100_000],
    ['one of them not in review', 100_000],
    ['with its network', 100_000],
    ['after its network was forgotten', 100_000],
    ['one of them paid in whole', 600_000],
  ]);
  await own.close();
});

it('an order that was not paid in the time that the money needs counts no longer; a paid one counts until it is filled', async () => {
  const { sql } = gateway.database;
  gateway.clock.move(61_000);
  expect(await offered(limit)).toEqual(['alpine', 'borealis']);
  const [told, proven] = await sql<{ id: string }[]>`select id from orders order by created_on limit 2`;
  if (!told || !proven) throw new Error('no orders');
  // The provider says that the first order is paid. Only the record says so about the second.
  await sql`update orders set stage = 'paid' where id = ${told.id}`;
  expect(await gateway.server.gateway.stores.record.paidNotFilled(proven.id, gateway.clock.now())).toBe(true);
  const left = limit - 180_000;
  const bounds = async () => [await offered(left), await offered(left + 1)];
  expect(await bounds()).toEqual([['alpine', 'borealis'], ['borealis']]);
  // In review, only `moneySeen` says that the first order's money was seen.
  const inReview = async (id: string, watch: object): Promise<void> =>
    void (await sql`update orders set stage = 'review', terms = (terms::jsonb || ${JSON.stringify(watch)}::text::jsonb)::json where id = ${id}`);
  await inReview(told.id, { moneySeen: true });
  gateway.clock.move(20 * 3_600_000);
  expect(await bounds()).toEqual([['alpine', 'borealis'], ['borealis']]);
  await sql`update orders set stage = 'filled' where id in (${told.id}, ${proven.id})`;
  expect(await offered(limit)).toEqual(['alpine', 'borealis']);
});

it('of many quotes that were asked for at the same time, only as many as the limit allows become orders, and the others stay good', async () => {
  const fresh: Customer[] = [];
  for (let i = 0; i < 16; i += 1) fresh.push(await from(`198.51.100.${i + 1}`));
  const quotes = await Promise.all(
    fresh.map(async (customer) => (await ask(customer, limit / 10)).offers.find((one) => one.provider.id === 'alpine')?.quote_id),
  );
  expect(quotes.every((id) => id !== undefined)).toBe(true);
  const answers = await Promise.all(fresh.map(async (one, i) => await one.wallet.call('/order', { session_id: one.sessionId, quote_id: quotes[i] })));
  const placed = answers.filter((answer) => answer.status === 200).length;
  expect(placed).toBeLessThanOrEqual(10);
  const [refused] = answers.filter((answer) => answer.status !== 200);
  expect([refused?.status, refused?.body['code'], refused?.body['retryable']]).toEqual([503, 'provider-unavailable', true]);
  expect(gateway.simulators['alpine']?.control.history.orders.length).toBe(22 + placed);
  await gateway.database.sql`update orders set stage = 'filled'`;
  const again = answers.findIndex((answer) => answer.status !== 200);
  expect((await fresh[again]?.wallet.call('/order', { session_id: fresh[again].sessionId, quote_id: quotes[again] }))?.status).toBe(200);
});

it('failover: the limit of the next rank counts too, and a rank at its limit is passed over', async () => {
  const own = await startTestGateway(
    {
      first: { simulator: { quoteTtlS: 86_400, spreadBps: -40 } },
      narrow: { simulator: { quoteTtlS: 86_400, spreadBps: -20 }, block: { max_in_flight_sats: limit } },
      last: { simulator: { quoteTtlS: 86_400 } },
    },
    { config: { trusted_proxies: ['127.0.0.1'] } },
  );
  const buy = async (n: number) => {
    const wallet = walletFrom(own.url, `192.0.2.${n}`);
    const { sessionId: session_id } = await wallet.open();
    const { body } = await wallet.call('/offers', { session_id, amount_sats: 600_000, currency_id: 1, payment_option_id: sepaInstant });
    const [offer] = body['offers'] as Offer[];
    return async () => {
      own.simulators['first']?.control.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
      const answer = await wallet.call('/order', { session_id, quote_id: offer?.quote_id, failover: { max: 2, max_amount_fiat: 10_000_000 } });
      const moves = answer.body['moved_from'] as { provider: { id: string }; reason: string }[];
      return [(answer.body['provider'] as { id: string }).id, ...moves.map(({ provider, reason }) => `${provider.id}: ${reason}`)];
    };
  };
  // Both customers were offered the provider with the low limit while there was room.
  const [one, other] = [await buy(1), await buy(2)];
  expect(await one()).toEqual(['narrow', 'first: provider-declined']);
  // One network's unpaid orders count for at most a tenth of the limit. A paid order counts in full, and leaves less than a tenth here.
  await own.database.sql`update orders set stage = 'paid', receive = ${0.95 * limit}`;
  expect(await other()).toEqual(['last', 'first: provider-declined', 'narrow: provider-unavailable']);
  const keys = await own.database.sql<{ provider_id: string; known: boolean }[]>`
    select provider_id, network_key is not null as known from intents`;
  expect(keys.map((row) => `${row.provider_id}: ${row.known}`).toSorted()).toEqual([
    'first: true',
    'first: true',
    'last: true',
    'narrow: true',
    'narrow: true',
  ]);
  await own.close();
});
