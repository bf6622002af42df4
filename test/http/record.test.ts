import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stage } from '../../src/domain/order.ts';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { fromJson } from '../../src/domain/route-json.ts';
import { replay } from '../../src/domain/route.ts';
import { pruneOld } from '../../src/gateway/run-scheduled.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

type Body = Record<string, unknown>;
type Offer = Body & { provider: { id: string }; quote_id: string; haircut_ppm: number; amount_sats: number; expected_sats: number };

let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
beforeAll(async () => {
  gateway = await startTestGateway({
    // Cobalt has the best price, by one per cent and more, but it is an estimate.
    cobalt: { simulator: { estimate: true, spreadBps: -200, quoteTtlS: 3600 } },
    alpine: { simulator: { quoteTtlS: 3600, spreadBps: -100 } },
    borealis: { simulator: { quoteTtlS: 3600 } },
  });
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  await wallet.call('/payment-options', { session_id: sessionId });
});
afterAll(async () => await gateway.close());

const ask = () => ({ session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 2 });
const offers = async (): Promise<{ offers: Offer[]; policy: Body; offers_id: string }> => {
  // The record is read again after 30 seconds.
  gateway.clock.move(31_000);
  return (await wallet.call('/offers', ask())).body as never;
};
const of = (list: Offer[], provider: string): Offer => {
  const found = list.find((offer) => offer.provider.id === provider);
  if (!found) throw new Error(`no offer of ${provider}`);
  return found;
};
/** Buys at a provider that reports that it has delivered `perMille` thousandths of the quoted sats. */
const buy = async (provider: string, perMille: number): Promise<{ orderId: string; quoted: number }> => {
  const { quote_id, amount_sats: quoted } = of((await offers()).offers, provider);
  const placed = await wallet.call('/order', { session_id: sessionId, quote_id });
  expect(placed.status).toBe(200);
  const orderId = String(placed.body['order_id']);
  const control = gateway.simulators[provider]?.control;
  const upstream = [...(control?.orders.values() ?? [])].at(-1);
  if (!control || !upstream) throw new Error('no order upstream');
  upstream.quote.amountSats = Math.floor((quoted * perMille) / 1000);
  await control.pay(upstream.id);
  await gateway.database.sql`update orders set next_check_on = to_timestamp(0) where id = ${orderId}`;
  await gateway.passUntil('it is filled', async () => {
    const rows = await gateway.database.sql<{ stage: string }[]>`select stage from orders where id = ${orderId}`;
    return rows[0]?.stage === 'filled' ? true : undefined;
  });
  return { orderId, quoted };
};
const fillsOf = async (orderId: string): Promise<Body[]> => await gateway.database.sql<Body[]>`select * from fills where order_id = ${orderId}`;
const sums = async (): Promise<Body[]> =>
  await gateway.database.sql<
    Body[]
  >`select provider_id, quoted_sats::int, delivered_sats::int, fast_quoted_sats::int as fast, orders, all_quoted_sats::int as quoted, all_delivered_sats::int as delivered from record_estimates order by provider_id`;

