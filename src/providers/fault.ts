import type { FaultKind } from '../domain/fault-kind.ts';

/**
 * A provider could not answer. Only the place that creates the fault decides whether a retry may help. `taken` says what we know about a call
 * that changes something upstream. It is `no` only if the request certainly had no effect: it never left, or the provider refused it. Otherwise
 * it is `maybe`.
 */
export class ProviderFault extends Error {
  readonly kind: FaultKind;
  readonly retryable: boolean;
  readonly taken: 'no' | 'maybe';
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  /** The id of the order that was made, if the answer named one. */
  readonly orderMade: string | undefined;
  constructor(
    kind: FaultKind,
    note: string,
    more: { retryable?: boolean; taken?: 'no' | 'maybe'; retryAfterMs?: number; status?: number; orderMade?: string; cause?: unknown } = {},
  ) {
    super(`${kind}: ${note}`, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ProviderFault';
    this.kind = kind;
    this.retryable = more.retryable ?? (kind !== 'malformed' && kind !== 'rejected-credentials');
    this.taken = more.taken ?? 'maybe';
    this.retryAfterMs = more.retryAfterMs;
    this.status = more.status;
    this.orderMade = more.orderMade;
  }
}

/** Our own queue to this provider is full. Nothing was sent, and it says nothing about the provider. */
export class ProviderBusy extends ProviderFault {
  constructor() {
    super('busy', 'too many calls to this provider are in progress', { taken: 'no' });
    this.name = 'ProviderBusy';
  }
}
