import { z } from 'zod';
import { ProviderFault } from '../fault.ts';
import { listingBytes, requestJson } from '../kit/request-json.ts';
import type { AdapterDeps, Answer, CallContext, LiquidityAdapter, LiquidityQuoteRequest, PlacedOrder } from '../spec.ts';
import { isNotFound, readError, toRefusal } from './lsps1-errors.ts';
import {
  factsOf,
  notesOf,
  payWithOf,
  peersOf,
  refusedOutright,
  toEstimate,
  toEvidence,
  toFirmOffer,
  toListings,
  toMade,
  toOrderTerms,
  toPaymentInfo,
  type Made,
  type OrderTerms,
  type PayWith,
} from './lsps1-mapping.ts';
import type { Settings } from './lsps1-settings.ts';
import { infoWire, orderWire, refusalWire, type InfoWire } from './lsps1-wire.ts';

type Created = { orderId: string; made: Made | 'unpayable'; terms: OrderTerms; connectTo: string | undefined };
const declined = { ok: false, refusal: { reason: 'declined' } } as const;

export const createLsps1Adapter = (deps: AdapterDeps, settings: Settings): LiquidityAdapter => {
  const base = settings.base_url.replace(/\/$/, '');
  const call = <S extends z.ZodType>(context: CallContext, path: string, schema: S, body?: object, maxBytes?: number) =>
    requestJson({
      http: deps.http,
      method: body === undefined ? 'GET' : 'POST',
      url: `${base}/${path}`,
      signal: context.signal,
      schema,
      ...(body === undefined ? {} : { body }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(context.traceparent === undefined ? {} : { headers: { traceparent: context.traceparent } }),
    });

  const readInfo = async (context: CallContext): Promise<Answer<InfoWire>> => {
    const reply = await call(context, 'get_info', infoWire, undefined, listingBytes);
    return reply.ok ? { ok: true, value: reply.value } : declined;
  };
  /** Runs before an order is made, so a failure here means that there is no order. */
  const readInfoFirst = async (context: CallContext): Promise<Answer<InfoWire>> => {
    try {
      return await readInfo(context);
    } catch (error) {
      if (!(error instanceof ProviderFault)) throw error;
      const { kind, retryable, retryAfterMs, status } = error;
      throw new ProviderFault(kind, 'get_info, before an order', {
        retryable,
        taken: 'no',
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(status === undefined ? {} : { status }),
        cause: error,
      });
    }
  };

  /**
   * Makes one order at the seller. Every refusal is certain: nobody ever saw an order that was answered with a refusal, so nobody can pay it, and
   * it expires by itself.
   */
  const create = async (context: CallContext, request: LiquidityQuoteRequest, payWith: PayWith, refundOnchain?: string): Promise<Answer<Created>> => {
    const { nodePubkey } = request;
    if (nodePubkey === undefined) return { ok: false, refusal: { reason: 'proof-required' } };
    const info = await readInfoFirst(context);
    if (!info.ok) return info;
    const token = settings.token_env === undefined ? undefined : deps.secret(settings.token_env);
    const given = { ...(token === undefined ? {} : { token }), ...(refundOnchain === undefined ? {} : { refundOnchain }) };
    const asked = toOrderTerms({ ...request, nodePubkey }, info.value, settings, given);
    if ('refusal' in asked) return { ok: false, refusal: asked.refusal };
    const [connectTo] = peersOf(info.value, settings);
    const reply = await call(context, 'create_order', z.union([orderWire, refusalWire]), asked.terms.body);
    if (!reply.ok) return { ok: false, refusal: toRefusal(reply.body, connectTo) };
    const { value } = reply;
    if (typeof value === 'string' || !('order_id' in value)) return { ok: false, refusal: toRefusal(value, connectTo) };
    const checks = { network: deps.network, now: deps.now(), onchainLifeMs: settings.onchain_life_s * 1000 };
    return { ok: true, value: { orderId: value.order_id, made: toMade(value, asked.terms, payWith, checks), terms: asked.terms, connectTo } };
  };

  return {
    pricesByOrder: true,

    catalogue: async (context) => {
      const info = await readInfo(context);
      return info.ok ? { ok: true, value: toListings(info.value, settings) } : info;
    },

    quote: async (context, request) => {
      const payWith = payWithOf(request.payWith, settings);
      const refusal = refusedOutright(request, settings);
      if (refusal || payWith === undefined) return { ok: false, refusal: refusal ?? { reason: 'payment-method-unsupported' } };
      if (!request.firm) {
        const estimate = toEstimate(request, payWith);
        return estimate ? { ok: true, value: estimate } : { ok: false, refusal: { reason: 'price-needs-order' } };
      }
      const created = await create(context, request, payWith, request.refundOnchain);
      if (!created.ok) return created;
      const { made, terms, connectTo } = created.value;
      if (made === 'unpayable') return { ok: false, refusal: { reason: 'payment-method-unsupported' } };
      return { ok: true, value: toFirmOffer(made, terms, payWith, connectTo) };
    },

    placeOrder: async (context, { quote, offer, inputs }) => {
      if (quote.ramp !== 'liquidity') throw new Error('this adapter sells channels only');
      const { pay_with: payWith, order_id: reserved } = notesOf(offer.upstream);
      const { secret: payTo } = offer;
      if (reserved !== undefined && payTo !== undefined) {
        if (offer.expiresOn !== undefined && deps.now() >= offer.expiresOn) return { ok: false, refusal: { reason: 'declined', note: 'reservation-ended' } };
        const { pay, receive, fee, expiresOn } = offer;
        return {
          ok: true,
          value: placed(reserved, { pay, receive, fee, ...(expiresOn === undefined ? {} : { expiresOn }) }, toPaymentInfo(payWith, payTo, pay)),
        };
      }
      const created = await create(context, quote, payWith, inputs.refundOnchain ?? quote.refundOnchain);
      if (!created.ok) return created;
      const { orderId, made, terms, connectTo } = created.value;
      // Nobody can pay this order. The gateway says so, and follows it.
      if (made === 'unpayable') return { ok: true, value: placed(orderId, { pay: offer.pay, receive: offer.receive, fee: offer.fee }, { kind: 'none' }) };
      const { pay, receive, fee, expiresOn, rawStatus } = made;
      const value = placed(orderId, { pay, receive, fee, expiresOn }, toPaymentInfo(payWith, made.payTo, pay));
      return { ok: true, value: { ...value, rawStatus, facts: factsOf(made, terms, connectTo) } };
    },

    readOrders: async (context, order) => {
      // The API cannot list a customer's orders, and "none" would be a lie.
      if (order?.upstreamOrderId === undefined) return { ok: false, refusal: { reason: 'declined', note: 'orders-not-listed' } };
      const reply = await call(context, `get_order?order_id=${encodeURIComponent(order.upstreamOrderId)}`, z.union([orderWire, refusalWire]));
      if (!reply.ok) {
        if (reply.status === 404 || isNotFound(readError(reply.body))) return { ok: true, value: [] };
        throw new ProviderFault('server', `status ${reply.status} to a read of an order`, { status: reply.status });
      }
      const { value } = reply;
      if (typeof value === 'string' || !('order_id' in value)) {
        if (isNotFound(readError(value))) return { ok: true, value: [] };
        throw new ProviderFault('malformed', 'an error in place of an order');
      }
      if (value.order_id !== order.upstreamOrderId) throw new ProviderFault('malformed', 'another order than asked for');
      return { ok: true, value: [toEvidence(value, order, deps.now())] };
    },
  };
};

const placed = (
  orderId: string,
  amounts: Pick<PlacedOrder, 'pay' | 'receive' | 'fee' | 'expiresOn'>,
  paymentInfo: PlacedOrder['paymentInfo'],
): PlacedOrder => ({
  upstreamOrderId: orderId,
  stage: 'awaiting_payment',
  ...amounts,
  paymentInfo,
});
