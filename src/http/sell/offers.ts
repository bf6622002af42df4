import { z } from '@hono/zod-openapi';
import { priceSell } from '../../gateway/pricing/price-sell.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { noOffer, showOffers, showQuote } from '../../gateway/pricing/show-offers.ts';
import { endpoint, type Call } from '../call.ts';
import { amount, anyAmount, country, providerRef, reasons, sessionId, smallId, time, uuid } from '../shapes.ts';

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

const sellOffer = z.looseObject({
  quote_id: uuid,
  provider: providerRef,
  amount_sats: anyAmount,
  amount_fiat: anyAmount,
  currency_id: smallId,
  payment_option_id: smallId,
  is_estimate: z.boolean(),
  btc_price: anyAmount,
  order_fee: anyAmount,
  accept_by: time,
  requires: z.array(z.string()),
  warnings: z.array(z.string()),
});

export const sellOffers = endpoint({
  method: 'post',
  path: '/sell/offers',
  tag: 'Sell',
  summary: "Every sell provider's price, ranked; what is missing to order it stands in requires",
  body: sellBody,
  answer: z.looseObject({
    offers_id: uuid,
    offers: z.array(sellOffer),
    excluded: z.array(reasons.excluded),
    refused: z.array(reasons.refused),
    failed: z.array(reasons.failed),
    policy: z.looseObject({ name: z.string(), decided_by: z.string() }),
  }),
  problems: ['session-invalid', 'option-unavailable', 'rate-limited'],
  lane: 'quotes',
  run: async (call, body) => ({ body: showOffers(call.gateway, await price(call, body)) }),
});

export const sellQuote = endpoint({
  method: 'post',
  path: '/sell/quote',
  tag: 'Sell',
  summary: 'The best sell price on the table',
  body: sellBody,
  answer: sellOffer,
  problems: ['session-invalid', 'option-unavailable', 'rate-limited', 'no-offer', 'all-providers-failed'],
  lane: 'quotes',
  run: async (call, body) => {
    const stored = await price(call, body);
    if (stored.route.offers.length === 0) throw noOffer(call.gateway, stored);
    return { body: showQuote(call.gateway, stored) };
  },
});
