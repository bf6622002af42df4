import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { runCommand, type Ran } from './run.ts';

const environment: Record<string, string> = freshSecrets(randomBytes);
const sealKeyId = environment['SEAL_KEY']?.split(':')[0];
let gateway: TestGateway;
let receiver: WebhookReceiver;
let customer = '';
const wallet = { sessionId: '', reference: '', orderId: '', quoteId: '', hook: '' };
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } }, { environment });
  const mine = createWallet(gateway.url);
  wallet.sessionId = (await mine.open()).sessionId;
  const quote = await mine.call('/quote', { session_id: wallet.sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  wallet.quoteId = String(quote.body['quote_id']);
  wallet.hook = `${receiver.url}/hook-of-a-person`;
  const order = await mine.call('/order', { session_id: wallet.sessionId, quote_id: wallet.quoteId, webhook_url: wallet.hook });
  wallet.orderId = String(order.body['order_id']);
  const { payment_details: details } = order.body['payment_info'] as { payment_details: Record<string, string> };
  wallet.reference = Object.entries(details).find(([name]) => /reference/i.test(name))?.[1] ?? 'none';
  const [row] = await gateway.database.sql<{ customer_id: string }[]>`select customer_id from orders where id = ${wallet.orderId}`;
  customer = row?.customer_id ?? '';
});
afterAll(async () => {
  await gateway.close();
  await receiver.close();
});
/** What is stored in addition to the order: a decision's receipts, a fill, and the providers that are excluded for the customer. */
const more = { routeId: '', until: Date.UTC(2099, 0), exported: [] as string[] };
beforeAll(async () => {
  await gateway.server.idle();
  const { sql } = gateway.database;
  const mine = createWallet(gateway.url);
  const asked = { session_id: wallet.sessionId, amount_fiat: 20_000, currency_id: 1, payment_option_id: 1 };
  more.routeId = String((await mine.call('/offers', asked)).body['offers_id']);
  expect((await mine.call('/route', { session_id: wallet.sessionId, quote_id: more.routeId })).status).toBe(200);
  expect(await gateway.server.gateway.stores.record.paidNotFilled(wallet.orderId, Date.now())).toBe(true);
  await sql`update customers set declined = ${sql.json({ cobalt: more.until })} where id = ${customer}`;
  await sql`update intents set network_key = 'network-of-a-person', payout_key = 'invoice-of-a-person ' || id`;
});
/** Runs the command with what it needs: none of the gateway's other keys. */
const run = async (...args: string[]): Promise<Ran> =>
  await runCommand('customer', args, { SEAL_KEY: environment['SEAL_KEY'] ?? '', DATABASE_URL: gateway.database.url });

it('exports what is stored about a person, in clear, without bearer values', async () => {
  const { code, out, error } = await run('export', customer);
  expect([code, error]).toEqual([0, '']);
  const data = JSON.parse(out) as {
    customer: { declined: object };
    orders: { id: string; webhook_url: string }[];
    sessions: object[];
    prices_asked: object[];
    fills: object[];
    receipts: { subject_id: string; kind: string; jws: string }[];
  };
  more.exported = Object.keys(data);
  expect(data.orders).toMatchObject([{ id: wallet.orderId, webhook_url: wallet.hook }]);
  expect([data.sessions.length, data.prices_asked.length]).toEqual([1, 2]);
  expect(data.customer.declined).toEqual({ cobalt: more.until });
  expect(data.fills).toMatchObject([{ order_id: wallet.orderId, told_receive: null, quoted_pay: '10000' }]);
  expect(data.receipts.map(({ subject_id, kind }) => [subject_id, kind])).toEqual([
    [wallet.orderId, 'decision'],
    [more.routeId, 'decision'],
  ]);
  expect(data.receipts.every(({ jws }) => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(jws))).toBe(true);
  expect(out).toContain(wallet.reference);
  expect(out).not.toContain(`"v1.${sealKeyId}.`);
});

it('deletes no customer while money may move', async () => {
  const { code, error } = await run('forget', customer);
  expect([code, error]).toEqual([1, `nothing was deleted, because money may still move:\n  order ${wallet.orderId} is awaiting_payment\n`]);
  expect((await run('forget', '00000000-0000-4000-8000-000000000000')).error).toContain('there is no such customer');
});

it('nor while a placing without an order is in review, or before it is checked for the last time', async () => {
  const { sql } = gateway.database;
  const orderId = '00000000-0000-4000-8000-00000000000a';
  const own = { id: orderId, order_id: orderId, quote_id: orderId, payout_key: null, provider_session_id: null };
  await sql`insert into intents select copy.* from intents i, jsonb_populate_record(i, ${sql.json(own)}) copy`;
  const refusedWith = async (state: string): Promise<string | undefined> => {
    await sql`update intents set state = ${state}, next_try_on = '2030-01-02T03:04:05Z' where id = ${orderId}`;
    return (await run('forget', customer)).error.split('\n')[2];
  };
  expect(await refusedWith('review')).toBe(`  order ${orderId} is in review`);
  expect(await refusedWith('unpayable')).toBe(`  order ${orderId} is to be checked once more, at 2030-01-02T03:04:05Z`);
  expect(await refusedWith('dead')).toBe(`  order ${orderId} is to be checked once more, at 2030-01-02T03:04:05Z`);
  await sql`update intents set next_try_on = '9999-01-01T00:00Z' where id = ${orderId}`;
  // The placing of an order that `restored` adopted stays in review, whatever the order's stage. Only the order's own line is printed.
  await sql`update intents set state = 'review' where order_id = ${wallet.orderId}`;
  expect((await run('forget', customer)).error).toBe(`nothing was deleted, because money may still move:\n  order ${wallet.orderId} is awaiting_payment\n`);
  await sql`delete from intents where id = ${orderId}`;
  await sql`update intents set state = 'confirmed'`;
});

