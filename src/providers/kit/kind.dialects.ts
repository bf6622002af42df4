/**
 * What a kind of provider exports as `dialects` from `<kind>.dialects.ts` for `npm run provider:check`, if its providers differ from one another.
 * For scripts and tests, never in a bundle.
 */

/** One call as it went over the wire. Without an answer, `status` is 0 and `text` empty. */
export type Exchange = {
  method: 'GET' | 'POST';
  path: string;
  /** What was sent, as JSON text. */
  sent?: string;
  status: number;
  type?: string;
  /** Where a redirect leads. */
  location?: string;
  text: string;
  ms: number;
};
/** How far a check came. Of buying, `price` is one for an amount of fiat, `both` one for an amount of sats, too. */
export const stepsOf = ['nothing', 'answered', 'session', 'listing', 'price', 'both'] as const;
export type Step = (typeof stepsOf)[number];
/** One difference: the settings that a block needs for it, and what it means. */
export type Dialect = { change: Record<string, unknown>; what: string };
/** `after`: the step that a check does not get beyond without it. */
export type KnownDialect = Dialect & { after: Step };
export type Dialects = {
  /** Tried when a step fails, alone and in pairs. The one that gets furthest is kept. */
  known: readonly KnownDialect[];
  /** What a person should know, although it needs no setting. */
  remarks: (exchanges: readonly Exchange[]) => string[];
  /** What the answers show, and `settings` do not say yet. */
  learnt: (exchanges: readonly Exchange[], settings: Record<string, unknown>) => Dialect[];
};
