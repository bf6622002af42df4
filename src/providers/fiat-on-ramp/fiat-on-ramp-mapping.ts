/** From FLS01's words to ours and back. Pure; the standard's ambiguities are named where one is decided (A…). */
import type { z } from 'zod';
import { outwardLimits } from '../../domain/fee-styles.ts';
import { divCeil, divFloor } from '../../domain/money.ts';
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

type Units = Pick<Settings, 'minor_units'>;
/** The provider's units per whole unit of the currency. */
const unitsPerWhole = (currency: string, settings: Units): bigint => 10n ** BigInt(settings.minor_units === 'iso4217' ? exponentOf(currency) : 2);

/** Hundredths to the provider's units; undefined where that is no whole number. */
export const toUpstream = (hundredths: bigint, currency: string, settings: Units): bigint | undefined => {
  const scaled = hundredths * unitsPerWhole(currency, settings);
  return scaled % 100n === 0n ? scaled / 100n : undefined;
};

/** The nearest amount below, in hundredths, that the provider can be asked for. */
export const floorToUpstream = (hundredths: bigint, currency: string, settings: Units): bigint => {
  const units = unitsPerWhole(currency, settings);
  return units >= 100n ? hundredths : hundredths - (hundredths % (100n / units));
};

/** The provider's units to hundredths: what the customer pays must be exact, so undefined where it is no whole number. */
const exactly = (amount: bigint, currency: string, settings: Units): bigint | undefined => {
  const units = unitsPerWhole(currency, settings);
  return (amount * 100n) % units === 0n ? (amount * 100n) / units : undefined;
};
const roundedUp = (amount: bigint, currency: string, settings: Units): bigint => divCeil(amount * 100n, unitsPerWhole(currency, settings));
const roundedDown = (amount: bigint, currency: string, settings: Units): bigint => divFloor(amount * 100n, unitsPerWhole(currency, settings));

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
    if (code === '' || !wanted(code, key, settings)) return [];
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
    const code = one.currency.toUpperCase();
    return wanted(code, undefined, settings) ? toOption(code, one.name, { currency_id: one.currency_id, id: one.id }, one.fee_rate, min, max, settings) : [];
  });

/** Allowed by its code or by the key it is listed under (codes need not be ISO: "Signet BTC" under "sbtc"), and in units that are stated. */
const wanted = (code: string, key: string | undefined, settings: Settings): boolean =>
  (settings.currencies === undefined || settings.currencies.some((one) => one.toUpperCase() === code || one.toUpperCase() === key?.toUpperCase())) &&
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
    ...(min === undefined || min <= 0n ? {} : { min: roundedUp(min, currency, settings) }),
    ...(max === undefined || max <= 0n ? {} : { max: roundedDown(max, currency, settings) }),
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

/** Everything the customer pays, in the provider's units: for `added` the fee comes on top of its amount_fiat. */
const totalOf = (amount: bigint, fee: bigint, settings: Settings): bigint => (settings.fee_style === 'added' ? amount + fee : amount);

/** Amounts are not judged here. Undefined when the total is no whole number of hundredths: such an offer cannot be shown as it is. */
export const toOffer = (wire: z.output<typeof quoteWire>, option: CatalogueOption, settings: Settings): ProviderOffer | undefined => {
  const receive = satsOf(wire);
  if (receive === undefined) throw new ProviderFault('malformed', 'a quote without an amount in sats');
  const { currency } = option;
  const fee = wire.order_fee ?? 0n;
  const pay = exactly(totalOf(wire.amount_fiat, fee, settings), currency, settings);
  if (pay === undefined) return undefined;
  return {
    pay,
    receive,
    fee: roundedUp(fee, currency, settings),
    binding: wire.is_estimate === false,
    ...(wire.expires_on === undefined ? {} : { expiresOn: wire.expires_on }),
    upstream: { quote_id: wire.quote_id },
    facts: {
      currency,
      ...(wire.btc_price === undefined ? {} : { provider_btc_price: roundedUp(wire.btc_price, currency, settings).toString() }),
    },
    echo: echoOf(wire, option),
    requires: [],
    warnings: [],
  };
};

