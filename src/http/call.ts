import type * as z from 'zod';
import type { ProblemCode } from '../gateway/problem.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Scope } from '../ports/scope.ts';
import type { Deprecation } from './deprecation.ts';
import type { KnownApp, LimitName, Limits } from './limiter.ts';

/** What src/http needs in addition to the gateway. Constant per instance. */
export type HttpSettings = {
  mode: 'sandbox' | 'live';
  bodyBytes: number;
  /** The most requests in progress: in all, and from one network. */
  inFlight: number;
  inFlightOfNetwork: number;
  limits: Limits;
  /** `mayShowKey`: whether a call from this origin may carry a publishable key. */
  corsOrigins: ReadonlyMap<string, { mayShowKey: boolean }>;
  /** The apps, keyed by the SHA-256 of their key as hex. */
  apps: ReadonlyMap<string, KnownApp>;
  operatorTokenHashes: readonly string[];
  /** The only host of the console in live mode, with its port if it has one. */
  consoleHost?: string | undefined;
  metricsToken?: string | undefined;
};

/** The headers, keyed by lower-case name, in a plain record that the server writes unchanged. */
export type AnswerHeaders = Record<string, string>;

export type Call = {
  scope: Scope;
  /** The same as `scope.gateway`. */
  gateway: Gateway;
  http: HttpSettings;
  ip: () => string | undefined;
  app: KnownApp | undefined;
  /** The headers of the answer, to which the route may add. */
  headers: AnswerHeaders;
  request: Request;
  /** Named parts of the path. */
  params: Record<string, string>;
  /** Counts one use by the session, if any, and by the network or app behind it. Throws when there are too many. */
  limit: (name: LimitName, sessionHash?: string) => Promise<void>;
  /** Counts like `limit`, but returns whether the use is allowed instead of refusing the request. */
  allows: (name: LimitName, sessionHash?: string) => Promise<boolean>;
};

/** An answer whose JSON text is final, such as a stored one that is returned again unchanged. `Body` is the type of the JSON. */
export class Sent<Body> {
  readonly json: string;
  declare readonly body: Body;
  constructor(json: string) {
    this.json = json;
  }
}
export type Reply<Body> = { status?: number; body: Body } | Sent<Body>;
export type Endpoint = {
  /** The operation's id in the OpenAPI document, for generated clients. Its description is in src/contract/operations.ts. */
  id: string;
  method: 'get' | 'post';
  path: string;
  body?: z.ZodObject | undefined;
  query?: z.ZodObject | undefined;
  /** Request headers that the route reads itself. Listed here only for the OpenAPI document. */
  headers?: z.ZodObject | undefined;
  answer: z.ZodType;
  /** Other statuses whose answer has the same shape, and what each means. */
  otherStatuses?: Readonly<Record<number, string>>;
  problems: readonly ProblemCode[];
  deprecated?: Deprecation;
  /** Throws if the caller may not use this route, before the body is read. */
  guard?: (call: Call) => Promise<void>;
  /**
   * How the route gets a slot when the gateway is busy. `quotes` are refused first, a third of all slots is left to `reserved`, and `free` needs
   * none.
   */
  lane: 'quotes' | 'reserved' | 'free';
  run: (call: Call, body: never, raw: string) => Promise<Reply<unknown>>;
};

/**
 * Defines a route. Its shapes validate the request and make the OpenAPI document (src/contract), its handler does all the work, and the compiler
 * checks the handler's answer against the answer's shape.
 */
export const endpoint = <B extends z.ZodObject, A extends z.ZodType>(
  spec: Omit<Endpoint, 'run' | 'body' | 'answer'> & {
    body?: B;
    answer: A;
    run: (call: Call, body: z.output<B>, raw: string) => Promise<Reply<z.input<A>>>;
  },
): Endpoint => spec;
