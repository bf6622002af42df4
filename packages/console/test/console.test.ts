/** The operator's four tasks in a browser: what waits is found and settled without a terminal. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../../scripts/demo/wallet.ts';
import { ProviderFault } from '../../../src/providers/fault.ts';
import { sha256Hex } from '../../../src/seal/hash.ts';
import { startTestGateway, type TestGateway } from '../../../test/support/gateway.ts';
import { seedOrders } from '../../../test/support/seeded-orders.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { customerOf, executablePath, launch, picture, sizes, type Customer } from '../../checkout/test/browser.ts';

const [alice, bob] = ['op_alice-0123456789', 'op_bob-0123456789'];
const hour = 3_600_000;
/** A name that is HTML, and one that is written from right to left. */
const [bold, rightToLeft] = ['<img src=x onerror=alert(1)>Bold & Co', 'שלום Ramp'];
/** More than one page of a list. */
const seeded = 140;

const button = (page: Page | Locator, name: string | RegExp): Locator => page.getByRole('button', { name });
const heading = async (page: Page, name: string | RegExp): Promise<void> => await page.getByRole('heading', { level: 1, name }).waitFor();
const task = async (page: Page, name: string | RegExp): Promise<void> =>
  await page.getByRole('navigation', { name: 'Tasks' }).getByRole('link', { name }).click();

