/** Makes the whole decision: turns the providers' answers into the route that we store and can rank again. These functions are pure. */
import { asksExchange, type Asked, type Candidate, type Declined, type Excluded, type Failed, type RankedOffer, type Refused } from './offer.ts';
import type { DecisionPolicy, RuleVersion } from './policy.ts';
import { applyRules } from './exclusion.ts';
import { bpsUp, divCeil } from './money.ts';
import { compareNet, costBps, netOf, priceOf } from './net-result.ts';
import type { FeedVerdict } from './reference.ts';
import { fiatAndSats } from './ramp.ts';
import type { DecidedBy, PolicyName, TieBreak } from './ranking.ts';
import { compareText, rank } from './ranking.ts';

export type RouteInput = {
  requestId: string;
  asked: Asked;
  candidates: Candidate[];
  refused: Refused[];
  failed: Failed[];
  policy: DecisionPolicy;
  /** Providers that went back on an offer to this customer. */
  declined?: Declined | undefined;
  /**
   * A random string of our own, made before any provider was asked. The caller may choose the request id, so the request id must not decide a tie.
   */
  tieSeed: string;
  /** Returns the lower-case hex of SHA-256(tie seed ‖ provider id). */
  tieKey: (providerId: string) => string;
  /** The time of the decision in Unix milliseconds. */
  now: number;
  maxWaitMs: number;
  waitedMs: number;
};

/**
 * A ranked offer with the figures to show. Only liquidity has `feePpm` (parts per million of the inbound capacity); only buy and sell have
 * `btcPrice`, `feeBps` and `costBps`. `costIsOf` returns what `costBps` is measured against.
 */
export type RoutedOffer = RankedOffer & { tieKey: string; btcPrice?: bigint; feeBps?: number; costBps?: number; feePpm?: number };

export const referenceSources = ['configured', 'live', 'one-feed', 'median-of-offers'] as const;
export type Reference = {
  btcPrice: bigint;
  source: (typeof referenceSources)[number];
  observedOn: number;
  /** Set when the live reference was not believed, because it would have excluded more than half of the sound offers. */
  disputed?: true;
  feeds?: FeedVerdict[];
};

/**
 * Returns `market` if costs are measured against a live or configured price that was believed. Otherwise returns `median`: they are measured against
 * the median of the offers, or against a price that nothing confirms.
 */
export const costIsOf = ({ reference }: Pick<RoutePolicy, 'reference'>): 'market' | 'median' =>
  reference && reference.disputed !== true && (reference.source === 'live' || reference.source === 'configured') ? 'market' : 'median';

export type RoutePolicy = {
  name: PolicyName;
  decidedBy: DecidedBy;
  tieBreaks: TieBreak[];
  /** The declared preferences of the ranked offers' providers, without those of 0. */
  preferenceBps: { [providerId: string]: number };
  preferenceDecided: boolean;
  outlierBps: number;
  toleranceBps: number;
  indicativeHaircutBps: number;
  reference?: Reference;
  priceCheck?: 'weak';
  learning?: 'off' | 'shown' | 'ranked';
  recordSnapshot?: string;
};

export type Route = {
  version: RuleVersion;
  requestId: string;
  /** What the tie keys were made from. Absent in routes made before 2026-11-29, whose tie keys were made from the request id. */
  tieSeed?: string;
  asked: Asked;
  decidedOn: number;
  maxWaitMs: number;
  waitedMs: number;
  offers: RoutedOffer[];
  excluded: Excluded[];
  refused: Refused[];
  failed: Failed[];
  policy: RoutePolicy;
};

/** Decides a request. Lists that are not ranked are sorted by a neutral key, so their sequence does not show which provider answered first. */
export const decide = (input: RouteInput): Route => {
  const { asked, policy, now } = input;
  const tieKey = remembered(input.tieKey);
  const { accepted, excluded, priceCheck, referenceDisputed } = applyRules(asked, input.candidates, policy, now, input.declined);
  const { ranked, name, decidedBy, tieBreaks, preferenceDecided } = rank(asked, accepted, policy, tieKey, now);
  const median = medianOf(asked, accepted, now);
  const reference = referenceOf(asked, policy, median, referenceDisputed === true);
  const yardstick = referenceDisputed ? median : reference;
  const neutral = <T extends { providerId: string }>(list: T[]): T[] =>
    [...list].sort((a, b) => compareText(tieKey(a.providerId), tieKey(b.providerId)) || compareText(a.providerId, b.providerId));
  return {
    version: policy.version,
    requestId: input.requestId,
    tieSeed: input.tieSeed,
    asked,
    decidedOn: now,
    maxWaitMs: input.maxWaitMs,
    waitedMs: input.waitedMs,
    offers: ranked.map((offer) => ({ ...offer, tieKey: tieKey(offer.providerId), ...figures(asked, offer, yardstick) })),
    excluded: neutral(excluded),
    refused: neutral(input.refused),
    failed: neutral(input.failed),
    policy: {
      name,
      decidedBy,
      tieBreaks,
      preferenceBps: Object.fromEntries(
        ranked.filter(({ terms }) => terms.preferenceBps !== 0).map(({ providerId, terms }) => [providerId, terms.preferenceBps]),
      ),
      preferenceDecided,
      outlierBps: policy.outlierBps,
      toleranceBps: policy.toleranceBps,
      indicativeHaircutBps: policy.indicativeHaircutBps,
      ...(reference ? { reference } : {}),
      ...(priceCheck ? { priceCheck } : {}),
      ...(policy.version === 1 ? {} : learned(policy)),
    },
  };
};

