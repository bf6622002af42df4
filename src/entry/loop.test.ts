import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pauseMs, startLoops } from './loop.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('a part that takes long delays no other, one that fails runs again, and a stop waits for those that are running', async () => {
  const done = { slow: 0, quick: 0, failing: 0, pruned: 0 };
  const logged: unknown[] = [];
  let end: () => void = () => undefined;
  const slow = async (): Promise<void> => {
    done.slow += 1;
    await new Promise<void>((go) => {
      end = go;
    });
  };
  const quick = async (): Promise<void> => {
    done.quick += 1;
    await Promise.resolve();
  };
  const failing = async (): Promise<void> => {
    done.failing += 1;
    await Promise.reject(new Error('not today'));
  };
  const prune = async (): Promise<void> => {
    done.pruned += 1;
    await Promise.resolve();
  };
  const loops = startLoops({ works: [slow, quick, failing], prune, log: (...line) => void logged.push(line), now: () => Date.now(), pauseMs });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(done).toEqual({ slow: 1, quick: 4, failing: 4, pruned: 0 });
  expect(logged[0]).toEqual(['error', 'tick_failed', { error: 'not today' }]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect([done.slow, done.pruned]).toEqual([1, 1]);
  let stopped = false;
  const stopping = loops.stop().then(() => {
    stopped = true;
  });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(stopped).toBe(false);
  end();
  await stopping;
  expect(done.slow).toBe(1);
});
