import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Limits } from '../../domain/refusal.ts';
import { bestLimits } from './show-offers.ts';

const amount = fc.bigInt(1n, 1_000n);
/** The limits of a provider that refused the amount: a minimum, a maximum, or both, on either side. */
const limits = fc.record({ minPay: amount, maxPay: amount, minReceive: amount, maxReceive: amount }, { requiredKeys: [] });

it('whatever the providers state, no range is shown that ends before it begins, and no limit that no provider stated', () => {
  fc.assert(
    fc.property(fc.array(limits, { maxLength: 6 }), amount, fc.constantFrom('pay' as const, 'receive' as const), (given, asked, fixed) => {
      const refused = given.map((one, i) => ({ providerId: `p${i}`, refusal: { reason: 'below-minimum' as const, limits: one } }));
      const { minPay, maxPay, minReceive, maxReceive } = bestLimits({ asked: { ramp: 'buy', fixed, amount: asked, currency: 'EUR', option: 'sepa' }, refused });
      expect(minPay === undefined || maxPay === undefined || minPay <= maxPay).toBe(true);
      expect(minReceive === undefined || maxReceive === undefined || minReceive <= maxReceive).toBe(true);
      for (const [name, told] of Object.entries({ minPay, maxPay, minReceive, maxReceive }))
        expect(told === undefined || given.some((one) => one[name as keyof Limits] === told)).toBe(true);
      // A side has a limit if, and only if, a provider stated one for it.
      const isLimited = (...bounds: (bigint | undefined)[]): boolean => bounds.some((bound) => bound !== undefined);
      expect(isLimited(minPay, maxPay)).toBe(given.some((one) => isLimited(one.minPay, one.maxPay)));
      expect(isLimited(minReceive, maxReceive)).toBe(given.some((one) => isLimited(one.minReceive, one.maxReceive)));
    }),
    { numRuns: 1000 },
  );
});
