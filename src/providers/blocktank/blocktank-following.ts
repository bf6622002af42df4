/** Reads an order, and opens its channel as soon as it is paid. If nobody opens the channel of a paid order, the order is refunded at its end. */
import { abortSignalOf } from '../../domain/cut.ts';
import { sameId } from '../../domain/same-id.ts';
import type { Facts } from '../../domain/offer.ts';
import { defined } from '../../domain/defined.ts';
import type { Stage } from '../../domain/order.ts';
import { ProviderFault } from '../fault.ts';
import type { CallContext, FollowedOrder, OrderEvidence } from '../spec.ts';
import { getOrder, openChannel, type Blocktank } from './blocktank-api.ts';
import { openErrorOf } from './blocktank-errors.ts';
import type { Problem, ToOpen } from './blocktank-openings.ts';
import { lnurlOf } from './blocktank-order.ts';
import { notesOf } from './blocktank-price.ts';
import { hasMoney, hourMs, isOnItsWay, isOpenable, lastPaymentOf, rawStatusOf, stageOf } from './blocktank-stage.ts';
import { blocksPerWeek, connectToOf } from './blocktank-terms.ts';
import type { FoundOrder, OrderWire } from './blocktank-wire.ts';

type Followed = FollowedOrder & { upstreamOrderId: string };

/**
 * Returns what the seller says about an order. If the order is paid and its channel can be opened, first asks the seller to open it. Returns
 * undefined if the seller does not know the order.
 */
export const readOrder = async (blocktank: Blocktank, context: CallContext, followed: Followed): Promise<OrderEvidence | undefined> => {
  const found = await getOrder(blocktank, context, followed.upstreamOrderId);
  if (found === undefined) return undefined;
  const order = orderIn(found, followed);
  const { nodePubkey } = followed;
  const endsOn = endOf(order, followed);
  const hasEnded = endsOn !== undefined && blocktank.deps.now() >= endsOn;
  if (nodePubkey === undefined || !isOpenable(order) || order.isPartial === true || differs(order, followed) || hasEnded)
    return toEvidence(blocktank, order, followed);
  const opened = await open(blocktank, context, followed, { id: followed.upstreamOrderId, nodePubkey, endsOn });
  if ('order' in opened) return toEvidence(blocktank, opened.order, followed);
  const evidence = toEvidence(blocktank, order, followed);
  return { ...evidence, rawStatus: `${evidence.rawStatus}, ${opened.problem}`, ...withPeer(evidence.facts, order, opened.problem) };
};

/** Throws `malformed` if the answer is about another order, or cannot be read. */
const orderIn = ({ orderId, order }: FoundOrder, followed: Followed): OrderWire => {
  if (!sameId(orderId, followed.upstreamOrderId)) throw new ProviderFault('malformed', 'the answer is about another order');
  if (!order) throw new ProviderFault('malformed', 'the order does not match the schema');
  return order;
};

/** Returns when it is too late to open the channel, if that is known. */
const endOf = ({ orderExpiresAt }: OrderWire, { upstream }: Followed): number | undefined =>
  typeof orderExpiresAt === 'number' ? orderExpiresAt + (notesOf(upstream).pay_with === 'onchain' ? hourMs : 0) : undefined;

type Opened = { order: OrderWire } | { problem: Problem };
/**
 * Asks the seller to open the channel to the proven node. Whatever goes wrong, the order stays paid, and a later read tries again. Neither a fault of
 * this call nor a slow seller may hide that the order was paid, so neither makes the read fail.
 */
const open = async (blocktank: Blocktank, reading: CallContext, followed: Followed, toOpen: ToOpen): Promise<Opened> => {
  const { openings, deps } = blocktank;
  const waiting = openings.waitsAfter(toOpen);
  if (waiting !== undefined) return { problem: waiting };
  openings.begun(toOpen);
  try {
    const opened = await askToOpen(blocktank, withinHalf(reading, deps.now()), followed, toOpen);
    if ('order' in opened) openings.opened(toOpen);
    else openings.failed(toOpen, opened.problem);
    return opened;
  } catch (error) {
    if (!(error instanceof ProviderFault)) throw error;
    // The provider's guard (src/resilience) does not see this fault, so `openings` remembers how long to wait.
    if (error.kind === 'rate-limited') openings.limited(toOpen, error.retryAfterMs);
    deps.log('warn', 'blocktank_not_opened', { problem: error.kind });
    return { problem: 'open-failed' };
  }
};

const askToOpen = async (blocktank: Blocktank, context: CallContext, followed: Followed, { id, nodePubkey }: ToOpen): Promise<Opened> => {
  const { announce } = notesOf(followed.upstream);
  const reply = await openChannel(blocktank, context, id, { connectionStringOrPubkey: nodePubkey, announceChannel: announce });
  if (reply.ok && reply.value) return { order: orderIn(reply.value, followed) };
  const problem = reply.ok ? 'open-failed' : openErrorOf(reply.body);
  blocktank.deps.log('info', 'blocktank_not_opened', { problem, status: reply.status });
  // An earlier call whose answer was lost may have opened the channel.
  const again = problem === 'WRONG_ORDER_STATE' ? await getOrder(blocktank, context, id) : undefined;
  return again ? { order: orderIn(again, followed) } : { problem };
};