describe('what was delivered decides', () => {
  it('an estimate that delivered less than it quoted is ranked lower by the formula for all, and says by how much and why', async () => {
    const before = await offers();
    const h0 = of(before.offers, 'cobalt');
    expect([h0.haircut_ppm, h0['haircut_from'], h0['record'], of(before.offers, 'alpine').haircut_ppm]).toEqual([10_000, 'configured', undefined, 0]);
    expect(before.offers.map((offer) => offer.provider.id)).toEqual(['cobalt', 'alpine', 'borealis']);
    expect(before.policy).toMatchObject({ decided_by: 'expected_sats', learning: 'ranked', record_snapshot: expect.stringMatching(/^[0-9a-f]{64}$/) });

    const { orderId, quoted } = await buy('cobalt', 900);
    const delivered = Math.floor(quoted * 0.9);
    expect(await fillsOf(orderId)).toMatchObject([
      {
        provider_id: 'cobalt',
        ramp: 'buy',
        currency: 'EUR',
        option: 'sepa instant',
        binding: false,
        quoted_receive: String(quoted),
        told_receive: String(delivered),
        counted_in: 'estimates',
      },
    ]);
    expect(await sums()).toEqual([{ provider_id: 'cobalt', quoted_sats: quoted, delivered_sats: delivered, fast: quoted, orders: 1, quoted, delivered }]);

    const after = await offers();
    const cut = of(after.offers, 'cobalt');
    const expected = Math.ceil((10_000 * 1_000_000 + 1_000_000 * (quoted - delivered)) / (1_000_000 + quoted));
    expect(cut).toMatchObject({ haircut_ppm: expected, haircut_from: 'record', record: { orders: 1, quoted_sats: quoted, delivered_sats: delivered } });
    expect(cut.expected_sats).toBe(Math.floor((cut.amount_sats * (1_000_000 - expected)) / 1_000_000));
    expect(after.offers.map((offer) => offer.provider.id)).toEqual(['alpine', 'cobalt', 'borealis']);
    expect(after.policy['record_snapshot']).not.toBe(before.policy['record_snapshot']);
  });

  it('every figure of it is in the stored route, which can be ranked again with the same result', async () => {
    const { offers_id } = await offers();
    const route = await wallet.call('/route', { session_id: sessionId, quote_id: offers_id });
    expect(route.body).toMatchObject({ version: 2 });
    const ranked = route.body['ranked'] as Body[];
    expect(ranked.find((one) => one['provider'] === 'cobalt')).toMatchObject({
      h0_ppm: 10_000,
      prior_sats: '1000000',
      estimates: { slow: { quoted_sats: expect.stringMatching(/^\d+$/) }, fast: {} },
      broken: { slow: { quoted_sats: '0' } },
    });
    const rows = await gateway.database.sql<{ route: { route: never } }[]>`select route from routes where id = ${offers_id}`;
    expect(replay(fromJson(rows[0]?.route.route ?? null))).toEqual(['alpine', 'cobalt', 'borealis']);
  });

  it('a promise kept earns nothing, and is shown', async () => {
    const { quoted } = await buy('alpine', 1000);
    const offer = of((await offers()).offers, 'alpine');
    expect(offer).toMatchObject({ haircut_ppm: 0, haircut_from: 'configured', record: { orders: 1, quoted_sats: quoted, delivered_sats: quoted } });
    expect(await gateway.database.sql`select * from record_broken`).toEqual([]);
  });

  it('a link that pays less than was told breaks the promise, once, by the least that was read', async () => {
    const { orderId, quoted } = await buy('alpine', 1000);
    const { record } = gateway.server.gateway.stores;
    const half = BigInt(Math.floor(quoted / 2));
    for (const receive of [half, half, half + 100n]) await record.linkRead(orderId, receive, gateway.clock.now());
    const [order] = await gateway.database.sql<Body[]>`select link_receive from orders where id = ${orderId}`;
    expect(order).toEqual({ link_receive: String(half) });
    const [broken] = await gateway.database.sql<Body[]>`select provider_id, quoted_sats::int as q, delivered_sats::int as d from record_broken`;
    expect(broken).toEqual({ provider_id: 'alpine', q: quoted, d: Number(half) });
    const expected = Math.ceil((1_000_000 * (quoted - Number(half))) / (100_000 + quoted));
    expect(of((await offers()).offers, 'alpine')).toMatchObject({ haircut_ppm: expected, haircut_from: 'record' });
  });

  it('the operator clears a record: what was counted before is not corrected any more', async () => {
    const { record } = gateway.server.gateway.stores;
    const { orderId } = await buy('alpine', 1000);
    gateway.clock.move(1000);
    expect(await record.reset('alpine', gateway.clock.now())).toBe(2);
    await record.linkRead(orderId, 1n, gateway.clock.now());
    expect(of((await offers()).offers, 'alpine')).toMatchObject({ haircut_ppm: 0, haircut_from: 'operator' });
  });
});

