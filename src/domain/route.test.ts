import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aCandidate, buyFor, decidedOn, policy, soundCandidates } from '../../test/support/offers.ts';
import type { Candidate } from './offer.ts';
import { fromJson, toJson } from './route-json.ts';
import type { RouteInput } from './route.ts';
import { betterExcluded, decide, replay } from './route.ts';

const tieKey = (providerId: string): string => createHash('sha256').update(`seed 1${providerId}`).digest('hex');
const input = (candidates: Candidate[], more: Partial<RouteInput> = {}): RouteInput => ({
  requestId: 'request 1',
  tieSeed: 'seed 1',
  asked: buyFor(10_000n),
  candidates,
  refused: [],
  failed: [],
  policy,
  tieKey,
  now: decidedOn,
  maxWaitMs: 2000,
  waitedMs: 2000,
  ...more,
});
const at = (text: string): number => Date.parse(`2026-11-${text}Z`);

test('of the excluded offers, those that were worth more than rank 1 are named, and all if none was ranked', () => {
  const [same, worse, better] = [
    aCandidate('same', { receive: 100_000n }),
    aCandidate('worse', { receive: 99_999n }),
    aCandidate('better', { receive: 100_001n }),
  ];
  const excluded = [same, worse, better].map(({ providerId, offer }) => ({ providerId, offer, rule: 'expires-too-soon' as const }));
  const named = (offers: Candidate[]): string[] => betterExcluded({ ...decide(input(offers)), excluded }).map(({ providerId }) => providerId);
  expect(named([aCandidate('alpine', { receive: 100_000n })])).toEqual(['better']);
  expect(named([])).toEqual(['same', 'worse', 'better']);
});

describe('the example of the outward contract', () => {
  const bank = { arrivalSeconds: 86_400 };
  const alpine = aCandidate('alpine', { receive: 107_869n, fee: 90n, expiresOn: at('24T10:15:00.715') }, bank);
  const borealis = aCandidate('borealis', { receive: 107_414n, fee: 149n, expiresOn: at('21T16:15:00.744') }, bank);
  const cobalt = (haircutBps: number): Candidate => aCandidate('cobalt', { receive: 107_683n, fee: 50n, binding: false }, { ...bank, haircutBps });
  const dune = aCandidate('dune', { receive: 163_934n, fee: 0n });
  const shown = (haircutBps: number): unknown =>
    decide(input([cobalt(haircutBps), dune, borealis, alpine])).offers.map(({ rank, providerId, btcPrice, feeBps, costBps, behindBestBps, warnings }) => [
      rank,
      providerId,
      btcPrice,
      feeBps,
      costBps,
      behindBestBps,
      warnings,
    ]);

  test('every figure, with a haircut for Cobalt that gives the order shown', () => {
    expect(shown(200)).toEqual([
      [1, 'alpine', 9_187_069n, 90, 91, 0, []],
      [2, 'borealis', 9_171_057n, 149, 132, 43, ['expires-before-arrival']],
      [3, 'cobalt', 9_240_084n, 50, 108, 18, []],
    ]);
  });
  test('with equal haircuts the better estimate comes first: Borealis expires before a bank transfer arrives, so it counts as an estimate', () => {
    expect(shown(50)).toEqual([
      [1, 'alpine', 9_187_069n, 90, 91, 0, []],
      [2, 'cobalt', 9_240_084n, 50, 108, 18, []],
      [3, 'borealis', 9_171_057n, 149, 132, 43, ['expires-before-arrival']],
    ]);
  });
  test('what was excluded and what decided', () => {
    const route = decide(input([cobalt(50), dune, borealis, alpine]));
    expect(route.excluded).toEqual([{ providerId: 'dune', rule: 'too-good', offer: dune.offer, deviationBps: 5223, limitBps: 1000 }]);
    expect(betterExcluded(route)).toEqual(route.excluded);
    expect(route.policy).toEqual({
      name: 'most-received',
      decidedBy: 'expected_sats',
      tieBreaks: ['binding', 'neutral'],
      preferenceBps: {},
      preferenceDecided: false,
      outlierBps: 1000,
      toleranceBps: 200,
      indicativeHaircutBps: 50,
      reference: { btcPrice: 9_187_069n, source: 'median-of-offers', observedOn: decidedOn },
    });
  });
});

