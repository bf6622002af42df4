import fc from 'fast-check';
import { expect, it } from 'vitest';
import { normalForm } from '../../domain/option-name.ts';
import { printableName } from '../../domain/printable.ts';
import { optionName, type ProviderListing } from './catalogue.ts';

const features = { quotes: true, estimates: false, on_chain_fallback: false, webhook: false };
const spellings = ['SEPA', 'Sepa', 'sepa', ' SEPA', 'SE\u200bPA', '\u202eSEPA'];

it('an option is named as most providers write it now, whichever came first and however it was stored', () => {
  const written = fc.array(fc.constantFrom(...spellings), { maxLength: 6 });
  fc.assert(
    fc.property(written, fc.constantFrom(...spellings), (names, first) => {
      const listing = (name: string): ProviderListing => ({ options: new Map(), names: new Map([[1, name]]), features, readOn: 0 });
      const byProvider = new Map(names.map((name, i) => [`p${i}`, listing(name)]));
      const number = { id: 1, ramp: 'buy' as const, currencyId: 1, currencyCode: 'EUR', normalName: normalForm(first), name: first };
      const name = optionName({ numbers: new Map(), byProvider }, number);
      const count = (one: string): number => names.filter((other) => other === one).length;
      // If no provider lists the option any more, only its stored name is left.
      const best = names.length === 0 ? [printableName(first)] : names.filter((one) => names.every((other) => count(other) <= count(one)));
      expect(best).toContain(name);
    }),
  );
});
