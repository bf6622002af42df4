/** A wallet may ask about its orders as often as it likes; how many of its questions become calls to a provider is limited. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, walletFrom, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 3600 } } },
    {
      config: {
        trusted_proxies: ['127.0.0.1'],
        limits: { verify_per_minute: 100, quotes_per_minute: 3, quotes_per_minute_network: 4, orders_per_minute: 100 },
      },
    },
  );
});
afterAll(async () => await gateway.close());

/** A customer with an order that background work does not poll. `ask` reads it, six seconds after the last time. */
const customer = async (ip: string) => {
  const wallet: Wallet = walletFrom(gateway.url, ip);
  const { sessionId: session_id } = await wallet.open();
  await wallet.call('/payment-options', { session_id });
  const { body } = await wallet.call('/quote', { session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const id = String((await wallet.call('/order', { session_id, quote_id: body['quote_id'] })).body['order_id']);
  await gateway.database.sql`update orders set next_check_on = '9999-01-01' where id = ${id}`;
  const ask = async (): Promise<unknown> => {
    gateway.clock.move(6_000);
    const { status, body: orders } = await wallet.call('/order-status', { session_id, order_id: id });
    expect(status).toBe(200);
    return (orders[id] as { stage?: string }).stage;
  };
  const reads = async (): Promise<number> => (await gateway.database.sql<{ checks: number }[]>`select checks from orders where id = ${id}`)[0]?.checks ?? -1;
  return { id, ask, reads };
};

it('beyond the limit of a session the stored state is shown, and an order with money is read all the same', async () => {
  await gateway.clock.still(async () => {
    const { id, ask, reads } = await customer('203.0.113.1');
    for (let n = 0; n < 9; n += 1) expect(await ask()).toBe('awaiting_payment');
    expect(await reads()).toBe(6);
    await gateway.database.sql`update orders set stage = 'paid' where id = ${id}`;
    expect(await ask()).toBe('paid');
    expect(await reads()).toBe(7);
    await gateway.database.sql`update orders set stage = 'awaiting_payment' where id = ${id}`;
    gateway.clock.move(60_000);
    await ask();
    expect(await reads()).toBe(8);
  });
});

it('the sessions of one network have a limit in common', async () => {
  await gateway.clock.still(async () => {
    const [one, two] = [await customer('203.0.113.2'), await customer('203.0.113.2')];
    for (let n = 0; n < 4; n += 1) await Promise.all([one.ask(), two.ask()]);
    expect((await one.reads()) + (await two.reads())).toBe(8);
    await Promise.all([one.ask(), two.ask()]);
    expect((await one.reads()) + (await two.reads())).toBe(8);
    const other = await customer('203.0.113.3');
    await other.ask();
    expect(await other.reads()).toBe(1);
  });
});
