/** The pages on real workerd, in a browser: the files are the same as on Node, but are served as the Worker's assets. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { customerOf, executablePath, launch, sizes } from '../../packages/checkout/test/browser.ts';
import { button, buyFromOffers } from '../../packages/checkout/test/purchase.ts';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { needsPostgres } from '../support/postgres.ts';
import { until } from '../support/gateway.ts';
import { startTestWorker, type TestWorker } from './start-worker.ts';

describe.skipIf(executablePath === undefined)('in a browser the pages of workerd', () => {
  let worker: TestWorker;
  let browser: Awaited<ReturnType<typeof launch>>;
  let alpine: RunningSimulator;
  let cobalt: RunningSimulator;
  beforeAll(async () => {
    [alpine, cobalt] = await Promise.all([
      startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600 }),
      startFiatOnRampSimulator({ id: 'cobalt', quoteTtlS: 3600, spreadBps: 50, estimate: true }),
    ]);
    [worker, browser] = await Promise.all([startTestWorker({ alpine: alpine.url, cobalt: cobalt.url }), launch()]);
  });
  afterAll(async () => {
    await browser.close();
    await worker.close();
    await Promise.all([alpine, cobalt].map((one) => one.close()));
  });
  const open = async () => await customerOf(browser, [new URL(worker.url).host], { viewport: sizes.desk });

  needsPostgres('a purchase from the amount to the bitcoin', async () => {
    // A Worker that has just started may exceed its deadline on a busy machine: the customer comes when it knows a provider's ways to pay.
    const wallet = createWallet(worker.url);
    const { sessionId } = await wallet.open();
    await until('a listing', async () => ((await wallet.call('/payment-options', { session_id: sessionId })).status === 200 ? true : undefined));
    const customer = await open();
    const { page } = customer;
    await page.goto(`${worker.url}/buy`);
    await button(page, 'Compare prices').click();
    await page.getByText('Best price').waitFor();
    await customer.sees('offers-workerd');
    const pay = async (): Promise<void> => await alpine.control.pay(alpine.control.history.orders.at(-1)?.orderId ?? '');
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
