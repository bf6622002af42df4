/** Rows with leases, in memory. They behave like src/store/lease.ts, but leases expire by the test's clock. */
import type { Lease, Share } from '../../../src/ports/runtime.ts';

type Kept<R> = { row: R; lease?: { owner: string; until: number } };

export const leasedRows = <R extends object>(now: () => number, onLapsed?: object) => {
  const kept = new Map<string, Kept<R>>();
  const copy = (one: Kept<R>): R => structuredClone(one.row);
  const isFree = ({ lease }: Kept<R>, owner: string): boolean => lease === undefined || lease.until < now() || lease.owner === owner;
  /** Changes a row's members. One that becomes `undefined` or null is removed, just as a null column is missing from a row that is read. */
  const write = (one: Kept<R>, change: object): void => {
    const members = Object.entries({ ...one.row, ...structuredClone(change) }).filter(([, value]) => value !== undefined && value !== null);
    one.row = Object.fromEntries(members) as R;
  };
  /** `onLapsed` is what changes in a row whose last lease was not given back. */
  const take = (one: Kept<R>, lease: Lease): R => {
    if (one.lease && onLapsed) write(one, onLapsed);
    one.lease = { owner: lease.owner, until: now() + lease.seconds * 1000 };
    return copy(one);
  };
  return {
    has: (id: string): boolean => kept.has(id),
    insert: (id: string, row: R, lease?: Lease): void => {
      const one: Kept<R> = { row: structuredClone(row) };
      kept.set(id, one);
      if (lease) take(one, lease);
    },
    find: (is: (row: R) => boolean): R | undefined => [...kept.values()].filter((one) => is(one.row)).map(copy)[0],
    filter: (is: (row: R) => boolean): R[] => [...kept.values()].filter((one) => is(one.row)).map(copy),
    /** Changes a row if it exists, `is` holds for it, and no other owner leases it. Returns whether it was changed. */
    change: (id: string, owner: string, is: (row: R) => boolean, change: object, release: boolean): boolean => {
      const one = kept.get(id);
      if (!one || !is(one.row) || !isFree(one, owner)) return false;
      write(one, change);
      if (release) delete one.lease;
      return true;
    },
    /** Removes rows that are not leased. */
    remove: (is: (row: R) => boolean): void => {
      for (const [id, one] of kept) if (is(one.row) && (one.lease === undefined || one.lease.until < now())) kept.delete(id);
    },
    /** Changes a row like `change`, even if somebody else leases it. */
    set: (id: string, is: (row: R) => boolean, change: object): boolean => {
      const one = kept.get(id);
      if (!one || !is(one.row)) return false;
      write(one, change);
      return true;
    },
    holds: (id: string, owner: string): boolean => {
      const lease = kept.get(id)?.lease;
      return lease?.owner === owner && lease.until > now();
    },
    lends: (id: string, owner: string): boolean => kept.get(id)?.lease?.owner === owner,
    /** Whether a lease was taken and not given back, and whether it is still running. */
    leased: (id: string): 'running' | 'lapsed' | undefined => {
      const lease = kept.get(id)?.lease;
      return lease && (lease.until < now() ? 'lapsed' : 'running');
    },
    release: (id: string): void => void delete kept.get(id)?.lease,
    take: (id: string, lease: Lease, is: (row: R) => boolean = () => true): R | undefined => {
      const one = kept.get(id);
      return one && is(one.row) && isFree(one, lease.owner) ? take(one, lease) : undefined;
    },
    /**
     * Leases at most `limit` due rows: urgent ones first, then one of each network in turn, longest due first, and of one provider only its share.
     * Skips rows with a running lease, even one of this owner.
     */
    takeDue: (at: number, lease: Lease, limit: number, due: (row: R) => Due, share?: Share): R[] => {
      const rows = [...kept.values()]
        .map((one) => ({ one, ...due(one.row) }))
        .filter(({ one, on = Infinity }) => on <= at && (one.lease === undefined || one.lease.until < now()))
        .toSorted((a, b) => (a.on ?? 0) - (b.on ?? 0));
      const turns = new Map<string, number>();
      const taken = new Map(Object.entries(share?.busy ?? {}));
      const next = (counts: Map<string, number>, key: string): number => counts.set(key, (counts.get(key) ?? 0) + 1).get(key) ?? 0;
      return rows
        .map((row) => ({ ...row, turn: row.isUrgent === true ? 0 : row.network === undefined ? 1 : next(turns, row.network) }))
        .toSorted((a, b) => a.turn - b.turn)
        .filter(({ provider }) => next(taken, provider) <= (share?.most ?? Infinity))
        .slice(0, limit)
        .map(({ one }) => take(one, lease));
    },
  };
};
type Due = { on: number | undefined; provider: string; isUrgent?: boolean; network?: string | undefined };
