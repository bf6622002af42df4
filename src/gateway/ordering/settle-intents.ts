import { feeInSats } from '../../domain/money.ts';
import { backOffMs, settlePlacing, type NewOrder, type UnknownPlacing } from '../../domain/settle-placing.ts';
import type { PlacedOrder } from '../../providers/spec.ts';
import { confirmPlaced } from './confirm-order.ts';
import { endPlacing, settleUnpayable } from './end-placing.ts';
import { noticeBodyPlace } from '../places.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Json, Lease } from '../../ports/runtime.ts';
import { Problem } from '../problem.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { lapsesUnseen, lostNote, placingOf, repostOf, type Placing } from './placing.ts';
import { leaseFor } from '../lease.ts';
import { workOnDue } from '../work-on-due.ts';
import { upstreamOf } from '../ramps.ts';
import { ownNewOrders, sendOnce, sendPlacing } from './send-placing.ts';
import type { Scope } from '../../ports/scope.ts';

/** What we remember about an attempt in the state `unknown` from one check to the next. */
type Evidence = {
  tries: number;
  reposts: number;
  /** When the quote was last sent again. */ resentOn?: number;
  reply?: 'placed' | 'refused' | 'lost';
  /** The order's id: from a response that could not be used otherwise, or of an order that a read found unclear (findPurchase). */
  orderMade?: string;
  /** The attempt was in progress when the restored backup was made. Since then, the customer may have been shown how to pay. */ restored?: true;
  read?: { on: number; found: { upstreamOrderId: string; stage?: string; pay?: string; receive?: string; moneySeen?: true }[] };
};
const evidenceOf = (intent: Intent): Evidence => ({
  tries: 0,
  reposts: 0,
  ...(typeof intent.evidence === 'object' && !Array.isArray(intent.evidence) ? (intent.evidence as Partial<Evidence>) : {}),
});

const restoredNote = 'the attempt was in progress when the restored backup was made: since then, the customer may have been shown how to pay';

/**
 * Checks at most `limit` of the attempts that are due: those that were being sent by an instance that stopped, and those whose answer was lost. Each
 * is checked under a lease, so that only one instance does it. Returns how many it checked.
 */
export const settleIntents = async (gateway: Gateway, limit: number): Promise<number> => {
  const lease = leaseFor(gateway, 'settle000');
  const leaseEndsOn = gateway.now() + lease.seconds * 1000;
  return await workOnDue(gateway, {
    name: 'settle_intents',
    claim: async (share) => await gateway.stores.intents.claimDue(gateway.now(), lease, limit, share),
    providerOf: (intent) => intent.providerId,
    work: async (intent) => await settleOne(gateway, intent, lease, leaseEndsOn),
    about: ({ id, requestId }) => ({ request_id: requestId, intent: id }),
  });
};

const settleOne = async (gateway: Gateway, intent: Intent, lease: Lease, leaseEndsOn: number): Promise<void> => {
  const scope = { gateway, requestId: intent.requestId };
  try {
    if (intent.state === 'prepared') await sendPlacing(scope, intent, lease);
    else await settleUnknown(scope, intent, lease, leaseEndsOn);
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // the outcome of a Problem is in the intent's row
  }
};

/**
 * Takes the next steps for an attempt that was sent and has no outcome, as the pure function in domain/settle-placing.ts decides, and stores the
 * results.
 */
