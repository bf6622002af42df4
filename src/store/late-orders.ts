import { longestLinkMs } from '../domain/lost-bought.ts';
import type { Stage } from '../domain/order.ts';

/**
 * Returns SQL for whether the order `o` has been in its stage since before `at`, or reached one of these stages before, after its last refund. The
 * time of the stage alone is not enough: a report that causes a review, and one that ends it, let the stage begin anew.
 */
const isSince = (at: string, ...stages: Stage[]): string => `
  least(o.stage_on, (
    select min(p.at) from (
      select to_timestamp((o.terms->>'paidSeenOn')::float8 / 1000) as at
      union all select e.at from order_events e where e.order_id = o.id and e.to_stage in (${stages.map((stage) => `'${stage}'`).join(', ')})
    ) p where p.at >= coalesce((select max(r.at) from order_events r where r.order_id = o.id and r.to_stage = 'refunded'), '-infinity')
  )) < ${at}`;

/**
 * Returns SQL for the intents of orders that are late: their money, or a part of it, came before `at`, which is SQL for a time, and they are not
 * delivered; or their bought sats may have been lost before. That may be so in three cases. The provider says that they were withdrawn, although
 * nobody got a link. The customer asked for a link and has none, whatever the provider answered; a fallback address that it refused is the customer's
 * to change. Or the link expired, the provider should have paid to the on-chain address, and it has not said that it did. A link that never expires, or
 * only after a long time, is over for the list, too. An order that the operator has ended is not late.
 */
export const lateOrders = (at: string): string => `
  select o.intent_id from orders o where o.stage = 'paid' and ${isSince(at, 'paid', 'filled', 'finished')}
  union all select o.intent_id from orders o where o.stage = 'underpaid' and ${isSince(at, 'underpaid', 'paid', 'filled', 'finished')}
  union all select o.intent_id from orders o left join claims c on c.order_id = o.id
    where o.stage = 'filled' and not o.final and o.terms->>'paidOtherwiseOn' is null and (
      (coalesce(o.terms->>'finishedUnlinked' = 'true', false) and ${isSince(at, 'paid', 'filled', 'finished')})
      or (c.lnurl is null and c.state in ('sending', 'review') and c.created_on < ${at})
      or (c.lnurl is not null and c.fallback_hash is not null and c.created_on < ${at}
        and least(c.expires_on, c.created_on + interval '${longestLinkMs} milliseconds') < ${at}))`;
