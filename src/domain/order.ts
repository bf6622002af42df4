/**
 * One life for all ramps. Ranks only rise: awaiting_payment < underpaid < expired < failed < paid < filled < finished; `refunded` from any;
 * `review` stands outside and is left by the operator or an agreeing read.
 */
export const stages = ['awaiting_payment', 'underpaid', 'expired', 'failed', 'paid', 'filled', 'finished', 'refunded', 'review'] as const;
export type Stage = (typeof stages)[number];

/** FLS01's four words. */
export const orderStatuses = ['placed', 'filled', 'finished', 'refunded'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/**
 * The life of the placing itself, apart from the order's (RELIABILITY 3.1). `declined`: the provider refused it or made a worse order, and the
 * quote is used up; `moved`: the request goes on with the next rank.
 */
export const intentStates = ['prepared', 'sending', 'confirmed', 'unknown', 'unpayable', 'dead', 'review', 'rejected', 'declined', 'moved'] as const;
export type IntentState = (typeof intentStates)[number];

/** Whether a provider answers a second POST of the same quote with the same order, refuses it, or makes a second order. */
export type RepostProfile = 'same' | 'rejects' | 'duplicates' | 'unknown';