const settleUnknown = async (scope: Scope, intent: Intent, lease: Lease, leaseEndsOn: number): Promise<void> => {
  const { gateway } = scope;
  const placing = await placingOf(gateway, intent);
  const { core } = placing.provider;
  const evidence = evidenceOf(intent);
  // After a restore, not even a reserved order is certain: the customer may have paid it since the backup.
  const repost = evidence.restored === true ? core.repost : repostOf(placing);
  if (lapsesUnseen(intent, placing, repost))
    return void (await settleUnpayable(
      gateway,
      intent,
      lease.owner,
      evidence.restored === true ? { state: 'review', note: restoredNote } : { state: 'unpayable', note: lostNote },
    ));
  const found = await findPurchase(scope, intent, placing, { lease, known: evidence.orderMade });
  if (found === 'settled') return;
  if (found !== undefined) {
    evidence.orderMade = found.unclear;
    return await remember(gateway, intent, lease, evidence, Math.min(gateway.now() + backOffMs(evidence.tries, gateway.random()), intent.deadOn));
  }
  const statusBySession = core.status_by_session && upstreamOf(placing.provider, intent.ramp) === 'session';
  const profile = { repost, lateCommitMaxMs: core.late_commit_max_s * 1000, statusBySession };
  for (let step = 0; step < 4; step += 1) {
    const now = gateway.now();
    const next = settlePlacing(toPlacing(intent, evidence, profile, placing.quote.offer.offer), now);
    if (next.do === 'settle') {
      if (next.state === 'confirmed') return;
      const shownPerhaps = evidence.restored === true && (next.state === 'unpayable' || !statusBySession);
      // The order may have spent the operator's money, or a customer may have paid it after the backup was made, so the operator must look at it.
      const state = placing.inputs.order.payWithBalance === true || shownPerhaps ? 'review' : next.state;
      return void (await settleUnpayable(gateway, intent, lease.owner, { upstreamOrderId: evidence.orderMade, ...next, state }));
    }
    if (next.do === 'wait') return await remember(gateway, intent, lease, evidence, Math.max(next.until, now + 250));
    if (next.do === 'repost') {
      const sent = await sendOnce(scope, intent, placing, { leaseEndsOn, attempt: evidence.reposts + 2 });
      if ('placed' in sent && repost !== 'duplicates') return await confirmOrEnd(scope, intent, lease, placing, sent.placed);
      // A request that had no effect at the provider says nothing about an order there. The next check sends the request again.
      if ('unsent' in sent) break;
      // If the account's key is refused, that says nothing about an order either. We check again later, or as soon as the account is reconnected.
      if ('refused' in sent && sent.refused.reason === 'account-required') break;
      evidence.reposts += 1;
      evidence.resentOn = sent.sentOn;
      evidence.reply = 'refused' in sent ? 'refused' : 'lost';
      if (evidence.reply === 'lost') break;
    } else if (!(await readNew(scope, intent, placing, evidence))) break;
    else if (evidence.read?.found.length === 0 && now < intent.deadOn && (repost !== 'rejects' || evidence.reposts > 0)) break;
  }
  // What to do next may change when the quote expires, so we check at that time even if the back-off is longer.
  const now = gateway.now();
  const next = now + backOffMs(evidence.tries, gateway.random());
  await remember(gateway, intent, lease, evidence, now < intent.deadOn ? Math.min(next, intent.deadOn) : next);
};

const confirmOrEnd = async (scope: Scope, intent: Intent, lease: Lease, placing: Placing, placed: PlacedOrder): Promise<void> => {
  const outcome = await confirmPlaced(scope, intent, lease.owner, placing, placed);
  if ('withheld' in outcome) await endPlacing(scope, intent, lease.owner, placing, outcome.withheld);
};

/**
 * For a purchase with the operator's balance, searches for the order: by the ids that notices at this attempt's own URL have named, by the id of an
 * order that an earlier check found unclear (`known`), and by our reference. Only what the provider reports about the order under our credentials
 * counts. Returns `settled` if the attempt is resolved. `unclear`: the id of an order that differs from what we ordered, or whose status needs a
 * review. It is read again until the attempt is dead; after that, a person must look at it.
 */
const findPurchase = async (
  scope: Scope,
  intent: Intent,
  placing: Placing,
  { lease, known }: { lease: Lease; known: string | undefined },
): Promise<'settled' | { unclear: string } | undefined> => {
  const { gateway } = scope;
  const { notices } = placing.provider.adapter;
  if (!notices || placing.inputs.order.payWithBalance !== true) return undefined;
  const named = new Set<string>();
  for (const { id, body } of await gateway.stores.notices.bodies('order', intent.id)) {
    for (const hint of notices.hints(await gateway.seal.open(body, noticeBodyPlace(id)))) if ('upstreamOrderId' in hint) named.add(hint.upstreamOrderId);
  }
  if (known !== undefined) named.add(known);
  // The list is read only if the order is not known otherwise.
  const candidates = async function* () {
    yield* named;
    yield await idByReference(scope, intent, placing);
  };
  let other: string | undefined;
  for await (const hint of candidates()) {
    const found = hint === undefined ? 'unknown' : await lookUp(scope, intent, placing, lease, hint);
    if (found === 'confirmed') return 'settled';
    if (found === 'unclear') other ??= hint;
  }
  if (other === undefined) return undefined;
  if (gateway.now() < intent.deadOn) return { unclear: other };
  await settleUnpayable(gateway, intent, lease.owner, { state: 'review', note: unclearNote, upstreamOrderId: other });
  return 'settled';
};
const unclearNote = 'an order was paid from the balance, but it differs from what we ordered, or its status needs a review';

/**
 * Returns the id of the order under our reference, by which some providers list orders. If there are several, it returns none: a person must look at
 * them.
 */
const idByReference = async (scope: Scope, intent: Intent, placing: Placing): Promise<string | undefined> => {
  const adapter = placing.provider.adapter.liquidity;
  if (!adapter) return undefined;
  const options = statusCall(scope, intent, 'read_orders');
  try {
    const answer = await callProvider(scope, placing.provider, options, (context) => adapter.readOrders(context, lookedFor(intent, placing)));
    const [only, ...others] = answer.ok ? answer.value : [];
    return others.length === 0 ? only?.upstreamOrderId : undefined;
  } catch {
    return undefined; // counted and logged by callProvider
  }
};

