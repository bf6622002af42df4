import type { Ramp } from '../domain/ramp.ts';
import type { ProviderAdapter } from '../providers/spec.ts';
import type { ProviderCore } from './settings.ts';

// ---- providers -------------------------------------------------------------------------------------------------------------------------

export type Operation = 'quote' | 'order' | 'status';
export type CallLimits = {
  deadlineMs: number;
  signal?: AbortSignal;
  /** The caller for the circuit breaker: failures open a circuit only once enough different callers have had them. */
  customerKey?: string;
  /** The network to whose share of the provider's slots this call belongs. */
  network?: string;
  idempotent: boolean;
  /** While this returns true, the call may take its whole deadline, however quick this provider usually is. */
  isNeeded?: () => boolean;
};
/** What surrounds every provider call (src/resilience). */
export type Guard = {
  call<T>(operation: Operation, limits: CallLimits, attempt: (signal: AbortSignal) => Promise<T>): Promise<T>;
  health(): { circuits: Record<Operation, 'closed' | 'open' | 'half-open'>; lastSuccessOn?: number; retryOn?: number; off: boolean };
};
export type Provider = { id: string; name: string; ramps: readonly Ramp[]; core: ProviderCore; demandsProof: boolean; adapter: ProviderAdapter; guard: Guard };
