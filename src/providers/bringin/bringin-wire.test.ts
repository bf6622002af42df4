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
  test('the spelling decides: signupURL and apiKey, not signupUrl and apikey', () => {
    expect(connectReply.parse({ userRegistered: false, signupUrl: 'https://x.example', apikey: 'x' })).toEqual({ userRegistered: false });
  });
  test('the standing order of a confirmation comes bare or wrapped', () => {
    const order = { id: 's-1', status: 'ACTIVE', direction: 'CRYPTO_TO_FIAT', percentFeeBps: '150' };
    expect([order, { standingOrder: order }].map((body) => standingOrderReply.parse(body))).toEqual(Array(2).fill({ id: 's-1', status: 'ACTIVE' }));
    expect(standingOrderReply.safeParse({ standingOrder: {} }).success).toBe(false);
  });
  test('a resend may say no more than its challenge', () => {
    expect([resendReply.parse({ challengeId: 'c', dateExpires: 'x', attempts: 2 }), resendReply.parse({ challengeId: 'c' })]).toEqual([
      { challengeId: 'c', attempts: 2 },
      { challengeId: 'c' },
    ]);
  });
  test('amounts as strings or numbers, never negative', () => {
    const order = { id: 'o', amount: '250000', expiresAt: 1_795_256_100_000 };
    expect([orderReply.parse(order).amount, orderReply.parse({ ...order, amount: 250_000 }).amount]).toEqual([250_000n, 250_000n]);
    expect([-1, '-1', 'NaN', '1e5', true, null, {}].map((amount) => orderReply.safeParse({ ...order, amount }).success)).toEqual(Array(7).fill(false));
    expect(orderReply.parse({ ...order, expiresAt: '1795256100' }).expiresAt).toBe(1_795_256_100);
  });
  test('minSendable as text, maxSendable as a number', () => {
    expect(payReply.parse({ status: 'OK', tag: 'payRequest', minSendable: '100000', maxSendable: 5_471_036_000, callback: 'x' })).toEqual({
      tag: 'payRequest',
      minSendable: 100_000n,
      maxSendable: 5_471_036_000n,
    });
    expect(payReply.parse({ status: 'ERROR', reason: 'no such user' })).toEqual({ status: 'ERROR', reason: 'no such user' });
    expect(payReply.safeParse({ tag: 'withdrawRequest', minSendable: 1, maxSendable: 2 }).success).toBe(false);
  });
  test('a row without amounts is a row; one without id, status or date is not', () => {
    const row = { orderId: 't', status: 'SUCCESSFUL', createdAt: '2026-11-21T10:15:00.000Z' };
    expect(transactionsReply.parse({ transactions: [row], number: 1, totalCount: '1' })).toEqual({
      transactions: [{ ...row, createdAt: Date.parse(row.createdAt) }],
      totalCount: 1,
    });
    expect(['orderId', 'status', 'createdAt'].map((name) => transactionsReply.safeParse({ transactions: [{ ...row, [name]: undefined }] }).success)).toEqual([
      false,
      false,
      false,
    ]);
  });
});
