/** The three things a customer can do. */
export type Ramp = 'buy' | 'sell' | 'liquidity';

/**
 * The unit of every amount of an offer or order, by ramp. `hundredth` is 1/100 of the fiat unit (FLS01), always,
 * whatever the currency's ISO exponent; `sat` is one satoshi.
 *
 * | ramp      | pay       | receive   | fee       |
 * | buy       | hundredth | sat       | hundredth |
 * | sell      | sat       | hundredth | hundredth |
 * | liquidity | sat       | sat       | sat       |
 */
export type Unit = 'hundredth' | 'sat';

export const units: Record<Ramp, { pay: Unit; receive: Unit; fee: Unit }> = {
  buy: { pay: 'hundredth', receive: 'sat', fee: 'hundredth' },
  sell: { pay: 'sat', receive: 'hundredth', fee: 'hundredth' },
  liquidity: { pay: 'sat', receive: 'sat', fee: 'sat' },
};

/** How the customer's money travels; decides how long it takes to arrive. */
export type PaymentMethod = 'instant' | 'card' | 'bank_transfer';
