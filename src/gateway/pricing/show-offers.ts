import type { Excluded, Failed, Refused } from '../../domain/offer.ts';
import { amountNames, isExchange, isWithdrawn, sides, type Ramp } from '../../domain/ramp.ts';
import { quoteIdOf } from '../../domain/route-id.ts';
import { emptyWindows, type Sums, type Windows } from '../../domain/record.ts';
import type { Route, RoutedOffer } from '../../domain/route.ts';
import type { Limits } from '../../domain/refusal.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { amountWords } from './shown-amounts.ts';
import type { StoredOffers } from './store-route.ts';
import { type Shown, isoTime, providerRef, int, limit } from '../outward.ts';

/** One offer in the words of API.md section 9. */
export const showOffer = (gateway: Gateway, stored: StoredOffers, index: number): Shown => {
  const ranked = stored.route.offers[index];
  const acceptBy = stored.acceptBy[index];
  if (!ranked || acceptBy === undefined) throw new RangeError('no such rank');
  const { offer } = ranked;
  const { ramp } = stored.route.asked;
  return {
    rank: ranked.rank,
    quote_id: quoteIdOf(stored.routeId, ranked.rank),
    provider: providerRef(gateway, ranked.providerId),
    ...amountWords[ramp].offer(offer, stored.terms),
    is_estimate: !offer.binding,
    ...(ranked.btcPrice === undefined ? {} : { btc_price: int(ranked.btcPrice) }),
    ...(sides[ramp].fee === 'fiat' ? { order_fee: int(offer.fee) } : {}),
    ...(offer.expiresOn === undefined ? {} : { expires_on: isoTime(offer.expiresOn) }),
    accept_by: isoTime(acceptBy),
    ...(ranked.feeBps === undefined ? {} : { fee_bps: ranked.feeBps }),
    ...(ranked.feePpm === undefined ? {} : { fee_ppm: ranked.feePpm }),
    ...(ranked.costBps === undefined ? {} : { cost_bps: ranked.costBps }),
    behind_best_bps: ranked.behindBestBps,
    ...expectation(ramp, ranked),
    ...(ranked.terms.arrivalSeconds === undefined ? {} : { arrival_seconds: ranked.terms.arrivalSeconds }),
    ...(isWithdrawn[ramp] ? { on_chain_fallback: offer.facts.on_chain_fallback === true } : {}),
    requires: [...offer.requires],
    warnings: [...ranked.warnings, ...(stored.route.policy.priceCheck ? [`price-check-${stored.route.policy.priceCheck}`] : [])],
    latency_ms: Math.round(ranked.latencyMs),
  };
};

/** What the offer is worth by what its provider delivered before, which is what it is ranked by; rounded down for the eye. */
const expectation = (ramp: Ramp, ranked: RoutedOffer): Shown => {
  const haircutPpm = haircutOfRanked(ranked);
  return {
    ...(isExchange(ramp) ? { [`expected_${sides[ramp].receive}`]: int((ranked.offer.receive * BigInt(1_000_000 - haircutPpm)) / 1_000_000n) } : {}),
    haircut_ppm: haircutPpm,
    haircut_from: ranked.haircutFrom ?? 'configured',
    ...(ranked.terms.record ? { record: showRecord(ranked.terms.record) } : {}),
  };
};

/** Routes of version 1 knew the configured haircut alone. */
const haircutOfRanked = ({ haircutPpm, countsAsBinding, terms }: RoutedOffer): number => haircutPpm ?? (countsAsBinding ? 0 : terms.haircutBps * 100);

const showRecord = ({ orders, quotedSats, deliveredSats, since }: NonNullable<RoutedOffer['terms']['record']>): Shown => ({
  orders,
  quoted_sats: int(quotedSats),
  delivered_sats: int(deliveredSats),
  since: isoTime(since),
});

const limitNames = (ramp: Ramp, limits: Limits | undefined): Shown => {
  if (!limits) return {};
  const { pay, receive } = amountNames[ramp];
  return {
    ...limit(`min_${pay}`, limits.minPay),
    ...limit(`max_${pay}`, limits.maxPay),
    ...limit(`min_${receive}`, limits.minReceive),
    ...limit(`max_${receive}`, limits.maxReceive),
  };
};

