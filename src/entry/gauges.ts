import type { Metrics } from '../ports/metric-list.ts';

/** A value that is read when the metrics are requested. In a list, gauges with the same name stand together and have the same help text. */
export type Gauge = { name: string; help: string; labels?: { [label: string]: string }; value: number };

/** Returns gauges in Prometheus' text format. */
export const renderGauges = (gauges: readonly Gauge[]): string => {
  let last: string | undefined;
  return gauges
    .map(({ name, help, labels = {}, value }) => {
      const head = name === last ? '' : `# HELP ramp_${name} ${help}\n# TYPE ramp_${name} gauge\n`;
      last = name;
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text.replaceAll(/["\\\n]/g, '_')}"`);
      return `${head}ramp_${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
    })
    .join('');
};

/** Counts nothing: for a process whose counters nobody could read. */
export const noMetrics: Metrics = { count: () => undefined, observe: () => undefined };
