/** Buying liquidity, from the list of products to the last webhook, only over HTTP, so the steps are the same on every runtime. */
import { expect } from 'vitest';
import type { RunningSimulator as RunningBitrefill } from '../../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startBlocktankSimulator, type RunningSimulator as RunningBlocktank } from '../../../src/providers/blocktank/blocktank.simulator.ts';
import { startLsps1Simulator, type RunningSimulator } from '../../../src/providers/lsps1/lsps1.simulator.ts';
import { until } from '../gateway.ts';
import { invoiceOver, opened, type Body, type Call } from '../wallet.ts';
import type { WebhookReceiver } from '../webhook-receiver.ts';

/** Starts two sellers with known prices, and a cheap one to which no node is connected. */
export const startChannelSellers = async (now = Date.now) => {
  const [north, south, west] = await Promise.all([
    startLsps1Simulator({ id: 'north', now, baseSats: 1000, ppm: 2000, leasePpm: 2400 }),
    startLsps1Simulator({ id: 'south', now, baseSats: 500, ppm: 3200, leasePpm: 2450 }),
    startLsps1Simulator({ id: 'west', now, baseSats: 0, ppm: 1000, leasePpm: 1000, connected: 'none' }),
  ]);
  return { north, south, west };
};

/** Starts a Blocktank that is dearer than the other sellers, so that these are still the best. */
export const startTank = async (now = Date.now): Promise<RunningBlocktank> =>
  await startBlocktankSimulator({ id: 'tank', now, lifeS: 172_800, feeRates: { fast: 60, mid: 50, slow: 40 } });
export const tankBlock = (baseUrl: string): Record<string, unknown> => ({
  kind: 'blocktank',
  base_url: baseUrl,
  repost: 'duplicates',
  orders_per_day: 100_000,
});

/** Returns the configuration block of a Bitrefill whose orders may be paid with the operator's balance. */
export const thorBlock = (baseUrl: string): Record<string, unknown> => ({
  kind: 'bitrefill',
  base_url: baseUrl,
  api_key_env: 'BITREFILL_API_KEY',
  api_secret_env: 'BITREFILL_API_SECRET',
  receipt_email: 'receipts@example.com',
  pay_with_balance: true,
  repost: 'duplicates',
});

export type LiquidityWorld = {
  url: string;
  north: RunningSimulator;
  south: RunningSimulator;
  west: RunningSimulator;
  thor: RunningBitrefill;
  tank: RunningBlocktank;
  tankName: string;
  thorName: string;
  /** quotes_per_node_per_day of the three sellers of channels. */
  firmPerNode: number;
  receiver: WebhookReceiver;
  /** Does the background work that is due. On a Worker it triggers Cron; elsewhere it moves the clock. */
  wake: () => Promise<void>;
};

export type Offer = { provider: { id: string }; quote_id: string; pay_sats: number; fee_sats: number; warnings: string[]; is_estimate: boolean };
export const inbound = { product: 'inbound', amount_sats: 1_000_000, pay_with: 'lightning', lease_blocks: 4320 };
const staged = async (wake: () => Promise<void>, call: Call, orderId: string, stage: string): Promise<Body> =>
  await until(stage, async () => {
    const { body } = await call('/liquidity/order-status', { order_id: orderId });
    const entry = body[orderId] as Body;
    if (entry['stage'] === stage) return entry;
    await wake();
    return undefined;
  });

/** Buys inbound capacity: no price is invented, firm prices are compared, a channel is paid and opened, and webhooks are sent. */
export const buyChannel = async (world: LiquidityWorld): Promise<void> => {
  const { url, north, south, west, thorName, tankName, firmPerNode, receiver, wake } = world;
  const { call } = await opened(url);
  const products = await call('/liquidity/products');
  const listed = products.body['products'] as { product: string; peers: { uri: string }[]; min_amount_sats: number }[];
  expect(listed.map((one) => one.product)).toEqual(['recharge', 'inbound', 'turbo']);
  expect(listed[1]?.peers.length).toBe(4);

  const free = await call('/liquidity/offers', inbound);
  expect((free.body['offers'] as Offer[]).map((one) => [one.provider, one.is_estimate, one.warnings])).toEqual([[{ id: 'tank', name: tankName }, true, []]]);
  expect(free.body['excluded']).toEqual([
    { provider: { id: 'thor', name: thorName }, rule: 'lease-not-promised', pay_sats: expect.any(Number), is_estimate: true },
  ]);
  expect(new Set((free.body['refused'] as { reason: string }[]).map((one) => one.reason))).toEqual(new Set(['price-needs-order']));
  expect([north, south, west].flatMap((one) => [...one.control.orders.values()])).toEqual([]);

  const firm = await call('/liquidity/offers', { ...inbound, firm: true });
  const offers = firm.body['offers'] as Offer[];
  expect(offers.map((one) => [one.provider.id, one.is_estimate, one.pay_sats])).toEqual([
    ['north', false, 1000 + 2000 + 2400],
    ['south', false, 500 + 3200 + 2450],
    ['tank', false, 944 + 12_250],
  ]);
  expect(firm.body['refused']).toMatchObject([
    { provider: { id: 'west' }, reason: 'peer-not-connected', connect_to: expect.stringMatching(/^0[23][0-9a-f]{64}@/) },
  ]);
  expect(firm.body).toMatchObject({
    product: 'inbound',
    amount_sats: 1_000_000,
    firm_quotes_left: firmPerNode - 1,
    policy: { name: 'least-fee', decided_by: 'fee_sats' },
  });

  const again = await call('/liquidity/offers', { ...inbound, firm: true });
  expect(again.body['firm_quotes_left']).toBe(firmPerNode - 1);
  expect([...north.control.orders.values()]).toHaveLength(1);

  const ordered = await call('/liquidity/order', { quote_id: offers[0]?.quote_id, max_pay_sats: 5400, webhook_url: receiver.url });
  expect(ordered.status).toBe(200);
  expect(ordered.body).toMatchObject({
    product: 'inbound',
    pay_sats: 5400,
    fee_sats: 5400,
    client_sats: 0,
    inbound_sats: 1_000_000,
    lease_blocks: 4320,
    delivered_as: 'channel',
    payment_info: { kind: 'invoice', amount_sats: 5400 },
  });
  const twice = await call('/liquidity/order', { quote_id: offers[0]?.quote_id, max_pay_sats: 5400, webhook_url: receiver.url });
  expect(twice.body).toEqual(ordered.body);
  expect([...north.control.orders.values()]).toHaveLength(1);

  const [order] = [...north.control.orders.values()];
  north.control.pay(order?.id ?? '');
  north.control.open(order?.id ?? '');
  await staged(wake, call, String(ordered.body['order_id']), 'finished');
  const told = await until('told', async () => {
    await wake();
    return receiver.received.find((one) => one.body.includes('"finished"'));
  });
  expect(JSON.parse(told.body)).toMatchObject({ type: 'order_status_changed', data: { order_id: ordered.body['order_id'] } });

  const seen = await call('/liquidity/offers', inbound);
  expect((seen.body['offers'] as Offer[]).map((one) => [one.provider.id, one.warnings])).toEqual([
    ['north', ['price-is-last-observed']],
    ['south', ['price-is-last-observed']],
    ['tank', []],
  ]);
};

