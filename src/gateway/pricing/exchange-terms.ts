/** What buy and sell share before we ask a provider: the amount, the option, the limits. */
import type { FaultKind } from '../../domain/fault-kind.ts';
import { asksExchange, type ExchangeAsked, type Terms } from '../../domain/offer.ts';
import { normalForm } from '../../domain/option-name.ts';
import { amountNames, isFiatFixed, sides, type ExchangeRamp } from '../../domain/ramp.ts';
import type { Limits, Refusal } from '../../domain/refusal.ts';
import type { Route } from '../../domain/route.ts';
import type { CatalogueOption } from '../../providers/spec.ts';
import { listingFault, methodOf, readCatalogue, type CatalogueView, type ProviderListing } from '../catalogue/catalogue.ts';
import { tierFor, type Outside } from '../catalogue/tiers.ts';
import { farOutside } from './last-prices.ts';
import { listingShareMs, priceDeadlineMs } from './collect-offers.ts';
import { haircutTerms, refreshRecord } from './record.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { OptionNumber } from '../../ports/catalogue.ts';
import type { Provider } from '../../ports/providers.ts';
import type { RouteTerms } from '../../ports/routes.ts';
import type { StoredQuote } from './store-route.ts';
import type { Scope } from '../../ports/scope.ts';

/** A request on a ramp that has a price. */
export const exchangeOf = ({ asked }: Pick<Route, 'asked'>): ExchangeAsked => {
  if (!asksExchange(asked)) throw new RangeError(`${asked.ramp} is no exchange`);
  return asked;
};

export type ExchangeRequest = {
  amount_fiat?: number | undefined;
  amount_sats?: number | undefined;
  currency_id: number;
  payment_option_id: number;
  country?: string | undefined;
  max_wait_ms?: number | undefined;
};
export type Exchange = {
  asked: ExchangeAsked;
  number: OptionNumber;
  catalogue: CatalogueView;
  country: string | undefined;
  /** When the listings were requested. */
  since: number;
};

/** The request in the decision's terms: which side is fixed, and the option's number. */
export const readExchange = async (scope: Scope, ramp: ExchangeRamp, request: ExchangeRequest): Promise<Exchange> => {
  const { gateway } = scope;
  const amount = amountOf(request);
  const since = gateway.now();
  const [catalogue] = await Promise.all([readCatalogue(scope, ramp, listingShareMs(priceDeadlineMs(gateway, request.max_wait_ms))), refreshRecord(gateway)]);
  const number = catalogue.numbers.get(request.payment_option_id);
  // Before the very first listing we know nothing, so we cannot call the request wrong.
  if (catalogue.numbers.size === 0 && gateway.providers.some((provider) => provider.core.mode !== 'off' && provider.ramps.includes(ramp)))
    throw new Problem('temporary-reduced-capacity', 'No provider has told yet what it offers. Try again in a moment.', { retryAfterMs: 1000 });
  if (!number || number.currencyId !== request.currency_id)
    throw new Problem('option-unavailable', `No provider has this currency_id with this payment_option_id. POST ${optionLists[ramp]} lists what there is.`);
  const fixed = sides[ramp].pay === amount.of ? 'pay' : 'receive';
  return {
    asked: { ramp, fixed, amount: amount.value, currency: number.currencyCode, option: number.normalName },
    number,
    catalogue,
    country: request.country,
    since,
  };
};

/** Where a ramp's options are listed. */
const optionLists: Record<ExchangeRamp, string> = { buy: '/payment-options', sell: '/sell/payment-options' };

/** Exactly one of the two amounts. */
const amountOf = (request: { amount_fiat?: number | undefined; amount_sats?: number | undefined }): { of: 'fiat' | 'sats'; value: bigint } => {
  const { amount_fiat: fiat, amount_sats: sats } = request;
  if (fiat !== undefined && sats === undefined) return { of: 'fiat', value: BigInt(fiat) };
  if (sats !== undefined && fiat === undefined) return { of: 'sats', value: BigInt(sats) };
  const detail = 'Send exactly one of amount_fiat and amount_sats.';
  throw new Problem('invalid-request', detail, { errors: [{ pointer: '/amount_fiat', detail }] });
};

