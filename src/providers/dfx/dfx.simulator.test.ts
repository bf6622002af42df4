/** The simulated DFX over real HTTP, against the sample figures of DFX's contract: 80,000 EUR per bitcoin, 1.49 % to buy, 0.99 % to sell. */
import { afterEach, describe, expect, it } from 'vitest';
import { movableClock } from '../../../test/support/clock.ts';
import { startDfxSimulator, type RunningSimulator, type SimulatorOptions } from './dfx.simulator.ts';
import type { QuoteError } from './dfx.simulator-state.ts';

type Quote = {
  amount: number;
  estimatedAmount: number;
  exchangeRate: number;
  rate: number;
  fees: { [part: string]: number };
  feesTarget: { [part: string]: number };
  priceSteps: { price: number; timestamp: string }[];
  isValid: boolean;
  error?: string;
  errors: { error: string; limit?: number; limitTarget?: number }[];
} & { [member: string]: unknown };

let running: RunningSimulator;
afterEach(async () => await running.close());
const start = async (options: Partial<SimulatorOptions> = {}): Promise<RunningSimulator> => {
  running = await startDfxSimulator({ id: 'dfx', ...options });
  return running;
};
const put = async (path: string, body: unknown): Promise<Response> => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return await fetch(`${running.url}/v1/${path}`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: text });
};
const pair = { currency: { name: 'EUR' }, asset: { blockchain: 'Lightning' } };
const quoteOf = async (ramp: 'buy' | 'sell', more: object): Promise<Quote> => {
  const answer = await put(`${ramp}/quote`, { ...pair, ...more });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Quote;
};
const get = async (path: string): Promise<unknown> => await (await fetch(`${running.url}/v1/${path}`)).json();
const numbersIn = (value: unknown): number[] =>
  typeof value === 'number' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];

describe('the sample figures', () => {
  it.each([
    ['buy', { amount: 100 }, { amount: 100, estimatedAmount: 0.0012314, exchangeRate: 80_000, rate: 81_210.03 }, 1.49],
    ['buy', { amount: 49.9 }, { amount: 49.9, estimatedAmount: 0.00061438, exchangeRate: 80_000, rate: 81_220.75 }, 0.75],
    ['buy', { targetAmount: 0.00107869 }, { amount: 87.6, estimatedAmount: 0.0010787, exchangeRate: 80_000, rate: 81_214.44 }, 1.31],
    ['sell', { amount: 0.0025 }, { amount: 0.0025, estimatedAmount: 198.02, exchangeRate: 0.0000125, rate: 0.000012625 }, 0.00002475],
    ['sell', { amount: 0.00123457 }, { amount: 0.0012345 }, 0.000012222],
    ['sell', { amount: 0.01234567 }, { amount: 0.012345, estimatedAmount: 977.88 }, 0.00012222],
    ['sell', { targetAmount: 198.02 }, { amount: 0.0025, estimatedAmount: 198.02, rate: 0.000012625 }, 0.00002475],
  ] as const)('%s %o', async (ramp, asked, figures, fee) => {
    await start();
    const quote = await quoteOf(ramp, asked);
    expect(quote).toMatchObject({ ...figures, isValid: true, errors: [], feeAmount: fee });
    expect([quote.fees['dfx'], quote.fees['total']]).toEqual([fee, fee]);
    expect(quote.error).toBeUndefined();
  });

  it('converts the fee into the unit of the target', async () => {
    await start();
    expect((await quoteOf('sell', { amount: 0.0025 })).feesTarget).toMatchObject({ dfx: 1.98, total: 1.98 });
    expect((await quoteOf('buy', { amount: 100 })).feesTarget).toMatchObject({ dfx: 0.000018625, total: 0.000018625 });
  });

  it('says what is too low, with the limit in both units', async () => {
    await start();
    const low = { isValid: false, error: 'AmountTooLow', errors: [{ error: 'AmountTooLow', limit: 10, limitTarget: 0.000125 }] };
    expect(await quoteOf('buy', { amount: 9.99 })).toMatchObject({ ...low, amount: 9.99, minVolume: 10, minVolumeTarget: 0.000125 });
    const sold = { error: 'AmountTooLow', limit: 0.000125, limitTarget: 10 };
    expect(await quoteOf('sell', { amount: 0.000_124 })).toMatchObject({ isValid: false, errors: [sold], minVolume: 0.000125, minVolumeTarget: 10 });
    expect((await quoteOf('buy', { amount: 10 })).isValid).toBe(true);
  });

  it('gives a rate from which the sats can be had to one sat plus 1.3 in 10 million, and never too many', async () => {
    await start();
    for (let cents = 1000; cents < 3_000_000; cents = Math.floor(cents * 1.07) + 1) {
      const { amount, rate, fees, estimatedAmount } = await quoteOf('buy', { amount: cents / 100 });
      const feeCents = Math.ceil((cents * 149) / 10_000);
      expect([amount, fees['total']]).toEqual([cents / 100, feeCents / 100]);
      // One cent is 12.5 sats.
      const tenths = (cents - feeCents) * 125;
      const tooLow = tenths / 10 - Math.floor((cents * 1e6) / (rate + 0.005));
      expect(tooLow).toBeGreaterThanOrEqual(0);
      expect(tooLow).toBeLessThan(1 + tenths * 1.3e-8);
      const step = 10 ** (String(tenths).length - 5);
      expect(estimatedAmount).toBe(Number(`${Math.floor((tenths + step / 2) / step) * step}e-9`));
    }
  });

  it('shows 5 significant digits of bitcoin, and never more source than it takes', async () => {
    await start();
    for (const sats of [99_999, 123_457, 999_999, 1_234_567, 9_999_999, 12_345_678]) {
      const { amount } = await quoteOf('sell', { amount: sats / 1e8 });
      const step = 10 ** Math.max(0, String(sats).length - 5);
      expect(Math.round(amount * 1e8)).toBe(Math.floor(sats / step) * step);
    }
  });
});

