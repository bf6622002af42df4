import { describe, expect, it, test } from 'vitest';
import ordered from './__fixtures__/buy-order.json' with { type: 'json' };
import { bodyWith, currencyIdOf, toBuyOrder } from './dfx-order.ts';
import { buyOrderReply } from './dfx-order-wire.ts';

const { body } = ordered.response;
const asked = { ramp: 'buy', fixed: 'pay', amount: 10_000n } as const;
const order = (more: object) => {
  const made = toBuyOrder(buyOrderReply.parse({ ...body, ...more }), asked, { now: 0, order_days: 7 });
  if ('refusal' in made) throw new Error(made.refusal.reason);
  return made.order;
};

describe('where to pay', () => {
  test('a reference may be missing only with an account of the customer alone', () => {
    expect(order({ remittanceInfo: null, isPersonalIban: true }).paymentInfo).toMatchObject({ paymentDetails: { provider_iban: body.iban } });
    expect(() => order({ remittanceInfo: null })).toThrow(/without its reference/);
    expect(() => order({ remittanceInfo: '  ' })).toThrow(/without its reference/);
  });
  test.each([
    ['iban', 'LI75088110105923K000F'],
    ['iban', null],
    ['name', null],
  ])('%s: %s is no account', (member, value) => expect(() => order({ [member]: value })).toThrow(/without a bank account/));
  test('a BIC that is none, and lines of an address that are missing, are left out', () => {
    const { paymentInfo } = order({ bic: 'unknown', number: null, zip: 6300, city: null, country: null });
    expect(paymentInfo).toMatchObject({ paymentDetails: { provider_address: 'Bahnhofstrasse, 6300' } });
    expect(paymentInfo).not.toHaveProperty(['paymentDetails', 'provider_bic']);
  });
});

it('an order for another amount than was asked for is none', () => {
  expect(() => order({ amount: 100.01, estimatedAmount: 0.0012315 })).toThrow(/another amount/);
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
  expect(() => currencyIdOf({ option: { currency: 'EUR', name: 'SEPA', upstream: { method: 'Bank' }, feePpm: 0 } })).toThrow(/without the id/);
});
