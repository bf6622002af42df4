/** The adapter against the simulated DFX over a socket. Adapter and simulator were written from DFX's contract by different people. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { createUndiciHttp } from '../../entry/http-undici.ts';
import type { Answer, BuyAdapter, CallContext, CatalogueOption, SellAdapter } from '../spec.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import { startDfxSimulator, type RunningSimulator } from './dfx.simulator.ts';
import { settle, type QuoteError } from './dfx.simulator-state.ts';
import { isOnStep, stepAt } from './dfx-step.ts';
import { provider } from './index.ts';

const undici = createUndiciHttp();
const logs: string[] = [];
let simulator: RunningSimulator;
let buy: BuyAdapter;
let sell: SellAdapter;
beforeAll(async () => {
  simulator = await startDfxSimulator({ id: 'dfx' });
  const deps = {
    providerId: 'dfx',
    http: undici.http,
    now: () => 0,
    newId: () => '',
    log: (_level: string, event: string) => void logs.push(event),
    network: 'regtest',
    mode: 'sandbox',
    secret: () => undefined,
  } as const;
  const made = provider.create(deps, provider.settings.parse({ base_url: simulator.url }));
  if (!made.buy || !made.sell) throw new Error('a ramp is missing');
  ({ buy, sell } = made);
});
beforeEach(() => {
  simulator.control.setOptions(settle({ id: 'dfx' }));
  simulator.control.clearFaults();
  logs.length = 0;
});
afterAll(async () => {
  await undici.close();
  await simulator.close();
});

const context = (): CallContext => ({ signal: AbortSignal.timeout(20_000), requestId: 'req_simulated' });
const optionOf = (currency: string): CatalogueOption => ({ currency, name: 'SEPA', upstream: { method: 'Bank' }, feePpm: 0 });
const bought = async (fixed: 'pay' | 'receive', amount: bigint, currency = 'EUR', country?: string) =>
  await buy.quote(context(), { ramp: 'buy', fixed, amount, option: optionOf(currency), ...(country === undefined ? {} : { country }) });
const sold = async (fixed: 'pay' | 'receive', amount: bigint, currency = 'EUR') =>
  await sell.quote(context(), { ramp: 'sell', fixed, amount, option: optionOf(currency), network: 'lightning' });
const offerIn = (answer: Answer<ProviderOffer>): ProviderOffer => {
  if (!answer.ok) throw new Error(answer.refusal.reason);
  return answer.value;
};

describe('the listing', () => {
  it('has an option for each currency in each direction', async () => {
    const [toBuy, toSell] = [await buy.catalogue(context()), await sell.catalogue(context())];
    const names = (answer: typeof toBuy) =>
      answer.ok ? answer.value.options.map(({ currency, name, minFiat, maxFiat }) => [currency, name, minFiat, maxFiat]) : [];
    expect(names(toBuy)).toEqual([
      ['CHF', 'Bank transfer', 1_000n, 100_000_000_000n],
      ['EUR', 'SEPA', 1_000n, 107_671_456_701n],
    ]);
    expect(names(toSell)).toEqual([
      ['CHF', 'Bank transfer', undefined, undefined],
      ['EUR', 'SEPA', undefined, undefined],
      ['AED', 'Bank transfer', undefined, undefined],
    ]);
  });
});

/** What the simulated DFX calculates with: 80,000 EUR per bitcoin, 1.49 % to buy (rounded up to the cent), 0.99 % to sell. */
const buyFee = (cents: bigint): bigint => (cents * 149n + 9_999n) / 10_000n;

