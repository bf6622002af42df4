import { sql } from 'drizzle-orm';
import { usualArrivalSeconds } from '../domain/record.ts';
import type { NetworkSats } from '../ports/record.ts';
import type { Database } from './database.ts';

const unreadMs = 14 * 86_400_000;
/** If a provider gives no link for a few minutes, that is no reason to fear for the sats: it may only be unreachable. */
const unlinkedMs = 10 * 60_000;

/**
 * See ports/record.ts. A paid order counts until it is filled, refunded or no longer followed, however old it is. It is paid if its provider said so,
 * or if the operator recorded a proof of payment. An order that is being placed counts as well, because it can be paid as soon as the wallet has the
 * response. A paid sale that cannot be read counts for 14 days: its customer may have got the money and then have taken away the account's key.
 *
 * A filled purchase counts again if its provider says that its sats were withdrawn, although nobody got a link for them. It also counts again if the
 * provider has given no link for ten minutes since the customer asked for one, or asked again after a refusal. A rival could name a fallback address
 * that no provider pays to. So an order with a fallback address and no link counts only while the gateway is still asking for the link.
 *
 * Anybody can order large amounts and send dust. So as long as no report has shown more than a part of an order's payment, the order counts with the
 * unpaid orders of its network, however old it is, except for a part that its provider states in sats. A provider gains nothing by reporting only a
 * part: it could hide as much by reporting nothing. An unpaid order whose payment is, or may be, on its way counts with the unpaid orders of its
 * network even after its end.
 *
 * A partly paid order has no network if an app's backend placed it, or once its network key was cleared with the old quotes. After the time that
 * money needs to arrive, all such orders count together like one network. Until then, each of them counts in full, as an unpaid order without a
 * network does.
 */
export const readInFlight = async (db: Database, providerId: string, most: NetworkSats, now: number): Promise<bigint> => {
  const at = new Date(now).toISOString();
  const unlinkedBefore = new Date(now - unlinkedMs).toISOString();
  const [own, wide] = [most.own.toString(), most.wide.toString()];
  const rows = await db.execute<{ sats: string }>(sql`
    with open as (
      select case o.ramp when 'buy' then o.receive else o.pay end as sats, i.network_key as network,
        o.stage in ('paid', 'underpaid', 'filled') or (o.stage = 'review' and (coalesce(o.terms->>'reviewReason', '') = 'paid-not-delivered' or coalesce(o.terms->>'moneySeen', '') = 'true')) or never_filled
          or (o.stage = 'review' and exists (select 1 from order_events e where e.order_id = o.id and e.to_stage in ('paid', 'underpaid'))) as paid,
        o.stage = 'paid' or never_filled or (o.stage = 'review' and (o.terms->>'paidSeenOn' is not null or coalesce(o.terms->>'beforeReview', '') in ('paid', 'filled', 'finished')))
          or exists (select 1 from order_events e where e.order_id = o.id and e.to_stage in ('paid', 'filled', 'finished')) as whole,
        case when o.ramp <> 'buy' and o.told_pay < o.pay then o.told_pay else 0 end as part,
        o.stage in ('awaiting_payment', 'underpaid', 'review') and o.created_on > ${at}::timestamptz - make_interval(secs => coalesce((o.terms->>'arrivalSeconds')::float8, ${usualArrivalSeconds}))
          and coalesce(o.expires_on > ${at}, true) or (o.stage = 'awaiting_payment' and coalesce(o.terms->>'arriving', '') = 'true') as young
      from (
        select * from orders where provider_id = ${providerId} and stage not in ('filled', 'finished', 'refunded') and not final
        union all select * from orders where provider_id = ${providerId} and stage = 'filled' and not final and coalesce(terms->>'finishedUnlinked', '') = 'true'
        union all select o.* from claims c join orders o on o.id = c.order_id
          where c.lnurl is null and (c.state = 'sending' or (c.state = 'review' and c.fallback_hash is null))
            -- The index is on created_on, which is never later than asked_on.
            and c.created_on < ${unlinkedBefore} and coalesce(c.asked_on, c.created_on) < ${unlinkedBefore} and o.provider_id = ${providerId} and o.stage = 'filled' and not o.final and coalesce(o.terms->>'finishedUnlinked', '') <> 'true'
      ) o join intents i on i.id = o.intent_id
        cross join lateral (select exists (select 1 from fills f where f.order_id = o.id and f.told_receive is null) as never_filled) n
      where not (o.ramp = 'sell' and coalesce((o.terms->>'unreadableSince')::float8 < ${now - unreadMs}, false))
    ), under_way as (
      select case when whole then sats else part end as sats, network, true as paid from open where paid
      union all
      select case when paid then sats - part else sats end, coalesce(network, case when not young then '' end), false from open where case when paid then not whole else young end
      union all
      select (i.quote->'route'->'offers'->0->'offer'->>case i.ramp when 'buy' then 'receive' else 'pay' end)::bigint, i.network_key, false
      from intents i where i.provider_id = ${providerId} and i.state in ('prepared', 'sending', 'unknown')
    )
    select (
      coalesce((select sum(sats) from under_way where paid or network is null), 0) +
      coalesce((
        select sum(least(sats, ${wide}::bigint)) from (
          select sum(least(sats, ${own}::bigint)) as sats from (
            select network, sum(sats) as sats from under_way where not paid and network is not null group by network
          ) o group by substring(network from '[^ ]+$')
        ) w
      ), 0)
    )::text as sats`);
  return BigInt(rows[0]?.sats ?? 0);
};
