import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aCandidate, buyFor, decidedOn, policy, soundCandidates } from '../../test/support/offers.ts';
import type { Asked, Candidate } from './offer.ts';
import { rank } from './ranking.ts';
import type { Sums, Windows } from './record.ts';

const asked = buyFor(10_000n);
/** A policy whose bound is so wide that two offers never count as too far apart. */
const calm = { ...policy, outlierBps: 1_000_000 };
const byId = (providerId: string): string => providerId;
const orderOf = (request: Asked, candidates: Candidate[], tieKey = byId): string[] =>
  rank(request, candidates, calm, tieKey, decidedOn).ranked.map(({ providerId }) => providerId);

describe('what counts, in this order', () => {
  test('the net result, on whichever side', () => {
    expect(orderOf(asked, [aCandidate('a', { receive: 107_000n }), aCandidate('b', { receive: 107_001n })])).toEqual(['b', 'a']);
    expect(orderOf(asked, [aCandidate('a', { pay: 10_000n, receive: 107_000n }), aCandidate('b', { pay: 9_990n, receive: 106_900n })])).toEqual(['b', 'a']);
    const sats: Asked = { ramp: 'buy', fixed: 'receive', amount: 107_869n, currency: 'EUR', option: 'SEPA' };
    expect(orderOf(sats, [aCandidate('a', { pay: 10_000n }), aCandidate('b', { pay: 9_999n })])).toEqual(['b', 'a']);
  });
  test('liquidity: the lowest fee; no fee at all comes first', () => {
    const channel: Asked = { ramp: 'liquidity', inboundSats: 1_000_000n, clientSats: 0n };
    const fee = (providerId: string, sats: bigint, binding = true): Candidate => aCandidate(providerId, { pay: sats, receive: 0n, fee: sats, binding });
    const { ranked } = rank(channel, [fee('a', 6_150n, false), fee('b', 5_400n), fee('c', 0n, false)], policy, byId, decidedOn);
    expect(ranked.map(({ providerId, behindBestBps }) => [providerId, behindBestBps])).toEqual([
      ['c', 0],
      ['b', 10_000],
      ['a', 10_000],
    ]);
    expect(rank(channel, [fee('a', 6_150n), fee('b', 5_400n)], policy, byId, decidedOn).ranked.map(({ behindBestBps }) => behindBestBps)).toEqual([0, 1220]);
    expect(orderOf(channel, [fee('a', 5_400n, false), fee('b', 5_427n)])).toEqual(['b', 'a']);
    expect(orderOf(channel, [fee('a', 5_400n, false), fee('b', 5_428n)])).toEqual(['a', 'b']);
  });
  test('an estimate counts its own haircut lower', () => {
    const estimate = aCandidate('a', { receive: 100_000n, binding: false }, { haircutBps: 50 });
    expect(orderOf(asked, [estimate, aCandidate('b', { receive: 99_501n })])).toEqual(['b', 'a']);
    expect(orderOf(asked, [estimate, aCandidate('b', { receive: 99_499n })])).toEqual(['a', 'b']);
  });
  test('exactly alike after the haircut: binding first', () => {
    expect(orderOf(asked, [aCandidate('a', { receive: 100_000n, binding: false }), aCandidate('b', { receive: 99_500n })])).toEqual(['b', 'a']);
  });
  test('then the neutral key, then the id', () => {
    const alike = ['c', 'a', 'b'].map((providerId) => aCandidate(providerId));
    expect(orderOf(asked, alike, (providerId) => ({ a: '2', b: '0', c: '1' })[providerId] ?? '')).toEqual(['b', 'c', 'a']);
    expect(orderOf(asked, alike, () => 'same')).toEqual(['a', 'b', 'c']);
  });
});

