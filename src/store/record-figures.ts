import { sql } from 'drizzle-orm';
import type { ProviderFigures } from '../ports/record.ts';
import type { Database } from './database.ts';

type Row = {
  provider_id: string;
  orders: number;
  quoted: string;
  delivered: string;
  p50: number | null;
  p95: number | null;
  refused: number;
  price_changed: number;
  wins: number;
  lost: number;
};

/**
 * Returns what each provider did since a given time, for the operator. It reads whole routes, so it never runs while a customer waits. An offer
 * counts as a win lost to the haircut if it gave the most but another offer ranked first. (The cause may also be a preference.)
 */
export const readFigures = async (db: Database, since: number): Promise<ProviderFigures[]> => {
  const from = new Date(since).toISOString();
  const rows = await db.execute<Row>(sql`
    with filled as (
      select provider_id, count(*)::int as orders, sum(counted_quoted)::text as quoted, sum(counted_delivered)::text as delivered,
        percentile_cont(0.5) within group (order by extract(epoch from filled_on - ordered_on) * 1000)::float8 as p50,
        percentile_cont(0.95) within group (order by extract(epoch from filled_on - ordered_on) * 1000)::float8 as p95
      from fills where filled_on > ${from} group by provider_id
    ), asked as (
      select provider_id,
        count(*) filter (where state = 'rejected' or (state in ('declined', 'moved') and evidence->>'refused' is not null))::int as refused,
        count(*) filter (where state in ('declined', 'unpayable', 'moved') and evidence->>'note' = 'price-changed')::int as price_changed
      from intents where created_on > ${from} group by provider_id
    ), best as (
      select r.route->'route'->'offers'->0->>'providerId' as winner,
        (select o->>'providerId' from json_array_elements(r.route->'route'->'offers') o
          where (o->>'behindBestBps')::numeric < 0 order by (o->>'behindBestBps')::numeric limit 1) as loser
      from routes r where r.created_on > ${from} and json_array_length(r.route->'route'->'offers') > 0
    ), wins as (
      select provider_id, sum(won)::int as wins, sum(lost)::int as lost
      from (select winner as provider_id, 1 as won, 0 as lost from best union all select loser, 0, 1 from best where loser is not null) both_sides
      group by provider_id
    )
    select provider_id, coalesce(orders, 0) as orders, coalesce(quoted, '0') as quoted, coalesce(delivered, '0') as delivered, p50, p95,
      coalesce(refused, 0) as refused, coalesce(price_changed, 0) as price_changed, coalesce(wins, 0) as wins, coalesce(lost, 0) as lost
    from filled full join asked using (provider_id) full join wins using (provider_id) order by provider_id`);
  return rows.map((row) => ({
    providerId: row.provider_id,
    orders: row.orders,
    quotedSats: BigInt(row.quoted),
    deliveredSats: BigInt(row.delivered),
    refused: row.refused,
    priceChanged: row.price_changed,
    ...(row.p50 === null ? {} : { fillP50Ms: Math.round(row.p50) }),
    ...(row.p95 === null ? {} : { fillP95Ms: Math.round(row.p95) }),
    wins: row.wins,
    winsLostByHaircut: row.lost,
  }));
};
