/** Uses pages in Chromium as a customer does, and checks what a customer does not see: accessibility, requests to other hosts, cookies, errors. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { expect } from 'vitest';

/** The headless shell comes first, because it has no windows: buy.test.ts took 13 s of CPU with it, and 25 s with the full Chromium. */
export const executablePath = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
export const launch = async (): Promise<Browser> =>
  await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: ['--no-sandbox', '--disable-dev-shm-usage'] });

export const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } } as const;

/** axe, minified. Each page that is loaded runs axe again, and running this file costs a quarter less than running what the package exports. */
const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
type AxeResult = { violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] };

/** Takes a screenshot, but only if SCREENSHOTS names a folder: one screenshot costs as much as the steps of the test that lead up to it. */
export const picture = async (of: Pick<Page | Locator, 'screenshot'>, name: string): Promise<void> => {
  const folder = process.env['SCREENSHOTS'];
  if (folder !== undefined) await of.screenshot({ path: join(folder, `${name}.png`), ...('goto' in of ? { fullPage: true } : {}) });
};

export type Customer = {
  page: Page;
  context: BrowserContext;
  /** Errors in the console, and errors that no code caught. */
  errors: string[];
  /** Requests to hosts that were not named to `customerOf`. */
  foreign: string[];
  /** Checks that the screen is accessible and not wider than the window. `name` is for failures and screenshots. */
  sees: (name: string) => Promise<void>;
  /** Checks that there were no errors, no foreign requests and no cookies, then closes the page. */
  leaves: () => Promise<void>;
};

/** Waits until nothing fades in any more: text that is still fading has too little contrast. Ignores animations that never end. */
const isStill = `Promise.allSettled(document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime < Infinity).map(({ finished }) => finished))`;

/** Shortens pauses. A timer of 20 s or more is a deadline, and is left as it is. */
const quick = `const real = setTimeout; window.setTimeout = (run, ms) => real(run, ms < 20000 ? Math.min(ms, 100) : ms);`;

/**
 * Turns transitions off. With reduced motion, Scalar has a transition of 10 ns on every property of every element, so a text keeps its old colour on
 * the new background until the next frame. On a busy machine that takes long enough for axe to see it.
 */
const unfading = `{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('*, ::before, ::after { transition-property: none !important }');
  document.adoptedStyleSheets.push(sheet);
}`;

export const customerOf = async (browser: Browser, hosts: readonly string[], options: BrowserContextOptions = {}): Promise<Customer> => {
  const context = await browser.newContext({ viewport: sizes.phone, locale: 'en-GB', reducedMotion: 'reduce', ...options });
  await context.addInitScript(quick);
  await context.addInitScript(unfading);
  const page = await context.newPage();
  // Makes fades instant. Otherwise a page that is still building itself might begin a fade while axe looks, even after `isStill`.
  await (await context.newCDPSession(page)).send('Animation.setPlaybackRate', { playbackRate: 1000 });
  page.setDefaultTimeout(20_000);
  const errors: string[] = [];
  const foreign: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // The browser logs this for each answer with an error status; a page cannot prevent it.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text());
  });
  context.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (/^https?:$/.test(protocol) && !hosts.includes(host)) foreign.push(request.url());
  });
  const sees = async (name: string): Promise<void> => {
    // axe is half a megabyte. It stays in the page until the page is reloaded.
    if (await page.evaluate<boolean>('window.axe === undefined')) await page.evaluate(axe);
    await page.evaluate(isStill);
    const { violations } = await page.evaluate<AxeResult>(`axe.run(document, { resultTypes: ['violations'] })`);
    expect(violations.map(({ id, nodes }) => [name, id, nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`)])).toEqual([]);
    const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect([name, beyond]).toEqual([name, 0]);
    await picture(page, name);
  };
  const leaves = async (): Promise<void> => {
    expect([errors, foreign, await context.cookies()]).toEqual([[], [], []]);
    // A route handler that is still running would fail if the page closed first.
    await page.unrouteAll({ behavior: 'wait' });
    await context.close();
  };
  return { page, context, errors, foreign, sees, leaves };
};
