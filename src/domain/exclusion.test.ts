import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aCandidate, buyFor, decidedOn, policy, soundCandidates } from '../../test/support/offers.ts';
import { applyRules, differTooMuch } from './exclusion.ts';
import type { Asked, Candidate, ExclusionRule, ProviderOffer, Terms } from './offer.ts';

const asked = buyFor(10_000n);
const rulesOf = (request: Asked, ...candidates: Candidate[]): [string, string][] =>
  applyRules(request, candidates, policy, decidedOn).excluded.map(({ providerId, rule }) => [providerId, rule]);
const ruleOf = (request: Asked, offer: Partial<ProviderOffer>, terms: Partial<Terms> = {}): ExclusionRule | undefined =>
  applyRules(request, [aCandidate('a', offer, terms)], policy, decidedOn).excluded[0]?.rule;

describe('one offer against what was asked', () => {
  test.each<[string, Partial<ProviderOffer>, ExclusionRule | undefined]>([
    ['as asked', {}, undefined],
    ['currency echoed in another case', { echo: { currency: 'eur', option: 'sepa' } }, undefined],
    ['another currency', { echo: { currency: 'CHF' } }, 'wrong-currency'],
    ['another option', { echo: { currency: 'EUR', option: 'SEPA Instant' } }, 'wrong-option'],
    ['asks for one hundredth more', { pay: 10_001n }, 'amount-not-as-asked'],
    ['uses 99.5 %', { pay: 9_950n }, undefined],
    ['uses less than 99.5 %', { pay: 9_949n }, 'amount-underused'],
    ['gives one sat', { receive: 1n }, undefined],
    ['gives nothing', { receive: 0n }, 'amount-invalid'],
    ['gives less than nothing', { receive: -1n }, 'amount-invalid'],
    ['costs nothing', { pay: 0n }, 'amount-invalid'],
    ['a negative fee', { fee: -1n }, 'amount-invalid'],
    ['all is fee', { fee: 10_000n }, 'amount-invalid'],
    ['lives 30 s', { expiresOn: decidedOn + 30_000 }, undefined],
    ['lives less than 30 s', { expiresOn: decidedOn + 29_999 }, 'expires-too-soon'],
    ['an estimate that has expired', { binding: false, expiresOn: decidedOn - 1 }, 'expires-too-soon'],
  ])('%s', (_name, offer, rule) => {
    expect(ruleOf(asked, offer)).toBe(rule);
  });

  test('99.5 % of a large amount must be used, too', () => {
    expect([99_500_000n, 99_499_999n].map((pay) => ruleOf(buyFor(100_000_000n), { pay }))).toEqual([undefined, 'amount-underused']);
  });

  test('its own limits are inclusive', () => {
    expect(ruleOf(asked, {}, { limits: { minPay: 10_000n, maxPay: 10_000n, minReceive: 107_869n, maxReceive: 107_869n } })).toBeUndefined();
    expect(ruleOf(asked, {}, { limits: { minPay: 10_001n } })).toBe('outside-own-limits');
    expect(ruleOf(asked, {}, { limits: { maxPay: 9_999n } })).toBe('outside-own-limits');
    expect(ruleOf(asked, {}, { limits: { minReceive: 107_870n } })).toBe('outside-own-limits');
    expect(ruleOf(asked, {}, { limits: { maxReceive: 107_868n } })).toBe('outside-own-limits');
  });

  test("an echo is compared with the provider's own name for the option", () => {
    const named = { currency: 'EUR', option: 'Bank transfer' };
    expect(ruleOf(asked, { echo: { option: 'bank-transfer' } }, { named })).toBeUndefined();
    expect(ruleOf(asked, { echo: { option: 'SEPA' } }, { named })).toBe('wrong-option');
  });

  test('a requested amount in sats is offered exactly', () => {
    const sats: Asked = { ramp: 'buy', fixed: 'receive', amount: 107_869n, currency: 'EUR', option: 'SEPA' };
    expect([107_868n, 107_869n, 107_870n].map((receive) => ruleOf(sats, { receive }))).toEqual(['amount-not-as-asked', undefined, 'amount-not-as-asked']);
  });

  test('sell: sats must match exactly; fiat may never be less, and only slightly more', () => {
    const bySats: Asked = { ramp: 'sell', fixed: 'pay', amount: 250_000n, currency: 'EUR', option: 'SEPA' };
    expect([249_999n, 250_000n].map((pay) => ruleOf(bySats, { pay, receive: 22_720n, fee: 230n }))).toEqual(['amount-not-as-asked', undefined]);
    const least: Asked = { ramp: 'sell', fixed: 'receive', amount: 19_900n, currency: 'EUR', option: 'SEPA' };
    expect([20_000n, 20_001n].map((receive) => ruleOf(least, { pay: 250_000n, receive }))).toEqual([undefined, 'amount-not-as-asked']);
    const byFiat: Asked = { ramp: 'sell', fixed: 'receive', amount: 20_000n, currency: 'EUR', option: 'SEPA' };
    expect([19_999n, 20_000n, 20_100n, 20_101n].map((receive) => ruleOf(byFiat, { pay: 250_000n, receive, fee: 230n }))).toEqual([
      'amount-not-as-asked',
      undefined,
      undefined,
      'amount-not-as-asked',
    ]);
  });
});

