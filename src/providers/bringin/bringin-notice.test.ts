import { expect, test } from 'vitest';
import { readNotice } from './bringin-notice.ts';

const consent = { userId: 'u-1', apikey: 'ZXZpbCBrZXk=', verificationStatus: 'APPROVED', ref: 'r-1' };
const order = { orderId: '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6', status: 'SUCCESSFUL', userId: 'u-1', destinationAmount: '99999999' };
const connection = { bringinLinkId: 'l-1', direction: 'CRYPTO_TO_FIAT', status: 'active', lnAddress: 'mallory@bringin.xyz' };

test.each<[string, string, unknown, unknown]>([
  ['verification', '/verification-status', consent, { about: 'account' }],
  ['verification without a status', '/verification-status', { userId: 'u-1', apikey: 'x' }, { about: 'account' }],
  ['verification at the callback itself', '', consent, { about: 'account' }],
  ['an order', '/order-status', order, { about: 'orders', upstreamId: order.orderId }],
  ['an order at the callback itself', '', order, { about: 'orders', upstreamId: order.orderId }],
  ['a connection', '/connection-status/', connection, { about: 'connection', upstreamId: 'l-1' }],
  ['a connection at the callback itself', '/', connection, { about: 'connection', upstreamId: 'l-1' }],
  ['an order without an id', '/order-status', {}, { about: 'orders' }],
  ['a number as id', '/order-status', { orderId: 20_261_128 }, { about: 'orders', upstreamId: '20261128' }],
  ['an id that is none', '/connection-status', { bringinLinkId: '../../etc' }, { about: 'connection' }],
  ['ids of another type', '/order-status', { orderId: { $ne: 1 } }, { about: 'orders' }],
  ['another event', '/something-new', order, { about: 'unknown' }],
  ['nothing', '', {}, { about: 'unknown' }],
  ['a list', '/order-status', [order], { about: 'orders' }],
  ['null', '', null, { about: 'unknown' }],
])('%s', (_name, path, body, hint) => {
  expect(readNotice(path, JSON.stringify(body))).toEqual(hint);
});

test('a notice that is not JSON still counts as a notice', () => {
  expect([readNotice('/verification-status', '<xml/>'), readNotice('/order-status', ''), readNotice('', '{"a":')]).toEqual([
    { about: 'account' },
    { about: 'orders' },
    { about: 'unknown' },
  ]);
});

test('no key, amount, status or address of a notice is used', () => {
  const hints = [
    readNotice('/verification-status', JSON.stringify(consent)),
    readNotice('/order-status', JSON.stringify(order)),
    readNotice('/connection-status', JSON.stringify(connection)),
  ];
  const told = JSON.stringify(hints);
  for (const value of [consent.apikey, consent.ref, 'APPROVED', 'SUCCESSFUL', '99999999', 'mallory']) expect(told).not.toContain(value);
});
