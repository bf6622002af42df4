import { sql } from 'drizzle-orm';
import type { ClaimNow } from '../domain/lost-bought.ts';
import { claims, orders } from './schema.ts';

/** The columns that decide about a withdrawal. In a query that left-joins the claims, `claimState` is null for an order without a claim. */
export const claimColumns = {
  claimState: claims.state,
  claimAttempt: claims.attempt,
  claimCreatedOn: claims.createdOn,
  // If a lease was not given back, its call is still running or has died, so an answer may have been lost.
  isUnlost: sql<boolean>`coalesce(${claims.unlostAttempt} = ${claims.attempt} and ${claims.leaseUntil} is null, false)`,
  hasLink: sql<boolean>`${claims.lnurl} is not null`,
  hasFallback: sql<boolean>`${claims.fallback} is not null`,
  linkExpiresOn: claims.expiresOn,
};
type Row = {
  claimState: ClaimNow['state'] | null;
  claimAttempt: number | null;
  claimCreatedOn: number | null;
  isUnlost: boolean;
  hasLink: boolean;
  hasFallback: boolean;
  linkExpiresOn: number | null;
};
/** Returns the row with its claim columns replaced by the member `claim`, if there is a claim. */
export const withClaim = <R extends Row>(found: R) => {
  const { claimState: state, claimAttempt: attempt, claimCreatedOn: createdOn, isUnlost, hasLink, hasFallback, linkExpiresOn, ...row } = found;
  const expiresOn = linkExpiresOn === null ? {} : { expiresOn: linkExpiresOn };
  const claim: { claim?: ClaimNow } =
    state === null || attempt === null || createdOn === null ? {} : { claim: { state, attempt, isUnlost, hasLink, hasFallback, createdOn, ...expiresOn } };
  return { ...row, ...claim };
};

/**
 * Whether a proof of payment can still count against an order's provider. It cannot if the order already counts as never filled, if the provider
 * reported that 0 was delivered, or if an earlier proof counted the order. Nor can it if the order's fill was pruned, or if the order was adopted
 * (found after a restore).
 */
export const isCountable = sql<boolean>`coalesce(${orders.terms}->>'adopted', '') <> 'true' and coalesce(
  (select coalesce(f.told_receive > 0, f.counted_in = 'none' and ${orders.terms}->>'provenOn' is null) from fills f where f.order_id = ${orders.id}),
  ${orders.terms}->>'provenOn' is null and (${orders.recordedOn} is null or ${orders.stage} = 'refunded'))`;
