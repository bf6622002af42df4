/**
 * What this instance knows about the hosts that it sends webhooks to. It pauses a host that keeps failing, so that the host does not delay others.
 */
export type Receivers = {
  paused(): string[];
  /** Records an outcome; `answered` is false if the host itself failed. Returns true if the host had failed before and has not failed now. */
  note(host: string, answered: boolean): boolean;
  inFlight: number;
};

const patience = 3;
const firstPauseMs = 10_000;
/** The longest pause is short, so that a host that works again gets its waiting webhooks soon. */
const longestPauseMs = 30_000;
const mostKept = 5000;

export const createReceivers = (now: () => number): Receivers => {
  const failing = new Map<string, { times: number; until: number }>();
  return {
    inFlight: 0,
    paused: () => {
      const at = now();
      return [...failing].flatMap(([host, { until }]) => (until > at && until - at <= longestPauseMs ? [host] : []));
    },
    note: (host, answered) => {
      const times = (failing.get(host)?.times ?? 0) + 1;
      const wasFailing = failing.delete(host);
      if (answered) return wasFailing;
      const pauseMs = times < patience ? 0 : Math.min(firstPauseMs * 2 ** (times - patience), longestPauseMs);
      failing.set(host, { times, until: now() + pauseMs });
      for (const [oldest] of failing) {
        if (failing.size <= mostKept) break;
        failing.delete(oldest);
      }
      return false;
    },
  };
};
