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
  /** How long a call may go on after its caller stopped waiting, so that its late answer still counts. 0 on Workers, where such a call is aborted. */
  lateGraceMs: number;
  timeoutMs: Partial<Record<Operation, number>>;
  /** The lower bound of the timeout that is learnt from a provider's answers. */
  leastTimeoutMs?: number;
};
export type GuardClock = { now: () => number; random: () => number };

const operations: readonly Operation[] = ['quote', 'order', 'status'];
const backOffMs = [1000, 2000, 4000, 8000];
/** The longest back-off, whatever the provider asks for: we must go on reading its orders. */
const mostBackOffMs = 300_000;
/** How often a call that has used up its learnt timeout asks whether it is still needed. */
const checkNeedMs = 50;

/**
 * Guards every call to one provider. A call passes through deadline → retry → bulkhead → breaker → attempt. Each class of operation has its own
 * circuit, so that we still ask a provider about its orders when its prices fail. The state belongs to this instance.
 */
export const createGuard = (settings: GuardSettings, clock: GuardClock): Guard => {
  const { now } = clock;
  const breakers: Record<Operation, Breaker> = {
    quote: createBreaker(settings.breaker, clock),
    order: createBreaker(settings.breaker, clock),
    // Money in flight must stay visible: slow these calls, but never refuse them for long.
    status: createBreaker({ ...settings.breaker, neverRefuse: true }, clock),
  };
  // One bulkhead per class of operation: a queue of price calls must not block an order or a read of money in flight.
  const bulkheads = { quote: createBulkhead(settings.bulkhead), order: createBulkhead(settings.bulkhead), status: createBulkhead(settings.bulkhead) };
  const budget = createRetryBudget();
  const adaptive = createAdaptiveTimeout(settings.leastTimeoutMs);
  let off = false;
  let lastSuccessOn: number | undefined;
  let limitedUntil = 0;
  let timesLimited = 0;

  /** Backs off for as long as the provider asked, or else for 1, 2, 4 and then 8 s. Refusals of calls that ran at the same time count as one. */
  const backOff = (askedMs: number | undefined): void => {
    const at = now();
    if (at >= limitedUntil) timesLimited += 1;
    else if (askedMs === undefined) return;
    const ownMs = backOffMs[Math.min(timesLimited, backOffMs.length) - 1] ?? 8000;
    limitedUntil = Math.max(limitedUntil, at + Math.min(askedMs ?? ownMs, mostBackOffMs));
  };

  const note = (fault: unknown): void => {
    // A spent budget of our own says nothing about the provider.
    if (!(fault instanceof ProviderFault) || fault.kind === 'gateway-busy') return;
    if (fault.kind === 'rejected-credentials') off = true;
    if (fault.kind === 'rate-limited') {
      // Without a status, the limit was our own.
      if (fault.status !== 429) return;
      backOff(fault.retryAfterMs);
    }
    budget.failed();
  };

  const attemptOnce = async <T>(operation: Operation, limits: CallLimits, signal: AbortSignal, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    if (off)
      throw new ProviderFault('rejected-credentials', 'the provider refused our credentials; it is off until the configuration changes', { taken: 'no' });
    // The back-off is cut to the longest one, because the clock may have been set back meanwhile.
    limitedUntil = Math.min(limitedUntil, now() + mostBackOffMs);
    if (now() < limitedUntil) throw new ProviderFault('rate-limited', 'waiting, as the provider asked', { taken: 'no', retryAfterMs: limitedUntil - now() });
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
        // An aborted call took at least this long, so it counts. A timeout learnt only from answers could never grow again.
        if (operation === 'quote' && limits.idempotent && signal.aborted) adaptive.record(now() - started);
        note(fault);
        throw fault;
      }
    }, limits.customerKey);
  };

  return {
    call: async <T>(operation: Operation, limits: CallLimits, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> => {
      const deadlineMs = Math.min(limits.deadlineMs, settings.timeoutMs[operation] ?? Infinity);
      // A price that needs an order takes as long as an order, so it neither adds to nor follows the timeout of estimates.
      const patienceMs = operation === 'quote' && limits.idempotent ? adaptive.timeoutMs(deadlineMs) : deadlineMs;
      // The caller stops waiting at the deadline. The call itself is aborted after a grace period, so that we learn from late answers.
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
          if (!awaited) throw new ProviderFault('timeout', 'the caller has gone', { taken: 'no' });
          return await attemptOnce(operation, limits, cut.signal, begin);
        }, limits.network);
      const call = withRetry(once, { attempts: limits.idempotent ? settings.retryAttempts : 0, budget, deadlineMs, now, signal: cut.signal });
      const late = new Promise<never>((_, fail) => {
        const giveUp = (waitedMs: number): void => {
          const moreMs = Math.min(deadlineMs - waitedMs, checkNeedMs);
          if (moreMs > 0 && limits.isNeeded?.()) {
            timer = setTimeout(() => giveUp(waitedMs + moreMs), moreMs);
            return;
          }
          awaited = false;
          fail(new ProviderFault('timeout', 'no answer within the deadline', { taken: begun ? 'maybe' : 'no' }));
          if (graceMs === 0) cut.abort();
          else timer = setTimeout(onAbort, graceMs);
        };
        timer = setTimeout(() => giveUp(patienceMs), patienceMs);
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
