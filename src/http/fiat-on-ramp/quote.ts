import { z } from '@hono/zod-openapi';
import { noOffer, showQuote } from '../../gateway/pricing/show-offers.ts';
import { endpoint } from '../call.ts';
import { price, priceBody } from '../offers/offers.ts';
import { anyAmount, providerRef, smallId, time, uuid } from '../shapes.ts';

export const quote = endpoint({
  method: 'post',
  path: '/quote',
  tag: 'FLS01',
  summary: 'The best price on the table',
  body: priceBody,
  answer: z.object({
    quote_id: uuid,
    amount_fiat: anyAmount,
    currency_id: smallId,
    payment_option_id: smallId,
    amount_sats: anyAmount,
    is_estimate: z.boolean(),
    btc_price: anyAmount,
    order_fee: anyAmount,
    expires_on: time.optional().openapi({ description: 'Until when the payment must have arrived' }),
    accept_by: time.openapi({ description: 'Until when /order takes this quote' }),
    provider: providerRef,
    warnings: z
      .array(z.string())
      .optional()
      .openapi({ description: 'Only where two offers differ so far that nobody can tell which price is right: price-check-weak' }),
  }),
  problems: ['session-invalid', 'option-unavailable', 'rate-limited', 'no-offer', 'all-providers-failed'],
  lane: 'quotes',
  run: async (call, body) => {
    const stored = await price(call, body);
    if (stored.route.offers.length === 0) throw noOffer(call.gateway, stored);
    return { body: showQuote(call.gateway, stored) };
  },
});
