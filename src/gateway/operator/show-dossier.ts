/** Answers "Where is order X?" with one sentence, followed by what we have stored about the order, with secrets masked or left out. */
import { orderStatus } from '../../domain/order-life.ts';
import type { Dossier } from '../../ports/operator.ts';
import { forCustomer } from './for-customer.ts';
import { mask, maskText } from './mask.ts';
import { pinOf, sequenceOf, settlingsOf } from './settle.ts';
import { showDecision } from './show-decision.ts';
import { defined } from '../../domain/defined.ts';
import { isShortReleased } from '../../domain/short-release.ts';

const time = (ms: number): string => new Date(ms).toISOString();
const timeOf = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : time(ms));

export const showDossier = (dossier: Dossier, now: number, hash: (text: string) => string) => {
  const { intent, turns, order, events, claim, notices, deliveries } = dossier;
  return defined({
    order_id: intent.orderId,
    where: whereIs(dossier, now),
    ramp: intent.ramp,
    provider: intent.providerId,
    upstream_order_id: order?.upstreamOrderId ?? intent.upstreamOrderId,
    customer: intent.customerId,
    order: order
      ? defined({
          stage: order.stage,
          order_status: orderStatus(order.stage),
          stage_on: time(order.stageOn),
          raw_status: maskText(order.rawStatus),
          checked_on: timeOf(order.checkedOn),
          checks: order.checks,
          next_check_on: timeOf(order.nextCheckOn),
          final: order.final,
          created_on: time(order.createdOn),
          changed_on: time(order.changedOn),
          expires_on: timeOf(order.expiresOn),
          follow_until: time(order.followUntil),
          pay: order.pay.toString(),
          receive: order.receive.toString(),
          fee: order.fee.toString(),
          quoted_pay: order.quotedPay.toString(),
          quoted_receive: order.quotedReceive.toString(),
          min_receive: order.minReceive?.toString(),
          max_pay: order.maxPay?.toString(),
          told_pay: order.toldPay?.toString(),
          told_receive: order.toldReceive?.toString(),
          told_fee: order.toldFee?.toString(),
          told_on: timeOf(order.toldOn),
          link_receive: order.linkReceive?.toString(),
          link_read_on: timeOf(order.linkReadOn),
          disputed: order.disputed === true ? true : undefined,
          short_released_on: timeOf(order.shortReleasedOn),
          binding: order.binding,
          app: order.appId,
          terms: mask(order.terms),
          facts: mask(order.facts),
          upstream: mask(order.upstream),
        })
      : undefined,
    events: events.map((event) =>
      defined({
        sequence: event.sequence,
        at: time(event.at),
        from: event.fromStage,
        to: event.toStage,
        raw_status: maskText(event.rawStatus),
        source: event.source,
        note: event.note === undefined ? undefined : maskText(event.note),
      }),
    ),
    placing: defined({
      id: intent.id,
      quote_id: intent.quoteId,
      state: intent.state,
      attempts: intent.attempt,
      request_id: intent.requestId,
      idempotency_key: intent.idempotencyKey === undefined ? undefined : 'given',
      created_on: time(intent.createdOn),
      sent_on: timeOf(intent.sentOn),
      dead_on: time(intent.deadOn),
      next_try_on: time(intent.nextTryOn),
      in_hand_of: intent.leaseUntil !== undefined && intent.leaseUntil > now ? intent.leaseOwner : undefined,
      known_before: intent.knownBefore,
      evidence: intent.evidence === undefined ? undefined : mask(intent.evidence),
      answered: intent.answered,
      quote: mask(intent.quote),
    }),
    turns:
      turns.length === 0
        ? undefined
        : turns.map((turn) =>
            defined({
              order_id: turn.orderId,
              quote_id: turn.quoteId,
              provider: turn.providerId,
              state: turn.state,
              evidence: turn.evidence === undefined ? undefined : mask(turn.evidence),
            }),
          ),
    claim: claim
      ? defined({
          // `refused` differs from `review` only in that the next request may name another fallback address.
          state: claim.state === 'refused' ? ('review' as const) : claim.state,
          attempts: claim.attempt,
          created_on: time(claim.createdOn),
          next_try_on: time(claim.nextTryOn),
          expires_on: timeOf(claim.expiresOn),
        })
      : undefined,
    notices: notices.map((notice) =>
      defined({ id: notice.id, received_on: time(notice.receivedOn), purpose: notice.purpose, genuine: notice.genuine, count: notice.count }),
    ),
    deliveries: deliveries.map((delivery) =>
      defined({
        id: delivery.id,
        type: delivery.type,
        sequence: delivery.sequence,
        host: delivery.host,
        state: delivery.state,
        attempts: delivery.attempt,
        last_outcome: delivery.lastOutcome,
        created_on: time(delivery.createdOn),
        due_on: delivery.state === 'due' ? time(delivery.dueOn) : undefined,
        done_on: timeOf(delivery.doneOn),
        may_send: delivery.state !== 'superseded',
      }),
    ),
    route: dossier.route
      ? { id: dossier.route.id, request_id: dossier.route.requestId, created_on: time(dossier.route.createdOn), decision: mask(dossier.route.route) }
      : 'no longer kept; the accepted offer is in placing.quote',
    sequence: sequenceOf(dossier),
    pin: pinOf(dossier, hash),
    settlings: settlingsOf(
      {
        ramp: intent.ramp,
        payout: order?.terms.payout,
        placing: intent.state,
        stage: order?.stage,
        disputed: order?.disputed,
        released: order !== undefined && isShortReleased({ ...order, ...order.terms }),
        countable: order?.countable,
        finishedUnlinked: order?.terms.finishedUnlinked,
        claim,
      },
      now,
    ),
    asked_providers: showDecision(dossier),
    for_customer: forCustomer(dossier),
  });
};

