import fc from 'fast-check';
import { expect, it } from 'vitest';
import { joined } from './list-payment-options.ts';

const amount = fc.bigInt(0n, 40n);
const listed = fc.record({ minFiat: amount, maxFiat: amount }, { requiredKeys: ['minFiat'] });

it('whatever limits are listed, the shown ranges hold exactly the amounts that some provider accepts', () => {
  fc.assert(
    fc.property(fc.array(listed, { maxLength: 8 }), (ranges) => {
      const holds = (all: typeof ranges, one: bigint): boolean => all.some(({ minFiat, maxFiat = 99n }) => one >= minFiat && one <= maxFiat);
      const shown = joined(ranges);
      for (let one = 0n; one < 50n; one += 1n) expect([one, holds(shown, one)]).toEqual([one, holds(ranges, one)]);
      const ends = shown.flatMap(({ minFiat, maxFiat = 99n }) => [minFiat, maxFiat]);
      expect(ends).toEqual(ends.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
    }),
    { numRuns: 300 },
  );
});
