/** A test's time: the machine's, plus what the test adds. A test's gateway and simulators share one clock. */
export type Clock = {
  now: () => number;
  /** Moves the clock by `ms`, at once. */
  move: (ms: number) => void;
  /** Runs the work while the clock stands still, so that a slow machine adds no time. */
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
