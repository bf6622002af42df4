import { describe, expect, it } from 'vitest';
import { errorCodeOf, inventoryReply, isError, orderReply } from './bitrefill-wire.ts';

describe('errors under HTTP 200', () => {
  it.each([
    [{ error: 'Something went wrong' }],
    [{ errorMessage: 'Order not found' }],
    [{ message: 'no' }],
    [{ status: 400, message: 'no' }],
    [{ errorType: 'x', errorMessage: 'y' }],
    [{ meta: { _endpoint: '/x' }, message: 'no', error_code: 'not_found' }],
    [{ error: { code: 1 } }],
  ])('%j', (body) => expect(isError(body)).toBe(true));
  it.each([
    [{ id: '5ce472b9950b353c59bcd412', status: 'unpaid' }],
    [{ id: '5ce472b9950b353c59bcd412', errorMessage: 'failed' }],
    [{ operator: {} }],
    [{ status: 'success' }],
    [{ error: null, message: '' }],
    [null],
    ['error'],
    [5],
  ])('%j is none', (body) => expect(isError(body)).toBe(false));
});

describe('codes of errors', () => {
  it.each([
    [{ error_code: 'balance_too_low', message: 'x' }, 'balance_too_low'],
    [{ errorType: 'out_of_stock', errorMessage: 'x' }, 'out_of_stock'],
    [{ message: 'Insufficient balance' }, 'balance_too_low'],
    [{ error: 'Order not found' }, 'not_found'],
    [{ message: 'Unknown paymentMethod' }, 'unsupported_payment_method'],
    [{ status: 500, message: 'Out of stock' }, 'out_of_stock'],
    [{ message: 'a sentence of its own' }, 'no-code'],
    [{ error_code: 'with a sentence' }, 'no-code'],
    ['nothing', 'no-code'],
    [undefined, 'no-code'],
  ])('%j is %s', (body, code) => expect(errorCodeOf(body)).toBe(code));
});

describe('inventories', () => {
  const range = { min: '1', max: '10', step: '1', customerSatoshiPriceRate: '1.5e0', purchaseFee: '0' };
  const operator = { slug: 'x', currency: 'SAT', range };
  const reads = (more: object) => inventoryReply.safeParse({ operator: { ...operator, ...more } }).success;
  it('is read', () => expect(reads({})).toBe(true));
  it.each([
    ['no amount of sats', { currency: 'EUR' }],
    ['a negative rate', { range: { ...range, customerSatoshiPriceRate: '-1' } }],
    ['a rate of nothing', { range: { ...range, customerSatoshiPriceRate: '0' } }],
    ['a step of nothing', { range: { ...range, step: '0' } }],
    ['half a sat', { range: { ...range, min: '0.5' } }],
    ['an empty range', { range: { ...range, min: '11' } }],
    ['no fee', { range: { ...range, purchaseFee: undefined } }],
    ['a rate in words', { range: { ...range, customerSatoshiPriceRate: 'one' } }],
  ])('%s is not', (_what, more) => expect(reads(more)).toBe(false));
});

describe('orders', () => {
  const id = '5ce472b9950b353c59bcd412';
  it('null is absent, unknown members are dropped', () =>
    expect(orderReply.parse({ id, userRef: null, status: null, payment: null, accessToken: 'x', willRetry: true })).toEqual({ id }));
  it('a price that is no amount of sats is no price', () => expect(orderReply.parse({ id, price: '0.45' })).toEqual({ id }));
  it.each([[{ id: '' }], [{ id: '../x' }], [{ id, expired: 'maybe' }], [{ id, payment: { satoshiPrice: '0' } }], [{ id, expirationTime: 'soon' }]])(
    '%j is no order',
    (body) => expect(orderReply.safeParse(body).success).toBe(false),
  );
  it.each([
    [false, undefined],
    ['', undefined],
    [null, undefined],
    ['no', 'error'],
    [{ code: '1' }, 'error'],
  ])('error %j is %s', (error, read) => expect(orderReply.parse({ id, error }).error).toBe(read));
});
