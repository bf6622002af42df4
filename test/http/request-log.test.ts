import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
let orderId: string;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: {} } });
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  const { body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 2 });
  const [offer] = body['offers'] as { quote_id: string }[];
  for (const _ of ['first', 'repeat']) orderId = String((await wallet.call('/order', { session_id: sessionId, quote_id: offer?.quote_id })).body['order_id']);
});
afterAll(async () => await gateway.close());

const requests = (): Record<string, unknown>[] =>
  gateway.logs.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === 'request');

it("names the order and its provider in the line of each request about one order, so that support finds them by the order's id", async () => {
  await wallet.call('/order-status', { session_id: sessionId, order_id: orderId });
  await wallet.call('/withdrawal', { session_id: sessionId, order_id: orderId });
  const about = requests().filter(({ order }) => order === orderId);
  expect(about.map(({ route, status, code, provider }) => [route, status, code, provider])).toEqual([
    ['/order', 200, undefined, 'alpine'],
    ['/order', 200, undefined, 'alpine'],
    ['/order-status', 200, undefined, undefined],
    ['/withdrawal', 409, 'order-not-withdrawable', undefined],
  ]);
  for (const { time } of about) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

it('says why a request was refused', async () => {
  await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000 });
  await wallet.call('/order-status', { session_id: '3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11', order_id: orderId });
  expect(
    requests()
      .slice(-2)
      .map(({ route, status, code }) => [route, status, code]),
  ).toEqual([
    ['/offers', 400, 'invalid-request'],
    ['/order-status', 401, 'session-invalid'],
  ]);
});
