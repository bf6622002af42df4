import type { CutSignal } from '../domain/cut.ts';
import type { FaultKind } from '../domain/fault-kind.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { ProviderAdapter } from '../providers/spec.ts';
import type { ProviderCore } from './settings.ts';

// ---- providers -------------------------------------------------------------------------------------------------------------------------

/**
 * The classes of calls, each with its own slots, circuit and back-off. `quote`: listings, sessions and prices. `order`: places an order. `claim`:
 * gets the withdrawal link of a paid order. `status`: reads orders. `account`: everything about a customer's account at a provider, except its
 * orders.
 */
export type Operation = 'quote' | 'order' | 'claim' | 'status' | 'account';
export type CallLimits = {
  deadlineMs: number;
  /**
   * Identifies the caller to the circuit breaker. Failed calls with a key count only when calls of enough different callers have failed. Failed calls
   * without a key always count.
   */
  customerKey?: string | undefined;
  /** The customer or session that the call is made for, if any. At first, a 429 holds back only their calls of this class. */
  customer?: string | undefined;
  /** Whether nothing in the call comes from a caller, so that 401 and 403 are about our own credentials. */
  isOwn?: boolean | undefined;
  /** The network whose share of the provider's slots this call uses. */
  network?: string | undefined;
  idempotent: boolean;
  /** Whether this is one request for a price. Only such calls teach the provider's timeout, and only they are bound by it. */
  isPrice?: boolean | undefined;
  /**
   * Whether the call only prepares requests for prices, and so counts neither for nor against the circuit: a provider that opens sessions, but has no
   * prices, must not look healthy, and there may be many more sessions than prices.
   */
  isAhead?: boolean | undefined;
  /** While this returns true, the call may take its whole deadline, however quick this provider usually is. */
  isNeeded?: (() => boolean) | undefined;
};
/** What surrounds every provider call (src/resilience). */
export type Guard = {
  /** `endsOn`: the time after which nobody may wait for the answer any longer, in Unix milliseconds. */
  call<T>(operation: Operation, limits: CallLimits, attempt: (signal: CutSignal, endsOn: number) => Promise<T>): Promise<T>;
  health(): {
    circuits: Record<Operation, 'closed' | 'open' | 'half-open'>;
    /** The circuits that are not closed: since when, in Unix milliseconds, and the fault that opened each. */
    opened: { operation: Operation; on: number; fault: FaultKind }[];
    lastSuccessOn?: number;
    /** The last failure, if no good answer has come since. */
    lastFault?: { kind: FaultKind; on: number };
    retryOn?: number;
    credentialsRefused: boolean;
    /** Since when the provider has refused our credentials, in Unix milliseconds. */
    refusedSince?: number;
  };
};
export type Provider = {
  id: string;
  name: string;
  ramps: readonly Ramp[];
  core: ProviderCore;
  demandsProof: boolean;
  /** The mode in the configuration. `core.mode` follows the operator's switch. */
  configuredMode: ProviderCore['mode'];
  /**
   * Whether the credential variables that the provider's configuration block names are set. Only a provider that is off may lack one, and it
   * then stays off. `none`: the block names no variable.
   */
  credentials: 'none' | 'set' | 'missing';
  /** Whether the gateway can read this provider's prices but not order from it. Such a provider is never `on`. */
  pricesOnly: boolean;
  adapter: ProviderAdapter;
  guard: Guard;
};
