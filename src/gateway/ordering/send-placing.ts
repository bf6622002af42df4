import { writingsOf } from '../../domain/same-id.ts';
import { defined } from '../../domain/defined.ts';
import { mostPay } from '../../domain/judge-order.ts';
import { isExchange } from '../../domain/ramp.ts';
import { backOffMs, newOrders } from '../../domain/settle-placing.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { PlacedOrder, PlaceRequest } from '../../providers/spec.ts';
import { keepBlob } from '../upstream/blob.ts';
import { boundsOf } from './bounds.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { adapterOf } from '../upstream/provider-of.ts';
import { confirmPlaced } from './confirm-order.ts';
import { endBeyondLimit, endExpired, endOfRefusal, endPlacing, endUnsent, settleUnpayable, type End } from './end-placing.ts';
import { moveOn, timeFor, type Turn } from './next-rank.ts';
import { beyondLimit } from '../pricing/in-flight.ts';
import { answerOf, lapsesUnseen, lostNote, orderPending, placingOf, type Placing } from './placing.ts';
import type { GivenAnswer } from './given-answer.ts';
import { quoteRequestOf } from './quote-request.ts';
import { upstreamOf } from '../ramps.ts';
import { ordersHeld } from '../switches.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Lease } from '../../ports/runtime.ts';
import type { Scope } from '../../ports/scope.ts';
import { noticeUrl } from '../notice-url.ts';

/**
 * Sends an attempt in the state `prepared`: reads the orders that already exist, commits the state `sending`, then makes the one POST. Returns the
 * answer, after failover if the request has it. An instance that takes over an attempt from one that stopped has the whole deadline again.
 */
export const sendPlacing = async (scope: Scope, intent: Intent, lease: Lease): Promise<GivenAnswer> => {
  const { gateway } = scope;
  const endsOn = gateway.now() + gateway.settings.routing.order_deadline_ms;
  let turn: Turn = { intent, lease, placing: await placingOf(gateway, intent), endsOn, isFirst: true };
  for (;;) {
    const sent = await sendPrepared(scope, turn);
    if (!('state' in sent)) return sent;
    const next = await moveOn(scope, turn, sent);
    if (!next) return await endPlacing(scope, turn.intent, turn.lease.owner, turn.placing, sent);
    turn = next;
  }
};

const sendPrepared = async (scope: Scope, turn: Turn): Promise<GivenAnswer | End> => {
  const { gateway } = scope;
  const { intent, lease, placing } = turn;
  const { intents } = gateway.stores;
  // After accept_by nothing is sent. The instance that was to send the order has probably stopped, and an order this late could surprise the
  // customer.
  if (gateway.now() > placing.quote.acceptBy) return endExpired('accept_by passed before the order was sent');
  if (ordersHeld(gateway, intent.providerId)) return endUnsent('the operator has stopped new orders at this provider, or at all providers');
  // This attempt itself now counts as in flight. If many quotes were given at the same time, not all of them can be ordered.
  const beyond = await beyondLimit(gateway, placing.provider);
  if (beyond) return endBeyondLimit(beyond);
  const knownBefore = await readKnownOrders(scope, intent, placing);
  if (knownBefore) await intents.change(intent.id, lease.owner, { knownBefore }, false);
  const deadlineMs = timeFor(gateway, turn);
  if (deadlineMs === undefined) return endUnsent('too little time was left to send it');
  const leaseEndsOn = gateway.now() + lease.seconds * 1000;
  if (!(await intents.startSending(intent.id, lease, gateway.now()))) return await answerOf(gateway, await intents.find(intent.id));
  const sent = await sendOnce(scope, intent, placing, { leaseEndsOn, deadlineMs });
  if ('placed' in sent) {
    const outcome = await confirmPlaced(scope, { ...intent, sentOn: sent.sentOn }, lease.owner, placing, sent.placed);
    return 'withheld' in outcome ? outcome.withheld : outcome;
  }
  if ('unsent' in sent) return endUnsent(sent.unsent);
  if ('refused' in sent) return sent.sessionOver === true ? endExpired(sent.refused.reason) : endOfRefusal(intent.ramp, sent.refused, placing);
  if (lapsesUnseen(intent, placing)) {
    await settleUnpayable(gateway, intent, lease.owner, { state: 'unpayable', note: lostNote, upstreamOrderId: sent.orderMade });
    return await answerOf(gateway, await intents.find(intent.id));
  }
  await intents.change(
    intent.id,
    lease.owner,
    {
      state: 'unknown',
      sentOn: sent.sentOn,
      nextTryOn: gateway.now() + backOffMs(0, gateway.random()),
      evidence: { tries: 0, reposts: 0, lost: sent.lost, ...defined({ orderMade: sent.orderMade }) },
    },
    true,
  );
  throw orderPending("The provider's answer was lost; the gateway is finding out what became of the order.");
};

/**
 * The result of one POST. `sentOn`: when the call began, after any wait in our own queue.
 * - `refused`: the provider refused the order. `sessionOver`: it did so because its session, and every quote of that session, have ended.
 * - `unsent`: this POST certainly made no order, because nothing was sent or the provider could not process it. An earlier POST may have made one.
 * - `lost`: the POST may have made an order. `orderMade`: the order's id, if the response contained it but could not be used.
 */
