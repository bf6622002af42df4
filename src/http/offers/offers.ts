import * as z from 'zod';
import { priceBuy } from '../../gateway/pricing/price-buy.ts';
import { Problem } from '../../gateway/problem.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { showOffers } from '../../gateway/pricing/show-offers.ts';
import { endpoint, type Call } from '../call.ts';
import { buyOffers } from '../price-shapes.ts';
import { askedFiat, askedPayoutKinds, askedSats, country, maxWait, sessionId, smallId } from '../shapes.ts';

export const priceBody = z.object({
  session_id: sessionId,
  amount_fiat: askedFiat.optional(),
  amount_sats: askedSats.optional(),
  amount_btc: askedSats.optional(),
  currency_id: smallId,
  payment_option_id: smallId,
  country: country.optional(),
  payout_kinds: askedPayoutKinds.optional(),
  max_wait_ms: maxWait.optional(),
});

/** Turns a request into a stored decision: the part that /offers and /quote share. */
export const price = async (call: Call, body: z.output<typeof priceBody>) => {
  const session = await readSession(call.gateway, body.session_id, 'price');
  await call.limit('quotes', session.idHash);
  const { amount_btc, ...request } = body;
  if (amount_btc !== undefined && request.amount_sats !== undefined) {
    const detail = 'Send amount_sats or amount_btc, not both.';
    throw new Problem('invalid-request', detail, { errors: [{ pointer: '/amount_btc', detail }] });
  }
  return await priceBuy(call.scope, session, { ...request, amount_sats: request.amount_sats ?? amount_btc });
};

export const offers = endpoint({
  id: 'getOffers',
  method: 'post',
  path: '/offers',
  body: priceBody,
  answer: buyOffers,
  problems: ['option-unavailable', 'rate-limited'],
  lane: 'quotes',
  run: async (call, body) => ({ body: showOffers(call.gateway, await price(call, body), 'buy') }),
});