describe('channels', () => {
  const wanted: Asked = { ramp: 'liquidity', inboundSats: 1_000_000n, clientSats: 0n, leaseBlocks: 4320 };
  const channel = (facts: ProviderOffer['facts'], more: Partial<ProviderOffer> = {}): Partial<ProviderOffer> => ({
    pay: 5_400n,
    receive: 0n,
    fee: 5_400n,
    facts,
    ...more,
  });
  test.each<[string, Asked, Partial<ProviderOffer>, ExclusionRule | undefined]>([
    ['as asked', wanted, channel({ inbound_sats: 1_000_000, lease_blocks: 4320 }), undefined],
    ['digits as text', wanted, channel({ inbound_sats: '1000000', lease_blocks: '4320' }), undefined],
    ['no lease promised', wanted, channel({ inbound_sats: 1_000_000 }), 'lease-not-promised'],
    ['lease null', wanted, channel({ inbound_sats: 1_000_000, lease_blocks: null as never }), 'lease-not-promised'],
    ['a lease of half a block', wanted, channel({ inbound_sats: 1_000_000, lease_blocks: 4320.5 }), 'lease-not-promised'],
    ['a lease in words', wanted, channel({ inbound_sats: 1_000_000, lease_blocks: 'many' }), 'lease-not-promised'],
    ['more inbound than a number holds', wanted, channel({ inbound_sats: 1e21, lease_blocks: 4320 }), 'inbound-too-small'],
    ['for nothing', wanted, channel({ inbound_sats: 1_000_000, lease_blocks: 4320 }, { pay: 0n, fee: 0n }), 'amount-invalid'],
    [
      'for nothing, by an order that there is',
      wanted,
      channel({ inbound_sats: 1_000_000, lease_blocks: 4320 }, { pay: 0n, fee: 0n, reservation: { upstreamOrderId: 'o', acceptUntil: 0 } }),
      undefined,
    ],
    ['one sat of inbound, not told', { ...wanted, inboundSats: 1n }, channel({ lease_blocks: 4320 }), 'inbound-too-small'],
    ['lease too short', wanted, channel({ inbound_sats: 1_000_000, lease_blocks: 4319 }), 'lease-too-short'],
    ['no lease asked', { ramp: 'liquidity', inboundSats: 1_000_000n, clientSats: 0n }, channel({ inbound_sats: 1_000_000 }), undefined],
    ['too little inbound', wanted, channel({ inbound_sats: 999_999, lease_blocks: 4320 }), 'inbound-too-small'],
    ['inbound not told', wanted, channel({ lease_blocks: 4320 }), 'inbound-too-small'],
    [
      'balance too small',
      { ...wanted, clientSats: 500n },
      channel({ inbound_sats: 1_000_000, lease_blocks: 4320 }, { pay: 5_899n, receive: 499n }),
      'client-balance-too-small',
    ],
    ['a fee that is not pay − receive', wanted, channel({ inbound_sats: 1_000_000, lease_blocks: 4320 }, { fee: 1n }), 'amount-invalid'],
  ])('%s', (_name, request, offer, rule) => {
    expect(ruleOf(request, offer)).toBe(rule);
  });
  test('too-good does not apply', () => {
    const facts = { inbound_sats: 1_000_000, lease_blocks: 4320 };
    const candidates = [1n, 5_400n, 25_300n].map((pay, index) => aCandidate(`p${index}`, channel(facts, { pay, fee: pay })));
    expect(applyRules(wanted, candidates, policy, decidedOn)).toEqual({ accepted: candidates, excluded: [] });
  });
});

