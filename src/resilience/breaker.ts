/**
 * opossum on our clock. Its own timers do not live on Workers: the window never rotates there and an open circuit never half-opens, because a
 * timer dies with the request that made it. So buckets are rotated, and the half-open circuit is made, when a call comes in; nothing here
 * starts a timer that anything waits for.
 */
import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import { ProviderFault } from '../providers/fault.ts';

export type BreakerSettings = { volumeThreshold: number; errorPercent: number; windowMs: number; resetMs: number; resetMaxMs: number };
export type BreakerState = 'closed' | 'open' | 'half-open';
export type Breaker = {
  /** Throws ProviderFault `circuit-open` (not taken) when refused. `customerKey`: failures count once enough customers met them. */
  run<T>(attempt: () => Promise<T>, customerKey?: string): Promise<T>;
  state(): BreakerState;
  /** When the next probe may go, while open. */
  retryOn(): number | undefined;
};

const buckets = 10;
/** opossum's own reset timer is never meant to fire: about 24 days, the longest a timer takes. */
const never = 2_147_483_647;
/** A probe whose request died with its isolate is given up after so long. */
const probePatienceMs = 30_000;
const counted = new Set(['timeout', 'unreachable', 'server', 'malformed']);

type Call = () => Promise<unknown>;

/** An open circuit lets one call per reset window through; that is also how reads of orders go on, so that money in flight stays visible. */
export const createBreaker = (settings: BreakerSettings, clock: { now: () => number; random: () => number }): Breaker => {
  const { now, random } = clock;
  let rotator = new EventEmitter();
  let circuit = make(false);
  let rotatedOn = now();
  let customers = new Set<string>();
  let customersSince = now();
  let timesOpened = 0;
  let probeFrom = 0;
  let probeSince: number | undefined;

  function make(halfOpen: boolean): CircuitBreaker<[Call, string | undefined], unknown> {
    rotator = new EventEmitter();
    const made = new CircuitBreaker<[Call, string | undefined], unknown>((call) => call(), {
      timeout: false,
      resetTimeout: never,
      volumeThreshold: settings.volumeThreshold,
      errorThresholdPercentage: settings.errorPercent,
      rollingCountTimeout: settings.windowMs,
      rollingCountBuckets: buckets,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: rotator,
      errorFilter: (fault: unknown, _call?: Call, customer?: string) => !counts(fault, customer),
      ...(halfOpen ? { state: { enabled: true, closed: false, halfOpen: true, open: false, warmUp: false, shutdown: false } } : {}),
    });
    made.on('open', () => {
      timesOpened += 1;
      const wait = Math.min(settings.resetMs * timesOpened, settings.resetMaxMs);
      probeFrom = now() + Math.round(wait * (0.8 + 0.4 * random()));
      probeSince = undefined;
    });
    made.on('close', () => {
      timesOpened = 0;
      probeSince = undefined;
    });
    return made;
  }

  const counts = (fault: unknown, customer: string | undefined): boolean => {
    if (!(fault instanceof ProviderFault) || !counted.has(fault.kind)) return false;
    if (customer === undefined || !circuit.closed) return true;
    // One customer's failures open nothing for everybody: it takes as many customers as the volume threshold says.
    customers.add(customer);
    return customers.size >= settings.volumeThreshold;
  };

  const rotate = (at: number): void => {
    const slice = settings.windowMs / buckets;
    for (let n = Math.min(buckets, Math.floor((at - rotatedOn) / slice)); n > 0; n -= 1) rotator.emit('rotate');
    if (at - rotatedOn >= slice) rotatedOn = at - ((at - rotatedOn) % slice);
    if (at - customersSince >= settings.windowMs) {
      customers = new Set();
      customersSince = at;
    }
  };

  const refuse = (at: number): ProviderFault =>
    new ProviderFault('circuit-open', 'too many of its answers failed lately', { taken: 'no', retryAfterMs: Math.max(0, probeFrom - at) });

  return {
    run: async (attempt, customerKey) => {
      const at = now();
      rotate(at);
      if (circuit.opened || circuit.halfOpen) {
        const probing = probeSince !== undefined && at - probeSince < probePatienceMs;
        if (at < probeFrom || probing) throw refuse(at);
        circuit = make(true);
        probeSince = at;
      }
      // The action's own type went through opossum's untyped door and comes back as it was.
      return (await circuit.fire(attempt, customerKey)) as Awaited<ReturnType<typeof attempt>>;
    },
    state: () => (circuit.closed ? 'closed' : probeSince !== undefined || now() >= probeFrom ? 'half-open' : 'open'),
    retryOn: () => (circuit.closed ? undefined : probeFrom),
  };
};