describe('the catalogue', () => {
  it('lists the asset of a network, and only that', async () => {
    await start();
    const [asset, ...more] = (await get('asset?blockchains=Lightning')) as object[];
    expect(more).toEqual([]);
    expect(asset).toMatchObject({
      id: 236,
      uniqueName: 'Lightning/BTC',
      buyable: true,
      sellable: true,
      instantBuyable: false,
      limits: { minVolume: 0.00013459 },
    });
    expect(await get('asset?blockchains=Bitcoin')).toEqual([]);
  });

  it('lists the currencies in the bank’s words, with no limits for what is refused', async () => {
    await start();
    const fiats = (await get('fiat')) as { name: string; limits: object }[];
    expect(fiats.map(({ name }) => name)).toEqual(['CHF', 'EUR', 'AED']);
    const none = { minVolume: 0, maxVolume: 0 };
    expect(fiats[0]).toMatchObject({ id: 1, limits: { Bank: { minVolume: 10, maxVolume: 1e9 }, Instant: none, Card: none } });
    expect(fiats[1]).toMatchObject({ id: 2, instantSellable: true, cardSellable: false, limits: { Instant: { minVolume: 10 }, Card: none } });
    expect(fiats[2]).toMatchObject({ id: 17, buyable: true, sellable: false });
  });
});