test('the reference: the lower of the middle two, none for one offer, and the configured one before either', () => {
  const prices = (...receives: bigint[]): Candidate[] => receives.map((receive, index) => aCandidate(`p${index}`, { receive, fee: 0n }));
  const reference = (candidates: Candidate[], more: Partial<RouteInput> = {}): unknown => decide(input(candidates, more)).policy.reference;
  expect(reference(prices(100_000n, 101_000n, 102_000n, 103_000n))).toEqual({ btcPrice: 9_803_921n, source: 'median-of-offers', observedOn: decidedOn });
  expect(reference(prices(100_000n))).toBeUndefined();
  expect(decide(input(prices(100_000n))).offers[0]).not.toHaveProperty('costBps');
  const configured = { ...policy, reference: { btcPrice: 9_900_000n, maxDeviationBps: 500, observedOn: 7 } };
  expect(reference(prices(100_000n), { policy: configured })).toEqual({ btcPrice: 9_900_000n, source: 'configured', observedOn: 7 });
  expect(decide(input(prices(100_000n), { policy: configured })).offers[0]?.costBps).toBe(100);
  expect(decide(input(prices(102_000n), { policy: configured })).offers[0]?.costBps).toBe(-98);
});

test('sell figures: 250 000 sats at 91 800.00 less 2.30', () => {
  const asked = { ramp: 'sell', fixed: 'pay', amount: 250_000n, currency: 'EUR', option: 'SEPA' } as const;
  const configured = { ...policy, reference: { btcPrice: 9_180_000n, maxDeviationBps: 500, observedOn: 7 } };
  const [offer] = decide(input([aCandidate('bringin', { pay: 250_000n, receive: 22_720n, fee: 230n, binding: false })], { asked, policy: configured })).offers;
  expect([offer?.btcPrice, offer?.feeBps, offer?.costBps]).toEqual([9_180_000n, 102, 101]);
});

test('liquidity figures', () => {
  const asked = { ramp: 'liquidity', inboundSats: 1_000_000n, clientSats: 0n, leaseBlocks: 4320 } as const;
  const seller = (providerId: string, sats: bigint, facts: { [key: string]: number }, binding: boolean): Candidate =>
    aCandidate(providerId, { pay: sats, receive: 0n, fee: sats, facts, binding });
  const route = decide(
    input(
      [
        seller('bitrefill', 25_300n, { inbound_sats: 1_000_000 }, false),
        seller('lsp-south', 6_150n, { inbound_sats: 1_000_000, lease_blocks: 4320 }, false),
        seller('lsp-north', 5_400n, { inbound_sats: 1_000_000, lease_blocks: 4320 }, true),
      ],
      { asked },
    ),
  );
  expect(route.offers.map(({ providerId, feePpm }) => [providerId, feePpm])).toEqual([
    ['lsp-north', 5_400],
    ['lsp-south', 6_150],
  ]);
  expect(route.excluded.map(({ providerId, rule }) => [providerId, rule])).toEqual([['bitrefill', 'lease-not-promised']]);
  expect([route.policy.name, route.policy.decidedBy, route.policy.reference]).toEqual(['least-fee', 'fee_sats', undefined]);
});

test('the policy holds preferences and a weak check', () => {
  const route = decide(input([aCandidate('a', { receive: 100_000n }, { preferenceBps: 3000 }), aCandidate('b', { receive: 120_000n })]));
  expect([route.policy.preferenceBps, route.policy.preferenceDecided, route.policy.priceCheck]).toEqual([{ a: 3000 }, true, 'weak']);
});

/** Answers that a provider may give, including lies. */
const anything = fc
  .array(
    fc.record({
      pay: fc.bigInt(9_940n, 10_002n),
      receive: fc.oneof(fc.bigInt(-1n, 10n), fc.bigInt(90_000n, 200_000n)),
      fee: fc.bigInt(-1n, 10_000n),
      binding: fc.boolean(),
      upstream: fc.jsonValue(),
      life: fc.integer({ min: 0, max: 200_000 }),
    }),
    { maxLength: 8 },
  )
  .map((drawn) =>
    drawn.map(({ life, upstream, ...offer }, index) =>
      aCandidate(
        `p${index}`,
        {
          ...offer,
          upstream: { fee: 'not ours', deep: JSON.stringify(upstream) },
          facts: { pay: 1, amount: 'x' } as never,
          expiresOn: decidedOn + life * 1000,
        },
        { arrivalSeconds: 300, limits: { maxPay: 10_000n } },
      ),
    ),
  );
