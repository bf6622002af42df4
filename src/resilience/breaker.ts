/**
 * The circuit breaker: opossum on our clock. On Workers a timer ends with the request that started it, so opossum's own window would never rotate
 * there, and an open circuit would never half-open. So we do both when a call comes in, and start no timer.
 *
 * To opossum, every call that is not a failure speaks for the provider. So we report a call only after it has ended, and only if it says
 * something about the provider: otherwise a customer who keeps failing, or a 429, would make a dead provider look healthy. While the circuit is
 * closed, a good answer changes nothing but a number, so good answers are added to opossum's window only before it rotates or is judged.
 */
import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { FaultKind } from '../domain/fault-kind.ts';
import { ProviderFault } from '../providers/fault.ts';
import { createRecentCallers } from './recent-callers.ts';

export type BreakerSettings = {
  volumeThreshold: number;
  errorPercent: number;
  windowMs: number;
  resetMs: number;
  resetMaxMs: number;
  /** While the circuit is open, lets one call pass every `resetMs` (± 20 %), even if earlier ones failed or hang. */
  neverRefuse?: boolean;
};
export type BreakerState = 'closed' | 'open' | 'half-open';
export type Breaker = {
  /**
   * Lets a call pass, and returns its circuit for `answered` or `failed`. Throws the ProviderFault `circuit-open` if the call is refused; nothing has
   * been sent then (`taken: 'no'`).
   */
  enter(customerKey?: string): Circuit;
  /**
   * Notes a good answer. Returns undefined if the call's circuit is still in use and closed. Otherwise returns a promise; once that resolves, the
   * breaker may be closed again.
   */
  answered(circuit: Circuit): Promise<void> | undefined;
  /**
   * Notes a failure, or that the call said nothing about the provider (a `fault` that does not count, or none). While the circuit is closed, the
   * failures of calls with a `customerKey` count only once enough different customers have had them.
   */
  failed(circuit: Circuit, fault: unknown, customerKey?: string): Promise<void>;
  state(): BreakerState;
  /** Returns when the next probe may be sent, or undefined if the circuit is closed. */
  retryOn(): number | undefined;
  /** Returns when the circuit opened, and the fault that opened it. Returns undefined while it is closed. */
  opened(): { on: number; fault: FaultKind } | undefined;
};

const buckets = 10;
/** How long to wait for a probe's outcome. It may never come: on Workers, the request that sent the probe may have been cut off. */
const probePatienceMs = 30_000;
/** How many customers with failed probes are remembered. */
const mostProbers = 1_000;
const counted = new Set(['timeout', 'unreachable', 'server', 'malformed']);

type Outcome = 'good' | 'bad';
export type Circuit = CircuitBreaker<[Outcome], void>;

