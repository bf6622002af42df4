import { describe, expect, it } from 'vitest';
import { errorCodeOf, inventoryIn, inventoryReply, isCertain, isError, isRefusedAt5xx, orderIn, orderReply } from './bitrefill-wire.ts';

describe('errors under HTTP 200', () => {
  it.each([
    [{ error: 'Something went wrong' }],
    [{ errorMessage: 'Order not found' }],
    [{ message: 'no' }],
    [{ status: 400, message: 'no' }],
    [{ errorType: 'x', errorMessage: 'y' }],
    [{ meta: { _endpoint: '/x' }, message: 'no', error_code: 'not_found' }],
    [{ error: { code: 1 } }],
    [{ message: 'Order not found', orderId: '5ce472b9950b353c59bcd412' }],
    [{ error: 'Order not found', id: '5ce472b9950b353c59bcd412' }],
    [{ status: 'error', errorMessage: 'Order not found', id: '5ce472b9950b353c59bcd412' }],
    [{ status: 404, message: 'Order not found', order_id: '5ce472b9950b353c59bcd412' }],
  ])('%j', (body) => expect(isError(body)).toBe(true));
  it.each([
    [{ id: '5ce472b9950b353c59bcd412', status: 'unpaid' }],
    [{ id: '5ce472b9950b353c59bcd412', product: 'lightning-channel', errorMessage: 'failed' }],
    [{ id: '5ce472b9950b353c59bcd412', status: 'success', message: 'Thank you' }],
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
  it.each([{ purchaseFee: undefined }, { purchaseFee: null }, { step: null }])('without a fee there is none, and every sat is a step: %j', (more) => {
    const read = inventoryReply.parse({ operator: { ...operator, range: { ...range, ...more } } });
    expect(read.operator.range).toMatchObject({ step: 1n, purchaseFee: { n: 0n } });
  });
  it.each(['SAT', 'sat', 'sats'])('the unit in either case: %s', (currency) => expect(reads({ currency })).toBe(true));
  it.each([
    ['bare', { operator }],
    ['in data', { data: { operator } }],
    ['in result', { jsonrpc: '2.0', id: '1', result: { operator } }],
  ])('%s', (_what, body) => expect(inventoryReply.parse(inventoryIn(body)).operator.slug).toBe('x'));
  it.each([
    ['no amount of sats', { currency: 'EUR' }],
    ['a negative rate', { range: { ...range, customerSatoshiPriceRate: '-1' } }],
    ['a rate of nothing', { range: { ...range, customerSatoshiPriceRate: '0' } }],
    ['a step of nothing', { range: { ...range, step: '0' } }],
    ['half a sat', { range: { ...range, min: '0.5' } }],
    ['an empty range', { range: { ...range, min: '11' } }],
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

describe('orders in other forms', () => {
  const id = '5ce472b9950b353c59bcd412';
  it.each<[string, unknown, string | undefined]>([
    ['id', { id, status: 'unpaid' }, id],
    ['orderId (lntxbot, Edge)', { orderId: id, payment: {} }, id],
    ['order_id', { order_id: id, price: 1 }, id],
    ['orderID', { orderID: id, expired: false }, id],
    ['an id of the database beside it', { id: 7, orderId: id, expired: false }, id],
    ['a number', { orderId: 12_345, status: 'unpaid' }, '12345'],
    ['in data', { data: { orderId: id, status: 'unpaid' } }, id],
    ['in order', { status: 'ok', order: { id, status: 'unpaid' } }, id],
    ['in result', { jsonrpc: '2.0', id: 1, result: { id, status: 'unpaid' } }, id],
    ['in a list', { body: [{ id, status: 'unpaid' }] }, id],
    ['only named', { orderId: id }, id],
    ['an error that names what was asked for', { error: 'Order not found', orderId: '12345' }, undefined],
    ['an error that names an order of its own form', { message: 'Order not found', orderId: id }, undefined],
    ['such an error in data', { data: { message: 'Order not found', orderId: id } }, undefined],
    ['an error of a call', { jsonrpc: '2.0', id: 1, error: { message: 'no' } }, undefined],
    ['an error with a number', { id: 7, message: 'no' }, undefined],
    ['nothing', {}, undefined],
  ])('%s', (_what, body, found) => expect(orderIn(body)?.id).toBe(found));
  it('what a call was to make is an order, also beside an error', () => expect(orderIn({ error: 'x', orderId: '12345' }, true)?.id).toBe('12345'));
  it('and so is one of its own form', () => expect(orderIn({ message: 'x', orderId: id }, true)?.id).toBe(id));
});

describe('whether an error under 200 says that nothing was made', () => {
  it.each<[unknown, boolean]>([
    [{ error: 'Insufficient balance' }, true],
    [{ errorMessage: 'Unknown paymentMethod' }, true],
    [{ message: ['valuePackage must be an integer'] }, true],
    [{ errors: [{ message: 'email is required' }] }, true],
    [{ error: { code: 'out_of_stock', message: '' } }, true],
    [{ detail: 'Not allowed' }, true],
    ['Out of stock', true],
    [{ error: 'Something went wrong' }, false],
    [{ error: 'Internal server error' }, false],
    [{ errorType: 'server_error', errorMessage: 'x' }, false],
    [{ error: { code: 'TIMEOUT' } }, false],
    [{ message: 'Order received. You must pay it within 15 minutes' }, false],
    ['OK', false],
  ])('%j: %s', (body, certain) => expect(isCertain(body)).toBe(certain));
  it.each<[unknown, boolean]>([
    [{ message: 'Insufficient balance' }, true],
    [{ error_code: 'invalid_param', message: 'x' }, true],
    [{ message: 'Service unavailable' }, false],
    [{ message: 'Internal server error' }, false],
    [undefined, false],
  ])('under 500 %j: %s', (body, refused) => expect(isRefusedAt5xx(body)).toBe(refused));
});