describe('what the provider reports after its first word', () => {
  const broken = async (): Promise<Body[]> =>
    await gateway.database.sql<
      Body[]
    >`select quoted_sats::int as q, delivered_sats::int as d, fast_quoted_sats::int as fast from record_broken where provider_id = 'alpine'`;
  /** Reads an order again while its provider reports that it has delivered `perMille` thousandths of the quoted sats. */
  const reports = async (orderId: string, quoted: number, perMille: number): Promise<Body> => {
    const upstream = [...(gateway.simulators['alpine']?.control.orders.values() ?? [])].at(-1) ?? expect.fail('no order upstream');
    upstream.quote.amountSats = Math.floor((quoted * perMille) / 1000);
    gateway.clock.move(6000);
    return (await wallet.call('/order-status', { session_id: sessionId, order_id: orderId })).body[orderId] as Body;
  };
  const stored = async (orderId: string) => {
    const order = await gateway.server.gateway.stores.orders.findAny(orderId);
    if (!order) throw new Error('no order');
    return order;
  };
  const fresh = async () => {
    for (const table of ['record_broken', 'record_estimates'])
      await gateway.database.sql`delete from ${gateway.database.sql(table)} where provider_id = 'alpine'`;
    return await buy('alpine', 1000);
  };

  it('less counts, once, whoever reads it; more does not make up for it', async () => {
    const { orderId, quoted } = await fresh();
    expect(await broken()).toEqual([]);
    const half = Math.floor(quoted / 2);
    expect(await reports(orderId, quoted, 500)).toMatchObject({ stage: 'filled', disputed: true, amount_sats: half });
    const kept = [{ q: quoted, d: half, fast: quoted }];
    expect(await broken()).toEqual(kept);
    expect(await fillsOf(orderId)).toMatchObject([{ told_receive: String(half), counted_in: 'broken', counted_delivered: String(half) }]);
    expect(of((await offers()).offers, 'alpine')).toMatchObject({
      haircut_ppm: Math.ceil((1_000_000 * (quoted - half)) / (100_000 + quoted)),
      record: { orders: 1, quoted_sats: quoted, delivered_sats: half },
    });
    await Promise.all([reports(orderId, quoted, 500), reports(orderId, quoted, 500)]);
    expect(await reports(orderId, quoted, 1000)).not.toHaveProperty('disputed');
    expect(await broken()).toEqual(kept);
    const least = Math.floor((quoted * 250) / 1000);
    await Promise.all([reports(orderId, quoted, 250), reports(orderId, quoted, 250)]);
    expect(await broken()).toEqual([{ q: quoted, d: least, fast: quoted }]);
  });

  it('two reads of the same moment that hear different things: the least counts, once', async () => {
    const { orderId, quoted } = await fresh();
    const { orders } = gateway.server.gateway.stores;
    const order = await stored(orderId);
    const toldOn = gateway.clock.now();
    const read = async (sats: number) => {
      const receive = BigInt(sats);
      return await orders.advance(order, { receive, toldReceive: receive, toldOn }, undefined, []);
    };
    await Promise.all([read(quoted), read(1000), read(quoted - 1000), read(1000)]);
    expect(await broken()).toEqual([{ q: quoted, d: 1000, fast: quoted }]);
  });

  it('counts as if it had been reported with the fill, and not at all once the operator has cleared the record', async () => {
    const { orderId, quoted } = await fresh();
    await gateway.database.sql`update fills set filled_on = filled_on - interval '1 day' where order_id = ${orderId}`;
    await reports(orderId, quoted, 500);
    const half = Math.floor(quoted / 2);
    expect(await broken()).toEqual([{ q: Math.floor((quoted * 15) / 16), d: Math.floor((half * 15) / 16), fast: Math.floor((quoted * 3) / 4) }]);
    gateway.clock.move(1000);
    await gateway.server.gateway.stores.record.reset('alpine', gateway.clock.now());
    gateway.clock.move(1000);
    for (const perMille of [250, 100]) await reports(orderId, quoted, perMille);
    expect(await broken()).toEqual([{ q: 0, d: 0, fast: 0 }]);
  });

  it('half of it for half the money is forgiven, and stays so only as long as that is said', async () => {
    const { orderId, quoted } = await fresh();
    const { orders } = gateway.server.gateway.stores;
    const order = await stored(orderId);
    const half = BigInt(Math.floor(quoted / 2));
    const says = async (pay: bigint): Promise<void> => {
      await orders.advance(order, { pay, receive: half, toldPay: pay, toldReceive: half, toldOn: gateway.clock.now() }, undefined, []);
    };
    await says(order.pay / 2n);
    expect(await broken()).toEqual([]);
    await says(order.pay);
    await says(order.pay / 2n);
    expect(await broken()).toEqual([{ q: quoted, d: Number(half), fast: quoted }]);
  });

  it('a delivery that is taken back counts as nothing delivered, a fortnight later', async () => {
    const { orderId, quoted } = await fresh();
    const { orders, record } = gateway.server.gateway.stores;
    const order = await stored(orderId);
    const at = gateway.clock.now();
    const event = { sequence: order.sequence + 1, at, fromStage: 'filled', toStage: 'review', rawStatus: 'failed', source: 'read' } as const;
    const watch = { beforeReview: 'filled', reviewReason: 'paid-not-delivered' } as const;
    expect(await orders.advance(order, { stage: 'review', stageOn: at, watch }, event, [])).toBe(true);
    const [day, fortnight] = [86_400_000, 14 * 86_400_000];
    expect(await record.addMissing(at + 13 * day, at + 13 * day - fortnight, 10)).toBe(0);
    expect(await broken()).toEqual([]);
    const now = at + 15 * day;
    expect([await record.addMissing(now, now - fortnight, 10), await record.addMissing(now, now - fortnight, 10)]).toEqual([1, 0]);
    expect(await fillsOf(orderId)).toMatchObject([{ told_receive: '0', counted_in: 'broken', counted_quoted: String(quoted), counted_delivered: '0' }]);
    await gateway.database.sql`update orders set stage = 'refunded' where id = ${orderId}`;
    for (const table of ['record_broken', 'record_estimates'])
      await gateway.database.sql`delete from ${gateway.database.sql(table)} where provider_id = 'alpine'`;
  });
});

