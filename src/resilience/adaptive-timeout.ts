const samplesKept = 200;
const samplesNeeded = 20;
const recomputeEvery = 20;

/**
 * Returns how long to wait for a provider: 1.5 × the 99th percentile of its last 200 answers, but at least `leastMs` and at most the deadline minus
 * 100 ms. Late answers count, since a timeout learnt only from successes can never grow again. Before 20 answers: the deadline.
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
