import { judgeEnd, judgeOrder, lastsAsQuoted } from '../../domain/judge-order.ts';
import { isDelivered, isUnpaid, lastPaymentOn, noLaterThanExpiry, refreshDelayMs } from '../../domain/order-life.ts';
import { asksExchange, type Json } from '../../domain/offer.ts';
import type { ReviewReason, Stage } from '../../domain/order.ts';
import { isClaimed, isExchange } from '../../domain/ramp.ts';
import { canonicalId } from '../../domain/same-id.ts';
import type { PlacedOrder } from '../../providers/spec.ts';
import { orderDeliveries } from '../deliveries/order-deliveries.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Order, OrderEvent } from '../../ports/orders.ts';
import type { Scope } from '../../ports/scope.ts';
import { boundsOf, ownBounds } from './bounds.ts';
import { countJudged } from './count-judged.ts';
import { settleUnpayable, type End } from './end-placing.ts';
import { sealAnswer, type GivenAnswer, type GivenProblem } from './given-answer.ts';
import { paidBy } from './payout.ts';
import { answerOf, type Placing } from './placing.ts';
import { unknownOrder } from '../notice-url.ts';
import { linkHosts } from '../upstream/provider-of.ts';
import { receiptOfOrder } from '../receipts/receipt-of-order.ts';
import { paymentPlace, webhookPlace } from '../places.ts';
import { showNewOrder, type Told } from '../following/show-order.ts';
import { withOwnLinks } from './own-links.ts';
import { showPayment } from './show-payment.ts';
import { defined } from '../../domain/defined.ts';
import { withoutPayout } from '../following/payout-of.ts';
import { pollOn } from '../following/poll-share.ts';
import { markTwins, twinsOf } from '../following/twins.ts';

/**
 * Handles an order that a provider has returned. The order is withheld if, for example, another order has the same id, it is not what the customer
 * accepted, or it cannot be paid in time. Otherwise one transaction commits the intent, the order, its first event and the bytes of the response. If
 * a payment link leads to a foreign host, the order is stored in review, and the response says so.
 */
