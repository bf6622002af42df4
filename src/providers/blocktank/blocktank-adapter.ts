import type { ProviderOffer } from '../../domain/offer.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { beforehand, namingOrder, ProviderFault } from '../fault.ts';
import { fallsShort, toPaymentInfo, unpayable, type PayWith } from '../kit/channel-order.ts';
import type { Answer, CallContext, LiquidityAdapter, LiquidityQuoteRequest, PlacedOrder } from '../spec.ts';
import { createOrder, estimateFee, isBlockedHere, readInfo, type Blocktank } from './blocktank-api.ts';
import { toRefusal } from './blocktank-errors.ts';
import { readOrder } from './blocktank-following.ts';
import { createOpenings } from './blocktank-openings.ts';
import { lnurlOf, toMade, type Made } from './blocktank-order.ts';
import { factsOf, notesOf, payOf, toEstimate, toFirmOffer, type Opening } from './blocktank-price.ts';
import { bodyOf, connectToOf, isOnNetwork, sellingNodes, toListings, toTerms, type Terms } from './blocktank-terms.ts';
import type { InfoWire, NodeWire } from './blocktank-wire.ts';

type Created = { made: Made; terms: Terms; opening: Opening };

export const createBlocktankAdapter = (deps: Blocktank['deps'], settings: Blocktank['settings']): LiquidityAdapter => {
  const blocktank: Blocktank = { deps, settings, openings: createOpenings(deps.now) };
  const loopbackHttp = deps.mode === 'sandbox';
  const payoutHosts = deps.payoutHosts ?? [new URL(settings.base_url).hostname];

  const infoOf = async (context: CallContext): Promise<Answer<InfoWire>> => {
    const reply = await readInfo(blocktank, context);
    if (!reply.ok) return refused(toRefusal(reply.body, { reason: 'declined' }));
    const isSold = isOnNetwork(reply.value, deps.network);
    return isSold ? { ok: true, value: reply.value } : refused({ reason: 'declined', note: 'not-on-sale', detail: 'the seller is on another network' });
  };

  /** Returns a refusal if our configuration alone rules the request out. */
  const refusedOutright = ({ product, payWith, nodePubkey }: LiquidityQuoteRequest): Refusal | undefined => {
    if (product === 'recharge' || !settings.products.includes(product)) return { reason: 'option-unsupported' };
    if (payWithOf(payWith, settings.pay_with) === undefined) return { reason: 'payment-method-unsupported' };
    return nodePubkey === undefined && !settings.open_by_lnurl ? { reason: 'proof-required' } : undefined;
  };

  /** Returns why the seller refused. Reads the limits again for this, because they move with the price of bitcoin. */
  const whyRefused = async (context: CallContext, body: unknown, request: LiquidityQuoteRequest): Promise<Refusal> => {
    const info = await beforehand(infoOf(context));
    if (!info.ok) return toRefusal(body, undefined);
    const limited = toTerms(request, info.value, settings);
    return toRefusal(body, 'refusal' in limited ? limited.refusal : undefined);
  };

  const estimate = async (context: CallContext, request: LiquidityQuoteRequest, payWith: PayWith): Promise<Answer<ProviderOffer>> => {
    const info = await infoOf(context);
    if (!info.ok) return info;
    const asked = toTerms(request, info.value, settings);
    if ('refusal' in asked) return refused(asked.refusal);
    const { terms } = asked;
    const reply = await estimateFee(blocktank, context, bodyOf(terms, request.announce, settings));
    if (!reply.ok) return refused(await whyRefused(context, reply.body, request));
    const pay = payOf(reply.value, terms.clientSats, settings.estimate_includes_client_balance);
    const [node] = sellingNodes(info.value, settings);
    return { ok: true, value: toEstimate(pay, terms, { pay_with: payWith, announce: request.announce }, openingOf(request, node)) };
  };

  /**
   * Makes one order at the seller. A refusal without `orderMade` means for certain that there is no order. A refusal with `orderMade` means that
   * there is one, which was shown to nobody and expires by itself. After a fault of the POST, there may be one. `offer`: the estimate that is
   * ordered.
   */
  const create = async (
    context: CallContext,
    request: LiquidityQuoteRequest,
    payWith: PayWith,
    { refundOnchain, offer }: { refundOnchain?: string | undefined; offer?: ProviderOffer },
  ): Promise<Answer<Created>> => {
    const info = await beforehand(infoOf(context));
    if (!info.ok) return info;
    const asked = toTerms(request, info.value, settings);
    if ('refusal' in asked) return refused(asked.refusal);
    // Without this address, Blocktank refunds an on-chain payment only when a person asks for it.
    if (payWith === 'onchain' && refundOnchain === undefined) return refused({ reason: 'payment-method-unsupported', note: 'refund-address-required' });
    const { terms } = asked;
    // What is on sale may have changed since the estimate.
    if (offer && fallsShort(factsOf(terms, openingOf(request, undefined)), request, offer)) return refused({ reason: 'lease-unsupported' });
    const reply = await createOrder(blocktank, context, bodyOf(terms, request.announce, settings, refundOnchain));
    if (!reply.ok) return refused(await whyRefused(context, reply.body, request));
    const { orderId, order } = reply.value;
    return namingOrder(orderId, () => {
      if (!order || order.isPartial === true) throw new ProviderFault('malformed', 'the order does not match the schema');
      const { network } = deps;
      const judged = toMade(order, terms, { network, now: deps.now(), payWith, loopbackHttp, payoutHosts, info: info.value, settings });
      if ('refusal' in judged) return refused({ ...judged.refusal, orderMade: orderId });
      const opening = openingOf(request, order.lspNode);
      // Nobody could open this channel once it is paid.
      if (opening.by === 'wallet' && !judged.made.isRedeemable) return refused({ reason: 'proof-required', orderMade: orderId });
      return { ok: true, value: { made: judged.made, terms, opening } };
    });
  };

  return {
    pricesByOrder: true,
    opensForNode: true,

    catalogue: async (context) => {
      if (await isBlockedHere(blocktank, context)) return refused({ reason: 'country-restricted' });
      const info = await infoOf(context);
      return info.ok ? { ok: true, value: toListings(info.value, settings) } : info;
    },

    quote: async (context, request) => {
      const payWith = payWithOf(request.payWith, settings.pay_with);
      const refusal = refusedOutright(request);
      if (refusal || payWith === undefined) return refused(refusal ?? { reason: 'payment-method-unsupported' });
      if (!request.firm) return await estimate(context, request, payWith);
      const created = await create(context, request, payWith, { refundOnchain: request.refundOnchain });
      if (!created.ok) return created;
      const { made, terms, opening } = created.value;
      return { ok: true, value: toFirmOffer(made, terms, { pay_with: payWith, announce: request.announce }, opening) };
    },

    placeOrder: async (context, { quote, offer, inputs }) => {
      if (quote.ramp !== 'liquidity') throw new Error('this adapter sells channels only');
      const { pay_with: payWith, order_id: reserved, lnurl } = notesOf(offer.upstream);
      if (reserved !== undefined && offer.secret !== undefined) {
        if (offer.expiresOn !== undefined && deps.now() >= offer.expiresOn) return refused({ reason: 'declined', note: 'reservation-ended' });
        if (quote.nodePubkey === undefined && !(settings.open_by_lnurl && lnurl === true)) return refused({ reason: 'proof-required' });
        const { pay, receive, fee, expiresOn, secret: payTo } = offer;
        const facts = deliveredAs(quote);
        return {
          ok: true,
          value: placed({ orderId: reserved, pay, receive, fee, payTo, ...(expiresOn === undefined ? {} : { expiresOn }) }, payWith, { facts }),
        };
      }
      const refusal = refusedOutright(quote);
      if (refusal) return refused(refusal);
      const created = await create(context, quote, payWith, { refundOnchain: inputs.refundOnchain ?? quote.refundOnchain, offer });
      if (!created.ok) {
        const { orderMade, reason } = created.refusal;
        // If there is an order all the same, it cannot be paid. The gateway reports that, and follows the order.
        return orderMade === undefined ? created : { ok: true, value: unpayable(orderMade, offer, reason) };
      }
      const { made, terms, opening } = created.value;
      return { ok: true, value: placed(made, payWith, { rawStatus: made.rawStatus, facts: factsOf(terms, opening, made.channelExpiresOn) }) };
    },

    readOrders: async (context, order) => {
      // Blocktank lists orders only by their ids, so an empty list would be wrong.
      if (order?.upstreamOrderId === undefined) return refused({ reason: 'declined', note: 'orders-not-listed' });
      const evidence = await readOrder(blocktank, context, { ...order, upstreamOrderId: order.upstreamOrderId });
      return { ok: true, value: evidence === undefined ? [] : [evidence] };
    },

    redemption: ({ secret }) => {
      const given = typeof secret === 'object' && secret !== null && !Array.isArray(secret) ? secret['lnurl'] : undefined;
      const lnurl = typeof given === 'string' ? lnurlOf({ lnurl: given }, loopbackHttp) : undefined;
      return lnurl === undefined ? undefined : { lnurl };
    },
  };
};

