import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { topLevel } from '../../src/config/providers-config.ts';
import { databaseGauges } from '../../src/entry/database-gauges.ts';
import { pruneOld } from '../../src/gateway/run-scheduled.ts';
import { showDossier } from '../../src/gateway/operator/show-dossier.ts';
import { showFound } from '../../src/gateway/operator/search-orders.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({
    alpine: { simulator: { quoteTtlS: 3600, withdrawalTtlS: 1 } },
    once: { simulator: { quoteTtlS: 3600, withdrawalTtlS: 1, deviations: ['second-withdrawal-string'] } },
    thief: { simulator: { quoteTtlS: 3600, deviations: ['finished-unlinked'] } },
    silent: { simulator: { quoteTtlS: 3600, withdrawalTtlS: 3600 } },
  });
});
afterAll(async () => await gateway.close());

const control = (id: string) => {
  const simulator = gateway.simulators[id];
  if (!simulator) throw new Error('no such simulator');
  return simulator.control;
};
const claims = (id: string): number => control(id).history.requests.filter((one) => one.endpoint === 'withdrawal').length;
const filled = async (id: string, paidAfterMs = 0) => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  await wallet.call('/payment-options', { session_id: sessionId });
  const { body: offers } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const offer = (offers['offers'] as { provider: { id: string }; quote_id: string }[]).find((one) => one.provider.id === id);
  const { body: order } = await wallet.call('/order', { session_id: sessionId, quote_id: offer?.quote_id });
  const orderId = String(order['order_id']);
  const upstreamId = control(id).history.orders.at(-1)?.orderId ?? '';
  gateway.clock.move(paidAfterMs);
  await control(id).pay(upstreamId);
  const withdraw = async (more: object = {}) => await wallet.call('/withdrawal', { session_id: sessionId, order_id: orderId, ...more });
  const stage = async () =>
    ((await wallet.call('/order-status', { session_id: sessionId, order_id: orderId })).body[orderId] as { stage: string } | undefined)?.stage;
  return { withdraw, stage, orderId, upstreamId };
};
const expired = (): void => gateway.clock.move(1_100);

it('a link on a foreign host puts the order in review, and nobody is asked for another one', async () => {
  const { withdraw, stage, orderId } = await filled('alpine');
  control('alpine').setFault({ endpoint: 'withdrawal', fault: 'foreign-lnurl', times: 1 });
  const first = await withdraw();
  expect([first.status, first.body['code'], first.body['order_id']]).toEqual([502, 'payout-link-refused', orderId]);
  const before = claims('alpine');
  const second = await withdraw();
  expect([second.status, second.body['code']]).toEqual([502, 'payout-link-refused']);
  expect(claims('alpine')).toBe(before);
  expect(await stage()).toBe('review');
  const [event] = await gateway.database.sql`select to_stage, note from order_events where order_id = ${orderId} order by sequence desc limit 1`;
  expect(event).toEqual({ to_stage: 'review', note: "the withdrawal link is on a host that is not the provider's" });
});

it('an expired link of an order that is finished is asked for once more', async () => {
  const { withdraw, upstreamId, stage } = await filled('alpine');
  const { body: first } = await withdraw();
  expired();
  await control('alpine').pay(upstreamId, 'finished');
  const { status, body: second } = await withdraw();
  expect([status, second['lnurlw'] === first['lnurlw'], await stage()]).toEqual([200, false, 'finished']);
  const strict = await filled('once');
  expect((await strict.withdraw()).status).toBe(200);
  expired();
  await control('once').pay(strict.upstreamId, 'finished');
  const before = claims('once');
  const answer = await strict.withdraw();
  expect([answer.status, answer.body['code'], answer.body['retryable'], answer.body['retry_after_ms']]).toEqual([
    409,
    'order-not-withdrawable',
    false,
    undefined,
  ]);
  expect(claims('once')).toBe(before + 1);
  const soon = await strict.withdraw();
  expect([soon.body['code'], Number(soon.body['retry_after_ms']) > 0, claims('once')]).toEqual(['order-not-withdrawable', true, before + 1]);
});