export const confirmPlaced = async (scope: Scope, intent: Intent, owner: string, placing: Placing, placed: PlacedOrder): Promise<GivenAnswer | Withheld> => {
  const { gateway } = scope;
  const { provider, quote } = placing;
  const twins = await twinsOf(gateway, { intentId: intent.id, providerId: intent.providerId, upstreamOrderId: placed.upstreamOrderId });
  if (twins.length > 0) return await withholdTwin(gateway, intent, owner, placed, twins);
  const refusal = notAsAccepted(gateway, intent, placing, placed);
  if (refusal) return withheld(placed, refusal);
  if (isPaidUnseen(intent, placing, placed)) {
    const note = `the provider's first answer says ${placed.stage}, yet the customer was never shown how to pay`;
    await settleUnpayable(gateway, intent, owner, { state: 'review', note, ...defined({ upstreamOrderId: placed.upstreamOrderId }) });
    return await answerOf(gateway, await gateway.stores.intents.find(intent.id));
  }
  const { asked } = quote.route;
  const option = asksExchange(asked) ? { paymentOptionId: quote.terms.paymentOptionId, currency: asked.currency } : {};
  const ownLinks = withOwnLinks(placed.paymentInfo, linkHosts(provider, provider.core.payment_hosts), gateway.settings.mode === 'sandbox');
  const isPayable = placed.stage === 'awaiting_payment';
  const payment = isPayable ? showPayment(ownLinks ?? placed.paymentInfo, { pay: placed.pay, ...option }) : undefined;
  if (placed.paymentInfo.kind === 'none' && placed.paymentInfo.problem !== undefined)
    gateway.log('warn', 'payment_info_withheld', { provider: provider.id, order: intent.orderId, note: placed.paymentInfo.problem });
  if (!payment && isPayable) return withheld(placed, unpayable("The provider's order has no payment details that can be shown."));

  const untrusted = ownLinks === undefined;
  const now = gateway.now();
  const isPushed = quote.offer.offer.facts.payout_kinds !== undefined;
  // Only a read can show that a pushed payout was made (payout-of.ts).
  const stage: Stage = untrusted ? 'review' : isPushed && isDelivered(placed.stage) ? 'paid' : placed.stage;
  const order = await orderOf(gateway, intent, placing, placed, { stage, payment: payment ?? {}, now, ...(untrusted ? { reviewReason: 'unsafe-link' } : {}) });
  const answer: GivenAnswer = untrusted
    ? {
        problem: {
          code: 'payout-link-refused',
          detail: 'The provider gave a payment link that is not on one of its own hosts. The order is withheld, and the operator is checking it. Do not pay.',
          more: { members: { order_id: intent.orderId } },
        },
      }
    : { order: JSON.stringify(showNewOrder(gateway, order, payment, order.ramp, toldWith(placing))) };
  const event: OrderEvent = {
    sequence: 1,
    at: now,
    toStage: stage,
    rawStatus: placed.rawStatus ?? placed.stage,
    source: 'place',
    ...(untrusted ? { note: "the payment link is on a host that is not the provider's" } : {}),
  };
  const change = {
    state: 'confirmed' as const,
    answer: await sealAnswer(gateway, intent.id, answer),
    ...(placed.upstreamOrderId === undefined ? {} : { upstreamOrderId: placed.upstreamOrderId }),
  };
  const deliveries = await orderDeliveries(gateway, order, undefined, event);
  const shared = sharedTarget(gateway, intent, placed);
  // If the provider sent its notice while the order was being placed, a second one may never come. So the order is read soon.
  const notices = { targets: [intent.id, ...(shared === undefined ? [] : [shared])], checkOn: now + 500 };
  const outcome = await gateway.stores.intents.confirm(intent.id, owner, change, { order, event, deliveries, notices });
  // Two orders with the same id came at the same time, and the other order is already in the database.
  if (outcome === 'twin') return await withholdTwin(gateway, intent, owner, placed, await twinsOf(gateway, order));
  // Another call has resolved the attempt in the meantime, so that call's answer counts.
  if (outcome === 'lost') return await answerOf(gateway, await gateway.stores.intents.find(intent.id));
  gateway.count('orders_total', { provider: provider.id, outcome: untrusted ? 'review' : 'confirmed' });
  countJudged(scope, provider.id, 'kept');
  gateway.background(receiptOfOrder(gateway, order));
  if (outcome === 'confirmed' && shared !== undefined) gateway.background(readIfRung(gateway, order, shared, notices.checkOn));
  return answer;
};

const toldWith = ({ inputs: { failover, movedFrom = [], order } }: Placing): Told =>
  defined({ moves: failover ? movedFrom : undefined, payoutTo: order.payoutTo });

/** An order that exists at the provider, but that the customer is not shown how to pay. */
export type Withheld = { withheld: End };
const withheld = ({ upstreamOrderId }: PlacedOrder, problem: GivenProblem): Withheld => {
  const { code } = problem;
  const wentBack = problem !== invoiceTooShort && problem !== answeredLate;
  return { withheld: { state: 'unpayable', problem, evidence: { note: code, code }, wentBack, upstreamOrderId } };
};

const unpayable = (detail: string): GivenProblem => ({ code: 'order-unpayable', detail: `${detail} Ask for a new quote.`, more: {} });
/** This problem and `answeredLate` say nothing about the provider. Here the customer's invoice is the cause. */
const invoiceTooShort = unpayable('The invoice in payout_to would expire before the sats are sent.');
/**
 * The problem for an order that lasts as long as its quote, but was sent so late that even an answer after the usual time would have come too late.
 */
const answeredLate = unpayable('The provider made the order too late: it expires with the quote, before a payment could arrive.');
/** Within this time, a provider usually answers an order. A provider that stalls until its quote has expired goes back on its offer. */
const usualAnswerMs = 5_000;

/**
 * Returns why the customer may not see the order: it is not what they accepted, or it can no longer be paid in time. Returns undefined if they may
 * see it.
 */
