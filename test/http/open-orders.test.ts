import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomBytes } from 'node:crypto';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600, latencyMs: 30 } } });
});
afterAll(async () => await gateway.close());

it('of nine orders at the same time from nine sessions of one customer, exactly five are placed', async () => {
  const key = randomBytes(32).toString('hex');
  const wallets = Array.from({ length: 9 }, () => createWallet(gateway.url, key));
  const quoted = [];
  for (const wallet of wallets) {
    const { sessionId } = await wallet.open();
    await wallet.call('/payment-options', { session_id: sessionId });
    const { body } = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    quoted.push({ wallet, request: { session_id: sessionId, quote_id: body['quote_id'] } });
  }
  const answers = await Promise.all(quoted.map(async ({ wallet, request }) => await wallet.call('/order', request)));
  expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 200, 429, 429, 429, 429]);
  const refused = answers.find((answer) => answer.status === 429);
  expect(refused?.body['code']).toBe('too-many-open-orders');
  expect(refused?.body['order_ids']).toHaveLength(5);
  expect(gateway.simulators['alpine']?.control.history.orders.length).toBe(5);
});
