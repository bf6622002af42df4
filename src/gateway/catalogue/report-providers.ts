import type { PayoutForm, PayoutKind } from '../../domain/payout.ts';
import { isExchange, ramps } from '../../domain/ramp.ts';
import { freshListings, methodOf, readCatalogue, type CatalogueView, optionName, refuseUnlisted } from './catalogue.ts';
import { productsOf } from './products.ts';
import type { Features } from '../../providers/spec.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';

/** Answers GET /features: what at least one of the shown buy providers can do. */
export const readFeatures = async (scope: Scope): Promise<Features> => {
  const { gateway } = scope;
  const { byProvider } = await readCatalogue(scope, 'buy');
  refuseUnlisted(gateway, 'buy', byProvider.size > 0);
  const any = (name: keyof Features): boolean => shown(gateway).some((provider) => byProvider.get(provider.id)?.features[name] ?? false);
  // Every order can have webhooks: if a provider sends no notices, the gateway polls it.
  return { quotes: any('quotes'), estimates: any('estimates'), on_chain_fallback: any('on_chain_fallback'), webhook: byProvider.size > 0 };
};

const shown = (gateway: Gateway): Provider[] => gateway.providers.filter((provider) => provider.core.mode === 'on');

/** Answers GET /providers: the providers that are on, and their health as this instance sees it. */
export const reportProviders = async (scope: Scope) => {
  const { gateway } = scope;
  const views: CatalogueView[] = [];
  for (const ramp of ramps.filter((one) => gateway.providers.some((provider) => provider.ramps.includes(one)))) {
    if (isExchange(ramp)) views.push(await readCatalogue(scope, ramp));
    else await freshListings(scope, ramp);
  }
  return {
    instance: gateway.state.instance,
    answered_on: new Date(gateway.now()).toISOString(),
    sandbox: gateway.settings.mode === 'sandbox',
    network: gateway.settings.network,
    providers: shown(gateway).map((provider) => {
      const listings = views.flatMap((view) => view.byProvider.get(provider.id) ?? []);
      const { display } = provider.core;
      return {
        id: provider.id,
        name: provider.name,
        ramps: [...provider.ramps],
        mode: provider.core.mode,
        sandbox: provider.core.sandbox,
        features: { ...(listings[0]?.features ?? { quotes: false, estimates: false, on_chain_fallback: false, webhook: false }), ...payoutOf(provider) },
        currencies: currenciesOf(gateway, provider, views),
        ...(provider.adapter.liquidity ? { products: productsOf(gateway, provider.id).map((listing) => listing.product) } : {}),
        ...showHealth(provider),
        display: {
          ...(display.terms_url === undefined ? {} : { terms_url: display.terms_url }),
          ...(display.support_url === undefined ? {} : { support_url: display.support_url }),
          ...(display.kyc === undefined ? {} : { kyc: display.kyc }),
          countries: display.countries,
        },
      };
    }),
  };
};

const payoutOf = ({ adapter: { buy } }: Provider): { payout?: PayoutForm; payout_kinds?: PayoutKind[] } =>
  buy === undefined ? {} : buy.payoutKinds === undefined ? { payout: 'claim' } : { payout: 'push', payout_kinds: [...buy.payoutKinds] };

/** Shows a provider's health as this instance sees it. `quote: off`: the provider refuses our credentials. */
export const showHealth = ({ guard }: Pick<Provider, 'guard'>) => {
  const { circuits, credentialsRefused, lastSuccessOn, lastFault } = guard.health();
  return {
    circuits: credentialsRefused ? { ...circuits, quote: 'off' as const } : circuits,
    ...(lastSuccessOn === undefined ? {} : { last_success_on: new Date(lastSuccessOn).toISOString() }),
    ...(lastFault ? { last_fault: { reason: lastFault.kind, on: new Date(lastFault.on).toISOString() } } : {}),
  };
};

const currenciesOf = (gateway: Gateway, provider: Provider, views: CatalogueView[]) => {
  const currencies = new Map<number, { currency_code: string; currency_id: number; payment_options: { id: number; option: string; method: string }[] }>();
  for (const view of views) {
    for (const id of [...(view.byProvider.get(provider.id)?.options.keys() ?? [])].sort((a, b) => a - b)) {
      const number = view.numbers.get(id);
      if (!number) continue;
      const currency = currencies.get(number.currencyId) ?? { currency_code: number.currencyCode, currency_id: number.currencyId, payment_options: [] };
      currency.payment_options.push({ id, option: optionName(view, number), method: methodOf(gateway, provider, number.normalName) });
      currencies.set(number.currencyId, currency);
    }
  }
  return [...currencies.values()];
};
