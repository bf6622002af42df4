import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customerOf, executablePath, launch, sizes } from '../../packages/checkout/test/browser.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

describe.skipIf(executablePath === undefined)('in a browser the documentation', () => {
  let gateway: TestGateway;
  let browser: Awaited<ReturnType<typeof launch>>;
  beforeAll(async () => {
    [gateway, browser] = await Promise.all([startTestGateway({ alpine: { simulator: {} } }), launch()]);
  });
  afterAll(async () => {
    await browser.close();
    await gateway.close();
  });

  it.each(Object.entries(sizes))('reads well, from the address of the gateway on (%s)', async (size, viewport) => {
    const { page, sees, leaves } = await customerOf(browser, [new URL(gateway.url).host], { viewport });
    await page.goto(gateway.url);
    expect(page.url()).toBe(`${gateway.url}/docs`);
    await page.getByText('/liquidity/order-status').last().waitFor();
    await sees(`docs-${size}`);
    const guides = await page.getByRole('navigation').getByRole('link').allTextContents();
    // On larger screens, one guide and the list of errors are enough.
    for (const guide of size === 'phone' ? guides.slice(1) : ['Wallets', 'Errors']) {
      await page.getByRole('navigation').getByRole('link', { name: guide, exact: true }).click();
      await page.locator(`[aria-current=page]`, { hasText: guide }).waitFor();
      await sees(`docs-${guide.toLowerCase().replaceAll(' ', '-')}-${size}`);
    }
    await leaves();
  });

  it('opens the call that an address names', async () => {
    const { page, leaves } = await customerOf(browser, [new URL(gateway.url).host], { colorScheme: 'dark' });
    const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as { paths: Record<string, { post?: { operationId: string } }> };
    await page.goto(`${gateway.url}/docs#${document.paths['/order']?.post?.operationId}`);
    await page.locator('details[open] summary', { hasText: '/order' }).waitFor();
    await page.getByText('"order_id"').first().waitFor();
    await leaves();
  });
});
