import { noOffer, showQuote } from '../../gateway/pricing/show-offers.ts';
import { endpoint } from '../call.ts';
import { price, priceBody } from '../offers/offers.ts';
import { buyQuote } from '../price-shapes.ts';

export const quote = endpoint({
  id: 'getQuote',
  method: 'post',
  path: '/quote',
  body: priceBody,
  answer: buyQuote,
  problems: ['option-unavailable', 'rate-limited', 'no-offer', 'all-providers-failed'],
  lane: 'quotes',
  run: async (call, body) => {
    const stored = await price(call, body);
    if (stored.route.offers.length === 0) throw noOffer(call.gateway, stored);
    return { body: showQuote(call.gateway, stored, 'buy') };
  },
});
