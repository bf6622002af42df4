import type { Browser, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../../scripts/demo/wallet.ts';
import { standardCurrencies } from '../../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator-state.ts';
import { startTestGateway, type TestGateway } from '../../../test/support/gateway.ts';
import { customerOf, executablePath, launch, sizes, type Customer } from './browser.ts';
import { button, buyFromOffers, heading } from './purchase.ts';

const hour = 3600;
/** A name that is HTML, and one that is written from right to left. */
const [bold, rightToLeft] = ['<img src=x onerror=alert(1)>Bold & Co', 'שלום Ramp'];
const withPage = standardCurrencies.map((currency) => ({ ...currency, options: currency.options.map((option) => ({ ...option, pay: 'url' as const })) }));
let gateway: TestGateway;
let browser: Browser;

const open = async (options: Parameters<typeof customerOf>[2] = {}): Promise<Customer> => await customerOf(browser, [new URL(gateway.url).host], options);
/** Opens the page, enters an amount and waits for the offers. */
const compare = async ({ page }: Customer, query = '', amount = '100'): Promise<void> => {
  await page.goto(`${gateway.url}/buy${query}`);
  await page.getByRole('textbox').fill(amount);
  await button(page, /^(Compare prices|Preise vergleichen)$/).click();
  await page.getByRole('listitem').first().waitFor();
};
/** Makes the money of the last order arrive at Alpine. */
const payAlpine = async (): Promise<void> => {
  const control = gateway.simulators['alpine']?.control;
  await control?.pay(control.history.orders.at(-1)?.orderId ?? '');
};
const buyFrom = async (customer: Customer, provider: string): Promise<void> => {
  await compare(customer);
  await button(customer.page, `Buy from \u2068${provider}\u2069`).click();
  await heading(customer.page, 'Waiting for your payment');
};
/** Answers with what the gateway answers, changed by `change`. */
const changed = async (route: Route, change: (answer: Record<string, Record<string, unknown>>) => object): Promise<void> => {
  const response = await route.fetch();
  await route.fulfill({ response, json: change((await response.json()) as Record<string, Record<string, unknown>>) });
};
const problem = async (route: Route, status: number, code: string, action: string, more: object = {}): Promise<void> =>
  await route.fulfill({
    status,
    contentType: 'application/problem+json',
    body: JSON.stringify({
      type: `urn:ramp-gateway:problem:${code}`,
      title: code,
      status,
      detail: `It is ${code}.`,
      instance: 'req_12345678',
      code,
      action,
      ...more,
    }),
  });
/** Makes every order appear at the stage that `now` returns, whatever the gateway says. */
const showStage = async ({ page }: Customer, now: () => string): Promise<void> => {
  await page.route(
    '**/order-status',
    async (route) =>
      await changed(route, (answer) =>
        Object.fromEntries(Object.entries(answer).map(([id, order]) => [id, { ...order, stage: now(), final: false, payment_info: undefined }])),
      ),
  );
};

describe.skipIf(executablePath === undefined)('in a browser', () => {
  beforeAll(async () => {
    [gateway, browser] = await Promise.all([
      startTestGateway(
        {
          alpine: { simulator: { quoteTtlS: 72 * hour }, block: { name: 'Alpine Pay' } },
          borealis: { simulator: { quoteTtlS: 72 * hour, spreadBps: 30, estimate: true }, block: { name: 'Borealis' } },
          cobalt: { simulator: { quoteTtlS: 72 * hour, spreadBps: 60, currencies: withPage }, block: { name: bold } },
          eiger: { simulator: { quoteTtlS: 72 * hour, spreadBps: 90 }, block: { name: 'Eiger' } },
          dune: { simulator: { quoteTtlS: 72 * hour, proof: 'demanded' }, block: { name: rightToLeft } },
        },
        { config: { apps: { wallet: { return_to: ['mywallet://bought'] } } } },
      ),
      launch(),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await gateway.close();
  });

  it.each(Object.entries(sizes))('a purchase from the amount to the bitcoin (%s)', async (size, viewport) => {
    const customer = await open({ viewport });
    const { page, sees } = customer;
    await page.goto(`${gateway.url}/buy?return_to=${encodeURIComponent('mywallet://bought?x=1')}`);
    await button(page, 'Compare prices').waitFor();
    await sees(`amount-${size}`);
    await page.getByRole('textbox').fill('1.2.3');
    await button(page, 'Compare prices').click();
    await page.getByText('Enter an amount like 100 or 99.50.').waitFor();
    await sees(`amount-wrong-${size}`);
    await page.getByRole('textbox').fill('100');
    await button(page, 'Compare prices').click();
    await page.getByText('Best price').waitFor();
    await page.getByText('1 provider without an offer').click();
    await sees(`offers-${size}`);
    // A provider's name is shown as text, not as HTML.
    expect(await page.getByRole('heading', { name: bold }).count()).toBe(1);
    await buyFromOffers(customer, { url: gateway.url, provider: 'Alpine Pay', pay: payAlpine, suffix: size });
    expect(await page.getByRole('link', { name: 'Return to the app' }).getAttribute('href')).toMatch(
      /^mywallet:\/\/bought\?x=1&order_id=[\da-f-]{36}&stage=finished$/,
    );
    await customer.leaves();
  });

  it('a code stays until it expires, although the provider calls the order finished, and after a reload', async () => {
    const own = await startTestGateway({ alpine: { simulator: { quoteTtlS: 72 * hour, deviations: ['finished-at-once'] }, block: { name: 'Alpine Pay' } } });
    const customer = await customerOf(browser, [new URL(own.url).host]);
    const { page, sees } = customer;
    await page.goto(`${own.url}/buy`);
    await page.getByRole('textbox').fill('100');
    await button(page, 'Compare prices').click();
    await button(page, 'Buy from \u2068Alpine Pay\u2069').click();
    await heading(page, 'Waiting for your payment');
    const control = own.simulators['alpine']?.control;
    await control?.pay(control.history.orders.at(-1)?.orderId ?? '');
    await heading(page, 'Your bitcoin has arrived');
    const code = page.getByRole('link', { name: 'Open in my wallet' });
    const href = await code.getAttribute('href');
    await page.getByText('If you have not collected your bitcoin yet').waitFor();
    await page.getByText(/Valid until/).waitFor();
    await sees('finished-code');
    await page.reload();
    await page.getByRole('button', { name: /Your bitcoin has arrived/ }).click();
    await page.getByText('If you have not collected your bitcoin yet').waitFor();
    expect([await code.getAttribute('href'), href]).toEqual([href, expect.stringMatching(/^lightning:LNURL1/i)]);
    await sees('finished-code-reloaded');
    // The code cannot be read: the order stays in the list, and its screen says so.
    const answers = async (status: number, code: string, action: string) => {
      await page.unroute('**/withdrawal');
      await page.route('**/withdrawal', async (route) => await problem(route, status, code, action, { retryable: false }));
    };
    const seesBoth = async (name: string): Promise<void> => {
      for (const width of [390, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        await sees(`${name}-${width}`);
      }
    };
    await answers(503, 'claim-outcome-unknown', 'retry');
    await page.reload();
    await page.getByRole('button', { name: /Your bitcoin has arrived/ }).click();
    await page.getByText('could not read the code of this order').waitFor();
    await seesBoth('finished-unread');
    // There is no code any more: the customer may ask for another, which the provider may refuse or give.
    await answers(409, 'order-not-withdrawable', 'contact-support');
    await button(page, 'Try again').click();
    await page.getByText('gives no other code').waitFor();
    await seesBoth('finished-no-other');
    await answers(503, 'claim-outcome-unknown', 'retry');
    await page.reload();
    const listed = page.getByRole('button', { name: /Your bitcoin has arrived/ });
    await listed.waitFor();
    await answers(409, 'order-not-withdrawable', 'contact-support');
    await listed.click();
    await page.getByText('If your bitcoin has not arrived').waitFor();
    await seesBoth('finished-missing');
    await page.unroute('**/withdrawal');
    await button(page, 'Get a new code').click();
    await page.getByText('If you have not collected your bitcoin yet').waitFor();
    expect(await code.getAttribute('href')).toBe(href);
    await createWallet(own.url).withdraw(href?.replace('lightning:', '') ?? '');
    await customer.leaves();
    await own.close();
  });

  it('German, dark, at 200 %, by keyboard alone', async () => {
    const customer = await open({ viewport: { width: 640, height: 450 }, deviceScaleFactor: 2, locale: 'de-AT', colorScheme: 'dark' });
    const { page, sees } = customer;
    await page.goto(`${gateway.url}/buy`);
    await button(page, 'Preise vergleichen').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('1.000,50');
    await sees('amount-de-dark');
    await page.keyboard.press('Enter');
    await page.getByText('Bester Preis').waitFor();
    await sees('offers-de-dark');
    const focused = async (): Promise<string> =>
      await page.evaluate<string>(`document.querySelector('ramp-buy').shadowRoot.activeElement?.getAttribute('aria-label') ?? ''`);
    for (let tabs = 0; tabs < 10 && !/Alpine/.test(await focused()); tabs += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await heading(page, 'Ihre Zahlung wird erwartet');
    await sees('bank-de-dark');
    expect((await page.getByRole('definition').allTextContents())[0]?.replaceAll(/\s/g, ' ')).toBe('1.000,50 €');
    await customer.leaves();
  });

  it.each<[string, Record<string, string>, string[], text: string]>([
    ['one reference', { provider_reference: 'P-1', payment_reference: 'P-1', account: '12' }, ['Reference P-1', 'account 12'], 'The reference must be in'],
    [
      'a reference, and what to know about it',
      { provider_reference: '77', reference: '77', reference_note: 'Write only the digits', customer_reference: 'C-1' },
      ['Reference 77', 'reference note Write only the digits', 'customer reference C-1'],
      'The reference must be in',
    ],
    [
      'two that may be it',
      { reference_number: 'A1', reference_code: 'B2' },
      ['reference number A1', 'reference code B2'],
      'The transfer must carry the reference that is among these details',
    ],
    ['none', { preference: 'SEPA' }, ['preference SEPA'], 'Pay exactly this amount, once.'],
  ])('payment details with %s: none is hidden', async (_what, more, rows, text) => {
    const customer = await open();
    const { page } = customer;
    type Paid = { payment_info?: { payment_details: Record<string, string> } };
    const named = (order: Paid): Paid => {
      const { provider_iban = '', provider_name = '' } = order.payment_info?.payment_details ?? {};
      return { ...order, payment_info: { payment_details: { provider_iban, provider_name, ...more } } };
    };
    await page.route('**/order', async (route) => await changed(route, named));
    await page.route(
      '**/order-status',
      async (route) => await changed(route, (answer) => Object.fromEntries(Object.entries(answer).map(([id, order]) => [id, named(order)]))),
    );
    await buyFrom(customer, 'Alpine Pay');
    await page.getByText(text).waitFor();
    const shown = await page.locator('section.pay dl > div').allTextContents();
    expect(
      shown
        .map((row) =>
          row
            .replaceAll(/\s+/g, ' ')
            .replace(/ ?Copy $/, '')
            .trim(),
        )
        .slice(3),
    ).toEqual(rows);
    await customer.leaves();
  });

  it("the provider's page opens in a tab that cannot reach this one", async () => {
    const customer = await open();
    await buyFrom(customer, bold);
    const link = customer.page.getByRole('link', { name: /^Pay at / });
    expect([await link.getAttribute('target'), await link.getAttribute('rel')]).toEqual(['_blank', 'noopener noreferrer']);
    await customer.sees('page-phone');
    await customer.leaves();
  });

  it('an order that does not go its usual way', async () => {
    const customer = await open();
    await buyFrom(customer, 'Alpine Pay');
    let stage = 'awaiting_payment';
    await showStage(customer, () => stage);
    for (const [name, title] of [
      ['underpaid', 'Less money arrived than was due'],
      ['review', 'The operator is looking at this order'],
      ['expired', 'This order has expired'],
      ['refunded', 'The provider has sent your money back'],
      ['failed', 'The provider could not carry out this order'],
      ['a-later-stage', 'Your order has reached another stage'],
    ] as const) {
      stage = name;
      await heading(customer.page, title);
      await customer.sees(`${name}-phone`);
    }
    await customer.leaves();
  });

  it('no offer: each provider says why', async () => {
    const customer = await open();
    await customer.page.route(
      '**/offers',
      async (route) =>
        await changed(route, ({ offers = {}, ...rest }) => ({
          ...rest,
          offers: [],
          refused: [offers, rest['refused'] ?? {}]
            .flatMap((list) => Object.values(list) as { provider: unknown }[])
            .map(({ provider }) => ({ provider, reason: 'busy' })),
        })),
    );
    await compare(customer);
    await customer.page.getByRole('heading', { name: 'Nobody offers this right now' }).waitFor();
    await customer.sees('no-offer-phone');
    await customer.leaves();
  });

  it('a gateway that is away, busy, or has lost the session', async () => {
    const customer = await open();
    const { page, sees } = customer;
    await page.route('**/payment-options', async (route) => await route.abort());
    await page.goto(`${gateway.url}/buy`);
    await page.getByText('The gateway does not answer.').waitFor();
    await sees('away-phone');
    await page.unroute('**/payment-options');
    await button(page, 'Try again').click();
    await button(page, 'Compare prices').waitFor();
    for (const [status, code, action, text] of [
      [429, 'rate-limited', 'wait', 'There were too many requests in a short time.'],
      [503, 'temporary-reduced-capacity', 'wait', 'The gateway is busy.'],
      [422, 'amount-out-of-range', 'ask-user', 'The amount is outside'],
    ] as const) {
      await page.route('**/offers', async (route) => await problem(route, status, code, action));
      await button(page, 'Compare prices').click();
      await page.getByText(text).waitFor();
      await page.unroute('**/offers');
    }
    await sees('problem-phone');
    let lost = 0;
    await page.route('**/offers', async (route) =>
      (lost += 1) === 1 ? await problem(route, 401, 'session-invalid', 'reopen-session') : await route.continue(),
    );
    await button(page, 'Compare prices').click();
    await page.getByText('Best price').waitFor();
    expect(lost).toBe(2);
    await customer.leaves();
  });

  it('a gateway that no longer knows the browser: the customer begins anew, but only after seeing what they lose by that', async () => {
    const customer = await open();
    const { page, sees } = customer;
    await buyFrom(customer, 'Alpine Pay');
    const stored = async (): Promise<string> => await page.evaluate<string>(`JSON.stringify(Object.entries(localStorage))`);
    const before = await stored();
    const { sql } = gateway.database;
    const customers = await sql<{ id: string; recovery_hash: string }[]>`select id, recovery_hash from customers where recovery_hash is not null`;
    await sql`update customers set recovery_hash = null`;
    await sql`update sessions set revoked_on = now()`;
    await page.getByText('The gateway no longer knows this browser').waitFor();
    expect(await page.getByText('IBAN', { exact: true }).count()).toBe(0);
    await page.getByText('Start again without these orders').click();
    await page.getByText('This page then forgets the orders').waitFor();
    expect(await page.locator('details li').filter({ hasText: 'Alpine Pay' }).count()).toBe(1);
    await sees('stranger-ordered-phone');
    await page.goto(`${gateway.url}/buy?lang=de&theme=dark`);
    await page.getByText('Das Gateway kennt diesen Browser nicht mehr.').waitFor();
    await button(page, 'Noch einmal versuchen').click();
    await page.getByText('Ohne diese Bestellungen neu anfangen').click();
    await sees('stranger-dark-phone');
    expect((JSON.parse(await stored()) as string[][]).length).toBe((JSON.parse(before) as string[][]).length);
    // After another restore, the gateway knows the browser again, and the page shows the order.
    for (const { id, recovery_hash } of customers) await sql`update customers set recovery_hash = ${recovery_hash} where id = ${id}`;
    await button(page, 'Noch einmal versuchen').click();
    await heading(page, 'Ihre Zahlung wird erwartet');
    await sql`update customers set recovery_hash = null`;
    await sql`update sessions set revoked_on = now()`;
    await page.goto(`${gateway.url}/buy`);
    await page.getByText('Start again without these orders').click();
    await button(page, 'Forget them and start again').click();
    await button(page, 'Compare prices').waitFor();
    await customer.leaves();
  });

  it('a gateway that goes away while an order is followed', async () => {
    const customer = await open();
    await buyFrom(customer, 'Alpine Pay');
    await customer.page.route('**/order-status', async (route) => await route.abort());
    await customer.page.getByText('This page keeps asking; your order is safe.').waitFor();
    await customer.sees('away-ordered-phone');
    await customer.page.unroute('**/order-status');
    await customer.page.getByText('This page keeps asking; your order is safe.').waitFor({ state: 'detached' });
    await customer.leaves();
  });

  it('two tabs are one customer: what one orders, the other shows', async () => {
    const customer = await open();
    const other = await customer.context.newPage();
    await other.goto(`${gateway.url}/buy`);
    await button(other, 'Compare prices').waitFor();
    await buyFrom(customer, 'Alpine Pay');
    await other.getByRole('heading', { name: 'Your open orders' }).waitFor();
    await button(other, /Alpine Pay/).click();
    await heading(other, 'Waiting for your payment');
    await customer.leaves();
  });

  it('two tabs at the offers: while it is not known what became of the order of one, the other orders nothing', async () => {
    const customer = await open();
    const { page, context } = customer;
    const second = await context.newPage();
    await compare(customer);
    await compare({ ...customer, page: second });
    await page.route('**/order', async (route) => await route.abort());
    await button(page, /Alpine/).click();
    await button(page, 'Ask again').waitFor();
    await second.getByText('We do not know yet whether').waitFor();
    expect(await button(second, /^(Buy|Change)/).count()).toBe(0);
    await button(second, 'Give it up').click();
    await button(second, 'Compare prices').waitFor();
    await customer.leaves();
  });

  it('what may not be used any more is not shown: payment details after their end, also while the gateway is away, and a code', async () => {
    const customer = await open();
    const { page } = customer;
    await buyFrom(customer, 'Alpine Pay');
    const [iban, over] = [page.getByText('IBAN', { exact: true }), page.getByText('It is too late to pay.')];
    await iban.waitFor();
    await page.route('**/order-status', async (route) => await route.abort());
    await page.evaluate('globalThis.now = Date.now; Date.now = () => globalThis.now() + 4 * 86_400_000;');
    await over.waitFor();
    expect([await iban.count(), await page.locator('figure').count()]).toEqual([0, 0]);
    await page.evaluate('Date.now = globalThis.now');
    await iban.waitFor();
    await page.unroute('**/order-status');
    let asked = 0;
    await page.route('**/withdrawal', async (route) =>
      (asked += 1) === 1 ? await changed(route, (answer) => ({ ...answer, withdrawal_expiration_date: '2026-01-01T00:00:00.000Z' })) : await route.continue(),
    );
    await payAlpine();
    await page.getByText('This code has expired.').waitFor();
    expect([await page.locator('figure').count(), await page.getByRole('link', { name: 'Open in my wallet' }).count()]).toEqual([0, 0]);
    await customer.sees('claim-over-phone');
    await button(page, 'Get a new code').click();
    await page.getByRole('link', { name: 'Open in my wallet' }).waitFor();
    expect(asked).toBe(2);
    await customer.leaves();
  });

  it('a slow gateway: what waiting means, at each step', async () => {
    const customer = await open();
    const { page, sees } = customer;
    /** Holds the requests to a path until the returned function is called. */
    const hold = async (path: string): Promise<() => void> => {
      let release = (): void => undefined;
      const released = new Promise<void>((done) => (release = done));
      await page.route(path, async (route) => {
        await released;
        // The customer may have stopped waiting.
        await route.continue().catch(() => undefined);
      });
      return release;
    };
    const [offers, order] = [await hold('**/offers'), await hold('**/order')];
    await page.goto(`${gateway.url}/buy`);
    await button(page, 'Compare prices').click();
    await page.getByText('Nothing is ordered yet: you can stop and try again later.').waitFor();
    await sees('slow-offers-phone');
    await button(page, 'Stop waiting').click();
    await button(page, 'Compare prices').waitFor();
    offers();
    await button(page, 'Compare prices').click();
    await button(page, /Alpine/).click();
    await page.getByText('Please do not order anywhere else').waitFor();
    await sees('slow-order-phone');
    expect(await button(page, 'Stop waiting').count()).toBe(0);
    order();
    await heading(page, 'Waiting for your payment');
    await customer.leaves();
  });

  it('a customer who orders twice and pays twice: one order, one code, and nothing more to pay', async () => {
    const customer = await open();
    const { page, sees } = customer;
    const control = gateway.simulators['alpine']?.control;
    const before = control?.history.orders.length ?? 0;
    await compare(customer);
    await button(page, /Alpine/).dblclick();
    await heading(page, 'Waiting for your payment');
    const other = await customer.context.newPage();
    await other.goto(`${gateway.url}/buy`);
    await heading(other, 'Waiting for your payment');
    const orderId = control?.history.orders.at(-1)?.orderId ?? '';
    await control?.pay(orderId, 'payment_received');
    for (const tab of [page, other]) {
      await heading(tab, 'Your payment has arrived. Do not pay again.');
      expect(await tab.getByText('IBAN').count()).toBe(0);
    }
    await sees('paid-phone');
    const codes: (string | null)[] = [];
    for (const tab of [page, other]) {
      // The second payment of the same order.
      await control?.pay(orderId);
      await heading(tab, 'Your bitcoin is ready');
      codes.push(await tab.getByRole('link', { name: 'Open in my wallet' }).getAttribute('href'));
    }
    await createWallet(gateway.url).withdraw(codes[0]?.replace('lightning:', '') ?? '');
    for (const tab of [page, other]) await heading(tab, 'Your bitcoin has arrived');
    expect([new Set(codes).size, (control?.history.orders.length ?? 0) - before]).toEqual([1, 1]);
    await customer.leaves();
  });

  it('320 px wide', async () => {
    const customer = await open({ viewport: { width: 320, height: 640 } });
    await compare(customer);
    await customer.sees('offers-320');
    await button(customer.page, /Alpine/).click();
    await heading(customer.page, 'Waiting for your payment');
    await customer.sees('bank-320');
    await customer.leaves();
  });

  it('a provider that is killed while it takes an order: nothing else is ordered until that is known or given up', async () => {
    const customer = await open();
    const { page, sees } = customer;
    const eiger = gateway.simulators['eiger'];
    await buyFrom(customer, 'Eiger');
    await button(page, 'New purchase').click();
    await button(page, 'Compare prices').click();
    eiger?.control.setFault({ endpoint: 'order', fault: 'latency', times: 1, ms: 15_000 });
    const orders = (): number => eiger?.control.history.requests.filter(({ endpoint }) => endpoint === 'order').length ?? 0;
    const before = orders();
    await button(page, /Eiger/).click();
    await expect.poll(orders).toBe(before + 1);
    await eiger?.close();
    await button(page, 'Ask again').waitFor();
    await sees('killed-phone');
    expect(await button(page, /^(Buy|Change)/).count()).toBe(0);
    await button(page, 'Give it up').click();
    await button(page, /Eiger/).waitFor();
    await page.reload();
    // One order is open. The customer can reach it although a provider is down.
    await heading(page, 'Waiting for your payment');
    await button(page, 'New purchase').click();
    await button(page, 'Compare prices').click();
    await button(page, /Alpine/).click();
    await heading(page, 'Waiting for your payment');
    await customer.leaves();
  });
});
