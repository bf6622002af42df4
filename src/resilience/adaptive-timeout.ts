const samplesKept = 200;
const samplesNeeded = 20;
const recomputeEvery = 20;
/** How many of the samples may come from one caller. */
const mostOfCaller = 50;

/**
 * Learns how long to wait for a provider: 1.5 × the 99th percentile of up to 200 recent durations, but at least `leastMs`. The timeout is at most the
 * deadline minus 100 ms, or 200 ms if that is more. Until 20 durations are known, it is the deadline. Late answers and aborted calls count as well,
 * because a timeout learnt only from answers in time could never grow again. At most 50 durations are from one caller: its further durations replace
 * its earlier ones. Otherwise one caller's quick answers could cut off the slower answers to all others.
 */
export const createAdaptiveTimeout = (leastMs = 300) => {
  const samples: number[] = [];
  const callerOf: (string | undefined)[] = [];
  /** How many samples each caller has, and the index of its newest one. */
  const held = new Map<string, { count: number; at: number }>();
  let next = 0;
  let seen = 0;
  let learnt: number | undefined;

  const ownPlaceAfter = (caller: string, at: number): number => {
    do at = (at + 1) % samples.length;
    while (callerOf[at] !== caller);
    return at;
  };
  const placeFor = (caller: string | undefined): number => {
    const own = caller === undefined ? undefined : held.get(caller);
    if (caller !== undefined && own && own.count >= mostOfCaller) return (own.at = ownPlaceAfter(caller, own.at));
    const at = next;
    next = (next + 1) % samplesKept;
    const before = callerOf[at];
    const left = before === undefined ? undefined : held.get(before);
    if (before !== undefined && left && (left.count -= 1) === 0) held.delete(before);
    callerOf[at] = caller;
    if (caller !== undefined) held.set(caller, { count: (held.get(caller)?.count ?? 0) + 1, at });
    return at;
  };

  return {
    record: (ms: number, caller?: string): void => {
      samples[placeFor(caller)] = ms;
      seen += 1;
      if (samples.length >= samplesNeeded && (learnt === undefined || seen % recomputeEvery === 0)) {
        const sorted = [...samples].sort((a, b) => a - b);
        learnt = Math.max(1.5 * (sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0), leastMs);
      }
    },
    timeoutMs: (deadlineMs: number): number => (learnt === undefined ? deadlineMs : Math.min(learnt, Math.max(deadlineMs - 100, 200))),
  };
};