export const createBreaker = (settings: BreakerSettings, clock: { now: () => number; random: () => number }): Breaker => {
  const { now, random } = clock;
  /** Good answers on the closed circuit that are not in opossum's window yet. */
  let goodAnswers = 0;
  let rotator = new EventEmitter();
  let circuit = make(false);
  let rotatedOn = now();
  const customers = createRecentCallers(settings.windowMs);
  let timesOpened = 0;
  let probeFrom = 0;
  /** The customers whose probes have failed since the circuit opened, oldest first. */
  const failedProbers = new Set<string>();
  let probeSince: number | undefined;
  let opened: { on: number; fault: FaultKind } | undefined;
  let lastCounted: FaultKind = 'server';

  function make(halfOpen: boolean): Circuit {
    goodAnswers = 0;
    rotator = new EventEmitter();
    const made: Circuit = new CircuitBreaker((outcome) => (outcome === 'good' ? Promise.resolve() : Promise.reject(new Error(outcome))), {
      timeout: false,
      volumeThreshold: settings.volumeThreshold,
      errorThresholdPercentage: settings.errorPercent,
      rollingCountTimeout: settings.windowMs,
      rollingCountBuckets: buckets,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: rotator,
      ...(halfOpen ? { state: { enabled: true, closed: false, halfOpen: true, open: false, warmUp: false, shutdown: false } } : {}),
    });
    // opossum's own listener would start its reset timer.
    made.removeAllListeners('open');
    made.on('open', () => {
      timesOpened += 1;
      opened ??= { on: now(), fault: lastCounted };
      wait(settings.neverRefuse === true ? 1 : timesOpened);
    });
    made.on('close', () => {
      timesOpened = 0;
      opened = undefined;
      probeSince = undefined;
      failedProbers.clear();
    });
    return made;
  }

  /** Allows no probe for `n` reset times (at most `resetMaxMs`), ± 20 %. */
  function wait(n: number): void {
    probeFrom = now() + Math.round(Math.min(settings.resetMs * n, settings.resetMaxMs) * (0.8 + 0.4 * random()));
    probeSince = undefined;
  }

  const counts = (fault: unknown, customer: string | undefined, at: number): boolean => {
    if (!(fault instanceof ProviderFault) || !counted.has(fault.kind)) return false;
    if (customer === undefined || !circuit.closed) return true;
    // One customer's failures must not open the circuit for everyone. Failures do not count until as many customers have had them as the volume
    // threshold says.
    return customers.note(customer, at) >= settings.volumeThreshold;
  };

  const addGoodAnswers = (): void => {
    const [bucket] = circuit.status.window;
    if (bucket) {
      bucket.fires += goodAnswers;
      bucket.successes += goodAnswers;
    }
    goodAnswers = 0;
  };

  const rotate = (at: number): void => {
    const slice = settings.windowMs / buckets;
    // If the clock was set back, entries with later times would stay for hours, so they are dropped.
    if (at < rotatedOn) {
      rotatedOn = at;
      probeFrom = Math.min(probeFrom, at + settings.resetMaxMs);
      if (probeSince !== undefined && probeSince > at) probeSince = undefined;
      customers.clear();
    }
    if (at - rotatedOn >= slice) {
      addGoodAnswers();
      for (let n = Math.min(buckets, Math.floor((at - rotatedOn) / slice)); n > 0; n -= 1) rotator.emit('rotate');
      rotatedOn = at - ((at - rotatedOn) % slice);
    }
  };

  const admit = (at: number, customer: string | undefined): void => {
    // A customer whose probe failed waits longer, so that others go first. Otherwise customers whose calls always fail could keep the circuit open
    // for everyone.
    const from = customer !== undefined && failedProbers.has(customer) ? probeFrom + settings.resetMs : probeFrom;
    const probing = probeSince !== undefined && at - probeSince < probePatienceMs;
    if (at < from || (probing && settings.neverRefuse !== true))
      throw new ProviderFault('circuit-open', 'too many recent calls to the provider failed', { taken: 'no', retryAfterMs: Math.max(0, from - at) });
    if (circuit.opened) circuit = make(true);
    if (settings.neverRefuse === true) wait(1);
    probeSince = at;
  };

  const noteProber = (customer: string): void => {
    failedProbers.add(customer);
    const [oldest] = failedProbers;
    if (failedProbers.size > mostProbers && oldest !== undefined) failedProbers.delete(oldest);
  };

  /** Reports an outcome to opossum. Ignores a call that began on an earlier circuit, or before this one opened: its outcome is out of date. */
  const record = async (asked: Circuit, outcome: Outcome): Promise<void> => {
    if (asked !== circuit || circuit.opened) return;
    addGoodAnswers();
    try {
      await circuit.fire(outcome);
    } catch {
      // opossum rethrows the failure. Whoever calls `failed` has the original fault anyway.
    }
  };

  return {
    enter: (customerKey) => {
      const at = now();
      rotate(at);
      if (!circuit.closed) admit(at, customerKey);
      return circuit;
    },
    answered: (asked) => {
      if (asked !== circuit || !circuit.closed) return record(asked, 'good');
      goodAnswers += 1;
      return undefined;
    },
    failed: async (asked, fault, customerKey) => {
      const settledOn = now();
      rotate(settledOn);
      if (counts(fault, customerKey, settledOn)) {
        if (asked === circuit && asked.halfOpen && customerKey !== undefined) noteProber(customerKey);
        if (fault instanceof ProviderFault) lastCounted = fault.kind;
        await record(asked, 'bad');
      }
      // A probe that says nothing about the provider's health frees the slot for the next one.
      else if (asked === circuit) probeSince = undefined;
    },
    state: () => (circuit.closed ? 'closed' : probeSince !== undefined || now() >= probeFrom ? 'half-open' : 'open'),
    retryOn: () => (circuit.closed ? undefined : probeFrom),
    opened: () => (circuit.closed ? undefined : opened),
  };
};