// ---- orders ----------------------------------------------------------------------------------------------------------------------------

const stages: Record<string, Stage> = { placed: 'awaiting_payment', filled: 'filled', finished: 'finished', refunded: 'refunded' };
const toStage = (status: string): Stage | undefined => {
  const word = status.trim().toLowerCase();
  return Object.hasOwn(stages, word) ? stages[word] : undefined;
};

/**
 * Missing, null, "" and [] are nothing; keys pass through, values become text (A18). Keys beside payment_details, a payment reference for one
 * (A19), go into it: without the reference the customer's transfer is not recognised.
 */
export const toPaymentInfo = (given: unknown): PaymentInfo => {
  if (!isObject(given)) return { kind: 'none' };
  const { payment_option_id: _, payment_url: url, payment_details: details, ...beside } = given;
  const named = Object.entries({ ...beside, ...(isObject(details) ? details : {}) }).flatMap(([key, value]) => {
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    return text === '' || text.length > 500 ? [] : [[key, text] as const];
  });
  const paymentUrl = typeof url === 'string' && url !== '' ? url : undefined;
  if (paymentUrl === undefined && named.length === 0) return { kind: 'none' };
  return {
    kind: 'fiat',
    ...(paymentUrl === undefined ? {} : { paymentUrl }),
    ...(named.length === 0 ? {} : { paymentDetails: Object.fromEntries(named) }),
  };
};
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Amounts that the order does not repeat are the quote's. */
export const toPlaced = (wire: z.output<typeof orderWire>, option: CatalogueOption, offer: ProviderOffer, settings: Settings): PlacedOrder => {
  const { currency } = option;
  const fee = wire.order_fee === undefined ? offer.fee : roundedUp(wire.order_fee, currency, settings);
  const quotedFee = wire.order_fee ?? toUpstream(offer.fee, currency, settings) ?? 0n;
  const pay = wire.amount_fiat === undefined ? offer.pay : exactly(totalOf(wire.amount_fiat, quotedFee, settings), currency, settings);
  if (pay === undefined) throw new ProviderFault('malformed', 'an order over a fraction of a hundredth');
  return {
    upstreamOrderId: wire.order_id,
    stage: toStage(wire.order_status ?? 'placed') ?? 'awaiting_payment',
    rawStatus: wire.order_status ?? '',
    pay,
    receive: satsOf(wire) ?? offer.receive,
    fee,
    ...(wire.expires_on === undefined ? {} : { expiresOn: wire.expires_on }),
    paymentInfo: toPaymentInfo(wire.payment_info),
    echo: echoOf(wire, option),
  };
};

/** Whether an answer is a listing at all: `{"message": …}` under 200 says nothing about the orders of a session. */
export const isListing = (wire: z.output<typeof statusWire>): boolean =>
  wire === null || Array.isArray(wire) || 'order_status' in wire || Object.keys(wire).length === 0 || Object.values(wire).some(isObject);

/**
 * Every order that an answer of /order-status tells of (A9); what is no order (a message, an empty list) is none. Ids of currencies and options
 * are not read here: they mean something within one listing only (A5), and an order outlives it.
 */
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

const toOne = (entry: unknown, id: string | undefined, ordered: string | undefined, settings: Settings): OrderEvidence[] => {
  const parsed = statusEntryWire.safeParse(entry);
  if (!parsed.success) return [];
  const wire = parsed.data;
  const upstreamOrderId = id ?? wire.order_id;
  const stage = toStage(wire.order_status);
  const receive = satsOf(wire);
  // Hundredths are hundredths in every currency; only a provider of ISO units has to be read with the currency of the order.
  const currency = ordered ?? (settings.minor_units === 'iso4217' ? undefined : '');
  const fee = wire.order_fee === undefined || currency === undefined ? undefined : roundedUp(wire.order_fee, currency, settings);
  // Without the fee, an amount of the style `added` is not what the customer pays.
  const total = settings.fee_style === 'added' && wire.order_fee === undefined ? undefined : wire.amount_fiat;
  const pay = total === undefined || currency === undefined ? undefined : exactly(totalOf(total, wire.order_fee ?? 0n, settings), currency, settings);
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
