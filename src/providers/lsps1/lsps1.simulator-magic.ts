/**
 * Magic amounts, like test card numbers: the sats on the seller's side decide what happens. Only a simulator with the option `magic`
 * obeys them. docs/sandbox.md says what a wallet sees for each amount.
 */
export const magicAmounts = { 1_000_103: 'expired', 1_000_104: 'refunded', 1_000_105: 'slow' } as const;
export type Magic = (typeof magicAmounts)[keyof typeof magicAmounts];

export const magicOf = (sats: number): Magic | undefined => (magicAmounts as { [sats: string]: Magic | undefined })[String(sats)];

/** The time to pay under `expired`. The gateway accepts a firm price until `accept_margin_s` (120 s) before it expires. The order is not paid. */
export const shortLifeS = 150;
/** How long the channel takes under `slow`, in multiples of `autoPayMs`. */
export const slowTimes = 20;
