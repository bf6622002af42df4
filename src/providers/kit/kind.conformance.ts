/**
 * Types for the checks that `npm run provider:check -- <url> --report` runs. A kind whose providers follow a published standard exports its
 * checks as `conformance` from `<kind>.conformance.ts`. For scripts and tests, never in a bundle.
 */
import type { Http } from '../spec.ts';
import type { Exchange } from './kind.dialects.ts';

/** One thing that a check found wrong, and the clause that the check rests on. */
export type Flaw = { what: string; clause: string };
/**
 * One check. `must`: a server that fails the check deviates from the standard. `advice`: the standard is silent or contradicts itself, but clients
 * work better with a server that passes the check. `clause`: the part of the standard that the check rests on.
 */
export type CheckKind = { id: string; endpoint: string; level: 'must' | 'advice'; title: string; clause: string };
export type ConformanceCheck = CheckKind & {
  outcome: 'held' | 'deviation' | 'advice' | 'not-tried';
  /** The first flaws that were found, each once. */
  seen: Flaw[];
  /** Why the check was not tried. */
  because?: string;
};
export type ConformanceRun = {
  checks: ConformanceCheck[];
  /** Whether the server returned a price. Without a price, a report never says that the server conforms. */
  priced: boolean;
  /** The provider's ids of the orders that were made. */
  orders: string[];
  exchanges: Exchange[];
  /** The settings that this server needs in a gateway's configuration, as far as the run has found them out. */
  learnt: Record<string, unknown>;
};
export type ConformanceParts = {
  http: Http;
  /** The URL before every path of the standard. */
  base: string;
  /** The paths of this provider where they differ from the standard's. */
  paths: Readonly<Record<string, string>>;
  now: () => number;
  newId: () => string;
  /** 32 random bytes in hex. */
  newKey: () => string;
  /** The most milliseconds that one call may take. */
  stepMs: number;
  /** How many milliseconds a gateway waits for a price. */
  quoteMs: number;
  /** Whether to make a real order. It is not paid. */
  order: boolean;
};
export type Conformance = {
  standard: string;
  /** Where the standard is published. */
  source: string;
  run: (parts: ConformanceParts) => Promise<ConformanceRun>;
};
