import { z } from '@hono/zod-openapi';
import { placeOrder } from '../../gateway/place-order.ts';
import { priceSell } from '../../gateway/price-sell.ts';
import { readOrders } from '../../gateway/read-orders.ts';
import { readSession } from '../../gateway/read-session.ts';
import { prepareSellOrder } from '../../gateway/sell-order.ts';
import { showOffer } from '../../gateway/show-offers.ts';
import { findQuote } from '../../gateway/store-route.ts';
import { endpoint, type Call } from '../call.ts';
import { customerIpOf } from '../customer-ip.ts';
import { idempotencyHeader, idempotencyKeyOf, refuseReusedKey } from '../idempotency-key.ts';
import { traceOf } from '../offers/offers.ts';
import { amount, ipv4, sessionId, time, uuid } from '../shapes.ts';
import { sellOrderShape, webhook, webhookOf } from './shapes.ts';

const body = z.object({
  session_id: sessionId,
  quote_id: uuid,
  connection_id: uuid.optional().openapi({ description: 'For a bank: the connection to pay into' }),
  min_amount_fiat: amount.optional().openapi({ description: 'Refuse an order that pays out less' }),
  customer_ip: ipv4.optional().openapi({ description: "The customer's own IPv4, from an app that shows its key" }),
  ...webhook,
});

export const sellOrder = endpoint({
  method: 'post',
  path: '/sell/order',
  headers: idempotencyHeader,
  tag: 'Sell',
  summary: 'Order a sell quote: what to pay and where; the same quote again gets the same answer',
  body,
  answer: sellOrderShape.extend({ order_id: uuid, payment_info: z.looseObject({}) }),
  problems: [
    'session-invalid',
    'quote-not-found',
    'quote-expired',
    'quote-used',
    'account-required',
    'account-not-connected',
    'connection-required',
    'connection-not-found',
    'amount-in-use',
    'amount-out-of-range',
    'client-ipv4-required',
    'app-key-required',
    'order-pending',
    'order-unpayable',
    'price-changed',
    'provider-unavailable',
    'too-many-open-orders',
    'webhook-url-refused',
    'idempotency-key-invalid',
    'idempotency-key-reused',
    'rate-limited',
  ],
  lane: 'reserved',
  run: async (call, request, raw) => {
    const { gateway } = call;
    const idempotencyKey = idempotencyKeyOf(call.request);
    const session = await readSession(gateway, request.session_id, 'price');
    const customerIp = customerIpOf(call, request.customer_ip);
    const told = webhookOf(call, request);
    await refuseReusedKey(call, session.customerId, '/sell/order', idempotencyKey, raw);
    const inputs = {
      order: {},
      ...told,
      ...(request.min_amount_fiat === undefined ? {} : { minReceive: String(request.min_amount_fiat) }),
      ...(customerIp === undefined ? {} : { customerIp }),
    };
    const prepare = { connectionId: request.connection_id };
    const given = await placeOrder(
      gateway,
      session,
      {
        quoteId: request.quote_id,
        ramp: 'sell',
        idempotencyKey,
        inputs,
        count: async () => await call.limit('orders', session.idHash),
        prepare: (quote) => prepareSellOrder(gateway, session, quote, prepare, call.requestId),
      },
      call.requestId,
      () => freshOffers(call, request),
    );
    call.headers.set('content-type', 'application/json');
    return new Response(given.body, { status: given.status });
  },
});

/** The price changed: what the market says now. */
const freshOffers = async (call: Call, request: z.output<typeof body>) => {
  const session = await readSession(call.gateway, request.session_id, 'price');
  const { route, terms } = await findQuote(call.gateway, request.quote_id, session.customerId);
  if (route.asked.ramp !== 'sell') return [];
  const asked = Number(route.asked.amount);
  const stored = await priceSell(
    call.gateway,
    session,
    {
      currency_id: terms.currencyId,
      payment_option_id: terms.paymentOptionId,
      network: terms['network'] === 'onchain' ? 'onchain' : 'lightning',
      ...(route.asked.fixed === 'pay' ? { amount_sats: asked } : { amount_fiat: asked }),
    },
    traceOf(call),
  );
  return stored.route.offers.map((_, index) => showOffer(call.gateway, stored, index));
};

export const sellOrderStatus = endpoint({
  method: 'post',
  path: '/sell/order-status',
  tag: 'Sell',
  summary: 'One sell order, or all of the customer',
  body: z.object({ session_id: sessionId, order_id: uuid.optional(), limit: z.int().min(1).max(200).optional(), changed_since: time.optional() }),
  answer: z.record(uuid, sellOrderShape.extend({ order_status_date: time, final: z.boolean(), quote_id: uuid })),
  problems: ['session-invalid', 'order-not-found'],
  lane: 'reserved',
  run: async (call, request) => {
    const session = await readSession(call.gateway, request.session_id, 'owned');
    return { body: await readOrders(call.gateway, session, 'sell', request, call.requestId) };
  },
});
