import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const quotesAMinute = 8;
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(
    {
      binding: { simulator: { quoteTtlS: 3600 } },
      same: { simulator: { quoteTtlS: 3600, repost: 'same' }, block: { repost: 'same' } },
      rejects: { simulator: { quoteTtlS: 4, repost: 'rejects', webhooks: false }, block: { repost: 'rejects', late_commit_max_s: 1 } },
    },
    {
      config: {
        routing: { expiry_margin_s: 0, shortest_life_s: 1 },
        limits: { quotes_per_minute: quotesAMinute, quotes_per_minute_network: 300, orders_per_minute: 1000 },
      },
    },
  );
});
afterAll(async () => await gateway.close());

const control = (id: string) => {
  const simulator = gateway.simulators[id];
  if (!simulator) throw new Error('no such simulator');
  return simulator.control;
};
const orderAt = async (id: string) => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  await wallet.call('/payment-options', { session_id: sessionId });
  const offers = async () => await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const { body } = await offers();
  const offer = (body['offers'] as { provider: { id: string }; quote_id: string }[]).find((one) => one.provider.id === id);
  const order = async () => await wallet.call('/order', { session_id: sessionId, quote_id: offer?.quote_id });
  const kept = async () =>
    (
      await gateway.database.sql<{ id: string; state: string; evidence: unknown }[]>`
      select id, state, evidence from intents where quote_id = ${String(offer?.quote_id)}`
    )[0];
  return { order, kept, offers };
};
const alerts = (intent: string) => gateway.logs.filter((line) => line.includes('money_in_withheld_order') && line.includes(intent) && line.includes('"error"'));

it('money in an order that was withheld is seen when its provider rings: review and an alert', async () => {
  control('binding').setFault({ endpoint: 'order', fault: 'order-amounts-differ', times: 1 });
  const { order, kept } = await orderAt('binding');
  expect((await order()).body['code']).toBe('price-changed');
  expect((await kept())?.state).toBe('unpayable');
  await control('binding').pay(control('binding').history.orders.at(-1)?.orderId ?? '');
  const intent = await gateway.passUntil('it is in review', async () => {
    const row = await kept();
    return row?.state === 'review' ? row : undefined;
  });
  expect(intent.evidence).toEqual({ note: 'the attempt ended as "unpayable", yet the provider reports filled' });
  expect(alerts(intent.id).length).toBe(1);
  expect((await order()).body['code']).toBe('price-changed');
});

it('and without a notice when its quote has expired', async () => {
  control('rejects').setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
  const { order, kept } = await orderAt('rejects');
  expect((await order()).body['code']).toBe('order-pending');
  await gateway.passUntil('it is unpayable', async () => ((await kept())?.state === 'unpayable' ? true : undefined));
  await control('rejects').pay(control('rejects').history.orders.at(-1)?.orderId ?? '', 'finished');
  const intent = await gateway.passUntil('it is in review', async () => {
    const row = await kept();
    return row?.state === 'review' ? row : undefined;
  });
  expect(alerts(intent.id).length).toBe(1);
});

it('a price that changed behind the requests is answered once: two repeats at a time get the same offers', async () => {
  control('same').setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
  const { order, kept } = await orderAt('same');
  expect((await order()).body['code']).toBe('order-pending');
  control('same').setFault({ endpoint: 'order', fault: 'order-amounts-differ', times: 5 });
  const intent = await gateway.passUntil('it is unpayable', async () => {
    const row = await kept();
    return row?.state === 'unpayable' ? row : undefined;
  });
  // Meanwhile, the background check of another instance has leased the order attempt.
  await gateway.database.sql`update intents set lease_owner = 'another', lease_until = now() + interval '1 year' where id = ${intent.id}`;
  const answers = [...(await Promise.all([order(), order()])), await order()];
  const offers = answers.map(({ body }) => JSON.stringify(body['offers']));
  expect([answers.map(({ body }) => body['code']), new Set(offers).size]).toEqual([['price-changed', 'price-changed', 'price-changed'], 1]);
  expect(offers[0]).toContain('quote_id');
});

it('repeats of an order whose price changed ask for no more prices than the limit of quotes allows', async () => {
  control('binding').setFault({ endpoint: 'order', fault: 'order-amounts-differ', times: 1 });
  const { order } = await orderAt('binding');
  const asked = () => control('same').history.requests.filter(({ endpoint }) => endpoint === 'quote').length;
  const before = asked();
  // The prices are slow, so all repeats come before the first of them has stored the offers that it gets.
  control('same').setFault({ endpoint: 'quote', fault: 'latency', ms: 300, times: 1000 });
  const answers = await Promise.all(Array.from({ length: 30 }, async () => await order()));
  control('same').clearFaults();
  expect(new Set(answers.map(({ body }) => body['code']))).toEqual(new Set(['price-changed']));
  const asks = asked() - before;
  // The request for the offers from which the order was chosen counts, too.
  expect([asks > 0, asks <= quotesAMinute - 1]).toEqual([true, true]);
  // The limit was reached: some answers have no offers. A later repeat gets the stored ones, and asks for no prices.
  expect(answers.some(({ body }) => body['offers'] === undefined)).toBe(true);
  expect([((await order()).body['offers'] as unknown[]).length > 0, asked() - before]).toEqual([true, asks]);
});

it('an order that its provider no longer tells of is an alert, once, and goes on being followed', async () => {
  const { order, offers } = await orderAt('binding');
  const { body } = await order();
  const orderId = String(body['order_id']);
  control('binding').setFault({ endpoint: 'quote', fault: 'session-expired', times: 1 });
  await offers();
  const look = async () => await gateway.database.sql`update orders set next_check_on = now() where id = ${orderId} and not final`;
  const checks = async () => (await gateway.database.sql<{ checks: number }[]>`select checks from orders where id = ${orderId}`)[0]?.checks ?? 0;
  for (const n of [1, 2, 3]) {
    await look();
    await gateway.passUntil('it was looked at', async () => ((await checks()) >= n ? true : undefined));
  }
  const alerts = gateway.logs.filter((line) => line.includes('order_unreadable') && line.includes(orderId) && line.includes('"error"'));
  expect(alerts.length).toBe(1);
  const [row] = await gateway.database.sql`select final, stage, next_check_on > now() as followed from orders where id = ${orderId}`;
  expect(row).toEqual({ final: false, stage: 'awaiting_payment', followed: true });
  expect(await (await fetch(`${gateway.url}/metrics`)).text()).toContain('ramp_order_oddities_total{provider="binding",kind="unreadable"} 1');
});
