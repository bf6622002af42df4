import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
beforeAll(async () => {
  gateway = await startTestGateway({ cobalt: { simulator: { estimate: true, repost: 'same' }, block: { repost: 'same' } } });
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  await wallet.call('/payment-options', { session_id: sessionId });
});
afterAll(async () => await gateway.close());

const quote = async () =>
  String((await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 })).body['quote_id']);
const order = async (quoteId: string) => await wallet.call('/order', { session_id: sessionId, quote_id: quoteId });
const ordersUpstream = () => gateway.simulators['cobalt']?.control.history.orders.length;

it('an order whose payment details were forgotten is still told', async () => {
  const id = String((await order(await quote())).body['order_id']);
  await gateway.database.sql`update orders set final = true, expires_on = null, next_check_on = null, payment_info = '', webhook_url = null where id = ${id}`;
  const { status, body } = await wallet.call('/order-status', { session_id: sessionId });
  expect(status).toBe(200);
  expect(body[id]).toMatchObject({ stage: 'awaiting_payment', final: true, order_status: 'placed' });
  expect(Object.keys(body[id] as object)).not.toContain('payment_info');
});

it('what was not sent before accept_by is not sent afterwards', async () => {
  const before = ordersUpstream();
  const { intents } = gateway.server.gateway.stores;
  const create = intents.create.bind(intents);
  intents.create = async (intent, ...more) => {
    await create(intent, ...more);
    throw new Error('the process dies here');
  };
  const quoteId = await quote();
  expect((await order(quoteId)).status).toBe(500);
  intents.create = create;
  await gateway.database.sql`update intents set quote = jsonb_set(quote::jsonb, '{acceptBy}', '[1000]')::json where quote_id = ${quoteId}`;
  await gateway.database.sql`update intents set lease_owner = null, lease_until = null where quote_id = ${quoteId}`;
  const state = async () => (await gateway.database.sql<{ state: string }[]>`select state from intents where quote_id = ${quoteId}`)[0]?.state;
  await gateway.passUntil('it is settled', async () => ((await state()) === 'rejected' ? true : undefined));
  expect(ordersUpstream()).toBe(before);
});

it('many status requests for an order that cannot be read cause one read', async () => {
  const id = String((await order(await quote())).body['order_id']);
  await gateway.database.sql`update orders set created_on = created_on - interval '1 minute', next_check_on = now() + interval '1 hour' where id = ${id}`;
  const control = gateway.simulators['cobalt']?.control;
  const reads = () => control?.history.requests.filter((one) => one.endpoint === 'order-status').length ?? 0;
  const before = reads();
  control?.setFault({ endpoint: 'order-status', fault: '500' });
  const ask = async () => await wallet.call('/order-status', { session_id: sessionId, order_id: id });
  const together = await Promise.all(Array.from({ length: 20 }, ask));
  expect(new Set(together.map((answer) => answer.status))).toEqual(new Set([200]));
  for (let i = 0; i < 10; i += 1) expect((await ask()).status).toBe(200);
  expect(reads() - before).toBe(1);
  control?.clearFaults();
});
