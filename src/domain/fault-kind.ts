/**
 * Why we have no usable answer from a provider. For three of the kinds, the cause is in the gateway, not at the provider:
 * - `busy`: for example, our queue for the provider or the caller's share of that queue was full, or the call waited in the queue too long.
 * - `gateway-busy`: our own budget for opening sessions at the provider was spent.
 * - `at-limit`: with this order, more sats would be in flight at the provider than the operator allows, so we did not ask it or did not use its answer.
 */
export const faultKinds = [
  'timeout',
  'unreachable',
  'rate-limited',
  'rejected-credentials',
  'malformed',
  'server',
  'circuit-open',
  'busy',
  'gateway-busy',
  'at-limit',
] as const;
export type FaultKind = (typeof faultKinds)[number];