const notAsAccepted = (gateway: Gateway, intent: Intent, { provider, quote, inputs }: Placing, placed: PlacedOrder): GivenProblem | undefined => {
  const { offer } = quote.offer;
  const named = quote.offer.terms.named;
  const { expiry_margin_s: marginS } = gateway.settings.routing;
  const judged = judgeOrder(
    { ramp: intent.ramp, pay: offer.pay, receive: offer.receive, binding: offer.binding, ...(named ? { currency: named.currency, option: named.option } : {}) },
    { pay: placed.pay, receive: placed.receive, fee: placed.fee, ...(placed.echo ? { echo: placed.echo } : {}) },
    boundsOf(gateway, inputs),
  );
  // The operator's balance has already paid for the order, so withholding it would not help.
  if (inputs.order.payWithBalance === true) {
    if (judged !== 'as-accepted')
      gateway.log('error', 'balance_purchase_differs', { provider: provider.id, order: intent.orderId, request_id: intent.requestId });
    return undefined;
  }
  // When the first caller gets this problem, withOffers adds other offers to it.
  const changed = (detail: string): GivenProblem => ({
    code: 'price-changed',
    detail: `${detail} The order is withheld and expires by itself. There is nothing to pay.`,
    more: {},
  });
  if (judged === 'differs') return changed('The provider made an order that differs from the accepted quote.');
  if (judged === 'price-changed') return changed("The provider's order is not at the price of the accepted quote.");
  if (placed.stage === 'failed' || placed.stage === 'expired') return unpayable("The provider's order can no longer be paid.");
  if (placed.stage !== 'awaiting_payment') return undefined;
  const now = gateway.now();
  // A payment to a channel seller arrives at once, so it needs no margin.
  const marginMs = isExchange(intent.ramp) ? marginS * 1000 : 0;
  const lastMoment = now + marginMs;
  if ((paidBy(quote, inputs.order.payoutTo) ?? Infinity) <= lastMoment) return invoiceTooShort;
  const end = judgeEnd(offer, placed.expiresOn, lastMoment);
  if (end === 'over') {
    // The quote's own expiry decides, not the one that the order states: otherwise the provider could state one that has already passed.
    const wasLate = judgeEnd(offer, undefined, (intent.sentOn ?? now) + usualAnswerMs + marginMs) === 'over';
    if (wasLate && lastsAsQuoted(offer, placed.expiresOn)) return answeredLate;
    return unpayable("The provider's order has already expired: a payment would come too late.");
  }
  return end === 'price-changed' ? changed("The provider's order expires earlier than the accepted quote.") : undefined;
};

/**
 * Returns whether money has moved for an order that the customer was never shown how to pay. Only a person can find out what the provider means by
 * that. Returns false in three cases in which it is normal: the operator's balance pays at once; a coupon's channel costs nothing; and the customer
 * may have been shown how to pay after the backup from which the attempt was restored.
 */
const isPaidUnseen = ({ evidence }: Intent, { inputs }: Placing, { stage, pay }: PlacedOrder): boolean =>
  stage !== 'awaiting_payment' && pay > 0n && inputs.order.payWithBalance !== true && (evidence as { restored?: boolean } | undefined)?.restored !== true;

/** Withholds an order whose id at the provider already belongs to another order here. Only a person can tell whose payment it is. */
const withholdTwin = async (gateway: Gateway, intent: Intent, owner: string, { upstreamOrderId }: PlacedOrder, twins: Intent[]): Promise<GivenAnswer> => {
  const note = `the order has the same id at the provider as order ${twins.map(({ orderId }) => orderId).join(', ')}`;
  if (await settleUnpayable(gateway, intent, owner, { state: 'review', note, upstreamOrderId })) await markTwins(gateway, intent, twins);
  return await answerOf(gateway, await gateway.stores.intents.find(intent.id));
};

/**
 * Has the new order read at `on` if a notice at the provider's one URL for all orders came just before the order was stored, so that it did not find
 * the order. Called once the order is stored. A notice at the attempt's own URL finds the order by itself.
 */
const readIfRung = async (gateway: Gateway, order: Order, shared: string, on: number): Promise<void> => {
  if (await gateway.stores.notices.heard(shared)) await gateway.stores.orders.wake(order.id, on);
};

/** Returns the target of notices about an order that is not known here, if the provider has one URL for all its orders. */
const sharedTarget = (gateway: Gateway, { providerId }: Intent, { upstreamOrderId }: PlacedOrder): string | undefined => {
  const isShared = gateway.providers.some((provider) => provider.id === providerId && provider.adapter.notices !== undefined);
  return isShared && upstreamOrderId !== undefined ? unknownOrder(gateway, providerId, upstreamOrderId) : undefined;
};