const refused = (refusal: Refusal): { ok: false; refusal: Refusal } => ({ ok: false, refusal });

const payWithOf = (word: string, known: readonly PayWith[]): PayWith | undefined => known.find((one) => one === word);

/** Returns how the channel gets opened: by this adapter for the proven node, or by the wallet with the order's LNURL. */
const openingOf = ({ nodePubkey }: LiquidityQuoteRequest, node: NodeWire | undefined): Opening => ({
  by: nodePubkey === undefined ? 'wallet' : 'adapter',
  connectTo: connectToOf(node),
});
const deliveredAs = ({ nodePubkey }: LiquidityQuoteRequest) => ({ delivered_as: nodePubkey === undefined ? ('redemption' as const) : ('channel' as const) });

const placed = (
  { orderId, pay, receive, fee, payTo, expiresOn }: Pick<Made, 'orderId' | 'pay' | 'receive' | 'fee' | 'payTo'> & { expiresOn?: number },
  payWith: PayWith,
  more: Pick<PlacedOrder, 'rawStatus' | 'facts'>,
): PlacedOrder => ({
  upstreamOrderId: orderId,
  stage: 'awaiting_payment',
  pay,
  receive,
  fee,
  ...(expiresOn === undefined ? {} : { expiresOn }),
  paymentInfo: toPaymentInfo(payWith, payTo, pay),
  ...more,
});