describe('too good', () => {
  const receiving = (providerId: string, receive: bigint): Candidate => aCandidate(providerId, { receive });
  test('exactly the bound is not more than the bound', () => {
    expect(rulesOf(asked, receiving('a', 110_000n), receiving('b', 100_000n), receiving('c', 99_000n))).toEqual([]);
    expect(rulesOf(asked, receiving('a', 110_001n), receiving('b', 100_000n), receiving('c', 99_000n))).toEqual([['a', 'too-good']]);
  });
  test('checks again after each exclusion, until two are left; if those two still differ, the check is weak', () => {
    const ruling = applyRules(
      asked,
      [receiving('c', 100_000n), receiving('a', 400_000n), receiving('b', 200_000n), receiving('d', 50_000n)],
      policy,
      decidedOn,
    );
    expect(ruling.excluded.map(({ providerId, deviationBps, limitBps }) => [providerId, deviationBps, limitBps])).toEqual([
      ['a', 30_000, 1000],
      ['b', 10_000, 1000],
    ]);
    expect(ruling.accepted.map(({ providerId }) => providerId).sort()).toEqual(['c', 'd']);
    expect(ruling.priceCheck).toBe('weak');
  });
  test('two offers within the bound are not weak, nor is a single offer', () => {
    expect(applyRules(asked, [receiving('a', 110_000n), receiving('b', 100_000n)], policy, decidedOn).priceCheck).toBeUndefined();
    expect(applyRules(asked, [receiving('a', 110_000n)], policy, decidedOn).priceCheck).toBeUndefined();
  });
  test('the weak check applies only to exactly two offers, and only to exchanges', () => {
    const [a, b, c] = [receiving('a', 200_000n), receiving('b', 100_000n), receiving('c', 50_000n)];
    expect(differTooMuch(asked, [a, b], 1000)).toBe(true);
    expect(differTooMuch(asked, [b, a], 1000)).toBe(true);
    expect(differTooMuch(asked, [a, b, c], 1000)).toBe(false);
    expect(differTooMuch(asked, [a], 1000)).toBe(false);
    expect(differTooMuch({ ramp: 'liquidity', inboundSats: 1n, clientSats: 0n }, [a, b], 1000)).toBe(false);
  });
  test('an honest majority is never excluded', () => {
    const honest = fc.array(fc.bigInt(100_000n, 110_000n), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(honest, fc.array(fc.bigInt(1n, 10n ** 9n), { maxLength: 5 }), (truths, lies) => {
        fc.pre(truths.length > lies.length);
        const candidates = [
          ...truths.map((receive, index) => receiving(`honest${index}`, receive)),
          ...lies.map((receive, index) => receiving(`liar${index}`, receive)),
        ];
        expect(rulesOf(asked, ...candidates).filter(([providerId]) => providerId.startsWith('honest'))).toEqual([]);
      }),
    );
  });
  test('every excluded offer beats the median of the others both in what is received and in the price', () => {
    fc.assert(
      fc.property(soundCandidates(), fc.integer({ min: 0, max: 1000 }), (candidates, outlierBps) => {
        const { accepted, excluded } = applyRules(asked, candidates, { ...policy, outlierBps }, decidedOn);
        expect(accepted.length + excluded.length).toBe(candidates.length);
        expect(accepted.length).toBeGreaterThanOrEqual(Math.min(2, candidates.length));
        const least = (of: (offer: ProviderOffer) => number): number => Math.min(...accepted.map(({ offer }) => of(offer)));
        const price = ({ pay, fee, receive }: ProviderOffer): number => Number(receive) / Number(pay - fee);
        for (const { offer, deviationBps } of excluded) {
          expect(Number(offer.receive)).toBeGreaterThan(least(({ receive }) => Number(receive)));
          expect(price(offer)).toBeGreaterThan(least(price));
          expect(deviationBps).toBeGreaterThanOrEqual(outlierBps);
        }
      }),
    );
  });
  test('the sequence of the offers changes nothing, even if some are exactly alike', () => {
    const few = fc.array(fc.constantFrom(100_000n, 125_000n, 150_000n), { minLength: 3, maxLength: 7 });
    fc.assert(
      fc.property(
        few.chain((receives) => fc.tuple(fc.constant(receives), fc.shuffledSubarray(receives, { minLength: receives.length }))),
        ([receives, shuffled]) => {
          const kept = (list: bigint[]): number[] =>
            applyRules(
              asked,
              list.map((receive, index) => receiving(`p${index}`, receive)),
              policy,
              decidedOn,
            )
              .accepted.map(({ offer }) => Number(offer.receive))
              .sort((a, b) => a - b);
          expect(kept(shuffled)).toEqual(kept(receives));
        },
      ),
    );
  });
  test('a small fixed fee is not a lie: for a small amount, the cheapest honest offer stays', () => {
    // Each offer takes 15.00 EUR at the same price of 9,000,000, with a fixed fee of 0.30, 2.00 or 2.50. The cheapest gives 13 % more sats than the
    // next, and is still honest.
    const small = buyFor(1_500n);
    const withFee = (providerId: string, fee: bigint): Candidate =>
      aCandidate(providerId, { pay: 1_500n, fee, receive: ((1_500n - fee) * 100_000_000n) / 9_000_000n });
    expect(rulesOf(small, withFee('cheap', 30n), withFee('b', 200n), withFee('c', 250n))).toEqual([]);
    // As many sats for a fee of 2.00 mean a better price, which is too good to be true.
    expect(rulesOf(small, aCandidate('liar', { pay: 1_500n, fee: 200n, receive: 16_333n }), withFee('b', 200n), withFee('c', 250n))).toEqual([
      ['liar', 'too-good'],
    ]);
  });
  test('a sale is compared by its fiat with the fee', () => {
    const sale: Asked = { ramp: 'sell', fixed: 'pay', amount: 20_000n, currency: 'EUR', option: 'SEPA' };
    const sold = (providerId: string, receive: bigint, fee: bigint): Candidate => aCandidate(providerId, { pay: 20_000n, receive, fee });
    expect(rulesOf(sale, sold('cheap', 1_770n, 30n), sold('b', 1_600n, 200n), sold('c', 1_550n, 250n))).toEqual([]);
    expect(rulesOf(sale, sold('liar', 1_770n, 230n), sold('b', 1_600n, 200n), sold('c', 1_550n, 250n))).toEqual([['liar', 'too-good']]);
  });
  test('two liars who agree do not protect each other among four or more offers', () => {
    const [l1, l2] = [receiving('l1', 117_000n), receiving('l2', 117_000n)];
    const honest = [100_000n, 99_900n, 99_800n].map((receive, index) => receiving(`h${index}`, receive));
    const excluded = (...candidates: Candidate[]): string[] => rulesOf(asked, ...candidates).map(([providerId]) => providerId);
    expect(excluded(l1, l2, ...honest)).toEqual(['l1', 'l2']);
    expect(excluded(l1, l2, ...honest.slice(0, 2))).toEqual(['l1', 'l2']);
    // Two of three offers disagree with the third: we cannot tell which side is right.
    expect(excluded(l1, l2, ...honest.slice(0, 1))).toEqual([]);
  });
});

