/** What a simulated provider does by itself after a while. */

export type Later = {
  /** Does the work once: when `ms` have passed by the machine's clock, or at the first `catchUp` after they have passed by the simulator's clock. */
  later: (ms: number, work: () => Promise<void> | void) => void;
  /** Does the work that is due by the simulator's clock. A simulator calls this before it answers a request. */
  catchUp: () => Promise<void>;
};

/** `now`: the simulator's clock, which a test may move. */
export const createLater = (now: () => number): Later => {
  const jobs = new Map<object, { at: number; work: () => Promise<void> | void }>();
  const run = async (key: object): Promise<void> => {
    const job = jobs.get(key);
    jobs.delete(key);
    await job?.work();
  };
  return {
    later: (ms, work) => {
      const key = {};
      jobs.set(key, { at: now() + ms, work });
      setTimeout(() => void run(key), ms).unref();
    },
    catchUp: async () => {
      for (const [key, { at }] of [...jobs].toSorted(([, a], [, b]) => a.at - b.at)) if (at <= now()) await run(key);
    },
  };
};
