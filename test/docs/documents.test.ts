import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customerOf, executablePath, launch, picture, sizes, type Customer } from '../../packages/checkout/test/browser.ts';
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
  const open = async (options: Parameters<typeof customerOf>[2] = {}) => await customerOf(browser, [new URL(gateway.url).host], options);
  const heading = (page: Customer['page'], name: string) => page.getByRole('heading', { name, exact: true });

  /** Finds a call, tries it out at this gateway, and goes back to the page. */
  const triesOut = async (page: Customer['page']): Promise<void> => {
    await page
      .getByRole('button', { name: /search/i })
      .first()
      .click();
    await page.getByRole('combobox').fill('begin a session');
    await page
      .getByRole('option', { name: /Begin a session/ })
      .first()
      .click();
    await heading(page, 'Begin a session').waitFor();
    await page
      .getByRole('button', { name: /^Test Request/ })
      .first()
      .click();
    const client = page.getByRole('dialog');
    await client.getByRole('button', { name: /^Send/ }).first().click();
    await client.getByText('200 OK').first().waitFor();
    await client.getByText('session_id').first().waitFor();
    await picture(page, 'docs-tried-desk');
    await page.keyboard.press('Escape');
    await client.waitFor({ state: 'hidden' });
  };

  it.each(Object.entries(sizes))('reads well, from the address of the gateway on, and tries a call out (%s)', async (size, viewport) => {
    const { page, sees, leaves } = await open({ viewport });
    await page.goto(gateway.url);
    expect(page.url()).toBe(`${gateway.url}/docs`);
    await heading(page, 'Session').waitFor();
    await sees(`docs-${size}`);
    // Each load of the page takes three seconds of processor time, so this is not a test of its own.
    if (size === 'desk') await triesOut(page);
    const navigation = page.getByRole('navigation', { name: 'Documentation' });
    const guides = await navigation.getByRole('link').allTextContents();
    // On larger screens, one guide and the list of errors are enough.
    for (const guide of size === 'phone' ? guides.slice(1) : ['Wallets', 'Errors']) {
      await navigation.getByRole('link', { name: guide, exact: true }).click();
      await page.locator(`[aria-current=page]`, { hasText: guide }).waitFor();
      await sees(`docs-${guide.toLowerCase().replaceAll(' ', '-')}-${size}`);
    }
    await leaves();
  });

  it('opens the call that an address names', async () => {
    const { page, sees, leaves } = await open({ colorScheme: 'dark' });
    await page.goto(`${gateway.url}/docs#placeOrder`);
    await heading(page, 'Order a quote').waitFor();
    const top = async (): Promise<number | undefined> => (await heading(page, 'Order a quote').boundingBox())?.y;
    // While the page is building itself, reading one position may take a second.
    await expect.poll(top, { timeout: 20_000 }).toSatisfy((y?: number) => y !== undefined && y > -1 && y < 844);
    await sees('docs-call-dark-phone');
    await leaves();
  });
});
