/**
 * When bought sats that the customer withdraws may be lost: the one definition, for the operator's lists, their commands and the provider's record.
 */
import { isDelivered } from './order-life.ts';
import type { Stage } from './order.ts';
import { isClaimed, type Ramp } from './ramp.ts';

/** Stored as a link's expiry if the provider's expiry cannot be read. */
export const unreadEnd = 0;

/**
 * A provider says itself how long its link lives. So this long after the customer first asked for one, that no longer stands in the way of a proof
 * against the provider, however often it has given another link since.
 */
export const longestLinkMs = 3 * 86_400_000;

/**
 * What decides about an order's withdrawal. `isUnlost`: no answer to a request for the link can have been lost. `hasFallback`: requests for the link
 * name an on-chain address. `createdOn`: when the customer first asked for a link.
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

/** Returns whether we hold a link that its provider says can still be used, and the customer asked for one not long ago. */
const isLinkValid = (claim: ClaimNow | undefined, now: number): boolean => claim?.hasLink === true && (endOf(claim) ?? 0) > now && !isOld(claim, now);

/**
 * Returns whether the sats of a delivered order may be lost, so that a proof of payment counts against its provider. Either we hold no link, so that
 * nobody can have withdrawn them, and the provider says that somebody did, or refuses a link. Or the link that we hold is over: it may never have
 * paid. A link without a known end is over once the provider says that the sats were withdrawn. Long after the customer asked, the provider's word
 * about its link no longer counts.
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
 * Returns whether there may be a link that pays this customer. It may do so after its end, too, and one that we do not hold may pay to the fallback
 * address, or be missing in a backup (`linkUnknown`).
 */
export const mayHaveLink = ({ claim, linkUnknown }: { claim?: ClaimNow | undefined; linkUnknown?: boolean | undefined }): boolean =>
  linkUnknown === true || (claim !== undefined && (claim.hasLink || claim.isUnlost !== true));

/** Returns whether the customer cannot name another fallback address, although no link was given with this one. */
export const isFallbackLocked = ({ stage, claim }: BoughtNow): boolean =>
  stage === 'filled' && claim !== undefined && claim.hasFallback && !claim.hasLink && (claim.state === 'review' || claim.state === 'sending');
