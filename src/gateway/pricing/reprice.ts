import type { Json } from '../../domain/offer.ts';
import type { Ramp } from '../../domain/ramp.ts';
import type { Scope } from '../../ports/scope.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { exchangeAgain } from './exchange-terms.ts';
import { readTerms } from './liquidity-terms.ts';
import { priceBuy } from './price-buy.ts';
import { priceLiquidity } from './price-liquidity.ts';
import { priceSell } from './price-sell.ts';
import { showOffer } from './show-offers.ts';
import type { StoredOffers, StoredQuote } from './store-route.ts';

/** Prices the request of a stored quote again. Nothing is ordered. */
const priceAgain: Record<Ramp, (scope: Scope, session: OpenSession, quote: StoredQuote) => Promise<StoredOffers>> = {
  buy: async (scope, session, quote) => await priceBuy(scope, session, exchangeAgain(quote)),
  sell: async (scope, session, quote) => await priceSell(scope, session, { ...exchangeAgain(quote), network: quote.terms.network }),
  liquidity: async (scope, session, { terms }) => {
    const { product, amountSats, payWith, leaseBlocks, announce } = readTerms(terms);
    return await priceLiquidity(scope, session, { product, amount_sats: amountSats, pay_with: payWith, lease_blocks: leaseBlocks, announce });
  },
};

/**
 * Returns current offers, except those of the providers in `without`, for a customer whose order was declined or made at a worse price. If pricing
 * fails, returns no offers, so that the customer still gets the answer about their order.
 */
export const freshOffers = async (scope: Scope, session: OpenSession, quote: StoredQuote, without: readonly string[]): Promise<Json[]> => {
  try {
    const stored = await priceAgain[quote.route.asked.ramp](scope, session, quote);
    const { ramp } = stored.route.asked;
    return stored.route.offers.flatMap(({ providerId }, index) => (without.includes(providerId) ? [] : [showOffer(scope.gateway, stored, index, ramp)]));
  } catch {
    return [];
  }
};