const showReasons = (gateway: Gateway, route: Route): { excluded: Shown[]; refused: Shown[]; failed: Shown[] } => ({
  excluded: route.excluded.map((one: Excluded) => ({
    provider: providerRef(gateway, one.providerId),
    rule: one.rule,
    ...amountWords[route.asked.ramp].excluded(route, one.offer),
    ...(one.deviationBps === undefined ? {} : { deviation_bps: one.deviationBps }),
    ...(one.limitBps === undefined ? {} : { limit_bps: one.limitBps }),
  })),
  refused: route.refused.map((one: Refused) => ({
    provider: providerRef(gateway, one.providerId),
    reason: one.refusal.reason,
    ...limitNames(route.asked.ramp, one.refusal.limits),
    ...(one.refusal.connectTo === undefined ? {} : { connect_to: one.refusal.connectTo }),
  })),
  failed: route.failed.map((one: Failed) => ({
    provider: providerRef(gateway, one.providerId),
    reason: one.reason,
    retryable: one.retryable,
    ...(one.latencyMs === undefined ? {} : { latency_ms: Math.round(one.latencyMs) }),
    ...(one.retryOn === undefined ? {} : { retry_on: isoTime(one.retryOn) }),
  })),
});

const showPolicy = (route: Route): Shown => {
  const { policy } = route;
  return {
    name: policy.name,
    decided_by: policy.decidedBy,
    tie_breaks: [...policy.tieBreaks],
    preference_bps: { ...policy.preferenceBps },
    preference_decided: policy.preferenceDecided,
    ...(isExchange(route.asked.ramp) ? { outlier_bps: policy.outlierBps, tolerance_bps: policy.toleranceBps } : {}),
    indicative_haircut_bps: policy.indicativeHaircutBps,
    ...(policy.reference
      ? {
          reference: {
            btc_price: int(policy.reference.btcPrice),
            source: policy.reference.source,
            observed_on: isoTime(policy.reference.observedOn),
            ...(policy.reference.disputed ? { disputed: true } : {}),
          },
        }
      : {}),
    ...(policy.priceCheck ? { price_check: policy.priceCheck } : {}),
    ...(policy.learning ? { learning: policy.learning } : {}),
    ...(policy.recordSnapshot === undefined ? {} : { record_snapshot: policy.recordSnapshot }),
    max_wait_ms: route.maxWaitMs,
    waited_ms: Math.round(route.waitedMs),
    answered_on: isoTime(route.decidedOn),
  };
};

/** The whole answer of /offers. */
export const showOffers = (gateway: Gateway, stored: StoredOffers): Shown => ({
  offers_id: stored.routeId,
  ...amountWords[stored.route.asked.ramp].asked(stored),
  offers: stored.route.offers.map((_, index) => showOffer(gateway, stored, index)),
  ...showReasons(gateway, stored.route),
  policy: showPolicy(stored.route),
});

const fls01Names = [
  'quote_id',
  'amount_fiat',
  'currency_id',
  'payment_option_id',
  'amount_sats',
  'is_estimate',
  'btc_price',
  'order_fee',
  'expires_on',
  'accept_by',
  'provider',
];
const conditionNames = ['requires', 'warnings'];
const liquidityNames = ['pay_sats', 'fee_sats', 'inbound_sats', 'client_sats', 'lease_blocks', 'observed_on', 'fee_ppm', 'connect_to', 'delivered_as'];
/** The members of a quote, in this order. */
const quoteNames: Record<Ramp, string[]> = {
  buy: fls01Names,
  sell: [...fls01Names, ...conditionNames],
  liquidity: [...fls01Names, ...conditionNames, ...liquidityNames],
};

/** Rank 1 in FLS01's shape, with `provider` and `accept_by`. */
export const showQuote = (gateway: Gateway, stored: StoredOffers): Shown => {
  const best = showOffer(gateway, stored, 0);
  const shown: Shown = {};
  for (const name of quoteNames[stored.route.asked.ramp]) {
    const value = best[name];
    if (value !== undefined) shown[name] = value;
  }
  // Said in /quote too, which shows no policy: nobody could check the price of the one against the other.
  if (stored.route.policy.priceCheck) shown['warnings'] = best['warnings'] ?? [];
  return shown;
};