describe('exactly once', () => {
  /**
   * Leaves an order uncounted, as the release before this one would. Background work may count it at any time from then on, so a test changes its
   * order first where it can.
   */
  const asTheReleaseBefore = async (orderId: string): Promise<void> => {
    await gateway.database.sql`delete from fills where order_id = ${orderId}`;
    await gateway.database.sql`delete from record_estimates`;
    await gateway.database.sql`update orders set recorded_on = now() where id <> ${orderId}`;
    await gateway.database.sql`update orders set recorded_on = null where id = ${orderId}`;
  };

  it('background work adds what the release before filled, whoever looks first', async () => {
    const { orderId, quoted } = await buy('cobalt', 950);
    await asTheReleaseBefore(orderId);
    const { record } = gateway.server.gateway.stores;
    const now = gateway.clock.now();
    const looked = await Promise.all([record.addMissing(now, now - 1000, 10), record.addMissing(now, now - 1000, 10), record.addMissing(now, now - 1000, 10)]);
    expect(looked.every((n) => n <= 1)).toBe(true);
    expect(await record.addMissing(now, now - 1000, 10)).toBe(0);
    expect(await sums()).toMatchObject([{ provider_id: 'cobalt', quoted_sats: quoted, orders: 1 }]);
    expect(await fillsOf(orderId)).toHaveLength(1);
  });

  it('a fill that is found days later counts as it would by now', async () => {
    const { orderId, quoted } = await buy('cobalt', 1000);
    await gateway.database.sql`update order_events set at = at - interval '1 day' where order_id = ${orderId} and to_stage = 'filled'`;
    await asTheReleaseBefore(orderId);
    const now = gateway.clock.now();
    await gateway.server.gateway.stores.record.addMissing(now, now - 1000, 10);
    expect(await sums()).toMatchObject([{ quoted_sats: Math.floor((quoted * 15) / 16), fast: Math.floor((quoted * 3) / 4), quoted }]);
  });

  it('paid and never filled counts as nothing delivered after 14 days, and is put right when it is filled after all', async () => {
    const { orderId, quoted } = await buy('cobalt', 1000);
    await gateway.database.sql`update orders set stage = 'paid' where id = ${orderId}`;
    await gateway.database.sql`update order_events set to_stage = 'paid', at = at - interval '13 days' where order_id = ${orderId} and to_stage = 'filled'`;
    await asTheReleaseBefore(orderId);
    const { record, orders } = gateway.server.gateway.stores;
    const now = gateway.clock.now();
    const fortnight = 14 * 86_400_000;
    expect(await record.addMissing(now, now - fortnight, 10)).toBe(0);
    const later = now + 2 * 86_400_000;
    expect(await record.addMissing(later, later - fortnight, 10)).toBe(1);
    expect(await sums()).toMatchObject([{ quoted_sats: quoted, delivered_sats: 0, orders: 1 }]);
    const order = await orders.findAny(orderId);
    if (!order) throw new Error('no order');
    const event = { sequence: order.sequence + 1, at: later, toStage: 'filled', rawStatus: 'filled', source: 'read' } as const;
    expect(await orders.advance(order, { stage: 'filled', stageOn: later }, event, [])).toBe(true);
    // The fill came two weeks after its quote. The market may have moved, so nothing is learnt from the fill.
    expect(await sums()).toMatchObject([{ quoted_sats: 0, delivered_sats: 0, orders: 1 }]);
  });

  it('money that is reported after a refund counts as nothing delivered 14 days later, however old the payment before the refund', async () => {
    const { orderId, quoted } = await buy('cobalt', 1000);
    await asTheReleaseBefore(orderId);
    const { record, orders } = gateway.server.gateway.stores;
    const [now, day] = [gateway.clock.now(), 86_400_000];
    const after = async (days: number): Promise<number> => await record.addMissing(now + days * day, now + (days - 14) * day, 10);
    await gateway.database.sql`update orders set stage = 'refunded' where id = ${orderId}`;
    await gateway.database.sql`update order_events set to_stage = 'paid', at = at - interval '20 days' where order_id = ${orderId} and to_stage = 'filled'`;
    expect([await after(0), await after(0), await fillsOf(orderId)]).toEqual([1, 0, []]);
    const order = await orders.findAny(orderId);
    if (!order) throw new Error('no order');
    const event = { sequence: order.sequence + 1, at: now, fromStage: 'refunded', toStage: 'review', rawStatus: 'paid', source: 'read' } as const;
    const watch = { ...order.watch, beforeReview: 'refunded', reviewReason: 'contradiction', paidSeenOn: now } as const;
    expect(await orders.advance(order, { stage: 'review', stageOn: now, watch }, event, [])).toBe(true);
    expect([await after(13), await after(15), await after(15)]).toEqual([0, 1, 0]);
    expect(await sums()).toMatchObject([{ quoted_sats: quoted, delivered_sats: 0, orders: 1 }]);
    await gateway.database.sql`update orders set stage = 'refunded' where id = ${orderId}`;
  });

  /** Gives an order this history instead of its own, in days from now, and puts it into review with what was learnt on the way. */
  const inReviewAfter = async (orderId: string, steps: [from: Stage, to: Stage, on: number][], watch: object): Promise<void> => {
    const { sql } = gateway.database;
    await sql`delete from order_events where order_id = ${orderId} and to_stage in ('paid', 'filled', 'finished')`;
    for (const [n, [from, to, on]] of steps.entries()) {
      const at = new Date(gateway.clock.now() + on * 86_400_000).toISOString();
      await sql`insert into order_events (order_id, sequence, at, from_stage, to_stage, raw_status, source)
        values (${orderId}, ${100 + n}, ${at}, ${from}, ${to}, ${to}, 'read')`;
    }
    await sql`update orders set stage = 'review', recorded_on = null, terms = (terms::jsonb || ${JSON.stringify(watch)}::text::jsonb)::json where id = ${orderId}`;
  };

  it.each<[string, { paidSeen?: number; reviewReason?: string }, [Stage, Stage, number][]]>([
    ['seen', { paidSeen: -16 }, []],
    ['reported', {}, [['awaiting_payment', 'paid', -16]]],
    [
      'taken back',
      { reviewReason: 'paid-not-delivered' },
      [
        ['paid', 'filled', -17],
        ['filled', 'review', -16],
      ],
    ],
  ])('nothing that was %s before a refund counts after it', async (_what, { paidSeen, ...watch }, steps) => {
    const { orderId } = await buy('cobalt', 1000);
    await asTheReleaseBefore(orderId);
    const { record } = gateway.server.gateway.stores;
    const [now, day] = [gateway.clock.now(), 86_400_000];
    // The fill is counted, as it was before the refund.
    if (steps.some(([, to]) => to === 'filled')) await record.addMissing(now, now - 14 * day, 10);
    // An operator has said that the money that came after the refund is a payment.
    const said = { beforeReview: 'paid', ...watch, ...(paidSeen === undefined ? {} : { paidSeenOn: now + paidSeen * day }) };
    await inReviewAfter(orderId, [...steps, ['paid', 'refunded', -15], ['refunded', 'review', 0]], said);
    expect(await record.addMissing(now, now - 14 * day, 10)).toBe(0);
    await gateway.database.sql`update orders set stage = 'refunded' where id = ${orderId}`;
  });

  it('what is filled after a refund counts from that fill, not from the one before the refund', async () => {
    const { orderId } = await buy('cobalt', 1000);
    await asTheReleaseBefore(orderId);
    const { orders } = gateway.server.gateway.stores;
    const now = gateway.clock.now();
    await inReviewAfter(
      orderId,
      [
        ['paid', 'filled', -17],
        ['filled', 'review', -16],
        ['review', 'refunded', -15],
        ['refunded', 'review', -1],
      ],
      { beforeReview: 'refunded', reviewReason: 'contradiction', paidSeenOn: now },
    );
    const order = await orders.findAny(orderId);
    if (!order) throw new Error('no order');
    const event = { sequence: order.sequence + 1, at: now, fromStage: 'review', toStage: 'filled', rawStatus: 'filled', source: 'operator' } as const;
    expect(await orders.advance(order, { stage: 'filled', stageOn: now }, event, [])).toBe(true);
    const [fill] = await gateway.database.sql`select extract(epoch from filled_on) * 1000 as on from fills where order_id = ${orderId}`;
    expect(Number(fill?.['on'])).toBe(now);
    await gateway.database.sql`update orders set stage = 'refunded' where id = ${orderId}`;
  });

  it('a second payment that came late does not count as paid in time because the first did', async () => {
    const { orderId } = await buy('cobalt', 1000);
    await asTheReleaseBefore(orderId);
    const { record } = gateway.server.gateway.stores;
    const [now, day] = [gateway.clock.now(), 86_400_000];
    const watch = { beforeReview: 'refunded', reviewReason: 'contradiction', paidSeenOn: now + 100 * day };
    await inReviewAfter(
      orderId,
      [
        ['awaiting_payment', 'paid', 0],
        ['paid', 'refunded', 1],
        ['refunded', 'review', 100],
      ],
      watch,
    );
    expect(await record.addMissing(now + 115 * day, now + 101 * day, 10)).toBe(1);
    expect(await sums()).toEqual([]);
    await gateway.database.sql`update orders set stage = 'refunded' where id = ${orderId}`;
  });

  it('money that was seen only in a read that led to review counts, too; a part of it, which a rival can send, does not', async () => {
    const { orderId, quoted } = await buy('cobalt', 1000);
    await asTheReleaseBefore(orderId);
    const { record } = gateway.server.gateway.stores;
    const now = gateway.clock.now();
    const day = 86_400_000;
    const isIn = async (watch: object, later: number): Promise<number> => {
      await gateway.database
        .sql`update orders set stage = 'review', terms = (terms::jsonb || ${JSON.stringify(watch)}::text::jsonb)::json where id = ${orderId}`;
      return await record.addMissing(now + later, now + later - 14 * day, 10);
    };
    await gateway.database.sql`delete from order_events where order_id = ${orderId} and to_stage in ('paid', 'filled')`;
    expect(await isIn({ moneySeen: true, reviewReason: 'paid-not-delivered' }, 30 * day)).toBe(0);
    expect(await isIn({ paidSeenOn: now }, 13 * day)).toBe(0);
    expect([await isIn({}, 15 * day), await isIn({}, 15 * day)]).toEqual([1, 0]);
    expect(await sums()).toMatchObject([{ quoted_sats: quoted, delivered_sats: 0, orders: 1 }]);
  });

  it('an order that we withhold ourselves while its provider reports it as filled in full does not count as never filled', async () => {
    const { orderId, quoted } = await buy('cobalt', 1000);
    await asTheReleaseBefore(orderId);
    const { record } = gateway.server.gateway.stores;
    const [now, day] = [gateway.clock.now(), 86_400_000];
    const isIn = async (watch: object): Promise<number> => {
      await gateway.database
        .sql`update orders set stage = 'review', terms = (terms::jsonb || ${JSON.stringify(watch)}::text::jsonb)::json where id = ${orderId}`;
      return await record.addMissing(now + 15 * day, now + day, 10);
    };
    await gateway.database.sql`update order_events set to_stage = 'paid' where order_id = ${orderId} and to_stage = 'filled'`;
    expect(await isIn({ paidSeenOn: now, filledSeen: true })).toBe(0);
    expect(await sums()).toEqual([]);
    expect(await isIn({ filledSeen: false })).toBe(1);
    expect(await sums()).toMatchObject([{ quoted_sats: quoted, delivered_sats: 0, orders: 1 }]);
  });

  it('the operator records a proof of payment, of no order that was filled', async () => {
    const { orderId, quoted } = await buy('cobalt', 1000);
    const { record } = gateway.server.gateway.stores;
    expect(await record.paidNotFilled(orderId, gateway.clock.now())).toBe(false);
    await asTheReleaseBefore(orderId);
    await gateway.database.sql`update orders set stage = 'expired' where id = ${orderId}`;
    expect([await record.paidNotFilled(orderId, gateway.clock.now()), await record.paidNotFilled(orderId, gateway.clock.now())]).toEqual([true, false]);
    expect(await sums()).toMatchObject([{ quoted_sats: quoted, delivered_sats: 0, orders: 1 }]);
  });
});

