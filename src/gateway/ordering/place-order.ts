import { defined } from '../../domain/defined.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { lastAttempt } from '../attempts.ts';
import { Problem } from '../problem.ts';
import { refuseHeldOrders } from '../switches.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { failoverOf, refuseBoundless, refuseOutOfBounds, type FailoverRequest } from './bounds.ts';
import { withOffers } from './other-offers.ts';
import { giveAnswer, type GivenAnswer } from './given-answer.ts';
import { amountTooNear, nearAmounts } from './near-amounts.ts';
import { newIntent } from './new-intent.ts';
import { answerOf, openInputs, orderPending, otherPending, quoteExpired, type PlacingInputs } from './placing.ts';
import { payoutUsed } from './payout.ts';
import { prepareOrder, type RampRequest } from './prepare.ts';
import { leaseFor } from '../lease.ts';
import { hasLostConnection } from '../following/payout-of.ts';
import { sendPlacing } from './send-placing.ts';
import { networkKeyOf } from '../pricing/in-flight.ts';
import { inOneWriting } from '../pricing/refund-address.ts';
import { findQuote } from '../pricing/store-route.ts';
import type { Scope } from '../../ports/scope.ts';

export type PlaceOrderRequest = RampRequest & {
  quoteId: string;
  idempotencyKey?: string | undefined;
  inputs: PlacingInputs;
  failover?: FailoverRequest | undefined;
  /** Counts one more order, and throws when there are too many. Not called for a repeated request. */
  count: () => Promise<void>;
  /** Counts one more request for prices, and throws when there are too many. Called before other offers are added to an answer. */
  countPricing: () => Promise<void>;
  /**
   * Throws if the Idempotency-Key came with a different body before, and stores it otherwise. Because it stores the key, it is called only once the
   * quote is known to exist, and for a new order only after counting.
   */
  refuseReusedKey: () => Promise<void>;
};

/**
 * Handles POST /order. Writes the intent before anything is sent to the provider; only the instance that holds the intent's lease sends the order.
 * Commits the order, its first event and the exact bytes of the response together, before the wallet sees them. From then on, ordering the same quote
 * again returns the same bytes. Continues if the caller hangs up.
 */
export const placeOrder = async (scope: Scope, session: OpenSession, request: PlaceOrderRequest): Promise<string> =>
  giveAnswer(await withOffers(scope, session, request, await place(scope, session, request)));

const place = async (scope: Scope, session: OpenSession, request: PlaceOrderRequest): Promise<GivenAnswer> => {
  const { gateway } = scope;
  const { intents } = gateway.stores;
  const existing = await intents.findByQuote(request.quoteId, session.customerId);
  if (existing?.ramp === request.ramp) return await answerAgain(scope, existing, request);
  const quote = await findQuote(gateway, request.quoteId, session.customerId);
  if (quote.route.asked.ramp !== request.ramp) throw new Problem('quote-not-found', 'This customer has no such quote on this ramp.');
  const now = gateway.now();
  if (now > quote.acceptBy) throw quoteExpired();
  refuseOutOfBounds(request.ramp, quote.offer.offer, request.inputs);
  if (request.failover) refuseBoundless(quote, request.failover);
  refuseHeldOrders(gateway, quote.offer.providerId, request.failover !== undefined);
  await request.count();
  await request.refuseReusedKey();
  const prepared = await prepareOrder(scope, session, quote, request);
  const exclusiveKey = prepared.exclusiveKey ?? quote.providerSessionId;
  const inputs: PlacingInputs = {
    ...prepared.webhook,
    ...request.inputs,
    order: prepared.order,
    ...defined({ nodePubkey: prepared.nodePubkey, failover: request.failover && failoverOf(request.failover, request.inputs) }),
  };
  const networkKey = networkKeyOf(scope);
  const particulars = defined({ exclusiveKey, networkKey, idempotencyKey: request.idempotencyKey, createdOn: prepared.countedOn });
  const fresh = await newIntent(scope, session.customerId, quote, inputs, particulars);
  const lease = leaseFor(gateway, fresh.id);
  const { slippage_bps: slippageBps } = gateway.settings.routing;
  const created = await intents.create(fresh, lease, { maxOpen: gateway.settings.orders.max_open, ...defined({ near: nearAmounts(quote, slippageBps) }) });
  if (created !== 'created') await prepared.release?.();
  if (typeof created === 'object' && 'near' in created) throw amountTooNear(quote, created.near, slippageBps);
  if (typeof created === 'object')
    throw new Problem(
      'too-many-open-orders',
      `At most ${gateway.settings.orders.max_open} unpaid orders may be open at a time. Pay one, or wait until it expires or is a day old.`,
      {
        members: { order_ids: created.open },
      },
    );
  if (created === 'payout-used') throw payoutUsed(request.ramp);
  if (created === 'busy') throw await otherPending(gateway, exclusiveKey, session.customerId);
  const intent = created === 'created' ? await intents.find(fresh.id) : await intents.findByQuote(request.quoteId, session.customerId);
  if (!intent) throw orderPending('The order is being placed.');
  if (created === 'exists') return await answerAgain(scope, intent, request);
  try {
    await prepared.recheck?.();
  } catch (problem) {
    await intents.change(fresh.id, lease.owner, { state: 'rejected' }, true);
    await prepared.release?.();
    throw problem;
  }
  const placing = sendPlacing(scope, intent, lease);
  gateway.background(placing.catch(() => undefined));
  return await placing;
};

