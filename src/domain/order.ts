/**
 * One life for all ramps. Ranks only rise: awaiting_payment < underpaid < expired < failed < paid < filled < finished. Any of them may become
 * `refunded`. `review` has no rank; the operator, or a read that agrees, ends it.
 */
export const stages = ['awaiting_payment', 'underpaid', 'expired', 'failed', 'paid', 'filled', 'finished', 'refunded', 'review'] as const;
export type Stage = (typeof stages)[number];

/** FLS01's four words. */
export const orderStatuses = ['placed', 'filled', 'finished', 'refunded'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/**
 * The life of an order attempt, apart from the order's. `declined`: the provider refused it or made a worse order, and the quote is used up.
 * `moved`: the request continues with the next rank.
 */
export const intentStates = ['prepared', 'sending', 'confirmed', 'unknown', 'unpayable', 'dead', 'review', 'rejected', 'declined', 'moved'] as const;
export type IntentState = (typeof intentStates)[number];

/** Whether a provider answers a second POST of one quote with the same order, a refusal, or a second order. */
export type RepostProfile = 'same' | 'rejects' | 'duplicates' | 'unknown';
