import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { runCommand, type Ran } from './run.ts';

// Every command is a process of its own; on a busy machine that takes seconds.

const environment: Record<string, string> = freshSecrets(randomBytes);
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
const run = async (...args: string[]): Promise<Ran> => await runCommand('customer', args, { ...environment, DATABASE_URL: gateway.database.url });

it('gives a person what is stored of him, in clear, without bearer values', async () => {
  const { code, out, error } = await run('export', customer);
  expect([code, error]).toEqual([0, '']);
  const data = JSON.parse(out) as { orders: { id: string; webhook_url: string }[]; sessions: object[]; prices_asked: object[] };
  expect(data.orders).toMatchObject([{ id: wallet.orderId, webhook_url: wallet.hook }]);
  expect([data.sessions.length, data.prices_asked.length]).toEqual([1, 1]);
  expect(out).toContain(wallet.reference);
  expect(out).not.toMatch(/"v1\.s1\./);
});

it('forgets nobody while money may move', async () => {
  const { code, error } = await run('forget', customer);
  expect([code, error]).toEqual([1, `not forgotten, money may still move:\n  order ${wallet.orderId} is awaiting_payment\n`]);
  expect((await run('forget', '00000000-0000-4000-8000-000000000000')).error).toContain('there is no such customer');
});

it('nor while a placing without an order is in review, or before its last look', async () => {
  const { sql } = gateway.database;
  const orderId = '00000000-0000-4000-8000-00000000000a';
  const own = { id: orderId, order_id: orderId, quote_id: orderId, provider_session_id: null };
  await sql`insert into intents select copy.* from intents i, jsonb_populate_record(i, ${sql.json(own)}) copy`;
  const refusedWith = async (state: string): Promise<string | undefined> => {
    await sql`update intents set state = ${state}, next_try_on = now() + interval '1 hour' where id = ${orderId}`;
    return (await run('forget', customer)).error.split('\n')[2];
  };
  expect(await refusedWith('review')).toBe(`  order ${orderId} is in review`);
  expect(await refusedWith('unpayable')).toBe(`  order ${orderId} is to be looked at again`);
  expect(await refusedWith('dead')).toBe(`  order ${orderId} is to be looked at again`);
  await sql`update intents set next_try_on = '9999-01-01T00:00Z' where id = ${orderId}`;
  // An adopted order's placing stays in review, whatever became of the order.
  await sql`update intents set state = 'review' where order_id = ${wallet.orderId}`;
  expect((await run('forget', customer)).error).toBe(`not forgotten, money may still move:\n  order ${wallet.orderId} is awaiting_payment\n`);
  await sql`delete from intents where id = ${orderId}`;
  await sql`update intents set state = 'confirmed'`;
});

it('forgets: nothing that opens or leads to him is left, the books are', async () => {
  const { sql } = gateway.database;
  await sql`update orders set final = true, stage = 'finished' where id = ${wallet.orderId}`;
  const { code, out } = await run('forget', customer);
  expect(code).toBe(0);
  expect(out).toMatch(/^forgotten: .*routes 1, orders 1, intents 1, .*sessions 1, customers 1\n/);
  const dumped: string[] = [];
  for (const { name } of await sql<{ name: string }[]>`select table_name as name from information_schema.tables where table_schema = 'public'`)
    dumped.push(...(await sql<{ row: string }[]>`select t::text as row from ${sql(name)} t`).map(({ row }) => `${name} ${row}`));
  const text = dumped.filter((row) => !row.startsWith('provider_sessions') && !row.startsWith('operator_actions')).join('\n');
  for (const gone of [wallet.reference, 'hook-of-a-person', sha256Hex(wallet.sessionId), 'v1.s1.', wallet.quoteId.slice(0, 34) + '00'])
    expect(text).not.toContain(gone);
  expect(text).toContain(wallet.orderId);
  const answer = await createWallet(gateway.url).call('/order-status', { session_id: wallet.sessionId });
  expect(answer.status).toBe(401);
  const [row] = await sql<{ pay: string }[]>`select pay::text as pay from orders where id = ${wallet.orderId}`;
  expect(row?.pay).toBe('10000');
});
