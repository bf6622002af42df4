/** For buying and for selling, works out what we need before we ask a provider: the amount, the option, the limits. */
import type { FaultKind } from '../../domain/fault-kind.ts';
import { asksExchange, type ExchangeAsked, type Terms } from '../../domain/offer.ts';
import { normalForm } from '../../domain/option-name.ts';
import type { PayoutKind } from '../../domain/payout.ts';
import { amountNames, isFiatFixed, sides, type ExchangeRamp } from '../../domain/ramp.ts';
import type { Limits, Refusal } from '../../domain/refusal.ts';
import type { Route } from '../../domain/route.ts';
import type { CatalogueOption } from '../../providers/spec.ts';
import { methodOf, optionName, readCatalogue, refuseUnlisted, whyUnlisted, type CatalogueView, type ProviderListing } from '../catalogue/catalogue.ts';
import { tierFor, tiersFor, type Outside } from '../catalogue/tiers.ts';
import { farOutside, outsideNow } from './last-prices.ts';
import { listingShareMs, priceDeadlineMs } from './collect-offers.ts';
import { haircutTerms, refreshRecord } from './record.ts';
import { refreshReference } from './reference.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { OptionNumber } from '../../ports/catalogue.ts';
import type { Provider } from '../../ports/providers.ts';
import type { RouteTerms } from '../../ports/routes.ts';
import type { StoredQuote } from './store-route.ts';
import type { Scope } from '../../ports/scope.ts';

/** Returns what the route was asked for. Throws RangeError for liquidity, which has no price. */
export const exchangeOf = ({ asked }: Pick<Route, 'asked'>): ExchangeAsked => {
  if (!asksExchange(asked)) throw new RangeError(`${asked.ramp} does not exchange fiat and sats`);
  return asked;
};

export type ExchangeRequest = {
  amount_fiat?: number | undefined;
  amount_sats?: number | undefined;
  currency_id: number;
  payment_option_id: number;
  country?: string | undefined;
  /** For buy: the kinds of destination that the customer can name with the order. */
  payout_kinds?: readonly PayoutKind[] | undefined;
  max_wait_ms?: number | undefined;
};
export type Exchange = {
  asked: ExchangeAsked;
  number: OptionNumber;
  catalogue: CatalogueView;
  country: string | undefined;
  /** For buy: the kinds of destination that the customer can name with the order. */
  payoutKinds: readonly PayoutKind[];
  /** When the listings were requested. */
  since: number;
};

/**
 * Translates the request into the decision's terms: which side is fixed, and the option's name. Waits for the listings, within their share of the
 * deadline. Throws a Problem, for example if no provider has that option.
 */
export const readExchange = async (scope: Scope, ramp: ExchangeRamp, request: ExchangeRequest): Promise<Exchange> => {
  const { gateway } = scope;
  const amount = amountOf(request);
  const since = gateway.now();
  const [catalogue] = await Promise.all([
    readCatalogue(scope, ramp, listingShareMs(priceDeadlineMs(gateway, request.max_wait_ms))),
    refreshRecord(gateway),
    refreshReference(gateway),
  ]);
  const number = catalogue.numbers.get(request.payment_option_id);
  // Before the first listing has been read, no option is known, so the request cannot be called wrong.
  refuseUnlisted(gateway, ramp, catalogue.numbers.size > 0);
  if (!number || number.currencyId !== request.currency_id)
    throw new Problem('option-unavailable', `No provider has this currency_id with this payment_option_id. POST ${optionLists[ramp]} lists all options.`);
  const fixed = sides[ramp].pay === amount.of ? 'pay' : 'receive';
  return {
    asked: { ramp, fixed, amount: amount.value, currency: number.currencyCode, option: number.normalName },
    number: { ...number, name: optionName(catalogue, number) },
    catalogue,
    country: request.country,
    payoutKinds: request.payout_kinds ?? [],
    since,
  };
};

/** The path that lists a ramp's options. */
export const optionLists: Record<ExchangeRamp, string> = { buy: '/payment-options', sell: '/sell/payment-options' };

/** Returns the amount of the request. Throws a Problem unless the request has exactly one of the two amounts. */
const amountOf = (request: { amount_fiat?: number | undefined; amount_sats?: number | undefined }): { of: 'fiat' | 'sats'; value: bigint } => {
  const { amount_fiat: fiat, amount_sats: sats } = request;
  if (fiat !== undefined && sats === undefined) return { of: 'fiat', value: BigInt(fiat) };
  if (sats !== undefined && fiat === undefined) return { of: 'sats', value: BigInt(sats) };
  const detail = 'Send exactly one of amount_fiat and amount_sats.';
  throw new Problem('invalid-request', detail, { errors: [{ pointer: '/amount_fiat', detail }] });
};

/** Another of the provider's options that has the same name and accepts the amount. It has terms of its own. */
type Other = { option: CatalogueOption; terms: Terms };
type Offered = { provider: Provider; terms: Terms } & (
  | { option: CatalogueOption; others: Other[]; listing: ProviderListing }
  | { refusal: Refusal }
  | { fault: FaultKind }
);

