import type { Asked, ProviderOffer } from '../../domain/offer.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { CallContext, LiquidityAdapter, LiquidityProduct, LiquidityQuoteRequest } from '../../providers/spec.ts';
import { freshListings } from '../catalogue/catalogue.ts';
import { collectOffers, listingShareMs, priceDeadlineMs, type Ask, type Asking } from './collect-offers.ts';
import { ofNode, takeFirmQuote } from './firm-count.ts';
import { offerFromJson, offerToJson, priceKey, toQuoteRequest, toTerms } from './liquidity-terms.ts';
import type { LiquidityTerms } from '../../ports/routes.ts';
import { productsOf } from '../catalogue/products.ts';
import { reservedPlace } from '../places.ts';
import { defaultHaircutBps } from './haircut.ts';
import { withinLimits } from './in-flight.ts';
import { refreshRecord } from './record.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import type { Provider } from '../../ports/providers.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { readRefundAddress, refundHashOf } from './refund-address.ts';
import { storeRoute, type StoredOffers } from './store-route.ts';
import { provenNode } from '../sessions/proven-node.ts';

export type LiquidityPriceRequest = {
  product: LiquidityProduct;
  amount_sats: number;
  pay_with: string;
  lease_blocks?: number | undefined;
  announce?: boolean | undefined;
  firm?: boolean | undefined;
  node_pubkey?: string | undefined;
  refund_onchain?: string | undefined;
  max_wait_ms?: number | undefined;
};
export type PricedLiquidity = StoredOffers & { firmQuotesLeft?: number };

/**
 * Asks the liquidity sellers for their prices, decides, and stores the route. Without `firm`, nothing is ordered: for a seller that states a price
 * only with an order, we show its last price, if we know one. With `firm`, such a seller makes an order, which reserves the offer. We reuse that
 * order until it expires.
 */
export const priceLiquidity = async (scope: Scope, session: OpenSession, request: LiquidityPriceRequest): Promise<PricedLiquidity> => {
  const { gateway } = scope;
  const { product, amount_sats: amountSats, pay_with: payWith, lease_blocks: leaseBlocks, announce = false, firm = false } = request;
  const wanted: LiquidityTerms = { product, amountSats, payWith, announce, firm, ...(leaseBlocks === undefined || leaseBlocks === 0 ? {} : { leaseBlocks }) };
  const nodePubkey = await provenNode(gateway, session, request.node_pubkey);
  if (firm && nodePubkey === undefined)
    throw new Problem('proof-required', 'Firm prices need a proven node key. Open a session with the signature of the node.');
  const refundOnchain = readRefundAddress(gateway, request.refund_onchain);
  const sats = BigInt(amountSats);
  const asked: Asked = {
    ramp: 'liquidity',
    inboundSats: product === 'recharge' ? 0n : sats,
    clientSats: product === 'inbound' ? 0n : sats,
    ...(wanted.leaseBlocks === undefined || product === 'recharge' ? {} : { leaseBlocks: wanted.leaseBlocks }),
  };
  const node = {
    ...(nodePubkey === undefined ? {} : { nodePubkey }),
    ...(refundOnchain === undefined ? {} : { refundOnchain }),
  };
  const since = gateway.now();
  await Promise.all([freshListings(scope, 'liquidity', listingShareMs(priceDeadlineMs(gateway, request.max_wait_ms))), refreshRecord(gateway)]);
  refuseUnknownWay(gateway, payWith);
  const counts: Grant['count'][] = [];
  const asks = gateway.providers.flatMap((provider): Ask[] => {
    const adapter = provider.adapter.liquidity;
    if (provider.core.mode === 'off' || !adapter) return [];
    const terms = {
      haircutBps: provider.core.haircut_bps ?? defaultHaircutBps(gateway.settings.routing),
      preferenceBps: provider.core.preference_bps,
    };
    const outside = outsideListing(gateway, provider, wanted);
    if (outside) return [{ provider, terms, refusal: outside }];
    const seller = { provider, adapter };
    const ask = async (call: CallContext): Promise<Asking> => {
      if (!firm || adapter.pricesByOrder !== true || nodePubkey === undefined) return await askFreely(gateway, seller, call, wanted, node);
      const firmNode = { ...node, nodePubkey };
      const grant = await grantFirm(scope, provider, wanted, firmNode);
      counts.push(grant.count);
      if ('reuse' in grant) return { offer: grant.reuse };
      return 'take' in grant ? await askFirm(gateway, seller, call, toQuoteRequest(wanted, firmNode), grant.take) : { refusal: { reason: 'quota-used' } };
    };
    return [{ provider, terms, ask, idempotent: !firm }];
  });
  const collected = await collectOffers(scope, {
    asked,
    asks: await withinLimits(gateway, 'liquidity', asks),
    session,
    maxWaitMs: request.max_wait_ms,
    // For a firm price the seller makes an order, so the deadline is that of an order.
    ...(firm ? { longestMs: gateway.settings.routing.order_deadline_ms } : { since }),
  });
  const stored = await storeRoute(gateway, session, collected, toTerms(wanted));
  return { ...stored, ...(counts.length === 0 ? {} : { firmQuotesLeft: Math.min(...counts.map(({ left }) => left)) }) };
};

