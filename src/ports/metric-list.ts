import { exclusionRules } from '../domain/offer.ts';
import { faultKinds } from '../domain/fault-kind.ts';
import { ramps } from '../domain/ramp.ts';
import { refusalReasons } from '../domain/refusal.ts';
import { stages } from '../domain/order.ts';
import { tokenFlaws } from '../domain/proof-token.ts';

/**
 * The values of a label that are known when the process starts: a list, or `providers` or `routes`, which the process fills in. Each series with
 * known values exists from the start with the value 0, so that an alert on "nothing happened" can fire, and no alert misses the first event. Other
 * values may come later. `later`: no value is known at the start.
 */
export type KnownValues = readonly string[] | 'providers' | 'routes' | 'later';
export type Metric = {
  kind: 'counter' | 'histogram';
  help: string;
  labels: { readonly [label: string]: KnownValues };
  /** The name under which this histogram of seconds was formerly exported, in milliseconds. It is still exported under that name, too. */
  was?: string;
};

export const operations = ['quote', 'order', 'claim', 'status', 'account'] as const;
/** The parts of the background work (gateway/run-scheduled.ts). */
export const backgroundParts = ['deliveries', 'intents', 'claims', 'orders', 'accounts', 'record', 'figures', 'receipts', 'reference'] as const;

/** Every metric with its labels. An unlisted name, or an extra or missing label, does not compile. Names and units follow Prometheus' conventions. */
export const metricList = {
  http_requests_total: {
    kind: 'counter',
    help: 'Answered requests',
    labels: { route: 'routes', status: ['200', '500', '502', '503', '504'] },
  },
  http_request_duration_seconds: {
    kind: 'histogram',
    help: 'How long it took until requests were answered',
    labels: { route: 'routes' },
    was: 'http_request_ms',
  },
  provider_calls_total: {
    kind: 'counter',
    help: 'Calls to providers',
    labels: { provider: 'providers', operation: operations, outcome: ['ok', 'refused', 'timeout', 'unreachable', 'malformed', 'server'] },
  },
  provider_call_duration_seconds: {
    kind: 'histogram',
    help: 'How long calls to providers took',
    labels: { provider: 'providers', operation: operations },
    was: 'provider_call_ms',
  },
  provider_credentials_refused_total: {
    kind: 'counter',
    help: 'How often providers began to refuse our credentials',
    labels: { provider: 'providers' },
  },
  offers_total: {
    kind: 'counter',
    help: 'Ranked offers in decisions: one per decision and provider',
    labels: { provider: 'providers', ramp: ramps },
  },
  offers_won_total: { kind: 'counter', help: 'Decisions in which the offer of the provider ranked first', labels: { provider: 'providers', ramp: ramps } },
  offers_excluded_total: { kind: 'counter', help: 'Offers that a rule excluded', labels: { provider: 'providers', rule: exclusionRules } },
  offers_missing_total: {
    kind: 'counter',
    help: 'Decisions without a usable offer of the provider, because it refused the request or failed',
    labels: { provider: 'providers', reason: [...refusalReasons, ...faultKinds] },
  },
  orders_total: {
    kind: 'counter',
    help: 'Order attempts by outcome',
    labels: { provider: 'providers', outcome: ['confirmed', 'review', 'rejected', 'unpayable', 'dead'] },
  },
  order_networks_total: {
    kind: 'counter',
    help: 'Networks to which a provider kept its offer, or went back on it (for example, declined the order); each counts once an hour',
    labels: { provider: 'providers', outcome: ['kept', 'went-back'] },
  },
  order_moves_total: {
    kind: 'counter',
    help: 'Order requests with failover that moved on to the next provider, by the provider that they left and the problem there',
    labels: { provider: 'providers', reason: ['provider-declined', 'price-changed', 'order-unpayable'] },
  },
  order_stages_total: { kind: 'counter', help: 'Orders that reached a stage', labels: { provider: 'providers', stage: stages } },
  order_filled_sats_total: { kind: 'counter', help: 'Sats of the orders that were delivered', labels: { provider: 'providers', ramp: ramps } },
  order_filled_fiat_total: {
    kind: 'counter',
    help: 'Fiat amounts of the delivered orders, in whole units of the currency (euros, not cents)',
    labels: { provider: 'providers', ramp: 'later', currency: 'later' },
  },
  order_oddities_total: {
    kind: 'counter',
    help: 'Oddities of orders, by kind, such as contradictory status words, short fills and orders that cannot be read; each is counted once',
    labels: {
      provider: 'providers',
      kind: [
        'contradiction',
        'undelivered',
        'unknown',
        'stale',
        'short',
        'overcharged',
        'link-short',
        'finished-unlinked',
        'link-missing',
        'unreadable',
        'unusable',
        'twin',
        'paid-late',
        'refunded',
        'refund-short',
      ],
    },
  },
  notices_total: { kind: 'counter', help: 'Incoming provider webhooks', labels: { provider: 'providers', genuine: ['true', 'false'] } },
  operator_tokens_refused_total: { kind: 'counter', help: 'Requests to /operator with a wrong token', labels: {} },
  account_steps_total: { kind: 'counter', help: 'Accounts at providers that reached a status', labels: { provider: 'later', status: 'later' } },
  connection_steps_total: { kind: 'counter', help: 'Sell connections that reached a status', labels: { provider: 'later', status: 'later' } },
  settlements_total: { kind: 'counter', help: 'Payments made directly to an account, without an order', labels: { provider: 'providers' } },
  untrusted_links_total: {
    kind: 'counter',
    help: 'Redemption links that were withheld because they lead to a foreign host',
    labels: { provider: 'providers' },
  },
  proof_tokens_refused_total: {
    kind: 'counter',
    help: 'Provider tokens that no wallet was asked to sign, because the signature might be valid at another service',
    labels: { provider: 'providers', reason: tokenFlaws },
  },
  deliveries_total: {
    kind: 'counter',
    help: 'Webhook attempts by outcome',
    labels: { outcome: ['delivered', '3xx', '4xx', '5xx', 'timeout', 'unreachable', 'blocked', 'defect'] },
  },
  feed_reads_total: {
    kind: 'counter',
    help: 'Readings of public price feeds, by the state of the feed',
    labels: { currency: 'later', feed: 'later', state: 'later' },
  },
  reference_disputed_total: {
    kind: 'counter',
    help: 'Decisions that did not use the live reference, because it would have excluded most offers',
    labels: { currency: 'later' },
  },
  scheduled_total: { kind: 'counter', help: 'Background work done', labels: { part: backgroundParts } },
  scheduled_failed_total: {
    kind: 'counter',
    help: 'Parts of the background work that ended with a defect',
    labels: { part: [...backgroundParts, 'retention'] },
  },
} as const satisfies Record<string, Metric>;

type List = typeof metricList;
type NameOf<Kind extends Metric['kind']> = { [name in keyof List]: List[name]['kind'] extends Kind ? name : never }[keyof List];
type LabelsOf<Name extends keyof List> = { [label in keyof List[Name]['labels']]: string };

/** Adds `by` (1 unless given) to a counter. */
export type Count = <Name extends NameOf<'counter'>>(name: Name, labels: LabelsOf<Name>, by?: number) => void;
/** Adds a value, in the histogram's unit, to a histogram. */
export type Observe = <Name extends NameOf<'histogram'>>(name: Name, labels: LabelsOf<Name>, value: number) => void;
export type Metrics = { count: Count; observe: Observe };
