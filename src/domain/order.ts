/**
 * The stages of an order, the same for all ramps. A provider's reports only raise the rank: awaiting_payment < expired < failed < underpaid < paid <
 * filled < finished. Any of these may become `refunded`. `review` has no rank. The operator ends it, and so, in most cases, does a read whose stage
 * ranks at least as high as the stage before the review.
 */
export const stages = ['awaiting_payment', 'underpaid', 'expired', 'failed', 'paid', 'filled', 'finished', 'refunded', 'review'] as const;
export type Stage = (typeof stages)[number];

/**
 * Why an order is in review.
 * - `paid-not-delivered`: money arrived, and the provider neither delivers nor refunds it.
 * - `contradiction`: the provider reports what cannot be true.
 * - `unclear`: what the provider says cannot be attributed or read.
 * - `twin`: the provider gave two orders the same id.
 * - `unsafe-link`: the provider gave a link for the payment, the withdrawal or the redemption that is not on one of its own hosts.
 */
export const reviewReasons = ['paid-not-delivered', 'contradiction', 'unclear', 'twin', 'unsafe-link'] as const;
export type ReviewReason = (typeof reviewReasons)[number];

/** FLS01's four words for the status of an order. */
export const orderStatuses = ['placed', 'filled', 'finished', 'refunded'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/**
 * The states of an order attempt, which are not the stages of an order. `declined`: the attempt ended with a refusal for good, so its quote is used
 * up. `rejected`: the provider did not take the order, but the quote can be ordered again. `moved`: the request continues with an attempt for the
 * offer at the next rank.
 */
export const intentStates = ['prepared', 'sending', 'confirmed', 'unknown', 'unpayable', 'dead', 'review', 'rejected', 'declined', 'moved'] as const;
export type IntentState = (typeof intentStates)[number];

/** How a provider answers a second POST of the same quote: with the same order, with a refusal, or by making a second order. */
export type RepostProfile = 'same' | 'rejects' | 'duplicates' | 'unknown';
