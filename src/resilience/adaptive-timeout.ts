const samplesKept = 200;
const samplesNeeded = 20;
const recomputeEvery = 20;

/**
 * Learns how long to wait for a provider: 1.5 × the 99th percentile of its last 200 answers, but at least `leastMs` and at most the deadline minus
 * 100 ms. Until 20 answers are known, it is the deadline. Late answers count as well, since a timeout learnt only from answers in time could never
 * grow again.
 */
export const createAdaptiveTimeout = (leastMs = 300) => {
  const samples: number[] = [];
  let next = 0;
  let seen = 0;
  let learnt: number | undefined;
  return {
    record: (ms: number): void => {
      samples[next] = ms;
      next = (next + 1) % samplesKept;
      seen += 1;
      if (samples.length >= samplesNeeded && (learnt === undefined || seen % recomputeEvery === 0)) {
        const sorted = [...samples].sort((a, b) => a - b);
        learnt = Math.max(1.5 * (sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0), leastMs);
      }
    },
    timeoutMs: (deadlineMs: number): number => (learnt === undefined ? deadlineMs : Math.min(learnt, Math.max(deadlineMs - 100, 200))),
  };
};
