import { ProviderBusy } from '../providers/fault.ts';

export type BulkheadSettings = { inFlight: number; queue: number; queueAgeMs: number };

/** Calls beyond `inFlight` wait: at most `queue` of them, for at most `queueAgeMs`, since serving an old one is wasted work. */
export const createBulkhead = ({ inFlight, queue, queueAgeMs }: BulkheadSettings) => {
  let running = 0;
  const waiting: { go: () => void; timer: ReturnType<typeof setTimeout> }[] = [];
  const enter = (): Promise<void> | undefined => {
    if (running < inFlight) {
      running += 1;
      return undefined;
    }
    if (waiting.length >= queue) return Promise.reject(new ProviderBusy());
    return new Promise((go, fail) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(entry), 1);
        fail(new ProviderBusy());
      }, queueAgeMs);
      const entry = { go, timer };
      waiting.push(entry);
    });
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (!next) {
      running -= 1;
      return;
    }
    clearTimeout(next.timer);
    next.go();
  };
  return {
    run: async <T>(work: () => Promise<T>): Promise<T> => {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
};
