import { z } from '@hono/zod-openapi';
import { priceBuy } from '../../gateway/pricing/price-buy.ts';
import { Problem } from '../../gateway/problem.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { showOffers } from '../../gateway/pricing/show-offers.ts';
import { endpoint, type Call } from '../call.ts';
import { amount, anyAmount, country, providerRef, reasons, sessionId, smallId, time, uuid } from '../shapes.ts';

export const priceBody = z.object({
  session_id: sessionId,
  amount_fiat: amount.optional().openapi({ description: 'All that the customer pays, in hundredths of the fiat unit' }),
  amount_sats: amount.optional().openapi({ description: 'What the customer gets, in sats' }),
  amount_btc: amount.optional().openapi({ description: 'The name of amount_sats before 2024; sats' }),
  currency_id: smallId,
  payment_option_id: smallId,
  country: country.optional(),
  max_wait_ms: z.int().min(300).max(60_000).optional(),
});

/** From the request to the stored decision: what /offers and /quote have in common. */
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

const offer = z.looseObject({
  rank: z.int(),
  quote_id: uuid,
  provider: providerRef,
  amount_fiat: anyAmount,
  amount_sats: anyAmount,
  currency_id: smallId,
  payment_option_id: smallId,
  is_estimate: z.boolean(),
  btc_price: anyAmount,
  order_fee: anyAmount,
  expires_on: time.optional(),
  accept_by: time,
  fee_bps: z.int(),
  cost_bps: z.int().optional(),
  behind_best_bps: z.int(),
  expected_sats: anyAmount.optional().openapi({ description: 'amount_sats less the haircut: what offers are ranked by, for each unit paid' }),
  haircut_ppm: z.int().openapi({ description: 'Parts per million that this offer is ranked lower by' }),
  haircut_from: z.enum(['configured', 'record', 'operator']),
  record: z
    .object({ orders: z.int(), quoted_sats: anyAmount, delivered_sats: anyAmount, since: time })
    .optional()
    .openapi({ description: 'What this provider delivered by this option, against what it quoted' }),
  arrival_seconds: z.int().optional(),
  on_chain_fallback: z.boolean(),
  requires: z.array(z.string()),
  warnings: z.array(z.string()),
  latency_ms: z.int(),
});
export const offersAnswer = z.looseObject({
  offers_id: uuid,
  offers: z.array(offer),
  excluded: z.array(reasons.excluded),
  refused: z.array(reasons.refused),
  failed: z.array(reasons.failed),
  policy: z.looseObject({ name: z.string(), decided_by: z.string(), max_wait_ms: z.int(), waited_ms: z.int(), answered_on: time }),
});

export const offers = endpoint({
  method: 'post',
  path: '/offers',
  tag: 'Prices',
  summary: "Every provider's price, ranked, with what was excluded, refused and failed",
  body: priceBody,
  answer: offersAnswer,
  problems: ['session-invalid', 'option-unavailable', 'rate-limited'],
  lane: 'quotes',
  run: async (call, body) => ({ body: showOffers(call.gateway, await price(call, body)) }),
});
