/**
 * Why we have no answer from a provider. `busy`: our own queue for it was full. `gateway-busy`: our own budget for opening sessions at it was
 * spent. `at-limit`: as many sats are in flight at it as the operator allows. In these three cases nothing was sent, or we did not use the answer.
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
