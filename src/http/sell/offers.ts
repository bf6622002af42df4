import { z } from '@hono/zod-openapi';
import { priceSell } from '../../gateway/pricing/price-sell.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { noOffer, showOffers, showQuote } from '../../gateway/pricing/show-offers.ts';
import { endpoint, type Call } from '../call.ts';
import { sellOffersShape, sellQuoteShape } from '../price-shapes.ts';
import { amount, country, sessionId, smallId } from '../shapes.ts';

const sellBody = z.object({
  session_id: sessionId,
  amount_sats: amount.optional().openapi({ description: 'All that the customer pays, in sats' }),
  amount_fiat: amount.optional().openapi({ description: 'All that arrives, in hundredths of the fiat unit' }),
  currency_id: smallId,
  payment_option_id: smallId,
  network: z.enum(['lightning', 'onchain']).optional(),
  country: country.optional(),
  max_wait_ms: z.int().min(300).max(60_000).optional(),
});

const price = async (call: Call, body: z.output<typeof sellBody>) => {
  const session = await readSession(call.gateway, body.session_id, 'price');
  await call.limit('quotes', session.idHash);
  return await priceSell(call.scope, session, body);
};

export const sellOffers = endpoint({
  method: 'post',
  path: '/sell/offers',
  tag: 'Sell',
  summary: "Every sell provider's price, ranked; requires lists what is missing before ordering",
  body: sellBody,
  answer: sellOffersShape,
  problems: ['option-unavailable', 'rate-limited'],
  lane: 'quotes',
  run: async (call, body) => ({ body: showOffers(call.gateway, await price(call, body), 'sell') }),
});

export const sellQuote = endpoint({
  method: 'post',
  path: '/sell/quote',
  tag: 'Sell',
  summary: 'The best sell price',
  body: sellBody,
  answer: sellQuoteShape,
  problems: ['option-unavailable', 'rate-limited', 'no-offer', 'all-providers-failed'],
  lane: 'quotes',
  run: async (call, body) => {
    const stored = await price(call, body);
    if (stored.route.offers.length === 0) throw noOffer(call.gateway, stored);
    return { body: showQuote(call.gateway, stored, 'sell') };
  },
});
