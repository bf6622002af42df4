import { describe, expect, it, test } from 'vitest';
import { kycPage, refusalIn, refusalOfBody } from './dfx-refusal.ts';
import { quoteReply } from './dfx-wire.ts';

const zeros = { amount: 0, estimatedAmount: 0, exchangeRate: 0, rate: 0, minVolume: 0, maxVolume: 0, fees: { total: 0 } };
const said = (members: object) => quoteReply.parse({ ...zeros, isValid: false, ...members });
const word = (error: string, more: object = {}) => said({ errors: [{ error, ...more }] });
const buying = { ramp: 'buy', fixed: 'pay' } as const;
const buyingSats = { ramp: 'buy', fixed: 'receive' } as const;
const selling = { ramp: 'sell', fixed: 'pay' } as const;
const sellingFor = { ramp: 'sell', fixed: 'receive' } as const;

describe('every word of DFX', () => {
  it.each([
    ['AssetUnsupported', { reason: 'option-unsupported' }],
    ['CurrencyUnsupported', { reason: 'currency-unsupported' }],
    ['PaymentMethodNotAllowed', { reason: 'option-unsupported' }],
    ['NoBankAvailableForThisCurrency', { reason: 'option-unsupported' }],
    ['CountryNotAllowed', { reason: 'country-restricted' }],
    ['NationalityNotAllowed', { reason: 'country-restricted' }],
    ['IbanCurrencyMismatch', { reason: 'declined', note: 'iban-invalid' }],
    ['SomethingNew', { reason: 'declined' }],
  ])('%s means the same in both directions', (error, refusal) => {
    for (const request of [buying, selling]) expect(refusalIn(word(error), request)).toEqual({ ...refusal, detail: error });
    expect(refusalOfBody({ statusCode: 400, message: error, error: 'Bad Request' }, 'buy').refusal).toEqual({ ...refusal, detail: error });
  });
  it.each([
    'EmailRequired',
    'RecommendationRequired',
    'KycRequired',
    'KycRequiredInstant',
    'KycDataRequired',
    'NameRequired',
    'PrimaryEmailRequired',
    'VideoIdentRequired',
    'BankTransactionMissing',
    'BankTransactionOrVideoMissing',
  ])('%s is about a person: to be identified, or to have an account before selling', (error) => {
    expect(refusalIn(word(error), buying)).toEqual({ reason: 'kyc-required', detail: error });
    expect(refusalIn(word(error), selling)).toEqual({ reason: 'account-required', detail: error });
    expect(refusalOfBody({ statusCode: 400, message: error, error: 'Bad Request' }, 'buy').refusal).toEqual({ reason: 'kyc-required', detail: error });
  });
});

describe('limits, in the unit of the request', () => {
  const tooLow = word('AmountTooLow', { limit: 10, limitTarget: 0.000125 });
  test('buying: fiat to pay, or sats to receive', () => {
    expect(refusalIn(tooLow, buying)).toEqual({ reason: 'below-minimum', limits: { minPay: 1_000n }, detail: 'AmountTooLow' });
    expect(refusalIn(tooLow, buyingSats)).toEqual({ reason: 'below-minimum', limits: { minReceive: 12_500n }, detail: 'AmountTooLow' });
  });
  test('selling: sats to pay, or fiat to receive', () => {
    const high = word('AmountTooHigh', { limit: 0.5, limitTarget: 39_604.005 });
    expect(refusalIn(high, selling)).toEqual({ reason: 'above-maximum', limits: { maxPay: 50_000_000n }, detail: 'AmountTooHigh' });
    expect(refusalIn(high, sellingFor)).toEqual({ reason: 'above-maximum', limits: { maxReceive: 3_960_400n }, detail: 'AmountTooHigh' });
  });
  test('an amount that is named is itself allowed', () => {
    expect(refusalIn(word('AmountTooLow', { limit: 10.001, limitTarget: '0.0001250001' }), buying)).toMatchObject({ limits: { minPay: 1_001n } });
    expect(refusalIn(word('AmountTooLow', { limit: 10.001, limitTarget: '0.0001250001' }), buyingSats)).toMatchObject({ limits: { minReceive: 12_501n } });
    // A limit in sats to sell must also be an amount of at most five significant digits.
    expect(refusalIn(word('AmountTooLow', { limit: '0.00123451' }), selling)).toMatchObject({ limits: { minPay: 123_460n } });
    expect(refusalIn(word('AmountTooHigh', { limit: '0.00123459' }), selling)).toMatchObject({ limits: { maxPay: 123_450n } });
  });
  test('what is left of a month without identification', () => {
    const exceeded = word('LimitExceeded', { limit: 940.5, limitTarget: 0.0115 });
    expect(refusalIn(exceeded, buying)).toEqual({ reason: 'kyc-required', limits: { maxPay: 94_050n }, detail: 'LimitExceeded' });
    expect(refusalIn(exceeded, buyingSats)).toEqual({ reason: 'kyc-required', limits: { maxReceive: 1_150_000n }, detail: 'LimitExceeded' });
    expect(refusalIn(exceeded, sellingFor)).toEqual({ reason: 'kyc-required', limits: { maxReceive: 1n }, detail: 'LimitExceeded' });
    // The general maximum is not this person's.
    expect(refusalIn(said({ maxVolume: 5_000, errors: [{ error: 'LimitExceeded' }] }), buying)).toEqual({ reason: 'kyc-required', detail: 'LimitExceeded' });
  });
  test('an error without a limit has those of the answer, and none if they are 0', () => {
    const volumes = { minVolume: 12, minVolumeTarget: 0.00014, maxVolume: 5_000, maxVolumeTarget: 0.0615 };
    expect(refusalIn(said({ ...volumes, error: 'AmountTooLow' }), buying)).toMatchObject({ limits: { minPay: 1_200n } });
    expect(refusalIn(said({ ...volumes, error: 'AmountTooLow' }), buyingSats)).toMatchObject({ limits: { minReceive: 14_000n } });
    expect(refusalIn(said({ ...volumes, error: 'AmountTooHigh' }), buying)).toMatchObject({ limits: { maxPay: 500_000n } });
    expect(refusalIn(word('AmountTooHigh'), buying)).toEqual({ reason: 'above-maximum', detail: 'AmountTooHigh' });
  });
});

