/** From FLS01's words to ours and back. Pure; the standard's ambiguities are named where one is decided (A…). */
import type { z } from 'zod';
import { outwardLimits } from '../../domain/fee-styles.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import type { Stage } from '../../domain/order.ts';
import { ProviderFault } from '../fault.ts';
import type { CatalogueOption, Features, OrderEvidence, PaymentInfo, PlacedOrder } from '../spec.ts';
import {
  currencyWire,
  optionWire,
  statusEntryWire,
  type featuresWire,
  type orderWire,
  type paymentOptionsWire,
  type quoteWire,
  type statusWire,
} from './fiat-on-ramp-wire.ts';
import type { Settings } from './fiat-on-ramp-settings.ts';

export type UpstreamOption = { currency_id: number; id: number };
/** Our own note in a CatalogueOption, written by toOptions. */
export const upstreamOption = (option: CatalogueOption): UpstreamOption => option.upstream as UpstreamOption;

// ---- minor units -----------------------------------------------------------------------------------------------------------------------

/** ISO 4217 exponents that are not 2. */
const exponents: Record<string, number> = {
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
};
const exponentOf = (currency: string): number => exponents[currency.toUpperCase()] ?? 2;

/** Hundredths to the provider's units; undefined where that is no whole number. */
export const toUpstream = (hundredths: bigint, currency: string, settings: Pick<Settings, 'minor_units'>): bigint | undefined => {
  const exponent = settings.minor_units === 'iso4217' ? exponentOf(currency) : 2;
  const scaled = hundredths * 10n ** BigInt(exponent);
  return scaled % 100n === 0n ? scaled / 100n : undefined;
};

/** The provider's units to hundredths, rounded up: the customer is never told less than he pays. */
const fromUpstream = (amount: bigint, currency: string, settings: Pick<Settings, 'minor_units'>): bigint => {
  const unit = 10n ** BigInt(settings.minor_units === 'iso4217' ? exponentOf(currency) : 2);
  return (amount * 100n + unit - 1n) / unit;
};

// ---- listing ---------------------------------------------------------------------------------------------------------------------------

const truthy = (value: unknown): boolean => value === true || value === 1 || (typeof value === 'string' && /^true$/i.test(value));
const known = ['quotes', 'estimates', 'on_chain_fallback', 'webhook'] as const;

/** Several objects are OR-ed, names count as true, unknown ones are left aside (A3). */
export const toFeatures = ({ supported_features: given }: z.output<typeof featuresWire>): Features => {
  const parts = Array.isArray(given) ? given : given ? [given] : [];
  const has = (name: string): boolean => parts.some((part) => (typeof part === 'string' ? part === name : truthy(part[name])));
  const features = Object.fromEntries(known.map((name) => [name, has(name)]));
  return {
    quotes: features['quotes'] ?? false,
    estimates: features['estimates'] ?? false,
    on_chain_fallback: features['on_chain_fallback'] ?? false,
    webhook: features['webhook'] ?? false,
  };
};

/** Every shape of `currencies` that is met (A4). A currency whose ISO exponent is not 2 needs `minor_units` in the configuration. */
export const toOptions = ({ currencies: given }: z.output<typeof paymentOptionsWire>, settings: Settings): CatalogueOption[] => {
  const items: [string | undefined, unknown][] = Array.isArray(given)
    ? given.flatMap((item): [string | undefined, unknown][] => ('currency_id' in item ? [[undefined, item]] : Object.entries(item)))
    : Object.entries(given ?? {});
  return items.flatMap(([key, value]) => {
    const currency = currencyWire.safeParse(value);
    if (!currency.success) return [];
    const code = (currency.data.currency_code ?? key ?? '').toUpperCase();
    if (code === '' || !wanted(code, settings)) return [];
    return (currency.data.payment_options ?? []).flatMap((raw) => {
      const option = optionWire.safeParse(raw);
      if (!option.success) return [];
      const { option: name, id, fee_rate: rate = 0, min_amount: min, max_amount: max } = option.data;
      return toOption(code, name, { currency_id: currency.data.currency_id, id }, rate, min, max, settings);
    });
  });
};