/** Returns the stage, and why the order needs, or needed, a person. */
const stageText = (order: NonNullable<Dossier['order']>): string => {
  const { stage, disputed, terms } = order;
  const { reviewReason, reviewed, beforeReview, disputeClosed, finishedUnlinked } = terms;
  if (stage === 'review') {
    const named = reviewed === undefined ? undefined : `the operator named ${beforeReview ?? '?'}, but no read has confirmed it yet`;
    const why = [reviewReason, named].filter((one) => one !== undefined).join('; ');
    return why === '' ? stage : `${stage} (${why})`;
  }
  if (disputed === true) return `${stage}, disputed${isShortReleased({ ...order, ...terms }) ? ' (the part may be withdrawn)' : ''},`;
  if (stage === 'filled' && finishedUnlinked === true) return `${stage} (the provider says that it was withdrawn, yet nobody was given a link)`;
  return disputeClosed === undefined ? stage : `${stage} (dispute closed ${time(disputeClosed.on)})`;
};

/** Returns one sentence that says where the order is. */
const whereIs = ({ intent, turns, order, deliveries }: Dossier, now: number): string => {
  const at = `at ${intent.providerId}`;
  const waiting = deliveries.filter((one) => one.state === 'due').length;
  const undelivered = deliveries.filter((one) => one.state === 'dead' || one.state === 'disabled').length;
  const webhooks = [waiting > 0 ? `${waiting} webhook(s) are waiting` : '', undelivered > 0 ? `the gateway gave up on ${undelivered} webhook(s)` : ''].filter(
    (one) => one !== '',
  );
  if (order) {
    const next = order.final ? 'it is final' : `polled again ${order.nextCheckOn === undefined ? 'when a wallet asks' : time(order.nextCheckOn)}`;
    return [`${stageText(order)} ${at} since ${time(order.stageOn)}; the provider said "${maskText(order.rawStatus)}"; ${next}`, ...webhooks].join('; ');
  }
  if (intent.state === 'prepared') return `being prepared: nothing has been sent to ${intent.providerId} yet`;
  if (intent.state === 'sending')
    return `being sent to ${intent.providerId}${(intent.leaseUntil ?? 0) > now ? ` by ${intent.leaseOwner ?? '?'}` : '; the instance that was sending it stopped'}`;
  if (intent.state === 'unknown')
    return `the answer of ${intent.providerId} was lost; the next check is at ${time(intent.nextTryOn)}, and the quote may become an order until ${time(intent.deadOn)}`;
  const next = turns[turns.findIndex(({ id }) => id === intent.id) + 1];
  if (intent.state === 'moved' && next) {
    const left = intent.upstreamOrderId === undefined ? 'did not take it' : 'made an order that the customer was never shown how to pay';
    return `${intent.providerId} ${left}; the request went on as order ${next.orderId} at ${next.providerId}`;
  }
  if (intent.state === 'rejected') return `nothing was ordered at ${intent.providerId}: it did not take the order, or was not asked`;
  if (intent.state === 'review') return `review ${at}: the operator must find out what became of the order`;
  return `${intent.state} ${at}: the customer was never shown how to pay`;
};
