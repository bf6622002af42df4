type Waiting<K, R> = { item: K; done: (result: R) => void; failed: (error: unknown) => void };
export type GroupLimits = {
  /** The most items in one statement. */
  largest: number;
  /** The most statements in progress at a time. Items that arrive while all of them are in progress wait, and share the next statements. */
  inFlight: number;
  /** Returns whether this failure may be due to a single item, so that the group is repeated item by item. */
  repeats: (error: unknown) => boolean;
};

/**
 * Returns a function that many callers call with one item each, and that runs few statements. While `inFlight` statements are in progress, items wait
 * for one of the next ones. A statement is sent after its last item arrived, so each caller reads what was written before its call. `run` returns one
 * result per item, in the sequence of the items. If a single item may have caused a failure, the group is repeated item by item, so that a bad item
 * affects only itself. Meant for Node, where many concurrent requests share one database client.
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
      // The length was just checked.
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
