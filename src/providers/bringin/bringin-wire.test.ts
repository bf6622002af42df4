import { describe, expect, test } from 'vitest';
import { connectReply, errorCodeOf, linkReply, orderReply, payReply, resendReply, standingOrderReply, transactionsReply } from './bringin-wire.ts';

test.each<[string, unknown, string]>([
  ['as documented', { message: 'Bad request', statusCode: 400, errorCode: '10112', errorDetails: {} }, '10112'],
  ['the status as text, details as text', { errorMessage: 'x', statusCode: '400', errorCode: 10112, errorDetails: 'none' }, '10112'],
  ['older', { error: 'x', code: 'NO_SUCH' }, 'NO_SUCH'],
  ['details as a list', { message: 'x', errorCode: 'INVALID_CURRENCY_NETWORK_COMBINATION', errorDetails: [1] }, 'INVALID_CURRENCY_NETWORK_COMBINATION'],
  ['a sentence for a code', { errorCode: 'Dear Alice, your IBAN DE89…' }, 'no code'],
  ['a code of another type', { errorCode: { a: 1 }, code: 7 }, '7'],
  ['text', 'Unauthorized', 'no code'],
  ['nothing', undefined, 'no code'],
  ['null', null, 'no code'],
])('an error body %s', (_name, body, code) => {
  expect(errorCodeOf(body)).toBe(code);
});

describe('what clients stumbled on', () => {
  test('null is absent', () => {
    expect(connectReply.parse({ status: null, userRegistered: true, apiKey: null, signupURL: null })).toEqual({ userRegistered: true });
    expect(
      linkReply.parse({ bringinLink: { id: 'l', name: 'n', type: 't', subtype: 's', status: 'INITIATING' }, standingOrder: null, lnAddress: null })
        .standingOrder,
    ).toBeUndefined();
  });
  test.each<[object]>([
    [{ userRegistered: false, signupURL: 'https://x.example', apiKey: 'x', userId: 7 }],
    [{ userRegistered: false, signupUrl: 'https://x.example', apikey: 'x', userid: '7' }],
    [{ user_registered: 'false', signup_url: 'https://x.example', api_key: 'x', user_id: '7' }],
    [{ success: true, data: { UserRegistered: 0, SignupURL: 'https://x.example', ApiKey: 'x', UserId: 7 } }],
  ])('whatever the spelling: %j', (body) => {
    expect(connectReply.parse(body)).toEqual({ userRegistered: false, signupUrl: 'https://x.example', apiKey: 'x', userId: '7' });
  });
  test('the standing order of a confirmation comes bare or wrapped', () => {
    const order = { id: 's-1', status: 'ACTIVE', direction: 'CRYPTO_TO_FIAT', percentFeeBps: '150' };
    expect([order, { standingOrder: order }].map((body) => standingOrderReply.parse(body))).toEqual(Array(2).fill({ id: 's-1', status: 'ACTIVE' }));
    expect(standingOrderReply.safeParse({ standingOrder: {} }).success).toBe(false);
  });
  test('the answer to a resend may have only the challenge', () => {
    expect([resendReply.parse({ challengeId: 'c', dateExpires: 'x', attempts: 2 }), resendReply.parse({ challengeId: 'c' })]).toEqual([
      { challengeId: 'c', attempts: 2 },
      { challengeId: 'c' },
    ]);
  });
  test('amounts as strings or numbers, never negative', () => {
    const order = { id: 'o', amount: '250000', expiresAt: 1_795_256_100_000 };
    expect([orderReply.parse(order).amount, orderReply.parse({ ...order, amount: 250_000 }).amount]).toEqual([250_000n, 250_000n]);
    expect([-1, '-1', 'NaN', '1e5', true, {}].map((amount) => orderReply.safeParse({ ...order, amount }).success)).toEqual(Array(6).fill(false));
    expect(orderReply.parse({ ...order, expiresAt: '1795256100' }).expiresAt).toEqual({ number: 1_795_256_100 });
    expect(orderReply.parse({ ...order, expiresAt: '2026-11-21T10:15:00Z' }).expiresAt).toBe(Date.UTC(2026, 10, 21, 10, 15));
    expect([orderReply.parse({ id: 'o', amount: null, invoice: 'x' }), orderReply.parse({ id: 'o', invoice: 'x', expiresAt: 'soon' })]).toEqual([
      { id: 'o', invoice: 'x' },
      { id: 'o', invoice: 'x', expiresAt: 'unreadable' },
    ]);
  });
  test('the older contract has other names for the members of an order, and an id may be a number', () => {
    expect(orderReply.parse({ order: { orderId: 20_261_128, lightningInvoice: 'lnbc1', sourceAmount: 5000 } })).toEqual({
      id: '20261128',
      invoice: 'lnbc1',
      amount: 5000n,
    });
    expect(orderReply.parse({ orderId: 'o', bitcoinAddress: 'bc1q', expiresAt: 1 })).toMatchObject({ id: 'o', depositAddress: 'bc1q' });
  });
  test('minSendable as text, maxSendable as a number', () => {
    expect(payReply.parse({ status: 'OK', tag: 'payRequest', minSendable: '100000', maxSendable: 5_471_036_000, callback: 'x' })).toEqual({
      tag: 'payRequest',
      minSendable: 100_000n,
      maxSendable: 5_471_036_000n,
    });
    for (const status of ['ERROR', 'error']) expect(payReply.parse({ status, reason: 'no such user' })).toEqual({ status: 'ERROR' });
    expect(payReply.safeParse({ tag: 'withdrawRequest', minSendable: 1, maxSendable: 2 }).success).toBe(false);
  });
  const row = { orderId: 't', status: 'SUCCESSFUL', createdAt: '2026-11-21T10:15:00.000Z' };
  const read = { ...row, createdAt: Date.parse(row.createdAt) };
  test('a row without amounts, status or date is read; a row without an id does not affect the others', () => {
    expect(transactionsReply.parse({ transactions: [row], number: 1, totalCount: '1' })).toEqual({ transactions: [read], given: 1, unread: 0, totalCount: 1 });
    const odd = [{ ...row, orderId: undefined }, { orderId: 8 }, null, 'x', { ...row, createdAt: 'soon' }, row];
    expect(transactionsReply.parse({ transactions: odd })).toEqual({
      transactions: [{ orderId: '8', status: '' }, { orderId: 't', status: 'SUCCESSFUL' }, read],
      given: 6,
      unread: 3,
    });
  });
  test.each([-1, '-1', 'NaN', {}, [], true])('a row with %j as an amount is odd: nobody believes the status beside it', (sourceAmount) => {
    expect(transactionsReply.parse({ transactions: [{ ...row, sourceAmount }] }).transactions).toEqual([{ ...read, isOdd: true }]);
  });
  test.each<[string, unknown]>([
    ['bare', [row]],
    ['under data', { success: true, data: [row] }],
    ['twice', { statusCode: 200, data: { transactions: [row], total_count: 1 } }],
    ['in small letters', { Transactions: [{ order_id: 't', Status: 'SUCCESSFUL', created_at: row.createdAt }] }],
    ['as items', { result: { items: [row] } }],
  ])('rows %s', (_name, body) => expect(transactionsReply.parse(body).transactions).toEqual([read]));
  test.each([{}, { message: 'no' }, 'x', null, 7, { transactions: {} }, { transactions: Array(1001).fill(row) }])('no list of rows: %#', (body) => {
    expect(transactionsReply.safeParse(body).success).toBe(false);
  });
});
