import {
  advance,
  byTheClock,
  followedUntil,
  isDelivered,
  isFinal,
  isUnpaid,
  noLaterThanExpiry,
  progressOf,
  refreshDelayMs,
  saysMoney,
  saysPaid,
  withoutUntold,
  type Advance,
  type OrderNow,
} from '../../domain/order-life.ts';
import type { ReviewReason, Stage } from '../../domain/order.ts';
import type { FollowedOrder, OrderEvidence } from '../../providers/spec.ts';
import { keepBlob, upstreamBlob } from '../upstream/blob.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { orderDeliveries } from '../deliveries/order-deliveries.ts';
import { defect } from '../../ports/defect.ts';
import { noteNews } from '../pricing/record.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order, OrderChange, OrderEvent, OrderWatch, Payment } from '../../ports/orders.ts';
import { leaseFor } from '../lease.ts';
import { workOnDue } from '../work-on-due.ts';
import { upstreamOf } from '../ramps.ts';
import { isStorageDown } from '../../ports/storage-down.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { adapterOf, providerOf } from '../upstream/provider-of.ts';
import type { Scope } from '../../ports/scope.ts';
import { defined } from '../../domain/defined.ts';
import { isRefundShort } from '../../domain/judge-fill.ts';
import { isSafe } from '../../domain/money.ts';
import { paymentDueBy } from '../../domain/record.ts';
import { countStage } from './count-stage.ts';
import { disputeOf, orderedOf } from './judge-order-fill.ts';
import { nodeOf, payoutOf, withoutUnshownPayout } from './payout-of.ts';
import { pollOn } from './poll-share.ts';
import { takeSecret, tellUntrusted } from './redemption.ts';
import { withoutUnlinkedFinish, type Unlinked } from './unlinked-finish.ts';

/** Polls at most `limit` of the orders that are due, each of them under a lease. Returns how many it polled. */
export const followOrders = async (gateway: Gateway, limit: number): Promise<number> =>
  await workOnDue(gateway, {
    name: 'follow_orders',
    claim: async (share) => await gateway.stores.orders.claimDue(gateway.now(), leaseFor(gateway, 'follow00'), limit, share),
    providerOf: (order) => order.providerId,
    work: async (order) => void (await refreshOrder({ gateway, requestId: order.id }, order, 'poll')),
    about: ({ id }) => ({ order: id }),
  });

/** Why an order is read: it was due, somebody asked for it, or its provider sent a notice. */
type Cause = 'poll' | 'read' | 'notice';

/** Reads one order at its provider and stores what changed. Returns the current order, even if the read failed. */
export const refreshOrder = async (scope: Scope, order: Order, cause: Cause): Promise<Order> => {
  const { gateway } = scope;
  let told: Told = { read: 'failed' };
  try {
    told = await readEvidence(scope, order);
  } catch (error) {
    // callProvider has counted and logged a failed call. The clock may still move the order.
    if (!(error instanceof ProviderFault) && !isStorageDown(error)) defect(gateway.log, 'read_order', error, { order: order.id });
  }
  return await apply(gateway, order, told, cause);
};

/** The result of a read. `refused`: the provider refuses to report the order, for example because the session that placed it has ended. */
type Told =
  | { read: 'done'; evidence: OrderEvidence | undefined; unlinked?: Unlinked }
  | { read: 'refused' | 'failed'; evidence?: undefined; unlinked?: undefined };

