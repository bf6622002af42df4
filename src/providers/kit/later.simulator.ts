/** What a simulated provider does by itself after a while. */

export type Later = {
  /** Does the work once: `ms` from now by the machine's clock, or with the next request after that time by the simulator's clock. */
  later: (ms: number, work: () => Promise<void> | void) => void;
  /** Does the work that is due by the simulator's clock. Called before a request is answered. */
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