describe.skipIf(executablePath === undefined)('in a browser the console', () => {
  let gateway: TestGateway;
  let receiver: WebhookReceiver;
  let browser: Browser;
  let operator: Customer;
  /** The ids of an order in review, and of one whose webhook fails. */
  let [reviewed, filled] = ['', ''];

  const buy = async (more: object = {}): Promise<string> => {
    const wallet = createWallet(gateway.url);
    const { sessionId } = await wallet.open();
    const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    return String((await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'], ...more })).body['order_id']);
  };
  const asBob = async (path: string, body?: object) => await createWallet(gateway.url).call(path, body, { authorization: `Bearer ${bob}` });

  beforeAll(async () => {
    [receiver, browser] = await Promise.all([startWebhookReceiver(), launch()]);
    gateway = await startTestGateway(
      {
        alpine: { simulator: { quoteTtlS: 3600 }, block: { name: 'Alpine Pay' } },
        borealis: { simulator: { quoteTtlS: 3600, spreadBps: 40 }, block: { name: 'Borealis' } },
        cobalt: { simulator: { quoteTtlS: 3600, spreadBps: 90 }, block: { name: 'Cobalt' } },
      },
      { config: { operator: { token_hashes: [sha256Hex(alice), sha256Hex(bob)] }, orders: { max_open: 10 } }, counts: true },
    );
    const { sql } = gateway.database;
    receiver.respond(500);
    filled = await buy({ webhook_url: `${receiver.url}/hook` });
    reviewed = await buy();
    await seedOrders(sql, { like: reviewed, from: gateway.clock.now() - 22 * hour, everyMs: (22 * hour) / seeded, first: 1, last: seeded });
    const { control } = gateway.simulators['alpine'] ?? {};
    await control?.pay(control.history.orders.at(0)?.orderId ?? '');
    await gateway.passUntil('a webhook', async () => await Promise.resolve(receiver.received.length > 0 ? true : undefined));
    // The webhook is at its third attempt.
    await sql`update deliveries set attempt = 3 where state = 'due'`;
    // The new sequence number and the far next check keep a read that is under way, or due, from ending the review first.
    await sql`
      update orders set stage = 'review', sequence = sequence + 1, next_check_on = '2999-01-01T00:00Z',
        terms = jsonb_set(terms::jsonb, '{reviewReason}', '"unclear"')::json where id = ${reviewed}`;
    const { guard } = gateway.server.gateway.providers.find(({ id }) => id === 'cobalt') ?? {};
    const refuse = async () => await Promise.reject(new ProviderFault('rejected-credentials', 'status 401', { status: 401, taken: 'no' }));
    await guard?.call('quote', { deadlineMs: 1000, idempotent: true, isOwn: true }, refuse).catch(() => undefined);
    operator = await customerOf(browser, [new URL(gateway.url).host], { viewport: sizes.desk });
  });
  afterAll(async () => {
    await browser.close();
    await gateway.close();
    await receiver.close();
  });

  it('takes only a right token', async () => {
    const { page, sees } = operator;
    await page.goto(`${gateway.url}/console`);
    for (const wrong of ['op_somebody-0123456789', 'short', 'שלום שלום שלום שלום']) {
      await page.getByLabel("Operator's token").fill(wrong);
      await button(page, 'Open').click();
      await page.getByText('The gateway does not accept this token').waitFor();
    }
    await sees('console-locked');
    await page.getByLabel("Operator's token").fill(alice);
    await button(page, 'Open').click();
    await heading(page, 'What waits for me?');
    await page.getByRole('heading', { name: /^In review/ }).waitFor();
    // The token is nowhere but in memory.
    expect(await page.evaluate<number>('localStorage.length + sessionStorage.length')).toBe(0);
    expect(await page.content()).not.toContain(alice);
  });

  it('drops a fallback address with what the provider said', async () => {
    const { page, sees } = operator;
    const { sql } = gateway.database;
    const at = new Date().toISOString();
    await sql`insert into claims (order_id, state, attempt, fallback, fallback_hash, created_on, next_try_on) values (${filled}, 'review', 2, 'sealed', 'hash', ${at}, ${at})`;
    await sql`update orders set next_check_on = '2999-01-01T00:00Z' where id = ${filled}`;
    await page.evaluate(`location.hash = '#/order/${filled}'`);
    await heading(page, new RegExp(filled));
    await page.locator('#drop-fallback-reason').fill('refused before the upgrade');
    await sees('console-drop-fallback-1280');
    await page.setViewportSize({ width: 390, height: 800 });
    await sees('console-drop-fallback-390');
    await page.setViewportSize(sizes.desk);
    const dialog = page.getByRole('dialog');
    const drop = async (): Promise<void> => {
      await button(page, 'Drop the fallback address …').click();
      await button(dialog, 'Drop the fallback address').click();
    };
    await drop();
    await page.getByText(/an answer may have been lost/).waitFor();
    await page.locator('#drop-fallback-reason').fill('refused before the upgrade');
    await page.locator('#drop-fallback-evidence').fill('Alpine:\nno link was made');
    await drop();
    await page.getByText(/^Done: .* the fallback address is dropped/).waitFor();
    await sql`delete from claims where order_id = ${filled}`;
    await page.evaluate(`location.hash = '#/'`);
    await heading(page, 'What waits for me?');
  });

  it('finds and settles an order in review', async () => {
    const { page, sees } = operator;
    await sees('console-waiting');
    await page.getByRole('group', { name: 'In review' }).getByRole('link').click();
    await heading(page, new RegExp(reviewed));
    await page.getByLabel('The stage that the order is really in').selectOption('awaiting_payment');
    await page.locator('#leave-review-reason').fill('Alpine says so by telephone');
    await sees('console-order');
    await button(page, 'End the review …').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The review ends at the next read from the provider that does not contradict "awaiting payment".').waitFor();
    await sees('console-question');
    await button(dialog, 'Cancel').click();
    await dialog.waitFor({ state: 'hidden' });
    await button(page, 'End the review …').click();
    await button(dialog, 'End the review').click();
    await page.getByText(/^Done: the review of .* does not contradict "awaiting_payment"/).waitFor();
    const stage = await gateway.passUntil('the end of the review', async () => {
      const { stage } = (await asBob(`/operator/orders/${reviewed}`)).body['order'] as { stage: string };
      return stage === 'review' ? undefined : stage;
    });
    expect(stage).toBe('awaiting_payment');
  });

  it('finds a provider that refuses the credentials, and tells the second of two operators what the first did', async () => {
    const { page, sees } = operator;
    await task(page, 'Providers');
    const cobalt = page.getByRole('article', { name: 'Cobalt' });
    await cobalt.getByText('It has refused our credentials since').waitFor();
    await sees('console-providers');
    await cobalt.getByText('Switch Cobalt').click();
    const fill = async (mode: string): Promise<void> => {
      await cobalt.getByRole('radio', { name: new RegExp(`^${mode}`) }).check();
      await cobalt.getByLabel('Reason').fill('no key until then');
      await cobalt.getByLabel('Until').fill('2099-12-31T06:00');
      await button(cobalt, 'Switch …').click();
    };
    await asBob('/operator/providers/cobalt', { mode: 'drain', reason: 'I asked for a new key' });
    await fill('off');
    await page.getByRole('dialog').getByText('orders for quotes already given are refused').waitFor();
    await button(page.getByRole('dialog'), 'Switch to "off"').click();
    await page
      .getByText(/^Nothing was changed, because another operator was faster: token:[\da-f]{8} set it to "drain" on .*: I asked for a new key$/)
      .waitFor();
    await fill('off');
    await page.getByRole('dialog').getByText('The switch ends on 2099-12-31 06:00:00 UTC').waitFor();
    await button(page.getByRole('dialog'), 'Switch to "off"').click();
    await page.getByText('Done: cobalt is set to "off".').waitFor();
    await cobalt.getByText('You set it to off').waitFor();
    const { body } = await asBob('/operator/attention');
    expect(body['switches']).toMatchObject([{ mode: 'off', reason: 'no key until then', until: '2099-12-31T06:00:00.000Z' }]);
    await fill('configured');
    await button(page.getByRole('dialog'), 'Remove the switch').click();
    await page.getByText('Done: cobalt is in its configured mode.').waitFor();
    await cobalt.getByText('You set it to off').waitFor({ state: 'detached' });
    // The provider accepts the key again, and no longer comes first. What the operator is writing stays with its provider.
    const reason = page.getByRole('article', { name: 'Alpine Pay' }).getByLabel('Reason');
    await page.getByText('Switch Alpine Pay').click();
    await reason.fill('for Alpine');
    await gateway.pass(61_000);
    await buy();
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await cobalt.getByText('It has refused our credentials since').waitFor({ state: 'detached' });
    expect(await reason.inputValue()).toBe('for Alpine');
    await task(page, /^Waiting/);
    await page.getByRole('heading', { name: /^Failing webhooks/ }).waitFor();
    expect(await page.getByRole('heading', { name: /^Providers with problems/ }).count()).toBe(0);
  });

  it('sends a failing webhook once its receiver is repaired', async () => {
    const { page } = operator;
    const before = receiver.received.length;
    receiver.respond(200);
    await button(page.getByRole('group', { name: 'Failing webhooks' }), /^Send now/)
      .first()
      .click();
    await page.getByText('The webhook is being sent.').waitFor();
    await gateway.passUntil('the webhook', async () => await Promise.resolve(receiver.received.length > before ? true : undefined));
    await page.goto(`${gateway.url}/console#/order/${filled}`);
    await heading(page, new RegExp(filled));
    await page.getByRole('group', { name: 'Webhooks of this order' }).getByText('delivered').first().waitFor();
  });

  it('finds orders by anything, of thousands only as many as can be read', async () => {
    const { page, sees } = operator;
    const find = async (words: string): Promise<void> => {
      await page.getByRole('search').getByRole('textbox').fill(words);
      await button(page, 'Find').click();
    };
    await find('<img src=x onerror=alert(1)>');
    await page.getByText('No order was found.').waitFor();
    await find('100 EUR');
    await page.getByText('These are the newest 100 orders. There are more').waitFor();
    await button(page, 'Show more').click();
    await page.getByText(/14\d orders, the newest first\./).waitFor();
    await find('up-17');
    await heading(page, /^Order [\da-f-]{36} finished$/);
    expect(page.url()).toMatch(/#\/order\/[\da-f-]{36}$/);
    await page.goto(`${gateway.url}/console#/list/open`);
    await heading(page, 'Orders: open');
    await page.getByText('3 orders, the newest first.').waitFor();
    await sees('console-found');
    await page.goto(`${gateway.url}/console#/order/nothing`);
    await page.getByText('There is no such order.').waitFor();
  });

  it('shows who wins, and opens a decision', async () => {
    const { page, sees } = operator;
    // The figures of these hours had been counted before the orders were seeded, so the hours are counted again.
    await gateway.database.sql`update counted_hours set check_on = now()`;
    await gateway.pass(61_000);
    await task(page, 'Who wins');
    await button(page, '24 hours').click();
    const figures = page.getByRole('group', { name: 'Figures by provider' });
    await figures.getByRole('row', { name: /^Alpine Pay/ }).waitFor();
    await expect.poll(async () => await page.locator('ramp-chart canvas').count()).toBe(3);
    await page.getByLabel('Option').selectOption('sepa');
    await sees('console-wins-desk');
    await picture(page.locator('main'), 'console-wins');
    await figures.getByRole('link', { name: 'Open decisions of alpine' }).click();
    await page.getByRole('group', { name: 'Orders at alpine' }).getByRole('link').first().click();
    await page.getByRole('group', { name: 'All providers that were asked' }).getByText('won', { exact: true }).waitFor();
  });

  it('fits a phone, is dark where the phone is, and shows as text what is HTML or written from right to left', async () => {
    const { page, sees } = operator;
    const rename = (id: string, name: string): unknown => Object.assign(gateway.server.gateway.providers.find((one) => one.id === id) ?? {}, { name });
    rename('cobalt', bold);
    rename('alpine', rightToLeft);
    await gateway.database.sql`update orders set raw_status = ${bold} where id = ${reviewed}`;
    await page.setViewportSize(sizes.phone);
    await page.emulateMedia({ colorScheme: 'dark' });
    const screens = [
      ['waiting', 'What waits for me?'],
      ['find', 'Where is the order?'],
      [`order/${reviewed}`, new RegExp(reviewed)],
      ['providers', 'Which providers have problems?'],
      ['wins/alpine', 'Who wins?'],
    ] as const;
    for (const [hash, title] of screens) {
      await page.goto(`${gateway.url}/console#/${hash}`);
      await heading(page, title);
      await page.getByText('Reading …').waitFor({ state: 'detached' });
      if (hash.startsWith('order')) await page.getByText(`“${bold}”, read`).waitFor();
      if (hash === 'providers') await page.getByRole('heading', { name: bold }).waitFor();
      if (hash.startsWith('wins')) await page.getByRole('heading', { name: `The latest orders at ${rightToLeft}` }).waitFor();
      await sees(`console-${hash.split('/')[0] ?? ''}-phone`);
      expect(await page.locator('img').count()).toBe(0);
    }
  });

  it('says so while the gateway is away, and when the token no longer counts', async () => {
    const { page, leaves } = operator;
    await page.route('**/operator/**', async (route) => await route.abort());
    await task(page, /^Waiting/);
    await page.getByText('The gateway does not answer. What you see is from').waitFor();
    await gateway.restart();
    await page.unroute('**/operator/**');
    await page.getByText('The gateway does not answer.').waitFor({ state: 'detached' });
    gateway.server.config.operator.token_hashes.length = 0;
    await task(page, 'Providers');
    await page.getByText('The gateway no longer accepts this token.').waitFor();
    await picture(page, 'console-locked-again');
    await leaves();
  });
});
