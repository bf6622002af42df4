/** Prices and limits of the simulated DFX. Exact until the last step, which rounds to DFX's display numbers. */
import * as amounts from './dfx.simulator-amounts.ts';
import type { Fraction, Unit } from './dfx.simulator-amounts.ts';
import type { QuoteRequest } from './dfx.simulator-request.ts';
import type { QuoteError, Settled, SimulatedAsset, SimulatedCurrency } from './dfx.simulator-state.ts';

const { bps, hundredths, isLess, larger, minus, over, plus, roundDown, roundFee, roundHalfUp, shown, times, zero } = amounts;
const one: Fraction = { n: 1n, d: 1n };

export type Ramp = 'buy' | 'sell';
type Limits = { least: Fraction; most: Fraction };

/** Converts hundredths of CHF to the currency. If the catalogue has no CHF, the currency is worth as much as CHF. */
const ofChf = (options: Settled, currency: SimulatedCurrency, francs: number): Fraction => {
  const chf = options.currencies.find(({ name }) => name === 'CHF') ?? currency;
  return over(times(hundredths(francs), hundredths(currency.price)), hundredths(chf.price));
};
const placeholderMost = 100_000_000_000;

/** Returns the least and most in the currency. The limits of a payment method that is refused are 0. */
const fiatLimits = (options: Settled, currency: SimulatedCurrency, method: QuoteRequest['paymentMethod']): Limits => {
  const isServed = method === 'Bank' || (method === 'Instant' ? currency.instantSellable : options.card === 'served');
  if (!isServed) return { least: zero, most: zero };
  return {
    least: hundredths(currency.min),
    most: currency.max === undefined ? ofChf(options, currency, placeholderMost) : hundredths(currency.max),
  };
};

const volumes = ({ least, most }: Limits, unit: Unit) => ({ minVolume: shown(roundHalfUp(least, unit)), maxVolume: shown(roundHalfUp(most, unit)) });

/** Returns an amount of a currency in hundredths of CHF, rounded down. */
export const inChf = (options: Settled, currency: SimulatedCurrency, amount: Fraction): number => {
  const worth = times(amount, over(one, ofChf(options, currency, 1)));
  return Number(worth.n / worth.d);
};

export const fiatEntry = (options: Settled, currency: SimulatedCurrency): object => {
  const { price: _price, min: _min, max: _max, ...entry } = currency;
  const limitsOf = (method: QuoteRequest['paymentMethod']): object => volumes(fiatLimits(options, currency, method), 'fiat');
  const limits = { Bank: limitsOf('Bank'), Instant: limitsOf('Instant'), Card: limitsOf('Card') };
  return { ...entry, cardBuyable: false, cardSellable: options.card === 'served', limits };
};

/** The limits are in the asset's unit, converted from the first currency. DFX's contract does not name their unit. */
export const assetEntry = (options: Settled, asset: SimulatedAsset): object => {
  const [currency] = options.currencies;
  const { least, most } = currency ? fiatLimits(options, currency, 'Bank') : { least: zero, most: zero };
  const price = hundredths(currency?.price ?? 1);
  return {
    ...asset,
    uniqueName: `${asset.blockchain}/${asset.name}`,
    cardBuyable: options.card === 'served',
    cardSellable: false,
    limits: volumes({ least: over(least, price), most: over(most, price) }, 'crypto'),
  };
};

/** The fee of one quote in the source's unit: max(amount × rate + fixed, min) + platform + bank + network. */
const feesOf = (options: Settled, ramp: Ramp, inSource: (cents: number) => Fraction, wallet: string | undefined) => {
  const { rateBps, fixed = 0, min = 0, network = 0, bankBps = 0 } = options.fees[ramp];
  const platformBps = wallet !== undefined && Object.hasOwn(options.wallets, wallet) ? (options.wallets[wallet]?.platformBps ?? 0) : 0;
  const unit: Unit = ramp === 'buy' ? 'fiat' : 'crypto';
  const rate = bps(rateBps + platformBps + bankBps);
  const partsOf = (source: Fraction) => ({
    network: inSource(network),
    dfx: larger(plus(times(source, bps(rateBps)), inSource(fixed)), inSource(min)),
    platform: times(source, bps(platformBps)),
    bank: times(source, bps(bankBps)),
  });
  /** DFX calculates the target from the rounded fee: with the exact fee, its contract's example of 49.90 EUR would give 0.00061446. */
  const totalOf = (source: Fraction): Fraction => roundFee(Object.values(partsOf(source)).reduce(plus), unit);
  /** Returns the smallest source that leaves `net`. Each guess's fee gives the next guess; rounding ends the loop if the rates are below 100 %. */
  const sourceFor = (net: Fraction): Fraction => {
    let source = net;
    for (;;) {
      const next = plus(net, totalOf(source));
      if (!isLess(source, next)) return next;
      source = next;
    }
  };
  const show = (source: Fraction, total: Fraction, convert: (amount: Fraction) => Fraction, to: Unit): object => {
    const fee = (amount: Fraction): number => shown(roundFee(convert(amount), to));
    const parts = Object.entries(partsOf(source)).map(([name, amount]) => [name, fee(amount)]);
    return { rate: shown(rate), fixed: fee(inSource(fixed)), min: fee(inSource(min)), ...Object.fromEntries(parts), total: fee(total) };
  };
  return { totalOf, sourceFor, show };
};

