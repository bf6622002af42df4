/**
 * Decides when the seller may be asked again to open an order's channel. A customer can make an opening fail, or hit the seller's rate limit, at
 * will: with a node that does not answer, for example. So at first, a failed opening holds back only its own order. All orders wait only after
 * openings for several nodes have hit the rate limit with no channel opened in between, and then for 8 seconds at most, as reads of orders do.
 */
import { isRecent } from '../../domain/is-recent.ts';
import type { OpenError } from './blocktank-errors.ts';

export type Problem = OpenError | 'open-failed';

/** How long an order waits after an opening, if the seller does not say how long. */
const waitMs = 30_000;
const mostForAllMs = 8000;
const nodesForAll = 5;
/** How long a node counts as having hit the rate limit. */
const windowMs = 60_000;
const mostOrders = 1000;

export type Openings = ReturnType<typeof createOpenings>;
/** An order whose channel is to be opened. `endsOn`: when the seller stops waiting for the opening, in Unix milliseconds, if known. */
export type ToOpen = { id: string; nodePubkey: string; endsOn: number | undefined };

export const createOpenings = (now: () => number) => {
  /** The last opening of each order. The order that was tried longest ago comes first. */
  const tried = new Map<string, { on: number; waitMs: number; problem: Problem }>();
  /** The nodes whose openings hit the rate limit since the last channel was opened, and when. */
  const limited = new Map<string, number>();
  let all = { on: 0, waitMs: 0 };

  const note = ({ id }: ToOpen, problem: Problem, ms: number): void => {
    tried.delete(id);
    tried.set(id, { on: now(), waitMs: ms, problem });
    const [first] = tried.keys();
    if (tried.size > mostOrders && first !== undefined) tried.delete(first);
  };

  return {
    /**
     * If the next opening must wait, returns the problem of the order's last one (`open-failed` if there was none), else undefined. No wait takes
     * more than half of the time that the order has left.
     */
    waitsAfter: ({ id, endsOn }: ToOpen): Problem | undefined => {
      const own = tried.get(id);
      const mostMs = endsOn === undefined ? waitMs : Math.max(0, (endsOn - now()) / 2);
      const waits = (wait: { on: number; waitMs: number }): boolean => isRecent(wait.on, now(), Math.min(wait.waitMs, mostMs));
      return (own && waits(own)) || waits(all) ? (own?.problem ?? 'open-failed') : undefined;
    },
    /** Notes that an opening has begun, so that another read of the same order does not start a second one. */
    begun: (order: ToOpen): void => note(order, 'open-failed', waitMs),
    failed: (order: ToOpen, problem: Problem): void => note(order, problem, waitMs),
    limited: (order: ToOpen, askedMs: number | undefined): void => {
      note(order, 'open-failed', askedMs ?? waitMs);
      for (const [node, on] of limited) if (!isRecent(on, now(), windowMs)) limited.delete(node);
      limited.set(order.nodePubkey, now());
      if (limited.size < nodesForAll) return;
      limited.clear();
      all = { on: now(), waitMs: Math.min(askedMs ?? mostForAllMs, mostForAllMs) };
    },
    opened: ({ id }: ToOpen): void => {
      tried.delete(id);
      limited.clear();
    },
  };
};