const readEvidence = async (scope: Scope, order: Order): Promise<Told> => {
  const { gateway } = scope;
  const provider = providerOf(gateway, order.providerId);
  const adapter = adapterOf(provider, order.ramp);
  const customer = await upstreamBlob(gateway, order.providerSessionId);
  const options = {
    operation: 'status',
    verb: 'read_order',
    deadlineMs: gateway.settings.routing.status_deadline_ms,
    idempotent: true,
    customerKey: order.customerId,
    ...(customer === undefined ? {} : { context: { customer } }),
  } as const;
  const payoutTo = await payoutOf(gateway, order);
  const more = {
    ...(await othersOf(gateway, order)),
    ...(typeof payoutTo === 'object' ? { payoutTo } : {}),
    ...('opensForNode' in adapter && adapter.opensForNode === true ? await nodeOf(gateway, order) : {}),
  };
  const answer = await callProvider(scope, provider, options, (context) => adapter.readOrders(context, { ...followed(order), ...more }));
  if (upstreamOf(provider, order.ramp) === 'account' && order.providerSessionId !== undefined && answer.customer !== undefined)
    await keepBlob(gateway, order.providerSessionId, { used: customer, now: answer.customer });
  // A refused read says nothing about the order, so it does not count as a read.
  if (!answer.ok) return { read: 'refused' };
  const row = evidenceFor(order, answer.value);
  const evidence = row && (await ownerOf(gateway, order, row)) === 'another' ? row.otherwise : row;
  if (!evidence) return { read: 'done', evidence };
  const shown = withoutUnshownPayout(order, payoutTo, evidence, gateway.now());
  return { read: 'done', ...(await withoutUnlinkedFinish(gateway, order, knownOf(order), shown)) };
};

type Matched = Pick<Order, 'id' | 'providerId' | 'customerId' | 'ramp' | 'pay' | 'createdOn' | 'facts'> & { terms: Pick<Order['terms'], 'matchedBy'> };
/**
 * For an order whose payment may be recognised only by its amount, returns `ofOthers`, which tells which of the given ids belong to the customer's
 * other orders at this provider or to their payments, and `amountAgainOn`, the time at which the same amount was sold again.
 */
export const othersOf = async (gateway: Gateway, order: Matched): Promise<Pick<FollowedOrder, 'ofOthers' | 'amountAgainOn'>> => {
  if (order.terms.matchedBy !== 'amount' && order.facts.amount_tolerance_bps === undefined) return {};
  const { orders } = gateway.stores;
  const amountAgainOn = order.ramp === 'sell' ? await orders.soldAgainOn(order) : undefined;
  return { ofOthers: async (ids) => await orders.explained(order, ids, order.id), ...defined({ amountAgainOn }) };
};

const evidenceFor = (order: Order, rows: OrderEvidence[]): OrderEvidence | undefined =>
  rows.find((row) => row.upstreamOrderId === order.upstreamOrderId) ?? (rows.length === 1 && rows[0]?.upstreamOrderId === undefined ? rows[0] : undefined);

/**
 * Decides whether the payment belongs to this order or already to another one. A payment that is recognised only by its amount can belong to only one
 * order. But the provider's own word about an order with an id outranks a guess (outrank).
 */
const ownerOf = async (gateway: Gateway, order: Order, evidence: OrderEvidence): Promise<'this' | 'another'> => {
  const payment = newPayment(order, evidence);
  if (payment) return payment.linked !== true && (await gateway.stores.orders.otherWithPayment(payment, order.id)) !== undefined ? 'another' : 'this';
  const told = evidence.facts?.transaction_id;
  // For an order that is not a sale, the provider itself says that the payment is for this order.
  if (order.ramp !== 'sell' || told === undefined || told === order.facts.transaction_id || isLinked(order, evidence)) return 'this';
  return (await gateway.stores.orders.explained(order, [told], order.id)).length > 0 ? 'another' : 'this';
};

/**
 * Puts into review the other order that took this payment by a guess, because its customer was told that it is paid. A report that was not accepted
 * does this only once, because every read repeats it and the operator may have ended that review. An accepted report always does it: the store
 * accepts it only while the other order is in review (advance).
 */
const outrank = async (gateway: Gateway, order: Order, payment: Payment, isAccepted: boolean): Promise<void> => {
  const holderId = await gateway.stores.orders.otherWithPayment(payment, order.id);
  const holder = holderId === undefined ? undefined : await gateway.stores.orders.findAny(holderId);
  const { paymentOf: known = [] } = holder?.watch ?? {};
  const isKnown = known.includes(order.id);
  if (!holder || (isKnown && !isAccepted)) return;
  const seen = { reviewReason: 'unclear' as const, paymentOf: isKnown ? known : [...known, order.id] };
  await putInReview(gateway, holder, `the provider says that the payment recorded for this order belongs to order ${order.id}`, seen);
};

/** Returns whether the provider itself says that the report, and so the payment, is about this order. */
const isLinked = ({ upstreamOrderId: id }: Order, { guessed, upstreamOrderId: about }: OrderEvidence): boolean =>
  guessed !== true && id !== undefined && about === id;