test('an offer with a better price but a large fee does not hide one that is too good', () => {
  const candidates = [
    aCandidate('liar', { receive: 120_000n, fee: 0n }),
    aCandidate('large-fee', { receive: 90_000n, fee: 3_077n }),
    aCandidate('b', { receive: 100_000n, fee: 0n }),
    aCandidate('c', { receive: 99_000n, fee: 100n }),
  ];
  expect(rulesOf(asked, ...candidates)).toEqual([['liar', 'too-good']]);
});

describe('the largest amounts', () => {
  const mostSats = 2_100_000_000_000_000n;
  const beyond = BigInt(Number.MAX_SAFE_INTEGER) + 1n;
  const saleOf = (amount: bigint): Asked => ({ ramp: 'sell', fixed: 'pay', amount, currency: 'EUR', option: 'SEPA' });
  test.each<[string, Asked, Partial<ProviderOffer>, ExclusionRule | undefined]>([
    ['a purchase of all the sats there will ever be', asked, { receive: mostSats }, undefined],
    ['a purchase of one sat more', asked, { receive: mostSats + 1n }, 'amount-invalid'],
    ['a sale of all the sats there will ever be', saleOf(mostSats), { pay: mostSats }, undefined],
    ['a sale of one sat more', saleOf(mostSats + 1n), { pay: mostSats + 1n }, 'amount-invalid'],
    ['fiat is not limited by the number of sats: a purchase', buyFor(mostSats + 1n), { pay: mostSats + 1n, receive: mostSats }, undefined],
    ['fiat is not limited by the number of sats: a sale', saleOf(mostSats), { pay: mostSats, receive: mostSats + 1n }, undefined],
    // The price of these is small, so only the amount itself is too large.
    ['unsafe fiat is paid', buyFor(beyond), { pay: beyond, receive: mostSats }, 'amount-invalid'],
    ['unsafe fiat is received', saleOf(mostSats), { pay: mostSats, receive: beyond, fee: 0n }, 'amount-invalid'],
    ['an unsafe fee is charged', saleOf(mostSats), { pay: mostSats, receive: 1n, fee: beyond }, 'amount-invalid'],
  ])('%s', (_name, request, offer, rule) => {
    expect(ruleOf(request, offer)).toBe(rule);
  });
});

