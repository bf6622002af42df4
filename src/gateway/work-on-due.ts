import type { Gateway } from '../ports/gateway.ts';
import { defect } from '../ports/defect.ts';
import type { LogFields } from '../ports/log-fields.ts';
import type { Share } from '../ports/runtime.ts';

/**
 * How many rows of one queue this instance works on at a time for one provider. This is fewer than the provider's usual slots, so that some stay free
 * for customers.
 */
const ofOneProvider = 6;
/** How long a batch may hold up the next one. After that, providers that are slow are waited for in the background. */
const batchMs = 1_000;

type Queue<T> = {
  /** Names the queue in the log. */
  name: string;
  claim: (share: Share) => Promise<T[]>;
  providerOf: (row: T) => string;
  work: (row: T) => Promise<void>;
  about: (row: T) => LogFields;
};

/**
 * Takes rows that are due and works on them at the same time. Returns how many it took. A slow provider holds up only its own rows, and a row whose
 * work throws is logged and holds up none: it is due again when its lease ends.
 */
export const workOnDue = async <T>(gateway: Gateway, { name, claim, providerOf, work, about }: Queue<T>): Promise<number> => {
  const busy = busyAt(gateway, name);
  const rows = await claim({ most: ofOneProvider, busy: Object.fromEntries(busy) });
  const working = Promise.all(
    rows.map(async (row) => {
      const provider = providerOf(row);
      busy.set(provider, (busy.get(provider) ?? 0) + 1);
      try {
        await work(row);
      } catch (error) {
        defect(gateway.log, name, error, about(row));
      } finally {
        busy.set(provider, (busy.get(provider) ?? 0) - 1);
      }
    }),
  );
  gateway.background(working);
  await gateway.waitAtMost(working, batchMs);
  return rows.length;
};

const busyAt = ({ flights }: Gateway, name: string): Map<string, number> => {
  const known = flights.working.get(name) ?? new Map<string, number>();
  flights.working.set(name, known);
  return known;
};
