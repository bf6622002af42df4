/**
 * Magic amounts, like test card numbers: the sats sold decide what happens. Only a simulator with the option `magic` obeys them.
 * docs/sandbox.md says what a wallet sees for each amount.
 */
export const magicAmounts = {
  250_101: 'pays-less',
  250_102: 'declined',
  250_103: 'expired',
  250_104: 'failed',
  250_105: 'slow',
} as const;
export type Magic = (typeof magicAmounts)[keyof typeof magicAmounts];

export const magicOf = (sats: bigint): Magic | undefined => (magicAmounts as { [sats: string]: Magic | undefined })[sats.toString()];

/** The lifetime of an invoice under `expired`. Such an invoice is not paid. */
export const shortLifeS = 60;
/** How long the conversion takes under `slow`, in multiples of `convertMs`. */
export const slowTimes = 40;
/** Returns what arrives under `pays-less`: 5 % less. */
export const lessOf = (cents: bigint): bigint => (cents * 95n) / 100n;