it('an expired link of a finished order is asked for again as long as its customer may read it, and then no more', async () => {
  const { sql } = gateway.database;
  const { withdraw, upstreamId, stage, orderId } = await filled('alpine');
  expect((await withdraw()).status).toBe(200);
  await control('alpine').pay(upstreamId, 'finished');
  await gateway.passUntil('finished', async () => ((await stage()) === 'finished' ? true : undefined));
  expired();
  const pruned = async (days: number): Promise<number> => {
    const then = new Date(gateway.clock.now() - days * 86_400_000).toISOString();
    await sql`update orders set changed_on = ${then} where id = ${orderId}`;
    await sql`update provider_sessions set retired_on = ${then} where id = (select provider_session_id from orders where id = ${orderId})`;
    const counts = await pruneOld(gateway.server.gateway, topLevel.shape.retention.parse(undefined));
    return counts['provider_sessions'] ?? 0;
  };
  expect(await pruned(89)).toBe(0);
  const before = claims('alpine');
  expect([(await withdraw()).status, claims('alpine')]).toEqual([200, before + 1]);
  expect(await pruned(91)).toBe(1);
  expired();
  for (let n = 0; n < 2; n += 1) {
    const { status, body } = await withdraw();
    expect([status, body['code'], body['retryable'], body['action']]).toEqual([409, 'order-not-withdrawable', false, 'contact-support']);
  }
  expect(claims('alpine')).toBe(before + 1);
});

describe('what the operator can count of an order whose link may be dead', () => {
  const { record, operator } = { record: () => gateway.server.gateway.stores.record, operator: () => gateway.server.gateway.stores.operator };
  const shown = async (orderId: string) => {
    const dossier = await operator().dossier(orderId, () => []);
    const [found] = await operator().search({ id: orderId }, 1);
    if (!dossier || !found) throw new Error('no order');
    const now = gateway.clock.now();
    const { settlings } = showDossier(dossier, now, gateway.server.gateway.hash);
    // The list and the card must agree.
    expect(showFound(found, now).settlings).toEqual(settlings);
    return settlings.includes('paid-not-filled');
  };
  const proven = async (orderId: string): Promise<boolean> => {
    const order = await gateway.server.gateway.stores.orders.findAny(orderId);
    if (!order) throw new Error('no order');
    return await record().paidNotFilled(orderId, gateway.clock.now(), order);
  };
  const is = async (one: Awaited<ReturnType<typeof filled>>, stage: string): Promise<true> =>
    await gateway.passUntil(stage, async () => ((await one.stage()) === stage ? true : undefined));

  it.each(['filled', 'finished'])('at %s: nothing while the link is valid, then once', async (stage) => {
    const one = await filled('alpine');
    await is(one, 'filled');
    expect([await shown(one.orderId), await proven(one.orderId)]).toEqual([false, false]);
    await gateway.clock.still(async () => {
      expect((await one.withdraw()).status).toBe(200);
      if (stage === 'finished') await control('alpine').pay(one.upstreamId, 'finished');
      expect([await one.stage(), await shown(one.orderId), await proven(one.orderId)]).toEqual([expect.any(String), false, false]);
    });
    await is(one, stage);
    gateway.clock.move(3_600_000);
    expect([await shown(one.orderId), await proven(one.orderId), await shown(one.orderId), await proven(one.orderId)]).toEqual([true, true, false, false]);
    const [fill] = await gateway.database.sql`select told_receive::int as told, counted_in as row from fills where order_id = ${one.orderId}`;
    expect(fill).toEqual({ told: 0, row: 'estimates' });
  });

  it('an estimate that was filled more than an hour after its quote, without a live reference price: it delivered nothing', async () => {
    const one = await filled('alpine', 3_500_000);
    await is(one, 'filled');
    await gateway.database.sql`update fills set quoted_on = quoted_on - interval '1 hour' where order_id = ${one.orderId}`;
    expect((await one.withdraw()).status).toBe(200);
    expired();
    expect([await shown(one.orderId), await proven(one.orderId), await shown(one.orderId), await proven(one.orderId)]).toEqual([true, true, false, false]);
    const [fill] = await gateway.database.sql`select told_receive::int as told, counted_in as row from fills where order_id = ${one.orderId}`;
    expect(fill).toEqual({ told: 0, row: 'estimates' });
  });

  it('a promise that was paid late, since there is a proof of payment', async () => {
    const one = await filled('alpine');
    await is(one, 'filled');
    const { sql } = gateway.database;
    await sql`update fills set binding = true, counted_in = 'none' where order_id = ${one.orderId}`;
    await sql`update orders set expires_on = created_on - interval '3 days' where id = ${one.orderId}`;
    expect((await one.withdraw()).status).toBe(200);
    expired();
    expect([await shown(one.orderId), await proven(one.orderId), await shown(one.orderId)]).toEqual([true, true, false]);
    const [fill] = await sql`select told_receive::int as told, counted_in as row from fills where order_id = ${one.orderId}`;
    expect(fill).toEqual({ told: 0, row: 'broken' });
  });

  it('a promise that was paid late, also if its first link is given after the proof', async () => {
    const one = await filled('alpine');
    await is(one, 'filled');
    const { sql } = gateway.database;
    await sql`update fills set binding = true, counted_in = 'none' where order_id = ${one.orderId}`;
    await sql`update orders set expires_on = created_on - interval '3 days', link_read_on = null where id = ${one.orderId}`;
    await sql`insert into claims (order_id, state, attempt, created_on, next_try_on) values (${one.orderId}, 'review', 2, now(), '9999-01-01T00:00Z')`;
    expect(await proven(one.orderId)).toBe(true);
    const counted = async () => [
      (await record().read()).broken,
      await sql`select told_receive::int as told, counted_in as row, counted_quoted, counted_delivered from fills where order_id = ${one.orderId}`,
    ];
    const before = await counted();
    expect(before[1]).toEqual([expect.objectContaining({ told: 0, row: 'broken' })]);
    for (const sats of [1n, 1_000_000n]) {
      await sql`update orders set link_read_on = null where id = ${one.orderId}`;
      expect(await record().linkRead(one.orderId, sats, gateway.clock.now())).toBe(true);
      expect(await counted()).toEqual(before);
    }
  });

  it.each(['filled', 'finished'])('at %s: three days after the first request, whatever its provider says about the end of its link', async (stage) => {
    for (const end of ['2100-01-01T00:00Z', null, '1970-01-01T00:00Z']) {
      const one = await filled('alpine');
      await is(one, 'filled');
      expect((await one.withdraw()).status).toBe(200);
      if (stage === 'finished') await control('alpine').pay(one.upstreamId, 'finished');
      await is(one, stage);
      const { sql } = gateway.database;
      await sql`update claims set expires_on = ${end} where order_id = ${one.orderId}`;
      expect(await shown(one.orderId)).toBe(stage === 'finished' && end !== '2100-01-01T00:00Z');
      gateway.clock.move(3 * 86_400_000);
      expect([await shown(one.orderId), await proven(one.orderId), await shown(one.orderId)]).toEqual([true, true, false]);
    }
  });

  it('not while a link is held whose claim is in review, or that has no known end, unless the order is finished', async () => {
    const one = await filled('alpine');
    await is(one, 'filled');
    expect((await one.withdraw()).status).toBe(200);
    const { sql } = gateway.database;
    await sql`update claims set state = 'review', expires_on = '9999-01-01T00:00Z' where order_id = ${one.orderId}`;
    expect([await shown(one.orderId), await proven(one.orderId)]).toEqual([false, false]);
    for (const end of [null, new Date(0)]) {
      await sql`update claims set expires_on = ${end} where order_id = ${one.orderId}`;
      expect([await shown(one.orderId), await proven(one.orderId)]).toEqual([false, false]);
    }
    await control('alpine').pay(one.upstreamId, 'finished');
    await is(one, 'finished');
    expect([await shown(one.orderId), await proven(one.orderId), await shown(one.orderId)]).toEqual([true, true, false]);
  });
});

