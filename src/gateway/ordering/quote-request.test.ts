import { expect, test } from 'vitest';
import { aCandidate } from '../../../test/support/offers.ts';
import type { Asked } from '../../domain/offer.ts';
import type { RouteTerms } from '../../ports/routes.ts';
import { exchangeAgain } from '../pricing/exchange-terms.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import { quoteRequestOf } from './quote-request.ts';

const option = { currency: 'EUR', name: 'SEPA', upstream: {}, feePpm: 0 };
const aQuote = (asked: Asked, more: Partial<RouteTerms>): StoredQuote => ({
  quoteId: 'q',
  offer: aCandidate('a') as StoredQuote['offer'],
  route: { asked } as StoredQuote['route'],
  terms: { currencyId: 1, paymentOptionId: 2, optionName: 'SEPA', ...more },
  acceptBy: 0,
  option,
});
const bought: Asked = { ramp: 'buy', fixed: 'pay', amount: 10_000n, currency: 'EUR', option: 'sepa' };
const sold: Asked = { ramp: 'sell', fixed: 'pay', amount: 250_000n, currency: 'EUR', option: 'sepa' };

test('a purchase is ordered and priced again for the country that it was priced for', () => {
  const quote = aQuote(bought, { country: 'de' });
  expect(quoteRequestOf(quote, undefined)).toEqual({ ramp: 'buy', fixed: 'pay', amount: 10_000n, option, country: 'de' });
  expect(exchangeAgain(quote)).toEqual({ currency_id: 1, payment_option_id: 2, amount_fiat: 10_000, country: 'de' });
});

test('a sale keeps its network and its country', () => {
  const quote = aQuote(sold, { country: 'AT', network: 'onchain' });
  expect(quoteRequestOf(quote, undefined)).toEqual({ ramp: 'sell', fixed: 'pay', amount: 250_000n, option, network: 'onchain', country: 'AT' });
  expect(exchangeAgain(quote)).toEqual({ currency_id: 1, payment_option_id: 2, amount_sats: 250_000, country: 'AT' });
});

test('liquidity is asked for as it was, for the node that is proven now', () => {
  const liquidity = { product: 'inbound', amountSats: 1_000_000, payWith: 'lightning', announce: false, firm: true } as const;
  const quote = aQuote({ ramp: 'liquidity', inboundSats: 1_000_000n, clientSats: 0n }, { liquidity });
  const request = { ramp: 'liquidity', product: 'inbound', amountSats: 1_000_000n, payWith: 'lightning', announce: false, firm: true };
  expect(quoteRequestOf(quote, '02aa')).toEqual({ ...request, nodePubkey: '02aa' });
  expect(quoteRequestOf(quote, undefined)).toEqual(request);
});
