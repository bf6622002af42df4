/** How an order attempt ends without an order that can be paid, and what the provider's refusal means for the customer. */
import { defined } from '../../domain/defined.ts';
import type { Ramp } from '../../domain/ramp.ts';
import type { Refusal, RefusalReason } from '../../domain/refusal.ts';
import { countJudged } from './count-judged.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Json } from '../../ports/runtime.ts';
import type { Scope } from '../../ports/scope.ts';
import { Problem } from '../problem.ts';
import { refusalProblem } from '../refusal-problem.ts';
import { releaseSpend } from './balance.ts';
import { showMoves } from '../following/show-order.ts';
import { sealAnswer, type GivenAnswer, type GivenProblem } from './given-answer.ts';
import { answerOf, nonePayable, notTaken, quoteExpired, type Placing } from './placing.ts';

/** How long a provider is excluded for a customer after it went back on its offer. */
export const declinedMs = 10 * 60_000;

/**
 * The end of an attempt. `declined` and `unpayable` are final, and their answer is stored.
 * - `declined`: the customer gets no order, and this quote cannot be ordered again: the provider refused for good, or failover has moved the request
 *   (endOfMoves).
 * - `unpayable`: an order exists at the provider, but the customer may not see it.
 * - `rejected`: the provider certainly did not take the order. No answer is stored, and the quote can be ordered again, unless it has expired
 *   (endExpired).
 */
export type End = {
  state: 'declined' | 'unpayable' | 'rejected';
  problem: GivenProblem;
  evidence: { [key: string]: Json };
  /** Whether the provider went back on its offer: it refused the offer, or made an order that the customer may not see. */
  wentBack: boolean;
  upstreamOrderId?: string | undefined;
};

/** Refusals that depend on the moment: the provider may accept the same order later. */
const passing: ReadonlySet<RefusalReason> = new Set<RefusalReason>(['busy', 'order-pending', 'quota-used']);

/** Returns how an attempt ends when the provider refuses the order. */
export const endOfRefusal = (ramp: Ramp, refusal: Refusal, placing: Placing): End => {
  const { reason } = refusal;
  const problem = refusalProblem(refusal, ramp);
  const made = defined({ upstreamOrderId: refusal.orderMade });
  const evidence = { refused: reason, ...defined({ orderMade: refusal.orderMade }) };
  // With payWithBalance, the provider refused the operator's own account, perhaps for lack of balance. That says nothing about its offer.
  const mayPass = passing.has(reason) || placing.inputs.order.payWithBalance === true;
  const canBeMended = !lasting.has(problem.code);
  if (mayPass || canBeMended || refusal.note === 'attempts-used') return { state: 'rejected', problem, evidence, wentBack: false };
  const code = problem.code === 'price-changed' ? 'price-changed' : 'provider-declined';
  return { state: 'declined', problem: { code, detail: problem.detail, more: {} }, evidence: { ...evidence, code }, wentBack: reason === 'declined', ...made };
};
/** Problems that the customer cannot fix. */
const lasting: ReadonlySet<string> = new Set(['provider-unavailable', 'order-unpayable', 'price-changed']);

/** Returns the outcome of an attempt that did not reach the provider, or that the provider did not process. */
export const endUnsent = (why: string): End => ({ state: 'rejected', problem: notTaken(why), evidence: { refused: why }, wentBack: false });
/** Returns the outcome of an attempt at a provider that already has as much in flight as the operator allows. */
export const endBeyondLimit = (problem: GivenProblem): End => ({ state: 'rejected', problem, evidence: { refused: 'at-limit' }, wentBack: false });
/** Returns the outcome of an attempt whose quote can no longer be ordered: the quote has expired, or its session at the provider has ended. */
export const endExpired = (why: string): End => ({ state: 'rejected', problem: quoteExpired(), evidence: { refused: why }, wentBack: false });

/**
 * Makes an end final if failover has moved the request: the providers that were tried are not tried again, and the customer chooses among the other
 * offers. The problem then lists the providers that were tried (`moved_from`). For other requests, returns the end unchanged.
 */