/** Returns the call's context with half of the time that is left, so that what the read has learnt can still be returned in time. */
const withinHalf = (context: CallContext, now: number): CallContext => {
  const { signal, endsOn } = context;
  if (endsOn === undefined) return context;
  const limitMs = Math.max(Math.floor((endsOn - now) / 2), 0);
  return { ...context, signal: AbortSignal.any([abortSignalOf(signal), AbortSignal.timeout(limitMs)]) };
};

/** Returns where the customer's node has to connect, if the seller could not reach it. */
const withPeer = (facts: Facts | undefined, { lspNode }: OrderWire, problem: string): { facts?: Facts } => {
  const connectTo = connectToOf(lspNode);
  return problem === 'PEER_NOT_REACHABLE' && connectTo !== undefined ? { facts: { ...facts, connect_to: connectTo } } : {};
};

/**
 * Returns whether what the seller states differs from what was ordered: the balance on either side, the lease or the node, or whether the channel
 * ends too early. Such a channel must not be opened.
 */
const differs = (order: OrderWire, { facts, receive }: Followed): boolean => {
  const { lspBalanceSat, clientBalanceSat, channelExpiryWeeks, lspNode } = order;
  const { inbound_sats: inbound, lease_blocks: lease, connect_to: peer } = facts;
  if (endsEarly(order, facts)) return true;
  if (lspNode !== undefined && peer !== undefined && !peer.toLowerCase().startsWith(lspNode.pubkey)) return true;
  if (lspBalanceSat !== undefined && inbound !== undefined && lspBalanceSat !== BigInt(inbound)) return true;
  if (channelExpiryWeeks !== undefined && lease !== undefined && channelExpiryWeeks * blocksPerWeek !== Number(lease)) return true;
  return clientBalanceSat !== undefined && clientBalanceSat !== receive;
};

const dayMs = 24 * hourMs;
/** Returns whether the channel ends before the promised date. Allows for clocks that differ by up to a day. */
const endsEarly = ({ channelExpiresAt }: OrderWire, { channel_expires_on: promised }: Facts): boolean =>
  channelExpiresAt !== undefined && promised !== undefined && channelExpiresAt < Date.parse(promised) - dayMs;

const toEvidence = ({ deps, settings }: Blocktank, order: OrderWire, followed: Followed): OrderEvidence => {
  const { pay_with: payWith } = notesOf(followed.upstream);
  const lnurl = followed.nodePubkey === undefined && settings.open_by_lnurl ? lnurlOf(order, deps.mode === 'sandbox') : undefined;
  const reached = stageOf(order, {
    now: deps.now(),
    payWith,
    redeemable: lnurl !== undefined,
    paymentSeen: followed.paymentSeen === true,
    settings,
  });
  if (order.isPartial === true) return oddEvidence(order, followed, reached);
  const isOver = reached === 'expired' || reached === 'refunded';
  const stage = differs(order, followed) && !isOver ? 'review' : reached;
  const facts = defined({
    funding_outpoint: order.channel?.fundingTx,
    // The date was promised with the order, so an earlier one does not replace it.
    channel_expires_on: order.channelExpiresAt === undefined ? undefined : laterOf(order.channelExpiresAt, followed.facts.channel_expires_on),
  });
  const { feeSat: pay, clientBalanceSat: receive } = order;
  return {
    upstreamOrderId: followed.upstreamOrderId,
    rawStatus: rawStatusOf(order),
    ...defined({ stage, pay, receive, expiresOn: lastPaymentOf(order, payWith, settings) }),
    ...(pay === undefined || receive === undefined || pay < receive ? {} : { fee: pay - receive }),
    ...(hasMoney(order) ? { moneySeen: true as const } : {}),
    ...((stage === undefined || stage === 'awaiting_payment') && isOnItsWay(order) ? { arriving: true as const } : {}),
    ...(Object.keys(facts).length === 0 ? {} : { facts }),
    ...(reached === 'filled' && order.lnurl !== undefined ? { secret: { lnurl: order.lnurl } } : {}),
  };
};

/**
 * Maps an order that can be read only in part. Keeps that the order was paid, and the LNURL that redeems it (whose host is checked elsewhere).
 * Nothing else in the order is believed. Throws `malformed` if the order shows no money, or was refunded.
 */
const oddEvidence = (order: OrderWire, { upstreamOrderId }: Followed, reached: Stage | undefined): OrderEvidence => {
  if (reached === 'refunded' || !hasMoney(order)) throw new ProviderFault('malformed', 'the order does not match the schema');
  const evidence = { upstreamOrderId, rawStatus: rawStatusOf(order), stage: 'review', moneySeen: true } as const;
  return reached === 'filled' && order.lnurl !== undefined ? { ...evidence, secret: { lnurl: order.lnurl } } : evidence;
};

const laterOf = (told: number, promised: string | undefined): string =>
  new Date(Math.max(told, promised === undefined ? 0 : Date.parse(promised))).toISOString();