describe('what is refused under 200', () => {
  it.each([
    ['buy', { asset: { id: 99 } }, ['AssetUnsupported']],
    ['buy', { currency: { name: 'USD' } }, ['CurrencyUnsupported']],
    ['sell', { currency: { id: 5 }, asset: { blockchain: 'Liquid' } }, ['AssetUnsupported', 'CurrencyUnsupported']],
    ['buy', { currency: { name: 'AED' } }, ['CurrencyUnsupported']],
    ['buy', { paymentMethod: 'Instant' }, ['AssetUnsupported']],
  ] as const)('%s %o: every number is 0', async (ramp, what, errors) => {
    await start();
    const quote = await quoteOf(ramp, { amount: 100, ...what });
    expect(quote).toMatchObject({ isValid: false, error: errors[0], errors: errors.map((error) => ({ error })) });
    expect(numbersIn(quote).length).toBeGreaterThan(20);
    expect(numbersIn(quote).every((number) => number === 0)).toBe(true);
  });

  it('pays AED out, and takes an instant transfer once the asset allows it', async () => {
    const { control } = await start();
    expect((await quoteOf('sell', { currency: { name: 'AED' }, amount: 0.0025 })).isValid).toBe(true);
    control.setOptions({ assets: control.options.assets.map((asset) => ({ ...asset, instantBuyable: true })) });
    expect((await quoteOf('buy', { paymentMethod: 'Instant', amount: 100 })).isValid).toBe(true);
    expect((await quoteOf('buy', { paymentMethod: 'Instant', currency: { name: 'CHF' }, amount: 100 })).error).toBe('CurrencyUnsupported');
  });

  it('refuses cards, until they are served', async () => {
    const { control } = await start();
    const refused = { isValid: false, minVolume: 0, maxVolume: 0, errors: [{ error: 'PaymentMethodNotAllowed' }] };
    expect(await quoteOf('buy', { paymentMethod: 'Card', amount: 100 })).toMatchObject(refused);
    control.setOptions({ card: 'served' });
    expect(await quoteOf('buy', { paymentMethod: 'Card', amount: 100 })).toMatchObject({ isValid: true, minVolume: 10 });
  });

  it('refuses the country of the request', async () => {
    await start({ refusedCountries: ['KP'] });
    expect((await quoteOf('buy', { amount: 100, country: 'KP' })).errors).toEqual([{ error: 'CountryNotAllowed' }]);
    expect((await quoteOf('buy', { amount: 100, country: 'CH' })).isValid).toBe(true);
  });

  it('refuses for each reason that it is told, with its limit if it has one', async () => {
    const { control } = await start({ currencies: [{ ...euro, min: 2000, max: 50_000 }] });
    expect((await quoteOf('buy', { amount: 500.01 })).errors).toEqual([{ error: 'AmountTooHigh', limit: 500, limitTarget: 0.00625 }]);
    expect((await quoteOf('buy', { amount: 19.99 })).errors).toEqual([{ error: 'AmountTooLow', limit: 20, limitTarget: 0.00025 }]);
    const plain: QuoteError[] = ['NationalityNotAllowed', 'EmailRequired', 'RecommendationRequired', 'KycRequired', 'KycDataRequired', 'IbanCurrencyMismatch'];
    for (const error of plain) {
      control.setOptions({ refuse: [error] });
      expect(await quoteOf('buy', { amount: 100 })).toMatchObject({ isValid: false, error, errors: [{ error }], estimatedAmount: 0.0012314 });
    }
    control.setOptions({ refuse: ['LimitExceeded'], monthlyLimit: 100_000 });
    expect((await quoteOf('sell', { amount: 0.0025 })).errors).toEqual([{ error: 'LimitExceeded', limit: 0.0125, limitTarget: 1000 }]);
    control.setOptions({ refuse: ['AssetUnsupported'] });
    expect(await quoteOf('buy', { amount: 100 })).toMatchObject({ amount: 0, isValid: false, errors: [{ error: 'AssetUnsupported' }] });
  });
});

const euro = {
  id: 2,
  name: 'EUR',
  price: 8_000_000,
  min: 1000,
  buyable: true,
  sellable: true,
  instantBuyable: false,
  instantSellable: true,
  allowedIbanCountries: [],
};

describe('the switches of the price', () => {
  it('moves the price and its age', async () => {
    const clock = movableClock();
    const { control } = await start({ now: clock.now, priceAgeMs: 3_600_000 });
    control.setPrice('EUR', 9_180_050);
    await clock.still(async () => {
      const timestamp = new Date(clock.now() - 3_600_000).toISOString();
      const quote = await quoteOf('buy', { amount: 100 });
      expect(quote.exchangeRate).toBe(91_800.5);
      expect(quote.priceSteps).toMatchObject([{ from: 'EUR', to: 'BTC', price: 91_800.5, timestamp }]);
    });
    await running.close();
    await start();
    expect((await quoteOf('buy', { amount: 100 })).exchangeRate).toBe(80_000);
  });

  it('takes the larger of the fee and its minimum, both ways, and adds the rest', async () => {
    const { control } = await start({ fees: { buy: { rateBps: 100, min: 300, network: 50, bankBps: 50 }, sell: { rateBps: 100, min: 300 } } });
    const wallets = { wallets: { shop: { platformBps: 100 } } };
    control.setOptions(wallets);
    const small = await quoteOf('buy', { amount: 100, wallet: 'shop' });
    expect(small.fees).toEqual({ rate: 0.025, fixed: 0, min: 3, network: 0.5, dfx: 3, platform: 1, bank: 0.5, total: 5 });
    expect(small).toMatchObject({ estimatedAmount: 0.0011875, rate: 84_210.53 });
    expect(await quoteOf('buy', { targetAmount: 0.0011875, wallet: 'shop' })).toMatchObject({ amount: 100, rate: 84_210.53, fees: { dfx: 3, total: 5 } });
    const large = await quoteOf('buy', { amount: 1000, wallet: 'shop' });
    expect(large.fees).toMatchObject({ dfx: 10, platform: 10, bank: 5, total: 25.5 });
    expect((await quoteOf('buy', { targetAmount: large.estimatedAmount, wallet: 'shop' })).amount).toBeCloseTo(1000, 1);
    expect((await quoteOf('buy', { amount: 100, wallet: 'stranger' })).fees['platform']).toBe(0);
    expect((await quoteOf('sell', { amount: 0.0025 })).feesTarget).toMatchObject({ min: 3, dfx: 3, total: 3 });
  });

  it('gives no bitcoin when the fee eats all of the money', async () => {
    await start({ fees: { buy: { rateBps: 149, fixed: 1000 }, sell: { rateBps: 99 } } });
    expect(await quoteOf('buy', { amount: 10 })).toMatchObject({ isValid: true, estimatedAmount: 0, rate: 0 });
  });

  it('leaves out the limits of the target', async () => {
    await start({ targetLimits: false });
    const quote = await quoteOf('buy', { amount: 100 });
    expect(['minVolume' in quote, 'minVolumeTarget' in quote, 'maxVolumeTarget' in quote]).toEqual([true, false, false]);
  });
});

