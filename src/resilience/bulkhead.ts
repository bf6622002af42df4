import { ProviderBusy } from '../providers/fault.ts';

export type BulkheadSettings = { inFlight: number; queue: number; queueAgeMs: number };

type Waiting = { network: string | undefined; go: () => void; timer: ReturnType<typeof setTimeout> };

/**
 * Limits how many calls to one provider run at the same time. Further calls wait: at most `queue` of them, for at most `queueAgeMs`, because serving
 * an old call is wasted work. One network may take at most three quarters (rounded up) of the slots and of the queue; otherwise it could keep all
 * others out with a few calls to a slow provider.
 */
export const createBulkhead = ({ inFlight, queue, queueAgeMs }: BulkheadSettings) => {
  let running = 0;
  const runningOf = new Map<string, number>();
  const waiting: Waiting[] = [];
  // On Workers there is no limit: the number of slots is infinite, and so is this share of them.
  const shareOf = (places: number): number => Math.ceil((places * 3) / 4);
  const mayRun = (network: string | undefined): boolean => running < inFlight && (network === undefined || (runningOf.get(network) ?? 0) < shareOf(inFlight));
  const mayWait = (network: string | undefined): boolean =>
    waiting.length < queue && (network === undefined || waiting.filter((one) => one.network === network).length < shareOf(queue));
  const count = (network: string | undefined, by: 1 | -1): void => {
    running += by;
    if (network === undefined) return;
    const now = (runningOf.get(network) ?? 0) + by;
    if (now > 0) runningOf.set(network, now);
    else runningOf.delete(network);
  };
  const enter = (network: string | undefined): Promise<void> | undefined => {
    if (mayRun(network)) {
      count(network, 1);
      return undefined;
    }
    if (!mayWait(network)) return Promise.reject(new ProviderBusy());
    return new Promise((go, fail) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(entry), 1);
        fail(new ProviderBusy());
      }, queueAgeMs);
      const entry = { network, go, timer };
      waiting.push(entry);
    });
  };
  const leave = (network: string | undefined): void => {
    count(network, -1);
    const index = waiting.findIndex((one) => mayRun(one.network));
    const [next] = index < 0 ? [] : waiting.splice(index, 1);
    if (!next) return;
    clearTimeout(next.timer);
    count(next.network, 1);
    next.go();
  };
  return {
    /**
     * Begins the work once a slot is free. Most calls need not wait at all, not even for a microtask. The work calls `leave` when it ends: doing that
     * here would need another promise for every call.
     */
    start: <T>(work: () => Promise<T>, network?: string): Promise<T> => enter(network)?.then(work) ?? work(),
    leave,
  };
};
