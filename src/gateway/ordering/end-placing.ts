/** How a placing ends from which no order came that anybody may pay, and what its provider's word means for the customer. */
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
import { sealAnswer, type GivenAnswer, type GivenProblem } from './given-answer.ts';
import { answerOf, notTaken, quoteExpired, type Placing } from './placing.ts';

/** For so long a provider that declined a customer's order, or made a worse one, stands back for this customer. */
export const declinedMs = 10 * 60_000;

/**
 * `declined`: the provider said no, and would say it again. `unpayable`: there is an order upstream that nobody is shown. Both are answered for good.
 * `rejected`: certainly not taken, perhaps only this time; the quote may be ordered again, and nothing is kept to answer with.
 */
export type End = {
  state: 'declined' | 'unpayable' | 'rejected';
  problem: GivenProblem;
  evidence: { [key: string]: Json };
  /** The provider said no to what it had offered, or made something worse of it. */
  wentBack: boolean;
  upstreamOrderId?: string | undefined;
};

/** These pass by themselves: the same order may be taken in a moment. */
const passing: ReadonlySet<RefusalReason> = new Set<RefusalReason>(['busy', 'order-pending', 'quota-used']);

/** What a refused order ends as. */
export const endOfRefusal = (ramp: Ramp, refusal: Refusal, placing: Placing): End => {
  const { reason } = refusal;
  const { tellsRefusal } = rampFacts[ramp];
  const problem = tellsRefusal ? refusalProblem(refusal) : notTaken(reason);
  const evidence = { refused: reason };
  // The operator's own account there was refused, perhaps for want of a balance: that says nothing about what was offered.
  const mayPass = passing.has(reason) || placing.inputs.order.payWithBalance === true;
  const canBeMended = tellsRefusal && !lasting.has(problem.code);
  if (mayPass || canBeMended || refusal.note === 'attempts-used') return { state: 'rejected', problem, evidence, wentBack: false };
  const said = tellsRefusal ? problem.detail : 'The provider declined the order. Nothing was ordered and nothing is to be paid.';
  const code = problem.code === 'price-changed' ? 'price-changed' : 'provider-declined';
  return { state: 'declined', problem: { code, detail: said, more: {} }, evidence: { ...evidence, code }, wentBack: reason === 'declined' };
};
/** What is told of refusals that the customer can do nothing about. */
const lasting: ReadonlySet<string> = new Set(['provider-unavailable', 'order-unpayable', 'price-changed']);

/** Something kept the order from reaching the provider, or the provider from looking at it. */
export const endUnsent = (why: string): End => ({ state: 'rejected', problem: notTaken(why), evidence: { refused: why }, wentBack: false });
/** Nobody can order this quote any more: its time or its session at the provider is over. */
export const endExpired = (why: string): End => ({ state: 'rejected', problem: quoteExpired(), evidence: { refused: why }, wentBack: false });

/** Writes the end, and for whom it stands back with it. The answer of whoever was first counts. */
export const endPlacing = async (scope: Scope, intent: Intent, owner: string, placing: Placing, end: End): Promise<GivenAnswer> => {
  const { gateway } = scope;
  const { intents } = gateway.stores;
  const kept = async (): Promise<GivenAnswer> => await answerOf(gateway, await intents.find(intent.id));
  if (end.state === 'rejected') {
    // Whoever was paused past his lease may hear a refusal of what another has placed meanwhile.
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
  const ended = await intents.end(intent.id, owner, change, standsBack(gateway, intent, end));
  if (!ended) return await kept();
  countEnd(scope, intent, end);
  return answer;
};

const standsBack = (gateway: Gateway, { customerId, providerId }: Intent, { wentBack }: End) => {
  const now = gateway.now();
  return wentBack ? { customerId, providerId, now, until: now + declinedMs } : undefined;
};

const countEnd = (scope: Scope, { providerId }: Intent, { problem, wentBack }: End): void => {
  scope.gateway.count('orders_total', { provider: providerId, outcome: problem.code });
  if (wentBack) countJudged(scope, providerId, 'went-back');
};

/** The end of a placing whose answer was lost for good. */
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
      ? 'What became of the order is not certain; the operator looks at it. Nothing is to be paid. Do not order the same again before he has answered.'
      : 'The provider may hold an order that nobody can pay; it lapses by itself and nothing is to be paid. Ask for a new quote.';
  const answer = { problem: { code: 'order-unpayable', detail, more: { members: { order_id: intent.orderId } } } } as const;
  const change = { state, ...(await settled(gateway, intent, answer)), evidence: { note }, ...defined({ upstreamOrderId }) };
  return await gateway.stores.intents.end(intent.id, owner, change, undefined);
};
type Lost = { state: 'unpayable' | 'dead' | 'review'; note: string; upstreamOrderId?: string | undefined };

/** It is looked at once more when its quote has died. */
const settled = async (gateway: Gateway, intent: Intent, answer: GivenAnswer) => ({
  nextTryOn: Math.max(intent.deadOn, gateway.now()),
  answer: await sealAnswer(gateway, intent.id, answer),
});
