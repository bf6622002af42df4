/** Runs work through one part of the guard alone, as the guard does (src/resilience/guard.ts). */
import { Cut } from '../../src/domain/cut.ts';
import type { Guard } from '../../src/ports/providers.ts';
import * as breaker from '../../src/resilience/breaker.ts';
import * as bulkhead from '../../src/resilience/bulkhead.ts';
import { retry, type RetryOptions } from '../../src/resilience/retry.ts';

type Work<T> = () => Promise<T>;

export const createBreaker = (...given: Parameters<typeof breaker.createBreaker>) => {
  const made = breaker.createBreaker(...given);
  const run = async <T>(attempt: Work<T>, customerKey?: string): Promise<T> => {
    const circuit = made.enter(customerKey);
    try {
      const answer = await attempt();
      await made.answered(circuit);
      return answer;
    } catch (fault) {
      await made.failed(circuit, fault, customerKey);
      throw fault;
    }
  };
  return { ...made, run };
};
export type Breaker = ReturnType<typeof createBreaker>;

export const createBulkhead = (settings: bulkhead.BulkheadSettings) => {
  const made = bulkhead.createBulkhead(settings);
  const run = async <T>(work: Work<T>, network?: string): Promise<T> =>
    await made.start(async () => {
      try {
        return await work();
      } finally {
        made.leave(network);
      }
    }, network);
  return { run };
};

export const withRetry = async <T>(call: Work<T>, options: Omit<RetryOptions, 'started'>): Promise<T> => {
  const started = options.now();
  return await call().catch(async (first: unknown) => await retry(call, first, { ...options, started }));
};

/** Makes every call of a guard count as sent to the provider, as the HTTP client does (src/entry/compose.ts). */
export const sending = (guard: Guard): Guard => ({
  ...guard,
  call: async (operation, limits, attempt) =>
    await guard.call(operation, limits, (signal, endsOn) => {
      if (signal instanceof Cut) signal.sent = true;
      return attempt(signal, endsOn);
    }),
});
