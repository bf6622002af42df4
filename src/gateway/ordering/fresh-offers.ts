import type { Scope } from '../../ports/scope.ts';
import { freshOffers } from '../pricing/reprice.ts';
import { quoteFromJson } from '../pricing/store-route.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { sealAnswer, type GivenAnswer, type GivenProblem } from './given-answer.ts';
import { answerOf } from './placing.ts';

/**
 * A changed price is answered with what the market says now. The offers are asked for once, by the first who is there to hear them, and kept with
 * the answer: a price may have been found out to have changed behind the requests, and the same request gets the same bytes.
 */
export const withFreshOffers = async (scope: Scope, session: OpenSession, quoteId: string, answer: GivenAnswer): Promise<GivenAnswer> => {
  if (!lacksOffers(answer)) return answer;
  const { gateway } = scope;
  const { intents } = gateway.stores;
  const intent = await intents.findByQuote(quoteId, session.customerId);
  if (!intent) return answer;
  const offers = await freshOffers(scope, session, quoteFromJson(intent.quoteId, intent.quote));
  const { code, detail, more } = answer.problem;
  const whole: GivenAnswer = { problem: { code, detail, more: { ...more, members: { ...more.members, offers } } } };
  const sealed = await sealAnswer(gateway, intent.id, whole);
  if (await intents.changeWithheld(intent.id, intent.requestId, { answer: sealed }, intent.answer)) return whole;
  // The same request came twice: the answer is the one that was kept. Where it could not be kept, it is looked for anew next time.
  const kept = await answerOf(gateway, await intents.find(intent.id));
  return lacksOffers(kept) ? whole : kept;
};

const lacksOffers = (answer: GivenAnswer): answer is { problem: GivenProblem } =>
  'problem' in answer && answer.problem.code === 'price-changed' && answer.problem.more.members?.['offers'] === undefined;