it('an expired link of an order that is not finished is asked for again, and shown again if the provider refuses', async () => {
  const friendly = await filled('alpine');
  const { body: first } = await friendly.withdraw();
  expired();
  const { status, body: fresh } = await friendly.withdraw();
  expect(status).toBe(200);
  expect(fresh['lnurlw']).not.toBe(first['lnurlw']);
  const strict = await filled('once');
  const { body: only } = await strict.withdraw();
  expired();
  for (let n = 0; n < 2; n += 1) expect((await strict.withdraw()).body['lnurlw']).toBe(only['lnurlw']);
  const [claim] = await gateway.database.sql`select state from claims where order_id = ${strict.orderId}`;
  expect(claim).toEqual({ state: 'held' });
  expect(gateway.logs.filter((line) => line.includes('claim_lost'))).toEqual([]);
  await control('once').pay(strict.upstreamId, 'finished');
  expect((await strict.withdraw()).body['code']).toBe('order-not-withdrawable');
});

it('the same fallback in capitals is the same fallback', async () => {
  const { withdraw } = await filled('alpine');
  const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
  // A link is valid for a second here, which two requests may take on a busy machine.
  const [first, second] = await gateway.clock.still(
    async () => [await withdraw({ failback_onchain: address }), await withdraw({ failback_onchain: address.toUpperCase() })] as const,
  );
  expect([first.status, second.status]).toEqual([200, 200]);
  expect(second.body).toEqual(first.body);
});

