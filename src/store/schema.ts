/**
 * All state that instances share. Amounts of orders are integers in the ramp's units (domain/ramp.ts); times are Unix milliseconds in the code.
 * Whatever names a person or is worth stealing is in a `sealed` column, or only its hash is stored.
 */
export { accounts, connections, settlements } from './account-schema.ts';
export { currencies, lastPrices, listings, paymentOptions } from './catalogue-schema.ts';
export { deliveries, notices } from './delivery-schema.ts';
export { countedHours, hourlyFigures, instances, partialFigures } from './figure-schema.ts';
export { dailyUses, idempotencyKeys, operatorActions, switches } from './operation-schema.ts';
export { claims, intents, orderEvents, orders, routes } from './order-schema.ts';
export { receiptDays, receiptKeys, receipts } from './receipt-schema.ts';
export { fills, recordBroken, recordEstimates } from './record-schema.ts';
export { referencePrices } from './reference-schema.ts';
export { customers, providerSessions, sessions } from './session-schema.ts';