export const staticOptions = (settings: Settings): CatalogueOption[] =>
  (settings.options ?? []).flatMap((one) => {
    const [min, max] = [one.min_amount, one.max_amount].map((amount) => (amount === undefined ? undefined : BigInt(amount)));
    return toOption(one.currency.toUpperCase(), one.name, { currency_id: one.currency_id, id: one.id }, one.fee_rate, min, max, settings);
  });

const wanted = (code: string, settings: Settings): boolean =>
  (settings.currencies === undefined || settings.currencies.some((one) => one.toUpperCase() === code)) &&
  (exponentOf(code) === 2 || settings.minor_units !== undefined);

const toOption = (
  currency: string,
  name: string,
  upstream: UpstreamOption,
  rate: number,
  min: bigint | undefined,
  max: bigint | undefined,
  settings: Settings,
): CatalogueOption[] => {
  if (!Number.isFinite(rate) || rate < 0 || rate > 0.5) return [];
  const feePpm = Math.round(rate * 1_000_000);
  const limits = {
    ...(min === undefined || min <= 0n ? {} : { min: fromUpstream(min, currency, settings) }),
    ...(max === undefined || max <= 0n ? {} : { max: fromUpstream(max, currency, settings) }),
  };
  const outward = outwardLimits(limits, feePpm, settings.fee_style);
  return [
    {
      currency,
      name,
      upstream,
      feePpm,
      ...(outward.min === undefined ? {} : { minFiat: outward.min }),
      ...(outward.max === undefined ? {} : { maxFiat: outward.max }),
    },
  ];
};

// ---- quotes ----------------------------------------------------------------------------------------------------------------------------

const satsOf = (wire: { amount_sats?: bigint | undefined; amount_btc?: bigint | undefined }): bigint | undefined => wire.amount_sats ?? wire.amount_btc;

/** The names of what an answer says it is about; another id than asked for becomes a name that cannot match. */
const echoOf = (
  wire: { currency_id?: number | undefined; payment_option_id?: number | undefined },
  option: CatalogueOption,
): { currency?: string; option?: string } => {
  const asked = upstreamOption(option);
  return {
    ...(wire.currency_id === undefined ? {} : { currency: wire.currency_id === asked.currency_id ? option.currency : `id ${wire.currency_id}` }),
    ...(wire.payment_option_id === undefined ? {} : { option: wire.payment_option_id === asked.id ? option.name : `id ${wire.payment_option_id}` }),
  };
};

/** `pay` is everything the customer pays: for `added` the fee comes on top of the provider's amount_fiat. Amounts are not judged here. */
export const toOffer = (wire: z.output<typeof quoteWire>, option: CatalogueOption, settings: Settings): ProviderOffer => {
  const receive = satsOf(wire);
  if (receive === undefined) throw new ProviderFault('malformed', 'a quote without an amount in sats');
  const fee = fromUpstream(wire.order_fee ?? 0n, option.currency, settings);
  const amount = fromUpstream(wire.amount_fiat, option.currency, settings);
  return {
    pay: settings.fee_style === 'added' ? amount + fee : amount,
    receive,
    fee,
    binding: wire.is_estimate === false,
    ...(wire.expires_on === undefined ? {} : { expiresOn: wire.expires_on }),
    upstream: { quote_id: wire.quote_id },
    facts: {
      currency: option.currency,
      ...(wire.btc_price === undefined ? {} : { provider_btc_price: fromUpstream(wire.btc_price, option.currency, settings).toString() }),
    },
    echo: echoOf(wire, option),
    requires: [],
    warnings: [],
  };
};

// ---- orders ----------------------------------------------------------------------------------------------------------------------------

const stages: Record<string, Stage> = { placed: 'awaiting_payment', filled: 'filled', finished: 'finished', refunded: 'refunded' };
const toStage = (status: string): Stage | undefined => stages[status.trim().toLowerCase()];