it('forgets: nothing that opens or leads to the customer is left, the books are', async () => {
  const { sql } = gateway.database;
  await sql`update orders set final = true, stage = 'finished' where id = ${wallet.orderId}`;
  // A webhook about a connection, or about a payment without an order, has a subject of its own.
  const account = crypto.randomUUID();
  await sql`insert into accounts (id, customer_id, provider_id, status, status_on, created_on) values (${account}, ${customer}, 'alpine', 'connected', now(), now())`;
  await sql`insert into deliveries (id, subject_id, type, sequence, body, url, host, created_on, due_on, state)
    values ('msg_1', ${crypto.randomUUID()}, 'connection_status', 1,
      ${JSON.stringify({ type: 'connection_status', data: { account_id: account, connection_id: crypto.randomUUID() } })},
      'sealed-url-of-a-person', 'wallet.example', now(), now(), 'done')`;
  const { code, out } = await run('forget', customer);
  expect(code).toBe(0);
  expect(out).toMatch(/^forgotten: .*routes 2, orders 1, intents 1, .*sessions 1, customers 1\n/);
  const dumped: string[] = [];
  for (const { name } of await sql<{ name: string }[]>`select table_name as name from information_schema.tables where table_schema = 'public'`)
    dumped.push(...(await sql<{ row: string }[]>`select t::text as row from ${sql(name)} t`).map(({ row }) => `${name} ${row}`));
  const text = dumped.filter((row) => !row.startsWith('provider_sessions') && !row.startsWith('operator_actions')).join('\n');
  for (const gone of [
    'network-of-a-person',
    'invoice-of-a-person',
    wallet.reference,
    'hook-of-a-person',
    'url-of-a-person',
    account,
    sha256Hex(wallet.sessionId),
    `v1.${sealKeyId}.`,
    wallet.quoteId.slice(0, 34) + '00',
  ])
    expect(text).not.toContain(gone);
  expect(text).toContain(wallet.orderId);
  // The route is deleted, but its receipt, which names no person, stays in the tree of its day.
  expect(dumped.filter((row) => row.includes(more.routeId)).map((row) => row.split(' ')[0])).toEqual(['receipts']);
  const answer = await createWallet(gateway.url).call('/order-status', { session_id: wallet.sessionId });
  expect(answer.status).toBe(401);
  const [row] = await sql<{ pay: string }[]>`select pay::text as pay from orders where id = ${wallet.orderId}`;
  expect(row?.pay).toBe('10000');
  const [nobody] = await sql<object[]>`select key_hash, recovery_hash, declined from customers where id = ${customer}`;
  expect(nobody).toEqual({ key_hash: null, recovery_hash: null, declined: null });
  // The order's amounts, its fill and the receipts are kept, but do not lead to the person.
  const fills = await sql<{ row: string }[]>`select f::text as row from fills f where order_id = ${wallet.orderId}`;
  expect([fills.length, fills[0]?.row.includes(customer)]).toEqual([1, false]);
  const receipts = await sql<{ jws: string }[]>`select jws from receipts`;
  const told = receipts.map(({ jws }) => Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString());
  expect(told).toHaveLength(2);
  for (const gone of [
    customer,
    wallet.sessionId,
    sha256Hex(wallet.sessionId),
    wallet.reference,
    'hook-of-a-person',
    'network-of-a-person',
    'invoice-of-a-person',
  ])
    for (const text of told) expect(text).not.toContain(gone);
});

it('every table that leads to a person is exported, or deleted with the person', async () => {
  const { sql } = gateway.database;
  const leading = await sql<{ name: string }[]>`
    select distinct table_name as name from information_schema.columns where table_schema = 'public'
      and column_name ~ '^(customer|session|account|order|subject|owner|caller|target|intent)(_|$)' order by table_name`;
  const exportedAs: Record<string, string> = { customers: 'customer', intents: 'placings', routes: 'prices_asked' };
  const exported = (name: string): boolean => more.exported.includes(exportedAs[name] ?? name);
  // Not exported: providers' notices, stored answers, counters, provider sessions, which settlements were reported, and the log of the operator's
  // actions. That log names customers by id until retention.operator_log_days have passed.
  const notTold = ['daily_uses', 'idempotency_keys', 'notices', 'operator_actions', 'provider_sessions', 'settlements'];
  expect(leading.map(({ name }) => name).filter((name) => !exported(name))).toEqual(notTold);
  expect(leading.map(({ name }) => name)).toEqual(expect.arrayContaining(['fills', 'receipts', 'routes']));
});
