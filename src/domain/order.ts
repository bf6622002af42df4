/**
 * One life for all ramps. Ranks only rise: awaiting_payment < underpaid < expired < failed < paid < filled < finished; `refunded` from any;
 * `review` stands outside and is left by the operator or an agreeing read.
 */
export type Stage = 'awaiting_payment' | 'underpaid' | 'expired' | 'failed' | 'paid' | 'filled' | 'finished' | 'refunded' | 'review';

/** FLS01's four words. */
export type OrderStatus = 'placed' | 'filled' | 'finished' | 'refunded';

/**
 * The life of the placing itself, apart from the order's (RELIABILITY 3.1). `declined`: the provider refused it or made a worse order, and the
 * quote is used up; `moved`: the request goes on with the next rank.
 */
export type IntentState = 'prepared' | 'sending' | 'confirmed' | 'unknown' | 'unpayable' | 'dead' | 'review' | 'rejected' | 'declined' | 'moved';

/** Whether a provider answers a second POST of the same quote with the same order, refuses it, or makes a second order. */
export type RepostProfile = 'same' | 'rejects' | 'duplicates' | 'unknown';