const learned = ({ learning, recordSnapshot }: DecisionPolicy): Pick<RoutePolicy, 'learning' | 'recordSnapshot'> => ({
  ...(learning ? { learning } : {}),
  ...(recordSnapshot === undefined ? {} : { recordSnapshot }),
});

const remembered = (tieKey: (providerId: string) => string): ((providerId: string) => string) => {
  const known = new Map<string, string>();
  return (providerId) => {
    const key = known.get(providerId) ?? tieKey(providerId);
    known.set(providerId, key);
    return key;
  };
};

/**
 * Ranks the stored figures again, from the stored inputs alone and by the rule of the route's version. Returns provider ids, best first. If this
 * sequence differs from the stored one, the stored route is not what was decided.
 */
export const replay = (route: Route): string[] => {
  const ties = new Map(route.offers.map(({ providerId, tieKey }) => [providerId, tieKey]));
  const rule = { outlierBps: route.policy.outlierBps, version: route.version };
  const { ranked } = rank(route.asked, route.offers, rule, (providerId) => ties.get(providerId) ?? '', route.decidedOn);
  return ranked.map(({ providerId }) => providerId);
};

/**
 * Returns the excluded offers that were worth more to the customer than rank 1, before haircuts and preferences. `replay` cannot find them: the other
 * offers rank in the same sequence even if the best offer was left out.
 */
export const betterExcluded = ({ asked, offers: [best], excluded }: Pick<Route, 'asked' | 'offers' | 'excluded'>): Excluded[] =>
  excluded.filter(({ offer }) => !best || compareNet(netOf(asked, offer), netOf(asked, best.offer)) > 0);

/**
 * Returns the median of the accepted offers' own prices. If there is an even number, it is the lower of the middle two, so that it is a price that a
 * provider really offers. Returns undefined for fewer than two offers, because one offer is not a market.
 */
const medianOf = (asked: Asked, accepted: Candidate[], now: number): Reference | undefined => {
  const prices = accepted.flatMap(({ offer }) => priceOf(asked, offer) ?? []).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const middle = prices.length < 2 ? undefined : prices[Math.floor((prices.length - 1) / 2)];
  return middle === undefined || middle <= 0n ? undefined : { btcPrice: middle, source: 'median-of-offers', observedOn: now };
};

/** Returns the policy's reference price, or else the median of the offers, together with how the feeds were judged. */
const referenceOf = (asked: Asked, { reference, feeds }: DecisionPolicy, median: Reference | undefined, disputed: boolean): Reference | undefined => {
  if (!asksExchange(asked)) return undefined;
  const named = feeds ? { feeds } : {};
  if (!reference) return median && { ...median, ...named };
  const { btcPrice, source = 'configured', observedOn } = reference;
  return { btcPrice, source, observedOn, ...(disputed ? { disputed } : {}), ...named };
};

const figures = (asked: Asked, { offer }: RankedOffer, reference: Reference | undefined): Pick<RoutedOffer, 'btcPrice' | 'feeBps' | 'costBps' | 'feePpm'> => {
  if (!asksExchange(asked)) return asked.inboundSats > 0n ? { feePpm: Number(divCeil(offer.fee * 1_000_000n, asked.inboundSats)) } : {};
  const btcPrice = priceOf(asked, offer);
  const cost = reference && costBps(asked, offer, reference.btcPrice);
  return {
    ...(btcPrice === undefined ? {} : { btcPrice }),
    feeBps: bpsUp(offer.fee, fiatAndSats(asked.ramp, offer).fiat),
    ...(cost === undefined ? {} : { costBps: cost }),
  };
};
