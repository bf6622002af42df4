import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { createTestHarness, type TestHarness } from 'wrangler';
import { sandboxSecrets } from '../../scripts/sandbox/providers.ts';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { until } from '../support/gateway.ts';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let simulators: Record<string, RunningSimulator>;
let harness: TestHarness;
let url = '';
beforeAll(async () => {
  database = await testDatabase();
  const ids = ['alpine', 'borealis', 'cobalt', 'dune', 'eiger'];
  const options = { quoteTtlS: 3600 };
  simulators = Object.fromEntries(
    await Promise.all(
      ids.map(
        async (id, n) =>
          [
            id,
            await startFiatOnRampSimulator({
              id,
              ...options,
              spreadBps: 20 * n,
              ...(id === 'borealis' ? { feeStyle: 'added' as const } : {}),
              ...(id === 'dune' ? { proof: 'demanded' as const } : {}),
              ...(id === 'eiger' ? { prefix: '/ALJAZ/fiatlink/1.0.0', deviations: ['amount-btc-only' as const] } : {}),
            }),
          ] as const,
      ),
    ),
  );
  process.env['CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE'] = database.url;
  process.env['WRANGLER_SEND_METRICS'] = 'false';
  harness = createTestHarness({
    workers: [
      {
        configPath: './wrangler.toml',
        env: '',
        vars: {
          ...freshSecrets(randomBytes),
          ...sandboxSecrets,
          LOG_LEVEL: 'silent',
          SANDBOX_URLS: JSON.stringify(Object.fromEntries(Object.entries(simulators).map(([id, one]) => [id, one.url]))),
        },
      },
    ],
  });
  ({ href: url } = (await harness.listen()).url);
  url = url.replace(/\/$/, '');
});
afterAll(async () => {
  await harness.close();
  await Promise.all(Object.values(simulators).map((one) => one.close()));
  await database.close();
});

needsPostgres('the same purchase on real workerd, from /verify to finished', async () => {
  const wallet = createWallet(url);
  expect((await wallet.call('/health/ready')).body).toEqual({ status: 'ready', database: true, migrations: true, configuration: true });
  const { sessionId, proven } = await wallet.open();
  expect(proven.sort()).toEqual(['dune', 'gateway']);
  // On a busy machine, a Worker that has just started may exceed its deadline. So the purchase begins when the listings of all providers were read.
  const options = await until('a listing', async () => {
    const answer = await wallet.call('/payment-options', { session_id: sessionId, currency_code: 'EUR' });
    return answer.status === 503 ? undefined : answer;
  });
  const [euro] = Object.values(
    (options.body['currencies'] as Record<string, { currency_id: number; payment_options: { id: number; option: string }[] }>[])[0] ?? {},
  );
  const sepa = euro?.payment_options.find((one) => one.option === 'SEPA');
  const asked = { session_id: sessionId, amount_fiat: 10_000, currency_id: euro?.currency_id, payment_option_id: sepa?.id };
  await until('every listing', async () => (((await wallet.call('/offers', asked)).body['offers'] as unknown[] | undefined)?.length === 5 ? true : undefined));
  const offers = await wallet.call('/offers', asked);
  const ranked = offers.body['offers'] as { provider: { id: string }; quote_id: string; amount_sats: number }[];
  expect(ranked.map((one) => one.provider.id)).toEqual(['alpine', 'borealis', 'cobalt', 'dune', 'eiger']);
  const order = async () => await wallet.call('/order', { session_id: sessionId, quote_id: ranked[0]?.quote_id });
  const placed = await order();
  expect(placed.body).toMatchObject({ order_status: 'placed', stage: 'awaiting_payment', provider: { id: 'alpine' } });
  expect((await order()).body).toEqual(placed.body);
  const orderId = String(placed.body['order_id']);
  await simulators['alpine']?.control.pay(simulators['alpine'].control.history.orders[0]?.orderId ?? '');
  const stage = async (wanted: string) =>
    await until(wanted, async () =>
      ((await wallet.call('/order-status', { session_id: sessionId, order_id: orderId })).body[orderId] as { stage: string }).stage === wanted
        ? true
        : undefined,
    );
  await stage('filled');
  const withdrawal = await wallet.call('/withdrawal', { session_id: sessionId, order_id: orderId });
  expect(await wallet.withdraw(String(withdrawal.body['lnurlw']))).toEqual({ sats: placed.body['amount_sats'], answer: { status: 'OK' } });
  await stage('finished');
  expect((await wallet.call('/route', { session_id: sessionId, order_id: orderId })).body).toMatchObject({ chosen_rank: 1 });
  const problem = await wallet.call('/quote', { session_id: sessionId });
  expect([problem.status, problem.body['code']]).toEqual([400, 'invalid-request']);
  expect((await wallet.call('/nothing')).status).toBe(404);
});

needsPostgres('an order aborted in mid-flight and repeated is the same payable order', async () => {
  const wallet = createWallet(url);
  const { sessionId } = await wallet.open();
  const { body } = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const provider = (body['provider'] as { id: string }).id;
  const before = simulators[provider]?.control.history.orders.length ?? 0;
  simulators[provider]?.control.setFault({ endpoint: 'order', fault: 'latency', times: 1, ms: 400 });
  const gone = new AbortController();
  const call = fetch(`${url}/order`, {
    method: 'POST',
    signal: gone.signal,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ session_id: sessionId, quote_id: body['quote_id'] }),
  });
  setTimeout(() => gone.abort(), 150);
  await expect(call).rejects.toThrow('aborted');
  const again = await until('the order', async () => {
    const answer = await wallet.call('/order', { session_id: sessionId, quote_id: body['quote_id'] });
    return answer.status === 200 ? answer : undefined;
  });
  expect(again.body['stage']).toBe('awaiting_payment');
  expect((simulators[provider]?.control.history.orders.length ?? 0) - before).toBe(1);
});