describe('an amount that is too large for a JSON integer excludes only its own offer', () => {
  const beyond = BigInt(Number.MAX_SAFE_INTEGER) + 1n;
  const sell: Asked = { ramp: 'sell', fixed: 'pay', amount: 100_000n, currency: 'EUR', option: 'SEPA' };
  test.each<[string, Asked, Partial<ProviderOffer>]>([
    ['more than 21 million bitcoins', asked, { receive: 2_100_000_000_000_001n }],
    ['sats', asked, { receive: beyond }],
    ['fiat', asked, { pay: beyond }],
    ['a fee', asked, { pay: beyond, fee: beyond - 1n }],
    ['the price of one sat', buyFor(100_000_000n), { pay: 100_000_000n, receive: 1n, fee: 0n }],
    ['a fee above what is paid', asked, { fee: 10_001n }],
    ['the fiat of a sale', sell, { pay: 100_000n, receive: beyond, fee: 0n }],
    ['the fee of a sale', sell, { pay: 100_000n, receive: 9_000n, fee: beyond }],
    ['the price of a sale', sell, { pay: 100_000n, receive: 9_000_000_000_000_000n, fee: 0n }],
    ['liquidity', { ramp: 'liquidity', inboundSats: 1n, clientSats: 0n }, { pay: beyond, receive: 0n, fee: beyond, facts: { inbound_sats: 1 } }],
  ])('%s', (_name, request, offer) => {
    expect(ruleOf(request, offer)).toBe('amount-invalid');
  });
});