const noFees = { rate: 0, fixed: 0, min: 0, network: 0, dfx: 0, platform: 0, bank: 0, total: 0 };
/** For an unknown asset or currency, every number is 0. One that is not available for this ramp and way to pay counts as unknown. */
const nothing = (errors: QuoteError[]): Quoted['answer'] => ({
  amount: 0,
  estimatedAmount: 0,
  exchangeRate: 0,
  rate: 0,
  minVolume: 0,
  maxVolume: 0,
  minVolumeTarget: 0,
  maxVolumeTarget: 0,
  fees: noFees,
  feesTarget: noFees,
  priceSteps: [],
  feeAmount: 0,
  isValid: false,
  error: errors[0],
  errors: errors.map((error) => ({ error })),
});

const unsupported = (ramp: Ramp, method: QuoteRequest['paymentMethod'], asset?: SimulatedAsset, currency?: SimulatedCurrency): QuoteError[] => {
  const isInstant = method === 'Instant';
  const hasAsset = ramp === 'sell' ? asset?.sellable : isInstant ? asset?.instantBuyable : asset?.buyable;
  const hasCurrency = ramp === 'sell' ? currency?.buyable : isInstant ? currency?.instantSellable : currency?.sellable;
  return [...(hasAsset === true ? [] : ['AssetUnsupported' as const]), ...(hasCurrency === true ? [] : ['CurrencyUnsupported' as const])];
};
const isUnsupported = (error: QuoteError): boolean => error === 'AssetUnsupported' || error === 'CurrencyUnsupported';

/**
 * `asset` and `currency` are undefined if the catalogue does not have them. `customer.reasonsOf` returns the errors with
 * which DFX refuses this customer an amount of the currency; `customer.limit` is in hundredths of CHF.
 */
export type Asked = {
  request: QuoteRequest;
  asset: SimulatedAsset | undefined;
  currency: SimulatedCurrency | undefined;
  customer?: { reasonsOf: (fiat: Fraction) => QuoteError[]; limit: number } | undefined;
};
/** `answer` is what DFX sends. `source` is exact; `rate` is rounded, and 0 if there is none. */
export type Quoted = { answer: { [member: string]: unknown }; errors: QuoteError[]; source: Fraction; rate: Fraction };

