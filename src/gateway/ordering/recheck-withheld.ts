/**
 * Rechecks order attempts that ended `unpayable` or `dead`, or `moved` with an order left at the provider. The customer was never shown how to pay,
 * so no money should have arrived. If a provider reports money, or that its order needs a review, a person must look at the attempt. Each attempt is
 * read once when its quote has expired, and again after a genuine notice about it.
 */
import { advance } from '../../domain/order-life.ts';
import type { OrderEvidence } from '../../providers/spec.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { leaseFor } from '../lease.ts';
import { workOnDue } from '../work-on-due.ts';
import { upstreamOf } from '../ramps.ts';
import { defined } from '../../domain/defined.ts';
import { othersOf } from '../following/follow-orders.ts';
import { placingOf, type Placing } from './placing.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Lease } from '../../ports/runtime.ts';
import { ownNewOrders } from './send-placing.ts';
import { defect } from '../../ports/defect.ts';

/** Stored as the time of the next check when only a notice may cause one. */
const never = Date.UTC(9999, 0, 1);
/** If a provider cannot be read, we try again every `retryMs`, until `patienceMs` after the quote can no longer become an order (`deadOn`). */
const retryMs = 30 * 60_000;
const patienceMs = 7 * 86_400_000;

export const lookAgain = async (gateway: Gateway, limit: number): Promise<number> => {
  const lease = leaseFor(gateway, 'again000');
  return await workOnDue(gateway, {
    name: 'look_again',
    claim: async (share) => await gateway.stores.intents.claimWithheld(gateway.now(), lease, limit, share),
    providerOf: (intent) => intent.providerId,
    work: async (intent) => await lookAtOne(gateway, intent, lease),
    about: ({ id }) => ({ intent: id }),
  });
};

const lookAtOne = async (gateway: Gateway, intent: Intent, lease: Lease): Promise<void> => {
  const { intents } = gateway.stores;
  const now = gateway.now();
  try {
    const placing = await placingOf(gateway, intent);
    for (const row of await readRows({ gateway, requestId: intent.requestId }, intent, placing)) {
      const step = advance({ stage: 'awaiting_payment', binding: false, pay: 0n, receive: 0n, placing: intent.state }, row, now);
      if (step.kind !== 'contradiction' && row.stage !== 'review') continue;
      if (await isAnothers(gateway, intent, row)) continue;
      const found = row.upstreamOrderId === undefined ? {} : { upstreamOrderId: row.upstreamOrderId };
      const note = step.note ?? 'money moved';
      if (!(await intents.changeWithheld(intent.id, lease.owner, { state: 'review', evidence: { note }, ...found }))) return;
      gateway.count('orders_total', { provider: intent.providerId, outcome: 'review' });
      gateway.log('error', step.kind === 'contradiction' ? 'money_in_withheld_order' : 'withheld_order_in_review', {
        request_id: intent.requestId,
        provider: intent.providerId,
        intent: intent.id,
        note,
      });
      return;
    }
    await intents.changeWithheld(intent.id, lease.owner, { nextTryOn: never });
  } catch (error) {
    const isFault = error instanceof ProviderFault; // counted and logged by callProvider
    if (!isFault) defect(gateway.log, 'look_again', error, { intent: intent.id });
    const again = isFault && now < intent.deadOn + patienceMs ? now + retryMs : never;
    await intents.changeWithheld(intent.id, lease.owner, { nextTryOn: again });
  }
};

/** Returns whether only the amount tells that a payment is this attempt's, and another order already has that payment. */
const isAnothers = async ({ stores }: Gateway, { providerId, orderId }: Intent, { guessed, facts }: OrderEvidence): Promise<boolean> => {
  const id = facts?.transaction_id;
  return guessed === true && id !== undefined && (await stores.orders.otherWithPayment({ providerId, id }, orderId)) !== undefined;
};

/** Reads the order if its id is known, or else all new orders of its upstream session, if the provider lists them. */
const readRows = async (scope: Scope, intent: Intent, placing: Placing): Promise<OrderEvidence[]> => {
  const { provider, quote, context } = placing;
  const { upstreamOrderId } = intent;
  if (upstreamOrderId === undefined)
    return upstreamOf(provider, intent.ramp) === 'session' && provider.core.status_by_session ? await ownNewOrders(scope, intent, placing) : [];
  const adapter = provider.adapter[intent.ramp];
  if (!adapter) return [];
  const { pay, receive, fee, upstream, facts } = quote.offer.offer;
  const known = { orderId: intent.orderId, idempotencyKey: intent.id, upstreamOrderId, createdOn: intent.createdOn, pay, receive, fee, upstream, facts };
  const matched = { ...intent, id: intent.orderId, pay, facts, terms: defined({ matchedBy: facts.matched_by }) };
  const order = { ...known, ...(await othersOf(scope.gateway, matched)) };
  const deadlineMs = scope.gateway.settings.routing.status_deadline_ms;
  const options = { operation: 'status', verb: 'read_order', deadlineMs, idempotent: true, customerKey: intent.customerId, context } as const;
  const answer = await callProvider(scope, provider, options, (call) => adapter.readOrders(call, order));
  // If the provider refuses, the upstream session has probably ended and can never be read again, so we stop asking.
  return answer.ok ? answer.value.filter((row) => row.upstreamOrderId === undefined || row.upstreamOrderId === upstreamOrderId) : [];
};
