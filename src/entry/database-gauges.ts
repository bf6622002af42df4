import type postgres from 'postgres';
import { lateOrders } from '../store/late-orders.ts';
import type { Gauge } from './gauges.ts';

const openStages = ['awaiting_payment', 'underpaid', 'paid', 'filled', 'review'] as const;

type Row = {
  late: number;
  overdue: number;
  dead: number;
  oldest_due: number;
  unsettled: number;
  prices: number;
  /** JSON as text, like `delivered` and `connections`: Drizzle and the bare driver differ in whether they parse a JSON column. */
  stages: string | null;
  delivered: string | null;
  connections: string | null;
};

/** Reads the gauges that come from the database, and so are the same on every instance. Throws the driver's error if the database does not answer. */
export const databaseGauges = async (sql: postgres.Sql): Promise<Gauge[]> => {
  const [row] = await sql<[Row]>`
    select (select count(*) from deliveries where state = 'due' and due_on < now() - interval '1 minute')::int as late,
      (select count(*) from deliveries where state = 'dead')::int as dead,
      (select coalesce(greatest(extract(epoch from now() - min(due_on)), 0), 0) from deliveries where state = 'due')::float8 as oldest_due,
      (select count(*) from intents where state in ('prepared', 'sending', 'unknown'))::int as unsettled,
      (select count(*) from reference_prices
        where json_array_length(readings) > 1 and (state <> 'live' or read_on < now() - interval '3 minutes'))::int as prices,
      (select count(*) from (${sql.unsafe(lateOrders("now() - interval '3 days'"))}) l)::int as overdue,
      (select json_agg(s)::text from (
        select stage, count(*)::int as n, extract(epoch from now() - min(stage_on))::float8 as oldest
        from orders where stage in ${sql([...openStages])} group by stage) s) as stages,
      (select json_agg(d)::text from (
        select provider_id as provider, (sum(counted_delivered) * 1000000 / sum(counted_quoted))::float8 as ppm
        from fills where filled_on > now() - interval '30 days' and counted_quoted > 0 group by provider_id order by provider_id) d) as delivered,
      (select json_agg(c)::text from (
        select state, count(*)::int as n from pg_stat_activity
        where datname = current_database() and usename = current_user and state is not null group by state) c) as connections`;
  const listOf = <T>(json: string | null): T[] => JSON.parse(json ?? '[]') as T[];
  const stages = new Map(listOf<{ stage: string; n: number; oldest: number }>(row.stages).map((of) => [of.stage, of]));
  const connections = new Map(listOf<{ state: string; n: number }>(row.connections).map(({ state, n }) => [state, n]));
  const one = (name: string, help: string, value: number): Gauge => ({ name, help, value });
  return [
    one('deliveries_late', 'Webhooks that have been due for over a minute', row.late),
    one('deliveries_dead', 'Webhooks that the gateway gave up on', row.dead),
    one('deliveries_oldest_due_seconds', 'How long the oldest unsent webhook has been due', row.oldest_due),
    one('intents_unsettled', 'Order attempts without an outcome', row.unsettled),
    one('orders_in_review', 'Orders in review, which need the operator', stages.get('review')?.n ?? 0),
    one(
      'orders_paid_late',
      'Orders that were paid, in whole or in part, more than three days ago and are not delivered, or whose bought sats may have been lost',
      row.overdue,
    ),
    one(
      'references_not_live',
      'Currencies with several price feeds that have no live price: no two feeds agree, or they were not read for three minutes',
      row.prices,
    ),
    ...openStages.map((stage) => ({ name: 'orders_open', help: 'Open orders by stage', labels: { stage }, value: stages.get(stage)?.n ?? 0 })),
    ...openStages.map((stage) => ({
      name: 'orders_open_oldest_seconds',
      help: 'How long ago the order that has waited longest in this stage entered it',
      labels: { stage },
      value: stages.get(stage)?.oldest ?? 0,
    })),
    ...listOf<{ provider: string; ppm: number }>(row.delivered).map(({ provider, ppm }) => ({
      name: 'provider_delivered_ppm',
      help: 'What the provider delivered of what it had quoted, in parts per million, over the orders of 30 days that count in its record',
      labels: { provider },
      value: ppm,
    })),
    ...['active', 'idle', 'idle in transaction'].map((state) => ({
      name: 'database_connections',
      help: "Connections of the gateway's database user to its database, from all instances, by state",
      labels: { state },
      value: connections.get(state) ?? 0,
    })),
  ];
};