test('a binding offer that expires before the money arrives gets a warning and ranks as an estimate', () => {
  const lapsing = (expiresOn: number): Candidate => aCandidate('a', { receive: 100_000n, expiresOn, warnings: ['fee-mismatch'] }, { arrivalSeconds: 86_400 });
  const { ranked } = rank(asked, [lapsing(decidedOn + 86_399_999), aCandidate('b', { receive: 99_600n })], policy, byId, decidedOn);
  expect(
    ranked.map(({ providerId, countsAsBinding, warnings, behindBestBps, rank: place }) => ({ providerId, countsAsBinding, warnings, behindBestBps, place })),
  ).toEqual([
    { providerId: 'b', countsAsBinding: true, warnings: [], behindBestBps: 0, place: 1 },
    { providerId: 'a', countsAsBinding: false, warnings: ['fee-mismatch', 'expires-before-arrival'], behindBestBps: -40, place: 2 },
  ]);
  const inTime = rank(asked, [lapsing(decidedOn + 86_400_000), aCandidate('b', { receive: 99_600n })], policy, byId, decidedOn).ranked[0];
  expect([inTime?.providerId, inTime?.countsAsBinding, inTime?.warnings]).toEqual(['a', true, ['fee-mismatch']]);
});

test('a preference is reported only if it decided', () => {
  const favoured = (receive: bigint): Candidate => aCandidate('a', { receive }, { preferenceBps: 25 });
  const plain = aCandidate('b', { receive: 100_000n });
  const decided = rank(asked, [favoured(99_900n), plain], policy, byId, decidedOn);
  expect([decided.ranked[0]?.providerId, decided.preferenceDecided, decided.ranked[1]?.behindBestBps]).toEqual(['a', true, -10]);
  const anyway = rank(asked, [favoured(100_001n), plain], policy, byId, decidedOn);
  expect([anyway.ranked[0]?.providerId, anyway.preferenceDecided]).toEqual(['a', false]);
  const notEnough = rank(asked, [favoured(99_700n), plain], policy, byId, decidedOn);
  expect([notEnough.ranked[0]?.providerId, notEnough.preferenceDecided]).toEqual(['b', false]);
});

test('a preference lifts an offer by exactly its basis points', () => {
  const favoured = aCandidate('a', { receive: 100_000n }, { preferenceBps: 25 });
  expect(orderOf(asked, [favoured, aCandidate('b', { receive: 100_249n })])).toEqual(['a', 'b']);
  // Exactly level: the neutral key decides.
  expect(orderOf(asked, [favoured, aCandidate('b', { receive: 100_250n })])).toEqual(['a', 'b']);
  expect(orderOf(asked, [favoured, aCandidate('0', { receive: 100_250n })])).toEqual(['0', 'a']);
  expect(orderOf(asked, [favoured, aCandidate('b', { receive: 100_251n })])).toEqual(['b', 'a']);
});

test('between two preferred offers, the larger preference is reported if it decided', () => {
  const [more, less] = [aCandidate('a', { receive: 100_000n }, { preferenceBps: 50 }), aCandidate('b', { receive: 100_100n }, { preferenceBps: 25 })];
  const { ranked, preferenceDecided } = rank(asked, [more, less], policy, byId, decidedOn);
  expect([ranked[0]?.providerId, preferenceDecided]).toEqual(['a', true]);
});

describe('two that differ by more than the outlier bound', () => {
  const far = (version: 1 | 2, first: boolean, second: boolean): string[] =>
    rank(
      asked,
      [aCandidate('a', { receive: 120_000n, binding: first }), aCandidate('b', { receive: 100_000n, binding: second })],
      { ...policy, version },
      byId,
      decidedOn,
    ).ranked.map(({ providerId }) => providerId);
  const all = (version: 1 | 2): string[] =>
    [far(version, false, true), far(version, true, false), far(version, true, true), far(version, false, false)].map(([a]) => a ?? '');

  test('keep the sequence of expected value: a binding price that is far too high does not check the other', () => {
    expect(all(2)).toEqual(['a', 'a', 'a', 'a']);
  });
  test('in a route of version 1 the binding offer wins, by the rule of that version', () => {
    expect(all(1)).toEqual(['b', 'a', 'a', 'a']);
  });
  test.each([55_555n, 99_206n, 111n])('a binding offer of %s sats never wins against an honest estimate of 110,000', (receive) => {
    const { ranked } = rank(asked, [aCandidate('bait', { receive }), aCandidate('honest', { receive: 110_000n, binding: false })], policy, byId, decidedOn);
    expect(ranked.map(({ providerId, behindBestBps }) => [providerId, behindBestBps > 0])).toEqual([
      ['honest', false],
      ['bait', true],
    ]);
  });
});

