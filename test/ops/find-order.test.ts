/** "Where is my order?", asked with whatever a customer can name: answered by one command, and one search of the log. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { runCommand, type Ran } from './run.ts';

let gateway: TestGateway;
let receiver: WebhookReceiver;
type Made = { orderId: string; quoteId: string; reference: string; requestId: string; upstreamId: string; attempt: string; customer: string };
let mine: Made;
let other: Made;
const buy = async (cents: number): Promise<Made> => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: cents, currency_id: 1, payment_option_id: 1 });
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'], webhook_url: receiver.url });
  const { payment_details: details } = order.body['payment_info'] as { payment_details: Record<string, string> };
  const orderId = String(order.body['order_id']);
  const [row] = await gateway.database.sql<Pick<Made, 'requestId' | 'upstreamId' | 'attempt' | 'customer'>[]>`
    select request_id as "requestId", upstream_order_id as "upstreamId", id as attempt, customer_id as customer from intents where order_id = ${orderId}`;
  if (!row) throw new Error('no attempt');
  return { orderId, quoteId: String(quote.body['quote_id']), reference: details['payment_reference'] ?? 'none', ...row };
};
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } });
  mine = await buy(10_000);
  other = await buy(5000);
});
afterAll(async () => {
  await gateway.close();
  await receiver.close();
});
const run = async (...args: string[]): Promise<Ran> => await runCommand('order', args, { DATABASE_URL: gateway.database.url });

it('the customer paid 100 EUR, names the reference, and nothing came: one command and one search of the log answer', async () => {
  const { code, out, error } = await run(
    ` ${mine.reference.toLowerCase()}`,
    '--amount',
    '100 EUR',
    '--day',
    new Date(gateway.clock.now()).toISOString().slice(0, 10),
  );
  expect([code, error]).toEqual([0, '']);
  const lines = out.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(25);
  const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
  for (const line of [
    `^order +${mine.orderId}  buy at alpine$`,
    `^where +awaiting_payment at alpine since ${time}; the provider said "placed"; polled again ${time}$`,
    '^pays +100\\.00 EUR by SEPA$',
    '^gets +\\d+ sats, fee \\d+\\.\\d\\d EUR$',
    `^stages +${time} awaiting_payment \\(place\\)$`,
    `^provider +order id ${mine.upstreamId}, last status "placed", read never yet$`,
    `^next +polled ${time}; can be paid until ${time}$`,
    `^ids +request ${mine.requestId}, quote ${mine.quoteId}, attempt ${mine.attempt}$`,
    `^ +customer ${mine.customer}$`,
    `^you can +npm run order -- ${mine.orderId} --paid-not-filled "<proof of payment>"$`,
  ])
    expect(out).toMatch(new RegExp(line, 'm'));
  const logged = gateway.logs
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['order'] === mine.orderId && line['event'] === 'request');
  expect(logged).toMatchObject([{ route: '/order', status: 200, request_id: mine.requestId, provider: 'alpine' }]);
});

it('a provider’s word neither makes lines of its own nor gives the terminal commands', async () => {
  const { sql } = gateway.database;
  const said = (await run(mine.orderId)).out.split('\n').length;
  const word = 'refunded", read\u001b]52;c;eA==\u0007\r\nnext       nothing: the order is final\u2028\u202e\u009b8m';
  await sql`update orders set raw_status = ${word} where id = ${mine.orderId}`;
  const { out } = await run(mine.orderId);
  await sql`update orders set raw_status = 'placed' where id = ${mine.orderId}`;
  expect(out.split('\n')).toHaveLength(said);
  expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
  expect(out).not.toMatch(/^next +nothing/m);
});

it.each(['orderId', 'quoteId', 'attempt', 'requestId', 'reference', 'upstreamId', 'customer'] as const)('finds it by its %s', async (name) => {
  expect((await run(mine[name])).out).toContain(`order      ${mine.orderId}  buy at alpine\n`);
  expect((JSON.parse((await run(mine[name], '--json')).out) as { order_id: string }).order_id).toBe(mine.orderId);
});

it('by amount, with and without a unit, and by day', async () => {
  for (const amount of ['50 EUR', '50.00EUR', '50']) expect((await run('--amount', amount)).out).toContain(other.orderId);
  expect(await run('--amount', '50 sats')).toEqual({ code: 1, out: '', error: 'this day or amount: no order was found\n' });
  expect((await run(mine.reference, '--amount', '50 EUR')).error).toBe(`${mine.reference}: no order was found\n`);
  expect((await run(mine.reference, '--day', '2001-01-01')).code).toBe(1);
  expect((await run('--day', 'tuesday')).error).toContain('--day needs a date');
  expect((await run('--amount', '1e3')).error).toContain('--amount needs a number');
});

it('lists the orders that may be meant', async () => {
  const day = new Date(gateway.clock.now()).toISOString().slice(0, 10);
  const { code, out } = await run('--day', day);
  expect([code, out.trimEnd().split('\n')]).toEqual([
    0,
    [
      expect.stringMatching(new RegExp(`^\\S+Z  ${other.orderId}  awaiting_payment at alpine  50\\.00 EUR → \\d+ sats$`)),
      expect.stringMatching(new RegExp(`^\\S+Z  ${mine.orderId}  awaiting_payment at alpine  100\\.00 EUR → \\d+ sats$`)),
      '2 orders: npm run order -- <order id> shows one',
    ],
  ]);
  expect((JSON.parse((await run('--day', day, '--json')).out) as object[]).length).toBe(2);
});

it('logs a search word as a hash only', async () => {
  const rows = await gateway.database.sql<{ detail: { word?: string } }[]>`select detail from operator_actions where action = 'orders.search'`;
  expect(rows.length).toBeGreaterThan(3);
  expect(JSON.stringify(rows).toLowerCase()).not.toContain(mine.reference.toLowerCase());
});
