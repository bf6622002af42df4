export type Metric = { kind: 'counter' | 'histogram'; help: string; labels: readonly string[] };

/** Every metric with its labels. An unlisted name, or an extra or missing label, does not compile. */
export const metricList = {
  http_requests_total: { kind: 'counter', help: 'Answered requests', labels: ['route', 'status'] },
  http_request_ms: { kind: 'histogram', help: 'Time to the answer in milliseconds', labels: ['route'] },
  provider_calls_total: { kind: 'counter', help: 'Calls to providers', labels: ['provider', 'operation', 'outcome'] },
  provider_call_ms: { kind: 'histogram', help: 'Time of a provider call in milliseconds', labels: ['provider', 'operation'] },
  provider_credentials_refused_total: { kind: 'counter', help: 'How often providers began to refuse our credentials', labels: ['provider'] },
  orders_total: { kind: 'counter', help: 'Order attempts by outcome', labels: ['provider', 'outcome'] },
  order_networks_total: {
    kind: 'counter',
    help: 'Networks to which a provider kept its offer, or went back on it (for example, declined the order); each counts once an hour',
    labels: ['provider', 'outcome'],
  },
  order_moves_total: {
    kind: 'counter',
    help: 'Order requests with failover that moved on to the next provider, by the provider that they left and the problem there',
    labels: ['provider', 'reason'],
  },
  order_stages_total: { kind: 'counter', help: 'Orders that reached a stage', labels: ['provider', 'stage'] },
  order_oddities_total: {
    kind: 'counter',
    help: 'Oddities of orders, by kind, such as contradictory status words, short fills and orders that cannot be read',
    labels: ['provider', 'kind'],
  },
  notices_total: { kind: 'counter', help: 'Incoming provider webhooks', labels: ['provider', 'genuine'] },
  account_steps_total: { kind: 'counter', help: 'Sell accounts that reached a status', labels: ['provider', 'status'] },
  connection_steps_total: { kind: 'counter', help: 'Sell connections that reached a status', labels: ['provider', 'status'] },
  settlements_total: { kind: 'counter', help: 'Payments made directly to an account, without an order', labels: ['provider'] },
  untrusted_links_total: { kind: 'counter', help: 'Redemption links that were withheld because they lead to a foreign host', labels: ['provider'] },
  proof_tokens_refused_total: {
    kind: 'counter',
    help: 'Provider tokens that no wallet was asked to sign, because the signature might be valid at another service',
    labels: ['provider', 'reason'],
  },
  deliveries_total: { kind: 'counter', help: 'Webhook attempts by outcome', labels: ['outcome'] },
  feed_reads_total: { kind: 'counter', help: 'Readings of public price feeds, by the state of the feed', labels: ['currency', 'feed', 'state'] },
  reference_disputed_total: {
    kind: 'counter',
    help: 'Decisions that did not use the live reference, because it would have excluded most offers',
    labels: ['currency'],
  },
  scheduled_total: { kind: 'counter', help: 'Background work done', labels: ['part'] },
  scheduled_failed_total: { kind: 'counter', help: 'Parts of the background work that ended with a defect', labels: ['part'] },
} as const satisfies Record<string, Metric>;

type List = typeof metricList;
type NameOf<Kind extends Metric['kind']> = { [name in keyof List]: List[name]['kind'] extends Kind ? name : never }[keyof List];
type LabelsOf<Name extends keyof List> = { [label in List[Name]['labels'][number]]: string };

export type Count = <Name extends NameOf<'counter'>>(name: Name, labels: LabelsOf<Name>) => void;
export type Observe = <Name extends NameOf<'histogram'>>(name: Name, labels: LabelsOf<Name>, value: number) => void;
