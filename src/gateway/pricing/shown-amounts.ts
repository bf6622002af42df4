/** How price answers show the amounts, with one entry per ramp. */
import { formatHundredths } from '../../domain/money.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import type { PayoutForm, PayoutKind } from '../../domain/payout.ts';
import { amountNames, fiatAndSats, isFiatFixed, type ExchangeRamp, type PerRamp, type Ramp } from '../../domain/ramp.ts';
import type { Limits } from '../../domain/refusal.ts';
import { costIsOf, type Route, type RoutedOffer, type RoutePolicy } from '../../domain/route.ts';
import type { LiquidityProduct } from '../../providers/spec.ts';
import { int, limit, required, shownFacts, type LiquidityFacts } from '../outward.ts';
import { exchangeOf } from './exchange-terms.ts';
import { readTerms } from './liquidity-terms.ts';
import type { StoredOffers } from './store-route.ts';

type Exchanged = { amount_fiat: number; amount_sats: number; currency_id: number; currency_code: string; payment_option_id: number };
type ExchangeShown = {
  asked: { amount_fiat?: number; amount_sats?: number; currency_id: number; payment_option_id: number };
  offer: Exchanged;
  price: { btc_price: number; order_fee: number };
  figures: { fee_bps: number; cost_bps?: number; cost_vs_median_bps?: number };
  excluded: { amount_fiat?: number; amount_sats?: number };
  limits: { min_amount_fiat?: number; max_amount_fiat?: number; min_amount_sats?: number; max_amount_sats?: number };
  policy: { outlier_bps: number; tolerance_bps: number };
};
/** How the customer gets the bought sats. */
type HandedOver = { payout: PayoutForm; payout_kinds?: PayoutKind[] };
type Nothing = Record<never, never>;
/** The members that exist only in the price answers of one ramp, under the API's names. */
export type ShownOf = PerRamp<{
  buy: ExchangeShown & { expected: { expected_sats: number }; term: { arrival_seconds?: number; on_chain_fallback: boolean } & HandedOver };
  sell: ExchangeShown & { expected: { expected_fiat: number }; term: { arrival_seconds?: number } };
  liquidity: {
    asked: { product: LiquidityProduct; amount_sats: number; pay_with: string; lease_blocks?: number };
    offer: { pay_sats: number; fee_sats: number; client_sats: number } & LiquidityFacts;
    price: Nothing;
    figures: { fee_ppm?: number };
    excluded: { pay_sats: number; is_estimate: boolean };
    limits: { min_pay_sats?: number; max_pay_sats?: number; min_amount_sats?: number; max_amount_sats?: number };
    policy: Nothing;
    expected: Nothing;
    term: Nothing;
  };
}>;

type AmountWords<R extends Ramp> = {
  /** The request, as /offers repeats it. */
  asked(stored: StoredOffers): ShownOf[R]['asked'];
  offer(offer: ProviderOffer, stored: StoredOffers): ShownOf[R]['offer'];
  /** An offer's price and fee. Liquidity has none here: its fee is among its amounts (`fee_sats`). */
  price(ranked: RoutedOffer): ShownOf[R]['price'];
  figures(ranked: RoutedOffer, policy: RoutePolicy): ShownOf[R]['figures'];
  /** The amount that the customer receives, less the haircut by which the offer was ranked. Rounded down for display. */
  expected(ranked: RoutedOffer, haircutPpm: number): ShownOf[R]['expected'];
  /** How long the money takes to arrive and, for buy, how the sats are handed over. */
  term(ranked: RoutedOffer): ShownOf[R]['term'];
  /** What an excluded offer would have given or cost. */
  excluded(route: Route, offer: ProviderOffer): ShownOf[R]['excluded'];
  limits(limits: Limits): ShownOf[R]['limits'];
  /** The bounds of the exclusion rules that apply to the ramp. */
  policy(policy: RoutePolicy): ShownOf[R]['policy'];
  /** The request in words, for the middle of a sentence. Starts with a space. */
  described(stored: StoredOffers): string;
  /** An amount that the customer pays, in words. */
  paid(route: Route, amount: bigint): string;
};

/** The member name for a cost. The median of the offers is not the market price: it hides what all offers add, so it has its own name. */
const costNames = { market: 'cost_bps', median: 'cost_vs_median_bps' } as const;

