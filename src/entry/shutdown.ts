/** Keeps track of work that continues after its response was sent. `idle` waits for all of it, up to a limit. */
export const createBackground = () => {
  const running = new Set<Promise<unknown>>();
  return {
    add: (work: Promise<unknown>): void => {
      const settled: Promise<unknown> = work.then(
        () => running.delete(settled),
        () => running.delete(settled),
      );
      running.add(settled);
    },
    size: (): number => running.size,
    idle: async (limitMs: number): Promise<boolean> => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const limit = new Promise<boolean>((done) => {
        timer = setTimeout(() => done(false), limitMs);
      });
      const all = (async () => {
        while (running.size > 0) await Promise.all(running);
        return true;
      })();
      const idle = await Promise.race([all, limit]);
      clearTimeout(timer);
      return idle;
    },
  };
};
