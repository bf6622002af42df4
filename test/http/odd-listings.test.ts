/** One provider's listing does not affect others: no name, number, limit or size in it changes their options or costs them time. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { standardCurrencies, type SimulatedCurrency, type SimulatedOption } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator-state.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions, type TestProvider } from '../support/gateway.ts';

type Body = Record<string, unknown>;
let gateway: TestGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

const option = (id: number, name: string, more: Partial<SimulatedOption> = {}): SimulatedOption => ({
  id,
  name,
  feeRate: 0.01,
  min: 1000,
  max: 1_000_000,
  pay: 'details',
  ...more,
});
const euros = (...options: SimulatedOption[]): SimulatedCurrency[] => [{ code: 'EUR', id: 1, price: 9_180_000, options }];
const selling = (currencies: SimulatedCurrency[], more: Partial<TestProvider['simulator']> = {}): TestProvider => ({
  simulator: { quoteTtlS: 3600, currencies, ...more },
});
const start = async (providers: Record<string, TestProvider>, options: TestGatewayOptions = {}) => {
  gateway = await startTestGateway(providers, options);
  const wallet = createWallet(gateway.url);
  const { sessionId: session_id } = await wallet.open();
  const ask = async (path: string, body: Body = {}) => await wallet.call(path, { session_id, ...body });
  const options_ = async (): Promise<Record<string, Body[]>> => {
    const { body } = await ask('/payment-options');
    const entries = (body['currencies'] as Record<string, { payment_options: Body[] }>[]).flatMap((one) => Object.entries(one));
    return Object.fromEntries(entries.map(([code, { payment_options }]) => [code, payment_options]));
  };
  return { gateway, ask, options: options_ };
};
const sepa = { currency_id: 1, payment_option_id: 1 };

it('names are printable, and the first provider cannot name an option for the others', async () => {
  const odd = ['SEPA\u200b', '\u202eABC', '   ', `x${'y'.repeat(4000)}`, '\u0000\u0001', 'SEPA www.evil.example', 'evil.example/pay'].map((name, i) =>
    option(i + 1, name),
  );
  const { gateway: running, options } = await start({
    mallory: selling([{ code: 'EUR ', id: 1, price: 9_180_000, options: odd }]),
    honest: selling(standardCurrencies),
  });
  const names = (await options())['eur']?.map((one) => String(one['option'])) ?? [];
  expect(names).toContain('SEPA');
  expect(names.filter((name) => !/^[\x20-\x7e]{1,64}$/.test(name) || name.includes('evil'))).toEqual([]);
  await running.database.sql`update payment_options set name = '<script>sepa' where id = 1`;
  await running.restart();
  const { ask } = { ask: createWallet(running.url) };
  const { sessionId } = await ask.open();
  const { body } = await ask.call('/payment-options', { session_id: sessionId });
  expect(JSON.stringify(body)).not.toContain('script');
});

it('a copy of a name in Cyrillic letters is not a second option, and the operator is told', async () => {
  const { gateway: running, options } = await start({
    honest: selling(euros(option(1, 'SEPA'))),
    mallory: selling(euros(option(7, 'SEP\u0410'), option(8, '\u0405\u0415\u0420\u0410'), option(9, 'СБП'))),
  });
  expect((await options())['eur']?.map((one) => one['option'])).toEqual(expect.arrayContaining(['SEPA', 'СБП']));
  expect((await options())['eur']).toHaveLength(2);
  expect(running.logs.filter((line) => line.includes('letters of two alphabets'))).toHaveLength(1);
});

it('1,800 new currencies cost others less than 50 ms, and no place in the list', async () => {
  const many = Array.from({ length: 1800 }, (_, i) => ({ code: `X${i}`, id: i + 10, price: 9_180_000, options: [option(1, `Way ${i}`)] }));
  const { gateway: running, options, ask } = await start({ mallory: selling([...many, ...euros(option(1, 'SEPA'))]), honest: selling(standardCurrencies) });
  await running.server.idle();
  // This is the state after several days: the provider's earlier names already have numbers.
  await running.database.sql`insert into currencies select n, 'Y' || n from generate_series(1000, 9999) n on conflict do nothing`;
  await running.database.sql`insert into payment_options select n, 'buy', n, 'way', 'Way' from generate_series(1000, 9999) n on conflict do nothing`;
  const delays: number[] = [];
  // Only the quietest of these rounds counts, because the machine has other work too.
  for (const letter of ['A', 'B', 'C', 'D', 'E', 'F']) {
    const fresh = Array.from({ length: 1800 }, (_, i) => ({ code: `${letter}${i}`, id: i + 10, price: 9_180_000, options: [option(1, 'Way')] }));
    Object.assign(running.simulators['mallory']?.control.options ?? {}, { currencies: fresh });
    const delay = monitorEventLoopDelay({ resolution: 1 });
    running.clock.move(61_000);
    delay.enable();
    await ask('/offers', { amount_fiat: 10_000, ...sepa });
    await running.server.idle();
    delay.disable();
    delays.push(delay.max / 1e6);
  }
  expect(Math.min(...delays)).toBeLessThan(50);
  const listed = await options();
  expect(Object.keys(listed).length).toBeLessThanOrEqual(101);
  expect(listed['eur']?.map((one) => one['option'])).toEqual(['SEPA', 'SEPA Instant', 'Credit card']);
});

it('when the last number is given out, a newcomer is listed with what has one', async () => {
  const { gateway: running, ask } = await start({ honest: selling(standardCurrencies), newcomer: selling([]) });
  await ask('/payment-options');
  await running.server.idle();
  await running.database.sql`insert into currencies values (32767, 'LAST') on conflict do nothing`;
  const more = { code: 'CHF', id: 2, price: 9_000_000, options: [option(9, 'SIC')] };
  Object.assign(running.simulators['newcomer']?.control.options ?? {}, { currencies: [more, ...euros(option(1, 'SEPA'))] });
  running.clock.move(61_000);
  await ask('/payment-options');
  await running.server.idle();
  const { body } = await ask('/offers', { amount_fiat: 10_000, ...sepa });
  const offering = (body['offers'] as Body[]).map((one) => (one['provider'] as Body)['id']);
  expect([offering.length, offering]).toEqual([2, expect.arrayContaining(['honest', 'newcomer'])]);
});

it('only currencies that the operator wants', async () => {
  const both = [...euros(option(1, 'SEPA')), { code: 'XYZ', id: 2, price: 9_000_000, options: [option(1, 'SEPA')] }];
  const { options } = await start({ alpine: selling(both) }, { config: { currencies: ['EUR'] } });
  expect(Object.keys(await options())).toEqual(['eur']);
});

it('limits that no amount meets do not affect other providers', async () => {
  const { ask } = await start({
    mallory: selling(euros(option(1, 'SEPA', { min: 1e18 }))),
    honest: selling(euros(option(1, 'SEPA'))),
  });
  const { status, body } = await ask('/offers', { amount_fiat: 10_000, ...sepa });
  expect([status, (body['offers'] as Body[]).map((one) => (one['provider'] as Body)['id'])]).toEqual([200, expect.arrayContaining(['honest'])]);
});

it('tiers and a currency that is listed twice are all asked, and the best price wins', async () => {
  const tiers = [option(1, 'SEPA', { max: 100_000, feeRate: 0.015 }), option(2, 'SEPA', { min: 100_000, feeRate: 0.009 })];
  // The second listing of EUR has a lower fee, but a worse price.
  const twice = [...euros(...tiers), { code: 'EUR', id: 7, price: 9_500_000, options: [option(1, 'SEPA', { feeRate: 0.002 })] }];
  const { gateway: running, ask, options } = await start({ alpine: selling(twice) });
  expect((await options())['eur']).toMatchObject([{ option: 'SEPA', min_amount: 1000, max_amount: 1_000_000 }]);
  const { body } = await ask('/offers', { amount_fiat: 500_000, ...sepa });
  const asked = (running.simulators['alpine']?.control.history.requests ?? []).flatMap(({ endpoint, body: sent }) =>
    endpoint === 'quote' ? [sent as Body] : [],
  );
  expect(asked.map((one) => [one['currency_id'], one['payment_option_id']])).toEqual(
    expect.arrayContaining([
      [1, 2],
      [7, 1],
    ]),
  );
  expect(body['offers']).toMatchObject([{ amount_sats: Math.floor(((500_000 - 4500) * 1e8) / 9_180_000), order_fee: 4500 }]);
  const order = await ask('/order', { quote_id: (body['offers'] as Body[])[0]?.['quote_id'] });
  expect(order.status).toBe(200);
});

it('limits never contradict each other: the nearer end alone, and every range in the list', async () => {
  const { ask, options } = await start({
    low: selling(euros(option(1, 'Wire', { min: 1000, max: 10_000 }))),
    high: selling(euros(option(1, 'Wire', { min: 25_000, max: 100_000 }))),
  });
  expect((await options())['eur']).toMatchObject([
    {
      min_amount: 1000,
      max_amount: 100_000,
      ranges: [
        { min_amount: 1000, max_amount: 10_000 },
        { min_amount: 25_000, max_amount: 100_000 },
      ],
    },
  ]);
  const limits = async (amount_fiat: number) => (await ask('/quote', { amount_fiat, ...sepa })).body['limits'];
  expect([await limits(15_000), await limits(20_000), await limits(500), await limits(200_000)]).toEqual([
    { max_amount_fiat: 10_000 },
    { min_amount_fiat: 25_000 },
    { min_amount_fiat: 1000 },
    { max_amount_fiat: 100_000 },
  ]);
});

it('the minimum is named whichever side was asked, before and after a price is known', async () => {
  const { ask } = await start({ alpine: selling(euros(option(1, 'SEPA'))) });
  for (const reason of ['declined', 'below-minimum']) {
    const { status, body } = await ask('/quote', { amount_sats: 9000, ...sepa });
    expect([status, body['refused']]).toMatchObject([422, [{ reason, min_amount_fiat: 1000, max_amount_fiat: 1_000_000 }]]);
    await ask('/offers', { amount_fiat: 10_000, ...sepa });
  }
});

it.each([100_000_000_000, 1_000])('a price of %s in an option that only one provider has says nothing about the limits of the others', async (price) => {
  const { ask, options } = await start({
    mallory: selling([{ code: 'EUR', id: 1, price, options: [option(1, 'M-Pay')] }]),
    honest: selling(euros(option(1, 'SEPA'))),
  });
  const listed = (await options())['eur'] ?? [];
  const [bait, honest] = ['M-Pay', 'SEPA'].map((name) => listed.find((one) => one['option'] === name)?.['id']);
  const baited = await ask('/offers', { amount_fiat: 10_000, currency_id: 1, payment_option_id: bait });
  expect(baited.body['offers']).toHaveLength(1);
  const { body } = await ask('/offers', { amount_sats: 100_000, currency_id: 1, payment_option_id: honest });
  expect([body['refused'], body['offers']]).toMatchObject([[{ provider: { id: 'mallory' } }], [{ provider: { id: 'honest' } }]]);
});

it('before the first listing is known the lists are not there yet, not empty', async () => {
  const { gateway: running, ask } = await start(
    { alpine: selling(standardCurrencies, { latencyMs: 3000 }) },
    { config: { routing: { quote_deadline_ms: 600 } } },
  );
  const options = await ask('/payment-options');
  expect([options.status, options.body['code'], options.body['retry_after_ms']]).toEqual([503, 'temporary-reduced-capacity', 1000]);
  const features = await fetch(`${running.url}/features`);
  expect([features.status, features.headers.get('cache-control')]).toEqual([503, 'no-store']);
});

it('a provider whose listing is refused for want of a proof has refused, and has not failed', async () => {
  const { ask } = await start({ honest: selling(standardCurrencies), flask: selling(standardCurrencies, { proof: 'demanded' }) });
  const { body } = await ask('/offers', { ...sepa, amount_fiat: 10_000 });
  const who = { provider: { id: 'flask', name: 'flask' } };
  expect([body['refused'], body['failed']]).toEqual([[{ ...who, reason: 'proof-required' }], []]);
});
