import { defined } from '../../domain/defined.ts';
import { amountNames, sides, type Ramp } from '../../domain/ramp.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import { Problem } from '../problem.ts';
import { refuseHeldOrders } from '../switches.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { withOffers } from './other-offers.ts';
import { giveAnswer, type GivenAnswer } from './given-answer.ts';
import { answerOf, orderPending, otherPending, quoteExpired, type PlacingInputs } from './placing.ts';
import { prepareOrder, type RampRequest } from './prepare.ts';
import { leaseFor } from '../lease.ts';
import { providerOf } from '../upstream/provider-of.ts';
import { inputsPlace } from '../places.ts';
import { sendPlacing } from './send-placing.ts';
import { networkKeyOf, refuseBeyondLimit } from '../pricing/in-flight.ts';
import { findQuote, quoteToJson } from '../pricing/store-route.ts';
import type { Scope } from '../../ports/scope.ts';

export type PlaceOrderRequest = RampRequest & {
  quoteId: string;
  idempotencyKey?: string | undefined;
  inputs: PlacingInputs;
  /** Counts one more order; throws when there are too many. A repeated request does not count. */
  count: () => Promise<void>;
  /** Refuses an Idempotency-Key that came with another body, else stores it. So call it only for an existing quote, after counting. */
  refuseReusedKey: () => Promise<void>;
};

/**
 * POST /order. Writes the intent before anything leaves, and one sender holds its lease. Commits the order, its first event and the exact bytes
 * of the answer together, before the wallet sees them. Continues when the caller hangs up. The same quote gets the same bytes.
 */
export const placeOrder = async (scope: Scope, session: OpenSession, request: PlaceOrderRequest): Promise<string> =>
  giveAnswer(await withOffers(scope, session, request.quoteId, await place(scope, session, request)));

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
  refuseHeldOrders(gateway, quote.offer.providerId);
  await request.count();
  await request.refuseReusedKey();
  const prepared = await prepareOrder(scope, session, quote, request);
  const exclusiveKey = prepared.exclusiveKey ?? quote.providerSessionId;
  const inputs = {
    ...prepared.webhook,
    ...request.inputs,
    order: prepared.order,
    ...(prepared.nodePubkey === undefined ? {} : { nodePubkey: prepared.nodePubkey }),
  };
  const id = gateway.ids.uuid();
  const lease = leaseFor(gateway, id);
  const provider = providerOf(gateway, quote.offer.providerId);
  const created = await intents.create(
    {
      id,
      quoteId: quote.quoteId,
      orderId: gateway.ids.uuid(),
      ramp: quote.route.asked.ramp,
      customerId: session.customerId,
      providerId: provider.id,
      requestId: scope.requestId,
      quote: quoteToJson(quote),
      inputs: await gateway.seal.seal(JSON.stringify(inputs), inputsPlace(id)),
      createdOn: now,
      // We wait half an hour for a purchase with the operator's own money; then the operator must look at it.
      deadOn: inputs.order.payWithBalance === true ? now + 2 * quoteLifeMs : (quote.offer.offer.expiresOn ?? now + quoteLifeMs) + graceMs(provider),
      nextTryOn: now,
      ...defined({ networkKey: networkKeyOf(scope, provider) }),
      ...(exclusiveKey === undefined ? {} : { exclusiveKey }),
      ...(request.idempotencyKey === undefined ? {} : { idempotencyKey: request.idempotencyKey }),
    },
    lease,
    gateway.settings.orders.max_open,
  );
  if (created !== 'created') await prepared.release?.();
  if (typeof created === 'object')
    throw new Problem('too-many-open-orders', `At most ${gateway.settings.orders.max_open} unpaid orders may be open at a time. Pay one or let it expire.`, {
      members: { order_ids: created.open },
    });
  if (created === 'busy') throw await otherPending(gateway, exclusiveKey, session.customerId);
  const intent = created === 'created' ? await intents.find(id) : await intents.findByQuote(request.quoteId, session.customerId);
  if (!intent) throw orderPending('The order is being placed.');
  if (created === 'exists') return await answerAgain(scope, intent, request);
  try {
    await prepared.recheck?.();
    await refuseBeyondLimit(gateway, provider);
  } catch (problem) {
    await intents.change(id, lease.owner, { state: 'rejected' }, true);
    await prepared.release?.();
    throw problem;
  }
  const placing = sendPlacing(scope, intent, lease);
  gateway.background(placing.catch(() => undefined));
  return await placing;
};

