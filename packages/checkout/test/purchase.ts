/** A whole purchase on /buy, for every runtime that serves the page. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { createWallet } from '../../../scripts/demo/wallet.ts';
import type { Customer } from './browser.ts';

export const button = (page: Page, name: string | RegExp): Locator => page.getByRole('button', { name });
export const heading = async (page: Page, name: string): Promise<void> => await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();

type Purchase = {
  /** The gateway's address. */
  url: string;
  provider: string;
  /** Makes the money arrive at the provider. */
  pay: () => Promise<void>;
  /** The end of each screenshot's name. */
  suffix: string;
};
/** Goes on from the list of offers: orders, reloads the page, pays, withdraws, and saves the receipt. */
export const buyFromOffers = async ({ page, sees }: Customer, { url, provider, pay, suffix }: Purchase): Promise<void> => {
  await button(page, `Buy from \u2068${provider}\u2069`).click();
  await heading(page, 'Waiting for your payment');
  await sees(`bank-${suffix}`);
  await page.reload();
  await heading(page, 'Waiting for your payment');
  await pay();
  await heading(page, 'Your bitcoin is ready');
  const href = await page.getByRole('link', { name: 'Open in my wallet' }).getAttribute('href');
  await sees(`filled-${suffix}`);
  expect(href).toMatch(/^lightning:LNURL1/i);
  await createWallet(url).withdraw(href?.replace('lightning:', '') ?? '');
  await heading(page, 'Your bitcoin has arrived');
  await sees(`finished-${suffix}`);
  const downloading = page.waitForEvent('download');
  await button(page, 'Save the receipt').click();
  expect((await downloading).suggestedFilename()).toMatch(/^receipt-[\da-f-]{36}\.json$/);
};
