/**
 * Measures how long something takes while this process has a CPU. On a busy machine a process is sometimes paused, which says nothing about the
 * code. So an interval between two ticks that is longer than `lateMs` counts only as its CPU time, but at least as `lateMs`. On a quiet machine this
 * is a normal clock.
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
