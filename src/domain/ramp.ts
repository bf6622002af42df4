/**
 * The three things a customer can do. Amounts of offers and orders are integers in the units of their ramp; `hundredth` is 1/100 of the fiat
 * unit (FLS01), always, whatever the currency's ISO exponent:
 *
 * | ramp      | pay       | receive   | fee       |
 * |-----------|-----------|-----------|-----------|
 * | buy       | hundredth | sat       | hundredth |
 * | sell      | sat       | hundredth | hundredth |
 * | liquidity | sat       | sat       | sat       |
 */
export type Ramp = 'buy' | 'sell' | 'liquidity';

/** How the customer's money travels; decides how long it takes to arrive. */
export type PaymentMethod = 'instant' | 'card' | 'bank_transfer';
