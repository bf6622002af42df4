import { createRecentCallers } from './recent-callers.ts';

/** How long each step lasts if the provider names no time. */
const stepsMs = [1000, 2000, 4000, 8000];
const mostCustomers = 1000;

export type BackOffSettings = {
  /** The longest wait of one customer, whatever the provider asks for. */
  mostMs: number;
  /** The longest time for which all customers together are held back. */
  mostForAllMs: number;
  /** How many different callers must be limited, with nobody served in between, before all customers wait. */
  callersForAll: number;
  /** How long a limited caller counts towards `callersForAll`. */
  windowMs: number;
};
type Wait = { until: number; times: number };

/**
 * Decides who waits after a 429, for one class of operation. Providers often limit one session or one key, and a customer can provoke that at will.
 * So a 429 first holds back only the customer whose call it answered. All customers wait only once several callers have been limited and nobody has
 * been served in between. Without a time from the provider, a wait lasts 1, 2, 4 and then 8 s.
 */
export const createBackOff = ({ mostMs, mostForAllMs, callersForAll, windowMs }: BackOffSettings, now: () => number) => {
  /** Customers that were limited; the one that was limited longest ago comes first. */
  const customers = new Map<string, Wait>();
  const callers = createRecentCallers(windowMs);
  const all: Wait = { until: 0, times: 0 };

  /** Starts or extends a wait. A 429 during a wait is not a further step: its call probably began before the wait. */
  const extend = (wait: Wait, askedMs: number | undefined, most: number): void => {
    const at = now();
    if (at >= wait.until) wait.times += 1;
    else if (askedMs === undefined) return;
    const ownMs = stepsMs[Math.min(wait.times, stepsMs.length) - 1] ?? 8000;
    wait.until = Math.max(wait.until, at + Math.min(askedMs ?? ownMs, most));
  };
  const leftOf = (wait: Wait, most: number): number => {
    const at = now();
    // The clock may have been set back since the wait began.
    wait.until = Math.min(wait.until, at + most);
    return Math.max(0, wait.until - at);
  };
  const waitOf = (customer: string): Wait => {
    const wait = customers.get(customer) ?? { until: 0, times: 0 };
    customers.delete(customer);
    customers.set(customer, wait);
    // If there are too many customers, the one that was limited longest ago is forgotten. At worst, the provider limits that customer again.
    const [first] = customers.keys();
    if (customers.size > mostCustomers && first !== undefined) customers.delete(first);
    return wait;
  };

  return {
    /** Returns how long a call of this customer must still wait, in milliseconds. */
    waitMs: (customer: string): number => {
      if (customers.size === 0 && all.until === 0) return 0;
      const own = customers.get(customer);
      return Math.max(leftOf(all, mostForAllMs), own === undefined ? 0 : leftOf(own, mostMs));
    },
    /** Notes a 429. `caller` is counted towards `callersForAll`. */
    limited: (customer: string, caller: string, askedMs: number | undefined): void => {
      extend(waitOf(customer), askedMs, mostMs);
      if (callers.note(caller, now()) < callersForAll) return;
      callers.clear();
      extend(all, askedMs, mostForAllMs);
    },
    /** Notes that a call of this customer was served. */
    served: (customer: string): void => {
      if (customers.size === 0 && all.until === 0) return;
      callers.clear();
      all.times = 0;
      if (now() >= all.until) all.until = 0;
      const own = customers.get(customer);
      if (own === undefined) return;
      own.times = 0;
      if (now() >= own.until) customers.delete(customer);
    },
  };
};