describe('what is not 200', () => {
  const message = (text: string) => expect.arrayContaining([expect.stringContaining(text)]) as unknown;
  it.each([
    [{ amount: '100' }, 'amount must be a number'],
    [{ amount: -1 }, 'amount must be a positive number'],
    [{ amount: 100, currency: 'EUR' }, 'currency must be an object'],
    [{ amount: 100, currency: { id: '2' } }, 'currency.id must be an integer'],
    [{ amount: 100, asset: {} }, 'asset should have'],
    [{ amount: 100, paymentMethod: 'Cash' }, 'paymentMethod must be one of'],
    [{ amount: 100, country: 'Switzerland' }, 'country must be'],
    [{}, 'exactly one'],
    [{ amount: 100, targetAmount: 0.001 }, 'exactly one'],
  ])('%o is a bad request', async (body, text) => {
    await start();
    const answer = await put('buy/quote', { ...pair, ...body });
    expect([answer.status, await answer.json()]).toEqual([400, { statusCode: 400, message: message(text), error: 'Bad Request' }]);
  });

  it('drops unknown members, and the payment method of a sell', async () => {
    await start();
    expect((await quoteOf('buy', { amount: 100, targetAmount: null, colour: 'red' })).isValid).toBe(true);
    expect((await quoteOf('sell', { amount: 0.0025, paymentMethod: 'Cash' })).isValid).toBe(true);
  });

  it('writes one text for a body that is not JSON, and for a path that it does not have', async () => {
    await start();
    expect(await (await put('buy/quote', '{"amount":')).json()).toMatchObject({
      statusCode: 400,
      message: expect.any(String) as unknown,
      error: 'Bad Request',
    });
    expect(await get('elsewhere')).toEqual({ statusCode: 404, message: 'Cannot GET /v1/elsewhere', error: 'Not Found' });
  });

  it('fails as it is told, once', async () => {
    const { control } = await start();
    for (const [fault, status] of [['country-403', 403] as const, ['429', 429] as const, ['500', 500] as const]) {
      control.setFault({ endpoint: 'PUT /v1/buy/quote', fault, times: 1 });
      const answer = await put('buy/quote', { ...pair, amount: 100 });
      expect([answer.status, await answer.json()]).toMatchObject([status, { statusCode: status }]);
      expect((await quoteOf('buy', { amount: 100 })).isValid).toBe(true);
    }
    control.setFault({ endpoint: '*', fault: 'unknown-member', times: 1 });
    expect(await quoteOf('buy', { amount: 100 })).toMatchObject({ somethingNew: {}, amount: 100 });
    control.setOptions({ says: (_endpoint, truth) => ({ ...(truth as object), estimatedAmount: 1 }) });
    expect((await quoteOf('buy', { amount: 100 })).estimatedAmount).toBe(1);
  });

  it('takes commands, and says what it was asked', async () => {
    await start();
    const command = async (body: object) => await fetch(`${running.url}/__control`, { method: 'POST', body: JSON.stringify(body) });
    await command({ do: 'setPrice', args: ['EUR', 10_000_000] });
    expect((await quoteOf('buy', { amount: 100 })).exchangeRate).toBe(100_000);
    expect(await (await command({ do: 'look' })).json()).toMatchObject({ requests: [{ endpoint: 'PUT /v1/buy/quote', body: { amount: 100 } }] });
    expect((await command({ do: 'dance' })).status).toBe(404);
  });
});
