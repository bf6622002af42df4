/** Starts a gateway with a provider of every kind and a wallet's webhook receiver, for tests of what all ramps share. */
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startBringinSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { apiSecret, bringinBlock, masterKey } from './bringin.ts';
import { movableClock } from './clock.ts';
import { startTestGateway, type TestGatewayOptions, type TestProvider } from './gateway.ts';
import { startChannelSellers, startTank, tankBlock, thorBlock, type LiquidityWorld } from './scenarios/liquidity.ts';
import type { SellWorld } from './scenarios/sell.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

export const startAllRamps = async (buyers: Record<string, TestProvider>, options: TestGatewayOptions & { firmPerNode?: number } = {}) => {
  const { firmPerNode = 2, ...rest } = options;
  const clock = options.clock ?? movableClock();
  const [bringin, thor, tank, receiver, sellers] = await Promise.all([
    startBringinSimulator({ id: 'bringin', now: clock.now, masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20] }),
    startBitrefillSimulator({ id: 'thor', now: clock.now, deliver: 'at-once', balanceSats: 10_000_000 }),
    startTank(clock.now),
    startWebhookReceiver(),
    startChannelSellers(clock.now),
  ]);
  const channels = Object.fromEntries(
    Object.entries(sellers).map(([id, { url }]) => [id, { kind: 'lsps1', base_url: url, quotes_per_node_per_day: firmPerNode, orders_per_day: 100_000 }]),
  );
  const gateway = await startTestGateway(buyers, {
    ...rest,
    clock,
    blocks: {
      bringin: bringinBlock(bringin.url),
      thor: thorBlock(thor.baseUrl),
      tank: { ...tankBlock(tank.baseUrl), quotes_per_node_per_day: firmPerNode },
      ...channels,
      ...rest.blocks,
    },
    environment: {
      BRINGIN_MASTER_KEY: masterKey,
      BRINGIN_API_SECRET: apiSecret,
      BITREFILL_API_KEY: 'thor-key',
      BITREFILL_API_SECRET: 'thor-secret',
      ...rest.environment,
    },
  });
  const world: SellWorld & LiquidityWorld = {
    ...sellers,
    bringin,
    thor,
    tank,
    receiver,
    url: gateway.url,
    thorName: 'thor',
    tankName: 'tank',
    firmPerNode,
    wake: async () => await gateway.pass(500),
    accountDue: async (accountId) => await gateway.server.gateway.stores.accounts.wake(accountId, gateway.clock.now()),
  };
  return {
    gateway,
    world,
    close: async (): Promise<void> => {
      await gateway.close();
      await Promise.all([bringin, thor, tank, receiver, ...Object.values(sellers)].map((one) => one.close()));
    },
  };
};
