import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

it("renders counters, cumulative histograms and gauges in Prometheus' form", () => {
  const metrics = createMetrics();
  metrics.count('orders_total', { provider: 'alpine', outcome: 'confirmed' });
  metrics.count('orders_total', { provider: 'alpine', outcome: 'confirmed' });
  // @ts-expect-error not on the list
  metrics.count('no_such_metric', {});
  // @ts-expect-error a label that this metric does not have
  metrics.count('settlements_total', { provider: 'alpine', account: 'a' });
  // @ts-expect-error a histogram is not counted
  metrics.count('http_request_ms', { route: '/offers' });
  metrics.observe('http_request_ms', { route: '/quote' }, 30);
  metrics.observe('http_request_ms', { route: '/quote' }, 3);
  const text = metrics.render([{ name: 'deliveries_due', help: 'Webhooks that wait', value: 4 }]);
  expect(text).toContain('# TYPE ramp_orders_total counter\nramp_orders_total{provider="alpine",outcome="confirmed"} 2\n');
  expect(text).toContain('ramp_http_request_ms_bucket{route="/quote",le="25"} 1\nramp_http_request_ms_bucket{route="/quote",le="50"} 2\n');
  expect(text).toContain('ramp_http_request_ms_sum{route="/quote"} 33\nramp_http_request_ms_count{route="/quote"} 2\n');
  expect(text).toContain('# TYPE ramp_deliveries_due gauge\nramp_deliveries_due 4\n');
  expect(text).not.toContain('no_such_metric');
});
