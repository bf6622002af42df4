/** The statements that count the figures of one hour from the rows of one source. They read whole decisions, so only background work runs them. */
import { sql, type SQL } from 'drizzle-orm';
import type { Figure, FigureSource } from '../ports/figures.ts';

type Between = { from: string; to: string };

export const kindsOf: { readonly [source in FigureSource]: readonly Figure['what'][] } = {
  decisions: ['decided', 'without-offer', 'offered', 'won', 'excluded', 'refused', 'failed', 'latency'],
  stages: ['stage'],
  fills: ['filled'],
};

/** The upper bounds of the latency buckets, in milliseconds. */
export const latencyBounds = [50, 100, 150, 200, 300, 400, 500, 750, 1_000, 1_500, 2_000, 2_500, 3_000, 5_000, 10_000] as const;

/** The mark of an hour without rows. */
export const noRows = '0';

/** The table of a source, the column with the time of a row, and the mark of an hour's rows. */
const rowsOf: { readonly [source in FigureSource]: { table: SQL; at: SQL; mark: SQL } } = {
  decisions: { table: sql`routes`, at: sql`created_on`, mark: sql`count(*)::text` },
  stages: { table: sql`order_events`, at: sql`at`, mark: sql`count(*)::text` },
  fills: {
    table: sql`fills`,
    at: sql`filled_on`,
    mark: sql`concat_ws(' ', count(*), sum(counted_quoted), sum(counted_delivered), sum(told_pay), sum(told_receive))`,
  },
};

/**
 * Returns the statement for the marks of the hours that have rows. A mark is a string that shows whether an hour has to be counted again. For
 * decisions and events, it is the number of rows, because those rows never change. For fills, sums of their amounts follow the number, because later
 * news about a fill changes its amounts.
 */
export const marksOf = (source: FigureSource, { from, to }: Between): SQL => {
  const { table, at, mark } = rowsOf[source];
  return sql`
    select date_trunc('hour', ${at}, 'UTC')::text as hour, ${mark} as mark, count(*)::int as n from ${table}
    where ${at} >= ${from} and ${at} < ${to} group by date_trunc('hour', ${at}, 'UTC')`;
};
/** Returns the number of rows that a mark was made of. */
export const rowsIn = (mark: string): number => Number.parseInt(mark, 10);

/**
 * Returns the query for the end of the next part of `most` rows that begins at `from`. Rows of the same moment stay together. The index on the time
 * gives the rows one by one, so this costs no more for a large hour than for a small one.
 */
export const partEndOf = (source: FigureSource, { from, to }: Between, most: number): SQL => {
  const { table, at } = rowsOf[source];
  const first = sql`select ${at} as cut from ${table} where ${at} >= ${from} and ${at} < ${to} order by ${at} offset ${most} limit 1`;
  const later = sql`select min(${at}) from ${table} where ${at} > ${from} and ${at} < ${to}`;
  return sql`
    select coalesce(case when cut > ${from}::timestamptz then cut when cut is not null then (${later}) end, ${to}::timestamptz)::text as cut
    from (values (1)) one left join (${first}) part on true`;
};

/**
 * Limits a sum to what its column can hold (8 bytes). A provider that sells to itself can make a sum as large as it likes, and must not stop the
 * figures of the others.
 */
const storable = (sum: SQL): SQL => sql`least(greatest(coalesce(${sum}, 0), -9000000000000000000), 9000000000000000000)::bigint`;
const total = (column: string): SQL => storable(sql`sum(${sql.identifier(column)})`);
const both = (column: string): SQL => storable(sql`f.${sql.identifier(column)}::numeric + excluded.${sql.identifier(column)}`);

/** The end of an insert into `hourly_figures f` or `partial_figures f`: adds the new figures to rows that exist already. */
export const addUp = sql`
  on conflict (hour, what, provider_id, ramp, currency, option, reason) do update set (n, bps, quoted_sats, delivered_sats, pay, receive) = (f.n + excluded.n,
    ${both('bps')}, ${both('quoted_sats')}, ${both('delivered_sats')}, ${both('pay')}, ${both('receive')})`;

/** Returns the query that computes the hour's figures from those rows of the source that lie in `between`. */
export const figuresOf = (source: FigureSource, hour: string, between: Between): SQL => {
  if (source === 'decisions') return decisions(hour, between);
  return source === 'stages' ? stages(hour, between) : fills(hour, between);
};

/** Limits a distance to a million basis points in either direction, so that no provider can make the sums overflow. */
const bounded = (bps: SQL): SQL => sql`least(greatest(coalesce(round((${bps})::numeric), 0), -1000000), 1000000)`;

