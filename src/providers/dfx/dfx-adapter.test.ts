/** Tests the adapter with fixed answers: what settings change in its requests and its listing, and what it answers without a call to DFX. */
import { describe, expect, it, test } from 'vitest';
import type { AdapterDeps, BuyQuoteRequest, CallContext, CatalogueOption, HttpRequest, SellQuoteRequest } from '../spec.ts';
import assets from './__fixtures__/assets.json' with { type: 'json' };
import bought from './__fixtures__/buy-quote.json' with { type: 'json' };
import fiats from './__fixtures__/fiats.json' with { type: 'json' };
import sold from './__fixtures__/sell-quote.json' with { type: 'json' };
import { provider } from './index.ts';

const context: CallContext = { signal: new AbortController().signal, requestId: 'req_test' };
type Given = { [path: string]: { status?: number; body: unknown } };
const usual: Given = {
  '/v1/buy/quote': bought.response,
  '/v1/sell/quote': sold.response,
  '/v1/asset?blockchains=Lightning': assets.response,
  '/v1/fiat': fiats.response,
};
const start = (settings: object = {}, given: Given = {}) => {
  const requests: HttpRequest[] = [];
  const logs: string[] = [];
  const deps: AdapterDeps = {
    providerId: 'dfx',
    http: async (request) => {
      requests.push(request);
      const answer = { ...usual, ...given }[request.url.replace('https://dfx.example', '')];
      if (!answer) throw new Error(`nothing at ${request.url}`);
      return await Promise.resolve({ status: answer.status ?? 200, headers: {}, body: new TextEncoder().encode(JSON.stringify(answer.body)) });
    },
    now: () => Date.UTC(2026, 10, 29),
    newId: () => '72614b08-f884-479e-8a90-b13495afd5d9',
    log: (level, event) => void logs.push(`${level} ${event}`),
    network: 'main',
    mode: 'live',
    secret: () => undefined,
  };
  const { buy, sell } = provider.create(deps, provider.settings.parse({ base_url: 'https://dfx.example', ...settings }));
  if (!buy || !sell) throw new Error('a ramp is missing');
  return { buy, sell, requests, logs };
};
const option: CatalogueOption = { currency: 'EUR', name: 'SEPA', upstream: { method: 'Bank' }, feePpm: 14_900 };
const buying: BuyQuoteRequest = { ramp: 'buy', fixed: 'pay', amount: 10_000n, option };
const selling: SellQuoteRequest = { ramp: 'sell', fixed: 'pay', amount: 250_000n, option, network: 'lightning' };
const bodyIn = ([request]: HttpRequest[]): string => request?.body ?? '';

describe('what a price request says', () => {
  it.each([
    ['pay', 8_760n, '"amount":87.60}'],
    ['pay', 5n, '"amount":0.05}'],
    ['receive', 107_869n, '"targetAmount":0.00107869}'],
    ['receive', 2_100_000_000_000_001n, '"targetAmount":21000000.00000001}'],
  ] as const)('buying, %s %d: every digit', async (fixed, amount, end) => {
    const { buy, requests } = start();
    await buy.quote(context, { ...buying, fixed, amount }).catch(() => undefined);
    expect(bodyIn(requests).endsWith(end)).toBe(true);
  });
  it.each([
    ['pay', 250_000n, '"amount":0.00250000}'],
    ['receive', 19_802n, '"targetAmount":198.02}'],
  ] as const)('selling, %s %d: the units are the other way round', async (fixed, amount, end) => {
    const { sell, requests } = start();
    await sell.quote(context, { ...selling, fixed, amount });
    expect(bodyIn(requests).endsWith(end)).toBe(true);
  });
  it('names the partner, a code, the country and the way to pay', async () => {
    const { buy, requests } = start({ wallet: 'Our Wallet', special_code: 'AB-CD' });
    await buy.quote(context, { ...buying, country: 'AT', option: { ...option, upstream: { method: 'Instant' } } });
    expect(JSON.parse(bodyIn(requests))).toEqual({
      currency: { name: 'EUR' },
      asset: { blockchain: 'Lightning' },
      paymentMethod: 'Instant',
      wallet: 'Our Wallet',
      specialCode: 'AB-CD',
      country: 'AT',
      amount: 100,
    });
  });
  it("sends a seller's country, too", async () => {
    const { sell, requests } = start();
    await sell.quote(context, { ...selling, country: 'AT' });
    expect(JSON.parse(bodyIn(requests))).toMatchObject({ country: 'AT' });
  });
  it('keeps the country to itself if the operator wants that', async () => {
    const { buy, requests } = start({ send_country: false });
    await buy.quote(context, { ...buying, country: 'AT' });
    expect(bodyIn(requests)).not.toContain('country');
  });
});

