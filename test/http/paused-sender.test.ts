import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } });
});
afterAll(async () => await gateway.close());

it.each([
  ['its row is taken', 'order-pending', 'unknown', 503, "update intents set state = 'unknown', next_try_on = now() + interval '1 hour', lease_owner = 'other'"],
  ['nobody took its row', 'provider-unavailable', 'rejected', 200, 'select 1'],
])('a sender paused past its lease sends nothing: %s', async (_when, code, state, repeated, meanwhile) => {
  const inner = gateway.server.gateway;
  const { now } = inner;
  const { intents } = inner.stores;
  const startSending = intents.startSending.bind(intents);
  const history = gateway.simulators['alpine']?.control.history;
  const before = history?.orders.length;
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const order = async () => await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] });
  // The sender pauses when it has leased the row: a minute goes by, but only on this sender's clock.
  intents.startSending = async (...given) => {
    const started = await startSending(...given);
    await gateway.database.sql.unsafe(meanwhile);
    inner.now = () => now() + 60_000;
    return started;
  };
  const answered = await order();
  inner.now = now;
  intents.startSending = startSending;

  expect([answered.body['code'], history?.orders.length]).toEqual([code, before]);
  const rows = await gateway.database.sql`select state from intents where quote_id = ${String(quote.body['quote_id'])}`;
  expect(rows).toEqual([{ state }]);
  expect((await order()).status).toBe(repeated);
  await gateway.database.sql`delete from intents where state = 'unknown'`;
});