const decisions = (hour: string, { from, to }: Between): SQL => {
  const bounds = sql.raw(latencyBounds.join(', '));
  return sql`
    with decided as materialized (
      -- A value of type json is parsed each time that something is taken out of it, so the decision becomes jsonb first.
      select ramp, d, coalesce(d->'asked'->>'currency', '') as currency, coalesce(d->'asked'->>'option', route->'terms'->'liquidity'->>'product', '') as option
      from routes, lateral (select (route->'route')::jsonb as d offset 0) decision where created_on >= ${from} and created_on < ${to}
    ), offered as materialized (
      select o->>'providerId' as provider_id, ramp, currency, option, rank, ${bounded(sql`o->>'behindBestBps'`)} as bps,
        coalesce((array[${bounds}])[1 + width_bucket((o->>'latencyMs')::float8 - 0.5, array[${bounds}]::float8[])]::text, 'more') as bucket
      from decided, jsonb_array_elements(d->'offers') with ordinality as offers (o, rank)
    ), figures (what, provider_id, ramp, currency, option, reason, bps) as (
      select 'decided', '', ramp, currency, option, '', 0 from decided
      union all select 'without-offer', '', ramp, currency, option, '', 0 from decided where jsonb_array_length(d->'offers') = 0
      union all select 'offered', provider_id, ramp, currency, option, '', bps from offered
      union all select 'won', provider_id, ramp, currency, option, '', 0 from offered where rank = 1
      union all select 'latency', provider_id, ramp, '', '', bucket, 0 from offered
      union all select 'excluded', e->>'providerId', ramp, currency, option, e->>'rule', 0 from decided, jsonb_array_elements(d->'excluded') e
      union all select 'refused', e->>'providerId', ramp, currency, option, e->'refusal'->>'reason', 0 from decided, jsonb_array_elements(d->'refused') e
      union all select 'failed', e->>'providerId', ramp, currency, option, e->>'reason', 0 from decided, jsonb_array_elements(d->'failed') e
    )
    select ${hour}::timestamptz, what, provider_id, ramp, currency, option, coalesce(reason, ''), count(*), ${total('bps')}, 0, 0, 0, 0
    from figures group by what, provider_id, ramp, currency, option, coalesce(reason, '')`;
};

/** The currency and the option are those that were asked for, as in the figures of decisions. */
const stages = (hour: string, { from, to }: Between): SQL => sql`
  with reached as materialized (
    select o.provider_id, o.ramp, e.to_stage, coalesce(asked->>'currency', '') as currency,
      coalesce(asked->>'option', i.quote->'terms'->'liquidity'->>'product', '') as option
    from order_events e join orders o on o.id = e.order_id join intents i on i.id = o.intent_id,
      lateral (select (i.quote->'route'->'asked')::jsonb as asked offset 0) quoted
    where e.at >= ${from} and e.at < ${to} and e.to_stage is distinct from e.from_stage
  )
  select ${hour}::timestamptz, 'stage', provider_id, ramp, currency, option, to_stage, count(*), 0, 0, 0, 0, 0
  from reached group by provider_id, ramp, currency, option, to_stage`;

const fills = (hour: string, { from, to }: Between): SQL => sql`
  select ${hour}::timestamptz, 'filled', provider_id, ramp, currency, option, '', count(*), 0, ${total('counted_quoted')}, ${total('counted_delivered')},
    ${total('told_pay')}, ${total('told_receive')}
  from fills where filled_on >= ${from} and filled_on < ${to} group by provider_id, ramp, currency, option`;

/** How many payment options of an hour have figures of their own. */
const mostOptions = 200;

/**
 * Returns the statement that puts the figures of all but the largest options of an hour under the name `other`. Providers name their options, so an
 * hour may have any number of them.
 */
export const mergeSmall = (source: FigureSource, hour: string): SQL => sql`
  with ranked as (
    select ramp, currency, option, row_number() over (order by sum(n) desc, ramp, currency, option) as place from hourly_figures
    where hour = ${hour} and what in ${kindsOf[source]} and option not in ('', 'other') group by ramp, currency, option
  ), moved as (
    delete from hourly_figures f using ranked r where f.hour = ${hour} and f.what in ${kindsOf[source]} and r.place > ${mostOptions}
      and (f.ramp, f.currency, f.option) = (r.ramp, r.currency, r.option) returning f.*
  )
  insert into hourly_figures as f
  select hour, what, provider_id, ramp, currency, 'other', reason, sum(n)::bigint, ${total('bps')}, ${total('quoted_sats')}, ${total('delivered_sats')}, ${total('pay')}, ${total('receive')}
  from moved group by hour, what, provider_id, ramp, currency, reason ${addUp}`;