describe('prices, for amounts of every size', () => {
  const runs = { numRuns: 60 };
  test('fiat to pay: never more sats than DFX calculates, at most one fewer and 1.3 in 10 million', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(1_000n, 50_000_000n), async (pay) => {
        const offer = offerIn(await bought('pay', pay));
        expect([offer.pay, offer.fee]).toEqual([pay, buyFee(pay)]);
        // One cent is 12.5 sats.
        const exact = ((pay - buyFee(pay)) * 125n) / 10n;
        expect(offer.receive <= exact && exact - offer.receive <= 1n + (exact * 13n) / 100_000_000n).toBe(true);
      }),
      runs,
    );
  });
  test('sats to receive: exactly those, at a price that is less than a cent too low', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(13_000n, 99_999_000n), async (receive) => {
        const offer = offerIn(await bought('receive', receive));
        expect(offer.receive).toBe(receive);
        expect(((offer.pay + 1n - offer.fee) * 125n) / 10n >= receive).toBe(true);
        expect(((offer.pay - offer.fee) * 125n) / 10n <= receive + 13n).toBe(true);
      }),
      runs,
    );
  });
  test('sats to sell: those, or a refusal with two amounts that do have a price', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(13_000n, 99_999_000n), async (pay) => {
        const answer = await sold('pay', pay);
        const told = answer.ok ? [answer.value.pay] : (answer.refusal.detail?.match(/\d+/g) ?? []).map(BigInt);
        const below = pay - (pay % stepAt(pay));
        expect(told).toEqual(isOnStep(pay) ? [pay] : [below, below + stepAt(pay)]);
        for (const amount of told) expect(offerIn(await sold('pay', amount)).pay).toBe(amount);
      }),
      runs,
    );
  });
  test('fiat to receive: selling the sats that were named brings at least that much', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(1_000n, 7_900_000n), async (receive) => {
        const offer = offerIn(await sold('receive', receive));
        expect(offer.receive).toBe(receive);
        expect(offerIn(await sold('pay', offer.pay)).receive >= receive).toBe(true);
      }),
      runs,
    );
  });
  test('in francs, and dirhams that only come out', async () => {
    expect(offerIn(await bought('pay', 10_000n, 'CHF'))).toMatchObject({ pay: 10_000n, fee: 149n });
    expect(offerIn(await sold('pay', 250_000n, 'AED'))).toMatchObject({ pay: 250_000n });
    expect(await bought('pay', 10_000n, 'AED')).toEqual({ ok: false, refusal: { reason: 'currency-unsupported', detail: 'CurrencyUnsupported' } });
  });
});