/** What an operator sees of an order, and the provider's sats in flight. */
const attentionTo = async (orderId: string, provider = 'thief') => {
  const { operator, record } = gateway.server.gateway.stores;
  const { late, claims: lost } = await operator.attention(100, gateway.clock.now() - 3 * 86_400_000, 3);
  const inFlight = await record.inFlight(provider, { own: 0n, wide: 0n }, gateway.clock.now());
  return { late: late.some((one) => one.orderId === orderId), lost: lost.includes(orderId), inFlight };
};
const lateByMetrics = async (): Promise<number | undefined> =>
  (await databaseGauges(gateway.database.sql)).find(({ name }) => name === 'orders_paid_late')?.value;

it('an order that the provider calls finished before anybody had a link can be withdrawn, is late after three days, and counts if the provider refuses', async () => {
  const { withdraw, stage, orderId } = await filled('thief');
  const isFilled = async (of: typeof stage): Promise<true> => await gateway.passUntil('filled', async () => ((await of()) === 'filled' ? true : undefined));
  await isFilled(stage);
  const { receive } = (await gateway.server.gateway.stores.orders.findAny(orderId)) ?? { receive: 0n };
  expect(await attentionTo(orderId)).toEqual({ late: false, lost: false, inFlight: receive });
  const before = await lateByMetrics();
  gateway.clock.move(3 * 86_400_000 + 60_000);
  await gateway.database.sql`update orders set stage_on = now() - interval '4 days' where id = ${orderId}`;
  expect(await attentionTo(orderId)).toMatchObject({ late: true, lost: false });
  expect(await lateByMetrics()).toBe((before ?? 0) + 1);
  for (let n = 0; n < 2; n += 1) {
    expect((await withdraw()).body['code']).toBe('claim-outcome-unknown');
    gateway.clock.move(600_000);
  }
  expect(await attentionTo(orderId)).toMatchObject({ late: true, lost: true });
  expect(gateway.logs.filter((line) => line.includes('order_finished_unlinked') && line.includes(orderId))).toHaveLength(1);
  const order = await gateway.server.gateway.stores.orders.findAny(orderId);
  if (!order) throw new Error('no order');
  const { record } = gateway.server.gateway.stores;
  // The provider says that it was paid next to nothing. The operator's proof says more.
  await gateway.database.sql`update fills set told_pay = 1 where order_id = ${orderId}`;
  expect(await record.paidNotFilled(orderId, gateway.clock.now(), order)).toBe(true);
  const [pay] = await gateway.database
    .sql`select told_pay = quoted_pay as whole, counted_quoted >= quoted_receive * 0.9 as counted from fills where order_id = ${orderId}`;
  expect(pay).toEqual({ whole: true, counted: true });
  const [fill] = await gateway.database.sql`select told_receive::int as told, counted_in as row from fills where order_id = ${orderId}`;
  expect(fill).toEqual({ told: 0, row: 'estimates' });
  const honest = await filled('alpine');
  await isFilled(honest.stage);
  const other = await gateway.server.gateway.stores.orders.findAny(honest.orderId);
  if (!other) throw new Error('no order');
  expect(await record.paidNotFilled(honest.orderId, gateway.clock.now(), other)).toBe(false);
});