describe('a live reference', () => {
  const live = { ...policy, reference: { btcPrice: 9_000_000n, maxDeviationBps: 1500, observedOn: decidedOn, source: 'live' as const } };
  const at = (providerId: string, receive: bigint): Candidate => aCandidate(providerId, { receive, fee: 0n });
  const ruled = (...candidates: Candidate[]): unknown => {
    const { accepted, excluded, referenceDisputed } = applyRules(asked, candidates, live, decidedOn);
    return [accepted.map(({ providerId }) => providerId).sort(), excluded.map(({ providerId, rule }) => [providerId, rule]), referenceDisputed === true];
  };
  test('within its bound no offer is too good, whatever the other offers cost', () => {
    // At the reference price, 111,111 sats are fair. The bound of 15 % of their value allows 96,619 to 130,718 sats.
    expect(ruled(at('good', 111_000n), at('dear1', 99_000n), at('dear2', 98_500n), at('dear3', 98_000n))).toEqual([
      ['dear1', 'dear2', 'dear3', 'good'],
      [],
      false,
    ]);
  });
  test('excludes what is far from it, but never more than half of the sound offers', () => {
    expect(ruled(at('far', 140_000n), at('a', 111_000n), at('b', 110_000n))).toEqual([['a', 'b'], [['far', 'off-reference']], false]);
    expect(ruled(at('far1', 140_000n), at('far2', 141_000n), at('a', 111_000n), at('b', 110_000n))).toEqual([
      ['a', 'b'],
      [
        ['far1', 'off-reference'],
        ['far2', 'off-reference'],
      ],
      false,
    ]);
    expect(ruled(at('far1', 140_000n), at('far2', 141_000n), at('a', 139_000n), at('b', 111_000n))).toEqual([['a', 'b', 'far1', 'far2'], [], true]);
    expect(ruled(at('far', 140_000n))).toEqual([['far'], [], true]);
  });
  test('a disputed reference protects no offer', () => {
    expect(ruled(at('liar', 120_000n), at('a', 90_000n), at('b', 90_100n), at('c', 90_200n))).toEqual([['a', 'b', 'c'], [['liar', 'too-good']], true]);
  });
});

test('a configured reference checks every offer in both directions, even a single one', () => {
  const withReference = { ...policy, reference: { btcPrice: 9_187_070n, maxDeviationBps: 300, observedOn: decidedOn } };
  const judge = (receive: bigint): unknown =>
    applyRules(asked, [aCandidate('a', { receive })], withReference, decidedOn).excluded.map(({ rule, deviationBps, limitBps }) => [
      rule,
      deviationBps,
      limitBps,
    ]);
  expect(judge(107_869n)).toEqual([]);
  expect(judge(112_000n)).toEqual([['off-reference', 368, 300]]);
  expect(judge(104_000n)).toEqual([['off-reference', 372, 300]]);
});

test('a reference without a limit excludes nothing, and is not disputed', () => {
  const reference = { btcPrice: 1n, observedOn: decidedOn };
  const candidates = [aCandidate('a')];
  expect(applyRules(asked, candidates, { ...policy, reference }, decidedOn)).toEqual({ accepted: candidates, excluded: [] });
});

test('without a reference, none is disputed', () => {
  const candidates = [aCandidate('a')];
  expect(applyRules(asked, candidates, policy, decidedOn)).toEqual({ accepted: candidates, excluded: [] });
});

test('a channel has no price, so no reference excludes it', () => {
  const wanted: Asked = { ramp: 'liquidity', inboundSats: 1_000_000n, clientSats: 0n };
  const candidates = [aCandidate('a', { pay: 5_400n, receive: 0n, fee: 5_400n, facts: { inbound_sats: 1_000_000 } })];
  const reference = { btcPrice: 9_000_000n, maxDeviationBps: 300, observedOn: decidedOn };
  expect(applyRules(wanted, candidates, { ...policy, reference }, decidedOn)).toEqual({ accepted: candidates, excluded: [] });
});

