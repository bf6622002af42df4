import type { Ramp } from '../domain/ramp.ts';
import type { ProviderAdapter } from '../providers/spec.ts';
import type { ProviderCore } from './settings.ts';

// ---- providers -------------------------------------------------------------------------------------------------------------------------

export type Operation = 'quote' | 'order' | 'status';
export type CallLimits = {
  deadlineMs: number;
  signal?: AbortSignal;
  /** Whose failures count as one. */
  customerKey?: string;
  /** Who has a share of the places. */
  network?: string;
  idempotent: boolean;
  /** While true, the call may take its whole deadline, however quick this provider usually is. */
  isNeeded?: () => boolean;
};
/** What surrounds every provider call (src/resilience). */
export type Guard = {
  call<T>(operation: Operation, limits: CallLimits, attempt: (signal: AbortSignal) => Promise<T>): Promise<T>;
  health(): { circuits: Record<Operation, 'closed' | 'open' | 'half-open'>; lastSuccessOn?: number; retryOn?: number; off: boolean };
};
export type Provider = { id: string; name: string; ramps: readonly Ramp[]; core: ProviderCore; demandsProof: boolean; adapter: ProviderAdapter; guard: Guard };
