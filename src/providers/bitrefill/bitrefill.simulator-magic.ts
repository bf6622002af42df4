/**
 * Magic amounts, like test card numbers: the sats bought decide what happens. Only a simulator with the option `magic` obeys them.
 * docs/sandbox.md says what a wallet sees for each amount.
 */
export const magicAmounts = {
  1_000_101: 'price-changed',
  1_000_102: 'declined',
  1_000_104: 'refunded',
  1_000_105: 'slow',
  1_000_106: 'underpaid',
} as const;
export type Magic = (typeof magicAmounts)[keyof typeof magicAmounts];

export const magicOf = (value: string): Magic | undefined => (magicAmounts as { [sats: string]: Magic | undefined })[value];

/** How much more than the quoted price an order costs under `price-changed`, in basis points. */
export const jumpBps = 500;
/** How long the delivery takes under `slow`, in multiples of `deliver`. */
export const slowTimes = 40;
