/** Copies one real order, with its decision and everything else about it, as often as wanted. The rows are as wide as real ones. */
import type postgres from 'postgres';

/** `from`: when the first decision was made. Each next one is `everyMs` later. `like`: the id of the order to copy, whose decision has two offers. */
export type Seeding = { like: string; from: number; everyMs: number; first: number; last: number };

const idOf = (what: string): string => `left(md5('${what}' || i), 32)::uuid`;
/** A route's id ends in 00, and the id of its first quote in 01. */
const routeId = `(left(${idOf('route')}::text, 34) || '00')::uuid`;
const quoteId = `(left(${idOf('route')}::text, 34) || '01')::uuid`;

/**
 * Writes the decisions, attempts, orders, events and fills numbered `first` to `last`. Every third decision is won by the second provider, every
 * fifth has a refusal, every seventh an exclusion and a fault, and every ninth no offer. Three of four orders are paid, and most of those are filled,
 * every tenth of them short.
 */
export const seedOrders = async (sql: postgres.Sql, { like, from, everyMs, first, last }: Seeding): Promise<void> => {
  const created = `to_timestamp(${from} / 1000.0 + i * ${everyMs / 1000})`;
  const winner = `t.j #>> (case when i % 3 = 0 then '{route,offers,1,providerId}' else '{route,offers,0,providerId}' end)::text[]`;
  const series = `generate_series(${first}, ${last}) i`;
  // Materialized: read once, not for each copy.
  const t = `t as materialized (select r.*, r.route::jsonb as j from routes r join orders o on r.id = (left(o.quote_id::text, 34) || '00')::uuid where o.id = '${like}')`;
  await sql.unsafe(`
    with ${t}
    insert into routes (id, customer_id, session_hash, ramp, request_id, created_on, route, reads)
    select ${routeId}, t.customer_id, t.session_hash, t.ramp, 'req_seeded_' || i, ${created},
      jsonb_set(t.j, '{route}', (t.j->'route') || jsonb_build_object(
        'asked', (t.j#>'{route,asked}') || jsonb_build_object('option', case when i % 2 = 0 then 'sepa' else 'card' end),
        'offers', case when i % 9 = 0 then '[]'::jsonb
          when i % 3 = 0 then jsonb_build_array(t.j#>'{route,offers,1}', (t.j#>'{route,offers,0}') || jsonb_build_object('behindBestBps', i % 200))
          else jsonb_build_array(t.j#>'{route,offers,0}', (t.j#>'{route,offers,1}') || jsonb_build_object('behindBestBps', i % 200 - 20)) end,
        'refused', case when i % 5 = 0 then '[{"providerId":"third","refusal":{"reason":"busy"}}]'::jsonb else '[]'::jsonb end,
        'excluded', case when i % 7 = 0 then jsonb_build_array(jsonb_build_object('providerId', 'third', 'rule', 'too-good', 'offer', t.j#>'{route,offers,0,offer}')) else '[]'::jsonb end,
        'failed', case when i % 7 = 0 then '[{"providerId":"fourth","reason":"timeout","retryable":true}]'::jsonb else '[]'::jsonb end))::json,
      t.reads
    from t, ${series}`);
  await sql.unsafe(`
    with ${t}, x as materialized (select to_jsonb(i) as row from intents i where order_id = '${like}')
    insert into intents select r.* from x, t, ${series}, jsonb_populate_record(null::intents, x.row || jsonb_build_object(
      'id', ${idOf('intent')}, 'quote_id', ${quoteId}, 'order_id', ${idOf('order')}, 'provider_id', ${winner}, 'provider_session_id', null,
      'request_id', 'req_order_' || i, 'created_on', ${created}, 'upstream_order_id', 'up-' || i,
      'quote', jsonb_set(x.row->'quote', '{route,asked,option}', to_jsonb(case when i % 2 = 0 then 'sepa' else 'card' end)))) r`);
  const isPaid = 'i % 4 > 0';
  const isFilled = 'i % 4 > 0 and i % 11 > 0';
  await sql.unsafe(`
    with ${t}, x as materialized (select to_jsonb(o) as row from orders o where id = '${like}')
    insert into orders select r.* from x, t, ${series}, jsonb_populate_record(null::orders, x.row || jsonb_build_object(
      'id', ${idOf('order')}, 'intent_id', ${idOf('intent')}, 'quote_id', ${quoteId}, 'provider_id', ${winner}, 'provider_session_id', null,
      'upstream_order_id', 'up-' || i, 'upstream_key', 'up-' || i, 'created_on', ${created}, 'stage_on', ${created}, 'changed_on', ${created},
      'stage', case when ${isFilled} then 'finished' when ${isPaid} then 'refunded' else 'expired' end, 'final', true, 'next_check_on', null,
      'recorded_on', ${created})) r`);
  await sql.unsafe(`
    insert into order_events (order_id, sequence, at, from_stage, to_stage, raw_status, source)
    select ${idOf('order')}, step.n, ${created} + step.n * (i % 50) * interval '1 minute', step.from_stage, step.to_stage, 'seeded', 'read'
    from ${series}, (values (1, null, 'awaiting_payment'), (2, 'awaiting_payment', 'paid'), (3, 'paid', 'filled'), (4, 'filled', 'finished')) step (n, from_stage, to_stage)
    where step.n = 1 or (step.n = 2 and ${isPaid}) or (step.n > 2 and ${isFilled})`);
  await sql.unsafe(`
    with ${t}
    insert into fills (order_id, provider_id, ramp, currency, option, binding, quoted_pay, quoted_receive, told_pay, told_receive, quoted_on, ordered_on, filled_on,
      counted_in, counted_quoted, counted_delivered, counted_on)
    select ${idOf('order')}, ${winner}, t.ramp, 'EUR', case when i % 2 = 0 then 'sepa' else 'card' end, true, 10000, 100000 + i, 10000,
      100000 + i - case when i % 10 = 0 then 5000 else 0 end, ${created}, ${created}, ${created} + 3 * (i % 50) * interval '1 minute',
      'none', 100000 + i, 100000 + i - case when i % 10 = 0 then 5000 else 0 end, ${created}
    from t, ${series} where ${isFilled}`);
};
