import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(
    { rejects: { simulator: { quoteTtlS: 4, repost: 'rejects', webhooks: false }, block: { repost: 'rejects', late_commit_max_s: 1 } } },
    { config: { routing: { expiry_margin_s: 0, shortest_life_s: 1 } } },
  );
});
afterAll(async () => await gateway.close());

// Without a restore, such an order is withheld for good, because no customer can have been shown how to pay for it.
it('a restored placing whose order is there goes to review: its way to pay may have been shown since the backup', async () => {
  const control = gateway.simulators['rejects']?.control;
  control?.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const quoteId = String(quote.body['quote_id']);
  expect((await wallet.call('/order', { session_id: sessionId, quote_id: quoteId })).body['code']).toBe('order-pending');
  expect((await gateway.server.gateway.stores.operator.distrustRestored(gateway.clock.now())).placings).toBe(1);
  const settled = await gateway.passUntil('it is settled', async () => {
    const [row] = await gateway.database.sql<{ state: string }[]>`select state from intents where quote_id = ${quoteId}`;
    return row?.state === 'unknown' ? undefined : row?.state;
  });
  expect([settled, control?.history.orders.length]).toEqual(['review', 1]);
});
