import { sql } from 'drizzle-orm';
import type { ClaimNow } from '../domain/lost-bought.ts';
import { claims, orders } from './schema.ts';

/** What decides about a withdrawal. For a query that joins the claims; without a claim, every column is null. */
export const claimColumns = {
  claimState: claims.state,
  hasLink: sql<boolean>`${claims.lnurl} is not null`,
  hasFallback: sql<boolean>`${claims.fallback} is not null`,
  linkExpiresOn: claims.expiresOn,
};
type Row = { claimState: ClaimNow['state'] | null; hasLink: boolean; hasFallback: boolean; linkExpiresOn: number | null };
export const claimNow = ({ claimState, hasLink, hasFallback, linkExpiresOn }: Row): { claim?: ClaimNow } =>
  claimState === null ? {} : { claim: { state: claimState, hasLink, hasFallback, ...(linkExpiresOn === null ? {} : { expiresOn: linkExpiresOn }) } };

/**
 * Whether a proof of payment can still count against an order's provider: the order does not count as never filled yet, nor was it counted by a proof
 * that left no other trace. What was pruned is not counted again, and neither is an adopted order.
 */
export const isCountable = sql<boolean>`coalesce(${orders.terms}->>'adopted', '') <> 'true' and coalesce(
  (select coalesce(f.told_receive > 0, f.counted_in = 'none' and ${orders.terms}->>'provenOn' is null) from fills f where f.order_id = ${orders.id}),
  ${orders.terms}->>'provenOn' is null and (${orders.recordedOn} is null or ${orders.stage} = 'refunded'))`;
