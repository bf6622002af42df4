type Waiting<K, R> = { item: K; done: (result: R) => void; failed: (error: unknown) => void };
export type GroupLimits = {
  /** Items in one statement, at most. */
  largest: number;
  /** Statements on their way at a time; what comes meanwhile shares the next one. */
  inFlight: number;
  /** Whether a group that failed so may have failed for one item only, and is repeated item by item. */
  repeats: (error: unknown) => boolean;
};

/**
 * Many callers, few statements: an item that arrives while `inFlight` statements are on their way waits for the next one, never longer. A
 * statement is sent after its last item has arrived, so each caller reads what was written before it asked. `run` gives one result for each
 * item, in their order. Where the failure may be one item's, a group is repeated item by item: one bad item costs only itself. For one client
 * with many concurrent requests (Node).
 */
export const grouped = <K, R>(run: (items: K[]) => Promise<readonly R[]>, { largest, inFlight, repeats }: GroupLimits): ((item: K) => Promise<R>) => {
  let waiting: Waiting<K, R>[] = [];
  let running = 0;
  const next = (): void => {
    if (waiting.length === 0 || running >= inFlight) return;
    const group = waiting.slice(0, largest);
    waiting = waiting.slice(largest);
    running += 1;
    void settle(group).finally(() => {
      running -= 1;
      next();
    });
  };
  const settle = async (group: Waiting<K, R>[]): Promise<void> => {
    try {
      const results = await run(group.map(({ item }) => item));
      if (results.length !== group.length) throw new Error(`${results.length} results for ${group.length} items`);
      // The length was just looked at.
      group.forEach(({ done }, index) => done(results[index] as R));
    } catch (error) {
      if (group.length === 1 || !repeats(error)) for (const { failed } of group) failed(error);
      else await Promise.all(group.map((one) => settle([one])));
    }
  };
  return (item) =>
    new Promise((done, failed) => {
      waiting.push({ item, done, failed });
      next();
    });
};
