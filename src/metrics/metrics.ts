import { metricList, type Count, type Metric, type Observe } from '../ports/metric-list.ts';

const bounds = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
/** The most series of a metric. Labels come from our own lists, so this should never be reached. If it were, memory would matter more than detail. */
const mostSeries = 2000;

type Series = { value: number; sum: number; buckets: number[] };

export const createMetrics = () => {
  const series = new Map<string, Map<string, Series>>();
  const at = (name: keyof typeof metricList, labels: { [label: string]: string }): Series | undefined => {
    const metric: Metric | undefined = metricList[name];
    // Only an untyped caller, such as a script, gets here. It must not make a request fail.
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
  const count: Count = (name, labels) => {
    const one = at(name, labels);
    if (one) one.value += 1;
  };
  const observe: Observe = (name, labels, value) => {
    const one = at(name, labels);
    if (!one) return;
    one.value += 1;
    one.sum += value;
    for (let i = bounds.length - 1; i >= 0 && value <= (bounds[i] ?? 0); i -= 1) one.buckets[i] = (one.buckets[i] ?? 0) + 1;
  };
  return {
    count,
    observe,
    /** Returns the metrics in Prometheus' text format. `gauges`: values read at the time of the scrape. */
    render: (gauges: { name: string; help: string; value: number }[] = []): string => {
      const lines: string[] = [];
      for (const [name, metric] of Object.entries<Metric>(metricList)) {
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

/** Reads the labels of a series from its key, which holds one value per line. */
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
