import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { runCommand, type Ran } from './run.ts';

let gateway: TestGateway;
let receiver: WebhookReceiver;
let orderId = '';
let quoteId = '';
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  gateway = await startTestGateway({
    alpine: { simulator: { quoteTtlS: 3600 } },
    slow: { simulator: { quoteTtlS: 3600, spreadBps: 90 } },
    broken: { simulator: {} },
  });
  gateway.simulators['broken']?.control.setFault({ endpoint: 'quote', fault: '500', times: 9 });
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  quoteId = String(quote.body['quote_id']);
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: quoteId, webhook_url: receiver.url, webhook_events: ['order_status_changed'] });
  orderId = String(order.body['order_id']);
});
afterAll(async () => {
  await gateway.close();
  await receiver.close();
});
const run = async (script: string, ...args: string[]): Promise<Ran> => await runCommand(script, args, { DATABASE_URL: gateway.database.url });
type Shown = {
  where: string;
  upstream_order_id: string;
  order: { stage: string; raw_status: string };
  events: { to: string; source: string }[];
  placing: { state: string; attempts: number; id: string };
  notices: { genuine: boolean; count: number }[];
  deliveries: { id: string; state: string; attempts: number; last_outcome: string }[];
  turns?: { order_id: string; quote_id: string; provider: string; state: string; evidence: object }[];
  route: { decision: { route: { offers: { providerId: string }[]; failed: { providerId: string; reason: string }[] } } };
};
const shown = async (id: string): Promise<Shown> => {
  const { code, out, error } = await run('order', id, '--json');
  expect([code, error]).toEqual([0, '']);
  return JSON.parse(out) as Shown;
};

it('says where an order is, by order id and by quote id', async () => {
  const order = await shown(orderId);
  expect(order.where).toMatch(/^awaiting_payment at alpine since .*; the provider said ".+"; polled again /);
  expect(order.placing).toMatchObject({ state: 'confirmed', attempts: 1 });
  expect(order.upstream_order_id).toBe(gateway.simulators['alpine']?.control.history.orders[0]?.orderId);
  expect(order.events).toMatchObject([{ to: 'awaiting_payment', source: 'place' }]);
  expect(order.route.decision.route.offers.map((one) => one.providerId)).toEqual(['alpine', 'slow']);
  expect(order.route.decision.route.failed).toMatchObject([{ providerId: 'broken', reason: 'server' }]);
  expect((await shown(quoteId)).placing.id).toBe(order.placing.id);
});

it('says where a request continued that its first provider refused, from either attempt', async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const { body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const [first, second] = (body['offers'] as { quote_id: string }[]).map((offer) => offer.quote_id);
  gateway.simulators['alpine']?.control.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: first, failover: { max: 1, min_amount_sats: 1 } });
  const [left, taken] = [await shown(first ?? ''), await shown(String(order.body['order_id']))];
  expect(left.where).toBe(`alpine did not take it; the request went on as order ${String(order.body['order_id'])} at slow`);
  expect(taken.where).toMatch(/^awaiting_payment at slow since /);
  expect(taken.turns).toMatchObject([
    { quote_id: first, provider: 'alpine', state: 'moved', evidence: { refused: 'declined' } },
    { order_id: order.body['order_id'], quote_id: second, provider: 'slow', state: 'confirmed' },
  ]);
  expect(left.turns).toEqual(taken.turns);
  expect((await shown(orderId)).turns).toBeUndefined();
});

it('shows notices, no forged ones, and what was delivered', async () => {
  const { id } = (await shown(orderId)).placing;
  await fetch(`${gateway.url}/notices/alpine/order/${id}/${'A'.repeat(22)}`, { method: 'POST', body: '{}' });
  await gateway.simulators['alpine']?.control.pay(gateway.simulators['alpine']?.control.history.orders[0]?.orderId ?? '');
  const order = await gateway.passUntil('the delivery', async () => {
    const now = await shown(orderId);
    return now.deliveries.some((one) => one.state === 'delivered') ? now : undefined;
  });
  expect(order.notices.map((one) => one.genuine)).not.toContain(false);
  const { code, out } = await run('deliveries', 'list', 'delivered');
  expect(code).toBe(0);
  const id0 = order.deliveries[0]?.id ?? '';
  expect(out).toContain(id0);
  const before = receiver.received.length;
  expect((await run('deliveries', 'resend', id0)).out).toBe(`${id0}  due now, under the same id\n`);
  await gateway.passUntil('it comes again', async () => {
    return receiver.received.length > before ? true : undefined;
  });
  expect(await run('deliveries', 'resend', '--dead')).toEqual({ code: 0, out: 'nothing to send: no webhook is dead\n', error: '' });
});

