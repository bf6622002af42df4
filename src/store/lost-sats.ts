import { longestLinkMs } from '../domain/lost-bought.ts';

/**
 * Returns SQL for the intents of bought sats that may have been lost before `at`, which is SQL for a time. The provider says that they were
 * withdrawn, although nobody got a link; or their link expired, the provider should have paid to the on-chain address, and it has not said that it
 * did. A link that never expires, or only after a long time, is over for the list, too.
 */
export const lostSats = (at: string): string => `
  select o.intent_id from orders o left join claims c on c.order_id = o.id
  where o.stage = 'filled' and not o.final and o.stage_on < ${at} and (
    coalesce(o.terms->>'finishedUnlinked' = 'true', false)
    or (c.lnurl is not null and c.fallback_hash is not null and c.created_on < ${at}
      and least(c.expires_on, c.created_on + interval '${longestLinkMs} milliseconds') < ${at}))`;