/** 422 when anybody refused or was excluded, 503 when none answered, or when somebody who may well offer could not be asked just now. */
export const noOffer = (gateway: Gateway, stored: StoredOffers): Problem => {
  const { route } = stored;
  const reasons = showReasons(gateway, route);
  const asked = route.refused.length + route.excluded.length + route.failed.length;
  const what = amountWords[route.asked.ramp].described(stored);
  const busy = route.failed.some((one) => one.reason === 'busy');
  if (route.refused.length + route.excluded.length === 0 && !busy)
    return new Problem('all-providers-failed', asked === 0 ? 'No provider is registered for this.' : `None of ${asked} providers answered${what}.`, {
      retryAfterMs: 5000,
      members: { failed: reasons.failed },
    });
  // What another amount would do is not known while somebody had no place for the question.
  if (busy || route.refused.some((one) => one.refusal.reason === 'order-pending'))
    return new Problem(busy ? 'temporary-reduced-capacity' : 'all-providers-failed', `Not every provider could be asked${what}: ${story(stored)}. Try again.`, {
      retryAfterMs: busy ? 1000 : 5000,
      members: { ...reasons },
    });
  const limits = bestLimits(route);
  return new Problem('no-offer', `${count(asked, 'provider was', 'providers were')} asked${what}: ${story(stored)}.`, {
    members: { limits: limitNames(route.asked.ramp, limits), ...reasons },
  });
};

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

const story = ({ route }: StoredOffers): string => {
  const parts: string[] = [];
  const money = (amount: bigint): string => amountWords[route.asked.ramp].paid(route, amount);
  const said = new Map<string, number>();
  for (const { refusal } of route.refused) {
    const { minPay, maxPay } = refusal.limits ?? {};
    const what = minPay !== undefined ? `start at ${money(minPay)}` : maxPay !== undefined ? `end at ${money(maxPay)}` : `refused (${refusal.reason})`;
    said.set(what, (said.get(what) ?? 0) + 1);
  }
  for (const [what, n] of said) parts.push(count(n, what.replace(/^(start|end) /, '$1s '), what));
  if (route.excluded.length > 0)
    parts.push(`${count(route.excluded.length, 'answer was', 'answers were')} excluded (${[...new Set(route.excluded.map((one) => one.rule))].join(', ')})`);
  const busy = route.failed.filter((one) => one.reason === 'busy').length;
  if (busy > 0) parts.push(`${busy} had no place for one more question`);
  if (route.failed.length > busy) parts.push(`${route.failed.length - busy} did not answer`);
  return parts.join(', ');
};

/** The widest limits that anybody named: what the customer could ask for instead. */
const bestLimits = (route: Route): Limits => {
  const all = route.refused.flatMap((one) => one.refusal.limits ?? []);
  const widest = (name: keyof Limits, isWider: (a: bigint, b: bigint) => boolean): Limits => {
    const [first, ...rest] = all.flatMap((one) => one[name] ?? []);
    return first === undefined ? {} : { [name]: rest.reduce((a, b) => (isWider(b, a) ? b : a), first) };
  };
  const less = (a: bigint, b: bigint): boolean => a < b;
  const more = (a: bigint, b: bigint): boolean => a > b;
  return { ...widest('minPay', less), ...widest('maxPay', more), ...widest('minReceive', less), ...widest('maxReceive', more) };
};

/** Every figure that the haircut was computed from: Q and D of both rows and windows, P and H0. */
const showStanding = ({ terms: { standing, haircutBps }, priorSats }: RoutedOffer): Shown => {
  const sums = (windows: Windows | undefined): Shown => {
    const { slow, fast } = windows ?? emptyWindows();
    const pair = (one: Sums): Shown => ({ quoted_sats: one.quotedSats.toString(), delivered_sats: one.deliveredSats.toString() });
    return { slow: pair(slow), fast: pair(fast) };
  };
  if (!standing) return {};
  return {
    h0_ppm: haircutBps * 100,
    ...(priorSats === undefined ? {} : { prior_sats: priorSats.toString() }),
    estimates: sums(standing.estimates),
    broken: sums(standing.broken),
    ...(standing.operator ? { operator: standing.operator } : {}),
  };
};

/** The whole stored decision, for POST /route: the outward offers and the figures that were ranked. */
export const showRoute = (gateway: Gateway, stored: StoredOffers & { chosen?: number; requestId: string }): Shown => ({
  ...showOffers(gateway, stored),
  request_id: stored.requestId,
  version: stored.route.version,
  ...(stored.chosen === undefined ? {} : { chosen_rank: stored.chosen }),
  ranked: stored.route.offers.map((one: RoutedOffer) => ({
    provider: one.providerId,
    pay: one.offer.pay.toString(),
    receive: one.offer.receive.toString(),
    fee: one.offer.fee.toString(),
    binding: one.offer.binding,
    counts_as_binding: one.countsAsBinding,
    haircut_bps: one.terms.haircutBps,
    haircut_ppm: haircutOfRanked(one),
    ...showStanding(one),
    preference_bps: one.terms.preferenceBps,
    tie_key: one.tieKey,
  })),
});