it('sends a waiting webhook now, and keeps its count of tries; one that is being sent is left alone', async () => {
  const { sql } = gateway.database;
  const [delivered] = await sql<{ id: string }[]>`select id from deliveries where state = 'delivered' limit 1`;
  const id = delivered?.id ?? '';
  await sql`update deliveries set state = 'due', attempt = 3, last_outcome = '5xx', due_on = now() + interval '1 day' where id = ${id}`;
  const [listed] = JSON.parse((await run('deliveries', 'list', 'due', '--json')).out) as object[];
  expect(listed).toMatchObject({ id, state: 'due', attempts: 3, last_outcome: '5xx', host: new URL(receiver.url).host });
  await sql`update deliveries set lease_owner = 'another', lease_until = now() + interval '1 minute' where id = ${id}`;
  expect(await run('deliveries', 'resend', id)).toMatchObject({ code: 1, out: expect.stringContaining('it is being sent') });
  await sql`update deliveries set lease_until = now() - interval '1 minute' where id = ${id}`;
  expect((await run('deliveries', 'resend', id)).out).toBe(`${id}  due now, under the same id\n`);
  expect(await sql`select state, attempt, due_on < now() + interval '1 minute' as now from deliveries where id = ${id}`).toEqual([
    { state: 'due', attempt: 3, now: true },
  ]);
  await gateway.passUntil('it comes', async () =>
    (await sql`select 1 from deliveries where id = ${id} and state = 'delivered'`).length > 0 ? true : undefined,
  );
});

it('lets an order leave review by the stage that the operator names', async () => {
  const { sql } = gateway.database;
  await sql`update orders set stage = 'review' where id = ${orderId}`;
  expect((await run('order', orderId, '--leave-review', 'awaiting_payment')).code).toBe(1);
  expect((await run('order', orderId, '--leave-review', 'awaiting_payment', '--reason', 'seen at the provider')).code).toBe(0);
  await gateway.passUntil('the next read agrees', async () => {
    const [row] = await sql<{ stage: string }[]>`select stage from orders where id = ${orderId}`;
    return row?.stage === 'filled' ? true : undefined;
  });
  expect((await run('order', orderId, '--leave-review', 'filled', '--reason', 'x')).error).toContain('no such order in review');
});

it('closes a placing in review from which no order came', async () => {
  const { sql } = gateway.database;
  const [id, other] = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b'];
  const own = { id, order_id: other, quote_id: id, provider_session_id: null, state: 'review', next_try_on: new Date().toISOString() };
  await sql`insert into intents select copy.* from intents i, jsonb_populate_record(i, ${sql.json(own)}) copy where i.order_id = ${orderId}`;
  // A placing in review that has an order is not listed itself, because the list shows the order's own stage.
  await sql`update intents set state = 'review' where order_id = ${orderId}`;
  const inReview = async (): Promise<string[]> => (await gateway.server.gateway.stores.operator.attention(10, 0, 3)).review.map((one) => one.orderId);
  expect(await inReview()).toEqual([other]);
  const none = 'there is no order attempt with this id that is in review and led to no order\n';
  expect((await run('order', orderId, '--close-placing', 'x')).error).toBe(`${orderId}: ${none}`);
  expect((await run('order', other, '--close-placing', ' ')).error).toBe('--close-placing needs the reason\n');
  expect(await run('order', other, '--close-placing', 'never came to be')).toEqual({ code: 0, out: `${id} is closed\n`, error: '' });
  expect(await inReview()).toEqual([]);
  expect(await sql`select state, next_try_on from intents where id = ${id}`).toEqual([{ state: 'dead', next_try_on: new Date(Date.UTC(9999, 0, 1)) }]);
  expect((await run('order', id, '--close-placing', 'again')).error).toBe(`${id}: ${none}`);
  expect(await sql`select subject, detail->>'reason' as reason from operator_actions where action = 'order.close-placing'`).toEqual([
    { subject: id, reason: 'never came to be' },
  ]);
});

