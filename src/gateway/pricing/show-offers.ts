import { defined } from '../../domain/defined.ts';
import { asksExchange } from '../../domain/offer.ts';
import type { Ramp } from '../../domain/ramp.ts';
import { quoteIdOf } from '../../domain/route-id.ts';
import { emptyWindows, type Sums, type Windows } from '../../domain/record.ts';
import type { FeedVerdict } from '../../domain/reference.ts';
import type { Route, RoutedOffer } from '../../domain/route.ts';
import type { Limits } from '../../domain/refusal.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { amountWords } from './shown-amounts.ts';
import type { StoredOffers } from './store-route.ts';
import { isoTime, providerRef, int } from '../outward.ts';

/** Shows one offer under the API's names. Throws RangeError if there is no such offer. */
export const showOffer = <R extends Ramp>(gateway: Gateway, stored: StoredOffers, index: number, ramp: R) => {
  const ranked = stored.route.offers[index];
  const acceptBy = stored.acceptBy[index];
  if (!ranked || acceptBy === undefined) throw new RangeError(`the route has no offer ${index}`);
  const { offer } = ranked;
  const words = amountWords[ramp];
  const haircutPpm = haircutOfRanked(ranked);
  return {
    rank: ranked.rank,
    quote_id: quoteIdOf(stored.routeId, ranked.rank),
    provider: providerRef(gateway, ranked.providerId),
    ...words.offer(offer, stored),
    is_estimate: !offer.binding,
    ...words.price(ranked),
    ...(offer.expiresOn === undefined ? {} : { expires_on: isoTime(offer.expiresOn) }),
    accept_by: isoTime(acceptBy),
    ...words.figures(ranked, stored.route.policy),
    behind_best_bps: ranked.behindBestBps,
    ...words.expected(ranked, haircutPpm),
    haircut_ppm: haircutPpm,
    haircut_from: ranked.haircutFrom ?? 'configured',
    ...(ranked.terms.record ? { record: showRecord(ranked.terms.record) } : {}),
    ...words.term(ranked),
    requires: [...offer.requires],
    warnings: [...ranked.warnings, ...(stored.route.policy.priceCheck ? ([`price-check-${stored.route.policy.priceCheck}`] as const) : [])],
    latency_ms: Math.round(ranked.latencyMs),
  };
};

/** Returns the haircut that an offer was ranked with. Routes of version 1 have only the configured haircut. */
const haircutOfRanked = ({ haircutPpm, countsAsBinding, terms }: RoutedOffer): number => haircutPpm ?? (countsAsBinding ? 0 : terms.haircutBps * 100);

const showRecord = ({ orders, quotedSats, deliveredSats, since }: NonNullable<RoutedOffer['terms']['record']>) => ({
  orders,
  quoted_sats: int(quotedSats),
  delivered_sats: int(deliveredSats),
  since: isoTime(since),
});

const showReasons = <R extends Ramp>(gateway: Gateway, route: Route, ramp: R) => ({
  excluded: route.excluded.map((one) => ({
    provider: providerRef(gateway, one.providerId),
    rule: one.rule,
    ...amountWords[ramp].excluded(route, one.offer),
    ...(one.deviationBps === undefined ? {} : { deviation_bps: one.deviationBps }),
    ...(one.limitBps === undefined ? {} : { limit_bps: one.limitBps }),
    ...(one.until === undefined ? {} : { until: isoTime(one.until) }),
  })),
  refused: route.refused.map(({ providerId, refusal }) => ({
    provider: providerRef(gateway, providerId),
    reason: refusal.reason,
    ...amountWords[ramp].limits(refusal.limits ?? {}),
    ...(refusal.connectTo === undefined ? {} : { connect_to: refusal.connectTo }),
  })),
  failed: route.failed.map((one) => ({
    provider: providerRef(gateway, one.providerId),
    reason: one.reason,
    retryable: one.retryable,
    ...(one.latencyMs === undefined ? {} : { latency_ms: Math.round(one.latencyMs) }),
    ...(one.retryOn === undefined ? {} : { retry_on: isoTime(one.retryOn) }),
  })),
});

const showFeed = ({ name, state, btcPrice }: FeedVerdict) => ({ name, state, ...(btcPrice === undefined ? {} : { btc_price: int(btcPrice) }) });