const endOfMoves = (gateway: Gateway, { inputs: { movedFrom = [] } }: Placing, end: End): End => {
  if (movedFrom.length === 0) return end;
  const { code, detail, more } = end.problem;
  // This end is stored and given again, but a link for the customer is meant to be given only once.
  const { action_url: _bearer, ...kept } = more.members ?? {};
  const members = { ...kept, moved_from: showMoves(gateway, movedFrom) };
  if (end.state !== 'rejected' || code === 'quote-expired')
    return { ...end, state: end.state === 'rejected' ? 'declined' : end.state, problem: { code, detail, more: { members } } };
  return { ...end, state: 'declined', problem: { code: 'provider-declined', detail: nonePayable, more: { members } } };
};

/**
 * Stores the end, and excludes the provider for this customer if it went back on its offer. Throws the Problem if the attempt was `rejected`. If
 * another call has resolved the attempt first, returns that call's answer.
 */
export const endPlacing = async (scope: Scope, intent: Intent, owner: string, placing: Placing, ended: End): Promise<GivenAnswer> => {
  const { gateway } = scope;
  const end = endOfMoves(gateway, placing, ended);
  const { intents } = gateway.stores;
  const kept = async (): Promise<GivenAnswer> => await answerOf(gateway, await intents.find(intent.id));
  if (end.state === 'rejected') {
    // The provider may refuse an instance that was paused past its lease, because another instance has placed the order in the meantime.
    if (!(await intents.reject(intent.id, owner, end.evidence))) return await kept();
    await releaseSpend(gateway, intent, placing.quote);
    const { code, detail, more } = end.problem;
    throw new Problem(code, detail, more);
  }
  const answer: GivenAnswer = { problem: end.problem };
  const change = {
    state: end.state,
    ...(await settled(gateway, intent, answer)),
    evidence: end.evidence,
    ...defined({ upstreamOrderId: end.upstreamOrderId }),
  };
  if (!(await intents.end(intent.id, owner, change, standsBack(gateway, intent, end)))) return await kept();
  countEnd(scope, intent, ended);
  return answer;
};

/** Returns which provider to exclude for the customer, and for how long. Returns undefined if the provider did not go back on its offer. */
export const standsBack = (gateway: Gateway, { customerId, providerId }: Intent, { wentBack }: End) => {
  const now = gateway.now();
  return wentBack ? { customerId, providerId, now, until: now + declinedMs } : undefined;
};

/** Counts how an attempt ended. A `rejected` attempt does not count. */
export const countEnd = (scope: Scope, { providerId }: Intent, { state, problem, wentBack }: End): void => {
  if (state !== 'rejected') scope.gateway.count('orders_total', { provider: providerId, outcome: problem.code });
  if (wentBack) countJudged(scope, providerId, 'went-back');
};

/**
 * Ends an attempt whose order the customer will not be shown: its answer is lost for good, or a person must look at it. Returns false if another call
 * has resolved the attempt first.
 */
export const settleUnpayable = async (gateway: Gateway, intent: Intent, owner: string, end: Lost): Promise<boolean> => {
  const { state, note, upstreamOrderId } = end;
  gateway.count('orders_total', { provider: intent.providerId, outcome: state });
  gateway.log(state === 'review' ? 'error' : 'warn', 'intent_settled', {
    request_id: intent.requestId,
    provider: intent.providerId,
    intent: intent.id,
    state,
    note,
  });
  const detail =
    state === 'review'
      ? 'It is unclear what became of this order, and the operator is checking it. Do not pay anything. Do not order the same again until the operator has answered.'
      : 'The provider may have made an order that can no longer be paid. It expires by itself, and there is nothing to pay. Ask for a new quote.';
  const answer = {
    problem: { code: 'order-unpayable', detail, more: { members: { order_id: intent.orderId, ...(state === 'review' ? { action: 'contact-support' } : {}) } } },
  } as const;
  const change = { state, ...(await settled(gateway, intent, answer)), evidence: { note }, ...defined({ upstreamOrderId }) };
  return await gateway.stores.intents.end(intent.id, owner, change, undefined);
};
type Lost = { state: 'unpayable' | 'dead' | 'review'; note: string; upstreamOrderId?: string | undefined };

/** Returns when to check a withheld attempt once more: as soon as its quote can no longer become an order. */
export const checkedAgainOn = (gateway: Gateway, { deadOn }: Intent): number => Math.max(deadOn, gateway.now());

const settled = async (gateway: Gateway, intent: Intent, answer: GivenAnswer) => ({
  nextTryOn: checkedAgainOn(gateway, intent),
  answer: await sealAnswer(gateway, intent.id, answer),
});
