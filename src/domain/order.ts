/**
 * The stages of an order, the same for all ramps. An order only rises in rank: awaiting_payment < underpaid < expired < failed < paid < filled <
 * finished. From any of these it may become `refunded`. `review` has no rank: it ends through the operator, or when a read agrees with the stage
 * before it.
 */
export const stages = ['awaiting_payment', 'underpaid', 'expired', 'failed', 'paid', 'filled', 'finished', 'refunded', 'review'] as const;
export type Stage = (typeof stages)[number];

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