/**
 * Returns the payment that this read is the first to show. The store refuses the change if the payment has become another order's in the meantime. A
 * report that is linked to the order may name no payment. Then the order's id at the provider stands for the payment.
 */
const newPayment = (order: Order, evidence: OrderEvidence): Payment | undefined => {
  const { providerId, facts: known, upstreamOrderId } = order;
  const told = evidence.facts?.transaction_id;
  const linked = isLinked(order, evidence);
  if (told !== undefined)
    return told === known.transaction_id || !(linked || evidence.guessed === true) ? undefined : { providerId, id: told, ...(linked ? { linked } : {}) };
  const isFirst = linked && saysMoney(evidence) && !saysMoney({ stage: knownOf(order), moneySeen: order.watch.moneySeen });
  return isFirst && upstreamOrderId !== undefined ? { providerId, id: upstreamOrderId, linked } : undefined;
};

export const followed = (order: Order) => ({
  orderId: order.id,
  idempotencyKey: order.intentId,
  createdOn: order.createdOn,
  pay: order.pay,
  receive: order.receive,
  fee: order.fee,
  upstream: order.upstream,
  facts: order.facts,
  ...defined({ upstreamOrderId: order.upstreamOrderId, expiresOn: order.expiresOn }),
  ...(isPaymentSeen(order) ? { paymentSeen: true } : {}),
});

const nowOf = (gateway: Gateway, order: Order): OrderNow => {
  const { named, adopted } = order.terms;
  const { reviewed } = order.watch;
  return {
    stage: order.stage,
    ramp: order.ramp,
    binding: order.binding,
    pay: order.pay,
    receive: order.receive,
    ...(adopted === true ? {} : { accepted: orderedOf(gateway, order) }),
    ...(reviewed ? { reviewed: { ...reviewed, pay: BigInt(reviewed.pay), receive: BigInt(reviewed.receive) } } : {}),
    ...defined({
      before: order.watch.beforeReview,
      moneySeen: order.watch.moneySeen,
      refundUnseen: order.watch.refundUnseen,
      arriving: order.watch.arriving,
      currency: named?.currency,
      option: named?.option,
      expiresOn: order.expiresOn,
    }),
  };
};

/**
 * The read of an order that would otherwise be final is repeated for this long if it failed, or if it was refused after a notice or while a payment
 * was on its way. A notice makes us read a final order once more: if that read failed and we did not repeat it, we would never see a late payment.
 */
const lastReadsMs = 7 * 86_400_000;

/**
 * Returns the step that a report causes. A delivered order whose redemption leads to a foreign host goes to review, until the provider sends another
 * redemption.
 */
const stepOf = (gateway: Gateway, order: Order, evidence: OrderEvidence, untrusted: boolean): Advance => {
  if (!untrusted || !isDelivered(evidence.stage)) return advance(nowOf(gateway, order), evidence, gateway.now());
  const step = advance(nowOf(gateway, order), { ...evidence, stage: 'review', moneySeen: true }, gateway.now());
  return step.reason === 'paid-not-delivered' ? { ...step, note: "the redemption link is on a host that is not the provider's", reason: 'unsafe-link' } : step;
};

