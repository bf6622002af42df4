import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { feedStates } from '../domain/reference.ts';
import { metricList, type KnownValues, type Metric, type Metrics } from '../ports/metric-list.ts';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const milliseconds = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
/** Some of prom-client's figures about the process. promtool rejects their names, which end in `_total` although they are not counters. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The label values that are known at the start: the routes, and what the configuration names. */
export type Known = { providers: readonly string[]; routes: readonly string[]; feeds: readonly { currency: string; feed: string }[] };

/** The metrics of a Node process: those of metric-list.ts, and prom-client's figures about the process. */
export const createMetrics = (known: Known): Metrics & { /** Returns the metrics in Prometheus' text format. */ render: () => Promise<string> } => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  const registers = [registry];
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, { ofSeconds: Histogram; ofMilliseconds?: Histogram }>();
  for (const [name, metric] of Object.entries<Metric>(metricList)) {
    const labelNames = Object.keys(metric.labels);
    const born = allLabels(metric.labels, known);
    const { help, was } = metric;
    if (metric.kind === 'counter') {
      const counter = new Counter({ name: `ramp_${name}`, help, labelNames, registers });
      for (const labels of born) counter.inc(labels, 0);
      counters.set(name, counter);
      continue;
    }
    const ofSeconds = new Histogram({ name: `ramp_${name}`, help, labelNames, buckets: seconds, registers });
    for (const labels of born) ofSeconds.zero(labels);
    const old = `Old name of ramp_${name}, in milliseconds. Removed in the next release`;
    histograms.set(name, {
      ofSeconds,
      ...(was === undefined ? {} : { ofMilliseconds: new Histogram({ name: `ramp_${was}`, help: old, labelNames, buckets: milliseconds, registers }) }),
    });
  }
  for (const { currency, feed } of known.feeds) {
    for (const state of feedStates) counters.get('feed_reads_total')?.inc({ currency, feed, state }, 0);
    counters.get('reference_disputed_total')?.inc({ currency }, 0);
  }
  return {
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels, by),
    observe: (name, labels, value) => {
      const histogram = histograms.get(name);
      histogram?.ofSeconds.observe(labels, value);
      histogram?.ofMilliseconds?.observe(labels, value * 1000);
    },
    render: async () => await registry.metrics(),
  };
};

/** Returns every combination of the labels' known values, or none if a label has no known values. */
const allLabels = (labels: Metric['labels'], known: Known): { [label: string]: string }[] =>
  Object.entries<KnownValues>(labels).reduce<{ [label: string]: string }[]>(
    (all, [label, values]) => all.flatMap((one) => valuesOf(values, known).map((value) => ({ ...one, [label]: value }))),
    [{}],
  );

const valuesOf = (values: KnownValues, known: Known): readonly string[] => {
  if (values === 'later') return [];
  return values === 'providers' || values === 'routes' ? known[values] : values;
};
