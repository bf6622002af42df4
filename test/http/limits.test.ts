import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const appKey = 'app-key-of-the-wallet-0123456789';
let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
beforeAll(async () => {
  gateway = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 3600, repost: 'duplicates' } } },
    {
      config: {
        limits: { orders_per_minute: 2, verify_per_minute: 1000 },
        orders: { max_open: 50 },
        apps: { wallet: { key_hashes: [createHash('sha256').update(appKey).digest('hex')], quotes_per_minute: 2 } },
      },
    },
  );
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  await wallet.call('/payment-options', { session_id: sessionId });
});
afterAll(async () => await gateway.close());

const quote = async (session = sessionId, headers = {}) =>
  await wallet.call('/quote', { session_id: session, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 }, headers);
const order = async (quoteId: unknown) => await wallet.call('/order', { session_id: sessionId, quote_id: quoteId });

it('only what may become an order counts as one: repeats, withdrawals and webhook tests do not', async () => {
  gateway.simulators['alpine']?.control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
  const { body: first } = await quote();
  const pending = await order(first['quote_id']);
  expect(pending.body['code']).toBe('order-pending');
  for (let i = 0; i < 5; i += 1) expect((await order(first['quote_id'])).status).not.toBe(429);
  const { body } = await quote();
  const placed = await order(body['quote_id']);
  expect(placed.status).toBe(200);
  const claims = Array.from({ length: 6 }, async () => await wallet.call('/withdrawal', { session_id: sessionId, order_id: placed.body['order_id'] }));
  expect((await Promise.all(claims)).map((answer) => answer.body['code'])).toEqual(Array(6).fill('order-not-withdrawable'));
  expect((await wallet.call('/webhook-test', { session_id: sessionId, webhook_url: `${gateway.url}/nothing` })).status).toBe(200);
  const { body: third } = await quote();
  const refused = await order(third['quote_id']);
  expect([refused.status, refused.body['code'], refused.body['detail']]).toEqual([
    429,
    'rate-limited',
    'At most 2 new orders a minute are allowed in one session.',
  ]);
});

it('a pending order says when it is checked next', async () => {
  const other = createWallet(gateway.url);
  const { sessionId: session } = await other.open();
  const { body } = await quote(session);
  gateway.simulators['alpine']?.control.setFault({ endpoint: '*', fault: '500' });
  const again = async () => await other.call('/order', { session_id: session, quote_id: body['quote_id'] });
  const waits = await gateway.passUntil('the back-off grows', async () => {
    const answer = await again();
    return Number(answer.body['retry_after_ms']) > 2500 ? answer : undefined;
  });
  expect([waits.status, waits.body['code']]).toEqual([503, 'order-pending']);
  gateway.simulators['alpine']?.control.clearFaults();
});

it('typos while signing up use up a minute of their own, not the orders’', async () => {
  const other = createWallet(gateway.url);
  const { sessionId: session } = await other.open();
  const typo = async () => await other.call('/sell/accounts', { session_id: session, provider: 'nobody', email: 'a@example.com' });
  const answers = [await typo(), await typo(), await typo()];
  expect(answers.map((one) => one.status)).toEqual([400, 400, 429]);
  expect(answers[2]?.body['detail']).toBe('At most 2 requests about accounts and connections a minute are allowed in one session.');
  const { body } = await quote(session);
  expect((await other.call('/order', { session_id: session, quote_id: body['quote_id'] })).status).toBe(200);
});

it("an app's own number of quotes a minute is the one that counts", async () => {
  const headers = { authorization: `Bearer ${appKey}` };
  const answers = [];
  for (let i = 0; i < 3; i += 1) answers.push((await quote((await createWallet(gateway.url).open()).sessionId, headers)).status);
  expect(answers).toEqual([200, 200, 429]);
});
