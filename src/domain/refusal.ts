/** Why a provider will not serve a request that it understood. A refusal is data, never an error. */
export type RefusalReason =
  | 'below-minimum'
  | 'above-maximum'
  | 'currency-unsupported'
  | 'option-unsupported'
  | 'proof-required'
  | 'account-required'
  | 'kyc-required'
  | 'country-restricted'
  | 'peer-not-connected'
  | 'lease-unsupported'
  | 'price-needs-order'
  | 'order-pending'
  | 'busy'
  | 'declined'
  | 'fee-unresolved'
  | 'quota-used'
  | 'off-step'
  | 'payment-method-unsupported';

/** Limits are in the unit of the request that was refused: `pay` or `receive` of the ramp. */
export type Limits = { minPay?: bigint; maxPay?: bigint; minReceive?: bigint; maxReceive?: bigint };

export type Refusal = { reason: RefusalReason; limits?: Limits; connectTo?: string; note?: string };