/** Buys a channel from Blocktank at an estimate. Once it is paid, the gateway has it opened to the node that the customer proved. */
export const buyOpened = async ({ url, tank, wake }: LiquidityWorld): Promise<void> => {
  const { call, wallet } = await opened(url);
  const offers = await call('/liquidity/offers', inbound);
  const offer = (offers.body['offers'] as Offer[]).find((one) => one.provider.id === 'tank');
  const ordered = await call('/liquidity/order', { quote_id: offer?.quote_id });
  expect(ordered.body).toMatchObject({
    pay_sats: 13_194,
    inbound_sats: 1_000_000,
    lease_blocks: 5040,
    delivered_as: 'channel',
    payment_info: { kind: 'invoice' },
  });
  tank.control.pay();
  expect(await staged(wake, call, String(ordered.body['order_id']), 'finished')).toMatchObject({ funding_outpoint: expect.stringMatching(/:0$/) });
  expect(tank.control.order().channel).toMatchObject({ clientNodePubkey: wallet.pubkey, announce: false });
};

/** Buys a turbo channel from Bitrefill and pays for it. Returns the link (LNURL) that redeems it. */
export const buyTurbo = async ({ url, thor, wake }: LiquidityWorld): Promise<string> => {
  const { call } = await opened(url);
  const offers = await call('/liquidity/offers', { product: 'turbo', amount_sats: 1_000_000, pay_with: 'lightning' });
  const offer = (offers.body['offers'] as Offer[]).find((one) => one.provider.id === 'thor');
  const ordered = await call('/liquidity/order', { quote_id: offer?.quote_id });
  expect(ordered.status).toBe(200);
  expect(ordered.body).toMatchObject({
    product: 'turbo',
    client_sats: 1_000_000,
    inbound_sats: 1_000_000,
    delivered_as: 'redemption',
    payment_info: { kind: 'invoice' },
  });
  const [order] = [...thor.control.state.orders.values()].slice(-1);
  await thor.control.pay(order?.id ?? '');
  const entry = await staged(wake, call, String(ordered.body['order_id']), 'filled');
  expect(entry['redemption']).toMatchObject({ lnurl: expect.stringMatching(/^LNURL1/i) });
  expect(entry['redemption_means']).toContain('the channel opens when');
  return String((entry['redemption'] as { lnurl: string }).lnurl);
};

/** Buys a recharge: Bitrefill pays the customer's invoice. The gateway accepts only a suitable invoice. */
export const recharge = async ({ url, thor, wake }: LiquidityWorld): Promise<void> => {
  const { call } = await opened(url);
  const wanted = { product: 'recharge', amount_sats: 100_000, pay_with: 'lightning' };
  const offers = await call('/liquidity/offers', wanted);
  const offer = (offers.body['offers'] as Offer[])[0];
  expect(offers.body['offers']).toMatchObject([{ provider: { id: 'thor' }, requires: ['invoice'], client_sats: 100_000 }]);
  for (const invoice of [undefined, 'lnbc1nonsense', invoiceOver(99_999), invoiceOver(100_000, { expirySeconds: 60 })]) {
    const refused = await call('/liquidity/order', { quote_id: offer?.quote_id, ...(invoice === undefined ? {} : { invoice }) });
    expect([refused.status, refused.body['code']]).toEqual([422, 'invoice-unsuitable']);
  }
  const ordered = await call('/liquidity/order', { quote_id: offer?.quote_id, invoice: invoiceOver(100_000) });
  expect(ordered.status).toBe(200);
  const [order] = [...thor.control.state.orders.values()].slice(-1);
  await thor.control.pay(order?.id ?? '');
  await staged(wake, call, String(ordered.body['order_id']), 'finished');
};
