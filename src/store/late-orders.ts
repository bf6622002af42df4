import { longestLinkMs } from '../domain/lost-bought.ts';
import type { Stage } from '../domain/order.ts';

/**
 * Returns SQL for whether one of these happened before the time `at`: the order `o` entered its present stage, or, since its last refund, it entered
 * one of `stages` or its payment was seen. The time of the present stage alone is not enough: it starts anew when an order goes into review and when
 * it comes back from there.
 */
const isSince = (at: string, ...stages: Stage[]): string => `
  least(o.stage_on, (
    select min(p.at) from (
      select to_timestamp((o.terms->>'paidSeenOn')::float8 / 1000) as at
      union all select e.at from order_events e where e.order_id = o.id and e.to_stage in (${stages.map((stage) => `'${stage}'`).join(', ')})
    ) p where p.at >= coalesce((select max(r.at) from order_events r where r.order_id = o.id and r.to_stage = 'refunded'), '-infinity')
  )) < ${at}`;

/**
 * Returns SQL for the intents of orders that are late. `at` is SQL for a time. An order is late if its money, or a part of it, came before `at`, and
 * it is not delivered. It is also late if its bought sats may have been lost before `at`: the provider says that they were withdrawn, although nobody
 * got a link; the customer asked for a link and has none; or the link expired, and the provider, which should then have paid to the on-chain address,
 * has not said that it did.
 *
 * A link without an expiry, or with a very late one, counts as expired after `longestLinkMs`. An order is not late if the provider refused its
 * fallback address, which the customer can change, or if the operator has ended it.
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
