/**
 * The type of the export `dialects` of `<kind>.dialects.ts`, for kinds whose providers differ from one another. `npm run provider:check` tries the
 * dialects. For scripts and tests, never in a bundle.
 */
import type { HttpRequest } from '../spec.ts';

/** One request and its response, as they went over the wire. Without a response, `status` is 0, and `text` is empty or the kind of the fault. */
export type Exchange = {
  method: HttpRequest['method'];
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
/** How far a check of a provider got. For buying, `price` is a price for an amount of fiat; `both` is that and a price for an amount of sats. */
export const stepsOf = ['nothing', 'answered', 'session', 'listing', 'price', 'both'] as const;
export type Step = (typeof stepsOf)[number];
/** One difference from other providers of the kind: the settings that a block needs for it, and a description for people. */
export type Dialect = { change: Record<string, unknown>; what: string };
/** A dialect to try. `after`: the last step that a check reaches at a provider with this dialect while the block lacks the dialect's settings. */
export type KnownDialect = Dialect & { after: Step };
export type Dialects = {
  /** The dialects that are tried when a step fails, alone and in pairs. The attempt that gets furthest is kept. */
  known: readonly KnownDialect[];
  /** Returns remarks for people about differences that need no setting. */
  remarks: (exchanges: readonly Exchange[]) => string[];
  /** Returns the dialects that the answers show and that `settings` do not cover yet. */
  learnt: (exchanges: readonly Exchange[], settings: Record<string, unknown>) => Dialect[];
};
