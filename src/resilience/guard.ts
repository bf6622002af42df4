import type { CallLimits, Guard, Operation } from '../ports/providers.ts';
import { ProviderFault } from '../providers/fault.ts';
import { createAdaptiveTimeout } from './adaptive-timeout.ts';
import { createBreaker, type Breaker, type BreakerSettings } from './breaker.ts';
import { createBulkhead, type BulkheadSettings } from './bulkhead.ts';
import { createRetryBudget, withRetry } from './retry.ts';

export type GuardSettings = {
  breaker: BreakerSettings;
  bulkhead: BulkheadSettings;
  retryAttempts: number;
  /** How long a call may go on after its caller stopped waiting, to be counted as late. 0 on Workers: cut. */
  lateGraceMs: number;
  timeoutMs: Partial<Record<Operation, number>>;
  /** The shortest time-out that quick answers teach. */
  leastTimeoutMs?: number;
};
export type GuardClock = { now: () => number; random: () => number };

const operations: readonly Operation[] = ['quote', 'order', 'status'];
const backOffMs = [1000, 2000, 4000, 8000];
/** However long a provider asks us to stay away: its orders must be looked at. */
const mostBackOffMs = 300_000;

/**
 * What surrounds every call to one provider: deadline → retry → bulkhead → breaker → attempt. Circuits are per operation class, so that a
 * provider whose prices fail is still asked about the orders it holds. State is this instance's own.
 */
export const createGuard = (settings: GuardSettings, clock: GuardClock): Guard => {
  const { now } = clock;
  const breakers: Record<Operation, Breaker> = {
    quote: createBreaker(settings.breaker, clock),
    order: createBreaker(settings.breaker, clock),
    // Money in flight stays visible: slowed, never refused for long.
    status: createBreaker({ ...settings.breaker, neverRefuse: true }, clock),
  };
  // One for each class: prices that pile up must not keep an order or a look at money in flight from its provider.
  const bulkheads = { quote: createBulkhead(settings.bulkhead), order: createBulkhead(settings.bulkhead), status: createBulkhead(settings.bulkhead) };
  const budget = createRetryBudget();
  const adaptive = createAdaptiveTimeout(settings.leastTimeoutMs);
  let off = false;
  let lastSuccessOn: number | undefined;
  let limitedUntil = 0;
  let timesLimited = 0;

  /** As long as it asked, else 1, 2, 4, 8 s; the answers to calls that were under way together count as one. */
  const backOff = (askedMs: number | undefined): void => {
    const at = now();
    if (at >= limitedUntil) timesLimited += 1;
    else if (askedMs === undefined) return;
    const ownMs = backOffMs[Math.min(timesLimited, backOffMs.length) - 1] ?? 8000;
    limitedUntil = Math.max(limitedUntil, at + Math.min(askedMs ?? ownMs, mostBackOffMs));
  };

  const note = (fault: unknown): void => {
    // A budget of ours that was spent says nothing about the provider.
    if (!(fault instanceof ProviderFault) || fault.kind === 'gateway-busy') return;
    if (fault.kind === 'rejected-credentials') off = true;
    if (fault.kind === 'rate-limited') {
      // Without the status it was a limit of our own.
      if (fault.status !== 429) return;
      backOff(fault.retryAfterMs);
    }
    budget.failed();
  };

  const attemptOnce = async <T>(operation: Operation, limits: CallLimits, signal: AbortSignal, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    if (off) throw new ProviderFault('rejected-credentials', 'our credentials were refused; off until the configuration changes', { taken: 'no' });
    // Never longer than the longest back-off: the clock may have been put back meanwhile.
    limitedUntil = Math.min(limitedUntil, now() + mostBackOffMs);
    if (now() < limitedUntil) throw new ProviderFault('rate-limited', 'backing off as it asked', { taken: 'no', retryAfterMs: limitedUntil - now() });
    return await breakers[operation].run(async () => {
      const started = now();
      try {
        const answer = await attempt(signal);
        if (operation === 'quote' && limits.idempotent) adaptive.record(now() - started);
        lastSuccessOn = now();
        timesLimited = 0;
        budget.succeeded();
        return answer;
      } catch (fault) {
        // A cut call took at least this long; a time-out learnt from answers alone could never grow again.
        if (operation === 'quote' && limits.idempotent && signal.aborted) adaptive.record(now() - started);
        note(fault);
        throw fault;
      }
    }, limits.customerKey);
  };

  return {
    call: async <T>(operation: Operation, limits: CallLimits, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> => {
      const deadlineMs = Math.min(limits.deadlineMs, settings.timeoutMs[operation] ?? Infinity);
      // A price that is made by an order takes as long as an order: it neither teaches nor obeys what estimates taught.
      const patienceMs = operation === 'quote' && limits.idempotent ? adaptive.timeoutMs(deadlineMs) : deadlineMs;
      // The caller stops waiting at his deadline; the call itself is cut a grace later, so that late answers are learnt from.
      const cut = new AbortController();
      const onAbort = (): void => cut.abort();
      limits.signal?.addEventListener('abort', onAbort, { once: true });
      const graceMs = limits.idempotent && operation === 'quote' ? settings.lateGraceMs : 0;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let begun = false;
      let awaited = true;
      const begin = (signal: AbortSignal): Promise<T> => {
        begun = true;
        return attempt(signal);
      };
      const once = async (): Promise<T> =>
        await bulkheads[operation].run(async () => {
          if (!awaited) throw new ProviderFault('timeout', 'its caller has gone', { taken: 'no' });
          return await attemptOnce(operation, limits, cut.signal, begin);
        });
      const call = withRetry(once, { attempts: limits.idempotent ? settings.retryAttempts : 0, budget, deadlineMs, now, signal: cut.signal });
      const late = new Promise<never>((_, fail) => {
        timer = setTimeout(() => {
          awaited = false;
          fail(new ProviderFault('timeout', 'no answer within the deadline', { taken: begun ? 'maybe' : 'no' }));
          if (graceMs === 0) cut.abort();
          else timer = setTimeout(onAbort, graceMs);
        }, patienceMs);
      });
      const settled = (): void => {
        clearTimeout(timer);
        limits.signal?.removeEventListener('abort', onAbort);
      };
      call.then(settled, settled);
      return await Promise.race([call, late]);
    },
    health: () => {
      const states = operations.map((operation) => [operation, breakers[operation].state()] as const);
      const waits = operations.flatMap((operation) => breakers[operation].retryOn() ?? []);
      return {
        circuits: Object.fromEntries(states) as Record<Operation, 'closed' | 'open' | 'half-open'>,
        off,
        ...(lastSuccessOn === undefined ? {} : { lastSuccessOn }),
        ...(waits.length === 0 ? {} : { retryOn: Math.min(...waits) }),
      };
    },
  };
};
