import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBringinSimulator, type RunningSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { catchUp } from '../../src/gateway/operator/after-restore.ts';
import { apiSecret, bringinBlock, masterKey } from '../support/bringin.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { activeConnection, connected, optionOf, payAddress } from '../support/scenarios/sell.ts';
import { opened } from '../support/wallet.ts';

const clock = movableClock();
let gateway: TestGateway;
let bringin: RunningSimulator;
beforeAll(async () => {
  bringin = await startBringinSimulator({ id: 'bringin', now: clock.now, masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20] });
  const environment = { BRINGIN_MASTER_KEY: masterKey, BRINGIN_API_SECRET: apiSecret };
  gateway = await startTestGateway({}, { clock, blocks: { bringin: bringinBlock(bringin.url) }, environment });
});
afterAll(async () => {
  await gateway.close();
  await bringin.close();
});

it('after a restore, adopts only sales that no order explains, and none from before the account was connected here', async () => {
  const wake = async (): Promise<void> => await gateway.pass(500);
  const { call } = await opened(gateway.url);
  const accountId = await connected({ bringin, wake }, call, 'alice@example.com');
  const connection = await activeConnection(wake, call, accountId, 'Savings', 'alice');
  const sepa = await optionOf(call, 'SEPA');
  const quote = await call('/sell/quote', { amount_sats: 250_000, ...sepa });
  const order = await call('/sell/order', { quote_id: quote.body['quote_id'], connection_id: connection['connection_id'] });
  const orderId = String(order.body['order_id']);
  const paid = await payAddress(bringin, 'alice', 250_000);
  await gateway.passUntil('filled', async () => {
    const { body } = await call('/sell/order-status', { order_id: orderId });
    return (body[orderId] as { stage: string }).stage === 'filled' ? true : undefined;
  });

  const { transactions } = bringin.control.user('alice@example.com');
  const [sale] = transactions;
  if (!sale) throw new Error('no sale');
  expect(sale.orderId).toBe(paid);
  const [added] = await gateway.database.sql<{ created_on: Date }[]>`select created_on from accounts where id = ${accountId}`;
  const addedOn = added?.created_on.getTime() ?? Number.NaN;
  const before = new Date(clock.now() - 30 * 86_400_000).toISOString();
  const lost = { ...sale, orderId: 'sold-in-the-lost-time', sourceAmount: '70000', createdAt: new Date(clock.now()).toISOString() };
  transactions.push(
    { ...sale, orderId: 'sold-elsewhere-last-month', createdAt: before },
    { ...lost, orderId: 'spent-with-the-card', type: 'CARD', subType: 'PAYMENT', sourceCurrency: 'EUR', sourceAmount: '5.00' },
    { ...lost, orderId: 'bought', type: 'FIAT_TO_CRYPTO', sourceCurrency: 'EUR', sourceAmount: '5.00', destinationCurrency: 'BTC', destinationAmount: '5000' },
    lost,
    // Bringin's clock may be slow by up to 15 minutes.
    { ...lost, orderId: 'sold-by-a-slow-clock', sourceAmount: '80000', createdAt: new Date(addedOn - 14 * 60_000).toISOString() },
    { ...lost, orderId: 'sold-just-before', sourceAmount: '90000', createdAt: new Date(addedOn - 16 * 60_000).toISOString() },
  );

  const done = await catchUp(gateway.server.gateway, 0);
  expect([done.unreadable, done.adopted.map((one) => one.upstreamOrderId)]).toEqual([[], ['sold-in-the-lost-time', 'sold-by-a-slow-clock']]);
  const [adopted] = await gateway.database.sql<{ terms: { currency?: string } }[]>`select terms from orders where upstream_order_id = 'sold-in-the-lost-time'`;
  expect(adopted?.terms.currency).toBe('EUR');
  expect((await catchUp(gateway.server.gateway, 0)).adopted).toEqual([]);

  // A provider may list a sale of amounts that no column can hold.
  const { sell } = gateway.server.gateway.providers.find(({ id }) => id === 'bringin')?.adapter ?? {};
  if (!sell) throw new Error('no adapter');
  const readOrders = sell.readOrders.bind(sell);
  const absurd = { upstreamOrderId: 'of-absurd-amounts', rawStatus: 'SUCCESSFUL', pay: 10n ** 20n, receive: -(10n ** 20n), fee: 10n ** 20n };
  sell.readOrders = async (context, order) => {
    const read = await readOrders(context, order);
    return read.ok && order === undefined ? { ...read, value: [...read.value, absurd] } : read;
  };
  const again = await catchUp(gateway.server.gateway, 0);
  sell.readOrders = readOrders;
  expect([again.unreadable, again.adopted.map((one) => one.upstreamOrderId)]).toEqual([[], ['of-absurd-amounts']]);
  const [stored] = await gateway.database.sql`select pay::int, receive::int, fee::int from orders where upstream_order_id = 'of-absurd-amounts'`;
  expect(stored).toEqual({ pay: 0, receive: 0, fee: 0 });
});

it('after a restore, what may be the payment of an open sale is not adopted, and the sale takes its payment', async () => {
  const wake = async (): Promise<void> => await gateway.pass(500);
  const { call } = await opened(gateway.url);
  const accountId = await connected({ bringin, wake }, call, 'bob@example.com');
  const connection = await activeConnection(wake, call, accountId, 'Savings', 'bob');
  const sepa = await optionOf(call, 'SEPA');
  const sale = async (amount_sats: number): Promise<string> => {
    const { body } = await call('/sell/quote', { amount_sats, ...sepa });
    return String((await call('/sell/order', { quote_id: body['quote_id'], connection_id: connection['connection_id'] })).body['order_id']);
  };
  const stageIs = async (orderId: string, stage: string): Promise<void> => {
    await gateway.passUntil(stage, async () => {
      const { body } = await call('/sell/order-status', { order_id: orderId });
      return (body[orderId] as { stage: string }).stage === stage ? true : undefined;
    });
  };
  const invoice = async (sats: number): Promise<string> => {
    const answer = await (await fetch(`${bringin.url}/lnurlp/bob/callback?amount=${sats * 1000}`)).json();
    return (answer as { pr: string }).pr;
  };
  bringin.control.setOptions({ listsUnpaid: 'last' });
  const [waiting, twice] = [await sale(251_000), await sale(252_000)];
  const pr = await invoice(251_000);
  // An invoice for an amount that no sale has. Anybody can make one.
  await invoice(253_000);
  const paid = [await payAddress(bringin, 'bob', 252_000), await payAddress(bringin, 'bob', 252_000)];
  await stageIs(twice, 'review');
  const own = async () => {
    const { adopted, unclear } = await catchUp(gateway.server.gateway, 0);
    return { adopted, unclear: unclear.map(({ upstreamOrderId }) => upstreamOrderId).toSorted() };
  };
  expect(await own()).toEqual({ adopted: [], unclear: paid.toSorted() });
  // A top-up whose answer was lost has the amount of the sale, and an id of its own.
  const [payable] = [...bringin.control.state.payables.values()].filter(({ sats }) => sats === 251_000n);
  if (!payable) throw new Error('no invoice');
  bringin.control.state.payables.set('lost', { ...payable, to: 'card', subType: 'LIGHTNING', orderId: 'top-up' });
  expect(await own()).toEqual({ adopted: [], unclear: [...paid, 'top-up'].toSorted() });
  await bringin.control.pay(pr);
  await stageIs(waiting, 'filled');
});