/** Returns the provider's own option for this request and the terms by which it is ranked, or the reason why we do not ask the provider. */
export const exchangeTerms = (gateway: Gateway, provider: Provider, { asked, number, catalogue, country }: Exchange): Offered => {
  const { core } = provider;
  const method = methodOf(gateway, provider, number.normalName);
  const listing = catalogue.byProvider.get(provider.id);
  const tiers = listing?.options.get(number.id) ?? [];
  const breaks = (tier: CatalogueOption): Outside => outsideOf(gateway, asked, provider.id, tier);
  const option = tierFor(tiers, breaks);
  const terms: Terms = {
    ...haircutTerms(gateway, provider, asked),
    preferenceBps: core.preference_bps,
    arrivalSeconds: core.arrival_seconds?.[method] ?? gateway.settings.routing.arrival_seconds[method],
  };
  if (option) {
    terms.named = { currency: option.currency, option: option.name };
    terms.limits = limitsOf(asked.ramp, option);
  }
  if (!listing) return { provider, terms, ...whyUnlisted(gateway, provider, asked.ramp) };
  if (country !== undefined && core.display.countries.length > 0 && !core.display.countries.includes(country.toUpperCase()))
    return { provider, terms, refusal: { reason: 'country-restricted' } };
  if (!option) {
    const sameCurrency = [...listing.options.values()].some(([other]) => normalForm(other?.currency ?? '') === normalForm(number.currencyCode));
    return { provider, terms, refusal: { reason: sameCurrency ? 'option-unsupported' : 'currency-unsupported' } };
  }
  const outside = breaks(option);
  if (outside === undefined) {
    const others = tiers.length === 1 ? [] : tiersFor(tiers, breaks).filter((tier) => tier !== option);
    const termsOf = (tier: CatalogueOption): Terms => ({
      ...terms,
      named: { currency: tier.currency, option: tier.name },
      limits: limitsOf(asked.ramp, tier),
    });
    return { provider, terms, option, others: others.map((tier) => ({ option: tier, terms: termsOf(tier) })), listing };
  }
  if (!isFiatFixed(asked)) return { provider, terms, refusal: { reason: outside, limits: limitsOf(asked.ramp, option) } };
  const { minFiat, maxFiat } = option;
  const broken = outside === 'below-minimum' ? { minFiat } : { maxFiat };
  return { provider, terms, refusal: { reason: outside, limits: limitsOf(asked.ramp, broken) } };
};

/** A provider's own option. */
export type Listed = { providerId: string; option: CatalogueOption };

/**
 * Returns which of the option's limits the amount breaks, if any. The result is exact if the fiat amount is fixed. If the sats are fixed, it follows
 * from the provider's last prices, and only a limit that is broken by far counts.
 */
const outsideOf = (gateway: Gateway, asked: ExchangeAsked, providerId: string, option: CatalogueOption): Outside => {
  if (!isFiatFixed(asked)) return farOutside(gateway, asked, { providerId, option });
  if (option.minFiat !== undefined && asked.amount < option.minFiat) return 'below-minimum';
  return option.maxFiat !== undefined && asked.amount > option.maxFiat ? 'above-maximum' : undefined;
};

/**
 * If the amount was in sats, and the provider refused it as too small, as too large or without a reason, but stated no limits, adds the listed
 * limits. They are in fiat, so a customer who asked in sats could not know them. If the provider gave no reason and the last prices show which limit
 * was broken, that becomes the reason. Other refusals stay unchanged.
 */
export const withListedLimits = (gateway: Gateway, asked: ExchangeAsked, listed: Listed, refusal: Refusal): Refusal => {
  const vague = refusal.reason === 'declined' || refusal.reason === 'below-minimum' || refusal.reason === 'above-maximum';
  const limits = limitsOf(asked.ramp, listed.option);
  if (!vague || refusal.limits !== undefined || isFiatFixed(asked) || Object.keys(limits).length === 0) return refusal;
  const reason = refusal.reason === 'declined' ? (outsideNow(gateway, asked, listed) ?? refusal.reason) : refusal.reason;
  return { ...refusal, reason, limits };
};

/** Returns listed limits, which are in fiat, as limits on what a buyer pays or what a seller gets. */
const limitsOf = (ramp: ExchangeRamp, { minFiat, maxFiat }: { minFiat?: bigint | undefined; maxFiat?: bigint | undefined }): Limits => {
  const [least, most] = sides[ramp].pay === 'fiat' ? (['minPay', 'maxPay'] as const) : (['minReceive', 'maxReceive'] as const);
  const limits: Limits = {};
  if (minFiat !== undefined) limits[least] = minFiat;
  if (maxFiat !== undefined) limits[most] = maxFiat;
  return limits;
};

/** Returns the part of the request that is stored with its offers. */
export const keptTerms = ({ number, country, payoutKinds }: Exchange): RouteTerms => ({
  currencyId: number.currencyId,
  paymentOptionId: number.id,
  optionName: number.name,
  ...(country === undefined ? {} : { country }),
  ...(payoutKinds.length === 0 ? {} : { payoutKinds: [...payoutKinds] }),
});

/** Rebuilds the request of a stored quote, so that it can be priced again. */
export const exchangeAgain = ({ route, terms }: StoredQuote): ExchangeRequest => {
  const asked = exchangeOf(route);
  return {
    currency_id: terms.currencyId,
    payment_option_id: terms.paymentOptionId,
    [amountNames[asked.ramp][asked.fixed]]: Number(asked.amount),
    country: terms.country,
    payout_kinds: terms.payoutKinds,
  };
};