const apply = async (gateway: Gateway, order: Order, told: Told, cause: Cause): Promise<Order> => {
  const evidence = told.evidence && withoutUntold(told.evidence);
  const now = gateway.now();
  const { sealed, untrusted } = await takeSecret(gateway, order, evidence?.secret);
  const reported: Advance = evidence ? stepOf(gateway, order, evidence, untrusted) : { next: byTheClock(nowOf(gateway, order), now), kind: 'same' };
  const isEnded = order.watch.paidOtherwiseOn !== undefined && order.stage === 'filled' && reported.next === 'filled';
  const step: Advance = isEnded ? { ...reported, next: 'finished', note: 'the operator ended the order: the customer was paid in another way' } : reported;
  const moved = step.next !== order.stage;
  const stageOn = moved ? Math.min(now, evidence?.statusOn ?? now) : order.stageOn;
  const accepted = evidence && (step.kind === 'advanced' || step.kind === 'same' || step.kind === 'undelivered') ? evidence : undefined;
  const payment = evidence && newPayment(order, evidence);
  if (payment?.linked === true) await outrank(gateway, order, payment, accepted !== undefined);
  const amounts = accepted ? acceptedAmounts(order, accepted, step.next) : {};
  const disputed = accepted ? disputeOf(gateway, { ...order, ...amounts, stage: step.next }) !== undefined : order.disputed === true;
  const seen = watchOf(gateway, order, told, step);
  const stage = withoutUnseenRefund(step.next, seen);
  const arriving = seen.arriving === true && stage === 'awaiting_payment';
  // A payment that is on its way may have been made in time although the order has expired here.
  const followUntil = followedUntil({ ...order, arriving: (evidence ?? order.watch).arriving === true });
  const ends = isFinal(stage, now, followUntil, order.ramp, disputed);
  // A provider that refuses a read has usually refused the earlier ones, too. So after a refusal, the order counts as unread only if a notice has
  // come since it was last read, or if that last read said that a payment was on its way.
  const isExpected = cause === 'notice' || order.watch.unreadSince !== undefined || order.watch.arriving === true;
  const isUnread = told.read === 'failed' || (told.read === 'refused' && isExpected);
  const unreadSince = ends && isUnread ? (order.watch.unreadSince ?? now) : undefined;
  const final = ends && (unreadSince === undefined || now >= unreadSince + lastReadsMs);
  const isRung = cause === 'notice' || order.watch.noticeUnread === true;
  // An order that has just expired may be paid at any moment, however long ago it was last read. So may an order whose provider has sent a notice.
  const isUsual = cause === 'poll' && told.read === 'done' && !moved && !isRung;
  const sinceRead = isUsual ? { sinceReadMs: now - (order.checkedOn ?? order.createdOn) } : {};
  const watch = withNews(seen, { unreadSince: final ? undefined : unreadSince, noticeUnread: isRung && told.read !== 'done' ? true : undefined });
  const change: OrderChange = {
    checks: order.checks + 1,
    final,
    // An order that would otherwise be final may just have been paid, so the first of its repeated reads follow quickly.
    nextCheckOn: await (final
      ? null
      : nextLook(
          gateway,
          order,
          unreadSince === undefined ? { stage, arriving, stageOn, ...sinceRead } : { stage, arriving: true, stageOn: unreadSince },
          cause,
        )),
    ...(told.read === 'done' ? { checkedOn: now } : {}),
    ...(evidence ? { rawStatus: evidence.rawStatus } : {}),
    ...(moved ? { stage: step.next, stageOn, changedOn: now } : {}),
    ...(watch === order.watch ? {} : { watch }),
    ...(evidence ? toldAmounts(evidence, now) : {}),
    ...amounts,
    ...(disputed === (order.disputed === true) ? {} : { disputed, changedOn: now }),
    ...(accepted?.fee === undefined ? {} : { fee: accepted.fee }),
    ...(accepted?.facts ? { facts: { ...order.facts, ...accepted.facts } } : {}),
    ...defined({ payment: accepted && payment }),
    ...(accepted && sealed !== undefined ? { secret: sealed } : {}),
  };
  const event: OrderEvent | undefined = moved
    ? {
        sequence: order.sequence + 1,
        at: now,
        fromStage: order.stage,
        toStage: step.next,
        rawStatus: evidence?.rawStatus ?? order.rawStatus,
        source: isEnded ? 'operator' : evidence ? (cause === 'notice' ? 'notice' : 'read') : 'clock',
        ...('note' in step && step.note !== undefined ? { note: step.note } : {}),
      }
    : undefined;
  const after = updated(order, change, event);
  const deliveries = event ? await orderDeliveries(gateway, after, order.stage, event) : [];
  // If two reads run at the same time, only the read whose step is stored alerts the operator.
  if (await gateway.stores.orders.advance(order, change, event, deliveries)) {
    if (evidence && (moved || !isRepeated(order, evidence, now))) tellOddity(gateway, order, step);
    if (moved) countStage(gateway, order.stage, after);
    if (isDelivered(step.next) && (moved || after.receive !== order.receive || after.pay !== order.pay)) noteNews(gateway);
    tellOperator(gateway, order, after);
    if (told.unlinked === 'unasked' && order.watch.finishedUnlinked !== true) tellUnlinked(gateway, after);
    if (untrusted && moved && step.reason === 'unsafe-link') tellUntrusted(gateway, after);
    tellLatePayment(gateway, order, after, now);
    if (moved && after.stage === 'refunded') tellRefund(gateway, order, evidence?.pay);
    return after;
  }
  return (await gateway.stores.orders.findAny(order.id)) ?? order;
};