test('a fee line that does not reconcile is flagged, not excluded', () => {
  const warningsAt = (provider_btc_price: number): string[] | undefined =>
    applyRules(asked, [aCandidate('a', { facts: { provider_btc_price } })], policy, decidedOn).accepted[0]?.offer.warnings;
  expect([9_187_070, 9_187_070 * 1.019, 9_187_070 / 1.019].map((price) => warningsAt(Math.round(price)))).toEqual([[], [], []]);
  expect([9_187_070 * 1.03, 9_187_070 / 1.03].map((price) => warningsAt(Math.round(price)))).toEqual([['fee-mismatch'], ['fee-mismatch']]);
});

describe('at the bound itself', () => {
  const sale: Asked = { ramp: 'sell', fixed: 'pay', amount: 250_000n, currency: 'EUR', option: 'SEPA' };
  // A payout of 20,000 plus a fee of 200 for 250,000 sats is exactly one per cent above 8,000,000 per bitcoin.
  const sold = (receive: bigint): Candidate => aCandidate('a', { pay: 250_000n, receive, fee: 200n });

  test('a sale is as far from the reference as its fiat with the fee', () => {
    const withReference = { ...policy, reference: { btcPrice: 8_000_000n, maxDeviationBps: 100, observedOn: decidedOn } };
    const excluded = (receive: bigint) => applyRules(sale, [sold(receive)], withReference, decidedOn).excluded.map(({ rule }) => rule);
    expect(excluded(20_000n)).toEqual([]);
    expect(excluded(20_001n)).toEqual(['off-reference']);
  });

  test('a stated price may be off by the tolerance and not more; on a sale it is not judged', () => {
    const tolerant = { ...policy, toleranceBps: 200 };
    const warnings = (request: Asked, candidate: Candidate) => applyRules(request, [candidate], tolerant, decidedOn).accepted[0]?.offer.warnings;
    // The 9,690 that are left after the fee are exactly two per cent above the value of 100,000 sats at 9,500,000.
    const bought = (provider_btc_price: number): Candidate => aCandidate('a', { fee: 310n, receive: 100_000n, facts: { provider_btc_price } });
    expect(warnings(asked, bought(9_500_000))).toEqual([]);
    expect(warnings(asked, bought(9_499_999))).toEqual(['fee-mismatch']);
    const priced = sold(20_000n);
    expect(warnings(sale, { ...priced, offer: { ...priced.offer, facts: { provider_btc_price: 1 } } })).toEqual([]);
  });
});

describe('who declined this customer', () => {
  const three = [aCandidate('a', { receive: 100_000n }), aCandidate('b', { receive: 99_900n }), aCandidate('liar', { receive: 160_000n })];
  const kept = (declined: Record<string, number>, candidates = three) => {
    const { accepted, excluded } = applyRules(asked, candidates, policy, decidedOn, declined);
    return [accepted.map(({ providerId }) => providerId), excluded.map(({ providerId, rule, until }) => [providerId, rule, until])];
  };

  test('is excluded only after the liars were judged, for which its price still counts', () => {
    expect(kept({ a: decidedOn + 1 })).toEqual([
      ['b'],
      [
        ['liar', 'too-good', undefined],
        ['a', 'declined-your-order', decidedOn + 1],
      ],
    ]);
  });
  test('only until its time is over', () => {
    expect(kept({ a: decidedOn })).toEqual([['a', 'b'], [['liar', 'too-good', undefined]]]);
  });
  test('not if no other offer is left', () => {
    expect(kept({ a: decidedOn + 1, b: decidedOn + 1 })).toEqual([['a', 'b'], [['liar', 'too-good', undefined]]]);
  });
  test('whatever was declined, at least one offer remains, and every candidate is either offered or excluded', () => {
    fc.assert(
      fc.property(soundCandidates(), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (candidates, said) => {
        const declined = Object.fromEntries(candidates.map(({ providerId }, n) => [providerId, said[n] === true ? decidedOn + 1 : 0]));
        const plain = applyRules(asked, candidates, policy, decidedOn);
        const { accepted, excluded } = applyRules(asked, candidates, policy, decidedOn, declined);
        expect(accepted.length > 0).toBe(plain.accepted.length > 0);
        expect(accepted.length + excluded.length).toBe(candidates.length);
      }),
    );
  });
});