describe('what was delivered before', () => {
  const both = (slow: Sums, fast: Sums = slow): Windows => ({ slow, fast });
  const lost = (quotedSats: bigint, missing: bigint): Sums => ({ quotedSats, deliveredSats: quotedSats - missing });
  const haircuts = (candidates: Candidate[]): unknown[] =>
    rank(asked, candidates, policy, byId, decidedOn).ranked.map(({ providerId, haircutPpm, haircutFrom, priorSats }) => [
      providerId,
      haircutPpm,
      haircutFrom,
      priorSats,
    ]);

  test('lowers an estimate by its record, and a binding offer only for broken promises', () => {
    const estimates = both(lost(1_000_000n, 50_000n));
    const estimate = aCandidate('a', { receive: 100_000n, binding: false }, { haircutBps: 100, standing: { estimates } });
    const binding = aCandidate('b', { receive: 99_000n }, { standing: { estimates } });
    const broken = aCandidate('c', { receive: 98_000n }, { standing: { broken: both(lost(100_000n, 20_000n)) } });
    expect(haircuts([estimate, binding, broken])).toEqual([
      ['b', 0, 'configured', 1_000_000n],
      ['a', 30_000, 'record', 1_000_000n],
      ['c', 100_000, 'record', 1_000_000n],
    ]);
  });
  test('a binding offer that expires too early is lowered like an estimate', () => {
    const standing = { estimates: both(lost(1_000_000n, 50_000n)) };
    const lapsing = aCandidate('a', { expiresOn: decidedOn + 60_000 }, { arrivalSeconds: 300, haircutBps: 100, standing });
    expect(haircuts([lapsing])).toEqual([['a', 30_000, 'record', 1_000_000n]]);
  });
  test('what the operator fixed or cleared is named', () => {
    const pinned = aCandidate('a', { binding: false }, { haircutBps: 30, standing: { estimates: both(lost(1_000_000n, 900_000n)), operator: 'pinned' } });
    const reset = aCandidate('b', { binding: false, receive: 1_000n }, { haircutBps: 100, standing: { operator: 'reset' } });
    expect(haircuts([pinned, reset])).toEqual([
      ['a', 3_000, 'operator', 1_000_000n],
      ['b', 10_000, 'operator', 1_000_000n],
    ]);
  });
  test('never lowers liquidity, since we cannot see what was delivered', () => {
    const channel: Asked = { ramp: 'liquidity', inboundSats: 1_000_000n, clientSats: 0n };
    const standing = { estimates: both(lost(1_000_000n, 900_000n)), broken: both(lost(1_000_000n, 900_000n)) };
    const seller = aCandidate('a', { pay: 5_400n, receive: 0n, fee: 5_400n, binding: false }, { haircutBps: 70, standing });
    expect(rank(channel, [seller], policy, byId, decidedOn).ranked[0]?.haircutPpm).toBe(7_000);
  });
  test.each<[string, Asked['ramp'], 1 | 2, boolean, number | undefined]>([
    ['a binding purchase', 'buy', 2, true, 0],
    ['an estimated purchase', 'buy', 2, false, 5_000],
    ['a binding channel', 'liquidity', 2, true, 0],
    ['an estimated channel', 'liquidity', 2, false, 5_000],
    ['a binding purchase in a route of version 1, which states no haircut', 'buy', 1, true, undefined],
    ['an estimated purchase in a route of version 1, which states no haircut', 'buy', 1, false, undefined],
  ])('%s without a record has the configured haircut', (_, ramp, version, binding, haircutPpm) => {
    const request: Asked = ramp === 'liquidity' ? { ramp, inboundSats: 1_000_000n, clientSats: 0n } : asked;
    const { ranked } = rank(request, [aCandidate('a', { binding })], { ...policy, version }, byId, decidedOn);
    expect([ranked[0]?.haircutPpm, ranked[0]?.haircutFrom]).toEqual([haircutPpm, version === 1 ? undefined : 'configured']);
  });
  test('is compared unrounded: a millionth decides', () => {
    const sure = aCandidate('sure', { receive: 999_999n });
    const hair = (missing: bigint): Candidate => aCandidate('hair', { receive: 1_000_000n }, { standing: { broken: both(lost(900_000n, missing)) } });
    expect(orderOf(asked, [sure, hair(0n)])).toEqual(['hair', 'sure']);
    // The haircut takes off one millionth, and 1,000,000 sats less one millionth are exactly the 999,999 of the other offer. So the neutral key
    // breaks the tie. A haircut of two millionths leaves less.
    expect(orderOf(asked, [sure, hair(1n)])).toEqual(['hair', 'sure']);
    expect(orderOf(asked, [sure, hair(2n)])).toEqual(['sure', 'hair']);
  });
});