const statusCall = ({ gateway }: Scope, intent: Intent, verb: string) =>
  ({ operation: 'status', verb, deadlineMs: gateway.settings.routing.status_deadline_ms, idempotent: true, customerKey: intent.customerId }) as const;

const lookedFor = (intent: Intent, placing: Placing) => {
  const { pay, receive, fee, upstream, facts } = placing.quote.offer.offer;
  return { orderId: intent.orderId, createdOn: intent.createdOn, pay, receive, fee, upstream, facts: { ...facts, user_ref: intent.id } };
};

/**
 * Reads the order with this id and, if it can be the order that this attempt made, confirms the attempt. `unclear`: a person must look at the order.
 */
const lookUp = async (scope: Scope, intent: Intent, placing: Placing, lease: Lease, hint: string): Promise<'confirmed' | 'unclear' | 'unknown'> => {
  const { gateway } = scope;
  const adapter = placing.provider.adapter.liquidity;
  if (!adapter) return 'unknown';
  const { pay, receive } = placing.quote.offer.offer;
  const order = { ...lookedFor(intent, placing), upstreamOrderId: hint };
  const options = statusCall(scope, intent, 'read_order');
  const [claimed] = await gateway.stores.intents.claimedUpstreamIds(intent.providerId, [hint]);
  try {
    const answer = await callProvider(scope, placing.provider, options, (context) => adapter.readOrders(context, order));
    const found = answer.ok && claimed === undefined ? answer.value.find((row) => row.upstreamOrderId === hint) : undefined;
    if (found?.stage === 'review') return 'unclear';
    if (!found?.stage) return 'unknown';
    const paid = found.pay ?? pay;
    const placed = {
      upstreamOrderId: hint,
      rawStatus: found.rawStatus,
      // The operator's balance pays for it, so there is nothing left to pay.
      stage: found.stage === 'awaiting_payment' ? ('paid' as const) : found.stage,
      pay: paid,
      receive,
      fee: found.fee ?? feeInSats(paid, receive),
      paymentInfo: { kind: 'none' as const },
    };
    await confirmOrEnd(scope, intent, lease, placing, placed);
    return 'confirmed';
  } catch {
    return 'unknown'; // counted and logged by callProvider
  }
};

const readNew = async (scope: Scope, intent: Intent, placing: Awaited<ReturnType<typeof placingOf>>, evidence: Evidence): Promise<boolean> => {
  const { gateway } = scope;
  try {
    const found = await ownNewOrders(scope, intent, placing);
    evidence.read = {
      on: gateway.now(),
      found: found.map((one) => ({
        upstreamOrderId: one.upstreamOrderId,
        ...(one.stage === undefined ? {} : { stage: one.stage }),
        ...(one.pay === undefined ? {} : { pay: one.pay.toString() }),
        ...(one.receive === undefined ? {} : { receive: one.receive.toString() }),
        ...(one.moneySeen === true ? { moneySeen: one.moneySeen } : {}),
      })),
    };
    return true;
  } catch {
    return false; // counted and logged by callProvider
  }
};

const remember = async (gateway: Gateway, intent: Intent, lease: Lease, evidence: Evidence, nextTryOn: number): Promise<void> => {
  const kept: Json = { ...evidence, tries: evidence.tries + 1 };
  await gateway.stores.intents.change(intent.id, lease.owner, { state: 'unknown', nextTryOn, evidence: kept }, true);
};

const toPlacing = (intent: Intent, evidence: Evidence, profile: UnknownPlacing['profile'], quoted: UnknownPlacing['quoted']): UnknownPlacing => ({
  profile,
  quoted: { pay: quoted.pay, receive: quoted.receive, binding: quoted.binding },
  sentOn: evidence.resentOn ?? intent.sentOn ?? intent.createdOn,
  deadOn: intent.deadOn,
  reposts: evidence.reposts,
  ...(evidence.reply === undefined ? {} : { reply: evidence.reply }),
  ...(evidence.read
    ? {
        read: {
          on: evidence.read.on,
          found: evidence.read.found.map(({ pay, receive, stage, upstreamOrderId, moneySeen }) => ({
            upstreamOrderId,
            ...(moneySeen === true ? { moneySeen } : {}),
            ...(stage === undefined ? {} : { stage: stage as NonNullable<NewOrder['stage']> }),
            ...(pay === undefined ? {} : { pay: BigInt(pay) }),
            ...(receive === undefined ? {} : { receive: BigInt(receive) }),
          })),
        },
      }
    : {}),
});
