import { expect, it } from 'vitest';
import { violations, type Kept, type Made, type Told } from './checker.ts';

const told: Told = { quoteId: 'q', at: 1, status: 200, code: undefined, essence: 'a' };
const made: Made = { provider: 'p', orderId: 'u', intentId: 'i', status: 'placed' };
const kept: Kept = { intentId: 'i', quoteId: 'q', provider: 'p', state: 'confirmed', upstreamOrderId: 'u', movedTo: null, orders: 1 };
/** An attempt that was refused, and whose request continued with the attempt `kept`. */
const left: Kept = { ...kept, intentId: 'l', quoteId: 'first', state: 'moved', upstreamOrderId: null, movedTo: 'i', orders: 0 };
const toldFirst: Told = { ...told, quoteId: 'first' };

it('a sound run has no violation', () => {
  expect(violations([{ ...told, status: 503, essence: 'pending' }, told, told], [made], [kept])).toEqual([]);
  expect(violations([{ ...told, status: 409, essence: 'dead' }], [], [{ ...kept, state: 'dead', upstreamOrderId: null, orders: 0 }])).toEqual([]);
  expect(violations([toldFirst], [made], [left, kept])).toEqual([]);
});

it.each<[string, RegExp, Told[], Made[], Kept[]]>([
  ['a changed answer', /the answer changed/, [told, { ...told, essence: 'b' }], [made], [kept]],
  ['a 200 that became a 409', /the answer changed/, [told, { ...told, status: 409, essence: 'c' }], [made], [kept]],
  ['silence', /never answered/, [{ ...told, status: 503 }], [made], [kept]],
  ['a lost order', /shown and is not kept/, [told], [], [{ ...kept, state: 'dead', upstreamOrderId: null, orders: 0 }]],
  ['two orders', /2 orders at the provider/, [told], [made, { ...made, orderId: 'v' }], [kept]],
  ['an unknown order', /does not know/, [told], [made, { ...made, intentId: 'other', orderId: 'v' }], [kept]],
  ['an order without its id', /is not the one kept/, [{ ...told, status: 409 }], [made], [{ ...kept, state: 'dead', upstreamOrderId: null, orders: 0 }]],
  ['nothing behind it', /has no such order/, [told], [], [kept]],
  ['unsettled', /not settled/, [told], [made], [kept, { ...kept, intentId: 'j', quoteId: 'r', state: 'unknown', upstreamOrderId: null, orders: 0 }]],
  [
    'a second payable order',
    /2 payable orders for one request/,
    [toldFirst],
    [made, { ...made, intentId: 'l', orderId: 'v' }],
    [{ ...left, state: 'confirmed', upstreamOrderId: 'v', orders: 1 }, kept],
  ],
  ['a move from what is unknown', /went on from unknown, confirmed/, [toldFirst], [made], [{ ...left, state: 'unknown' }, kept]],
  ['a move to nowhere', /no attempt after the move/, [{ ...toldFirst, status: 409 }], [], [left]],
  ['half kept', /0 orders kept/, [told], [made], [{ ...kept, orders: 0 }]],
])('%s is noticed', (_name, words, client, provider, gateway) => {
  expect(violations(client, provider, gateway).join('\n')).toMatch(words);
});