const sums = fc
  .tuple(fc.bigInt(0n, 10n ** 9n), fc.bigInt(0n, 1_050n))
  .map(([quotedSats, part]) => ({ quotedSats, deliveredSats: (quotedSats * part) / 1000n }));
const windows = fc.record({ slow: sums, fast: sums });
const standing = fc.record({ estimates: windows, broken: windows, operator: fc.constantFrom('pinned' as const, 'reset' as const) }, { requiredKeys: [] });
/** Sound offers from providers with any kind of record. */
const withRecords = fc.tuple(soundCandidates(), fc.array(standing, { minLength: 8, maxLength: 8 })).map(([candidates, standings]) =>
  candidates.map((candidate, index): Candidate => {
    const past = standings[index] ?? {};
    const record = { orders: index, quotedSats: 7n, deliveredSats: 5n, since: decidedOn };
    return { ...candidate, terms: { ...candidate.terms, standing: past, record } };
  }),
);
const others: Partial<RouteInput> = {
  refused: [
    { providerId: 'eiger', refusal: { reason: 'below-minimum', limits: { minPay: 25_000n } } },
    { providerId: 'fjord', refusal: { reason: 'proof-required' } },
  ],
  failed: [
    { providerId: 'garnet', reason: 'timeout', retryable: true, latencyMs: 2000 },
    { providerId: 'harbor', reason: 'circuit-open', retryable: true, retryOn: decidedOn + 9 },
  ],
};

describe('properties', () => {
  test('the route does not depend on which provider answered first', () => {
    fc.assert(
      fc.property(
        fc
          .oneof(anything, soundCandidates())
          .chain((candidates) => fc.tuple(fc.constant(candidates), fc.shuffledSubarray(candidates, { minLength: candidates.length }))),
        ([candidates, shuffled]) => {
          const reversed = { refused: [...(others.refused ?? [])].reverse(), failed: [...(others.failed ?? [])].reverse() };
          expect(decide(input(shuffled, reversed))).toEqual(decide(input(candidates, others)));
        },
      ),
    );
  });
  test('no provider is chosen for its name or its position in the file', () => {
    // No new name is one of p0 to p7: `declined` may list a provider that is not in the market, and would then exclude a provider that was renamed to
    // it.
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/).filter((text) => !/^p\d$/.test(text));
    const names = fc.uniqueArray(name, { minLength: 8, maxLength: 8 });
    const market = fc
      .oneof(anything, soundCandidates(), withRecords)
      .chain((candidates) => fc.tuple(fc.constant(candidates), fc.shuffledSubarray(candidates, { minLength: candidates.length })));
    const choose = (candidates: Candidate[], version: 1 | 2, declined: RouteInput['declined']) =>
      decide(input(candidates, { policy: { ...policy, version }, declined }));
    fc.assert(
      fc.property(market, names, fc.constantFrom(1 as const, 2 as const), fc.nat(7), ([candidates, shuffled], given, version, back) => {
        const named = new Map(candidates.map(({ providerId }, index) => [providerId, given[index] ?? '']));
        const rename = (providerId: string): string => named.get(providerId) ?? providerId;
        const renamed = shuffled.map((candidate) => ({ ...candidate, providerId: rename(candidate.providerId) }));
        const until = decidedOn + 60_000;
        const [before, after] = [choose(candidates, version, { [`p${back}`]: until }), choose(renamed, version, { [rename(`p${back}`)]: until })];
        // The eight figures that are compared for each offer. The name is not among them, because the hash that decides between equal offers includes
        // it.
        const figures = ({ offer, terms, rank, countsAsBinding, haircutPpm, behindBestBps, warnings }: (typeof before.offers)[number]) => ({
          receive: offer.receive,
          pay: offer.pay,
          binding: countsAsBinding,
          preference: terms.preferenceBps,
          rank,
          haircutPpm,
          behindBestBps,
          price: warnings.includes('fee-mismatch'),
        });
        expect(after.offers.map(figures)).toEqual(before.offers.map(figures));
        // Lists which provider has which figures. Together with the sequence of figures above, this determines which provider is chosen.
        const holders = (route: typeof before, name = (id: string): string => id): string[] =>
          route.offers
            .map((one) => [name(one.providerId), one.offer.receive, one.offer.pay, one.countsAsBinding, one.haircutPpm, one.terms.preferenceBps].join(' '))
            .toSorted();
        expect(holders(after)).toEqual(holders(before, rename));
        const out = (route: typeof before, name = (id: string): string => id): string[] =>
          route.excluded.map(({ providerId, rule }) => `${name(providerId)} ${rule}`).toSorted();
        expect(out(after)).toEqual(out(before, rename));
      }),
      { numRuns: 400 },
    );
  });
  test('stored as JSON and read again it is the same route, and ranks the same', () => {
    fc.assert(
      fc.property(fc.oneof(anything, soundCandidates(), withRecords), fc.boolean(), fc.constantFrom(1, 2), (candidates, configured, version) => {
        const reference = configured ? { reference: { btcPrice: 9_187_069n, maxDeviationBps: 2000, observedOn: 7 } } : {};
        const learnt = { learning: 'ranked', recordSnapshot: 'ab' } as const;
        const route = decide(input(candidates, { ...others, policy: { ...policy, ...learnt, ...reference, version } }));
        expect(route.version).toBe(version);
        const again = fromJson(JSON.parse(JSON.stringify(toJson(route))));
        expect(again).toEqual(route);
        const told = route.offers.map(({ providerId }) => providerId);
        expect(replay(again)).toEqual(told);
        expect(replay({ ...again, offers: [...again.offers].reverse() })).toEqual(told);
      }),
    );
  });
});

