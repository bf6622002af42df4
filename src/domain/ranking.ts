/**
 * Ranks offers by expected value, with exact arithmetic. A provider's speed and position in the configuration do not matter; its name matters only
 * for a hash that breaks ties. What it delivered in the past can matter in routes of version 2, by the same formula for all providers. A declared
 * preference matters, too, and the route says when a preference decided.
 */
import { asksExchange, type Asked, type Candidate, type RankedOffer } from './offer.ts';
import type { DecisionPolicy, RuleVersion } from './policy.ts';
import { differTooMuch } from './exclusion.ts';
import type { Fraction } from './net-result.ts';
import { behindBps, compareNet, netOf } from './net-result.ts';
import { amountNames, fiatAndSats, sides } from './ramp.ts';
import { haircutOf, priorOf } from './record.ts';

export const decisive = ['amount_sats', 'amount_fiat', 'expected_sats', 'expected_fiat', 'fee_sats'] as const;
export type DecidedBy = (typeof decisive)[number];
export const policyNames = ['most-received', 'least-paid', 'least-fee'] as const;
export type PolicyName = (typeof policyNames)[number];
export const tieBreaks = ['binding', 'neutral'] as const;
export type TieBreak = (typeof tieBreaks)[number];
export type Ranking = { ranked: RankedOffer[]; name: PolicyName; decidedBy: DecidedBy; tieBreaks: TieBreak[]; preferenceDecided: boolean };

/** `net` is what the offer is worth to the customer, `score` is `net` less the haircut, and `preferred` is `score` with the declared preference. */
type Scored = { candidate: Candidate; countsAsBinding: boolean; haircut: Haircut; net: Fraction; score: Fraction; preferred: Fraction; tie: string };
type Haircut = Pick<RankedOffer, 'haircutFrom' | 'priorSats'> & { haircutPpm: number };

/**
 * Ranks accepted offers. `tieKey` returns the SHA-256 of tie seed ‖ provider id in hex, and is called once per offer. If two tie keys are equal,
 * the provider id decides, so no two offers share a rank.
 */
export const rank = (
  asked: Asked,
  accepted: Candidate[],
  policy: Pick<DecisionPolicy, 'outlierBps'> & { version: RuleVersion },
  tieKey: (providerId: string) => string,
  now: number,
): Ranking => {
  const scored = accepted.map((candidate): Scored => {
    const countsAsBinding = candidate.offer.binding && !expiresBeforeArrival(candidate, now);
    const net = netOf(asked, candidate.offer);
    const haircut = haircutFor(policy.version, asked, candidate, countsAsBinding);
    const score = { n: net.n * BigInt(1_000_000 - haircut.haircutPpm), d: net.d };
    const preferred = { n: score.n * BigInt(10_000 + candidate.terms.preferenceBps), d: net.d };
    return { candidate, countsAsBinding, haircut, net, score, preferred, tie: tieKey(candidate.providerId) };
  });
  const bindingFirst = policy.version === 1 && differTooMuch(asked, accepted, policy.outlierBps);
  const ordered = [...scored].sort(byScore(bindingFirst, 'preferred'));
  const neutral = scored.some(({ candidate }) => candidate.terms.preferenceBps !== 0) ? [...scored].sort(byScore(bindingFirst, 'score')) : ordered;
  const best = ordered[0]?.net;
  return {
    ranked: ordered.map(({ candidate, countsAsBinding, haircut, net }, index) => ({
      ...candidate,
      rank: index + 1,
      countsAsBinding,
      behindBestBps: best ? behindBps(net, best) : 0,
      warnings: [...candidate.offer.warnings, ...(expiresBeforeArrival(candidate, now) ? (['expires-before-arrival'] as const) : [])],
      ...(policy.version === 1 ? {} : haircut),
    })),
    ...whatDecides(asked, policy.version),
    tieBreaks: ['binding', 'neutral'],
    preferenceDecided: ordered[0] !== neutral[0],
  };
};

/** Returns an offer's haircut. Routes of version 1 use the configured haircut. So does liquidity, because there we cannot see what was delivered. */
const haircutFor = (version: RuleVersion, asked: Asked, { offer, terms }: Candidate, countsAsBinding: boolean): Haircut => {
  const h0Ppm = terms.haircutBps * 100;
  if (version === 1 || !asksExchange(asked)) return { haircutPpm: countsAsBinding ? 0 : h0Ppm, haircutFrom: 'configured' };
  const { sats } = fiatAndSats(asked.ramp, offer);
  const { ppm, from } = haircutOf(terms.standing, countsAsBinding, h0Ppm, sats);
  return { haircutPpm: ppm, haircutFrom: from, priorSats: priorOf(sats) };
};

/** Returns whether a binding offer expires before the customer's money can arrive. Such an offer is no better than an estimate. */
const expiresBeforeArrival = ({ offer, terms }: Candidate, now: number): boolean =>
  offer.binding && offer.expiresOn !== undefined && terms.arrivalSeconds !== undefined && offer.expiresOn < now + terms.arrivalSeconds * 1000;

const byScore =
  (bindingFirst: boolean, by: 'score' | 'preferred') =>
  (a: Scored, b: Scored): number =>
    (bindingFirst ? bindingOrder(a, b) : 0) ||
    compareNet(b[by], a[by]) ||
    bindingOrder(a, b) ||
    compareText(a.tie, b.tie) ||
    compareText(a.candidate.providerId, b.candidate.providerId);

const bindingOrder = (a: Scored, b: Scored): number => Number(b.countsAsBinding) - Number(a.countsAsBinding);

/** Compares by code unit, so the result is the same on every machine. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const whatDecides = (asked: Asked, version: RuleVersion): { name: PolicyName; decidedBy: DecidedBy } => {
  if (!asksExchange(asked)) return { name: 'least-fee', decidedBy: 'fee_sats' };
  const { pay, receive } = amountNames[asked.ramp];
  const name = asked.fixed === 'pay' ? 'most-received' : 'least-paid';
  if (version === 2) return { name, decidedBy: `expected_${sides[asked.ramp].receive}` };
  return { name, decidedBy: asked.fixed === 'pay' ? receive : pay };
};
