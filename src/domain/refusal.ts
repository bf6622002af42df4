/** Why a provider will not serve a request that it understood. A refusal is data, not an error. */
export const refusalReasons = [
  'below-minimum',
  'above-maximum',
  'currency-unsupported',
  'option-unsupported',
  'proof-required',
  'account-required',
  'kyc-required',
  'country-restricted',
  'peer-not-connected',
  'lease-unsupported',
  'price-needs-order',
  'order-pending',
  'busy',
  'declined',
  'fee-unresolved',
  'quota-used',
  'off-step',
  'payment-method-unsupported',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** Limits are in the unit of the request that was refused: `pay` or `receive` of the ramp. */
export type Limits = { minPay?: bigint; maxPay?: bigint; minReceive?: bigint; maxReceive?: bigint };

/**
 * Says what exactly is wrong, where the reason alone does not show what would help. Every adapter uses these words. gateway/refusal-problem.ts
 * maps each to its problem; one without does not compile.
 */
export type RefusalNote =
  // What the customer wrote.
  | 'email-invalid'
  | 'email-refused'
  | 'key-invalid'
  | 'key-refused'
  | 'name-invalid'
  | 'bic-invalid'
  | 'iban-invalid'
  | 'beneficiary-name-invalid'
  | 'username-invalid'
  | 'address-invalid'
  | 'invoice-unsuitable'
  | 'network-unsupported'
  | 'refund-address-required'
  | 'client-ipv4-required'
  // The account and its connections.
  | 'needs-reconnect'
  | 'connection-required'
  | 'connection-unsuitable'
  | 'connection-not-active'
  | 'connection-not-found'
  | 'connection-initiating'
  | 'connection-name-taken'
  | 'connection-refused'
  | 'username-taken'
  | 'no-code-expected'
  | 'code-refused'
  | 'resend-refused'
  | 'cancel-refused'
  | 'address-refused'
  | 'address-not-payable'
  // The order.
  | 'order-refused'
  | 'attempts-used'
  | 'reservation-ended'
  | 'price-moved'
  | 'out-of-stock'
  | 'not-on-sale'
  | 'node-not-listed'
  | 'orders-not-listed'
  // The operator's configuration.
  | 'token-refused'
  | 'proof-not-configured';

export type Refusal = {
  reason: RefusalReason;
  limits?: Limits;
  connectTo?: string;
  note?: RefusalNote;
  /** More for human readers, kept with the route: the provider's code, or the nearest amounts. */
  detail?: string;
  /** The id of an order that the provider made all the same. It counts against the limits, and is kept with the route. */
  orderMade?: string;
};
