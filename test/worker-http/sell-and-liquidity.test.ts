/** The end-to-ends of test/http/sell.test.ts and liquidity.test.ts on real workerd: one harness for both. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sandboxSecrets } from '../../scripts/sandbox/providers.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startBringinSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { buyChannel, buyTurbo, recharge, startChannelSellers, type LiquidityWorld } from '../support/scenarios/liquidity.ts';
import { sellToBank, topUpCard, type SellWorld } from '../support/scenarios/sell.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { startTestWorker, type TestWorker } from './start-worker.ts';

const startProviders = async () => {
  const { BRINGIN_MASTER_KEY: masterKey, BRINGIN_API_SECRET: apiSecret, BITREFILL_API_KEY: apiKey, BITREFILL_API_SECRET: bitrefillSecret } = sandboxSecrets;
  const [bringin, thor, receiver, sellers] = await Promise.all([
    startBringinSimulator({ id: 'bringin', masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20] }),
    startBitrefillSimulator({ id: 'thor', apiKey, apiSecret: bitrefillSecret, deliver: 'at-once' }),
    startWebhookReceiver(),
    startChannelSellers(),
  ]);
  return { bringin, thor, receiver, ...sellers };
};

let worker: TestWorker;
let providers: Awaited<ReturnType<typeof startProviders>>;
beforeAll(async () => {
  providers = await startProviders();
  const { bringin, thor, north, south, west } = providers;
  worker = await startTestWorker({ bringin: bringin.url, thor: thor.baseUrl, north: north.url, south: south.url, west: west.url });
}, 60_000);
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
  firmPerNode: 3,
});

it('sells to a bank: account, connection, payment, euros sent, webhooks told', async () => await sellToBank(world()));
it('sells onto the card: account, order, payment, balance', async () => await topUpCard(world()));
it('buys inbound capacity: firm prices, payment, channel, webhook told', async () => await buyChannel(world()));
it('buys a turbo channel to redemption', async () => {
  expect(await buyTurbo(world())).toMatch(/^LNURL1/i);
});
it('recharges an invoice of the customer', async () => await recharge(world()));
