import { expect, it } from 'vitest';
import { violations, type Habits, type Kept, type Made, type Told } from './checker.ts';

const told: Told = { quoteId: 'q', at: 1, status: 200, code: undefined, essence: 'a' };
const made: Made = { provider: 'p', orderId: 'u', intentId: 'i', status: 'placed' };
const kept: Kept = { intentId: 'i', quoteId: 'q', provider: 'p', state: 'confirmed', upstreamOrderId: 'u', movedTo: null, orders: 1 };
/** An attempt that was refused, and whose request continued with the attempt `kept`. */
const left: Kept = { ...kept, intentId: 'l', quoteId: 'first', state: 'moved', upstreamOrderId: null, movedTo: 'i', orders: 0 };
const toldFirst: Told = { ...told, quoteId: 'first' };

/** A purchase of 100.00 for 100,000 sats at a provider that makes another order for each POST. */
const quoted = { ramp: 'buy', pay: '10000', receive: '100000', binding: false };
const asTold = (sats: number): Told => ({ ...told, essence: JSON.stringify({ amount_fiat: 10_000, amount_sats: sats, pay_to: 'here' }) });
const read: Habits['read'] = (answer) => (JSON.parse(answer) as { pay_to: string }).pay_to;
const again: Made[] = ['u', 'v'].map((orderId) => ({ ...made, orderId, terms: 'here' }));
const alike = { p: { repeats: true, read } } as const;
const lapsing = { p: { lapses: true, read } } as const;

it('a sound run has no violation', () => {
  expect(violations([{ ...told, status: 503, essence: 'pending' }, told, told], [made], [kept])).toEqual([]);
  expect(violations([{ ...told, status: 409, essence: 'dead' }], [], [{ ...kept, state: 'dead', upstreamOrderId: null, orders: 0 }])).toEqual([]);
  expect(violations([toldFirst], [made], [left, kept])).toEqual([]);
  expect(violations([asTold(99_100)], again, [{ ...kept, quoted }], alike)).toEqual([]);
  const lost: Kept = { ...kept, state: 'unpayable', upstreamOrderId: null, orders: 0 };
  expect(violations([{ ...told, status: 409 }], [made], [lost], lapsing)).toEqual([]);
  expect(violations([{ ...told, status: 409 }], [], [lost], lapsing)).toEqual([]);
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
  ['an order that nobody was shown', /is kept and was not shown/, [{ ...told, status: 409 }], [made], [kept]],
  [
    'a lost answer without its reason',
    /the answer was lost, and the wallet was told quote-expired/,
    [{ ...told, status: 410, code: 'quote-expired' }],
    [],
    [{ ...kept, state: 'dead', upstreamOrderId: null, orders: 0 }],
  ],
  ['one order for two requests', /2 requests have this order/, [told, { ...told, quoteId: 'r' }], [made], [kept, { ...kept, intentId: 'j', quoteId: 'r' }]],
])('%s is noticed', (_name, words, client, provider, gateway) => {
  expect(violations(client, provider, gateway).join('\n')).toMatch(words);
});

it.each<[string, RegExp, Told, Made[], Kept, { p: Habits }]>([
  ['other bank details', /the wallet was told here, and p has elsewhere/, asTold(100_000), [{ ...made, terms: 'elsewhere' }], kept, lapsing],
  ['two ways to pay', /here and elsewhere at the provider/, asTold(100_000), [...again, { ...made, terms: 'elsewhere' }], kept, alike],
  ['two orders where a lost one lapses', /2 orders at the provider/, asTold(100_000), again, kept, lapsing],
  [
    'a lost order that does not lapse',
    /is not the one kept/,
    { ...told, status: 409 },
    [made],
    { ...kept, state: 'dead', upstreamOrderId: null, orders: 0 },
    lapsing,
  ],
  ['fewer sats than an estimate allows', /not as quoted/, asTold(98_900), again, { ...kept, quoted }, alike],
  ['fewer sats than a binding price', /not as quoted/, asTold(99_999), again, { ...kept, quoted: { ...quoted, binding: true } }, alike],
])('%s is noticed', (_name, words, client, provider, gateway, habits) => {
  expect(violations([client], provider, [gateway], habits).join('\n')).toMatch(words);
});