/**
 * Throws if the request names, for example, a different invoice or connection than the first request for this quote did. The stored answer is an
 * order that pays to the first invoice or connection.
 */
const refuseOtherAim = async (gateway: Gateway, found: Intent, stored: PlacingInputs, named: PlacingInputs['named'] = {}): Promise<void> => {
  const other = stored.named && Object.keys(named).find((member) => aimIn(gateway, stored.named, member) !== aimIn(gateway, named, member));
  if (other !== undefined)
    throw new Problem('quote-used', `This quote was ordered with another ${other}. For this ${other}, ask for a new quote.`, {
      errors: [{ pointer: `/${other}`, detail: 'the quote was ordered with a different value' }],
      members: membersOf(await lastAttempt(gateway, found)),
    });
};

/** Returns where the money goes, in a form that does not depend on how it was written. */
const aimIn = (gateway: Gateway, named: PlacingInputs['named'], member: string): string | undefined =>
  member === 'refund_onchain' ? inOneWriting(gateway, named?.[member]) : named?.[member];

/**
 * Returns the members of the problem `quote-used`. The problem's usual action is to read the order. `nextStep` replaces that action in the states in
 * which there is no order to read.
 */
const membersOf = ({ orderId, state }: Intent): Members => ({ order_id: orderId, ...nextStep[state] });
type Members = { order_id: string; action?: string; retryable?: boolean };
const wait = { action: 'wait', retryable: true };
const requote = { action: 'requote' };
const nextStep: Record<Intent['state'], Omit<Members, 'order_id'>> = {
  prepared: wait,
  sending: wait,
  unknown: wait,
  confirmed: {},
  unpayable: requote,
  dead: requote,
  declined: requote,
  rejected: requote,
  moved: wait,
  review: { action: 'contact-support' },
};

/**
 * Answers a request to order a quote that was ordered before: waits for an attempt in progress, then returns the stored answer. If failover has moved
 * that first request on, the answer is that of its last attempt.
 */
const answerAgain = async (scope: Scope, found: Intent, request: PlaceOrderRequest): Promise<GivenAnswer> => {
  const { gateway } = scope;
  const otherKey = request.idempotencyKey !== undefined && request.idempotencyKey !== found.idempotencyKey;
  if (request.idempotencyKey !== undefined && !otherKey) await request.refuseReusedKey();
  const stored = await openInputs(gateway, found);
  await refuseOtherAim(gateway, found, stored, request.inputs.named);
  // If `movedFrom` is stored, a request for another quote has moved on to this quote. A caller who orders only this quote never gets the order that
  // the other request ends with.
  const isPassedThrough = stored.movedFrom !== undefined;
  let first = found;
  const read = async (): Promise<Intent> => {
    first = (await gateway.stores.intents.find(found.id)) ?? found;
    return isPassedThrough ? first : await lastAttempt(gateway, first);
  };
  const until = gateway.now() + gateway.settings.routing.order_deadline_ms;
  let intent = await read();
  while ((intent.state === 'prepared' || intent.state === 'sending') && gateway.now() < until) {
    if (intent.state === 'prepared' && !isPassedThrough) {
      // Nothing has been sent yet. If the instance that was sending the order has stopped, its lease ends, and the caller that takes the lease
      // continues.
      const lease = leaseFor(gateway, intent.id);
      const taken = await gateway.stores.intents.claim(intent.id, lease);
      if (taken?.state === 'prepared') return await sendPlacing(scope, taken, lease);
    }
    await gateway.sleep(100);
    intent = await read();
  }
  if (isPassedThrough && intent.movedTo !== undefined) throw await passedThrough(gateway, intent);
  // A call with a different Idempotency-Key gets the normal answer, unless an order was made: then it is told to read that order.
  if (otherKey && intent.state === 'confirmed')
    throw new Problem('quote-used', 'This quote was ordered with another Idempotency-Key. Read that order, and do not order again.', {
      members: { order_id: intent.orderId },
    });
  if (intent.state === 'confirmed') await refuseLostConnection(gateway, intent);
  return await answerOf(gateway, first);
};

const unpaid = new Set(['awaiting_payment', 'underpaid', 'expired']);
/**
 * Throws instead of repeating an answer that says to pay to an address of a connection that must not be paid any more. An order that was paid keeps
 * its answer, so that nobody sells again because of a connection that ended later.
 */
const refuseLostConnection = async (gateway: Gateway, { id, orderId, customerId, ramp, exclusiveKey }: Intent): Promise<void> => {
  if (ramp !== 'sell' || exclusiveKey === undefined) return;
  const order = await gateway.stores.orders.find(orderId, customerId);
  if (!order || !unpaid.has(order.stage) || !(await hasLostConnection(gateway, { id: orderId, intentId: id }, exclusiveKey))) return;
  throw new Problem(
    'order-unpayable',
    'The connection of this order can no longer be paid. Do not pay. Ask for a new quote, and order with another connection.',
    {
      members: { order_id: orderId },
    },
  );
};

const passedThrough = async (gateway: Gateway, intent: Intent): Promise<Problem> => {
  const members = membersOf(await lastAttempt(gateway, intent));
  return new Problem('quote-used', 'Another of your order requests has tried this quote and has moved on to another provider.', { members });
};