describe('an order whose provider never gives a link', () => {
  const asked = async () => {
    const one = await filled('silent');
    await gateway.passUntil('filled', async () => ((await one.stage()) === 'filled' ? true : undefined));
    control('silent').setFault({ endpoint: 'withdrawal', fault: '503' });
    expect((await one.withdraw()).body['code']).toBe('claim-outcome-unknown');
    const { receive } = (await gateway.server.gateway.stores.orders.findAny(one.orderId)) ?? { receive: 0n };
    return { ...one, receive };
  };
  const attention = async (orderId: string) => await attentionTo(orderId, 'silent');

  it('is in flight again ten minutes after the customer asked, and late after three days, until there is a link', async () => {
    const { orderId, receive, withdraw } = await asked();
    expect(await attention(orderId)).toEqual({ late: false, lost: false, inFlight: 0n });
    gateway.clock.move(11 * 60_000);
    expect(await attention(orderId)).toEqual({ late: false, lost: false, inFlight: receive });
    gateway.clock.move(3 * 86_400_000);
    expect(await attention(orderId)).toEqual({ late: true, lost: false, inFlight: receive });
    const { sql } = gateway.database;
    const before = await lateByMetrics();
    await sql`update claims set created_on = now() - interval '4 days' where order_id = ${orderId}`;
    expect(await lateByMetrics()).toBe((before ?? 0) + 1);
    await sql`update claims set state = 'review' where order_id = ${orderId}`;
    expect(await attention(orderId)).toEqual({ late: true, lost: true, inFlight: receive });
    await sql`update claims set state = 'sending' where order_id = ${orderId}`;
    control('silent').clearFaults();
    await gateway.passUntil('a link', async () => ((await withdraw()).status === 200 ? true : undefined), { stepMs: 60_000, limitMs: 3_600_000 });
    expect(await attention(orderId)).toEqual({ late: false, lost: false, inFlight: 0n });
  });

  it('is in flight again ten minutes after the customer asked anew', async () => {
    const { orderId, receive } = await asked();
    const { sql } = gateway.database;
    gateway.clock.move(3_600_000);
    expect((await attention(orderId)).inFlight).toBe(receive);
    await sql`update claims set state = 'refused', fallback_hash = null where order_id = ${orderId}`;
    const { claims: store } = gateway.server.gateway.stores;
    expect(await store.reopen(orderId, { now: gateway.clock.now() }, { owner: 'test', seconds: 30 })).toBeDefined();
    expect((await attention(orderId)).inFlight).toBe(0n);
    gateway.clock.move(9 * 60_000);
    expect((await attention(orderId)).inFlight).toBe(0n);
    gateway.clock.move(2 * 60_000);
    expect((await attention(orderId)).inFlight).toBe(receive);
    // A row of the release before.
    await sql`update claims set asked_on = null where order_id = ${orderId}`;
    expect((await attention(orderId)).inFlight).toBe(receive);
    await sql`update claims set state = 'refused' where order_id = ${orderId}`;
    control('silent').clearFaults();
  });

  it('is not in flight once a link was refused with a fallback address, which may be one that no provider pays to', async () => {
    const { orderId, receive } = await asked();
    gateway.clock.move(11 * 60_000);
    const { sql } = gateway.database;
    const counts: [string, bigint][] = [];
    for (const [state, fallback] of [
      ['sending', 'a hash'],
      ['review', 'a hash'],
      ['refused', 'a hash'],
      ['refused', null],
      ['review', null],
    ] as const) {
      await sql`update claims set state = ${state}, fallback_hash = ${fallback} where order_id = ${orderId}`;
      counts.push([`${state}, ${fallback ?? 'no address'}`, (await attention(orderId)).inFlight]);
    }
    expect(counts).toEqual([
      ['sending, a hash', receive],
      ['review, a hash', 0n],
      ['refused, a hash', 0n],
      ['refused, no address', 0n],
      ['review, no address', receive],
    ]);
    control('silent').clearFaults();
  });
});

it('an order whose link expired is late three days later if the on-chain payment does not show', async () => {
  const { withdraw, orderId, upstreamId, stage } = await filled('alpine');
  expect((await withdraw({ failback_onchain: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' })).status).toBe(200);
  const plain = await filled('alpine');
  expect((await plain.withdraw()).status).toBe(200);
  gateway.clock.move(2 * 86_400_000);
  expect([await attentionTo(orderId), await attentionTo(plain.orderId)]).toMatchObject([{ late: false }, { late: false }]);
  gateway.clock.move(2 * 86_400_000);
  expect([await attentionTo(orderId), await attentionTo(plain.orderId)]).toMatchObject([{ late: true }, { late: false }]);
  // A link that never expires, or only after many years, keeps no order off the list.
  for (const end of [null, '2100-01-01T00:00Z']) {
    await gateway.database.sql`update claims set expires_on = ${end} where order_id = ${orderId}`;
    expect(await attentionTo(orderId)).toMatchObject({ late: false });
    gateway.clock.move(3 * 86_400_000);
    expect(await attentionTo(orderId)).toMatchObject({ late: true });
    gateway.clock.move(-3 * 86_400_000);
  }
  await control('alpine').pay(upstreamId, 'finished');
  await gateway.passUntil('the provider has paid', async () => ((await stage()) === 'finished' ? true : undefined));
  expect(await attentionTo(orderId)).toMatchObject({ late: false });
});
