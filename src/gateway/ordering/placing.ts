/** A placing is an intent (an order attempt) that is being executed. It is built from what the database holds, so any instance can continue it. */
import type { Json as AnyJson } from '../../domain/offer.ts';
import type { RepostProfile } from '../../domain/order.ts';
import type { CallContext, OrderInputs } from '../../providers/spec.ts';
import { rampFacts } from '../ramps.ts';
import { inputsPlace, reservedPlace } from '../places.ts';
import { lastAttempt } from '../attempts.ts';
import type { MovedFrom } from '../following/show-order.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Provider } from '../../ports/providers.ts';
import { openAnswer, type GivenAnswer } from './given-answer.ts';
import { quoteFromJson, type StoredQuote } from '../pricing/store-route.ts';
import { providerOf } from '../upstream/provider-of.ts';
import { upstreamBlob } from '../upstream/blob.ts';

/** What the customer added to the quote, sealed in the intent. Amounts are decimal strings, in the ramp's units. */
export type PlacingInputs = {
  webhookUrl?: string;
  webhookEvents?: string[];
  /** Set if the request names no events. A pushed order, which never gets `withdrawal_ready`, then gets `order_status_changed`, too. */
  usualEvents?: true;
  minReceive?: string;
  maxPay?: string;
  appId?: string;
  customerIp?: string;
  /**
   * Where the money goes, under the member names of the request. If the quote is ordered again with different values, the response is `quote-used`.
   */
  named?: { [member: string]: string };
  /** For liquidity: the node that the session had proved. */
  nodePubkey?: string;
  order: OrderInputs;
  failover?: Failover;
  movedFrom?: MovedFrom[];
};
/**
 * How many more times the request may move to the next rank, and the limits for an order there. These limits are at least as strict as the request's
 * own limits.
 */
export type Failover = { moves: number; minReceive?: string; maxPay?: string };

export const orderPending = (detail: string, retryAfterMs = 2000, members: { [key: string]: AnyJson } = {}): Problem =>
  new Problem('order-pending', `${detail} Repeat the same request.`, { retryAfterMs, members });

/**
 * Returns after how many milliseconds the wallet should ask again while the outcome is unknown. Usually nothing changes before the next poll. But a
 * provider's notice may bring the poll forward, so the wallet should not wait longer than 30 s.
 */
const untilLook = (gateway: Gateway, intent: Intent | undefined): number =>
  Math.min(Math.max(intent?.state === 'unknown' ? intent.nextTryOn - gateway.now() : 0, 2000), 30_000);

/**
 * Returns the problem for an order that has to wait for another attempt at the same provider. The problem names that attempt only to the customer who
 * made it, because they can repeat their request to learn its outcome.
 */
export const otherPending = async (gateway: Gateway, exclusiveKey: string | undefined, customerId: string): Promise<Problem> => {
  const other = exclusiveKey === undefined ? undefined : await gateway.stores.intents.unsettledIn(exclusiveKey);
  const named = other?.customerId === customerId ? { order_id: other.orderId, quote_id: other.quoteId } : {};
  return orderPending('Another order is still being placed with the same provider.', untilLook(gateway, other), named);
};

/**
 * Returns the answer of a resolved intent. Throws `order-pending` for an unresolved one, and `provider-unavailable` for a rejected one. If failover
 * has moved the request, the answer is that of its last attempt.
 */
export const answerOf = async (gateway: Gateway, asked: Intent | undefined): Promise<GivenAnswer> => {
  const intent = asked && (await lastAttempt(gateway, asked));
  if (intent?.answer !== undefined) return await openAnswer(gateway, intent.id, intent.answer);
  if (intent?.state === 'rejected') {
    if (intent.id === asked?.id) throw notTaken('the provider did not take it, or was not asked');
    return rejectedAfterMoves;
  }
  throw orderPending('The provider has not answered yet.', untilLook(gateway, intent));
};

/** What a customer is told after failover if no provider made an order that can be paid. Withheld orders may exist. */
export const nonePayable = 'None of the providers that were tried made an order that you can pay. There is nothing to pay.';

/**
 * The answer for a later rank's attempt that ended as `rejected` without a stored answer. Only the previous release leaves such an attempt: it does
 * not know about failover, and stores no answer for a refused order.
 */
const rejectedAfterMoves: GivenAnswer = {
  problem: {
    code: 'provider-declined',
    detail: `${nonePayable} Ask for new offers.`,
    more: { members: { offers: [] } },
  },
};

export const quoteExpired = (): Problem => new Problem('quote-expired', 'The quote can no longer be ordered. Ask for a new one.');

export const notTaken = (reason: string): Problem =>
  new Problem('provider-unavailable', `The order was not placed: ${reason}. Nothing was ordered. The quote can be ordered again until accept_by.`, {
    retryAfterMs: 2000,
  });

/**
 * Returns whether a lost answer is lost for good. Only the answer says how to pay a liquidity order: the seller does not list orders or repeat its
 * answer, and its notices do not say how to pay. The order expires by itself, so we do not wait for it. But we do search for an order that the
 * operator's balance pays, because the customer does not need to know how to pay it.
 */
export const lapsesUnseen = (intent: Pick<Intent, 'ramp'>, placing: Placing, repost = repostOf(placing)): boolean =>
  rampFacts[intent.ramp].paidByAnswerOnly && repost !== 'same' && placing.inputs.order.payWithBalance !== true;

/**
 * Returns what a second request for the same order does at the provider. A reserved order was made together with its price, so placing it again makes
 * no call and shows the same invoice.
 */
export const repostOf = ({ provider, quote }: Placing): RepostProfile => (quote.offer.offer.reservation ? 'same' : provider.core.repost);

export const lostNote = 'only the lost answer said how to pay';

export type Placing = { provider: Provider; quote: StoredQuote; inputs: PlacingInputs; context: Omit<CallContext, 'signal' | 'requestId'> };

export const openInputs = async (gateway: Gateway, intent: Intent): Promise<PlacingInputs> =>
  JSON.parse(await gateway.seal.open(intent.inputs, inputsPlace(intent.id))) as PlacingInputs;

/** Builds everything that a call for this intent needs from what the database holds. */
export const placingOf = async (gateway: Gateway, intent: Intent): Promise<Placing> => {
  const inputs = await openInputs(gateway, intent);
  const customer = await upstreamBlob(gateway, intent.exclusiveKey);
  return {
    provider: providerOf(gateway, intent.providerId),
    inputs,
    quote: await openReserved(gateway, quoteFromJson(intent.quoteId, intent.quote)),
    context: {
      idempotencyKey: intent.id,
      ...(customer === undefined ? {} : { customer }),
      ...(inputs.customerIp === undefined ? {} : { customerIp: inputs.customerIp }),
    },
  };
};

/** Adds the opened secret that says how to pay the reserved order. Only the adapter's placeOrder gets it. */
const openReserved = async (gateway: Gateway, quote: StoredQuote): Promise<StoredQuote> => {
  const { reservation, secret } = quote.offer.offer;
  if (!reservation || secret === undefined) return quote;
  const opened = await gateway.seal.open(secret, reservedPlace(reservation.upstreamOrderId));
  return { ...quote, offer: { ...quote.offer, offer: { ...quote.offer.offer, secret: opened } } };
};