const showPolicy = <R extends Ramp>(route: Route, ramp: R) => {
  const { policy } = route;
  return {
    name: policy.name,
    decided_by: policy.decidedBy,
    tie_breaks: [...policy.tieBreaks],
    preference_bps: { ...policy.preferenceBps },
    preference_decided: policy.preferenceDecided,
    ...amountWords[ramp].policy(policy),
    indicative_haircut_bps: policy.indicativeHaircutBps,
    ...(policy.reference
      ? {
          reference: {
            btc_price: int(policy.reference.btcPrice),
            source: policy.reference.source,
            observed_on: isoTime(policy.reference.observedOn),
            ...(policy.reference.disputed ? { disputed: true as const } : {}),
            ...(policy.reference.feeds ? { feeds: policy.reference.feeds.map(showFeed) } : {}),
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

/** Builds the whole response to a ramp's /offers. */
export const showOffers = <R extends Ramp>(gateway: Gateway, stored: StoredOffers, ramp: R) => ({
  offers_id: stored.routeId,
  ...amountWords[ramp].asked(stored),
  offers: stored.route.offers.map((_, index) => showOffer(gateway, stored, index, ramp)),
  ...(stored.route.offers.length === 0 ? { hint: noOffer(gateway, stored).detail } : {}),
  ...showReasons(gateway, stored.route, ramp),
  policy: showPolicy(stored.route, ramp),
});

const exchangeNames = [
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
] as const;
const conditionNames = ['requires', 'warnings'] as const;
/** The members of a quote, in the sequence in which they are shown. */
const quoteNames = {
  buy: exchangeNames,
  sell: [...exchangeNames, ...conditionNames],
  liquidity: [
    ...(['quote_id', 'is_estimate', 'expires_on', 'accept_by', 'provider', ...conditionNames] as const),
    ...(['pay_sats', 'fee_sats', 'inbound_sats', 'client_sats', 'lease_blocks', 'observed_on', 'fee_ppm', 'connect_to', 'delivered_as'] as const),
  ],
} as const satisfies Record<Ramp, readonly string[]>;
/** What a quote with a pushed payout shows in addition. Other buy quotes do not have these members. */
const pushNames = ['payout', 'payout_kinds', 'requires'] as const;
type ShownOffer<R extends Ramp> = ReturnType<typeof showOffer<R>>;
type ShownQuote = {
  [R in Ramp]: Pick<ShownOffer<R>, Extract<(typeof quoteNames)[R][number], keyof ShownOffer<R>>> &
    Partial<Pick<ShownOffer<R>, 'warnings'>> &
    (R extends 'buy' ? Partial<Pick<ShownOffer<'buy'>, (typeof pushNames)[number]>> : unknown);
};

/** Shows rank 1 as the ramp's /quote returns it: for buying, in FLS01's shape with a few members added. */
export const showQuote = <R extends Ramp>(gateway: Gateway, stored: StoredOffers, ramp: R): ShownQuote[R] => {
  const best: object = showOffer(gateway, stored, 0, ramp);
  // /quote does not show the policy, so this warning tells the wallet that the price is in doubt.
  const isPushed = stored.route.offers[0]?.offer.facts.payout_kinds !== undefined;
  const names = new Set([...quoteNames[ramp], ...(isPushed ? pushNames : []), ...(stored.route.policy.priceCheck ? ['warnings'] : [])]);
  const shown: Record<string, unknown> = {};
  for (const name of names) {
    const value: unknown = Reflect.get(best, name);
    if (value !== undefined) shown[name] = value;
  }
  // The same list of names picks the members here and in the type.
  return shown as ShownQuote[R];
};

/**
 * Returns the problem for a request without an offer. The status is 503 if no provider gave a usable answer, or if a provider that might have made an
 * offer could not be asked at the moment. Otherwise it is 422.
 */
export const noOffer = (gateway: Gateway, stored: StoredOffers): Problem => {
  const { route } = stored;
  const reasons = showReasons(gateway, route, route.asked.ramp);
  const asked = route.refused.length + route.excluded.length + route.failed.length;
  const what = amountWords[route.asked.ramp].described(stored);
  const busy = route.failed.some((one) => one.reason === 'busy');
  if (route.refused.length + route.excluded.length === 0 && !busy)
    return new Problem(
      'all-providers-failed',
      asked === 0
        ? 'No provider of this gateway offers this.'
        : `${asked === 1 ? 'The only provider' : `None of ${asked} providers`} gave ${asked === 1 ? 'no' : 'a'} usable answer${what}. Try again.`,
      {
        retryAfterMs: 5000,
        members: { failed: reasons.failed },
      },
    );
  // If one of the providers could not be asked, we do not know whether another amount would help.
  if (busy || route.refused.some((one) => one.refusal.reason === 'order-pending'))
    return new Problem(busy ? 'temporary-reduced-capacity' : 'all-providers-failed', `Not every provider could be asked${what}: ${story(stored)}. Try again.`, {
      retryAfterMs: busy ? 1000 : 5000,
      members: { ...reasons },
    });
  const limits = bestLimits(route);
  return new Problem('no-offer', `${count(asked, 'provider was', 'providers were')} asked${what}: ${story(stored)}.`, {
    members: { limits: amountWords[route.asked.ramp].limits(limits), ...reasons },
  });
};

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

const story = ({ route }: StoredOffers): string => {
  const parts: string[] = [];
  const money = (amount: bigint): string => amountWords[route.asked.ramp].paid(route, amount);
  const said = new Map<string, number>();
  for (const { refusal } of route.refused) {
    const { minPay, maxPay } = refusal.limits ?? {};
    const isStart = minPay !== undefined && refusal.reason !== 'above-maximum';
    const what = isStart ? `start at ${money(minPay)}` : maxPay !== undefined ? `end at ${money(maxPay)}` : `refused (${refusal.reason})`;
    said.set(what, (said.get(what) ?? 0) + 1);
  }
  for (const [what, n] of said) parts.push(count(n, what.replace(/^(start|end) /, '$1s '), what));
  if (route.excluded.length > 0)
    parts.push(`${count(route.excluded.length, 'answer was', 'answers were')} excluded (${[...new Set(route.excluded.map((one) => one.rule))].join(', ')})`);
  const busy = route.failed.filter((one) => one.reason === 'busy').length;
  if (busy > 0) parts.push(`${busy} had no free slot for another call`);
  const full = route.failed.filter((one) => one.reason === 'at-limit').length;
  if (full > 0) parts.push(`${full} would have more sats in flight than the operator allows`);
  if (route.failed.length > busy + full) parts.push(`${route.failed.length - busy - full} gave no usable answer`);
  return parts.join(', ');
};

/**
 * Returns the widest limits that the providers stated, which show what the customer could ask for instead. If some providers want more and others
 * less, with a gap between them, only one limit is returned, because no wallet can use a range that ends before it begins: the nearer one if the
 * request fixed this amount, otherwise the minimum. The problem's `refused` has each provider's own limits.
 */
export const bestLimits = ({ asked, refused }: Pick<Route, 'asked' | 'refused'>): Limits => {
  const all = refused.flatMap((one) => one.refusal.limits ?? []);
  const of = (name: keyof Limits): bigint[] => all.flatMap((one) => one[name] ?? []).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const range = (side: 'pay' | 'receive', least: bigint | undefined, most: bigint | undefined): { least?: bigint; most?: bigint } => {
    if (least === undefined || most === undefined || least <= most) return defined({ least, most });
    const amount = asksExchange(asked) && asked.fixed === side ? asked.amount : undefined;
    return amount !== undefined && amount - most <= least - amount ? { most } : { least };
  };
  const pay = range('pay', of('minPay')[0], of('maxPay').at(-1));
  const receive = range('receive', of('minReceive')[0], of('maxReceive').at(-1));
  return defined({ minPay: pay.least, maxPay: pay.most, minReceive: receive.least, maxReceive: receive.most });
};

/**
 * Shows the figures behind the haircut (domain/record.ts): the configured haircut, the prior weight, and the sums over estimates and over broken
 * promises, each in both windows. Shows none if only the configured haircut counted.
 */
const showStanding = ({ terms: { standing, haircutBps }, priorSats }: RoutedOffer) => {
  const sums = (windows: Windows | undefined) => {
    const { slow, fast } = windows ?? emptyWindows();
    const pair = (one: Sums) => ({ quoted_sats: one.quotedSats.toString(), delivered_sats: one.deliveredSats.toString() });
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

/** Shows the whole stored decision for POST /route: the offers as the customer saw them, and the figures by which they were ranked. */
export const showRoute = <R extends Ramp>(gateway: Gateway, stored: StoredOffers & { chosen?: number; requestId: string }, ramp: R) => ({
  ...showOffers(gateway, stored, ramp),
  request_id: stored.requestId,
  ...(stored.route.tieSeed === undefined ? {} : { tie_seed: stored.route.tieSeed }),
  version: stored.route.version,
  ...(stored.chosen === undefined ? {} : { chosen_rank: stored.chosen }),
  ranked: stored.route.offers.map((one) => ({
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
