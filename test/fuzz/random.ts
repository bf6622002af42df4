/** Repeatable randomness: the same seed, which is printed when a run fails, makes the same draws. */
export type Random = {
  seed: number;
  /** In [0, 1). */
  next: () => number;
  /** From 0 to n - 1. */
  below: (n: number) => number;
  chance: (probability: number) => boolean;
  pick: <T>(of: readonly T[]) => T;
  hex: (digits: number) => string;
  uuid: () => string;
};

/** mulberry32: small, fast and good enough to choose faults with. */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  const hex = (digits: number): string => Array.from({ length: digits }, () => below(16).toString(16)).join('');
  return {
    seed,
    next,
    below,
    chance: (probability) => next() < probability,
    pick: <T>(of: readonly T[]): T => {
      const [one] = of.slice(below(of.length));
      if (one === undefined && of.length === 0) throw new RangeError('nothing to pick from');
      return one as T; // the index is below the length, so this is `undefined` only if the list has an `undefined` there
    },
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[below(4)]}${hex(3)}-${hex(12)}`,
  };
};

/** With `CHAOS=full`, tests run in the long form, with the numbers that the goals state. `CHAOS_SEED` repeats an earlier run. */
export const isFull = process.env['CHAOS'] === 'full';
export const chaosSeed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Returns the size of a run: `short` in `npm test`, `full` in the long form, or CHAOS_COUNT if it is set. */
export const sizeOf = (short: number, full: number): number => Number(process.env['CHAOS_COUNT'] ?? (isFull ? full : short));

/** Prints a goal's result as a line that scripts/chaos.ts reads. */
export const reportGoal = (goal: string, figure: string, seed = chaosSeed): void => console.log(`GOAL ${goal} seed=${seed} ${figure}`);
