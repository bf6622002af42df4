/**
 * Magic amounts, like test card numbers: the sats on the seller's side decide what happens. Only a simulator with the option `magic` obeys them. An
 * amount that other simulated sellers obey, too, means the same there.
 */
export const magicAmounts = { 1_000_103: 'expired', 1_000_104: 'refunded', 1_000_105: 'slow' } as const;
export type Magic = (typeof magicAmounts)[keyof typeof magicAmounts];

export const magicOf = (sats: number): Magic | undefined => (magicAmounts as { [sats: string]: Magic | undefined })[String(sats)];

/** The life of an order that is not paid (`expired`), or that is paid and whose channel is never opened (`refunded`). */
export const shortLifeS = 150;
/** Under `slow`, the time from the order until its channel can be opened at the earliest, in multiples of `autoPayMs`. */
export const slowTimes = 20;
