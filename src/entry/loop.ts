/** Runs the background work of the Node process: a tick, a second's pause, the next tick. */
import { errorText } from '../domain/error-text.ts';
import type { Log } from '../ports/runtime.ts';

const tickMs = 1_000;
const pruneMs = 600_000;

/** Returns a function whose calls run one after the other, even if an earlier one failed. */
export const oneAtATime = (work: () => Promise<void>): (() => Promise<void>) => {
  let last: Promise<void> = Promise.resolve();
  return async () => {
    last = last.then(work, work);
    await last;
  };
};

/** Starts the loop. A tick that fails is logged, and the next one tries again. */
export const startLoop = ({ tick, prune, log, now }: { tick: () => Promise<void>; prune: () => Promise<void>; log: Log; now: () => number }) => {
  let stopped = false;
  let wake: () => void = () => undefined;
  let prunedOn = now();
  let pruning: Promise<void> | undefined;
  const loop = (async () => {
    while (!stopped) {
      await tick().catch((error: unknown) => log('error', 'tick_failed', { error: errorText(error) }));
      if (!pruning && Math.abs(now() - prunedOn) > pruneMs) {
        prunedOn = now();
        // Runs in parallel with the ticks: after a busy day it takes a while, and orders must not wait for it.
        pruning = prune()
          .catch((error: unknown) => log('error', 'prune_failed', { error: errorText(error) }))
          .finally(() => (pruning = undefined));
      }
      await new Promise<void>((done) => {
        const timer = setTimeout(done, tickMs);
        wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
  })();
  return {
    stop: async (): Promise<void> => {
      stopped = true;
      wake();
      await loop;
      await pruning;
    },
  };
};