test('the page of the customer, with the step that helps', () => {
  const link = (word?: string) => kycPage('https://app.dfx.swiss/', 'a hash&', word);
  expect(link()).toBe('https://app.dfx.swiss/kyc?code=a+hash%26');
  expect(link('BankTransactionOrVideoMissing')).toBe('https://app.dfx.swiss/kyc?code=a+hash%26&step=Ident%2FSumsubVideo');
  expect(link('BankTransactionMissing')).toBeUndefined();
});

describe('answers in other forms', () => {
  test('the older member, an odd row, nothing at all', () => {
    expect(refusalIn(said({ error: 'CurrencyUnsupported' }), buying)).toEqual({ reason: 'currency-unsupported', detail: 'CurrencyUnsupported' });
    expect(refusalIn(said({ errors: ['?', { error: 'AmountTooHigh', limit: 'much' }] }), buying)).toEqual({ reason: 'above-maximum', detail: 'AmountTooHigh' });
    expect(refusalIn(said({}), buying)).toEqual({ reason: 'declined' });
  });
  test('an error beside "valid" counts', () => {
    expect(refusalIn(said({ isValid: true, errors: [{ error: 'CountryNotAllowed' }] }), buying)).toMatchObject({ reason: 'country-restricted' });
    expect(refusalIn(said({ isValid: true, errors: [] }), buying)).toBeUndefined();
  });
  it.each([
    ['CHF transactions are only permitted to Liechtenstein or Switzerland', { reason: 'declined', note: 'iban-invalid' }, false],
    ['No Bank for the given amount/currency', { reason: 'option-unsupported' }, false],
    ['The country of IP address is not allowed', { reason: 'country-restricted' }, true],
    ['Forbidden resource', { reason: 'declined', note: 'order-refused' }, false],
    ['Address already linked to another account', { reason: 'account-required' }, false],
  ])('the sentence "%s" is read, and not repeated', (message, refusal, isOperators) => {
    expect(refusalOfBody({ statusCode: 403, message, error: 'Forbidden' }, 'buy')).toEqual({ refusal, isOperators });
  });
  test('who is known to DFX has an account, so only a person is missing', () => {
    expect(refusalOfBody({ message: 'KycDataRequired' }, 'sell', true).refusal).toEqual({ reason: 'kyc-required', detail: 'KycDataRequired' });
    expect(refusalOfBody({ message: 'KycDataRequired' }, 'sell').refusal).toMatchObject({ reason: 'account-required' });
  });
  test('a list of messages, no message, no object', () => {
    expect(refusalOfBody({ message: ['amount must be positive', 'KycRequired'] }, 'buy').refusal).toEqual({ reason: 'kyc-required', detail: 'KycRequired' });
    for (const body of [{ message: ['amount must be positive'] }, { message: 7 }, 'no', null])
      expect(refusalOfBody(body, 'sell').refusal).toEqual({ reason: 'declined' });
  });
});
