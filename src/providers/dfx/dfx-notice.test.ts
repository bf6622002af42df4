import { expect, it, test } from 'vitest';
import { hintsIn } from './dfx-notice.ts';

const told = (body: unknown) => hintsIn(JSON.stringify(body));

it('names the order of a payment, by the id of the order before that of the transaction', () => {
  expect(told({ accountId: 7, id: 'LNNID02', type: 'Payment', data: { uid: 'T3', orderUid: 'Q7', state: 'Completed' } })).toEqual([{ upstreamOrderId: 'Q7' }]);
  expect(told({ type: 'Payment', data: { uid: 'Q7' } })).toEqual([{ upstreamOrderId: 'Q7' }]);
});
it.each(['KycChanged', 'KycFailed', 'AccountChanged'])('names the user of %s', (type) => {
  expect(told({ accountId: 481, type, data: { mail: 'alice@example.com' } })).toEqual([{ userId: '481' }]);
});
test.each([
  '',
  '{',
  'null',
  '[]',
  '"Payment"',
  '{"type":"Payment","data":7}',
  '{"type":7,"data":{"uid":{}}}',
  `{"type":"Payment","data":{"uid":"${'x'.repeat(501)}"}}`,
])('nothing in %s', (body) => expect(hintsIn(body)).toEqual([]));
