/**
 * Decides when bought sats that the customer must withdraw may be lost. The operator's lists and commands and the provider's record all use this one
 * definition.
 */
import { isDelivered } from './order-life.ts';
import type { Stage } from './order.ts';
import { isClaimed, type Ramp } from './ramp.ts';

/** Stored as a link's expiry if the provider's expiry cannot be read. */
export const unreadEnd = 0;

/**
 * While we hold a link that the provider calls valid, a proof of payment does not count against the provider, but only until this much time has
 * passed since the customer first asked for a link. Without this limit, a provider could put off the proof for ever by giving new links.
 */
export const longestLinkMs = 3 * 86_400_000;

/**
 * What these decisions need to know about the state of an order's withdrawal. `isUnlost`: no answer to a request for the link can have been lost.
 * `hasFallback`: requests for the link name an on-chain address. `createdOn`: when the customer first asked for a link.
 */
export type ClaimNow = {
  state: 'sending' | 'held' | 'review' | 'refused';
  attempt: number;
  isUnlost?: boolean;
  hasLink: boolean;
  hasFallback: boolean;
  createdOn: number;
  expiresOn?: number;
};
export type BoughtNow = { stage?: Stage | undefined; finishedUnlinked?: boolean | undefined; claim?: ClaimNow | undefined };

const endOf = ({ expiresOn }: ClaimNow): number | undefined => (expiresOn === unreadEnd ? undefined : expiresOn);

const isOld = ({ createdOn }: ClaimNow, now: number): boolean => createdOn + longestLinkMs <= now;

/** Returns whether we hold a link that its provider says can still be used, and the customer first asked for one less than `longestLinkMs` ago. */
const isLinkValid = (claim: ClaimNow | undefined, now: number): boolean => claim?.hasLink === true && (endOf(claim) ?? 0) > now && !isOld(claim, now);

/**
 * Returns whether the sats of a delivered order may be lost, so that a proof of payment counts against its provider. They may be lost in these cases:
 * - We hold no link and the order is `filled`, but the provider says that the sats were withdrawn, or the request for a link was refused or is in
 *   review.
 * - Our link has expired, and may never have paid. A link without a known expiry counts as expired once the provider says that the sats were
 *   withdrawn.
 * - The customer first asked for a link `longestLinkMs` ago or earlier. Then the provider's word about its link no longer counts.
 */
export const mayBeLost = ({ stage, finishedUnlinked, claim }: BoughtNow, now: number): boolean => {
  if (!isDelivered(stage)) return false;
  if (claim && isOld(claim, now)) return true;
  if (claim?.hasLink === true) return (endOf(claim) ?? (stage === 'finished' ? 0 : Infinity)) <= now;
  return stage === 'filled' && (finishedUnlinked === true || claim?.state === 'review' || claim?.state === 'refused');
};

/** Returns whether an operator may end a filled order whose customer was paid in another way: not while its link is valid. */
export const mayBeEnded = ({ ramp, payout, stage, claim }: BoughtNow & { ramp: Ramp; payout?: 'push' | undefined }, now: number): boolean =>
  stage === 'filled' && isClaimed(ramp, payout) && !isLinkValid(claim, now);

/**
 * Returns whether a link that pays this customer may exist. An expired link may still pay. An answer that was lost may have contained a link, which
 * may pay to the fallback address. A link may also be missing from the backup that was restored (`linkUnknown`).
 */
export const mayHaveLink = ({ claim, linkUnknown }: { claim?: ClaimNow | undefined; linkUnknown?: boolean | undefined }): boolean =>
  linkUnknown === true || (claim !== undefined && (claim.hasLink || claim.isUnlost !== true));

/** Returns whether the customer can no longer change the fallback address that they named, although we hold no link that was given with it. */
export const isFallbackLocked = ({ stage, claim }: BoughtNow): boolean =>
  stage === 'filled' && claim !== undefined && claim.hasFallback && !claim.hasLink && (claim.state === 'review' || claim.state === 'sending');
