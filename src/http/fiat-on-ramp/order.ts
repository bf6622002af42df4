import { z } from '@hono/zod-openapi';
import { placeOrder } from '../../gateway/place-order.ts';
import { priceBuy } from '../../gateway/price-buy.ts';
import { readSession } from '../../gateway/read-session.ts';
import { showOffer } from '../../gateway/show-offers.ts';
import { findQuote } from '../../gateway/store-route.ts';
import { endpoint, type Call } from '../call.ts';
import { idempotencyHeader, idempotencyKeyOf, refuseReusedKey } from '../idempotency-key.ts';
import { amount, anyAmount, providerRef, sessionId, smallId, time, uuid, webhookUrl } from '../shapes.ts';
import { checkWebhook } from '../webhook-url.ts';
import { traceOf } from '../offers/offers.ts';

const body = z.object({
  session_id: sessionId,
  quote_id: uuid,
  webhook_url: webhookUrl.optional(),
  webhook_events: z
    .array(z.enum(['withdrawal_ready', 'order_status_changed']))
    .max(5)
    .optional(),
  min_amount_sats: amount.optional().openapi({ description: 'Refuse an order that pays out less' }),
  max_amount_fiat: amount.optional().openapi({ description: 'Refuse an order that costs more' }),
});

export const order = endpoint({
  method: 'post',
  path: '/order',
  headers: idempotencyHeader,
  tag: 'FLS01',
  summary: 'Order a quote; the same quote again gets the same answer',
  body,
  answer: z.looseObject({
    order_id: uuid,
    order_status: z.string(),
    amount_fiat: anyAmount,
    currency_id: smallId,
    payment_option_id: smallId,
    amount_sats: anyAmount,
    expires_on: time.optional(),
    payment_info: z.looseObject({}),
    stage: z.string(),
    provider: providerRef,
  }),
  problems: [
    'session-invalid',
    'quote-not-found',
    'quote-expired',
    'quote-used',
    'order-pending',
    'order-unpayable',
    'price-changed',
    'payout-link-refused',
    'provider-unavailable',
    'too-many-open-orders',
    'webhook-url-refused',
    'amount-out-of-range',
    'idempotency-key-invalid',
    'idempotency-key-reused',
    'rate-limited',
  ],
  lane: 'reserved',
  run: async (call, request, raw) => {
    const { gateway } = call;
    const idempotencyKey = idempotencyKeyOf(call.request);
    const session = await readSession(gateway, request.session_id, 'price');
    const webhook = request.webhook_url === undefined ? undefined : checkWebhook(gateway, request.webhook_url);
    await refuseReusedKey(call, session.customerId, '/order', idempotencyKey, raw);
    const inputs = {
      order: {},
      ...(webhook === undefined ? {} : { webhookUrl: webhook, webhookEvents: request.webhook_events ?? ['withdrawal_ready'] }),
      ...(request.min_amount_sats === undefined ? {} : { minReceive: String(request.min_amount_sats) }),
      ...(request.max_amount_fiat === undefined ? {} : { maxPay: String(request.max_amount_fiat) }),
      ...(call.app === undefined ? {} : { appId: call.app.id }),
    };
    const given = await placeOrder(
      gateway,
      session,
      { quoteId: request.quote_id, ramp: 'buy', idempotencyKey, inputs, count: async () => await call.limit('orders', session.idHash) },
      call.requestId,
      () => freshOffers(call, request),
    );
    call.headers.set('content-type', 'application/json');
    return new Response(given.body, { status: given.status });
  },
});

/** The price changed: what the market says now, in the shape of /offers. */
const freshOffers = async (call: Call, request: z.output<typeof body>) => {
  const session = await readSession(call.gateway, request.session_id, 'price');
  const { route, terms } = await findQuote(call.gateway, request.quote_id, session.customerId);
  if (route.asked.ramp === 'liquidity') return [];
  const asked = Number(route.asked.amount);
  const stored = await priceBuy(
    call.gateway,
    session,
    {
      currency_id: terms.currencyId,
      payment_option_id: terms.paymentOptionId,
      ...(route.asked.fixed === 'pay' ? { amount_fiat: asked } : { amount_sats: asked }),
    },
    traceOf(call),
  );
  return stored.route.offers.map((_, index) => showOffer(call.gateway, stored, index));
};
