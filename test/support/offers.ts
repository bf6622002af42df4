/** Offers for tests of the decision: plain builders and arbitraries. */
import fc from 'fast-check';
import type { Asked, Candidate, ProviderOffer, Terms } from '../../src/domain/offer.ts';
import type { DecisionPolicy } from '../../src/domain/policy.ts';

/** 2026-11-21T10:15:02.503Z, the time of the API description's example. */
export const decidedOn = Date.UTC(2026, 10, 21, 10, 15, 2, 503);

export const policy: DecisionPolicy = { version: 2, outlierBps: 1000, toleranceBps: 200, indicativeHaircutBps: 50 };
export const buyFor = (amount: bigint): Asked => ({ ramp: 'buy', fixed: 'pay', amount, currency: 'EUR', option: 'SEPA' });

const anOffer = (offer: Partial<ProviderOffer> = {}): ProviderOffer => ({
  pay: 10_000n,
  receive: 107_869n,
  fee: 90n,
  binding: true,
  upstream: null,
  facts: {},
  requires: [],
  warnings: [],
  ...offer,
});

export const aCandidate = (providerId: string, offer: Partial<ProviderOffer> = {}, terms: Partial<Terms> = {}): Candidate => ({
  providerId,
  offer: anOffer(offer),
  terms: { haircutBps: 50, preferenceBps: 0, ...terms },
  latencyMs: 200,
});

/** Generates sound candidates for "buy for 100.00 EUR": up to 20 % apart, binding or not, expiring or not, some preferred if `preferences` is set. */
export const soundCandidates = (most = 8, preferences = true): fc.Arbitrary<Candidate[]> =>
  fc
    .array(
      fc.record({
        receive: fc.bigInt(100_000n, 120_000n),
        fee: fc.bigInt(0n, 500n),
        binding: fc.boolean(),
        life: fc.option(fc.integer({ min: 60, max: 200_000 })),
        haircutBps: fc.constantFrom(0, 50, 200),
        preferenceBps: preferences ? fc.constantFrom(0, 0, 0, 25) : fc.constant(0),
      }),
      { minLength: 1, maxLength: most },
    )
    .map((drawn) =>
      drawn.map(({ receive, fee, binding, life, haircutBps, preferenceBps }, index) =>
        aCandidate(
          `p${index}`,
          { receive, fee, binding, ...(life === null ? {} : { expiresOn: decidedOn + life * 1000 }) },
          { haircutBps, preferenceBps, arrivalSeconds: 86_400 },
        ),
      ),
    );
