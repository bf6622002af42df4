/** Rebuilds the request that an accepted quote answered, because the adapter gets it again with the order. */
import { defined } from '../../domain/defined.ts';
import type { Ramp } from '../../domain/ramp.ts';
import type { CatalogueOption, QuoteRequest } from '../../providers/spec.ts';
import { exchangeOf } from '../pricing/exchange-terms.ts';
import { readTerms, toQuoteRequest } from '../pricing/liquidity-terms.ts';
import type { StoredQuote } from '../pricing/store-route.ts';

type RequestOf<R extends Ramp> = Extract<QuoteRequest, { ramp: R }>;

const requests: { [R in Ramp]: (quote: StoredQuote, nodePubkey: string | undefined) => RequestOf<R> } = {
  buy: (quote) => ({ ramp: 'buy', ...exchangeParts(quote) }),
  sell: (quote) => ({ ramp: 'sell', ...exchangeParts(quote), network: quote.terms.network ?? 'lightning' }),
  liquidity: ({ terms }, nodePubkey) => toQuoteRequest(readTerms(terms), nodePubkey === undefined ? {} : { nodePubkey }),
};

const exchangeParts = ({ route, option, terms }: StoredQuote): { fixed: 'pay' | 'receive'; amount: bigint; option: CatalogueOption; country?: string } => {
  if (!option) throw new RangeError('a stored quote has no option');
  const { fixed, amount } = exchangeOf(route);
  return { fixed, amount, option, ...defined({ country: terms.country }) };
};

/** Rebuilds the request for a quote. `nodePubkey` is the node key that the customer had proved to be theirs by the time they ordered. */
export const quoteRequestOf = (quote: StoredQuote, nodePubkey: string | undefined): QuoteRequest => requests[quote.route.asked.ramp](quote, nodePubkey);
