/** The two Grafana dashboards. `npm run gen` writes them; test/runtime/dashboards.test.ts runs the queries of every panel on a Prometheus. */
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { LegendDisplayMode, LegendPlacement, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** `lines`: the PromQL of each line, with Grafana's variables, by the line's name in the legend. */
type Panel = { title: string; help: string; unit: string; lines: { [legend: string]: string } };
type Row = { title: string; panels: Panel[] };

const provider = 'provider=~"$provider"';
const rate = '[$__rate_interval]';

const money: Row[] = [
  {
    title: 'From offers to money',
    panels: [
      {
        title: 'Offers, orders, fills',
        help: 'How many offers ranked first, how many orders were confirmed, and how many were filled, per hour.',
        unit: 'short',
        lines: {
          'best offers': `sum(increase(ramp_offers_won_total{${provider}}[1h]))`,
          orders: `sum(increase(ramp_orders_total{${provider},outcome="confirmed"}[1h]))`,
          filled: `sum(increase(ramp_order_stages_total{${provider},stage="filled"}[1h]))`,
        },
      },
      {
        title: 'Fiat of filled orders per hour',
        help: 'In units of the currency.',
        unit: 'short',
        lines: { '{{ramp}} {{currency}}': `sum by (currency, ramp) (increase(ramp_order_filled_fiat_total{${provider}}[1h]))` },
      },
      {
        title: 'Sats of filled orders per hour',
        help: 'Bought, sold, or inbound capacity bought.',
        unit: 'short',
        lines: { '{{provider}} {{ramp}}': `sum by (provider, ramp) (increase(ramp_order_filled_sats_total{${provider}}[1h]))` },
      },
    ],
  },
  {
    title: 'Who wins',
    panels: [
      {
        title: 'Share of decisions won',
        help: 'Of all decisions with an offer, the share in which this provider ranked first.',
        unit: 'percentunit',
        lines: { '{{provider}}': `sum by (provider) (rate(ramp_offers_won_total{${provider}}${rate})) / scalar(sum(rate(ramp_offers_won_total${rate})))` },
      },
      {
        title: 'Ranked offers',
        help: 'Offers that took part in the ranking, per second.',
        unit: 'reqps',
        lines: { '{{provider}}': `sum by (provider) (rate(ramp_offers_total{${provider}}${rate}))` },
      },
      {
        title: 'Excluded by a rule',
        help: 'Offers that a rule excluded, per hour.',
        unit: 'short',
        lines: { '{{provider}} {{rule}}': `sum by (provider, rule) (increase(ramp_offers_excluded_total{${provider}}[1h]))` },
      },
      {
        title: 'No usable offer, by reason',
        help: 'Decisions in which a provider refused the request or failed, per hour.',
        unit: 'short',
        lines: { '{{provider}} {{reason}}': `sum by (provider, reason) (increase(ramp_offers_missing_total{${provider}}[1h]))` },
      },
      {
        title: 'Offers kept and gone back on',
        help: 'Networks to which a provider kept its offer, declined the order or raised its price, per hour.',
        unit: 'short',
        lines: { '{{provider}} {{outcome}}': `sum by (provider, outcome) (increase(ramp_order_networks_total{${provider}}[1h]))` },
      },
      {
        title: 'Delivered against quoted',
        help: 'In parts per million, over the orders of the last 30 days that count in the record. 1,000,000: all that was quoted was delivered.',
        unit: 'short',
        lines: { '{{provider}}': `max by (provider) (ramp_provider_delivered_ppm{${provider}})` },
      },
    ],
  },
  {
    title: 'Orders',
    panels: [
      {
        title: 'Order attempts by outcome',
        help: 'Per hour.',
        unit: 'short',
        lines: { '{{outcome}}': `sum by (outcome) (increase(ramp_orders_total{${provider}}[1h]))` },
      },
      {
        title: 'Stages reached',
        help: 'Orders that reached a stage, per hour.',
        unit: 'short',
        lines: { '{{stage}}': `sum by (stage) (increase(ramp_order_stages_total{${provider}}[1h]))` },
      },
      { title: 'Open orders', help: 'Orders by stage.', unit: 'short', lines: { '{{stage}}': 'max by (stage) (ramp_orders_open)' } },
      {
        title: 'Longest in a stage',
        help: 'How long ago the order that has waited longest in the stage entered it.',
        unit: 's',
        lines: { '{{stage}}': 'max by (stage) (ramp_orders_open_oldest_seconds)' },
      },
      {
        title: 'Oddities',
        help: 'Reports from providers that make no sense or are worse than what was ordered, per hour.',
        unit: 'short',
        lines: { '{{provider}} {{kind}}': `sum by (provider, kind) (increase(ramp_order_oddities_total{${provider}}[1h]))` },
      },
      {
        title: 'Waiting for a person',
        help: 'Orders in review, orders paid more than three days ago and not delivered, and order attempts without an outcome.',
        unit: 'short',
        lines: {
          'in review': 'max(ramp_orders_in_review)',
          'paid, not delivered': 'max(ramp_orders_paid_late)',
          'without an outcome': 'max(ramp_intents_unsettled)',
        },
      },
    ],
  },
];

const machinery: Row[] = [
  {
    title: 'Requests',
    panels: [
      { title: 'By status', help: 'Per second.', unit: 'reqps', lines: { '{{status}}': `sum by (status) (rate(ramp_http_requests_total${rate}))` } },
      {
        title: 'Failures by route',
        help: 'Answers with a status of 500 and above, per second.',
        unit: 'reqps',
        lines: { '{{route}}': `sum by (route) (rate(ramp_http_requests_total{status=~"5.."}${rate}))` },
      },
      {
        title: 'Slowest twentieth',
        help: 'The time within which 95 % of the answers were given.',
        unit: 's',
        lines: { '{{route}}': `histogram_quantile(0.95, sum by (le, route) (rate(ramp_http_request_duration_seconds_bucket${rate})))` },
      },
    ],
  },
  {
    title: 'Providers',
    panels: [
      {
        title: 'Calls by outcome',
        help: 'Per second.',
        unit: 'reqps',
        lines: { '{{provider}} {{outcome}}': `sum by (provider, outcome) (rate(ramp_provider_calls_total{${provider}}${rate}))` },
      },
      {
        title: 'Slowest twentieth of the prices',
        help: 'The time within which 95 % of the calls for prices were answered.',
        unit: 's',
        lines: {
          '{{provider}}': `histogram_quantile(0.95, sum by (le, provider) (rate(ramp_provider_call_duration_seconds_bucket{${provider},operation="quote"}${rate})))`,
        },
      },
      {
        title: 'Circuits',
        help: '0 closed, 1 half-open, 2 open, 3 no prices, because the provider refuses our credentials. Shows the worst state among all instances.',
        unit: 'short',
        lines: { '{{provider}} {{operation}}': `max by (provider, operation) (ramp_provider_circuit_state{${provider}})` },
      },
      {
        title: 'Notices',
        help: 'Webhooks from providers, genuine or not, per hour.',
        unit: 'short',
        lines: { '{{provider}} genuine={{genuine}}': `sum by (provider, genuine) (increase(ramp_notices_total{${provider}}[1h]))` },
      },
    ],
  },
  {
    title: 'Webhooks and background work',
    panels: [
      {
        title: 'Webhooks sent',
        help: 'By outcome, per hour.',
        unit: 'short',
        lines: { '{{outcome}}': 'sum by (outcome) (increase(ramp_deliveries_total[1h]))' },
      },
      {
        title: 'Webhooks late and given up',
        help: 'Due for over a minute, and given up on after 75 hours.',
        unit: 'short',
        lines: { late: 'max(ramp_deliveries_late)', 'given up': 'max(ramp_deliveries_dead)' },
      },
      {
        title: 'Oldest unsent webhook',
        help: 'How long the oldest unsent webhook has been due.',
        unit: 's',
        lines: { oldest: 'max(ramp_deliveries_oldest_due_seconds)' },
      },
      {
        title: 'Background work',
        help: 'Pieces of work done, per second.',
        unit: 'ops',
        lines: { '{{part}}': `sum by (part) (rate(ramp_scheduled_total${rate}))` },
      },
      {
        title: 'Background work that failed',
        help: 'Runs that ended with an error, by part of the work, per hour.',
        unit: 'short',
        lines: { '{{part}}': 'sum by (part) (increase(ramp_scheduled_failed_total[1h]))' },
      },
      {
        title: 'Price feeds',
        help: 'Readings by state, per hour.',
        unit: 'short',
        lines: { '{{currency}} {{feed}} {{state}}': 'sum by (currency, feed, state) (increase(ramp_feed_reads_total[1h]))' },
      },
    ],
  },
  {
    title: 'Instances',
    panels: [
      { title: 'Versions', help: 'Instances of each version.', unit: 'short', lines: { '{{version}} {{mode}}': 'count by (version, mode) (ramp_build_info)' } },
      {
        title: 'Memory',
        help: 'Resident memory of each instance.',
        unit: 'bytes',
        lines: { '{{instance}}': 'process_resident_memory_bytes{job="ramp-gateway"}' },
      },
      {
        title: 'CPU',
        help: 'Cores in use by each instance.',
        unit: 'short',
        lines: { '{{instance}}': `rate(process_cpu_seconds_total{job="ramp-gateway"}${rate})` },
      },
      {
        title: 'Event loop',
        help: 'The delay that 1 % of the turns of the event loop exceed.',
        unit: 's',
        lines: { '{{instance}}': 'nodejs_eventloop_lag_p99_seconds{job="ramp-gateway"}' },
      },
      {
        title: 'Database connections',
        help: 'Open connections of all instances together, by state, and the most that they may open.',
        unit: 'short',
        lines: { '{{state}}': 'max by (state) (ramp_database_connections)', 'limit of all instances': 'sum(ramp_database_pool_size)' },
      },
    ],
  },
];

const legend = new VizLegendOptionsBuilder().showLegend(true).displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom);