type Offered = { provider: Provider; terms: Terms } & ({ option: CatalogueOption; listing: ProviderListing } | { refusal: Refusal } | { fault: FaultKind });

/** The provider's own option for this request and the terms it is ranked by, or why we need not ask it. */
export const exchangeTerms = (gateway: Gateway, provider: Provider, { asked, number, catalogue, country }: Exchange): Offered => {
  const { core } = provider;
  const method = methodOf(gateway, provider, number.normalName);
  const listing = catalogue.byProvider.get(provider.id);
  const option = tierFor(listing?.options.get(number.id) ?? [], (tier) => outsideOf(gateway, asked, tier));
  const limits = option ? limitsOf(asked.ramp, option) : {};
  const terms = {
    ...haircutTerms(gateway, provider, asked),
    preferenceBps: core.preference_bps,
    arrivalSeconds: core.arrival_seconds?.[method] ?? gateway.settings.routing.arrival_seconds[method],
    ...(option ? { named: { currency: option.currency, option: option.name }, limits } : {}),
  };
  if (!listing) return { provider, terms, fault: listingFault(gateway, provider, asked.ramp) };
  if (country !== undefined && core.display.countries.length > 0 && !core.display.countries.includes(country.toUpperCase()))
    return { provider, terms, refusal: { reason: 'country-restricted' } };
  if (!option) {
    const sameCurrency = [...listing.options.values()].some(([other]) => normalForm(other?.currency ?? '') === normalForm(number.currencyCode));
    return { provider, terms, refusal: { reason: sameCurrency ? 'option-unsupported' : 'currency-unsupported' } };
  }
  const outside = outsideOf(gateway, asked, option);
  if (outside === undefined) return { provider, terms, option, listing };
  if (!isFiatFixed(asked)) return { provider, terms, refusal: { reason: outside, limits } };
  const { minFiat, maxFiat } = option;
  const broken = outside === 'below-minimum' ? { minFiat } : { maxFiat };
  return { provider, terms, refusal: { reason: outside, limits: limitsOf(asked.ramp, broken) } };
};

/** Exact when fiat is fixed; when sats are, as far as the last prices tell. */
const outsideOf = (gateway: Gateway, asked: ExchangeAsked, option: CatalogueOption): Outside => {
  if (!isFiatFixed(asked)) return farOutside(gateway, asked, option);
  if (option.minFiat !== undefined && asked.amount < option.minFiat) return 'below-minimum';
  return option.maxFiat !== undefined && asked.amount > option.maxFiat ? 'above-maximum' : undefined;
};

/** Listed limits are fiat: what a buyer pays, or what a seller gets. */
const limitsOf = (ramp: ExchangeRamp, { minFiat, maxFiat }: { minFiat?: bigint | undefined; maxFiat?: bigint | undefined }): Limits =>
  sides[ramp].pay === 'fiat'
    ? { ...(minFiat === undefined ? {} : { minPay: minFiat }), ...(maxFiat === undefined ? {} : { maxPay: maxFiat }) }
    : { ...(minFiat === undefined ? {} : { minReceive: minFiat }), ...(maxFiat === undefined ? {} : { maxReceive: maxFiat }) };

/** What of the request is stored with its offers. */
export const keptTerms = ({ number, country }: Exchange): RouteTerms => ({
  currencyId: number.currencyId,
  paymentOptionId: number.id,
  optionName: number.name,
  ...(country === undefined ? {} : { country }),
});

/** The request of a stored quote, to price it again. */
export const exchangeAgain = ({ route, terms }: StoredQuote): ExchangeRequest => {
  const asked = exchangeOf(route);
  return {
    currency_id: terms.currencyId,
    payment_option_id: terms.paymentOptionId,
    [amountNames[asked.ramp][asked.fixed]]: Number(asked.amount),
    country: terms.country,
  };
};