describe('refusals', () => {
  it.each([
    ['EmailRequired', 'kyc-required', 'account-required'],
    ['RecommendationRequired', 'kyc-required', 'account-required'],
    ['KycRequired', 'kyc-required', 'account-required'],
    ['KycRequiredInstant', 'kyc-required', 'account-required'],
    ['KycDataRequired', 'kyc-required', 'account-required'],
    ['NameRequired', 'kyc-required', 'account-required'],
    ['PrimaryEmailRequired', 'kyc-required', 'account-required'],
    ['BankTransactionMissing', 'kyc-required', 'account-required'],
    ['BankTransactionOrVideoMissing', 'kyc-required', 'account-required'],
    ['VideoIdentRequired', 'kyc-required', 'account-required'],
    ['NationalityNotAllowed', 'country-restricted', 'country-restricted'],
    ['CountryNotAllowed', 'country-restricted', 'country-restricted'],
    ['PaymentMethodNotAllowed', 'option-unsupported', 'option-unsupported'],
    ['AssetUnsupported', 'option-unsupported', 'option-unsupported'],
    ['CurrencyUnsupported', 'currency-unsupported', 'currency-unsupported'],
    ['IbanCurrencyMismatch', 'declined', 'declined'],
  ] satisfies [QuoteError, string, string][])('%s', async (word, toBuy, toSell) => {
    simulator.control.setOptions({ refuse: [word] });
    expect(await bought('pay', 10_000n)).toMatchObject({ ok: false, refusal: { reason: toBuy, detail: word } });
    expect(await sold('pay', 250_000n)).toMatchObject({ ok: false, refusal: { reason: toSell, detail: word } });
  });

  test('limits come in the unit of the request, and are themselves allowed', async () => {
    const limited = settle({ id: 'dfx' }).currencies.map((one) => ({ ...one, min: 2_000, max: 50_000 }));
    simulator.control.setOptions({ currencies: limited });
    const limitsOf = (answer: Answer<ProviderOffer>) => (answer.ok ? 'offered' : answer.refusal.limits);
    expect(limitsOf(await bought('pay', 1_999n))).toEqual({ minPay: 2_000n });
    expect(limitsOf(await bought('pay', 50_001n))).toEqual({ maxPay: 50_000n });
    expect(limitsOf(await bought('receive', 24_000n))).toEqual({ minReceive: 25_000n });
    expect(limitsOf(await sold('pay', 24_999n))).toEqual({ minPay: 25_000n });
    expect(limitsOf(await sold('pay', 625_010n))).toEqual({ maxPay: 625_000n });
    expect(limitsOf(await sold('receive', 1_979n))).toEqual({ minReceive: 2_000n });
    for (const answer of [
      bought('pay', 2_000n),
      bought('pay', 50_000n),
      bought('receive', 25_000n),
      sold('pay', 25_000n),
      sold('pay', 625_000n),
      sold('receive', 2_000n),
    ])
      expect(limitsOf(await answer)).toBe('offered');
  });
  test('the monthly limit of someone who is not identified', async () => {
    simulator.control.setOptions({ refuse: ['LimitExceeded'] });
    const limit = (answer: Answer<ProviderOffer>) => (answer.ok ? 'offered' : [answer.refusal.reason, answer.refusal.limits]);
    expect(limit(await bought('pay', 10_000n))).toEqual(['kyc-required', { maxPay: 107_671n }]);
    expect(limit(await sold('receive', 10_000n))).toEqual(['kyc-required', { maxReceive: 107_671n }]);
  });
  test('limits of the target may be absent', async () => {
    simulator.control.setOptions({ targetLimits: false });
    expect(offerIn(await bought('receive', 107_869n)).pay).toBe(8_760n);
  });
  test("a country, and the gateway's own", async () => {
    expect(await bought('pay', 10_000n, 'EUR', 'KP')).toMatchObject({ refusal: { reason: 'country-restricted' } });
    simulator.control.setFault({ endpoint: 'PUT /v1/buy/quote', fault: 'country-403', times: 1 });
    expect(await bought('pay', 10_000n, 'EUR', 'CH')).toMatchObject({ refusal: { reason: 'country-restricted' } });
    expect(logs).toEqual(['operator_country']);
  });
  test("a partner's fee, which is part of the price", async () => {
    simulator.control.setOptions({ wallets: { shop: { platformBps: 100 } } });
    const deps = {
      providerId: 'dfx',
      http: undici.http,
      now: () => 0,
      newId: () => '',
      log: () => undefined,
      network: 'regtest',
      mode: 'sandbox',
      secret: () => undefined,
    } as const;
    const ours = provider.create(deps, provider.settings.parse({ base_url: simulator.url, wallet: 'shop' })).buy;
    const answer = await ours?.quote(context(), { ramp: 'buy', fixed: 'pay', amount: 10_000n, option: optionOf('EUR') });
    expect(answer && offerIn(answer)).toMatchObject({ pay: 10_000n, fee: 249n, receive: 121_887n });
  });
});

describe('faults', () => {
  it.each([
    ['429', { kind: 'rate-limited', taken: 'no' }],
    ['500', { kind: 'server', retryable: false }],
    ['reset', { kind: 'unreachable' }],
    ['html200', { kind: 'malformed' }],
  ] as const)('%s', async (fault, thrown) => {
    simulator.control.setFault({ endpoint: 'PUT /v1/buy/quote', fault, times: 1 });
    await expect(bought('pay', 10_000n)).rejects.toMatchObject(thrown);
    expect(offerIn(await bought('pay', 10_000n)).receive).toBe(123_137n);
  });
  test('a member that no document mentions', async () => {
    simulator.control.setFault({ endpoint: '*', fault: 'unknown-member', times: 1 });
    expect(offerIn(await bought('pay', 10_000n)).receive).toBe(123_137n);
  });
  test('a fee that eats all of the money is no offer', async () => {
    simulator.control.setOptions({ fees: { buy: { rateBps: 149, fixed: 1_000 }, sell: { rateBps: 99 } } });
    await expect(bought('pay', 1_000n)).rejects.toMatchObject({ kind: 'malformed' });
  });
});
