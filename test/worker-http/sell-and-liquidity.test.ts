/** The end-to-end scenarios of test/http/sell.test.ts and liquidity.test.ts on real workerd, with the embedded database of `npm run dev:worker`. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { sandbox as bitrefillSandbox } from '../../src/providers/bitrefill/bitrefill.sandbox.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { sandbox as bringinSandbox } from '../../src/providers/bringin/bringin.sandbox.ts';
import { startBringinSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { startFiatOnRampSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { buyChannel, buyOpened, buyTurbo, recharge, startChannelSellers, startTank, type LiquidityWorld } from '../support/scenarios/liquidity.ts';
import { sellToBank, topUpCard, type SellWorld } from '../support/scenarios/sell.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { startTestWorker, type TestWorker } from './start-worker.ts';

const startProviders = async () => {
  const { BRINGIN_MASTER_KEY: masterKey, BRINGIN_API_SECRET: apiSecret } = bringinSandbox.secrets;
  const { BITREFILL_API_KEY: apiKey, BITREFILL_API_SECRET: bitrefillSecret } = bitrefillSandbox.secrets;
  const [alpine, bringin, thor, tank, receiver, sellers] = await Promise.all([
    startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600 }),
    startBringinSimulator({ id: 'bringin', masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20] }),
    startBitrefillSimulator({ id: 'thor', apiKey, apiSecret: bitrefillSecret, deliver: 'at-once' }),
    startTank(),
    startWebhookReceiver(),
    startChannelSellers(),
  ]);
  return { alpine, bringin, thor, tank, receiver, ...sellers };
};

let worker: TestWorker;
let providers: Awaited<ReturnType<typeof startProviders>>;
beforeAll(async () => {
  providers = await startProviders();
  const { alpine, bringin, thor, tank, north, south, west } = providers;
  const urls = { alpine: alpine.url, bringin: bringin.url, thor: thor.baseUrl, tank: tank.baseUrl, north: north.url, south: south.url, west: west.url };
  worker = await startTestWorker(urls, { embedded: true });
});
afterAll(async () => {
  await worker.close();
  await Promise.all(Object.values(providers).map((one) => one.close()));
});

const world = (): SellWorld & LiquidityWorld => ({
  ...providers,
  url: worker.url,
  wake: worker.wake,
  accountDue: worker.accountDue,
  thorName: 'Bitrefill',
  tankName: 'Blocktank',
  firmPerNode: 3,
});

it('sells to a bank: account, connection, payment, euros sent, webhooks told', async () => await sellToBank(world()));
it('sells onto the card: account, order, payment, balance', async () => await topUpCard(world()));
it('buys inbound capacity: firm prices, payment, channel, webhook told', async () => await buyChannel(world()));
it('buys a channel that the gateway has opened', async () => await buyOpened(world()));
it('buys a turbo channel to redemption', async () => {
  expect(await buyTurbo(world())).toMatch(/^LNURL1/i);
});
it('recharges an invoice of the customer', async () => await recharge(world()));

/** The embedded database takes one client at a time, so an order that waits for its provider must not keep its connection. */
it('orders at a slow provider run in parallel', async () => {
  const wallets = [];
  for (let n = 0; n < 3; n += 1) {
    const wallet = createWallet(worker.url);
    const { sessionId } = await wallet.open();
    const options = await wallet.call('/payment-options', { session_id: sessionId, currency_code: 'EUR' });
    const [euro] = Object.values((options.body['currencies'] as Record<string, { currency_id: number; payment_options: { id: number }[] }>[])[0] ?? {});
    const asked = { currency_id: euro?.currency_id, payment_option_id: euro?.payment_options[0]?.id };
    const { body } = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, ...asked });
    wallets.push({ wallet, order: { session_id: sessionId, quote_id: body['quote_id'] } });
  }
  providers.alpine.control.setFault({ endpoint: 'order', fault: 'latency', ms: 3000 });
  const before = providers.alpine.control.history.requests.length;
  const answers = await Promise.all(
    wallets.map(async ({ wallet, order }) => {
      const { status, body } = await wallet.call('/order', order);
      return { status, provider: (body['provider'] as { id: string } | undefined)?.id };
    }),
  );
  expect(answers.map(({ status, provider }) => [status, provider])).toEqual(Array(3).fill([200, 'alpine']));
  // The last order is sent to the provider before it can have responded to the first one.
  const sentOn = providers.alpine.control.history.requests.slice(before).flatMap(({ endpoint, at }) => (endpoint === 'order' ? [at] : []));
  expect(sentOn).toHaveLength(3);
  expect(Math.max(...sentOn) - Math.min(...sentOn)).toBeLessThan(3000);
});
