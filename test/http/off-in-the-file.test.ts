/** A provider that is set to `off` in the configuration while customers hold quotes of it. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startFiatOnRampSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway } from '../support/gateway.ts';
import { testDatabase } from '../support/postgres.ts';

it('takes no order for an earlier quote, unless an operator lets it drain; its own orders are still followed', async () => {
  const clock = movableClock();
  const [database, alpine] = [await testDatabase(), await startFiatOnRampSimulator({ id: 'alpine', now: clock.now })];
  const environment = freshSecrets(randomBytes);
  const start = async (mode: 'on' | 'off') =>
    await startTestGateway({}, { clock, database, environment, blocks: { alpine: { kind: 'fiat-on-ramp', base_url: alpine.url, mode } } });
  const before = await start('on');
  const wallet = createWallet(before.url);
  const { sessionId: session_id } = await wallet.open();
  const quote = async (): Promise<unknown> =>
    (await wallet.call('/quote', { session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 })).body['quote_id'];
  const [ordered, first, second] = [await quote(), await quote(), await quote()];
  const { body: bought } = await wallet.call('/order', { session_id, quote_id: ordered });
  await before.close();

  const after = await start('off');
  const again = createWallet(after.url);
  const order = async (quote_id: unknown) => await again.call('/order', { session_id, quote_id });
  expect(await order(first)).toMatchObject({ status: 503, body: { code: 'provider-unavailable' } });
  const { body: statuses } = await again.call('/order-status', { session_id, order_id: bought['order_id'] });
  expect(Object.keys(statuses)).toEqual([bought['order_id']]);
  await after.server.gateway.stores.operator.setSwitch({ name: 'provider/alpine', mode: 'drain', reason: 'a test', setOn: clock.now(), setBy: 'test' });
  await after.pass(5_000);
  expect((await order(second)).status).toBe(200);
  await after.close();
  await alpine.close();
  await database.close();
});
