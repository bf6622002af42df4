/**
 * The three things a customer can do, and the units of each ramp's amounts. `pay` is all that the customer gives, `receive` all that they get. `fiat`
 * is always in hundredths of the fiat unit (FLS01), whatever the currency's ISO exponent; `sats` are whole sats. A ramp that is missing from one of
 * these tables is a compile error.
 */
export type Ramp = 'buy' | 'sell' | 'liquidity';
export type Unit = 'fiat' | 'sats';

export const sides = {
  buy: { pay: 'fiat', receive: 'sats', fee: 'fiat' },
  sell: { pay: 'sats', receive: 'fiat', fee: 'fiat' },
  liquidity: { pay: 'sats', receive: 'sats', fee: 'sats' },
} as const satisfies Record<Ramp, Record<'pay' | 'receive' | 'fee', Unit>>;

/** The API's names of the two amounts, in requests and in limits. */
export const amountNames = {
  buy: { pay: 'amount_fiat', receive: 'amount_sats' },
  sell: { pay: 'amount_sats', receive: 'amount_fiat' },
  liquidity: { pay: 'pay_sats', receive: 'amount_sats' },
} as const satisfies Record<Ramp, Record<'pay' | 'receive', string>>;

export const ramps = Object.keys(sides) as Ramp[]; // `satisfies` above ensures that `sides` has every ramp as a key

/**
 * Whether customers of this ramp withdraw what they bought, unless the provider pushes its payouts. Sats that are not withdrawn stay at the provider,
 * unless the customer named an on-chain address for them in case the withdrawal link expires.
 */
export const isWithdrawn: Record<Ramp, boolean> = { buy: true, sell: false, liquidity: false };

/** Whether the customer has to withdraw this order's sats: not if the provider pushes its payouts. */
export const isClaimed = (ramp: Ramp, payout: 'push' | undefined): boolean => isWithdrawn[ramp] && payout === undefined;

/** Requires one type for each ramp. */
export type PerRamp<T extends Record<Ramp, unknown>> = T;

/** A ramp with fiat on one side and sats on the other, so it has a price. */
export type ExchangeRamp = { [R in Ramp]: 'fiat' extends (typeof sides)[R]['pay' | 'receive'] ? R : never }[Ramp];

export const isExchange = (ramp: Ramp): ramp is ExchangeRamp => sides[ramp].pay !== sides[ramp].receive;

/** Returns whether the amount that the customer fixed is the fiat amount. */
export const isFiatFixed = ({ ramp, fixed }: { ramp: ExchangeRamp; fixed: 'pay' | 'receive' }): boolean => sides[ramp][fixed] === 'fiat';

/** Returns the two amounts by unit instead of by side. */
export const fiatAndSats = <T>(ramp: ExchangeRamp, { pay, receive }: { pay: T; receive: T }): { fiat: T; sats: T } =>
  sides[ramp].pay === 'fiat' ? { fiat: pay, sats: receive } : { fiat: receive, sats: pay };

/** Returns the fiat without the fee, and the sats exchanged for it. The price that the provider really used is fiat / sats. */
export const exchanged = (ramp: ExchangeRamp, { pay, receive, fee }: { pay: bigint; receive: bigint; fee: bigint }): { fiat: bigint; sats: bigint } =>
  sides[ramp].pay === 'fiat' ? { fiat: pay - fee, sats: receive } : { fiat: receive + fee, sats: pay };

/** How the customer's money travels, which decides how long it takes to arrive. */
export type PaymentMethod = 'instant' | 'card' | 'bank_transfer';
