/** Why a provider could not answer. */
export type FaultKind = 'timeout' | 'unreachable' | 'rate-limited' | 'rejected-credentials' | 'malformed' | 'server' | 'circuit-open';
