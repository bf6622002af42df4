import type { Json } from '../../domain/offer.ts';
import { quoteIdOf } from '../../domain/route-id.ts';
import type { Scope } from '../../ports/scope.ts';
import { freshOffers } from '../pricing/reprice.ts';
import { showOffer } from '../pricing/show-offers.ts';
import { findRoute, quoteFromJson, type StoredQuote } from '../pricing/store-route.ts';
import { attemptsFrom } from '../attempts.ts';
import { Problem } from '../problem.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { ordersHeld } from '../switches.ts';
import { declinedMs } from './end-placing.ts';
import { openAnswer, sealAnswer, type GivenAnswer, type GivenProblem } from './given-answer.ts';
import { answerOf } from './placing.ts';

/**
 * Adds other offers to the answer when an order was declined or its price changed: first the offers that are left from the same price request, then
 * fresh offers of other providers. They are collected when a caller first gets the answer, and stored with it, because the same request must get the
 * same bytes. A caller that has used up its price requests gets the answer without offers, and the next call tries again.
 */
export const withOffers = async (scope: Scope, session: OpenSession, { quoteId, countPricing }: Asking, answer: GivenAnswer): Promise<GivenAnswer> => {
  if (!lacksOffers(answer)) return answer;
  const { gateway } = scope;
  const { intents } = gateway.stores;
  const asked = await intents.findByQuote(quoteId, session.customerId);
  if (!asked) return answer;
  const attempts = await attemptsFrom(gateway, asked);
  const intent = attempts.at(-1) ?? asked;
  // Another call may have stored the offers since this answer was read.
  if (intent.answer !== undefined) {
    const kept = await openAnswer(gateway, intent.id, intent.answer);
    if (!lacksOffers(kept)) return kept;
  }
  if (!(await isAllowed(countPricing))) return answer;
  const tried = attempts.map(({ providerId }) => providerId);
  const offers = await otherOffers(scope, session, quoteFromJson(intent.quoteId, intent.quote), tried);
  const { code, detail, more } = answer.problem;
  const whole: GivenAnswer = { problem: { code, detail, more: { ...more, members: { ...more.members, offers } } } };
  const sealed = await sealAnswer(gateway, intent.id, whole);
  if (intent.answer === undefined || (await intents.replaceAnswer(intent.id, intent.answer, sealed))) return whole;
  // Another call has stored its answer first, so that answer is returned.
  return await answerOf(gateway, await intents.find(intent.id));
};

type Asking = { quoteId: string; countPricing: () => Promise<void> };
const isAllowed = async (count: () => Promise<void>): Promise<boolean> => {
  try {
    await count();
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
};

const lacksOffers = (answer: GivenAnswer): answer is { problem: GivenProblem } =>
  'problem' in answer &&
  (answer.problem.code === 'price-changed' || answer.problem.code === 'provider-declined') &&
  answer.problem.more.members?.['offers'] === undefined;

/**
 * Returns offers from providers other than those in `tried`. The session was read before any of those was excluded for this customer, so they are
 * excluded here.
 */
const otherOffers = async (scope: Scope, session: OpenSession, quote: StoredQuote, tried: string[]): Promise<Json[]> => {
  const until = scope.gateway.now() + declinedMs;
  const declined = { ...session.declined, ...Object.fromEntries(tried.map((providerId) => [providerId, until])) };
  const without = { ...session, declined };
  const left = await remaining(scope, without, quote);
  const fresh = await freshOffers(scope, without, quote, [...tried, ...left.map(({ providerId }) => providerId)]);
  return [...left.map(({ offer }) => offer), ...fresh];
};

/** Returns the other ranks of the quote's own route that can still be ordered. */
const remaining = async (
  { gateway }: Scope,
  { customerId, declined = {} }: OpenSession,
  quote: StoredQuote,
): Promise<{ providerId: string; offer: Json }[]> => {
  const { intents } = gateway.stores;
  try {
    const stored = await findRoute(gateway, quote.quoteId, customerId);
    const now = gateway.now();
    const shown = await Promise.all(
      stored.route.offers.map(async ({ providerId, rank }, index) => {
        const isOver = now > (stored.acceptBy[index] ?? 0);
        if (isOver || (declined[providerId] ?? 0) > now || ordersHeld(gateway, providerId)) return [];
        const isOrdered = (await intents.findByQuote(quoteIdOf(stored.routeId, rank), customerId)) !== undefined;
        if (isOrdered || !gateway.providers.some(({ id }) => id === providerId)) return [];
        return [{ providerId, offer: showOffer(gateway, stored, index, stored.route.asked.ramp) }];
      }),
    );
    return shown.flat();
  } catch (error) {
    // The route may have been pruned.
    if (error instanceof Problem) return [];
    throw error;
  }
};
