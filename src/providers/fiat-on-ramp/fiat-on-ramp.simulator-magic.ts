/**
 * Magic amounts, like test card numbers: what the customer pays, in hundredths, decides what happens. Only a simulator with the option
 * `magic` obeys them, and only in ways in which real providers behave. docs/sandbox.md says what a wallet sees for each amount.
 */
export const magicAmounts = {
  10_101: 'price-changed',
  10_102: 'declined',
  10_103: 'expired',
  10_104: 'refunded',
  10_105: 'slow-payment',
  10_106: 'review',
  10_107: 'foreign-link',
  10_108: 'lost-answer',
  10_109: 'short-link',
  10_110: 'slow-price',
  10_111: 'slow-order',
} as const;
export type Magic = (typeof magicAmounts)[keyof typeof magicAmounts];

export const magicOf = (amount: unknown): Magic | undefined => (magicAmounts as { [amount: string]: Magic | undefined })[String(amount)];

/** The spread of the prices for magic amounts, in basis points: lower than any other provider's, so that the provider that misbehaves is chosen. */
export const magicSpreadBps = -80;
/**
 * The quote's lifetime under `expired`. By default, the gateway accepts orders until 15 s before the quote expires (`expiry_margin_s`), and excludes
 * binding offers that expire in less than 30 s (`shortest_life_s`).
 */
export const shortLifeMs = 60_000;
/** How long an answer takes under `slow-price` and `slow-order`, in multiples of `autoFillMs`. */
export const slowPriceTimes = 0.6;
export const slowOrderTimes = 2;
/** When the money is seen under `slow-payment`, in multiples of `autoFillMs`. */
export const slowPaymentTimes = 20;

/**
 * Returns the sats that the withdrawal link pays under `short-link`. They fall short of the order by more than the 0.1 % that is tolerated, but by so
 * little that the provider is still ranked first afterwards.
 */
export const shortLink = (sats: number): number => Math.floor(sats * 0.998);

/** Returns whether an order is never paid: the customer was not shown how to pay, or is meant to miss the expiry. */
export const isNeverPaid = (magic: Magic | undefined): boolean =>
  magic === 'price-changed' || magic === 'expired' || magic === 'foreign-link' || magic === 'lost-answer';
