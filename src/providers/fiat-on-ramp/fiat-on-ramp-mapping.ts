/** Maps FLS01's words to ours and back. Where the standard is silent or ambiguous, README.md says what we chose. Pure. */
import type * as z from 'zod';
import { outwardLimits } from '../../domain/fee-styles.ts';
import { readCurrencyCode } from '../../domain/currency.ts';
import { defined } from '../../domain/defined.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import type { Stage } from '../../domain/order.ts';
import { isDelivered, progressOf, saysMoney, withoutUntold } from '../../domain/order-life.ts';
import { printableName } from '../../domain/printable.ts';
import { sameId } from '../../domain/same-id.ts';
import { ProviderFault } from '../fault.ts';
import type { CatalogueOption, Features, OrderEvidence, PlacedOrder } from '../spec.ts';
import { toPaymentInfo } from './fiat-on-ramp-payment.ts';
import { wireKey } from '../kit/wire-values.ts';
import { exactly, isCounted, roundedDown, roundedUp, toUpstream } from './fiat-on-ramp-units.ts';
import {
  currencyWire,
  optionWire,
  statusEntryWire,
  statusIdWire,
  type featuresWire,
  type orderWire,
  type paymentOptionsWire,
  type quoteWire,
  type statusWire,
} from './fiat-on-ramp-wire.ts';
import type { Settings } from './fiat-on-ramp-settings.ts';

export type UpstreamOption = { currency_id: number; id: number };
/** Reads the ids that toOptions or staticOptions put into a CatalogueOption. */
export const upstreamOption = (option: CatalogueOption): UpstreamOption => option.upstream as UpstreamOption;

// ---- listing ---------------------------------------------------------------------------------------------------------------------------

const truthy = (value: unknown): boolean => value === true || value === 1 || (typeof value === 'string' && /^true$/i.test(value));
const known = ['quotes', 'estimates', 'on_chain_fallback', 'webhook'] as const;

/** Reads the features. Several objects are combined by OR, a bare name counts as true, and unknown names are ignored. */
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

/** The most payment options that are kept per provider. Listings are read often, and every customer gets those of all providers. */
const mostOptions = 100;
/**
 * The most entries (currencies and options together) that are parsed to find options, and the most unreadable orders in one answer. Entries that do not
 * match the schema take the most time.
 */
const mostEntries = 1_000;

/**
 * Reads every known shape of `currencies`. Returns each listed option, even if a currency or a name is listed twice. Leaves out currencies whose ISO
 * exponent is not 2, unless the configuration states their `minor_units`.
 */
export const toOptions = ({ currencies: given }: z.output<typeof paymentOptionsWire>, settings: Settings): CatalogueOption[] => {
  const items: [string | undefined, unknown][] = Array.isArray(given)
    ? given.flatMap((item): [string | undefined, unknown][] => ('currency_id' in item ? [[undefined, item]] : Object.entries(item)))
    : Object.entries(given ?? {});
  const options: CatalogueOption[] = [];
  const left = { entries: mostEntries };
  for (const [key, value] of items) {
    // The rest is not even parsed, because parsing it would slow down every request.
    if (options.length >= mostOptions || left.entries <= 0) break;
    options.push(...currencyOptions(key, value, settings, left));
  }
  return options.slice(0, mostOptions);
};

const currencyOptions = (key: string | undefined, value: unknown, settings: Settings, left: { entries: number }): CatalogueOption[] => {
  left.entries -= 1;
  const currency = currencyWire.safeParse(value);
  if (!currency.success) return [];
  const code = readCurrencyCode(currency.data.currency_code || (key ?? ''));
  if (code === undefined || !wanted(code, key, settings)) return [];
  const listed = (currency.data.payment_options ?? []).slice(0, Math.min(mostOptions, left.entries));
  left.entries -= listed.length;
  return listed.flatMap((raw) => {
    const option = optionWire.safeParse(raw);
    if (!option.success) return [];
    const { option: name, id, fee_rate: rate = 0, min_amount: min, max_amount: max } = option.data;
    return toOption({ currency: code, name, upstream: { currency_id: currency.data.currency_id, id }, rate, min, max }, settings);
  });
};

