/**
 * Failover, for requests that ask for it: when a provider certainly did not take an order, or made one that the customer may not see, the request
 * continues with the next rank of the same route. docs/decisions/2026-11-28-failover.md explains why this is safe.
 */
import { wouldPayElsewhere } from './account-for.ts';
import { defined } from '../../domain/defined.ts';
import type { PayoutTo } from '../../domain/payout.ts';
import { quoteIdOf, readQuoteId } from '../../domain/route-id.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Intent, NewIntent } from '../../ports/intents.ts';
import type { Lease } from '../../ports/runtime.ts';
import type { Scope } from '../../ports/scope.ts';
import { leaseFor } from '../lease.ts';
import { networkKeyOf } from '../pricing/in-flight.ts';
import { findQuote, type StoredQuote } from '../pricing/store-route.ts';
import { Problem } from '../problem.ts';
import { upstreamOf } from '../ramps.ts';
import { ordersHeld } from '../switches.ts';
import { checkedAgainOn, countEnd, standsBack, type End } from './end-placing.ts';
import { nearAmounts } from './near-amounts.ts';
import { newIntent } from './new-intent.ts';
import { misfit } from './payout.ts';
import { placingOf, type Failover, type Placing, type PlacingInputs } from './placing.ts';

/** One provider's turn in a request. The first turn has the whole deadline for its call; the later turns share what is left of the deadline. */
export type Turn = { intent: Intent; lease: Lease; placing: Placing; endsOn: number; isFirst: boolean };

/**
 * Returns how long this turn's call may take, in milliseconds, or undefined if too little time is left. A call that is cut short often leaves the
 * outcome unknown, which is worse than no call.
 */
export const timeFor = ({ settings, now }: Gateway, { endsOn, isFirst }: Pick<Turn, 'endsOn' | 'isFirst'>): number | undefined => {
  const { order_deadline_ms: whole } = settings.routing;
  const left = isFirst ? whole : endsOn - now();
  return left < whole / 3 ? undefined : left;
};

/**
 * Ends this turn and, in the same transaction, begins a turn with the next rank that can be tried. Returns undefined if none can be tried, or if
 * another call has taken this turn over.
 */
export const moveOn = async (scope: Scope, turn: Turn, end: End): Promise<Turn | undefined> => {
  const { gateway } = scope;
  const { intent, lease, placing, endsOn } = turn;
  const { failover } = placing.inputs;
  const now = gateway.now();
  if (!failover || failover.moves === 0 || timeFor(gateway, { endsOn, isFirst: false }) === undefined) return undefined;
  // After accept_by no order is placed, because it could surprise the customer.
  if (now > placing.quote.acceptBy) return undefined;
  const change = {
    nextTryOn: checkedAgainOn(gateway, intent),
    evidence: end.evidence,
    ...defined({ upstreamOrderId: end.upstreamOrderId }),
  };
  for await (const quote of ranksAfter(gateway, intent)) {
    if (!isOpenTo(gateway, quote, failover, placing.inputs.order.payoutTo) || !(await hasItsAccount(gateway, intent, quote))) continue;
    if (await wouldPayElsewhere(gateway, quote, placing.inputs.order.payoutTo)) continue;
    const next = await nextIntent(scope, turn, quote, end);
    const nextLease = leaseFor(gateway, next.id);
    const moved = await gateway.stores.intents.move(
      intent.id,
      lease.owner,
      change,
      { intent: next, lease: nextLease, ...defined({ near: nearAmounts(quote, gateway.settings.routing.slippage_bps) }) },
      standsBack(gateway, intent, end),
    );
    if (moved === 'lost') return undefined;
    if (moved === 'skipped') continue;
    countEnd(scope, intent, end);
    gateway.count('order_moves_total', { provider: intent.providerId, reason: end.problem.code });
    const said = { request_id: intent.requestId, provider: intent.providerId, intent: intent.id, reason: end.problem.code };
    gateway.log('info', 'order_moved', { ...said, note: `to ${next.providerId}` });
    const begun = await gateway.stores.intents.find(next.id);
    return begun && { intent: begun, lease: nextLease, placing: await placingOf(gateway, begun), endsOn, isFirst: false };
  }
  return undefined;
};

/** Yields the stored quotes that rank below this attempt's quote, best first. Yields nothing if the route has been pruned. */
async function* ranksAfter(gateway: Gateway, { quoteId, customerId }: Intent): AsyncGenerator<StoredQuote> {
  const parts = readQuoteId(quoteId);
  if (!parts) return;
  for (let rank = parts.rank + 1; ; rank += 1) {
    try {
      yield await findQuote(gateway, quoteIdOf(parts.routeId, rank), customerId);
    } catch (error) {
      if (error instanceof Problem) return;
      throw error;
    }
  }
}

/**
 * Returns whether a quote may be ordered now, is within the request's limits, and can be paid out as the request says. The database checks the rest:
 * that no other attempt has this quote or is unresolved in its upstream session, and that the quote's provider is not excluded for this customer.
 */
const isOpenTo = (gateway: Gateway, quote: StoredQuote, { minReceive, maxPay }: Failover, payoutTo: PayoutTo | undefined): boolean => {
  const { acceptBy, offer } = quote;
  if (payoutTo === undefined ? offer.offer.facts.payout_kinds !== undefined : misfit(gateway, quote, payoutTo) !== undefined) return false;
  if (gateway.now() > acceptBy || ordersHeld(gateway, offer.providerId)) return false;
  if (!gateway.providers.some(({ id }) => id === offer.providerId)) return false;
  const { pay, receive, requires } = offer.offer;
  // The customer has not been asked for what this offer still needs.
  if (requires.includes('account')) return false;
  return (minReceive === undefined || receive >= BigInt(minReceive)) && (maxPay === undefined || pay <= BigInt(maxPay));
};

/** Returns whether the account with which the quote's price was asked is still connected. True if the price was asked without an account. */
const hasItsAccount = async ({ providers, stores }: Gateway, { ramp }: Intent, { offer, providerSessionId }: StoredQuote): Promise<boolean> => {
  const provider = providers.find(({ id }) => id === offer.providerId);
  if (providerSessionId === undefined || !provider || upstreamOf(provider, ramp) !== 'account') return true;
  return (await stores.accounts.findAny(providerSessionId))?.status === 'connected';
};

/** Builds the next rank's intent. The limits given for failover are stored as the new order's own, so the order must keep to them too. */
const nextIntent = async (scope: Scope, { intent, placing }: Turn, quote: StoredQuote, end: End): Promise<NewIntent> => {
  const { gateway } = scope;
  const { failover, movedFrom = [], ...kept } = placing.inputs;
  const inputs: PlacingInputs = {
    ...kept,
    ...defined({ minReceive: failover?.minReceive, maxPay: failover?.maxPay }),
    failover: { ...failover, moves: (failover?.moves ?? 1) - 1 },
    movedFrom: [...movedFrom, { providerId: intent.providerId, reason: end.problem.code }],
  };
  // Background work has no caller, so the order keeps the network of the customer's request.
  const networkKey = networkKeyOf(scope) ?? intent.networkKey;
  const particulars = defined({ exclusiveKey: quote.providerSessionId, networkKey });
  return await newIntent({ gateway, requestId: intent.requestId }, intent.customerId, quote, inputs, particulars);
};