/**
 * Throws a Problem if no seller knows this way to pay, because that is the caller's mistake. While any seller's listing is missing, we cannot know
 * all ways to pay, so nothing is refused.
 */
const refuseUnknownWay = (gateway: Gateway, payWith: string): void => {
  const sellers = gateway.providers.filter(({ core, adapter }) => core.mode !== 'off' && adapter.liquidity);
  const listed = sellers.map(({ id }) => productsOf(gateway, id));
  const words = [...new Set(['lightning', 'onchain', 'balance', ...listed.flat().flatMap((one) => one.payWith)])];
  if (words.includes(payWith) || listed.some((listings) => listings.length === 0)) return;
  const detail = `must be one of: ${words.join(', ')}`;
  throw new Problem('invalid-request', `/pay_with: ${detail}`, { errors: [{ pointer: '/pay_with', detail }] });
};

/**
 * Returns the refusal if the seller's listing excludes the request. Such a seller is not asked: without an order, it could not even say why it
 * refuses.
 */
const outsideListing = (gateway: Gateway, provider: Provider, { product, amountSats, payWith }: LiquidityTerms): Refusal | undefined => {
  const sats = BigInt(amountSats);
  const listed = productsOf(gateway, provider.id);
  const range = listed.find((one) => one.product === product);
  if (listed.length > 0 && !range) return { reason: 'option-unsupported' };
  // If the seller does not take this payment, its limits do not matter: the adapter will refuse and give the reason.
  if (!range?.payWith.includes(payWith) || (sats >= range.minSats && sats <= range.maxSats)) return undefined;
  return { reason: sats < range.minSats ? 'below-minimum' : 'above-maximum', limits: { minReceive: range.minSats, maxReceive: range.maxSats } };
};

type Seller = { provider: Provider; adapter: LiquidityAdapter };

/** Asks a seller for a price without changing anything at the seller. */
const askFreely = async (
  gateway: Gateway,
  { provider, adapter }: Seller,
  call: CallContext,
  wanted: LiquidityTerms,
  node: { nodePubkey?: string },
): Promise<Asking> => {
  const seen = await gateway.stores.liquidity.findPrice(provider.id, priceKey(wanted));
  const lastSeen = seen && { offer: offerFromJson(seen.offer), observedOn: seen.observedOn };
  const answer = await adapter.quote(call, { ...toQuoteRequest({ ...wanted, firm: false }, node), ...(lastSeen ? { lastSeen } : {}) });
  return answer.ok ? { offer: answer.value } : { refusal: answer.refusal };
};

/**
 * A firm price that has been counted: how to take the count back, and the keys under which the public price and this node's reservation are stored.
 */
type Take = { giveBack: () => Promise<unknown>; priceOf: string; reservedUnder: string };
/**
 * How many firm prices the node has left today (`count.left`), and one of three: an earlier order to reuse (`reuse`), permission to make a new one
 * (`take`), or neither because a limit is reached (`none`).
 */
type Grant = { count: { left: number } } & ({ reuse: ProviderOffer } | { take: Take } | { none: true });

/**
 * Allows a price that exists only with an order: reuses an earlier order that has not expired, or else counts a new one within the daily limits of
 * the node, its network and the seller.
 */
