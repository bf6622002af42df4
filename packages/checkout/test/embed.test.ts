import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../../../test/support/gateway.ts';
import { customerOf, executablePath, launch, picture, sizes } from './browser.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

/** A style sheet that spoils every element of the page as much as it can. */
const hostile = `* { all: unset !important; color: #fefefe !important; background: #fff !important; font: 6px serif !important; direction: rtl !important; line-height: 0 !important; }
  :focus { outline: none !important; } ramp-buy * { visibility: hidden !important; }`;
const heard = `addEventListener('message', ({ data, origin }) => (window.heard = [...(window.heard ?? []), { data, origin }]));
  for (const name of ['offer', 'ordered', 'filled', 'finished', 'error'])
    document.addEventListener(name, ({ type, detail }) => (window.heard = [...(window.heard ?? []), { type, detail }]));`;

describe.skipIf(executablePath === undefined)('in a browser on the page of a stranger', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ramp-buy-'));
  const files: Record<string, [type: string, text: string]> = {};
  const serve = async (): Promise<[server: Server, origin: string]> => {
    const server = createServer((request, response) => {
      const [type, text] = files[new URL(request.url ?? '/', 'http://page').pathname] ?? [];
      const policy = `default-src 'none'; script-src 'self'; style-src 'self'; connect-src ${gateway.url}; frame-src ${gateway.url}; img-src data:`;
      response.writeHead(text === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain', 'content-security-policy': policy }).end(text);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  };
  let gateway: TestGateway;
  let browser: Browser;
  let [servers, listed, unlisted]: [Server[], string, string] = [[], '', ''];
  beforeAll(async () => {
    const [[one, origin], [two, otherOrigin]] = await Promise.all([serve(), serve()]);
    [servers, listed, unlisted] = [[one, two], origin, otherOrigin];
    const pack = async (): Promise<void> => {
      await run(process.execPath, ['--no-warnings', 'scripts/build.ts'], { cwd: root });
      const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
      const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
      expect(packed?.files.map(({ path }) => path).toSorted()).toEqual([
        'LICENSE',
        'README.md',
        'dist/THIRD-PARTY-NOTICES.txt',
        'dist/ramp-buy.d.ts',
        'dist/ramp-buy.js',
        'package.json',
      ]);
      await run('tar', ['-xzf', join(folder, packed?.filename ?? ''), '-C', folder]);
    };
    [gateway, browser] = await Promise.all([
      startTestGateway(
        {
          alpine: { simulator: { quoteTtlS: 259_200 }, block: { name: 'Alpine Pay' } },
          borealis: { simulator: { quoteTtlS: 259_200, spreadBps: 25 }, block: { name: 'Borealis' } },
          cobalt: { simulator: { quoteTtlS: 259_200, spreadBps: 40, estimate: true }, block: { name: 'Cobalt' } },
        },
        { config: { cors_origins: [listed], pages: { frame_ancestors: [listed] } } },
      ),
      launch(),
      pack(),
    ]);
    const head =
      '<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/hostile.css"><script src="/heard.js"></script>';
    files['/hostile.css'] = ['text/css', hostile];
    files['/heard.js'] = ['text/javascript', heard];
    files['/ramp-buy.js'] = ['text/javascript', readFileSync(join(folder, 'package/dist/ramp-buy.js'), 'utf8')];
    files['/'] = ['text/html', `${head}<script type="module" src="/ramp-buy.js"></script><body><ramp-buy gateway="${gateway.url}" amount="50"></ramp-buy>`];
    files['/frame'] = ['text/html', `${head}<body><iframe src="${gateway.url}/buy?amount=60" title="Buy"></iframe>`];
  });
  afterAll(async () => {
    await browser.close();
    await gateway.close();
    await Promise.all(servers.map(async (server) => await new Promise((closed) => server.close(closed))));
    rmSync(folder, { recursive: true, force: true });
  });
  const hosts = (): string[] => [gateway.url, listed, unlisted].map((url) => new URL(url).host);

  it('embeds the packed element with one tag, buys, and is told of it without a secret', async () => {
    const { page, leaves } = await customerOf(browser, hosts(), { viewport: sizes.phone, deviceScaleFactor: 2 });
    /** Takes the pictures of the README. */
    const pictured = async (name: string): Promise<void> => await picture(page.locator('ramp-buy'), name);
    await page.goto(listed);
    const button = page.getByRole('button', { name: 'Compare prices' });
    await button.waitFor();
    const style = await button.evaluate<string[], HTMLElement>((element) => {
      const { fontSize, color, visibility, direction } = getComputedStyle(element);
      return [fontSize, color, visibility, direction];
    });
    expect(style).toEqual(['16px', 'rgb(255, 255, 255)', 'visible', 'ltr']);
    await button.click();
    await page.getByRole('button', { name: /^Buy from.*Alpine/ }).waitFor();
    await pictured('checkout-offers');
    await page.getByRole('button', { name: /^Buy from.*Alpine/ }).click();
    await page.getByRole('heading', { name: 'Waiting for your payment' }).waitFor();
    await pictured('checkout-bank');
    const control = gateway.simulators['alpine']?.control;
    await control?.pay(control.history.orders.at(-1)?.orderId ?? '');
    const href = await page.getByRole('link', { name: 'Open in my wallet' }).getAttribute('href');
    await pictured('checkout-filled');
    await createWallet(gateway.url).withdraw(href?.replace('lightning:', '') ?? '');
    await page.getByRole('heading', { name: 'Your bitcoin has arrived' }).waitFor();
    const told = await page.evaluate<{ type: string; detail: { pays?: string; provider?: string } }[]>('window.heard');
    expect(told.map(({ type, detail }) => [type, detail.provider, detail.pays])).toEqual(
      ['offer', 'ordered', 'filled', 'finished'].map((type) => [type, 'Alpine Pay', '50.00 EUR']),
    );
    expect(JSON.stringify(told)).not.toMatch(/LNURL|DE89|ALP-/i);
    await leaves();
  });

  it.each(['javascript:document.title=1//', ' javascript:document.title=1//', 'java&#9;script:document.title=1//', 'data:text/html,x', 'mywallet://bought'])(
    'links back to an app, and never to a script: %s',
    async (address) => {
      files['/back'] = ['text/html', files['/']?.[1].replace('<ramp-buy ', `<ramp-buy return-to="${address}" `) ?? ''];
      const { page, leaves } = await customerOf(browser, hosts());
      await page.goto(`${listed}/back`);
      await page.getByRole('button', { name: 'Compare prices' }).click();
      await page.getByRole('button', { name: /^Buy from.*Alpine/ }).click();
      await page.getByRole('heading', { name: 'Waiting for your payment' }).waitFor();
      const links = await page.locator('.actions a').evaluateAll((all) => all.map((link) => new URL((link as HTMLAnchorElement).href).protocol));
      expect(links).toEqual(address.startsWith('mywallet') ? ['mywallet:'] : []);
      await leaves();
    },
  );

  it('keeps its order when it is moved in the page of a browser without storage', async () => {
    const { page, context, leaves } = await customerOf(browser, hosts());
    await context.addInitScript(`Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('no storage', 'SecurityError'); } })`);
    await page.goto(listed);
    await page.getByRole('button', { name: 'Compare prices' }).click();
    await page.getByRole('button', { name: /^Buy from.*Alpine/ }).click();
    await page.getByRole('heading', { name: 'Waiting for your payment' }).waitFor();
    await page.evaluate(`document.body.append(Object.assign(document.createElement('div'), { id: 'modal' }));
      document.querySelector('#modal').append(document.querySelector('ramp-buy'))`);
    await page.locator('#modal').getByRole('heading', { name: 'Waiting for your payment' }).waitFor();
    await page.getByText('Pay once').or(page.getByText('IBAN')).first().waitFor();
    await leaves();
  });

  it('serves a customer whose clock is days ahead', async () => {
    const { page, context, leaves } = await customerOf(browser, hosts());
    await context.addInitScript(`const now = Date.now; Date.now = () => now() + 400 * 3600e3`);
    await page.goto(listed);
    await page.getByRole('button', { name: 'Compare prices' }).click();
    await page.getByRole('button', { name: /^Buy from.*Alpine/ }).click();
    await page.getByRole('heading', { name: 'Waiting for your payment' }).waitFor();
    const control = gateway.simulators['alpine']?.control;
    await control?.pay(control.history.orders.at(-1)?.orderId ?? '');
    await page.getByRole('link', { name: 'Open in my wallet' }).waitFor();
    await leaves();
  });

  it('begins at the gateway that is set just after it was added, and only there', async () => {
    files['/empty'] = ['text/html', files['/']?.[1].replace(/<ramp-buy.*$/, '') ?? ''];
    const { page, leaves } = await customerOf(browser, hosts());
    await page.goto(`${listed}/empty`);
    await page.evaluate(`customElements.whenDefined('ramp-buy').then(() => {
      const buy = document.createElement('ramp-buy');
      document.body.append(buy);
      buy.gateway = '${gateway.url}';
    })`);
    await page.getByRole('button', { name: 'Compare prices' }).waitFor();
    await leaves();
  });

  it('says no longer that the page is not listed once the gateway has answered it', async () => {
    const { page, context } = await customerOf(browser, hosts());
    // To the page, an answer without CORS headers, such as a proxy's while the gateway restarts, looks like none.
    const calls = ({ href, pathname }: URL): boolean => href.startsWith(gateway.url) && pathname !== '/health/live';
    await page.route(calls, async (route) => await route.abort());
    await page.goto(listed);
    const note = page.getByText('The gateway does not serve this page.');
    await note.waitFor();
    await page.unroute(calls);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'Compare prices' }).waitFor();
    await note.waitFor({ state: 'detached' });
    await context.close();
  });

  it('shows /buy in a frame where it is listed, and hears of what happens in it', async () => {
    const { page, leaves } = await customerOf(browser, hosts());
    await page.goto(`${listed}/frame`);
    await page.frameLocator('iframe').getByRole('button', { name: 'Compare prices' }).click();
    await page
      .frameLocator('iframe')
      .getByRole('button', { name: /^Buy from.*Alpine/ })
      .waitFor();
    const offer = {
      type: 'ramp-gateway:offer',
      detail: { offers: 3, provider: 'Alpine Pay', pays: '60.00 EUR', gets: expect.stringMatching(/^\d+ sat$/) as string },
    };
    expect(await page.evaluate('window.heard')).toEqual([{ origin: gateway.url, data: offer }]);
    await leaves();
  });

  it('shows no /buy in a frame, and buys nothing, where it is not listed', async () => {
    const { page, context, errors } = await customerOf(browser, hosts());
    await page.goto(`${unlisted}/frame`);
    await expect.poll(() => errors).toEqual([expect.stringContaining('frame-ancestors')]);
    await page.goto(unlisted);
    await page.getByText(`The gateway does not serve this page. The operator of the gateway must list ${unlisted} under cors_origins.`).waitFor();
    await context.close();
  });
});
