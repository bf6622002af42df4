/** One order that cannot be counted in its provider's record must not hold up its own delivery, nor the record of the others. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
beforeAll(async () => {
  gateway = await startTestGateway({ cobalt: { simulator: { estimate: true, quoteTtlS: 3600 } } }, { config: { orders: { max_open: 20 } } });
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  await wallet.call('/payment-options', { session_id: sessionId });
});
afterAll(async () => await gateway.close());

const place = async (): Promise<string> => {
  const { body } = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 2 });
  const placed = await wallet.call('/order', { session_id: sessionId, quote_id: body['quote_id'] });
  expect(placed.status).toBe(200);
  return String(placed.body['order_id']);
};
const deliver = async (id: string): Promise<void> => {
  const { sql } = gateway.database;
  const [row] = await sql<{ upstream: string }[]>`select upstream_order_id as upstream from orders where id = ${id}`;
  await gateway.simulators['cobalt']?.control.pay(row?.upstream ?? '');
  await sql`update orders set next_check_on = to_timestamp(0) where id = ${id}`;
  await gateway.passUntil('it is filled', async () =>
    (await sql`select 1 from orders where id = ${id} and stage = 'filled'`).length === 1 ? true : undefined,
  );
};
const isCounted = async (id: string): Promise<boolean> =>
  (await gateway.database.sql`select 1 from fills f join orders o on o.id = f.order_id where o.id = ${id} and o.recorded_on is not null`).length === 1;
const countsAs = async (id: string, value: string): Promise<void> => {
  const { sql } = gateway.database;
  await sql`update intents set quote = jsonb_set(quote::jsonb, '{route,offers,0,countsAsBinding}', ${value}::text::jsonb)::json where order_id = ${id}`;
};
const logged = (id: string): number => gateway.logs.filter((line) => line.includes('"record_order"') && line.includes(id)).length;

it('an order that cannot be counted is delivered all the same; it is logged and tried again later, and stops no other', async () => {
  const [bad, good] = [await place(), await place()];
  await countsAs(bad, '"perhaps"');
  await deliver(bad);
  await deliver(good);
  expect([await isCounted(bad), await isCounted(good)]).toEqual([false, true]);
  // The other order is one that only background work can count, and comes later than the one that cannot be counted.
  const { sql } = gateway.database;
  await sql`delete from fills where order_id = ${good}`;
  await sql`update orders set recorded_on = null where id = ${good}`;
  await gateway.pass(1000);
  expect([await isCounted(bad), await isCounted(good), logged(bad)]).toEqual([false, true, 1]);
  await gateway.pass(60_000);
  expect(logged(bad)).toBe(1);
  await gateway.pass(600_000);
  expect(logged(bad)).toBe(2);
  await countsAs(bad, 'false');
  await gateway.pass(660_000);
  expect(await isCounted(bad)).toBe(true);
});

it('sums that a provider has made too large for their columns stay where they are, and its orders go on', async () => {
  const { sql } = gateway.database;
  await sql`update record_estimates set quoted_sats = 9223372036854775000, fast_quoted_sats = 9223372036854775000, all_quoted_sats = 9223372036854775000`;
  const order = await place();
  await deliver(order);
  expect(await isCounted(order)).toBe(true);
  expect(await sql`select all_quoted_sats::text as all from record_estimates`).toEqual([{ all: '9000000000000000000' }]);
});
