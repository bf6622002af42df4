import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../../../../test/support/gateway.ts';

const executablePath = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const here = fileURLToPath(new URL('.', import.meta.url));

/** Serves the page and the client. */
const serve = async (): Promise<Server> => {
  const { outputFiles } = await build({
    entryPoints: [`${here}../../src/index.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'silent',
  });
  const files: Record<string, [type: string, text: string]> = {
    '/': ['text/html', readFileSync(`${here}index.html`, 'utf8')],
    '/buy.js': ['text/javascript', readFileSync(`${here}buy.js`, 'utf8')],
    '/client/index.mjs': ['text/javascript', outputFiles[0]?.text ?? ''],
  };
  const server = createServer((request, response) => {
    const [type, text] = files[new URL(request.url ?? '/', 'http://page').pathname] ?? [];
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' }).end(text);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
};

describe.skipIf(executablePath === undefined)('in a browser', () => {
  let gateway: TestGateway;
  let server: Server;
  let browser: Browser;
  let origin: string;
  beforeAll(async () => {
    server = await serve();
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    gateway = await startTestGateway(
      { alpine: { simulator: { quoteTtlS: 3600 } }, borealis: { simulator: { quoteTtlS: 3600, spreadBps: 40 } } },
      { config: { cors_origins: [origin] } },
    );
    browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  });
  afterAll(async () => {
    await browser.close();
    await gateway.close();
    await new Promise((closed) => server.close(closed));
  });
  const at = (): string => `${origin}/?gateway=${encodeURIComponent(gateway.url)}`;
  /** Shortens pauses. A timer of 20 s or more is a deadline, and is left as it is. */
  const quick = `const real = setTimeout; window.setTimeout = (run, ms) => real(run, ms < 20000 ? Math.min(ms, 100) : ms);`;
  const watched = (page: Page): string[] => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    return errors;
  };

  it('compares, orders, says how to pay, goes on after a reload, and links to the wallet', async () => {
    const context = await browser.newContext();
    await context.addInitScript(quick);
    const page = await context.newPage();
    const errors = watched(page);
    await page.goto(at());
    await page.getByRole('textbox').fill('5');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByText('alpine: below-minimum, from 10.00 EUR').waitFor();
    await page.getByRole('textbox').fill('99,50');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByText('pay: "99,50" is not an amount like "100" or "99.50" (fix-request)').waitFor();
    await page.getByRole('textbox').fill('100');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('button', { name: 'Buy' }).first().waitFor();
    expect((await page.getByRole('listitem').allTextContents()).map((text) => text.replace(/\d+/, 'N'))).toEqual([
      'alpine: N sats Buy',
      'borealis: N sats Buy',
    ]);
    await page.getByRole('button', { name: 'Buy' }).first().click();
    await page.getByText('awaiting_payment').waitFor();
    expect(await page.getByRole('definition').allTextContents()).toEqual([
      '100.00 EUR',
      'DE89370400440532013000',
      'alpine AG',
      expect.stringMatching(/^ALP-/),
      expect.any(String),
    ]);

    await page.reload();
    await page.getByText('awaiting_payment').waitFor();
    const control = gateway.simulators['alpine']?.control;
    await control?.pay(control.history.orders.at(-1)?.orderId ?? '');
    const href = await page.getByRole('link', { name: 'Open in your wallet' }).getAttribute('href');
    await createWallet(gateway.url).withdraw(href?.replace('lightning:', '') ?? '');
    await page.getByText('finished').waitFor();
    expect([errors, control?.orders.size]).toEqual([[], 1]);
    await context.close();
  });

  it('two tabs over one localStorage are one customer, and order an offer once', async () => {
    const context = await browser.newContext();
    const tabs = await Promise.all([context.newPage(), context.newPage()]);
    for (const tab of tabs) await tab.goto(at());
    const before = gateway.simulators['alpine']?.control.orders.size ?? 0;
    const inTab = async (run: string): Promise<unknown[]> =>
      await Promise.all(
        tabs.map(
          async (tab) =>
            await tab.evaluate(`import('@ramp-gateway/client').then(async ({ createRamp, localStorageStore }) => {
          const ramp = createRamp({ url: ${JSON.stringify(gateway.url)}, store: localStorageStore() });
          ${run}
        })`),
        ),
      );
    const [first, second] = await inTab(`const { best } = await ramp.offers({ pay: '70', currency: 'EUR', by: 'SEPA' }); return best.id;`);
    const bought = await inTab(`const order = await ramp.buy({ id: ${JSON.stringify(first)} }); return order.id;`);
    expect([new Set(bought).size, (gateway.simulators['alpine']?.control.orders.size ?? 0) - before, first === second]).toEqual([1, 1, false]);
    const opened = await inTab(`const { orders, pending } = await ramp.open(); return [orders.map(({ id }) => id), pending.length];`);
    expect(opened).toEqual([
      [[bought[0]], 0],
      [[bought[0]], 0],
    ]);
    await context.close();
  });
});