const panelOf = ({ title, help, unit, lines }: Panel): PanelBuilder =>
  Object.entries(lines).reduce(
    (panel, [name, expr], n) => panel.withTarget(new DataqueryBuilder().expr(expr).legendFormat(name).refId('ABC'.charAt(n))),
    new PanelBuilder()
      .title(title)
      .description(help)
      .unit(unit)
      .min(0)
      .span(8)
      .height(8)
      .legend(legend)
      .datasource({ type: 'prometheus', uid: '${datasource}' }),
  );

const dashboardOf = (uid: string, title: string, rows: Row[]): Dashboard => {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .tags(['ramp-gateway'])
    .refresh('1m')
    .time({ from: 'now-24h', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('provider')
        .label('Provider')
        .datasource({ type: 'prometheus', uid: '${datasource}' })
        .query('label_values(ramp_offers_total, provider)')
        .refresh(VariableRefresh.OnDashboardLoad)
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    );
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panelOf(panel));
  }
  return builder.build();
};

/** The files of docs/grafana/dashboards. */
export const dashboards = {
  'ramp-money.json': dashboardOf('ramp-money', 'ramp-gateway: offers, orders, money', money),
  'ramp-machinery.json': dashboardOf('ramp-machinery', 'ramp-gateway: requests, providers, instances', machinery),
};