describe('a payment that the provider reports only after it was due', () => {
  /** Orders a binding offer and pays it `late` milliseconds after it ended. The provider gives the market's price of that moment. */
  const paidLate = async (late: number): Promise<string> => {
    const { quote_id, amount_sats: quoted } = of((await offers()).offers, 'alpine');
    const placed = await wallet.call('/order', { session_id: sessionId, quote_id });
    const orderId = String(placed.body['order_id']);
    const control = gateway.simulators['alpine']?.control;
    const upstream = [...(control?.orders.values() ?? [])].at(-1);
    if (!control || !upstream) throw new Error('no order upstream');
    const stageOf = async () => (await gateway.database.sql<{ stage: string }[]>`select stage from orders where id = ${orderId}`)[0]?.stage;
    await gateway.database
      .sql`update orders set expires_on = ${new Date(gateway.clock.now() - late).toISOString()}, next_check_on = to_timestamp(0) where id = ${orderId}`;
    await gateway.passUntil('it has expired', async () => ((await stageOf()) === 'expired' ? true : undefined));
    upstream.quote.amountSats = Math.floor(quoted * 0.96);
    await control.pay(upstream.id);
    await gateway.database.sql`update orders set next_check_on = to_timestamp(0) where id = ${orderId}`;
    await gateway.passUntil('it is filled', async () => ((await stageOf()) === 'filled' ? true : undefined));
    return orderId;
  };
  const broken = async (): Promise<Body[]> => await gateway.database.sql<Body[]>`select * from record_broken where provider_id = 'alpine' and quoted_sats > 0`;

  it('does not count, is disputed all the same, and is shown to the operator; one that was in time counts', async () => {
    await gateway.database.sql`delete from record_broken where provider_id = 'alpine'`;
    const late = await paidLate(3_600_000);
    expect(await fillsOf(late)).toMatchObject([{ counted_in: 'none' }]);
    const told = await gateway.database.sql<
      { told: string; quoted: string }[]
    >`select told_receive as told, quoted_receive as quoted from fills where order_id = ${late}`;
    expect(Number(told[0]?.told)).toBeLessThan(Number(told[0]?.quoted) * 0.99);
    const { record } = gateway.server.gateway.stores;
    await record.linkRead(late, 1n, gateway.clock.now());
    expect(await broken()).toEqual([]);
    expect((await wallet.call('/order-status', { session_id: sessionId, order_id: late })).body[late]).toMatchObject({ disputed: true });
    expect(gateway.logs.filter((line) => line.includes('order_paid_late') && line.includes(late))).toHaveLength(1);
    expect(await fillsOf(await paidLate(1))).toMatchObject([{ counted_in: 'broken' }]);
    expect(await broken()).toHaveLength(1);
    await gateway.database.sql`delete from record_broken where provider_id = 'alpine'`;
  });

  it('and never fills counts only if the operator has a proof of payment', async () => {
    const late = await paidLate(3_600_000);
    const { record } = gateway.server.gateway.stores;
    await gateway.database.sql`delete from fills where order_id = ${late}`;
    await gateway.database.sql`update orders set recorded_on = now() where recorded_on is null`;
    await gateway.database.sql`update orders set stage = 'paid', recorded_on = null where id = ${late}`;
    await gateway.database.sql`update order_events set to_stage = 'paid' where order_id = ${late} and to_stage = 'filled'`;
    const [now, day] = [gateway.clock.now(), 86_400_000];
    expect(await record.addMissing(now + 15 * day, now + day, 10)).toBe(1);
    expect(await broken()).toEqual([]);
    // The provider says that it sent the money back; the customer has proof that it did not.
    await gateway.database.sql`update orders set stage = 'refunded' where id = ${late}`;
    expect([await record.paidNotFilled(late, now), await record.paidNotFilled(late, now)]).toEqual([true, false]);
    expect(await fillsOf(late)).toMatchObject([{ counted_in: 'broken', counted_delivered: '0' }]);
    expect(await broken()).toHaveLength(1);
    await gateway.database.sql`update orders set stage = 'refunded' where id = ${late}`;
    for (const table of ['record_broken', 'record_estimates'])
      await gateway.database.sql`delete from ${gateway.database.sql(table)} where provider_id = 'alpine'`;
  });
});