test('a route that was stored before ranks again by its own rule', () => {
  const candidates = [aCandidate('a', { receive: 120_000n, binding: false }), aCandidate('b', { receive: 100_000n })];
  const stored = JSON.parse(JSON.stringify(toJson(decide(input(candidates, { policy: { ...policy, version: 1 } })))));
  expect(stored.offers[0].haircutPpm).toBeUndefined();
  expect([replay(fromJson(stored)), replay(fromJson({ ...stored, version: 2 }))]).toEqual([
    ['b', 'a'],
    ['a', 'b'],
  ]);
});

test('the stored route holds every input of the haircut', () => {
  const { decision, past } = {
    decision: { ...policy, learning: 'ranked', recordSnapshot: 'f00d' } as const,
    past: { estimates: { slow: { quotedSats: 9n, deliveredSats: 8n }, fast: { quotedSats: 7n, deliveredSats: 6n } } },
  };
  const route = decide(input([aCandidate('a', { receive: 500_000n, binding: false }, { haircutBps: 100, standing: past })], { policy: decision }));
  const stored = JSON.parse(JSON.stringify(toJson(route)));
  expect(stored.offers[0]).toMatchObject({
    haircutPpm: 10_001,
    haircutFrom: 'record',
    priorSats: '1500000',
    terms: { haircutBps: 100, standing: { estimates: { slow: { quotedSats: '9', deliveredSats: '8' }, fast: { quotedSats: '7', deliveredSats: '6' } } } },
  });
  expect(stored.policy).toMatchObject({ learning: 'ranked', recordSnapshot: 'f00d' });
  // The haircut is computed again; the stored one is not believed.
  stored.offers[0].haircutPpm = 0;
  expect(replay(fromJson(stored))).toEqual(['a']);
});

test('replay notices a record that was changed', () => {
  const route = decide(input([aCandidate('a', { receive: 107_000n }), aCandidate('b', { receive: 106_000n })]));
  const forged = {
    ...route,
    offers: route.offers.map((offer) => (offer.providerId === 'b' ? { ...offer, offer: { ...offer.offer, receive: 108_000n } } : offer)),
  };
  expect([replay(route), replay(forged)]).toEqual([
    ['a', 'b'],
    ['b', 'a'],
  ]);
});

test('a route of another version or without one is not read; an amount in an unknown member is not written', () => {
  const route = decide(input([aCandidate('a')]));
  for (const stored of [null, [], 'x', {}, { ...Object(toJson(route)), version: 3 }, { ...Object(toJson(route)), version: '2' }])
    expect(() => fromJson(stored)).toThrow(RangeError);
  const strange = { ...route, refused: [{ providerId: 'a', refusal: { reason: 'busy' as const, wait: 5n } }] };
  expect(() => toJson(strange)).toThrow('route member "wait" is not listed as an amount');
});
