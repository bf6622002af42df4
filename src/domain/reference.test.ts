import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feedRead, judgeFeeds, type FeedReading, type Voice } from './reference.ts';

const now = Date.UTC(2026, 10, 21, 12);
const minute = 60_000;
const averages = ['bitfinex', 'bitflyer', 'coinbase', 'gemini', 'kraken'];
/** Makes a feed that gives this price now and gave another price until a moment ago. */
const voice = (name: string, price: bigint, more: Partial<Voice> & { at?: number; since?: number } = {}): Voice => {
  const { at = now, since = now, ...rest } = more;
  return { name, venue: name, averages: name === 'mempool' ? averages : [], said: { price, text: String(price), at, since }, ...rest };
};
/** Returns the state, the price if there is one, and each feed that was not used. */
const judge = (voices: Voice[], maxAgeMs = minute) => {
  const result = judgeFeeds(voices, now, maxAgeMs);
  const unused = Object.fromEntries(result.feeds.filter(({ state }) => state !== 'used').map(({ name, state }) => [name, state]));
  return [result.state, result.state === 'away' ? undefined : result.price, unused];
};
const kraken = voice('kraken', 9_000_000n);
const coinbase = voice('coinbase', 9_010_000n);

describe('public tickers', () => {
  it('two feeds that agree are live, with their mean; three with their median', () => {
    expect(judge([kraken, coinbase])).toEqual(['live', 9_005_000n, {}]);
    expect(judge([kraken, coinbase, voice('bitstamp', 9_012_000n)])).toEqual(['live', 9_010_000n, {}]);
    expect(judgeFeeds([voice('kraken', 1n, { at: now - 20_000 }), voice('coinbase', 1n)], now, minute)).toMatchObject({ observedOn: now - 20_000 });
  });

  it('feeds agree if they are within exactly one per cent', () => {
    expect(judge([kraken, voice('coinbase', 9_090_000n)])[0]).toBe('live');
    expect(judge([kraken, voice('coinbase', 9_090_001n)])).toEqual(['away', undefined, { kraken: 'disagrees', coinbase: 'disagrees' }]);
  });

  const bad: [string, Voice, string][] = [
    ['lies by 20 %', voice('coinbase', 10_800_000n), 'disagrees'],
    ['is stale by its own stamp', voice('coinbase', 10_800_000n, { at: now - minute - 1 }), 'stale'],
    ['was stale when it was read', voice('coinbase', 10_800_000n, { fault: 'stale' }), 'stale'],
    ['is stamped in the future', voice('coinbase', 10_800_000n, { at: now + minute + 1 }), 'stale'],
    ['is frozen', voice('coinbase', 10_800_000n, { since: now - 10 * minute }), 'frozen'],
    ['is away', { name: 'coinbase', venue: 'coinbase', averages: [], fault: 'away' }, 'away'],
    ['was never read', { name: 'coinbase', venue: 'coinbase', averages: [] }, 'away'],
    ['sends words', { name: 'coinbase', venue: 'coinbase', averages: [], fault: 'malformed' }, 'malformed'],
    ['bids more than it asks', { name: 'coinbase', venue: 'coinbase', averages: [], fault: 'crossed' }, 'crossed'],
  ];
  it.each(bad)('one that %s is named, and with the other alone nothing is live', (_, one, state) => {
    const [told, , unused] = judge([kraken, one]);
    expect([told, (unused as Record<string, string>)['coinbase']]).toEqual([state === 'disagrees' ? 'away' : 'alone', state]);
  });
  it.each(bad)('one that %s decides nothing beside two that agree', (_, one, state) => {
    expect(judge([kraken, one, voice('bitstamp', 9_004_000n)])).toEqual(['live', 9_002_000n, { coinbase: state }]);
  });

  it("a feed's last price counts while the feed is down, until that price is too old", () => {
    const away = (at: number): Voice => voice('coinbase', 9_010_000n, { fault: 'away', at });
    expect(judge([kraken, away(now - 40_000)])).toEqual(['live', 9_005_000n, {}]);
    expect(judge([kraken, away(now - minute - 1)])).toEqual(['alone', 9_000_000n, { coinbase: 'away' }]);
    // If feeds are read only once a minute, an older reading still counts.
    expect(judge([kraken, away(now - 140_000)], 150_000)[0]).toBe('live');
  });

  it('two feeds against two decide nothing; three against two decide', () => {
    const others = [voice('c', 10_800_000n), voice('d', 10_810_000n)];
    expect(judge([kraken, coinbase, ...others])[0]).toBe('away');
    expect(judge([kraken, coinbase, voice('e', 9_005_000n), ...others])).toEqual(['live', 9_005_000n, { c: 'disagrees', d: 'disagrees' }]);
  });

  it('a mean of other feeds does not confirm the feeds that it averages', () => {
    const mempool = voice('mempool', 9_000_000n);
    expect(judge([kraken, mempool])).toEqual(['alone', 9_000_000n, {}]);
    expect(judge([voice('bitstamp', 9_000_000n), mempool])[0]).toBe('live');
    expect(judge([kraken, mempool, voice('bitstamp', 10_800_000n)])[0]).toBe('away');
  });

  it('two feeds of one venue count as one', () => {
    expect(judge([kraken, voice('own', 9_000_000n, { venue: 'kraken' })])).toEqual(['alone', 9_000_000n, { own: 'repeats' }]);
  });

  it('a lying feed cannot move the price out of the range of two honest feeds by more than feeds may differ', () => {
    const honest = fc.tuple(fc.bigInt(8_990_000n, 9_010_000n), fc.bigInt(8_990_000n, 9_010_000n));
    fc.assert(
      fc.property(honest, fc.bigInt(1n, 20_000_000n), fc.nat(2), ([a, b], lie, place) => {
        const all = [voice('a', a), voice('b', b)].toSpliced(place, 0, voice('liar', lie));
        const result = judgeFeeds(all, now, minute);
        if (result.state === 'away') throw new Error('two honest ones agree');
        expect([result.state, result.price >= (8_990_000n * 100n) / 101n, result.price <= (9_010_000n * 101n) / 100n]).toEqual(['live', true, true]);
      }),
    );
  });

  it('the sequence of the feeds changes nothing', () => {
    const prices = fc.array(fc.bigInt(8_800_000n, 9_200_000n), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(prices, (drawn) => {
        const all = drawn.map((price, index) => voice(`f${index}`, price));
        const [a, b] = [judgeFeeds(all, now, minute), judgeFeeds(all.toReversed(), now, minute)];
        expect({ ...b, feeds: b.feeds.toReversed() }).toEqual(a);
      }),
    );
  });
});