/** Prices one request. */
export const quote = (options: Settled, ramp: Ramp, { request, asset, currency, customer }: Asked): Quoted => {
  const errors = [...new Set([...unsupported(ramp, request.paymentMethod, asset, currency), ...options.refuse.filter(isUnsupported)])];
  if (!asset || !currency || errors.length > 0) return { answer: nothing(errors), errors, source: zero, rate: zero };

  const perBitcoin = hundredths(currency.price);
  const isBuy = ramp === 'buy';
  const [from, to]: [Unit, Unit] = isBuy ? ['fiat', 'crypto'] : ['crypto', 'fiat'];
  /** Source units for one target unit, without fees. */
  const price = isBuy ? perBitcoin : over(one, perBitcoin);
  const inSource = (fiat: Fraction): Fraction => (isBuy ? fiat : times(fiat, price));
  const inTarget = (source: Fraction): Fraction => over(source, price);

  const fees = feesOf(options, ramp, (cents) => inSource(hundredths(cents)), request.wallet);
  const source = 'amount' in request ? request.amount : fees.sourceFor(times(request.targetAmount, price));
  const total = fees.totalOf(source);
  // The target is calculated from the exact amount requested, even where the answer shows it rounded.
  const target = 'amount' in request ? larger(inTarget(minus(source, total)), zero) : request.targetAmount;

  const limits = fiatLimits(options, currency, request.paymentMethod);
  const [least, most] = [inSource(limits.least), inSource(limits.most)];
  const [leastTarget, mostTarget] = [inTarget(least), inTarget(most)];
  const isRefusedCard = request.paymentMethod === 'Card' && options.card === 'refused';
  const reasons: QuoteError[] = [
    ...(isRefusedCard ? ['PaymentMethodNotAllowed' as const] : []),
    ...(request.country !== undefined && options.refusedCountries.includes(request.country) ? ['CountryNotAllowed' as const] : []),
    ...(!isRefusedCard && isLess(source, least) ? ['AmountTooLow' as const] : []),
    ...(!isRefusedCard && isLess(most, source) ? ['AmountTooHigh' as const] : []),
    ...(customer?.reasonsOf(isBuy ? source : inTarget(source)) ?? []),
    ...options.refuse,
  ];
  // If the fee takes the whole amount, there is no rate. DFX's contract does not say what the answer holds then.
  const rate = target.n === 0n ? zero : roundHalfUp(over(source, target), from);
  const limitOf: { [error in QuoteError]?: Fraction } = {
    AmountTooLow: least,
    AmountTooHigh: most,
    LimitExceeded: inSource(ofChf(options, currency, customer?.limit ?? options.monthlyLimit)),
  };
  const detail = (error: QuoteError): object => {
    const limit = limitOf[error];
    return limit ? { error, limit: shown(roundHalfUp(limit, from)), limitTarget: shown(roundHalfUp(inTarget(limit), to)) } : { error };
  };
  const exchangeRate = shown(roundHalfUp(price, from));
  const bitcoin = asset.name;
  const step = {
    // UNKNOWN in the docs: how DFX names the markets it takes prices from.
    source: 'Kraken',
    from: isBuy ? currency.name : bitcoin,
    to: isBuy ? bitcoin : currency.name,
    price: exchangeRate,
    timestamp: new Date(options.now() - options.priceAgeMs).toISOString(),
  };
  const answer = {
    amount: shown(roundDown(source, from)),
    estimatedAmount: shown(roundHalfUp(target, to)),
    exchangeRate,
    rate: shown(rate),
    minVolume: shown(roundHalfUp(least, from)),
    maxVolume: shown(roundHalfUp(most, from)),
    ...(options.targetLimits ? { minVolumeTarget: shown(roundHalfUp(leastTarget, to)), maxVolumeTarget: shown(roundHalfUp(mostTarget, to)) } : {}),
    fees: fees.show(source, total, (amount) => amount, from),
    feesTarget: fees.show(source, total, inTarget, to),
    priceSteps: [step],
    feeAmount: shown(roundFee(total, from)),
    isValid: reasons.length === 0,
    ...(reasons.length === 0 ? {} : { error: reasons[0] }),
    errors: [...new Set(reasons)].map(detail),
  };
  return { answer, errors: [...new Set(reasons)], source, rate };
};

/** A payment: `amount` in the source's unit. `guaranteed`: the rate of its order, if DFX keeps it. */
export type Payment = { ramp: Ramp; amount: Fraction; currency: SimulatedCurrency; wallet: string | undefined; guaranteed: Fraction | undefined };

/**
 * Returns what a payment brings, and the fee in the source's unit. With a guaranteed rate, which already includes the fee, the fee is taken twice.
 */
export const delivery = (options: Settled, { ramp, amount, currency, wallet, guaranteed }: Payment): { fee: Fraction; output: Fraction } => {
  const perBitcoin = hundredths(currency.price);
  const price = ramp === 'buy' ? perBitcoin : over(one, perBitcoin);
  const inSource = (cents: number): Fraction => (ramp === 'buy' ? hundredths(cents) : times(hundredths(cents), price));
  const fee = feesOf(options, ramp, inSource, wallet).totalOf(amount);
  const net = larger(minus(amount, fee), zero);
  const to: Unit = ramp === 'buy' ? 'crypto' : 'fiat';
  if (guaranteed && guaranteed.n > 0n) return { fee, output: roundHalfUp(over(net, guaranteed), to) };
  const output = over(net, price);
  return { fee, output: ramp === 'buy' ? output : roundHalfUp(output, to) };
};