const grantFirm = async (scope: Scope, provider: Provider, wanted: LiquidityTerms, node: { nodePubkey: string; refundOnchain?: string }): Promise<Grant> => {
  const { gateway } = scope;
  const { liquidity } = gateway.stores;
  const nodeHash = gateway.hash(`node ${node.nodePubkey}`).slice(0, 32);
  const refundHash = refundHashOf(gateway, node.refundOnchain);
  const reservedUnder = `firm ${nodeHash} ${priceKey(wanted)} ${refundHash}`;
  const perNode = provider.core.quotes_per_node_per_day;
  const reserved = await liquidity.findPrice(provider.id, reservedUnder);
  const reuse = reserved && (await stillReserved(gateway, provider, offerFromJson(reserved.offer)));
  if (reuse) return { count: { left: Math.max(0, perNode - Number(await liquidity.used(ofNode(scope, provider, nodeHash)))) }, reuse };
  const count = await takeFirmQuote(scope, provider, nodeHash);
  if (!count.taken) return { count, none: true };
  return { count, take: { giveBack: count.giveBack, priceOf: priceKey(wanted), reservedUnder } };
};

const askFirm = async (gateway: Gateway, { provider, adapter }: Seller, call: CallContext, request: LiquidityQuoteRequest, take: Take): Promise<Asking> => {
  const { liquidity } = gateway.stores;
  const answer = await adapter.quote(call, request).catch(async (fault: unknown) => {
    // A call whose answer was lost counts. A call that certainly made no order does not count, unless the seller said that we ask too often.
    if (fault instanceof ProviderFault && fault.taken === 'no' && fault.kind !== 'rate-limited') await take.giveBack();
    if (fault instanceof ProviderFault && fault.orderMade !== undefined) noteUnused(gateway, provider, call, fault.kind, fault.orderMade);
    throw fault;
  });
  if (!answer.ok) {
    const { reason, orderMade } = answer.refusal;
    if (orderMade === undefined) await take.giveBack();
    else noteUnused(gateway, provider, call, reason, orderMade);
    return { refusal: answer.refusal };
  }
  const observedOn = gateway.now();
  const { reservation, secret, ...price } = answer.value;
  const offer: ProviderOffer = {
    ...price,
    ...(reservation ? { reservation: { ...reservation, refundHash: refundHashOf(gateway, request.refundOnchain) } } : {}),
    ...(reservation && secret !== undefined ? { secret: await gateway.seal.seal(secret, reservedPlace(reservation.upstreamOrderId)) } : {}),
  };
  const saving = Promise.all([
    // Other customers see only the price, not how to pay the order that this customer reserved. A free order is not a price for the next customer.
    ...(price.pay === 0n ? [] : [liquidity.savePrice(provider.id, take.priceOf, offerToJson({ ...price, upstream: {} }), observedOn)]),
    liquidity.savePrice(provider.id, take.reservedUnder, offerToJson(offer), observedOn),
  ]);
  await saving.catch((error: unknown) => {
    if (reservation) noteUnused(gateway, provider, call, 'not-stored', reservation.upstreamOrderId);
    throw error;
  });
  return { offer };
};

/** Reports to the operator that a seller made an order which cannot be shown to any customer. It expires by itself. */
const noteUnused = (gateway: Gateway, provider: Provider, { requestId }: CallContext, reason: string, upstreamOrder: string): void => {
  gateway.count('order_oddities_total', { provider: provider.id, kind: 'unusable' });
  gateway.log('warn', 'firm_price_unusable', { request_id: requestId, provider: provider.id, reason, upstream_order: upstreamOrder });
};

/** Returns the existing offer while its order can still be accepted and has not been accepted yet, or else undefined. */
const stillReserved = async (gateway: Gateway, provider: Provider, offer: ProviderOffer): Promise<ProviderOffer | undefined> => {
  const { reservation } = offer;
  const { accept_margin_s: margin, shortest_life_s: least } = gateway.settings.routing;
  if (!reservation || reservation.acceptUntil - (margin + least) * 1000 <= gateway.now()) return undefined;
  const claimed = await gateway.stores.intents.claimedUpstreamIds(provider.id, [reservation.upstreamOrderId]);
  return claimed.length === 0 ? offer : undefined;
};
