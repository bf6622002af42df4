import * as z from 'zod';
import { priceSell } from '../../gateway/pricing/price-sell.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { noOffer, showOffers, showQuote } from '../../gateway/pricing/show-offers.ts';
import { endpoint, type Call } from '../call.ts';
import { sellOffers as offersShape, sellQuote as quoteShape } from '../price-shapes.ts';
import { askedFiat, askedSats, country, maxWait, network, sessionId, smallId } from '../shapes.ts';

export const sellBody = z.object({
  session_id: sessionId,
  amount_sats: askedSats.optional(),
  amount_fiat: askedFiat.optional(),
  currency_id: smallId,
  payment_option_id: smallId,
  network: network.optional(),
  country: country.optional(),
  max_wait_ms: maxWait.optional(),
});

const price = async (call: Call, body: z.output<typeof sellBody>) => {
  const session = await readSession(call.gateway, body.session_id, 'price');
  await call.limit('quotes', session.idHash);
  return await priceSell(call.scope, session, body);
};

export const sellOffers = endpoint({
  id: 'getSellOffers',
  method: 'post',
  path: '/sell/offers',
  body: sellBody,
  answer: offersShape,
  problems: ['option-unavailable', 'rate-limited'],
  lane: 'quotes',
  run: async (call, body) => ({ body: showOffers(call.gateway, await price(call, body), 'sell') }),
});

export const sellQuote = endpoint({
  id: 'getSellQuote',
  method: 'post',
  path: '/sell/quote',
  body: sellBody,
  answer: quoteShape,
  problems: ['option-unavailable', 'rate-limited', 'no-offer', 'all-providers-failed'],
  lane: 'quotes',
  run: async (call, body) => {
    const stored = await price(call, body);
    if (stored.route.offers.length === 0) throw noOffer(call.gateway, stored);
    return { body: showQuote(call.gateway, stored, 'sell') };
  },
});
