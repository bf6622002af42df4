/** What the price answers say of a ramp's amounts: one entry for each ramp. */
import { formatHundredths } from '../../domain/money.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import { amountNames, fiatAndSats, isFiatFixed, type ExchangeRamp, type Ramp } from '../../domain/ramp.ts';
import type { Route } from '../../domain/route.ts';
import { int, shownFacts, type Shown } from '../outward.ts';
import { exchangeOf } from './exchange-terms.ts';
import { readTerms } from './liquidity-terms.ts';
import type { StoredOffers } from './store-route.ts';
import type { RouteTerms } from '../../ports/routes.ts';

type AmountWords = {
  /** What was asked for, as /offers repeats it. */
  asked(stored: StoredOffers): Shown;
  offer(offer: ProviderOffer, terms: RouteTerms): Shown;
  /** What an excluded offer would have given or cost. */
  excluded(route: Route, offer: ProviderOffer): Shown;
  /** What was asked for, in the middle of a sentence. */
  described(stored: StoredOffers): string;
  /** An amount that the customer pays, for a person. */
  paid(route: Route, amount: bigint): string;
};

const exchange = (ramp: ExchangeRamp): AmountWords => ({
  asked: ({ route, terms }) => {
    const { fixed, amount } = exchangeOf(route);
    return { [amountNames[ramp][fixed]]: int(amount), currency_id: terms.currencyId, payment_option_id: terms.paymentOptionId };
  },
  offer: (offer, terms) => {
    const { fiat, sats } = fiatAndSats(ramp, offer);
    return { amount_fiat: int(fiat), amount_sats: int(sats), currency_id: terms.currencyId, payment_option_id: terms.paymentOptionId };
  },
  excluded: (route, { pay, receive }) =>
    exchangeOf(route).fixed === 'pay' ? { [amountNames[ramp].receive]: int(receive) } : { [amountNames[ramp].pay]: int(pay) },
  described: ({ route, terms }) => {
    const asked = exchangeOf(route);
    return ` by ${terms.optionName} for ${isFiatFixed(asked) ? formatHundredths(asked.amount, asked.currency) : `${asked.amount} sats`}`;
  },
  paid: (route, amount) => (amountNames[ramp].pay === 'amount_fiat' ? formatHundredths(amount, exchangeOf(route).currency) : `${amount} sats`),
});

export const amountWords: Record<Ramp, AmountWords> = {
  buy: exchange('buy'),
  sell: exchange('sell'),
  liquidity: {
    asked: ({ terms }) => {
      const { product, amountSats, payWith, leaseBlocks } = readTerms(terms);
      return { product, amount_sats: amountSats, pay_with: payWith, ...(leaseBlocks === undefined ? {} : { lease_blocks: leaseBlocks }) };
    },
    offer: ({ pay, fee, receive, facts }) => ({ pay_sats: int(pay), fee_sats: int(fee), client_sats: int(receive), ...shownFacts(facts) }),
    excluded: (_route, { pay, binding }) => ({ pay_sats: int(pay), is_estimate: !binding }),
    described: ({ terms }) => ` for ${readTerms(terms).amountSats} sats`,
    paid: (_route, amount) => `${amount} sats`,
  },
};