it('while an instance of the release before gives quotes, routes are written in the version that it reads', async () => {
  expect((await wallet.call('/route', { session_id: sessionId, quote_id: (await offers()).offers_id })).body['version']).toBe(2);
  const { sql } = gateway.database;
  const newest = sql`select id from routes order by created_on desc limit 1`;
  await sql`update routes set reads = null where id in (${newest})`;
  const { offers_id, policy, offers: list } = await offers();
  expect((await wallet.call('/route', { session_id: sessionId, quote_id: offers_id })).body['version']).toBe(1);
  expect([policy['decided_by'], policy['record_snapshot'], of(list, 'cobalt').haircut_ppm]).toEqual(['amount_sats', undefined, 10_000]);
  gateway.clock.move(16 * 60_000);
  expect((await wallet.call('/route', { session_id: sessionId, quote_id: (await offers()).offers_id })).body['version']).toBe(2);
});

it('old fills go, and are not counted again', async () => {
  const days = {
    quotes_days: 9999,
    sessions_days: 9999,
    people_days: 9999,
    notices_days: 9999,
    deliveries_days: 9999,
    idempotency_hours: 9999,
    operator_log_days: 9999,
    fills_days: 1,
    figures_days: 730,
  };
  // Orders of the tests above are still followed, and what their providers report would be counted too.
  await gateway.passUntil('no order is followed', async () => {
    const followed = await gateway.database.sql`
      update orders set final = true, next_check_on = null where not final or next_check_on is not null or lease_until > now() returning id`;
    return followed.length === 0 ? true : undefined;
  });
  const before = await sums();
  await gateway.database.sql`update fills set filled_on = filled_on - interval '40 days'`;
  expect((await pruneOld(gateway.server.gateway, days))['fills']).toBeGreaterThan(0);
  expect(await gateway.server.gateway.stores.record.addMissing(gateway.clock.now(), 0, 10)).toBe(0);
  expect(await sums()).toEqual(before);
});
