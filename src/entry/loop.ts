/** Runs the background work of the Node process: each part in a loop of its own, with a pause after each run. */
import { errorText } from '../domain/error-text.ts';
import type { Log } from '../ports/runtime.ts';

/** The pause after each run of a part. */
export const pauseMs = 1_000;
const pruneMs = 600_000;

/** Returns a function whose calls run one after the other, even if an earlier call failed. */
export const oneAtATime = (work: () => Promise<void>): (() => Promise<void>) => {
  let last: Promise<void> = Promise.resolve();
  return async () => {
    last = last.then(work, work);
    await last;
  };
};

type Loops = { works: (() => Promise<void>)[]; prune: () => Promise<void>; log: Log; now: () => number; pauseMs: number };

/**
 * Runs each part of the work in a loop of its own, with a pause of `pauseMs` after each run, so that a slow part delays no other part. An error of a
 * part is logged, and the part runs again after the pause. `prune` runs every ten minutes.
 */
export const startLoops = ({ works, prune, log, now, pauseMs: waitMs }: Loops) => {
  let stopped = false;
  const wakes = new Set<() => void>();
  const pause = async (): Promise<void> =>
    await new Promise<void>((done) => {
      const wake = (): void => {
        clearTimeout(timer);
        wakes.delete(wake);
        done();
      };
      const timer = setTimeout(wake, waitMs);
      wakes.add(wake);
    });
  const loop = async (work: () => Promise<void>, failed: string): Promise<void> => {
    while (!stopped) {
      await work().catch((error: unknown) => log('error', failed, { error: errorText(error) }));
      if (!stopped) await pause();
    }
  };
  let prunedOn = now();
  const pruneInTime = async (): Promise<void> => {
    if (Math.abs(now() - prunedOn) <= pruneMs) return;
    prunedOn = now();
    await prune();
  };
  const loops = Promise.all([...works.map((work) => loop(work, 'tick_failed')), loop(pruneInTime, 'prune_failed')]);
  return {
    stop: async (): Promise<void> => {
      stopped = true;
      for (const wake of wakes) wake();
      await loops;
    },
  };
};
