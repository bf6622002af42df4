/** A purchase whose sats the provider sends, on real workerd over HTTP. test/http/pushed-payouts.test.ts has the cases. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect } from 'vitest';
import { createTestHarness, type TestHarness } from 'wrangler';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { sandboxProviders, sandboxSecrets } from '../../scripts/sandbox/providers.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { until } from '../support/gateway.ts';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';

const config = new URL('../../dist/wrangler.push.toml', import.meta.url);
let database: TestDatabase;
let alpine: RunningSimulator;
let borealis: RunningSimulator;
let harness: TestHarness;
let url = '';
beforeAll(async () => {
  database = await testDatabase();
  [alpine, borealis] = await Promise.all([
    startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600 }),
    startFiatOnRampSimulator({ id: 'borealis', quoteTtlS: 3600, spreadBps: 20 }),
  ]);
  mkdirSync(new URL('.', config), { recursive: true });
  const own = readFileSync(new URL('../../wrangler.toml', import.meta.url), 'utf8');
  writeFileSync(
    config,
    own.replace('main = "src/entry/worker.ts"', 'main = "../test/worker-http/push-worker.ts"').replaceAll(/^directory = "dist\/site"/gm, 'directory = "site"'),
  );
  process.env['CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE'] = database.url;
  process.env['WRANGLER_SEND_METRICS'] = 'false';
  const nowhere = Object.fromEntries(sandboxProviders.map(({ options }) => [options.id, 'http://127.0.0.1:9']));
  const vars = {
    ...freshSecrets(randomBytes),
    ...sandboxSecrets,
    LOG_LEVEL: 'silent',
    SANDBOX_URLS: JSON.stringify({ ...nowhere, alpine: alpine.url, borealis: borealis.url }),
  };
  harness = createTestHarness({ workers: [{ configPath: config.pathname, env: '', vars }] });
  ({ href: url } = (await harness.listen()).url);
  url = url.replace(/\/$/, '');
});
afterAll(async () => {
  await harness.close();
  await Promise.all([alpine.close(), borealis.close()]);
  await database.close();
  rmSync(config);
});

needsPostgres('a pushed purchase on real workerd, and the old client’s beside it', async () => {
  const wallet = createWallet(url);
  const { sessionId: session_id } = await wallet.open();
  const call = async (path: string, body: object) => await wallet.call(path, { session_id, ...body });
  type Offers = { offers: { provider: { id: string }; quote_id: string }[]; refused: { provider: { id: string }; reason: string }[] };
  const price = async (more: object = {}): Promise<Offers> =>
    (await call('/offers', { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1, ...more })).body as Offers;
  const payout_kinds = ['lightning_address'];
  const best = await until('both offers', async () => {
    const { offers } = await price({ payout_kinds });
    return offers?.length === 2 ? offers[0] : undefined;
  });
  expect(best).toMatchObject({ provider: { id: 'alpine' }, payout: 'push', payout_kinds, requires: ['payout'] });
  const old = await price();
  expect(old.offers.map(({ provider }) => provider.id)).toEqual(['borealis']);
  expect(old.refused).toContainEqual({ provider: { id: 'alpine', name: 'Alpine Pay' }, reason: 'payout-required' });
  const refused = await call('/order', { quote_id: best.quote_id, payout_to: { lightning_address: 'alice@10.0.0.1' } });
  expect([refused.status, refused.body['code']]).toEqual([422, 'payout-unsuitable']);
  const payout_to = { lightning_address: 'Alice@wallet.example' };
  const made = await call('/order', { quote_id: best.quote_id, payout_to });
  expect(made.body).toMatchObject({ payout: 'push', payout_to: { lightning_address: 'alice@wallet.example', is_proven: false } });
  expect((await call('/order', { quote_id: best.quote_id, payout_to })).body).toEqual(made.body);
  expect((await call('/order', { quote_id: best.quote_id, payout_to: { lightning_address: 'bob@wallet.example' } })).body['code']).toBe('quote-used');
  const order_id = String(made.body['order_id']);
  expect((await call('/withdrawal', { order_id })).body).toMatchObject({ code: 'order-not-withdrawable', action: 'read-order' });
  const upstream = alpine.control.history.orders[0]?.orderId ?? '';
  for (const word of ['paid', 'filled', 'finished'] as const) {
    await alpine.control.pay(upstream, word);
    const state = await until(word, async () => {
      const entry = (await call('/order-status', { order_id })).body[order_id] as { stage: string } | undefined;
      return entry?.stage === word ? entry : undefined;
    });
    expect(state).toMatchObject({ final: word === 'finished', payout: 'push', payout_to: { lightning_address: 'alice@wallet.example' } });
    if (word === 'finished') expect(state).toMatchObject({ payout_id: upstream.replaceAll('-', '').repeat(2) });
  }
});
