type Kind = 'counter' | 'histogram' | 'gauge';
type Metric = { kind: Kind; help: string; labels: readonly string[] };

/** Every metric there is. A name or label that is not here is a mistake and throws in tests, and is ignored in production. */
const metrics = {
  http_requests_total: { kind: 'counter', help: 'Answered requests', labels: ['route', 'status'] },
  http_request_ms: { kind: 'histogram', help: 'Time to the answer in milliseconds', labels: ['route'] },
  provider_calls_total: { kind: 'counter', help: 'Calls to providers', labels: ['provider', 'operation', 'outcome'] },
  provider_call_ms: { kind: 'histogram', help: 'Time of a provider call in milliseconds', labels: ['provider', 'operation'] },
  orders_total: { kind: 'counter', help: 'Placings by outcome', labels: ['provider', 'outcome'] },
  order_stages_total: { kind: 'counter', help: 'Orders that reached a stage', labels: ['provider', 'stage'] },
  order_oddities_total: {
    kind: 'counter',
    help: 'Status words that were unknown, went backwards or contradict; orders that cannot be read any more',
    labels: ['provider', 'kind'],
  },
  notices_total: { kind: 'counter', help: 'Incoming provider webhooks', labels: ['provider', 'genuine'] },
  account_steps_total: { kind: 'counter', help: 'Sell accounts that reached a status', labels: ['provider', 'status'] },
  connection_steps_total: { kind: 'counter', help: 'Sell connections that reached a status', labels: ['provider', 'status'] },
  settlements_total: { kind: 'counter', help: 'Payments straight to an account', labels: ['provider'] },
  untrusted_links_total: { kind: 'counter', help: 'Redemption links on foreign hosts, withheld', labels: ['provider'] },
  deliveries_total: { kind: 'counter', help: 'Webhook attempts by outcome', labels: ['outcome'] },
  scheduled_total: { kind: 'counter', help: 'Background work done', labels: ['part'] },
  scheduled_failed_total: { kind: 'counter', help: 'Parts of the background work that ended with a defect', labels: ['part'] },
} as const satisfies Record<string, Metric>;

const bounds = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
/** Labels come from lists of ours, so this is never met; if it is, memory wins over detail. */
const mostSeries = 2000;

type Series = { value: number; sum: number; buckets: number[] };

export const createMetrics = () => {
  const series = new Map<string, Map<string, Series>>();
  const at = (name: string, labels: Record<string, string>): Series | undefined => {
    const metric: Metric | undefined = Object.hasOwn(metrics, name) ? metrics[name as keyof typeof metrics] : undefined;
    if (!metric) return undefined;
    let key = '';
    for (const label of metric.labels) key += `${labels[label] ?? ''}\n`;
    const all = series.get(name) ?? new Map<string, Series>();
    series.set(name, all);
    const known = all.get(key);
    if (known || all.size >= mostSeries) return known;
    const fresh: Series = { value: 0, sum: 0, buckets: metric.kind === 'histogram' ? bounds.map(() => 0) : [] };
    all.set(key, fresh);
    return fresh;
  };
  return {
    count: (name: string, labels: Record<string, string> = {}): void => {
      const one = at(name, labels);
      if (one) one.value += 1;
    },
    observe: (name: string, labels: Record<string, string>, value: number): void => {
      const one = at(name, labels);
      if (!one) return;
      one.value += 1;
      one.sum += value;
      for (let i = bounds.length - 1; i >= 0 && value <= (bounds[i] ?? 0); i -= 1) one.buckets[i] = (one.buckets[i] ?? 0) + 1;
    },
    /** Prometheus' text form. `gauges`: what is read at the moment of asking. */
    render: (gauges: { name: string; help: string; value: number }[] = []): string => {
      const lines: string[] = [];
      for (const [name, metric] of Object.entries<Metric>(metrics)) {
        lines.push(`# HELP ramp_${name} ${metric.help}`, `# TYPE ramp_${name} ${metric.kind}`);
        for (const [values, one] of series.get(name) ?? []) {
          const key = shown(metric.labels, values);
          lines.push(...(metric.kind === 'histogram' ? histogram(name, key, one) : [`ramp_${name}${key === '' ? '' : `{${key}}`} ${one.value}`]));
        }
      }
      for (const { name, help, value } of gauges) lines.push(`# HELP ramp_${name} ${help}`, `# TYPE ramp_${name} gauge`, `ramp_${name} ${value}`);
      return `${lines.join('\n')}\n`;
    },
  };
};
export type Metrics = ReturnType<typeof createMetrics>;

/** The labels of a series, from its key: the values, one a line. */
const shown = (labels: readonly string[], values: string): string => {
  const parts = values.split('\n');
  return labels.map((label, i) => `${label}="${(parts[i] ?? '').replaceAll(/["\\]/g, '_')}"`).join(',');
};

const histogram = (name: string, key: string, { value, sum, buckets }: Series): string[] => {
  const with_ = (le: string): string => `{${key === '' ? '' : `${key},`}le="${le}"}`;
  const plain = key === '' ? '' : `{${key}}`;
  return [
    ...bounds.map((bound, i) => `ramp_${name}_bucket${with_(String(bound))} ${buckets[i] ?? 0}`),
    `ramp_${name}_bucket${with_('+Inf')} ${value}`,
    `ramp_${name}_sum${plain} ${sum}`,
    `ramp_${name}_count${plain} ${value}`,
  ];
};
