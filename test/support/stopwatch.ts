/**
 * How long something takes while this process has a processor. On a busy machine a process stands still for stretches that say nothing of the
 * code: of a stretch between two ticks that took too long, only the processor time that was used in it counts. On a quiet machine it is a clock.
 */
const tickMs = 5;
const lateMs = 15;

export type Stopwatch = { ms: () => number; stop: () => void };

export const stopwatch = (): Stopwatch => {
  let counted = 0;
  let at = performance.now();
  let used = process.cpuUsage();
  const ms = (): number => {
    const stretch = performance.now() - at;
    const { user, system } = process.cpuUsage(used);
    at += stretch;
    used = process.cpuUsage();
    counted += stretch <= lateMs ? stretch : Math.min(stretch, Math.max(lateMs, (user + system) / 1000));
    return counted;
  };
  const ticking = setInterval(ms, tickMs);
  return { ms, stop: () => clearInterval(ticking) };
};

export const timed = async <T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> => {
  const watch = stopwatch();
  try {
    const value = await work();
    return { ms: watch.ms(), value };
  } finally {
    watch.stop();
  }
};