/** Returns the payment reference, by which the operator can search for the order. */
const referenceIn = ({ payment_details: details }: { [key: string]: Json }): string | undefined => {
  const reference = typeof details === 'object' && details !== null && !Array.isArray(details) ? details['provider_reference'] : undefined;
  return typeof reference === 'string' ? reference : undefined;
};

/**
 * Returns the events that the wallet gets. If its request named none, they include `order_status_changed` for a pushed order, which never has
 * `withdrawal_ready`.
 */
const eventsOf = ({ webhookEvents = [], usualEvents }: Placing['inputs'], pushed: 'push' | undefined): string[] =>
  pushed && usualEvents ? [...webhookEvents, 'order_status_changed'] : webhookEvents;

const orderOf = async (
  gateway: Gateway,
  intent: Intent,
  placing: Placing,
  placed: PlacedOrder,
  { stage, reviewReason, payment, now }: { stage: Stage; reviewReason?: ReviewReason; payment: { [key: string]: Json }; now: number },
): Promise<Order> => {
  const { quote, inputs } = placing;
  const { offer } = quote.offer;
  // The order's terms keep the `matchedBy` that the provider stated when it took the order, not the one in its offer.
  const { matched_by: _offered, ...offered } = offer.facts;
  const id = intent.orderId;
  const reference = referenceIn(payment);
  const { asked } = quote.route;
  const arrival = quote.offer.terms.arrivalSeconds;
  const usualCheckOn = now + refreshDelayMs({ stage, stageOn: now, ...defined({ arrivalSeconds: arrival }) }, now, gateway.random());
  const followUntil = now + gateway.settings.orders.follow_days * 86_400_000;
  const pushed = offer.facts.payout_kinds === undefined ? undefined : ('push' as const);
  const lastOn = Math.min(lastPaymentOn(now, followUntil), paidBy(quote, inputs.order.payoutTo) ?? Infinity);
  const expiresOn = Math.min(placed.expiresOn ?? offer.expiresOn ?? Infinity, lastOn);
  const checkOn = isUnpaid(stage) ? pollOn(gateway, inputs, intent.networkKey, usualCheckOn) : usualCheckOn;
  return {
    id,
    intentId: intent.id,
    quoteId: quote.quoteId,
    ramp: intent.ramp,
    customerId: intent.customerId,
    providerId: intent.providerId,
    stage,
    stageOn: now,
    rawStatus: placed.rawStatus ?? placed.stage,
    sequence: 1,
    pay: placed.pay,
    receive: placed.receive,
    fee: placed.fee,
    quotedPay: offer.pay,
    quotedReceive: offer.receive,
    binding: offer.binding,
    ...ownBounds(inputs),
    terms: {
      ...quote.terms,
      ...(asksExchange(asked) ? { currency: asked.currency } : {}),
      ...(quote.offer.terms.named ? { named: quote.offer.terms.named } : {}),
      ...defined({ arrivalSeconds: arrival, matchedBy: placed.matchedBy, payout: pushed }),
    },
    // Only an attempt from a restored backup can lead to a purchase that is delivered already. Its customer may have been given a withdrawal link
    // since the backup.
    watch: defined({ reviewReason, linkUnknown: isDelivered(stage) && isClaimed(intent.ramp, pushed) ? (true as const) : undefined }),
    facts: withoutPayout({ ...offered, ...placed.facts }),
    upstream: offer.upstream ?? {},
    paymentInfo: await gateway.seal.seal(JSON.stringify(payment), paymentPlace(id)),
    createdOn: now,
    changedOn: now,
    checks: 0,
    nextCheckOn: noLaterThanExpiry({ stage, expiresOn }, now, checkOn),
    followUntil,
    expiresOn,
    final: false,
    ...defined({
      providerSessionId: intent.exclusiveKey,
      upstreamOrderId: placed.upstreamOrderId,
      upstreamKey: placed.upstreamOrderId === undefined ? undefined : canonicalId(placed.upstreamOrderId),
      referenceHash: reference === undefined ? undefined : gateway.hash(reference.trim().toUpperCase()),
      appId: inputs.appId,
    }),
    ...(inputs.webhookUrl === undefined
      ? {}
      : { webhookUrl: await gateway.seal.seal(inputs.webhookUrl, webhookPlace(id)), webhookEvents: eventsOf(inputs, pushed) }),
  };
};