/**
 * Returns whether the provider said the same at the last read. An oddity that every read repeats is reported once: otherwise one order would look
 * like many odd ones.
 */
const isRepeated = (order: Order, evidence: OrderEvidence, now: number): boolean => {
  const { toldOn: _now, ...told } = toldAmounts(evidence, now);
  const sameAmounts = (['toldPay', 'toldReceive', 'toldFee'] as const).every((name) => told[name] === undefined || told[name] === order[name]);
  return order.checkedOn !== undefined && order.rawStatus === evidence.rawStatus && sameAmounts;
};

const tellOddity = (gateway: Gateway, { id, providerId: provider }: Order, { kind, note }: Advance): void => {
  if (kind === 'advanced' || kind === 'same') return;
  gateway.count('order_oddities_total', { provider, kind });
  gateway.log(kind === 'contradiction' || kind === 'undelivered' ? 'error' : 'warn', 'order_oddity', { order: id, provider, kind, note });
};

/** Alerts the operator when an order becomes unreadable or disputed, and not again with every read. */
const tellOperator = (gateway: Gateway, before: Order, after: Order): void => {
  const about = { order: after.id, provider: after.providerId, stage: after.stage };
  if (after.watch.unreadableSince !== undefined && before.watch.unreadableSince === undefined) {
    gateway.count('order_oddities_total', { provider: after.providerId, kind: 'unreadable' });
    gateway.log('error', 'order_unreadable', about);
  }
  if (after.disputed === true && before.disputed !== true) {
    const kind = disputeOf(gateway, after) ?? 'short';
    gateway.count('order_oddities_total', { provider: after.providerId, kind });
    gateway.log('error', `order_${kind}`, about);
  }
};

/**
 * Alerts the operator when a provider says that sats were withdrawn although nobody has ever asked for a link for them. While a request for a link is
 * under way, its answer counts instead, because some providers say so as soon as they give the link.
 */
const tellUnlinked = (gateway: Gateway, { id: order, providerId: provider }: Order): void => {
  gateway.count('order_oddities_total', { provider, kind: 'finished-unlinked' });
  gateway.log('error', 'order_finished_unlinked', { order, provider });
};

/**
 * A refund of money that nobody saw counts as a failure: such a refund shows no money, and the order is followed as long and as often as a failed
 * one.
 */
const withoutUnseenRefund = <S extends Stage | undefined>(stage: S, { refundUnseen }: OrderWatch): S | 'failed' =>
  stage === 'refunded' && refundUnseen === true ? 'failed' : stage;
/** Returns the stage that the stored order has reached, not counting a review. */
const knownOf = ({ stage, watch }: Order): Stage | undefined => withoutUnseenRefund(stage === 'review' ? watch.beforeReview : stage, watch);

/** Returns whether the stored order shows that the provider has reported the whole payment. */
const isPaymentSeen = (order: Order): boolean => saysPaid({ stage: knownOf(order) }) || order.watch.paidSeenOn !== undefined;

/**
 * Notes a payment that is first reported after it was due. The provider's record might not count such an order, so the operator must see it if a
 * provider often reports payments late.
 */
const tellLatePayment = (gateway: Gateway, before: Order, after: Order, now: number): void => {
  const { arrivalSeconds, network } = after.terms;
  const dueBy = paymentDueBy({ ramp: after.ramp, expiresOn: before.expiresOn, arrivalSeconds, network });
  if (dueBy === undefined || now <= dueBy || isPaymentSeen(before) || !isPaymentSeen(after)) return;
  gateway.count('order_oddities_total', { provider: after.providerId, kind: 'paid-late' });
  gateway.log('warn', 'order_paid_late', { order: after.id, provider: after.providerId });
};

/**
 * Counts a refund, so that the operator sees a provider that often reports one: nobody but the customer knows whether the money came back. Alerts the
 * operator if less than 99 % of what was paid is reported as refunded.
 */
