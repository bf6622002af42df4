/**
 * One life for all ramps. Ranks only rise: awaiting_payment < expired < failed < underpaid < paid < filled < finished. Any of them may become
 * `refunded`. `review` has no rank; the operator, or a read that agrees, ends it.
 */
export const stages = ['awaiting_payment', 'underpaid', 'expired', 'failed', 'paid', 'filled', 'finished', 'refunded', 'review'] as const;
export type Stage = (typeof stages)[number];

/**
 * Why an order is in review. `paid-not-delivered`: money arrived, and the provider neither delivers nor refunds it. `contradiction`: it reports what
 * cannot be true. `unclear`: what it says cannot be attributed or read. `twin`: it gave two orders one id. `unsafe-link`: it pays out by a link to
 * another company's host.
 */
export const reviewReasons = ['paid-not-delivered', 'contradiction', 'unclear', 'twin', 'unsafe-link'] as const;
export type ReviewReason = (typeof reviewReasons)[number];

/** FLS01's four words. */
export const orderStatuses = ['placed', 'filled', 'finished', 'refunded'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/**
 * The states of an order attempt, which are not the stages of an order. `declined`: the provider refused the order or made it at a worse price,
 * and the quote is used up. `moved`: the request continues with the next rank's attempt.
 */
export const intentStates = ['prepared', 'sending', 'confirmed', 'unknown', 'unpayable', 'dead', 'review', 'rejected', 'declined', 'moved'] as const;
export type IntentState = (typeof intentStates)[number];

/** How a provider answers a second POST of the same quote: with the same order, with a refusal, or by making a second order. */
export type RepostProfile = 'same' | 'rejects' | 'duplicates' | 'unknown';