describe('reading a feed', () => {
  const said = { price: 9_000_000n, text: '90000', at: now, since: now };
  const before: FeedReading = { name: 'a', said: { ...said, at: now - 15_000, since: now - minute } };
  it("remembers since when the figures are the same, and uses the feed's own time stamp", () => {
    expect(feedRead('a', { price: 9_000_000n, text: '90000' }, before, now)).toEqual({ name: 'a', said: { ...said, since: now - minute } });
    expect(feedRead('a', { price: 9_000_100n, text: '90001' }, before, now).said?.since).toBe(now);
    expect(feedRead('a', { price: 9_000_000n, text: '90000', stamp: now - 5000 }, undefined, now).said?.at).toBe(now - 5000);
    // If a feed's clock is a little ahead of ours, its reading counts from now.
    expect(feedRead('a', { price: 9_000_000n, text: '90000', stamp: now + 5000 }, undefined, now)).toEqual({ name: 'a', said });
  });
  it('keeps the figures of a feed that is down, and drops those of a feed whose answer is malformed', () => {
    expect(feedRead('a', { fault: 'away' }, before, now)).toEqual({ ...before, fault: 'away' });
    expect(feedRead('a', { fault: 'malformed' }, before, now)).toEqual({ name: 'a', fault: 'malformed' });
    expect(feedRead('a', { price: 1n, text: '0.01', stamp: now - minute - 1 }, before, now).fault).toBe('stale');
    expect(feedRead('a', { price: 1n, text: '0.01', stamp: now + minute + 1 }, before, now).fault).toBe('stale');
  });
});
