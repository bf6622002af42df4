import { describe, expect, it, test } from 'vitest';
import ordered from './__fixtures__/buy-order.json' with { type: 'json' };
import sold from './__fixtures__/sell-order.json' with { type: 'json' };
import { bodyWith, currencyIdOf, toBuyOrder, toSellOrder, type Asked } from './dfx-order.ts';
import { buyOrderReply, sellOrderReply } from './dfx-order-wire.ts';

const { body } = ordered.response;
const asked = { ramp: 'buy', fixed: 'pay', amount: 10_000n } as const;
const order = (more: object, wanted: Partial<Asked> = {}) => {
  const made = toBuyOrder(buyOrderReply.parse({ ...body, ...more }), { ...asked, ...wanted }, { now: 0, order_days: 7 });
  if ('refusal' in made) throw new Error(made.refusal.reason);
  return made.order;
};

describe('where to pay', () => {
  test('a reference may be missing only with an account of the customer alone', () => {
    expect(order({ remittanceInfo: null, isPersonalIban: true }).paymentInfo).toMatchObject({ paymentDetails: { provider_iban: body.iban } });
    expect(() => order({ remittanceInfo: null })).toThrow(/has no payment reference/);
    expect(() => order({ remittanceInfo: '  ' })).toThrow(/has no payment reference/);
  });
  test.each([
    ['iban', 'LI75088110105923K000F'],
    ['iban', null],
    ['name', null],
  ])('%s: %s is no account', (member, value) => expect(() => order({ [member]: value })).toThrow(/has no readable IBAN/));
  test('a BIC that is none, and lines of an address that are missing, are left out', () => {
    const { paymentInfo } = order({ bic: 'unknown', number: null, zip: 6300, city: null, country: null });
    expect(paymentInfo).toMatchObject({ paymentDetails: { provider_address: 'Bahnhofstrasse, 6300' } });
    expect(paymentInfo).not.toHaveProperty(['paymentDetails', 'provider_bic']);
  });
});

it('an order for another amount than was asked for is none', () => {
  expect(() => order({ amount: 100.01, estimatedAmount: 0.0012315 })).toThrow(/another amount/);
});
describe('an order in another currency than was asked for is none', () => {
  const giro = (amount: string): string => ['BCD', '001', '2', 'SCT', 'BFRILI22XXX', 'DFX AG', body.iban, amount, '', '', 'ABCD'].join('\n');
  const swiss = ['SPC', '0200', '1', body.iban, ...Array<string>(14).fill(''), '100.00', 'CHF', ...Array<string>(7).fill(''), 'NON'].join('\r\n');
  const steps = (...names: string[]) => ({ priceSteps: names.slice(1).map((to, n) => ({ from: names[n], to })) });
  test('as the steps of its price say', () => {
    expect(order(steps('EUR', 'BTC'), { currency: 'EUR' })).toMatchObject({ pay: 10_000n });
    expect(order(steps('CHF', 'EUR', 'BTC'), { currency: 'CHF' })).toMatchObject({ pay: 10_000n });
    expect(() => order(steps('CHF', 'BTC'), { currency: 'EUR' })).toThrow(/another currency/);
    expect(order({ priceSteps: null }, { currency: 'EUR' })).toMatchObject({ pay: 10_000n });
  });
  test('as its code for banking apps says', () => {
    expect(order({ paymentRequest: giro('EUR100.00') }, { currency: 'EUR' })).toMatchObject({ pay: 10_000n });
    expect(() => order({ paymentRequest: giro('USD100.00') }, { currency: 'EUR' })).toThrow(/another currency/);
    expect(() => order({ paymentRequest: swiss }, { currency: 'EUR' })).toThrow(/another currency/);
    expect(order({ ...steps('CHF', 'BTC'), paymentRequest: swiss }, { currency: 'CHF' })).toMatchObject({ pay: 10_000n });
    expect(order({ paymentRequest: 'something new' }, { currency: 'EUR' })).toMatchObject({ pay: 10_000n });
  });
});
it('an instant order at a bank without instant transfers is none', () => {
  expect(() => order({ sepaInstant: false }, { isInstant: true })).toThrow(/instant/);
  for (const sepaInstant of [true, null]) expect(order({ sepaInstant }, { isInstant: true })).toMatchObject({ pay: 10_000n });
});
test('a sale must say which bank account it pays to, in the currency that was asked for', () => {
  const reply = sold.response.body;
  const now = Date.UTC(2026, 10, 21, 10, 0, 30);
  const sale = (more: object, currency = 'EUR') =>
    toSellOrder(
      sellOrderReply.parse({ ...reply, ...more }),
      { ramp: 'sell', fixed: 'pay', amount: 250_000n, currency },
      { iban: reply.beneficiary.iban, network: 'regtest', now },
    );
  expect(sale({})).toMatchObject({ order: { pay: 250_000n } });
  for (const beneficiary of [null, {}, { iban: null }]) expect(() => sale({ beneficiary })).toThrow(/does not say which bank account/);
  expect(() => sale({ beneficiary: { iban: 'AT611904300234573201' } })).toThrow(/another bank account/);
  expect(() => sale({}, 'CHF')).toThrow(/another currency/);
});
it('is not shown if it is invalid, whatever it says besides', () => {
  expect(toBuyOrder(buyOrderReply.parse({ ...body, isValid: false }), asked, { now: 0, order_days: 7 })).toEqual({ refusal: { reason: 'declined' } });
  expect(toBuyOrder(buyOrderReply.parse({ ...body, error: 'NameRequired' }), asked, { now: 0, order_days: 7 })).toMatchObject({
    refusal: { reason: 'kyc-required' },
  });
});
test('amounts are written with every digit', () => {
  expect(bodyWith({ a: 1 }, { ramp: 'buy', fixed: 'receive', amount: 107_869n })).toBe('{"a":1,"targetAmount":0.00107869}');
  expect(bodyWith({ a: 1 }, { ramp: 'sell', fixed: 'pay', amount: 250_000n })).toBe('{"a":1,"amount":0.00250000}');
});
test('an offer of an earlier release, without the id of the currency, orders nothing', () => {
  expect(() => currencyIdOf({ option: { currency: 'EUR', name: 'SEPA', upstream: { method: 'Bank' }, feePpm: 0 } })).toThrow(/has no currency id/);
});
