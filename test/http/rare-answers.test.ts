/** Responses that no other test gets over HTTP. Here they are checked against the document, and recorded as its examples. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import type { Provider } from '../../src/ports/providers.ts';
import { startLsps1Simulator, type RunningSimulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startSellWorld } from '../support/sell-world.ts';
import { opened, type Body } from '../support/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const clock = movableClock();
let gateway: TestGateway;
let north: RunningSimulator;
beforeAll(async () => {
  north = await startLsps1Simulator({ id: 'north', now: clock.now, baseSats: 1000, ppm: 2000 });
  gateway = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 3600, withdrawalTtlS: 1 } } },
    { clock, blocks: { north: { kind: 'lsps1', base_url: north.url } } },
  );
});
afterAll(async () => {
  await gateway.close();
  await north.close();
});

const bought = async () => {
  const { call } = await opened(gateway.url);
  const { body: quote } = await call('/quote', { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const { body: order } = await call('/order', { quote_id: quote['quote_id'] });
  const control = gateway.simulators['alpine']?.control;
  await control?.pay(control.history.orders.at(-1)?.orderId ?? '');
  const order_id = String(order['order_id']);
  await gateway.passUntil('filled', async () => ((await call('/order-status', { order_id })).body[order_id] as Body)['stage'] === 'filled' || undefined);
  return { call, order_id };
};

it('GET and POST list the same payment options', async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const byGet = await fetch(`${gateway.url}/payment-options?currency_code=EUR`, { headers: { 'x-session-id': sessionId } });
  const byPost = await wallet.call('/payment-options', { session_id: sessionId, currency_code: 'EUR' });
  expect([byGet.status, await byGet.json()]).toEqual([200, byPost.body]);
});

it('a link that expired while its order has a fallback is not given again', async () => {
  const { call, order_id } = await bought();
  const fallback = { failback_onchain: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' };
  expect((await call('/withdrawal', { order_id, ...fallback })).status).toBe(200);
  gateway.clock.move(1_100);
  const { status, body } = await call('/withdrawal', { order_id, ...fallback });
  expect([status, body['code'], body['action']]).toEqual([409, 'withdrawal-expired', 'contact-support']);
});

it('an order of a provider that is no longer configured cannot be withdrawn', async () => {
  const { call, order_id } = await bought();
  const providers = gateway.server.gateway.providers as Provider[];
  const taken = providers.splice(0, providers.length);
  try {
    const { status, body } = await call('/withdrawal', { order_id });
    expect([status, body['code'], body['detail']]).toEqual([503, 'misconfigured', 'The provider "alpine" is no longer in the configuration.']);
  } finally {
    providers.push(...taken);
  }
});

it('a seller of channels wants the node connected when it is ordered from', async () => {
  const { call } = await opened(gateway.url);
  const wanted = { product: 'inbound', amount_sats: 500_000, pay_with: 'lightning' };
  await call('/liquidity/offers', { ...wanted, firm: true });
  const [offer] = (await (await opened(gateway.url)).call('/liquidity/offers', wanted)).body['offers'] as Body[];
  expect(offer).toMatchObject({ is_estimate: true });
  const other = await opened(gateway.url);
  const [estimate] = (await other.call('/liquidity/offers', wanted)).body['offers'] as Body[];
  north.control.options.connected = 'none';
  const { status, body } = await other.call('/liquidity/order', { quote_id: estimate?.['quote_id'] });
  expect([status, body['code'], body['connect_to']]).toEqual([409, 'peer-not-connected', `${north.control.nodePubkey}@north.example:9735`]);
});

it('a provider that refuses to end a connection, and one that takes too long', async () => {
  const world = await startSellWorld({}, { config: { routing: { order_deadline_ms: 700 } } });
  try {
    const call = await world.opened();
    const account_id = await world.connected(call, 'rare@example.com');
    const connection_id = await world.activeConnection(call, account_id, 'Savings', 'rare');
    world.control.setFault({ endpoint: 'POST /bringin-link/{id}/cancel', fault: 'refuse', times: 1 });
    const kept = await call('/sell/connection-cancel', { connection_id });
    expect([kept.status, kept.body['code']]).toEqual([409, 'cancel-refused']);
    world.control.setFault({ endpoint: 'POST /account/get-balance', fault: 'latency', ms: 3_000 });
    const late = await call('/sell/balance', { account_id });
    expect([late.status, late.body['code'], late.body['retry_after_ms']]).toEqual([504, 'provider-timeout', 2000]);
  } finally {
    await world.close();
  }
});
