import pRetry from 'p-retry';
import { abortSignalOf, type CutSignal } from '../domain/cut.ts';
import { ProviderFault } from '../providers/fault.ts';

const mostTokens = 10;
const leastTokens = 5;
const firstPauseMs = 20;

/**
 * Limits retries by a token bucket, to spare a failing provider (gRPC A6). It starts with 10 tokens. A failure takes one, a success returns a tenth,
 * and nothing is retried at 5 or fewer.
 */
export const createRetryBudget = () => {
  let tokens = mostTokens;
  return {
    succeeded: (): void => {
      tokens = Math.min(mostTokens, tokens + 0.1);
    },
    failed: (): void => {
      tokens = Math.max(0, tokens - 1);
    },
    allows: (): boolean => tokens > leastTokens,
  };
};
export type RetryBudget = ReturnType<typeof createRetryBudget>;

export type RetryOptions = {
  attempts: number;
  budget: RetryBudget;
  /** When the first call began. */
  started: number;
  deadlineMs: number;
  now: () => number;
  signal: CutSignal;
};

/**
 * Repeats a call that failed with `first`, at most `attempts` times, within the first 40 % of the deadline, while the budget allows it. Retries only
 * a retryable fault of a call that had no effect, or that got 502, 503 or 504, which usually come from a server in front of the provider. Before each
 * retry, waits as long as the provider asks, or gives up if that is too long. No other layer repeats a call.
 */
export const retry = async <T>(call: () => Promise<T>, first: unknown, options: RetryOptions): Promise<T> => {
  const { attempts, budget, started, deadlineMs, now, signal } = options;
  const worthIt = (error: unknown): error is ProviderFault =>
    error instanceof ProviderFault &&
    error.retryable &&
    (error.taken === 'no' || error.status === 502 || error.status === 503 || error.status === 504) &&
    error.kind !== 'circuit-open' &&
    error.kind !== 'rate-limited' &&
    error.kind !== 'busy' &&
    error.kind !== 'gateway-busy' &&
    budget.allows() &&
    now() - started + (error.retryAfterMs ?? 0) < deadlineMs * 0.4;
  if (attempts <= 0 || !worthIt(first)) throw first;
  await pause(Math.max(firstPauseMs, first.retryAfterMs ?? 0));
  return await pRetry(call, {
    retries: attempts - 1,
    minTimeout: 20,
    maxTimeout: 200,
    randomize: true,
    signal: abortSignalOf(signal),
    shouldRetry: async ({ error, retryDelay }) => {
      if (!worthIt(error)) return false;
      // p-retry itself waits for `retryDelay` after this, so only the difference is waited for here.
      await pause((error.retryAfterMs ?? 0) - retryDelay);
      return true;
    },
  });
};

const pause = async (ms: number): Promise<void> => {
  if (ms > 0) await new Promise((done) => setTimeout(done, ms));
};
