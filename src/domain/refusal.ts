/** Why a provider will not serve a request that it has understood, or why the gateway does not ask it. A refusal is data, not an error. */
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
  'payout-required',
  'payout-unsupported',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** A provider's limits on what the customer pays and receives, in the ramp's units. */
export type Limits = { minPay?: bigint; maxPay?: bigint; minReceive?: bigint; maxReceive?: bigint };

/**
 * Says exactly what is wrong, for refusals whose reason alone does not show what would help. All adapters use these words. gateway/refusal-problem.ts
 * maps each note to its problem; a note that is missing there does not compile.
 */
export type RefusalNote =
  // What the customer entered.
  | 'email-invalid'
  | 'email-refused'
  | 'key-invalid'
  | 'key-refused'
  | 'key-of-another'
  | 'phone-refused'
  | 'payout-refused'
  | 'address-known'
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
  | 'amount-crowded'
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
  /** More for human readers, such as the provider's own code, or the nearest amounts that the provider would accept. */
  detail?: string;
  /**
   * The URL of a page of the provider that the customer must visit, for example to identify themselves. The URL is a bearer secret: only the problem
   * for the customer shows it, and code that stores or logs a refusal leaves it out. callProvider drops a link that does not lead to one of the
   * provider's `payment_hosts`.
   */
  actionUrl?: string;
  /**
   * The id of an order that the provider made although it refused. If the request was for a firm price, the order still counts against the daily
   * limits.
   */
  orderMade?: string;
};

/** Returns the refusal as it may be stored, and shown to people other than its customer. */
export const withoutActionUrl = ({ actionUrl: _bearer, ...refusal }: Refusal): Refusal => refusal;