const tellRefund = (gateway: Gateway, before: Order, refunded: bigint | undefined): void => {
  const { id: order, providerId: provider } = before;
  gateway.count('order_oddities_total', { provider, kind: 'refunded' });
  if (knownOf(before) === 'underpaid' || refunded === undefined || !isRefundShort(before.pay, refunded)) return;
  gateway.count('order_oddities_total', { provider, kind: 'refund-short' });
  gateway.log('error', 'order_refund_short', { order, provider });
};

/**
 * Returns the amounts as the provider reported them, even if we did not believe them, because a dispute may need them. Amounts that are negative or
 * too large are left out.
 */
const toldAmounts = ({ pay, receive, fee }: Pick<OrderEvidence, 'pay' | 'receive' | 'fee'>, now: number): OrderChange => {
  const kept = (amount: bigint | undefined) => (amount !== undefined && amount >= 0n && isSafe(amount) ? amount : undefined);
  const told = defined({ toldPay: kept(pay), toldReceive: kept(receive), toldFee: kept(fee) });
  return Object.keys(told).length === 0 ? {} : { ...told, toldOn: now };
};

/**
 * Returns the amounts to store with the order. Once the order is paid, they are the amounts that the provider reports. Before that, a binding order
 * keeps its amounts, and an estimate that awaits payment keeps its amount to pay.
 */
const acceptedAmounts = (order: Order, { pay, receive }: Pick<OrderEvidence, 'pay' | 'receive'>, next: Stage): Partial<Pick<Order, 'pay' | 'receive'>> => {
  // A binding order keeps the amounts that the customer was shown, because the QR code has them too. After a refund, the reported amounts are those
  // that went back.
  if (order.binding && next !== 'paid' && next !== 'filled' && next !== 'finished') return {};
  return defined({ pay: next === 'awaiting_payment' ? undefined : pay, receive });
};

/**
 * Returns what we have learnt by following the order, with the news of this read. Without news it returns the same object, which is then not written
 * again.
 */
const watchOf = (gateway: Gateway, order: Order, told: Told, step: Advance): OrderWatch => {
  const now = gateway.now();
  const sight = sightOf(gateway, order, told);
  const known = knownOf(order);
  const inReview = step.next === 'review' ? told.evidence : undefined;
  const isUnseen = inReview !== undefined && saysMoney(inReview) && !saysMoney({ stage: known });
  const isWhole = inReview !== undefined && saysPaid(inReview) && !saysPaid({ stage: known });
  const isUnseenRefund = step.next === 'refunded' && !saysMoney({ stage: known, moneySeen: order.watch.moneySeen }) && told.evidence?.moneySeen !== true;
  // After a refund, an earlier payment no longer counts: it went back.
  const seenOn = step.next === 'refunded' || order.stage === 'refunded' ? undefined : sight.paidSeenOn;
  return withNews(sight, {
    filledSeen: inReview === undefined ? sight.filledSeen : saysFilled(order, inReview) ? true : undefined,
    ...(step.next === 'review' && order.stage !== 'review' ? { beforeReview: order.stage } : {}),
    ...(step.reason === undefined ? {} : { reviewReason: step.reason }),
    ...(isUnseen ? { moneySeen: true } : {}),
    ...(isUnseenRefund ? { refundUnseen: true } : {}),
    paidSeenOn: seenOn ?? (isWhole ? now : undefined),
    // An order that has expired here is followed for longer, too, if a payment is on its way.
    ...(told.evidence ? { arriving: told.evidence.arriving === true && mayArrive.has(step.next) ? true : undefined } : {}),
    ...(told.evidence?.stage === undefined ? {} : { finishedUnlinked: told.unlinked === undefined ? undefined : true }),
    // A link can be given only once the order is filled.
    ...(isBefore(told.evidence?.stage, 'filled') ? { linkUnknown: undefined } : {}),
  });
};

const mayArrive: ReadonlySet<Stage> = new Set<Stage>(['awaiting_payment', 'expired']);
const isBefore = (stage: Stage | undefined, later: Stage): boolean => (progressOf(stage) ?? Infinity) < (progressOf(later) ?? 0);