/** Missing, null, "" and [] are nothing; values of payment_details become text; keys pass through (A18, A19). */
const toPaymentInfo = (given: unknown): PaymentInfo => {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { kind: 'none' };
  const { payment_url: url, payment_details: details } = given as { payment_url?: unknown; payment_details?: unknown };
  const texts =
    typeof details === 'object' && details !== null && !Array.isArray(details)
      ? Object.entries(details).flatMap(([key, value]) => (typeof value === 'string' || typeof value === 'number' ? [[key, String(value)] as const] : []))
      : [];
  const named = texts.filter(([, value]) => value !== '' && value.length <= 500);
  if ((typeof url !== 'string' || url === '') && named.length === 0) return { kind: 'none' };
  return {
    kind: 'fiat',
    ...(typeof url === 'string' && url !== '' ? { paymentUrl: url } : {}),
    ...(named.length === 0 ? {} : { paymentDetails: Object.fromEntries(named) }),
  };
};

/** Amounts that the order does not repeat are the quote's. */
export const toPlaced = (wire: z.output<typeof orderWire>, option: CatalogueOption, offer: ProviderOffer, settings: Settings): PlacedOrder => {
  const fee = wire.order_fee === undefined ? offer.fee : fromUpstream(wire.order_fee, option.currency, settings);
  const amount = wire.amount_fiat === undefined ? undefined : fromUpstream(wire.amount_fiat, option.currency, settings);
  return {
    upstreamOrderId: wire.order_id,
    stage: toStage(wire.order_status ?? 'placed') ?? 'awaiting_payment',
    rawStatus: wire.order_status ?? '',
    pay: amount === undefined ? offer.pay : settings.fee_style === 'added' ? amount + fee : amount,
    receive: satsOf(wire) ?? offer.receive,
    fee,
    ...(wire.expires_on === undefined ? {} : { expiresOn: wire.expires_on }),
    paymentInfo: toPaymentInfo(wire.payment_info),
    echo: echoOf(wire, option),
  };
};

/** Every order that an answer of /order-status tells of (A9); what is no order (a message, an empty list) is none. */
export const toEvidence = (
  wire: z.output<typeof statusWire>,
  askedId: string | undefined,
  currency: string | undefined,
  settings: Settings,
): OrderEvidence[] => {
  if (wire === null) return [];
  if (Array.isArray(wire)) return wire.flatMap((entry) => toOne(entry, undefined, currency, settings));
  if ('order_status' in wire) return toOne(wire, askedId, currency, settings);
  return Object.entries(wire).flatMap(([id, entry]) => toOne(entry, id, currency, settings));
};

const toOne = (entry: unknown, id: string | undefined, currency: string | undefined, settings: Settings): OrderEvidence[] => {
  const parsed = statusEntryWire.safeParse(entry);
  if (!parsed.success) return [];
  const wire = parsed.data;
  const upstreamOrderId = id ?? wire.order_id;
  const stage = toStage(wire.order_status);
  const receive = satsOf(wire);
  const fee = wire.order_fee === undefined || currency === undefined ? undefined : fromUpstream(wire.order_fee, currency, settings);
  const amount = wire.amount_fiat === undefined || currency === undefined ? undefined : fromUpstream(wire.amount_fiat, currency, settings);
  // Without the fee, an amount of the style `added` is not what the customer pays.
  const pay = amount === undefined ? undefined : settings.fee_style === 'included' ? amount : fee === undefined ? undefined : amount + fee;
  return [
    {
      rawStatus: wire.order_status,
      ...(upstreamOrderId === undefined ? {} : { upstreamOrderId }),
      ...(stage === undefined ? {} : { stage }),
      ...(pay === undefined ? {} : { pay }),
      ...(receive === undefined ? {} : { receive }),
      ...(fee === undefined ? {} : { fee }),
      ...(wire.order_status_date === undefined ? {} : { statusOn: wire.order_status_date }),
      ...(wire.expires_on === undefined ? {} : { expiresOn: wire.expires_on }),
    },
  ];
};