export type Sent =
  | { placed: PlacedOrder; sentOn: number }
  | { refused: Refusal; sessionOver?: boolean; sentOn: number }
  | { unsent: string }
  | { lost: string; orderMade?: string | undefined; sentOn: number };

type Sending = {
  /**
   * After this time nothing is sent, because another instance may own the row. The time is measured by this instance's clock, which was read before
   * the instance took the lease.
   */
  leaseEndsOn: number;
  /** How long the call may take. By default, the whole deadline of an order. */
  deadlineMs?: number;
  attempt?: number;
};

/** Makes one POST to the provider. Never throws for a failed call: the result says what is known about the order. */
export const sendOnce = async (scope: Scope, intent: Intent, placing: Placing, { leaseEndsOn, deadlineMs, attempt = 1 }: Sending): Promise<Sent> => {
  const { gateway } = scope;
  const { provider, quote, inputs, context } = placing;
  const request: PlaceRequest = {
    quote: quoteRequestOf(quote, inputs.nodePubkey),
    offer: quote.offer.offer,
    inputs: inputs.order,
    noticeUrl: noticeUrl(gateway, provider.id, 'order', intent.id),
    ...(isExchange(intent.ramp) ? { mostPay: mostPay(quote.offer.offer, boundsOf(gateway, inputs)) } : {}),
  };
  const sending = { left: false, on: gateway.now() };
  try {
    const options = {
      operation: 'order',
      verb: 'place_order',
      deadlineMs: deadlineMs ?? gateway.settings.routing.order_deadline_ms,
      idempotent: false,
      customerKey: intent.customerId,
      context: { ...context, attempt },
    } as const;
    const answer = await callProvider(scope, provider, options, async (call) => {
      sending.on = gateway.now();
      if (sending.on >= leaseEndsOn)
        throw new ProviderFault('busy', 'the instance that was sending the order was paused past its lease', { retryable: false, taken: 'no' });
      sending.left = true;
      return await adapterOf(provider, request.quote.ramp).placeOrder(call, request);
    });
    const upstream = upstreamOf(provider, intent.ramp);
    if (upstream === 'account' && intent.exclusiveKey !== undefined && answer.customer !== undefined)
      await keepBlob(gateway, intent.exclusiveKey, { used: context.customer, now: answer.customer });
    const sentOn = sending.on;
    if (answer.ok) return { placed: answer.value, sentOn };
    const sessionOver = upstream === 'session' && answer.customer === '';
    if (sessionOver && intent.exclusiveKey !== undefined) await gateway.stores.sessions.retireUpstream(intent.exclusiveKey, gateway.now());
    return { refused: answer.refusal, sessionOver, sentOn };
  } catch (fault) {
    if (!sending.left || (fault instanceof ProviderFault && fault.taken === 'no')) return { unsent: fault instanceof ProviderFault ? fault.kind : 'defect' };
    const sentOn = sending.on;
    return fault instanceof ProviderFault ? { lost: fault.kind, orderMade: fault.orderMade, sentOn } : { lost: 'defect', sentOn };
  }
};

/**
 * Returns the ids of the orders that this upstream session already has. They are read only if an earlier attempt in the same session may have made
 * some. If the provider cannot be read, we go on without them: amounts and other intents still tell the orders apart.
 */
const readKnownOrders = async (scope: Scope, intent: Intent, placing: Placing): Promise<string[] | undefined> => {
  const { gateway } = scope;
  // Earlier orders matter only if the orders of this attempt's upstream session can be listed.
  if (upstreamOf(placing.provider, intent.ramp) !== 'session' || intent.exclusiveKey === undefined || !placing.provider.core.status_by_session)
    return undefined;
  const earlier = await gateway.stores.intents.earlierIn(intent.exclusiveKey);
  if (earlier.every((id) => id === intent.id)) return undefined;
  try {
    return (await readSessionOrders(scope, intent, placing)).flatMap((row) => row.upstreamOrderId ?? []);
  } catch {
    return undefined; // counted and logged by callProvider
  }
};

/** Reads all orders of the attempt's upstream session. Throws if the provider cannot be read. */
const readSessionOrders = async (scope: Scope, intent: Intent, placing: Placing) => {
  const { gateway } = scope;
  const { provider, context, quote } = placing;
  const options = {
    operation: 'status',
    verb: 'read_orders',
    deadlineMs: gateway.settings.routing.status_deadline_ms,
    idempotent: true,
    customerKey: intent.customerId,
    context,
  } as const;
  const adapter = adapterOf(provider, quote.route.asked.ramp);
  const answer = await callProvider(scope, provider, options, async (call) => await adapter.readOrders(call));
  // A refused read must not count as an empty list: an empty list could end the attempt as dead.
  if (!answer.ok) throw new ProviderFault('server', `the read was refused: ${answer.refusal.reason}`);
  return answer.value;
};

/** Reads the orders that can be this attempt's own. Throws if the provider cannot be read. */
export const ownNewOrders = async (scope: Scope, intent: Intent, placing: Placing) => {
  const { gateway } = scope;
  const rows = await readSessionOrders(scope, intent, placing);
  const claimed = await gateway.stores.intents.claimedUpstreamIds(
    intent.providerId,
    rows.flatMap((row) => (row.upstreamOrderId === undefined ? [] : writingsOf(row.upstreamOrderId))),
  );
  return newOrders(rows, intent.knownBefore ?? [], claimed);
};