describe('the listing', () => {
  const bitcoin = { ...assets.response.body[0], instantBuyable: true };
  const names = async (settings: object, given: Given = {}) => {
    const { buy, sell } = start(settings, given);
    const [bought, sold] = [await buy.catalogue(context), await sell.catalogue(context)];
    const shown = (answer: typeof bought): string[] => (answer.ok ? answer.value.options.map(({ currency, name }) => `${currency} ${name}`) : []);
    return [shown(bought), shown(sold)];
  };
  it('a bank transfer for each currency that may be paid in or out', async () => {
    expect(await names({})).toEqual([
      ['CHF Bank transfer', 'EUR SEPA'],
      ['CHF Bank transfer', 'EUR SEPA', 'AED Bank transfer'],
    ]);
  });
  it('SEPA Instant only where both the money and the bitcoin may be instant', async () => {
    const instant = { '/v1/asset?blockchains=Lightning': { body: [bitcoin] } };
    expect((await names({}, instant))[0]).toEqual(['CHF Bank transfer', 'EUR SEPA', 'EUR SEPA Instant']);
    expect((await names({ instant: 'off' }, instant))[0]).toEqual(['CHF Bank transfer', 'EUR SEPA']);
  });
  it('only the currencies that the operator wants', async () => {
    expect(await names({ currencies: ['EUR'] })).toEqual([['EUR SEPA'], ['EUR SEPA']]);
  });
  it('nothing in a direction that is closed', async () => {
    const closed = { '/v1/asset?blockchains=Lightning': { body: [{ ...bitcoin, buyable: false, instantBuyable: false, sellable: false }] } };
    expect(await names({}, closed)).toEqual([[], []]);
  });
  it.each([
    ['buy', 1_000n, undefined],
    ['both', 1_000n, 1_000n],
    ['none', undefined, undefined],
  ])('limits for %s', async (listed_limits, ofBuy, ofSell) => {
    const { buy, sell } = start({ listed_limits, currencies: ['EUR'] });
    const [bought, sold] = [await buy.catalogue(context), await sell.catalogue(context)];
    expect([bought, sold].map((answer) => (answer.ok ? answer.value.options[0]?.minFiat : 'refused'))).toEqual([ofBuy, ofSell]);
  });
  it('an odd row, and another asset of Lightning, are passed over', async () => {
    const odd = {
      '/v1/asset?blockchains=Lightning': { body: [{ ...bitcoin, name: 'USDT' }, 'x', bitcoin] },
      '/v1/fiat': { body: [null, { name: 'E€' }, fiats.response.body[1]] },
    };
    expect(await names({}, odd)).toEqual([['EUR SEPA', 'EUR SEPA Instant'], ['EUR SEPA']]);
  });
});

describe('what is answered without DFX', () => {
  it('sats to sell that DFX cannot express', async () => {
    const { sell, requests } = start();
    expect(await sell.quote(context, { ...selling, amount: 123_457n })).toEqual({
      ok: false,
      refusal: { reason: 'off-step', detail: 'nearest: 123450, 123460' },
    });
    expect(requests).toEqual([]);
  });
  it.each([
    [99n, { reason: 'below-minimum', limits: { minPay: 100n } }, { amount: 0.00000099, estimatedAmount: 0.08, rate: 0.000012625 }],
    [100_010_000n, { reason: 'above-maximum', limits: { maxPay: 100_000_000n } }, { amount: 1.0001, estimatedAmount: 79_215.84, rate: 0.000012625 }],
  ])('%d sats are beyond what an invoice can be for', async (amount, refusal, figures) => {
    const { sell } = start({}, { '/v1/sell/quote': { body: { isValid: true, ...figures, feesTarget: { total: 0 } } } });
    expect(await sell.quote(context, { ...selling, amount })).toEqual({ ok: false, refusal });
  });
  it('bitcoin that comes on chain', async () => {
    const { sell, requests } = start();
    expect(await sell.quote(context, { ...selling, network: 'onchain' })).toMatchObject({ refusal: { note: 'network-unsupported' } });
    expect(requests).toEqual([]);
  });
  it('the session, since DFX has none for prices', async () => {
    const { buy, requests } = start();
    const day = { ok: true, value: { expiresOn: Date.UTC(2026, 10, 30) } };
    expect([await buy.beginSession(context), await buy.openSession(context)]).toEqual([day, day]);
    expect(requests).toEqual([]);
  });
});

test("a refusal of the gateway's own country is logged for the operator", async () => {
  const refused = { '/v1/buy/quote': { status: 403, body: { statusCode: 403, message: 'The country of IP address is not allowed', error: 'Forbidden' } } };
  const { buy, logs } = start({}, refused);
  expect(await buy.quote(context, buying)).toEqual({ ok: false, refusal: { reason: 'country-restricted' } });
  expect(logs).toEqual(['warn operator_country']);
});