test.each<[Asked['ramp'], 'pay' | 'receive', string, string]>([
  ['buy', 'pay', 'most-received', 'expected_sats'],
  ['buy', 'receive', 'least-paid', 'expected_sats'],
  ['sell', 'pay', 'most-received', 'expected_fiat'],
  ['sell', 'receive', 'least-paid', 'expected_fiat'],
  ['liquidity', 'pay', 'least-fee', 'fee_sats'],
])('%s with fixed %s: %s, decided by %s', (ramp, fixed, name, decidedBy) => {
  const request: Asked = ramp === 'liquidity' ? { ramp, inboundSats: 1n, clientSats: 0n } : { ramp, fixed, amount: 1n, currency: 'EUR', option: 'SEPA' };
  const ranking = rank(request, [], policy, byId, decidedOn);
  expect(ranking).toEqual({ ranked: [], name, decidedBy, tieBreaks: ['binding', 'neutral'], preferenceDecided: false });
});

test.each<[Asked['ramp'], 'pay' | 'receive', string, string]>([
  ['buy', 'pay', 'most-received', 'amount_sats'],
  ['buy', 'receive', 'least-paid', 'amount_fiat'],
  ['sell', 'pay', 'most-received', 'amount_fiat'],
  ['sell', 'receive', 'least-paid', 'amount_sats'],
  ['liquidity', 'pay', 'least-fee', 'fee_sats'],
])('in a route of version 1, %s with fixed %s: %s, decided by %s', (ramp, fixed, name, decidedBy) => {
  const request: Asked = ramp === 'liquidity' ? { ramp, inboundSats: 1n, clientSats: 0n } : { ramp, fixed, amount: 1n, currency: 'EUR', option: 'SEPA' };
  expect(rank(request, [], { ...policy, version: 1 }, byId, decidedOn)).toMatchObject({ name, decidedBy });
});

describe('properties', () => {
  test('a total ranking: without any one offer, the others keep their sequence', () => {
    fc.assert(
      fc.property(soundCandidates(), fc.nat(), (candidates, which) => {
        const gone = `p${which % candidates.length}`;
        expect(
          orderOf(
            asked,
            candidates.filter(({ providerId }) => providerId !== gone),
          ),
        ).toEqual(orderOf(asked, candidates).filter((providerId) => providerId !== gone));
      }),
    );
  });
  test('neutral: other names and other tie keys change nothing but ties', () => {
    const essence = (candidates: Candidate[], tieKey: (id: string) => string): unknown =>
      rank(asked, candidates, calm, tieKey, decidedOn).ranked.map(({ offer, terms, countsAsBinding }) => [
        offer.receive * BigInt((countsAsBinding ? 10_000 : 10_000 - terms.haircutBps) * (10_000 + terms.preferenceBps)),
        countsAsBinding,
      ]);
    fc.assert(
      fc.property(soundCandidates(), fc.string(), (candidates, salt) => {
        const renamed = candidates.map((candidate, index) => ({ ...candidate, providerId: `${salt}${candidates.length - index}` }));
        expect(essence(renamed, (id) => `${salt}${id}`)).toEqual(essence(candidates, byId));
      }),
    );
  });
  test('the winner is never worse than an accepted offer that is as sure, and behind any other by less than its haircut', () => {
    fc.assert(
      fc.property(soundCandidates(8, false), (candidates) => {
        const { ranked } = rank(asked, candidates, calm, byId, decidedOn);
        const best = ranked[0]?.offer.receive ?? 0n;
        for (const { offer, countsAsBinding, terms, behindBestBps } of ranked) {
          expect(!countsAsBinding || behindBestBps >= 0).toBe(true);
          expect(best * 10_000n >= offer.receive * BigInt(countsAsBinding ? 10_000 : 10_000 - terms.haircutBps)).toBe(true);
        }
      }),
    );
  });
});
