/**
 * Why a provider could not answer. `busy`: our own queue to it was full. `gateway-busy`: our own budget of new sessions there was spent.
 * `at-limit`: as many sats are in flight there as the operator allows. In all three nothing was sent, or we did not use the answer.
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
