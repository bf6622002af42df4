import { optionName, readCatalogue, refuseUnlisted, type CatalogueView } from './catalogue.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';

export type MergedOption = { id: number; option: string; feePpm: number; minFiat?: bigint; maxFiat?: bigint; ranges?: Range[] };
type Range = { minFiat: bigint; maxFiat?: bigint };
export type MergedCurrency = { currencyId: number; currencyCode: string; options: MergedOption[] };

/**
 * Returns the merged listing: one option per currency and normal name, with the lowest fee, the lowest minimum and the highest maximum of its
 * providers, and their separate ranges if there is a gap. Options that only shadow providers list are not shown.
 */
export const listPaymentOptions = async (scope: Scope, ramp: 'buy' | 'sell', currencyCode?: string): Promise<MergedCurrency[]> => {
  const { gateway } = scope;
  const catalogue = await readCatalogue(scope, ramp);
  refuseUnlisted(gateway, ramp, catalogue.byProvider.size > 0);
  const merged = mergeOptions(gateway, catalogue);
  return currencyCode === undefined || currencyCode === '' ? merged : merged.filter((currency) => currency.currencyCode === currencyCode.toUpperCase());
};

const mergeOptions = (gateway: Gateway, catalogue: CatalogueView): MergedCurrency[] => {
  const currencies = new Map<number, MergedCurrency>();
  const listings = gateway.providers.flatMap((provider) => (provider.core.mode === 'on' ? (catalogue.byProvider.get(provider.id) ?? []) : []));
  const listed = new Set(listings.flatMap(({ options }) => [...options.keys()]));
  for (const id of [...listed].sort((a, b) => a - b)) {
    const number = catalogue.numbers.get(id);
    const offered = listings.flatMap(({ options }) => options.get(id) ?? []);
    const ranges = joined(offered.map(({ minFiat = 0n, maxFiat }) => ({ minFiat, ...(maxFiat === undefined ? {} : { maxFiat }) })));
    const [first] = ranges;
    const last = ranges.at(-1);
    if (!number || !first || !last) continue;
    const currency = currencies.get(number.currencyId) ?? { currencyId: number.currencyId, currencyCode: number.currencyCode, options: [] };
    currency.options.push({
      id,
      option: optionName(catalogue, number),
      feePpm: Math.min(...offered.map((option) => option.feePpm)),
      ...(first.minFiat > 0n ? { minFiat: first.minFiat } : {}),
      ...(last.maxFiat === undefined ? {} : { maxFiat: last.maxFiat }),
      ...(ranges.length > 1 ? { ranges } : {}),
    });
    currencies.set(number.currencyId, currency);
  }
  return [...currencies.values()];
};

/** Returns the ranges of amounts that at least one provider accepts, lowest first. Merges ranges that overlap or touch, and drops empty ones. */
export const joined = (ranges: readonly Range[]): Range[] => {
  const all: Range[] = [];
  for (const range of ranges
    .filter(({ minFiat, maxFiat }) => maxFiat === undefined || maxFiat >= minFiat)
    .toSorted((a, b) => (a.minFiat < b.minFiat ? -1 : 1))) {
    const last = all.at(-1);
    if (!last || (last.maxFiat !== undefined && range.minFiat > last.maxFiat + 1n)) all.push({ ...range });
    else if (range.maxFiat === undefined) delete last.maxFiat;
    else if (last.maxFiat !== undefined && range.maxFiat > last.maxFiat) last.maxFiat = range.maxFiat;
  }
  return all;
};