export const staticOptions = (settings: Settings): CatalogueOption[] =>
  (settings.options ?? []).flatMap((one) => {
    const [min, max] = [one.min_amount, one.max_amount].map((amount) => (amount === undefined ? undefined : BigInt(amount)));
    const code = one.currency.toUpperCase();
    if (!wanted(code, undefined, settings)) return [];
    return toOption({ currency: code, name: one.name, upstream: { currency_id: one.currency_id, id: one.id }, rate: one.fee_rate, min, max }, settings);
  });

/**
 * Returns whether a currency is offered: the setting `currencies` allows its code or its key in the provider's list (codes need not be ISO: "Signet
 * BTC" under the key "sbtc"), and its units are known.
 */
const wanted = (code: string, key: string | undefined, settings: Settings): boolean =>
  (settings.currencies === undefined || settings.currencies.some((one) => one.toUpperCase() === code || one.toUpperCase() === key?.toUpperCase())) &&
  isCounted(code, settings);

/** The largest amount that a JSON number holds exactly. No customer pays more. */
const mostUnits = BigInt(Number.MAX_SAFE_INTEGER);
const isLimit = (amount: bigint | undefined): amount is bigint => amount !== undefined && amount > 0n && amount <= mostUnits;

type ListedOption = { currency: string; name: string; upstream: UpstreamOption; rate: number; min: bigint | undefined; max: bigint | undefined };
const toOption = ({ currency, name: listed, upstream, rate, min, max }: ListedOption, settings: Settings): CatalogueOption[] => {
  const name = printableName(listed);
  if (name === undefined || !Number.isFinite(rate) || rate < 0 || rate > 0.5) return [];
  const feePpm = Math.round(rate * 1_000_000);
  const limits = {
    ...(isLimit(min) ? { min: roundedUp(min, currency, settings) } : {}),
    ...(isLimit(max) ? { max: roundedDown(max, currency, settings) } : {}),
  };
  const outward = outwardLimits(limits, feePpm, settings.fee_style);
  return [
    {
      currency,
      name,
      upstream,
      feePpm,
      ...(isLimit(outward.min) ? { minFiat: outward.min } : {}),
      ...(isLimit(outward.max) ? { maxFiat: outward.max } : {}),
    },
  ];
};

// ---- quotes ----------------------------------------------------------------------------------------------------------------------------

const satsOf = (wire: { amount_sats?: bigint | undefined; amount_btc?: bigint | undefined }): bigint | undefined => wire.amount_sats ?? wire.amount_btc;

/**
 * Returns the names of the currency and option that an answer says it is for. An id other than the requested one becomes a name that cannot match.
 */
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

/** Returns everything that the customer pays, in the provider's units. With the fee style `added`, the fee comes on top of amount_fiat. */
const totalOf = (amount: bigint, fee: bigint, settings: Settings): bigint => (settings.fee_style === 'added' ? amount + fee : amount);

/**
 * Maps a quote without checking its amounts. Returns undefined if the total is not a whole number of hundredths, because such an offer could not
 * be shown exactly.
 */
