import { readCatalogue, type CatalogueView } from './catalogue.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';

export type MergedOption = { id: number; option: string; feePpm: number; minFiat?: bigint; maxFiat?: bigint };
export type MergedCurrency = { currencyId: number; currencyCode: string; options: MergedOption[] };

/**
 * The merged listing: one option per (currency, normal name), with the lowest fee, the lowest minimum and the highest maximum of its providers.
 * Shadow providers are asked but never shown.
 */
export const listPaymentOptions = async (scope: Scope, ramp: 'buy' | 'sell', currencyCode?: string): Promise<MergedCurrency[]> => {
  const { gateway } = scope;
  const merged = mergeOptions(gateway, await readCatalogue(scope, ramp));
  return currencyCode === undefined || currencyCode === '' ? merged : merged.filter((currency) => currency.currencyCode === currencyCode.toUpperCase());
};

const mergeOptions = (gateway: Gateway, catalogue: CatalogueView): MergedCurrency[] => {
  const currencies = new Map<number, MergedCurrency>();
  const shown = gateway.providers.filter((provider) => provider.core.mode === 'on');
  for (const number of [...catalogue.numbers.values()].sort((a, b) => a.id - b.id)) {
    const offered = shown.flatMap((provider) => catalogue.byProvider.get(provider.id)?.options.get(number.id) ?? []);
    if (offered.length === 0) continue;
    const minima = offered.map((option) => option.minFiat ?? 0n);
    const maxima = offered.map((option) => option.maxFiat);
    const minFiat = minima.reduce((a, b) => (b < a ? b : a));
    const maxFiat = maxima.includes(undefined) ? undefined : maxima.reduce((a, b) => (b !== undefined && a !== undefined && b > a ? b : a));
    const currency = currencies.get(number.currencyId) ?? { currencyId: number.currencyId, currencyCode: number.currencyCode, options: [] };
    currency.options.push({
      id: number.id,
      option: number.name,
      feePpm: Math.min(...offered.map((option) => option.feePpm)),
      ...(minFiat > 0n ? { minFiat } : {}),
      ...(maxFiat === undefined ? {} : { maxFiat }),
    });
    currencies.set(number.currencyId, currency);
  }
  return [...currencies.values()];
};
