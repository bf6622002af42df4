import { defined } from '../domain/defined.ts';
import type { FaultKind } from '../domain/fault-kind.ts';

/**
 * Thrown when there is no usable answer from a provider. Only the code that throws the fault decides whether a retry may help. `taken` says whether
 * the request may have changed something at the provider: `no` only if it certainly changed nothing, because it was not sent or the provider refused
 * it; otherwise `maybe`.
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

const rethrownAs = async <T>(taken: ProviderFault['taken'], reading: Promise<T>): Promise<T> => {
  try {
    return await reading;
  } catch (fault) {
    if (!(fault instanceof ProviderFault) || fault.taken === taken) throw fault;
    const { kind, message, retryable, retryAfterMs, status } = fault;
    throw new ProviderFault(kind, message.slice(kind.length + 2), { retryable, taken, cause: fault, ...defined({ retryAfterMs, status }) });
  }
};
/**
 * Waits for a request that must be made before the one that changes something. If it fails with a ProviderFault, rethrows that with `taken: 'no'`,
 * because the second request was not sent.
 */
export const beforehand = async <T>(reading: Promise<T>): Promise<T> => await rethrownAs('no', reading);
/**
 * Waits for a request that is made after one that may have changed something. If it fails with a ProviderFault, rethrows that with `taken: 'maybe'`:
 * a refusal of this request says nothing about the first one.
 */
export const afterwards = async <T>(reading: Promise<T>): Promise<T> => await rethrownAs('maybe', reading);

/**
 * Checks an order that exists at the provider. A ProviderFault that `judge` throws is rethrown with the order's id and with `status`, the status of
 * the response that contained the order.
 */
export const namingOrder = <T>(orderMade: string, judge: () => T, status?: number): T => {
  try {
    return judge();
  } catch (fault) {
    if (!(fault instanceof ProviderFault)) throw fault;
    const { kind, message, retryable } = fault;
    throw new ProviderFault(kind, message.slice(kind.length + 2), { retryable, orderMade, cause: fault, ...defined({ status }) });
  }
};

/**
 * Thrown when our queue for a provider, or the share of it that one IP network may use, is full, or when a call has waited in the queue for too long.
 * Nothing was sent, so the fault says nothing about the provider.
 */
export class ProviderBusy extends ProviderFault {
  constructor() {
    super('busy', 'too many calls to this provider are in progress', { taken: 'no' });
    this.name = 'ProviderBusy';
  }
}
