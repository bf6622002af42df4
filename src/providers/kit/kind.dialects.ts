/**
 * What a kind of provider exports as `dialects` from `<kind>.dialects.ts` for `npm run provider:check`, if its providers differ from one another.
 * For scripts and tests, never in a bundle.
 */
export type Exchange = { path: string; status: number; text: string };
/** One difference: the settings that a block needs for it, and what it means. */
export type Dialect = { change: Record<string, unknown>; what: string };
export type Dialects = {
  /** Tried one at a time when a step fails, and kept if they get further. */
  known: readonly Dialect[];
  /** What a person should know, although it needs no setting. */
  remarks: (exchanges: readonly Exchange[]) => string[];
  /** What the answers show, and `settings` do not say yet. */
  learnt: (exchanges: readonly Exchange[], settings: Record<string, unknown>) => Dialect[];
};
