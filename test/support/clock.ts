/** Time as a test wants it: the machine's, plus what the test adds. Gateway and simulators of one test share one. */
export type Clock = {
  now: () => number;
  /** `ms` later at once. */
  move: (ms: number) => void;
  /** Runs the work while the clock stands still: however slow the machine is, no time passes in it. */
  still: <T>(work: () => Promise<T>) => Promise<T>;
};

export const movableClock = (): Clock => {
  let addedMs = 0;
  let stoppedAt: number | undefined;
  const now = (): number => stoppedAt ?? Date.now() + addedMs;
  return {
    now,
    move: (ms) => {
      if (stoppedAt === undefined) addedMs += ms;
      else stoppedAt += ms;
    },
    still: async (work) => {
      stoppedAt = now();
      try {
        return await work();
      } finally {
        addedMs = stoppedAt - Date.now();
        stoppedAt = undefined;
      }
    },
  };
};
