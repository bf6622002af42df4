/** A clock that is set back by an hour holds nothing up for that hour. What was read before it was set back does not count as just read. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startSellWorld, type SellWorld } from '../support/sell-world.ts';

const hour = 3_600_000;
let gateway: TestGateway;
let world: SellWorld;
let wallet: Wallet;
let session_id: string;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } });
  world = await startSellWorld();
});
afterAll(async () => await Promise.all([gateway.close(), world.close()]));
beforeEach(async () => {
  wallet = createWallet(gateway.url);
  ({ sessionId: session_id } = await wallet.open());
  await wallet.call('/payment-options', { session_id });
  gateway.clock.move(-hour);
});
afterEach(() => gateway.clock.move(hour));

const ask = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
const settled = async <T>(read: () => Promise<T>, wanted: T): Promise<void> =>
  void (await gateway.passUntil('it was read', async () => ((await read()) === wanted ? true : undefined), { stepMs: 1, limitMs: 20 }));

it("an order is read again at its provider, as often as at any time, though the wallet's last read seems to be later", async () => {
  await gateway.clock.still(async () => {
    const { body } = await wallet.call('/quote', { session_id, ...ask });
    const id = String((await wallet.call('/order', { session_id, quote_id: body['quote_id'] })).body['order_id']);
    const { sql } = gateway.database;
    await sql`update orders set next_check_on = '9999-01-01' where id = ${id}`;
    const reads = async (): Promise<number> => {
      await wallet.call('/order-status', { session_id, order_id: id });
      return (await sql<{ checks: number }[]>`select checks from orders where id = ${id}`)[0]?.checks ?? -1;
    };
    gateway.clock.move(6000);
    expect([await reads(), await reads()]).toEqual([1, 1]);
    gateway.clock.move(-hour);
    expect([await reads(), await reads()]).toEqual([2, 2]);
    gateway.clock.move(hour);
  });
});

it('an account is read again', async () => {
  const call = await world.opened();
  const id = await world.connected(call, 'clock@example.com');
  world.control.disconnect('clock@example.com');
  world.gateway.clock.move(-hour);
  expect((await call('/sell/account-status', { account_id: id })).body['account_status']).toBe('needs_reconnect');
});

it("a provider's listing is read again", async () => {
  const { listings } = gateway.server.gateway.state;
  const readOn = (): boolean => [...listings.values()].every((one) => one.readOn <= gateway.clock.now());
  expect(readOn()).toBe(false);
  await wallet.call('/payment-options', { session_id });
  await settled(async () => await Promise.resolve(readOn()), true);
});

it("the operator's switch is seen, and the record is read", async () => {
  const { stores, state } = gateway.server.gateway;
  await stores.operator.setSwitch({ name: 'orders', mode: 'held', reason: 'a test', setOn: gateway.clock.now(), setBy: 'test' });
  const { body } = await wallet.call('/quote', { session_id, ...ask });
  expect(await wallet.call('/order', { session_id, quote_id: body['quote_id'] })).toMatchObject({ status: 503, body: { code: 'provider-unavailable' } });
  expect(state.record.readOn).toBeLessThanOrEqual(gateway.clock.now());
  await stores.operator.clearSwitch('orders');
});

it('the recovery secret is not given again for longer than otherwise', async () => {
  const open = async (id: unknown) => (await wallet.call('/session', { session_id: id })).body['recovery_secret'];
  const { body } = await wallet.call('/verify');
  expect([typeof (await open(body['session_id'])), typeof (await open(body['session_id']))]).toEqual(['string', 'string']);
  gateway.clock.move(-hour);
  expect(await open(body['session_id'])).toBeUndefined();
  gateway.clock.move(hour);
});
