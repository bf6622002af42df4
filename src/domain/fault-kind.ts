/** Why a provider could not answer. `busy`: our own queue to it was full, `gateway-busy`: our own budget of new sessions there was spent; nothing was sent. */
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
] as const;
export type FaultKind = (typeof faultKinds)[number];