it('lists an attempt that led to no order with what was quoted, and says why', async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 12_300, currency_id: 1, payment_option_id: 1 });
  const provider = (quote.body['provider'] as { id: string }).id;
  gateway.simulators[provider]?.control.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
  expect((await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] })).status).toBe(409);
  const sats = String(quote.body['amount_sats']);
  const { out } = await run('order', '--amount', '123 EUR');
  expect(out).toMatch(new RegExp(`^quoted +123\\.00 EUR for ${sats} sats$`, 'm'));
  expect(out).toMatch(/^evidence +refused declined/m);
  const day = new Date(gateway.clock.now()).toISOString().slice(0, 10);
  expect((await run('order', '--day', day)).out).toContain(`declined at ${provider}  123.00 EUR → ${sats} sats\n`);
});

it('shows that an order is disputed, that the customer may withdraw, and that the dispute was closed', async () => {
  const { sql } = gateway.database;
  // No read at the provider comes in between.
  await sql`update orders set next_check_on = '9999-01-01T00:00Z' where id = ${orderId}`;
  await gateway.server.idle();
  await sql`update orders set disputed = true, receive = receive - 5000 where id = ${orderId}`;
  const [row] = await sql<{ receive: bigint; quoted: bigint }[]>`select receive, quoted_receive as quoted from orders where id = ${orderId}`;
  const shownNow = async (): Promise<string> => (await run('order', orderId)).out;
  expect(await shownNow()).toContain('where      filled, disputed, at alpine since ');
  expect((await run('order', '--amount', '100')).out).toContain(`${orderId}  filled, disputed, at alpine  100.00 EUR`);
  expect((await run('order', orderId, '--release-short', 'agreed by mail')).out).toBe(
    `${orderId}: what was delivered can be withdrawn, ${row?.receive} of ${row?.quoted} sats. The rest stays owed\n`,
  );
  expect(await shownNow()).toContain('where      filled, disputed (the part may be withdrawn), at alpine since ');
  expect((await run('order', orderId, '--close-dispute', 'paid by hand')).code).toBe(0);
  expect(await shownNow()).toMatch(/^where +filled \(dispute closed \S+Z\) at alpine since /m);
});

it('releases nothing of a sale', async () => {
  const { sql } = gateway.database;
  await sql`update orders set disputed = true, ramp = 'sell' where id = ${orderId}`;
  const { code, error } = await run('order', orderId, '--release-short', 'x');
  expect([code, error]).toEqual([1, expect.stringContaining('nothing is withdrawn from an order of the ramp "sell"')]);
  expect((await run('order', orderId)).out).not.toContain('--release-short');
  await sql`update orders set disputed = false, ramp = 'buy' where id = ${orderId}`;
});

it('says what does not exist, and how the command is used', async () => {
  expect(await run('order', '00000000-0000-4000-8000-000000000000')).toEqual({
    code: 1,
    out: '',
    error: '00000000-0000-4000-8000-000000000000: no order was found\n',
  });
  expect((await run('order', "'; drop table orders")).code).toBe(1);
  expect((await run('deliveries')).error).toContain('usage:');
  expect((await run('deliveries', 'resend', 'msg_x')).code).toBe(1);
  expect((await runCommand('order', [orderId], { DATABASE_URL: '' })).error).toContain('DATABASE_URL is not set');
});

it('records who did it by the name that is given, since in a container all people are one user', async () => {
  const as = async (name: string): Promise<Ran> => await runCommand('deliveries', ['list'], { DATABASE_URL: gateway.database.url, OPERATOR: name });
  expect((await as('alice@wallet.example')).code).toBe(0);
  const named = await gateway.database.sql`select action from operator_actions where actor = 'cli:alice@wallet.example'`;
  expect(named).toEqual([{ action: 'deliveries.list' }]);
  const refused = await as("a b'");
  expect([refused.code, refused.out, refused.error]).toEqual([1, '', expect.stringMatching(/^OPERATOR must be a name of letters.*\n$/)]);
});

it('records every read and action with who did it', async () => {
  const rows = await gateway.database.sql<
    { actor: string; action: string; subject: string }[]
  >`select actor, action, subject from operator_actions order by id`;
  expect(rows[0]).toMatchObject({ action: 'order.read', subject: orderId });
  expect(rows.every((row) => row.actor.startsWith('cli'))).toBe(true);
  expect(new Set(rows.map((row) => row.action))).toEqual(
    new Set([
      'order.read',
      'orders.search',
      'order.leave-review',
      'order.close-placing',
      'order.release-short',
      'order.close-dispute',
      'deliveries.list',
      'deliveries.resend',
    ]),
  );
});
