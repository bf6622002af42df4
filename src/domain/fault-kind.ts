/**
 * Why a provider could not answer. `busy`: our own queue to it was full, `gateway-busy`: our own budget of new sessions there was spent, `at-limit`:
 * as much is under way there as the operator allows; nothing was sent, or what it answered was not used.
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
