/** How an order attempt ends without an order that anybody may pay, and what the provider's refusal means for the customer. */
import { defined } from '../../domain/defined.ts';
import type { Ramp } from '../../domain/ramp.ts';
import type { Refusal, RefusalReason } from '../../domain/refusal.ts';
import { countJudged } from './count-judged.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Intent } from '../../ports/intents.ts';
import type { Json } from '../../ports/runtime.ts';
import type { Scope } from '../../ports/scope.ts';
import { Problem } from '../problem.ts';
import { rampFacts } from '../ramps.ts';
import { refusalProblem } from '../refusal-problem.ts';
import { releaseSpend } from './balance.ts';
import { showMoves } from '../following/show-order.ts';
import { sealAnswer, type GivenAnswer, type GivenProblem } from './given-answer.ts';
import { answerOf, notTaken, quoteExpired, type Placing } from './placing.ts';

/** How long a provider that declined a customer's order, or made a worse one, is excluded for this customer. */
export const declinedMs = 10 * 60_000;

/**
 * `declined`: the provider refused, and would refuse again. `unpayable`: an order exists upstream that nobody may see. Both answers are final.
 * `rejected`: certainly not taken, but perhaps only this time. The quote may be ordered again, and no answer is stored.
 */
export type End = {
  state: 'declined' | 'unpayable' | 'rejected';
  problem: GivenProblem;
  evidence: { [key: string]: Json };
  /** The provider refused its own offer, or made a worse order. */
  wentBack: boolean;
  upstreamOrderId?: string | undefined;
};

/** Refusals that pass by themselves: the provider may accept the same order in a moment. */
const passing: ReadonlySet<RefusalReason> = new Set<RefusalReason>(['busy', 'order-pending', 'quota-used']);

/** How a refused order attempt ends. */
export const endOfRefusal = (ramp: Ramp, refusal: Refusal, placing: Placing): End => {
  const { reason } = refusal;
  const { tellsRefusal } = rampFacts[ramp];
  const problem = tellsRefusal ? refusalProblem(refusal, ramp) : notTaken(reason);
  const made = defined({ upstreamOrderId: refusal.orderMade });
  const evidence = { refused: reason, ...defined({ orderMade: refusal.orderMade }) };
  // The provider refused the operator's own account, perhaps for lack of balance. That says nothing about its offer.
  const mayPass = passing.has(reason) || placing.inputs.order.payWithBalance === true;
  const canBeMended = tellsRefusal && !lasting.has(problem.code);
  if (mayPass || canBeMended || refusal.note === 'attempts-used') return { state: 'rejected', problem, evidence, wentBack: false };
  const said = tellsRefusal ? problem.detail : 'The provider declined the order. Nothing was ordered, and there is nothing to pay.';
  const code = problem.code === 'price-changed' ? 'price-changed' : 'provider-declined';
  return { state: 'declined', problem: { code, detail: said, more: {} }, evidence: { ...evidence, code }, wentBack: reason === 'declined', ...made };
};
/** Problems that the customer can do nothing about. */
const lasting: ReadonlySet<string> = new Set(['provider-unavailable', 'order-unpayable', 'price-changed']);

/** The order did not reach the provider, or the provider did not process it. */
export const endUnsent = (why: string): End => ({ state: 'rejected', problem: notTaken(why), evidence: { refused: why }, wentBack: false });
/** The provider has as much in flight as the operator allows. */
export const endBeyondLimit = (problem: GivenProblem): End => ({ state: 'rejected', problem, evidence: { refused: 'at-limit' }, wentBack: false });
/** Nobody can order this quote any more: it has expired, or its session at the provider has ended. */
export const endExpired = (why: string): End => ({ state: 'rejected', problem: quoteExpired(), evidence: { refused: why }, wentBack: false });

/** Where a request has moved, no end leaves its quote usable: what was tried is not tried again, and the customer chooses among what is left. */
const endOfMoves = (gateway: Gateway, { inputs: { movedFrom = [] } }: Placing, end: End): End => {
  if (movedFrom.length === 0) return end;
  const { code, detail, more } = end.problem;
  const members = { ...more.members, moved_from: showMoves(gateway, movedFrom) };
  if (end.state !== 'rejected' || code === 'quote-expired')
    return { ...end, state: end.state === 'rejected' ? 'declined' : end.state, problem: { code, detail, more: { members } } };
  const said = 'None of the providers tried took the order. Nothing was ordered, and there is nothing to pay.';
  return { ...end, state: 'declined', problem: { code: 'provider-declined', detail: said, more: { members } } };
};

/** Stores the end and, with it, for which customer the provider is now excluded. If another call was first, its answer counts. */
export const endPlacing = async (scope: Scope, intent: Intent, owner: string, placing: Placing, ended: End): Promise<GivenAnswer> => {
  const { gateway } = scope;
  const end = endOfMoves(gateway, placing, ended);
  const { intents } = gateway.stores;
  const kept = async (): Promise<GivenAnswer> => await answerOf(gateway, await intents.find(intent.id));
  if (end.state === 'rejected') {
    // A sender that was paused past its lease may be refused because another sender has placed the order meanwhile.
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

/** Who is excluded for the customer from now on. */
export const standsBack = (gateway: Gateway, { customerId, providerId }: Intent, { wentBack }: End) => {
  const now = gateway.now();
  return wentBack ? { customerId, providerId, now, until: now + declinedMs } : undefined;
};

/** Nothing is counted of an attempt that leaves no trace at its provider. */
export const countEnd = (scope: Scope, { providerId }: Intent, { state, problem, wentBack }: End): void => {
  if (state !== 'rejected') scope.gateway.count('orders_total', { provider: providerId, outcome: problem.code });
  if (wentBack) countJudged(scope, providerId, 'went-back');
};

/** How an order attempt ends when its answer is lost for good. */
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
      ? 'We do not know whether the order was made, and the operator is checking it. Do not pay anything. Do not order the same again until they have answered.'
      : 'The provider may have made an order that nobody can pay. It lapses by itself, and there is nothing to pay. Ask for a new quote.';
  const answer = { problem: { code: 'order-unpayable', detail, more: { members: { order_id: intent.orderId } } } } as const;
  const change = { state, ...(await settled(gateway, intent, answer)), evidence: { note }, ...defined({ upstreamOrderId }) };
  return await gateway.stores.intents.end(intent.id, owner, change, undefined);
};
type Lost = { state: 'unpayable' | 'dead' | 'review'; note: string; upstreamOrderId?: string | undefined };

/** Once more when its quote has died. */
export const checkedAgainOn = (gateway: Gateway, { deadOn }: Intent): number => Math.max(deadOn, gateway.now());

const settled = async (gateway: Gateway, intent: Intent, answer: GivenAnswer) => ({
  nextTryOn: checkedAgainOn(gateway, intent),
  answer: await sealAnswer(gateway, intent.id, answer),
});
