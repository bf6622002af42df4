import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aCandidate, buyFor, decidedOn, policy, soundCandidates } from '../../test/support/offers.ts';
import type { Asked, Candidate } from './offer.ts';
import { rank } from './ranking.ts';

const asked = buyFor(10_000n);
/** Wide enough that two offers never count as too far apart. */
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
  test('liquidity: the least fee, none at all before everything', () => {
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

test('a binding offer that lapses before the money arrives is warned of and ranks as an estimate', () => {
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

test('a preference is told only when it decided', () => {
  const favoured = (receive: bigint): Candidate => aCandidate('a', { receive }, { preferenceBps: 25 });
  const plain = aCandidate('b', { receive: 100_000n });
  const decided = rank(asked, [favoured(99_900n), plain], policy, byId, decidedOn);
  expect([decided.ranked[0]?.providerId, decided.preferenceDecided, decided.ranked[1]?.behindBestBps]).toEqual(['a', true, -10]);
  const anyway = rank(asked, [favoured(100_001n), plain], policy, byId, decidedOn);
  expect([anyway.ranked[0]?.providerId, anyway.preferenceDecided]).toEqual(['a', false]);
  const notEnough = rank(asked, [favoured(99_700n), plain], policy, byId, decidedOn);
  expect([notEnough.ranked[0]?.providerId, notEnough.preferenceDecided]).toEqual(['b', false]);
});

test('of two that differ too much the binding one wins; both alike keep the normal order', () => {
  const far = (first: boolean, second: boolean): string[] =>
    rank(
      asked,
      [aCandidate('a', { receive: 120_000n, binding: first }), aCandidate('b', { receive: 100_000n, binding: second })],
      policy,
      byId,
      decidedOn,
    ).ranked.map(({ providerId }) => providerId);
  expect([far(false, true), far(true, false), far(true, true), far(false, false)]).toEqual([
    ['b', 'a'],
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'b'],
  ]);
});

test.each<[Asked['ramp'], 'pay' | 'receive', string, string]>([
  ['buy', 'pay', 'most-received', 'amount_sats'],
  ['buy', 'receive', 'least-paid', 'amount_fiat'],
  ['sell', 'pay', 'most-received', 'amount_fiat'],
  ['sell', 'receive', 'least-paid', 'amount_sats'],
  ['liquidity', 'pay', 'least-fee', 'fee_sats'],
])('%s with fixed %s: %s, decided by %s', (ramp, fixed, name, decidedBy) => {
  const request: Asked = ramp === 'liquidity' ? { ramp, inboundSats: 1n, clientSats: 0n } : { ramp, fixed, amount: 1n, currency: 'EUR', option: 'SEPA' };
  const ranking = rank(request, [], policy, byId, decidedOn);
  expect(ranking).toEqual({ ranked: [], name, decidedBy, tieBreaks: ['binding', 'neutral'], preferenceDecided: false });
});

describe('properties', () => {
  test('a total order: taking any offer away leaves the others as they stood', () => {
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
  test('never worse than any accepted offer that is as sure; by less than its haircut behind any other', () => {
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
