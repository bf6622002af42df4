/**
 * Purchases on real workerd: by a wallet over HTTP, and on the page in a browser. Also the other pages, which are the same files as on Node, served
 * as the Worker's assets.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { customerOf, executablePath, launch, sizes } from '../../packages/checkout/test/browser.ts';
import { button, buyFromOffers } from '../../packages/checkout/test/purchase.ts';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { until } from '../support/gateway.ts';
import { needsPostgres } from '../support/postgres.ts';
import { startTestWorker, type TestWorker } from './start-worker.ts';

let simulators: Record<string, RunningSimulator>;
let worker: TestWorker;
beforeAll(async () => {
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
  worker = await startTestWorker(Object.fromEntries(Object.entries(simulators).map(([id, one]) => [id, one.url])));
});
afterAll(async () => {
  await worker.close();
  await Promise.all(Object.values(simulators).map((one) => one.close()));
});

needsPostgres('the same purchase on real workerd, from /verify to finished', async () => {
  const wallet = createWallet(worker.url);
  expect((await wallet.call('/health/ready')).body).toEqual({ status: 'ready', database: true, migrations: true, configuration: true });
  const { sessionId, proven } = await wallet.open();
  expect(proven.sort()).toEqual(['dune', 'gateway']);
  // On a busy machine, a Worker that has just started may exceed its deadline. So the purchase begins once the listings of all providers have been
  // read.
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
  const wallet = createWallet(worker.url);
  const { sessionId } = await wallet.open();
  const { body } = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const provider = (body['provider'] as { id: string }).id;
  const before = simulators[provider]?.control.history.orders.length ?? 0;
  simulators[provider]?.control.setFault({ endpoint: 'order', fault: 'latency', times: 1, ms: 400 });
  const gone = new AbortController();
  const call = fetch(`${worker.url}/order`, {
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

describe.skipIf(executablePath === undefined)('in a browser the pages of workerd', () => {
  let browser: Awaited<ReturnType<typeof launch>>;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(async () => await browser.close());
  const open = async () => await customerOf(browser, [new URL(worker.url).host], { viewport: sizes.desk });

  needsPostgres('a purchase from the amount to the bitcoin', async () => {
    // A Worker that has just started may exceed its deadline on a busy machine, so the customer comes only once the Worker knows a provider's ways to
    // pay.
    const wallet = createWallet(worker.url);
    const { sessionId } = await wallet.open();
    await until('a listing', async () => ((await wallet.call('/payment-options', { session_id: sessionId })).status === 200 ? true : undefined));
    const customer = await open();
    const { page } = customer;
    await page.goto(`${worker.url}/buy`);
    await button(page, 'Compare prices').click();
    await page.getByText('Best price').waitFor();
    await customer.sees('offers-workerd');
    const alpine = simulators['alpine']?.control;
    const pay = async (): Promise<void> => await alpine?.pay(alpine.history.orders.at(-1)?.orderId ?? '');
    await buyFromOffers(customer, { url: worker.url, provider: 'Alpine Pay', pay, suffix: 'workerd' });
    await customer.leaves();
  });

  needsPostgres('the documentation: a call by its address, a guide, the list of errors', async () => {
    const { page, sees, leaves } = await open();
    const loading = page.waitForResponse((response) => response.url().includes('/assets/scalar-'));
    await page.goto(`${worker.url}/docs#placeOrder`);
    await page.getByRole('heading', { name: 'Order a quote', exact: true }).waitFor();
    const script = await loading;
    const { 'content-encoding': encoding, 'cache-control': caching, etag = '' } = await script.allHeaders();
    expect([encoding, caching]).toEqual(['gzip', 'public, max-age=31536000, immutable']);
    await sees('docs-workerd');
    for (const guide of ['Sandbox', 'Errors']) {
      await page.getByRole('navigation', { name: 'Documentation' }).getByRole('link', { name: guide, exact: true }).click();
      await page.locator('[aria-current=page]', { hasText: guide }).waitFor();
    }
    await leaves();
    const plain = await fetch(script.url(), { headers: { 'accept-encoding': 'identity' } });
    expect([plain.headers.get('content-encoding'), (await plain.text()).includes('createApiReference')]).toEqual([null, true]);
    expect((await fetch(script.url(), { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  needsPostgres('the console, which takes no wrong token', async () => {
    const { page, sees, leaves } = await open();
    const answer = await page.goto(`${worker.url}/console`);
    expect((await answer?.allHeaders())?.['content-security-policy']).toContain("require-trusted-types-for 'script'");
    await page.getByLabel("Operator's token").fill('op_somebody-0123456789');
    await button(page, 'Open').click();
    await page.getByText('The gateway does not accept this token').waitFor();
    await sees('console-workerd');
    await leaves();
  });
});