/** A limit that the quote itself breaks can only be a mistake. */
const refuseOutOfBounds = (ramp: Ramp, offer: { pay: bigint; receive: bigint }, { minReceive, maxPay }: PlacingInputs): void => {
  const units = { fiat: 'cents', sats: 'sats' };
  const refuse = (member: string, sentence: string): Problem =>
    new Problem('amount-out-of-range', `${sentence}.`, { errors: [{ pointer: `/${member}`, detail: sentence }] });
  const [least, most] = [`min_${amountNames[ramp].receive}`, `max_${amountNames[ramp].pay}`];
  if (minReceive !== undefined && offer.receive < BigInt(minReceive))
    throw refuse(least, `the quote pays ${offer.receive} ${units[sides[ramp].receive]}, less than your ${least} ${minReceive}`);
  if (maxPay !== undefined && offer.pay > BigInt(maxPay))
    throw refuse(most, `the quote costs ${offer.pay} ${units[sides[ramp].pay]}, more than your ${most} ${maxPay}`);
};

/** 15 minutes for a quote without an expiry. */
const quoteLifeMs = 15 * 60_000;
const graceMs = (provider: Provider): number => (provider.core.late_commit_max_s > 0 ? provider.core.late_commit_max_s * 1000 : 60_000);

/** Refuses a request with another invoice or connection than the order has: the answer would be an order that pays the first one. */
const refuseOtherAim = async (gateway: Gateway, found: Intent, named: PlacingInputs['named'] = {}): Promise<void> => {
  if (Object.keys(named).length === 0) return;
  const stored = JSON.parse(await gateway.seal.open(found.inputs, inputsPlace(found.id))) as PlacingInputs;
  const other = stored.named && Object.keys(named).find((member) => stored.named?.[member] !== named[member]);
  if (other !== undefined)
    throw new Problem('quote-used', `This quote was ordered with another ${other}. That order is still valid; ask for a new quote for this one.`, {
      errors: [{ pointer: `/${other}`, detail: 'not what the quote was ordered with' }],
      members: { order_id: found.orderId, ...nextStep[found.state] },
    });
};

/** Overrides the listed action of `quote-used` (read the order): here there is no order to read. */
const nextStep: Partial<Record<Intent['state'], { action: string; retryable?: boolean }>> = {
  prepared: { action: 'wait', retryable: true },
  sending: { action: 'wait', retryable: true },
  unknown: { action: 'wait', retryable: true },
  unpayable: { action: 'requote' },
  dead: { action: 'requote' },
};

/** The same quote again: waits for an attempt in progress, then returns the same bytes. */
const answerAgain = async (scope: Scope, found: Intent, request: PlaceOrderRequest): Promise<GivenAnswer> => {
  const { gateway } = scope;
  const otherKey = request.idempotencyKey !== undefined && request.idempotencyKey !== found.idempotencyKey;
  if (request.idempotencyKey !== undefined && !otherKey) await request.refuseReusedKey();
  await refuseOtherAim(gateway, found, request.inputs.named);
  const until = gateway.now() + gateway.settings.routing.order_deadline_ms;
  let intent: Intent | undefined = found;
  while (intent && (intent.state === 'prepared' || intent.state === 'sending') && gateway.now() < until) {
    if (intent.state === 'prepared') {
      // Its sender died before anything left. Whoever takes the lease continues.
      const lease = leaseFor(gateway, intent.id);
      const taken = await gateway.stores.intents.claim(intent.id, lease);
      if (taken?.state === 'prepared') return await sendPlacing(scope, taken, lease);
    }
    await gateway.sleep(100);
    intent = await gateway.stores.intents.find(found.id);
  }
  // Until there is an order to point to, a call with another key gets what any other call gets.
  if (otherKey && intent?.state === 'confirmed')
    throw new Problem('quote-used', 'This quote was ordered with another Idempotency-Key. That order is still valid: read it, and do not order again.', {
      members: { order_id: intent.orderId },
    });
  return await answerOf(gateway, intent);
};
