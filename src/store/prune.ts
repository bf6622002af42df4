import { sql, type SQL } from 'drizzle-orm';
import type { Pruned, Retention } from '../ports/stores.ts';
import type { Database } from './database.ts';

const at = (ms: number): string => new Date(ms).toISOString();

/**
 * Deletes at most `limit` old rows of each kind, and clears at most as many old network keys and payment details. Keeps the routes of existing
 * orders, and the sessions of customers who have orders. Also keeps the upstream sessions that are still needed: by an unfinished order, an
 * unresolved attempt, the notice of a late payment, or a request for another withdrawal link. A kind that fails does not stop the others. Returns the
 * counts by kind, and what failed. `kinds`: the kinds to delete, if not all.
 */
export const prune = async (db: Database, before: Retention, limit: number, kinds?: readonly string[]): Promise<Pruned> => {
  const statements: [string, SQL][] = [
    [
      'routes',
      sql`delete from routes where id in (select id from routes r where created_on < ${at(before.quotesBefore)} and not exists (select 1 from orders o where o.quote_id >= r.id and left(o.quote_id::text, 34) = left(r.id::text, 34)) limit ${limit})`,
    ],
    [
      'idempotency_keys',
      sql`delete from idempotency_keys where ctid in (select ctid from idempotency_keys where created_on < ${at(before.idempotencyBefore)} limit ${limit})`,
    ],
    ['notices', sql`delete from notices where id in (select id from notices where received_on < ${at(before.noticesBefore)} limit ${limit})`],
    [
      'deliveries',
      sql`delete from deliveries where id in (select id from deliveries where state <> 'due' and created_on < ${at(before.deliveriesBefore)} limit ${limit})`,
    ],
    [
      'provider_sessions',
      sql`delete from provider_sessions where id in (select p.id from provider_sessions p left join sessions s on s.id_hash = p.owner where (p.retired_on < ${at(before.sessionsBefore)} or s.expires_on < ${at(before.sessionsBefore)}) and not exists (select 1 from orders o where o.provider_session_id = p.id and (not o.final or (o.stage in ('awaiting_payment', 'expired', 'failed') and o.changed_on >= ${at(before.peopleBefore)}) or (o.stage = 'finished' and o.changed_on >= ${at(before.ownedBefore)} and exists (select 1 from claims c where c.order_id = o.id and c.fallback_hash is null)))) and not exists (select 1 from intents i where i.provider_session_id = p.id and i.state in ('prepared', 'sending', 'unknown')) limit ${limit})`,
    ],
    [
      'sessions',
      sql`delete from sessions where id_hash in (select s.id_hash from sessions s where s.expires_on < ${at(before.sessionsBefore)} and not exists (select 1 from orders o where o.customer_id = s.customer_id) limit ${limit})`,
    ],
    [
      'operator_actions',
      sql`delete from operator_actions where id in (select id from operator_actions where at < ${at(before.operatorBefore)} limit ${limit})`,
    ],
    // The connections of a removed account. The account's own row stays, because its e-mail still belongs to its customer.
    [
      'connections',
      sql`delete from connections where id in (select c.id from connections c join accounts a on a.id = c.account_id where a.removed_on < ${at(before.peopleBefore)} limit ${limit})`,
    ],
    // The sums keep what a deleted fill added. The order's own `recorded_on` prevents it from being counted again.
    ['fills', sql`delete from fills where order_id in (select order_id from fills where filled_on < ${at(before.fillsBefore)} limit ${limit})`],
    ['hourly_figures', sql`delete from hourly_figures where ctid in (select ctid from hourly_figures where hour < ${at(before.figuresBefore)} limit ${limit})`],
    [
      'counted_hours',
      sql`delete from counted_hours where ctid in (select ctid from counted_hours where hour < ${at(before.figuresBefore)} and check_on is null limit ${limit})`,
    ],
    ['instances', sql`delete from instances where name in (select name from instances where seen_on < now() - interval '1 day' limit ${limit})`],
    ['last_prices', sql`delete from last_prices where ctid in (select ctid from last_prices where observed_on < ${at(before.quotesBefore)} limit ${limit})`],
    ['daily_uses', sql`delete from daily_uses where ctid in (select ctid from daily_uses where day < ${at(before.quotesBefore).slice(0, 10)} limit ${limit})`],
    [
      'network_keys',
      sql`update intents set network_key = null where id in (select id from intents where network_key is not null and created_on < ${at(before.quotesBefore)} limit ${limit})`,
    ],
    [
      'payment_info',
      sql`update orders set payment_info = '' , webhook_url = null where id in (select id from orders where final and changed_on < ${at(before.peopleBefore)} and payment_info <> '' limit ${limit})`,
    ],
  ];
  const pruned: Pruned = { counts: {}, failed: {} };
  for (const [name, statement] of statements) {
    if (kinds?.includes(name) === false) continue;
    try {
      pruned.counts[name] = (await db.execute(statement)).count;
    } catch (error) {
      pruned.failed[name] = error;
    }
  }
  return pruned;
};
