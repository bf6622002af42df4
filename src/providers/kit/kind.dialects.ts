/**
 * What a kind of provider brings for `npm run provider:check`, as `dialects` in `<kind>.dialects.ts`, where its providers differ from one another:
 * for scripts and tests, never in a bundle.
 */
export type Exchange = { path: string; status: number; text: string };
/** A way to differ: the settings that a block needs for it, and what it means. */
export type Dialect = { change: Record<string, unknown>; what: string };
export type Dialects = {
  /** Tried one at a time where a step fails, and kept when they get further. */
  known: readonly Dialect[];
  /** What a person should know, although no setting is needed for it. */
  remarks: (exchanges: readonly Exchange[]) => string[];
  /** What the answers show and `settings` do not say yet. */
  learnt: (exchanges: readonly Exchange[], settings: Record<string, unknown>) => Dialect[];
};