const limitsOf =
  (ramp: Ramp) =>
  (limits: Limits): { [name: string]: number } => {
    const { pay, receive } = amountNames[ramp];
    return {
      ...limit(`min_${pay}`, limits.minPay),
      ...limit(`max_${pay}`, limits.maxPay),
      ...limit(`min_${receive}`, limits.minReceive),
      ...limit(`max_${receive}`, limits.maxReceive),
    };
  };

const exchange = (ramp: ExchangeRamp): Omit<AmountWords<ExchangeRamp>, 'term' | 'expected'> => ({
  asked: ({ route, terms }) => {
    const { fixed, amount } = exchangeOf(route);
    return { [amountNames[ramp][fixed]]: int(amount), currency_id: terms.currencyId, payment_option_id: terms.paymentOptionId };
  },
  offer: (offer, { route, terms }) => {
    const { fiat, sats } = fiatAndSats(ramp, offer);
    const { currencyId: currency_id, paymentOptionId: payment_option_id } = terms;
    return { amount_fiat: int(fiat), amount_sats: int(sats), currency_id, currency_code: exchangeOf(route).currency, payment_option_id };
  },
  price: ({ btcPrice, offer }) => ({ btc_price: int(required(btcPrice, 'the price of an exchange')), order_fee: int(offer.fee) }),
  figures: ({ feeBps, costBps }, policy) => ({
    fee_bps: required(feeBps, 'the fee of an exchange'),
    ...(costBps === undefined ? {} : { [costNames[costIsOf(policy)]]: costBps }),
  }),
  limits: limitsOf(ramp),
  policy: ({ outlierBps, toleranceBps }) => ({ outlier_bps: outlierBps, tolerance_bps: toleranceBps }),
  excluded: (route, { pay, receive }) =>
    exchangeOf(route).fixed === 'pay' ? { [amountNames[ramp].receive]: int(receive) } : { [amountNames[ramp].pay]: int(pay) },
  described: ({ route, terms }) => {
    const asked = exchangeOf(route);
    return ` for ${isFiatFixed(asked) ? formatHundredths(asked.amount, asked.currency) : `${asked.amount} sats`} via ${terms.optionName}`;
  },
  paid: (route, amount) => (amountNames[ramp].pay === 'amount_fiat' ? formatHundredths(amount, exchangeOf(route).currency) : `${amount} sats`),
});

const arrivalOf = ({ terms: { arrivalSeconds } }: RoutedOffer): { arrival_seconds?: number } =>
  arrivalSeconds === undefined ? {} : { arrival_seconds: arrivalSeconds };

const handedOver = ({ offer: { facts } }: RoutedOffer): HandedOver =>
  facts.payout_kinds === undefined ? { payout: 'claim' } : { payout: 'push', payout_kinds: [...facts.payout_kinds] };

/** Returns the amount that we expect to arrive, in the unit of what the customer receives. */
const expectedOf = ({ offer: { receive } }: RoutedOffer, haircutPpm: number): number => int((receive * BigInt(1_000_000 - haircutPpm)) / 1_000_000n);

export const amountWords: { [R in Ramp]: AmountWords<R> } = {
  buy: {
    ...exchange('buy'),
    expected: (ranked, haircutPpm) => ({ expected_sats: expectedOf(ranked, haircutPpm) }),
    term: (ranked) => ({ ...arrivalOf(ranked), on_chain_fallback: ranked.offer.facts.on_chain_fallback === true, ...handedOver(ranked) }),
  },
  sell: { ...exchange('sell'), expected: (ranked, haircutPpm) => ({ expected_fiat: expectedOf(ranked, haircutPpm) }), term: arrivalOf },
  liquidity: {
    asked: ({ terms }) => {
      const { product, amountSats, payWith, leaseBlocks } = readTerms(terms);
      return { product, amount_sats: amountSats, pay_with: payWith, ...(leaseBlocks === undefined ? {} : { lease_blocks: leaseBlocks }) };
    },
    offer: ({ pay, fee, receive, facts }) => ({ pay_sats: int(pay), fee_sats: int(fee), client_sats: int(receive), ...shownFacts(facts) }),
    price: () => ({}),
    figures: ({ feePpm }) => (feePpm === undefined ? {} : { fee_ppm: feePpm }),
    expected: () => ({}),
    term: () => ({}),
    limits: limitsOf('liquidity'),
    policy: () => ({}),
    excluded: (_route, { pay, binding }) => ({ pay_sats: int(pay), is_estimate: !binding }),
    described: ({ terms }) => ` for ${readTerms(terms).amountSats} sats`,
    paid: (_route, amount) => `${amount} sats`,
  },
};
