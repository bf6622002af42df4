/**
 * Magic amounts, like test card numbers: the sats on the seller's side decide what happens. Only a simulator with the option `magic` obeys them. They
 * are the same as the other sellers', so that a wallet sees the same from every seller.
 */
export const magicAmounts = { 1_000_103: 'expired', 1_000_104: 'refunded', 1_000_105: 'slow' } as const;
export type Magic = (typeof magicAmounts)[keyof typeof magicAmounts];

export const magicOf = (sats: number): Magic | undefined => (magicAmounts as { [sats: string]: Magic | undefined })[String(sats)];

/** The life of an order that is not paid (`expired`), or paid and never opened (`refunded`). */
export const shortLifeS = 150;
/** How long after the order a channel can be opened under `slow`, in multiples of `autoPayMs`. */
export const slowTimes = 20;
