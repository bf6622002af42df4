import { describe, expect, it } from 'vitest';
import { resolveReferences } from '../config/reference-config.ts';
import type { Feed } from '../ports/reference.ts';
import { ProviderFault } from '../providers/fault.ts';
import type { HttpRequest } from '../providers/spec.ts';
import { createFeedReader, readTicker } from './read-feed.ts';

const own: Feed = { name: 'own', url: 'https://ticker.example/btc', bid: '/bid', ask: '/ask', time: '/time', venue: 'ticker.example', averages: [] };
const presetsOf = (currency: string): Feed[] =>
  resolveReferences({ [currency]: { feeds: ['kraken', 'coinbase', 'bitstamp', 'mempool'] } })?.[currency]?.feeds ?? [];

describe('the four presets, by the answers that their documentation shows', () => {
  const answers: Record<string, [url: string, answer: object, price: bigint, stamp: number | undefined]> = {
    kraken: [
      'https://api.kraken.com/0/public/Ticker?pair=XBTEUR',
      { error: [], result: { XXBTZEUR: { a: ['30300.10000', '1', '1.000'], b: ['30300.00000', '1', '1.000'], c: ['30303.20000', '0.00067643'] } } },
      3_030_005n,
      undefined,
    ],
    coinbase: [
      'https://api.exchange.coinbase.com/products/BTC-EUR/ticker',
      { ask: '73369.19', bid: '73360.34', volume: '1207.50668151', price: '73367.8', time: '2024-03-13T11:10:41.270099Z' },
      7_336_476n,
      Date.UTC(2024, 2, 13, 11, 10, 41, 270),
    ],
    bitstamp: [
      'https://www.bitstamp.net/api/v2/ticker/btceur/',
      { timestamp: '1710328241', last: '73285', vwap: '70853', bid: '73353', ask: '73367', side: '0' },
      7_336_000n,
      1_710_328_241_000,
    ],
    mempool: ['https://mempool.space/api/v1/prices', { time: 1_710_328_200, USD: 73_300, EUR: 67_000, GBP: 57_000 }, 6_700_000n, 1_710_328_200_000],
  };
  it.each(presetsOf('EUR'))('$name', (feed) => {
    const [url, answer, price, stamp] = answers[feed.name] ?? [];
    expect(feed.url).toBe(url);
    expect(readTicker(feed, answer)).toMatchObject({ price, ...(stamp === undefined ? {} : { stamp }) });
  });
  it('Kraken answers to the younger markets under their own names', () => {
    const franc = resolveReferences({ CHF: { feeds: ['kraken'] } })?.['CHF']?.feeds?.[0];
    expect(franc && readTicker(franc, { error: [], result: { XBTCHF: { a: ['85000.1'], b: ['85000.0'] } } })).toMatchObject({ price: 8_500_005n });
    expect(franc && readTicker(franc, { error: ['EQuery:Unknown asset pair'] })).toEqual({ fault: 'malformed' });
  });
});

describe('figures', () => {
  const read = (bid: unknown, ask: unknown = bid) => readTicker({ ...own, time: '/t' }, { bid, ask, t: 1_710_328_241 });
  it.each<[unknown, unknown, bigint]>([
    [90_000, 90_001, 9_000_050n],
    ['90000.10', '90000.30', 9_000_020n],
    [' 90000.1 ', 90_000.3, 9_000_020n],
    ['9e4', '9.0001e4', 9_000_050n],
    // Half of a hundredth is rounded down, once.
    ['0.011', '0.014', 1n],
    ['90000.004', '90000.006', 9_000_000n],
    // More digits than a float keeps.
    ['90000.123456789012345678', '90000.123456789012345678', 9_000_012n],
  ])('%j and %j', (bid, ask, price) => expect(read(bid, ask)).toMatchObject({ price }));
  it.each<unknown>(['n/a', '', '90,000.00', '0x10', 0, '-1', '0.001', null, true, {}, ['1'], '1e99', '9'.repeat(60)])('%j is malformed', (value) =>
    expect(read(value)).toEqual({ fault: 'malformed' }),
  );
  it('a bid above the ask is crossed, as a number or as text', () => {
    expect(read('90000.2', '90000.1')).toEqual({ fault: 'crossed' });
    expect(read('9.00002e4', 90_000.1)).toEqual({ fault: 'crossed' });
  });
  it('a missing or unreadable time stamp is malformed', () => {
    expect(readTicker(own, { bid: 1, ask: 1, time: 'yesterday' })).toEqual({ fault: 'malformed' });
    expect(readTicker(own, { bid: 1, ask: 1 })).toEqual({ fault: 'malformed' });
  });
  it('pointers lead through lists and escaped names, and to nothing inherited', () => {
    const { bid: _bid, ask: _ask, time: _time, ...rest } = own;
    expect(readTicker({ ...rest, price: '/a~1b/1/m~0n' }, { 'a/b': [0, { 'm~n': '12.5' }] })).toMatchObject({ price: 1250n });
    expect(readTicker({ ...rest, price: '/length' }, { a: 1 })).toEqual({ fault: 'malformed' });
    expect(readTicker({ ...rest, price: '/constructor/length' }, { a: 1 })).toEqual({ fault: 'malformed' });
  });
});

describe('over HTTP', () => {
  const answering = (status: number, body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) => {
    const asked: HttpRequest[] = [];
    const read = createFeedReader(async (request) => {
      asked.push(request);
      return await Promise.resolve({ status, headers, body: new TextEncoder().encode(body) });
    });
    return { asked, read: async () => await read({ ...own, time: '/t' }, AbortSignal.timeout(1000)) };
  };
  it('asks once, with a cap', async () => {
    const { asked, read } = answering(200, '{"bid":90000.10,"ask":90000.30,"t":1710328241}');
    expect(await read()).toEqual({ price: 9_000_020n, text: '90000.10 90000.30', stamp: 1_710_328_241_000 });
    expect(asked).toMatchObject([{ method: 'GET', url: own.url, maxBytes: 65_536 }]);
  });
  it.each<[number, string, string]>([
    [302, '', 'malformed'],
    [200, '<html>', 'malformed'],
    [200, '[]', 'malformed'],
    [404, '{}', 'away'],
    [429, '{}', 'away'],
    [503, '{}', 'away'],
  ])('status %i with %j is %s', async (status, body, fault) => expect(await answering(status, body).read()).toEqual({ fault }));
  it('a feed that does not answer is away; an answer that is too large is malformed', async () => {
    const failing = (kind: 'timeout' | 'malformed') => createFeedReader(async () => await Promise.reject(new ProviderFault(kind, 'x')));
    expect(await failing('timeout')(own, AbortSignal.timeout(1000))).toEqual({ fault: 'away' });
    expect(await failing('malformed')(own, AbortSignal.timeout(1000))).toEqual({ fault: 'malformed' });
  });
});
