import * as z from 'zod';
import { namingOrder, ProviderFault } from '../fault.ts';
import { isBareAddress } from '../../bitcoin/address.ts';
import { fallsShort, toPaymentInfo, unpayable, type PayWith } from '../kit/channel-order.ts';
import { listingBytes, requestJson } from '../kit/request-json.ts';
import { sameId } from '../../domain/same-id.ts';
import type { AdapterDeps, Answer, CallContext, LiquidityAdapter, LiquidityQuoteRequest, PlacedOrder } from '../spec.ts';
import { isCertain, isNotFound, isRefusedAt5xx, isUnrouted, toRefusal } from './lsps1-errors.ts';
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
  type Made,
  type OrderTerms,
} from './lsps1-mapping.ts';
import type { Settings } from './lsps1-settings.ts';
import { findOrder, infoWire, type FoundOrder, type InfoWire } from './lsps1-wire.ts';

type Created = { made: Made; terms: OrderTerms; connectTo: string | undefined };
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
  /**
   * Calls the seller. Returns the body of a 2xx, of a 4xx other than 429, and of a 5xx that is a refusal, whatever its form. Throws for the rest.
   */
  const ask = async (context: CallContext, path: string, body?: object): Promise<{ status: number; said: unknown }> => {
    const reply = await requestJson({
      http: deps.http,
      method: body === undefined ? 'GET' : 'POST',
      url: `${base}/${path}`,
      signal: context.signal,
      schema: z.unknown(),
      plainText: true,
      refusesAt5xx: isRefusedAt5xx,
      ...(body === undefined ? {} : { body }),
      ...(context.traceparent === undefined ? {} : { headers: { traceparent: context.traceparent } }),
    });
    return { status: reply.status, said: reply.ok ? reply.value : reply.body };
  };

  const readInfo = async (context: CallContext): Promise<Answer<InfoWire>> => {
    const reply = await call(context, 'get_info', infoWire, undefined, listingBytes);
    return reply.ok ? { ok: true, value: reply.value } : declined;
  };
  /** Reads get_info before an order is made, so a failure here means that there is no order. */
  const readInfoFirst = async (context: CallContext): Promise<Answer<InfoWire>> => {
    try {
      return await readInfo(context);
    } catch (error) {
      if (!(error instanceof ProviderFault)) throw error;
      const { kind, retryable, retryAfterMs, status } = error;
      throw new ProviderFault(kind, 'the call to get_info before the order failed', {
        retryable,
        taken: 'no',
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(status === undefined ? {} : { status }),
        cause: error,
      });
    }
  };

  /**
   * Makes one order at the seller. A refusal without `orderMade` means for certain that there is no order. A refusal with `orderMade` means that
   * there is an order, which was shown to nobody and expires by itself. After a fault of create_order, there may be an order.
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
    const { status, said } = await ask(context, 'create_order', asked.terms.body);
    const found = findOrder(said);
    if (found === 'unnamed') throw new ProviderFault('malformed', 'the order has no id', { status });
    if (found === undefined) {
      if (isCertain(status, said)) return { ok: false, refusal: toRefusal(said, connectTo) };
      throw new ProviderFault(status < 300 ? 'malformed' : 'server', 'the answer is neither an order nor a refusal', { status });
    }
    const judged = judge(found, asked.terms, { payWith, status, said, connectTo });
    if ('refusal' in judged) return { ok: false, refusal: { ...judged.refusal, orderMade: found.orderId } };
    return { ok: true, value: { made: judged.made, terms: asked.terms, connectTo } };
  };

  type Reply = { payWith: PayWith; status: number; said: unknown; connectTo: string | undefined };
  /** Checks an order that exists. A fault that the check throws carries the order's id. */
  const judge = ({ orderId, isError, order }: FoundOrder, terms: OrderTerms, { payWith, status, said, connectTo }: Reply) =>
    namingOrder(
      orderId,
      () => {
        if (isError || (status >= 300 && status !== paymentRequired)) return { refusal: toRefusal(said, connectTo) };
        if (!order || order.isPartial === true) throw new ProviderFault('malformed', 'the order does not match the schema');
        return toMade(order, terms, payWith, { network: deps.network, now: deps.now(), settings });
      },
      status,
    );

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
      return { ok: true, value: toFirmOffer(made, terms, payWith, connectTo) };
    },

    placeOrder: async (context, { quote, offer, inputs }) => {
      if (quote.ramp !== 'liquidity') throw new Error('this adapter sells channels only');
      const { pay_with: payWith, order_id: reserved, free } = notesOf(offer.upstream);
      const { secret: payTo } = offer;
      if (reserved !== undefined && (payTo !== undefined || free === true)) {
        const isOver = offer.expiresOn !== undefined && deps.now() >= offer.expiresOn;
        // An earlier release stored an address just as the seller had written it.
        const isUnsafe = payWith === 'onchain' && payTo !== undefined && !isBareAddress(payTo);
        if (isOver || isUnsafe) return { ok: false, refusal: { reason: 'declined', note: 'reservation-ended' } };
        const { pay, receive, fee, expiresOn } = offer;
        return { ok: true, value: placed(reserved, { pay, receive, fee, ...(expiresOn === undefined ? {} : { expiresOn }) }, payWith, payTo) };
      }
      const created = await create(context, quote, payWith, inputs.refundOnchain ?? quote.refundOnchain);
      if (!created.ok) {
        const { orderMade, reason } = created.refusal;
        // This order cannot be paid. The gateway reports that, and follows the order.
        return orderMade === undefined ? created : { ok: true, value: unpayable(orderMade, offer, reason) };
      }
      const { made, terms, connectTo } = created.value;
      const facts = factsOf(made, terms, connectTo);
      if (fallsShort(facts, quote, offer)) return { ok: true, value: unpayable(made.orderId, offer, 'lease-too-short') };
      const { orderId, pay, receive, fee, expiresOn, rawStatus } = made;
      const value = placed(orderId, { pay, receive, fee, ...(made.payTo === undefined ? {} : { expiresOn }) }, payWith, made.payTo);
      return { ok: true, value: { ...value, rawStatus, facts } };
    },

    readOrders: async (context, order) => {
      // The API cannot list a customer's orders, so an empty list would be wrong.
      if (order?.upstreamOrderId === undefined) return { ok: false, refusal: { reason: 'declined', note: 'orders-not-listed' } };
      const { status, said } = await ask(context, `get_order?order_id=${encodeURIComponent(order.upstreamOrderId)}`);
      const found = findOrder(said);
      if (found === undefined || found === 'unnamed' || found.isError) {
        if (found !== 'unnamed' && !isUnrouted(said) && (status === 404 || isNotFound(said))) return { ok: true, value: [] };
        if (status >= 300) throw new ProviderFault('server', `status ${status} when reading an order`, { status });
        throw new ProviderFault('malformed', 'the answer is an error, not an order');
      }
      if (!found.order) throw new ProviderFault('malformed', 'the order does not match the schema', { status });
      if (!sameId(found.orderId, order.upstreamOrderId)) throw new ProviderFault('malformed', 'the answer is about another order');
      const evidence = toEvidence(found.order, order, deps.now(), settings);
      // An order that can be read only in part counts if it says that money was seen. Otherwise the answer is malformed.
      if (found.order.isPartial === true && evidence.moneySeen !== true)
        throw new ProviderFault('malformed', 'the order does not match the schema', { status });
      return { ok: true, value: [{ ...evidence, upstreamOrderId: order.upstreamOrderId }] };
    },
  };
};

const paymentRequired = 402;

/** Maps a placed order. A free order counts as paid from the start. */
const placed = (
  orderId: string,
  amounts: Pick<PlacedOrder, 'pay' | 'receive' | 'fee' | 'expiresOn'>,
  payWith: PayWith,
  payTo: string | undefined,
): PlacedOrder => ({
  upstreamOrderId: orderId,
  ...amounts,
  ...(payTo === undefined
    ? { stage: 'paid', paymentInfo: { kind: 'none' } }
    : { stage: 'awaiting_payment', paymentInfo: toPaymentInfo(payWith, payTo, amounts.pay) }),
});