export const toOffer = (wire: z.output<typeof quoteWire>, option: CatalogueOption, settings: Settings): ProviderOffer | undefined => {
  const receive = satsOf(wire);
  if (receive === undefined) throw new ProviderFault('malformed', 'the quote has no amount in sats');
  if (wire.expires_on === 'unreadable') throw new ProviderFault('malformed', 'the expiry of the quote cannot be read');
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
    // An order that does not repeat the fee has this one. `fee` above may be rounded.
    upstream: { quote_id: wire.quote_id, ...(settings.fee_style === 'added' ? { order_fee: fee.toString() } : {}) },
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
/**
 * Status words of other protocols for an order that was paid or can no longer be paid, so that the customer is not shown how to pay it. No word of
 * another protocol is read as a delivery.
 */
const otherWords: [Stage, RegExp][] = [
  ['expired', /^(?:(?:payment|order)_?)?(?:expired|lapsed|timed?_?out)$/],
  ['failed', /^(?:(?:payment|order)_?)?(?:failed|failure|error|errored|cancell?ed|rejected|declined|denied|refused|blocked|aborted|void|voided|invalid)$/],
  ['paid', /^(?:paid|payment_?(?:received|confirmed|completed?))$/],
];
const toStage = (status: string): Stage | undefined => {
  const word = status.trim().toLowerCase();
  if (Object.hasOwn(stages, word)) return stages[word];
  const joined = word.replaceAll(/[\s-]+/g, '_');
  return otherWords.find(([, words]) => words.test(joined))?.[0];
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Maps a placed order. Amounts that the order does not repeat are taken from the quote, and so is the fee if the order's is impossible. If the fee is
 * impossible or the expiry unreadable, the customer is not shown how to pay.
 */
export const toPlaced = (wire: z.output<typeof orderWire>, option: CatalogueOption, offer: ProviderOffer, settings: Settings): PlacedOrder => {
  const { currency } = option;
  const told = wire.order_fee === undefined ? offer.fee : roundedUp(wire.order_fee, currency, settings);
  // An offer that was stored by the previous release has no order_fee.
  const { order_fee: quoted } = offer.upstream as { order_fee?: string };
  const quotedFee = wire.order_fee ?? (quoted === undefined ? toUpstream(offer.fee, currency, settings) : BigInt(quoted)) ?? 0n;
  const pay = wire.amount_fiat === undefined ? offer.pay : exactly(totalOf(wire.amount_fiat, quotedFee, settings), currency, settings);
  if (pay === undefined) throw new ProviderFault('malformed', 'the total of the order is not a whole number of hundredths');
  const isPossible = told >= 0n && told <= pay;
  const problem =
    wire.expires_on === 'unreadable' ? 'the expiry of the order cannot be read' : isPossible ? undefined : 'the fee is negative, or higher than the total';
  return {
    upstreamOrderId: wire.order_id,
    stage: toStage(wire.order_status ?? 'placed') ?? 'awaiting_payment',
    rawStatus: wire.order_status ?? '',
    pay,
    receive: satsOf(wire) ?? offer.receive,
    fee: isPossible ? told : offer.fee,
    ...(typeof wire.expires_on === 'number' ? { expiresOn: wire.expires_on } : {}),
    paymentInfo: problem === undefined ? toPaymentInfo(wire.payment_info) : { kind: 'none', problem },
    echo: echoOf(wire, option),
  };
};

/** Returns whether an answer is a list of orders: `{"message": …}` with status 200 says nothing about the orders of a session. */
export const isListing = (wire: z.output<typeof statusWire>): boolean =>
  wire === null || Array.isArray(wire) || 'order_status' in wire || Object.keys(wire).length === 0 || Object.values(wire).some(isObject);

/**
 * Returns what an answer of /order-status says about orders. Skips everything that is not an order. Ignores ids of currencies and options: they are
 * valid only within one listing, and an order outlives it.
 */
export const toEvidence = (
  wire: z.output<typeof statusWire>,
  askedId: string | undefined,
  currency: string | undefined,
  settings: Settings,
): OrderEvidence[] => {
  let unreadable = 0;
  const read = (entry: unknown, key?: string, ofAsked?: string): OrderEvidence[] => {
    const whole = statusEntryWire.safeParse(entry);
    const id = whole.success ? whole : statusIdWire.safeParse(entry);
    if (!whole.success) unreadable += 1;
    if (unreadable > mostEntries) throw new ProviderFault('malformed', `more than ${mostEntries} orders cannot be read`);
    if (!id.success) return [];
    const named = key ?? id.data.order_id ?? ofAsked;
    if (!wireKey.optional().safeParse(named).success) return [];
    // An entry whose order_id differs from its key is evidence for neither order.
    if (named !== undefined && id.data.order_id !== undefined && !sameId(named, id.data.order_id)) return [];
    const upstreamOrderId = named !== undefined && askedId !== undefined && sameId(named, askedId) ? askedId : named;
    return [
      {
        rawStatus: id.data.order_status,
        ...(upstreamOrderId === undefined ? {} : { upstreamOrderId }),
        ...(whole.success ? toldOf(whole.data, currency, settings) : oddlyTold(id.data.order_status)),
      },
    ];
  };
  if (wire === null) return [];
  if (Array.isArray(wire)) return oneOfEach(bounded(wire).flatMap((entry) => read(entry)));
  // A single entry without a map is about the requested order, unless it names another order.
  if ('order_status' in wire) return read(wire, undefined, askedId);
  const entries = Object.entries(wire);
  const wanted = askedId === undefined ? [] : entries.filter(([id]) => sameId(id, askedId));
  // If the answer has the order that was asked for, the others are not read.
  return oneOfEach(bounded(wanted.length > 0 ? wanted : entries).flatMap(([id, entry]) => read(entry, id)));
};

/** Throws if an answer has so many rows that reading them would hold up all other requests. */
const bounded = <T>(rows: T[]): T[] => {
  if (rows.length > mostRows) throw new ProviderFault('malformed', `more than ${mostRows} rows about orders`);
  return rows;
};

/** The most rows in one answer about orders. */
const mostRows = 4_000;

/** The most characters of a status that joins the words of several rows: a list may have thousands of rows. */
const mostStatus = 200;

/**
 * Returns one row for each order. A list may have several rows about one order, for example one for each status that it had: the row whose status
 * began last counts. If the dates do not decide that, the row that is furthest on the way to delivery counts, as long as all candidates are on that
 * way and their amounts agree. Otherwise the order goes to review. Money that any row shows is kept, unless it went back.
 */
const oneOfEach = (rows: OrderEvidence[]): OrderEvidence[] => {
  const lastOf = (id: string, some: OrderEvidence[]): OrderEvidence => {
    const last = Math.max(...some.map(({ statusOn = 0 }) => statusOn));
    const latest = some.filter(({ statusOn }) => statusOn === undefined || statusOn === last).toSorted((a, b) => (b.statusOn ?? 0) - (a.statusOn ?? 0));
    const furthest = latest.reduce((a, b) => (isBefore(a, b) ? b : a));
    const amounts = agreedAmounts(latest);
    if (latest.every((row) => isSameNews(row, furthest) || (amounts && isBefore(row, furthest)))) return withMoneyOf(some, furthest);
    const rawStatus = [...new Set(latest.map((row) => row.rawStatus))].toSorted().join(', ').slice(0, mostStatus);
    // If a row says refunded, the provider no longer holds the money, unless another row says that the order was delivered.
    const isBack = latest.some(({ stage }) => stage === 'refunded') && !latest.some(({ stage }) => isDelivered(stage));
    return { upstreamOrderId: id, rawStatus, stage: 'review', ...amounts, ...(some.some(saysMoney) && !isBack ? { moneySeen: true } : {}) };
  };
  const byId = Map.groupBy(rows, ({ upstreamOrderId }) => upstreamOrderId);
  return [...byId].flatMap(([id, some]) => (id === undefined || some.length === 1 ? some : [lastOf(id, some)]));
};
/** Sets `moneySeen` on the row that counts if that row shows no money, another row does, and no row shows a refund. */
const withMoneyOf = (rows: OrderEvidence[], last: OrderEvidence): OrderEvidence => {
  const isForgotten = !saysMoney(last) && rows.some(saysMoney) && rows.every(({ stage }) => stage !== 'refunded');
  return isForgotten ? { ...last, moneySeen: true } : last;
};
/** Returns whether both rows are on the way to delivery, and `a` is not as far along as `b`. */
const isBefore = (a: OrderEvidence, b: OrderEvidence): boolean => {
  const [from, to] = [progressOf(a.stage), progressOf(b.stage)];
  return from !== undefined && to !== undefined && from < to;
};
/** Returns the amounts that the rows state, or undefined if two rows state different ones. */
const agreedAmounts = (rows: OrderEvidence[]): Pick<OrderEvidence, 'pay' | 'receive' | 'fee'> | undefined => {
  const told = rows.map((row) => withoutUntold(row));
  const [pay, receive, fee] = (['pay', 'receive', 'fee'] as const).map((name) => new Set(told.flatMap((row) => row[name] ?? [])));
  if ([pay, receive, fee].some((amounts) => (amounts?.size ?? 0) > 1)) return undefined;
  return defined({ pay: pay?.values().next().value, receive: receive?.values().next().value, fee: fee?.values().next().value });
};
const isSameNews = (a: OrderEvidence, b: OrderEvidence): boolean =>
  a.rawStatus === b.rawStatus && a.stage === b.stage && a.pay === b.pay && a.receive === b.receive && a.fee === b.fee;

/** Returns whether an order was delivered or refunded. Before that, an amount of 0 means that the provider does not state it yet. */
const isDone = (stage: Stage | undefined): boolean => stage === 'filled' || stage === 'finished' || stage === 'refunded';

/** Returns the stage `review`, because the amounts cannot be true. The status is not believed either, but money that it reports is noted. */
const oddlyTold = (status: string): Pick<OrderEvidence, 'stage' | 'moneySeen'> => {
  const stage = toStage(status);
  return { stage: 'review', ...(stage !== 'refunded' && saysMoney({ stage }) ? { moneySeen: true } : {}) };
};

/** Maps one status entry, unless its amounts are impossible. */
const toldOf = (
  wire: z.output<typeof statusEntryWire>,
  ordered: string | undefined,
  settings: Settings,
): Omit<OrderEvidence, 'rawStatus' | 'upstreamOrderId'> => {
  const stage = toStage(wire.order_status);
  const receive = satsOf(wire);
  // Amounts in hundredths can be read without knowing the order's currency. Amounts in ISO units cannot.
  const isPlain = settings.minor_units === undefined || settings.minor_units === 'hundredth';
  const currency = ordered ?? (isPlain ? '' : undefined);
  const fee = wire.order_fee === undefined || currency === undefined ? undefined : roundedUp(wire.order_fee, currency, settings);
  // With the style `added`, an amount without the fee is not what the customer pays.
  const total = settings.fee_style === 'added' && wire.order_fee === undefined ? undefined : wire.amount_fiat;
  const pay = total === undefined || currency === undefined ? undefined : exactly(totalOf(total, wire.order_fee ?? 0n, settings), currency, settings);
  if (
    [pay, receive, fee].some((amount) => amount !== undefined && (amount < 0n || amount > mostUnits)) ||
    (pay !== undefined && fee !== undefined && fee > pay && (pay > 0n || isDone(stage)))
  )
    return oddlyTold(wire.order_status);
  return {
    ...(stage === undefined ? {} : { stage }),
    ...(pay === undefined ? {} : { pay }),
    ...(receive === undefined ? {} : { receive }),
    ...(fee === undefined ? {} : { fee }),
    ...(wire.order_status_date === undefined ? {} : { statusOn: wire.order_status_date }),
    // An unreadable expiry does not replace the known one.
    ...(typeof wire.expires_on === 'number' ? { expiresOn: wire.expires_on } : {}),
  };
};