type News = { [K in keyof OrderWatch]: OrderWatch[K] | undefined };
/** Returns what we have learnt with some members changed, or removed if they are undefined. Without a change it returns the same object. */
export const withNews = (watch: OrderWatch, news: News): OrderWatch => {
  const after: News = { ...watch, ...news };
  const names = Object.keys(news) as (keyof OrderWatch)[];
  return names.every((name) => after[name] === watch[name]) ? watch : defined(after);
};

/**
 * Returns whether a report says that at least the ordered amount was delivered. If we do not believe such a report, it is we who hold the order back,
 * so it does not count as never filled in the provider's record.
 */
const saysFilled = (order: Order, { stage, receive = order.receive }: OrderEvidence): boolean =>
  isDelivered(stage) && receive >= order.quotedReceive && isSafe(receive);

/** Notes when the provider first refused to report an order, so that the operator is alerted once and not on every read. */
const sightOf = (gateway: Gateway, order: Order, told: Told): OrderWatch => {
  const { unreadableSince: since } = order.watch;
  // An account without a working key has its own status, which the customer sees. So its orders are noted only once there is money in them.
  const known = knownOf(order);
  const isNoted = upstreamOf(providerOf(gateway, order.providerId), order.ramp) === 'session' || saysMoney({ stage: known, moneySeen: order.watch.moneySeen });
  const now = gateway.now();
  const isLost = told.read === 'refused' && isNoted && since === undefined && !order.final;
  return withNews(order.watch, { unreadableSince: told.read === 'done' ? undefined : isLost ? now : since });
};

/** Puts an order into review. Only the operator can end this review, because no read can show that the cause is gone. */
export const putInReview = async (gateway: Gateway, order: Order, note: string, seen: OrderWatch & { reviewReason: ReviewReason }): Promise<void> => {
  const now = gateway.now();
  const event: OrderEvent = {
    sequence: order.sequence + 1,
    at: now,
    fromStage: order.stage,
    toStage: 'review',
    rawStatus: order.rawStatus,
    source: 'read',
    note,
  };
  const { beforeReview: _before, ...watch } = { ...order.watch, ...seen };
  const change: OrderChange = { stage: 'review', stageOn: now, changedOn: now, watch, ...(order.final ? { final: false, nextCheckOn: now } : {}) };
  const deliveries = await orderDeliveries(gateway, updated(order, change, event), order.stage, event);
  if (await gateway.stores.orders.advance(order, change, event, deliveries))
    gateway.count('order_stages_total', { provider: order.providerId, stage: 'review' });
};

/**
 * Returns when to poll the order next: after the usual delay, but an unpaid order no later than when it expires or is no longer followed. An unpaid
 * order may have to wait for its network's turn, and a customer's read does not bring that turn forward. A notice does: its cause may not show in
 * this read yet, and the provider will not send another notice. An order that may just have been paid (`arriving`) is polled as often as a paid one,
 * but waits for its turn, too, because anybody can have such orders at no cost.
 */
const nextLook = async (gateway: Gateway, order: Order, at: NextLook, cause: Cause): Promise<number> => {
  const now = gateway.now();
  const { arrivalSeconds } = order.terms;
  const pace = at.arriving ? 'paid' : at.stage;
  const usual = now + refreshDelayMs({ ...at, stage: pace, ...defined({ arrivalSeconds }) }, now, gateway.random());
  if (!isUnpaid(at.stage)) return usual;
  const wanted = order.followUntil > now ? Math.min(usual, order.followUntil) : usual;
  const next = await {
    poll: async () => pollOn(gateway, order, (await gateway.stores.intents.find(order.intentId))?.networkKey, wanted),
    read: () => Math.max(wanted, order.nextCheckOn ?? wanted),
    notice: () => wanted,
  }[cause]();
  return noLaterThanExpiry({ ...at, ...defined({ expiresOn: order.expiresOn }) }, now, next);
};

type NextLook = { stage: Stage; arriving: boolean; stageOn: number; sinceReadMs?: number };

const updated = (order: Order, { nextCheckOn, payment: _payment, ...change }: OrderChange, event: OrderEvent | undefined): Order => ({
  ...order,
  ...change,
  ...(nextCheckOn === null || nextCheckOn === undefined ? {} : { nextCheckOn }),
  ...(event ? { sequence: event.sequence } : {}),
});
