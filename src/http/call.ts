import type { z } from 'zod';
import type { ProblemCode } from '../gateway/problem.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Scope } from '../ports/scope.ts';
import type { Deprecation } from './deprecation.ts';
import type { KnownApp, LimitName, Limits } from './limiter.ts';

/** What the HTTP room needs besides the gateway. Constant per instance. */
export type HttpSettings = {
  mode: 'sandbox' | 'live';
  bodyBytes: number;
  /** Requests in progress: in all, and of one network. */
  inFlight: number;
  inFlightOfNetwork: number;
  limits: Limits;
  /** `mayShowKey`: whether a call from this origin may carry a publishable key. */
  corsOrigins: ReadonlyMap<string, { mayShowKey: boolean }>;
  /** The apps, keyed by the SHA-256 of their key as hex. */
  apps: ReadonlyMap<string, KnownApp>;
  operatorTokenHashes: readonly string[];
  metricsToken?: string | undefined;
};

/** The headers, keyed by lower-case name, in a plain record that the server writes unchanged. */
export type AnswerHeaders = Record<string, string>;

export type Call = {
  scope: Scope;
  /** The scope's own. */
  gateway: Gateway;
  http: HttpSettings;
  ip: () => string | undefined;
  app: KnownApp | undefined;
  /** Headers of the answer. */
  headers: AnswerHeaders;
  request: Request;
  /** Named parts of the path. */
  params: Record<string, string>;
  /** Counts one use by the session, if any, and by the network or app behind it. Throws when there are too many. */
  limit: (name: LimitName, sessionHash?: string) => Promise<void>;
};

/** Stored bytes: an earlier answer of this type, returned unchanged. */
export class Sent<Body> {
  readonly response: Response;
  declare readonly body: Body;
  constructor(response: Response) {
    this.response = response;
  }
}
type Reply<Body> = { status?: number; body: Body } | Sent<Body>;
export type Endpoint = {
  /** The operation's id in the OpenAPI document, for generated clients. Its description is in src/contract/operations.ts. */
  id: string;
  method: 'get' | 'post';
  path: string;
  body?: z.ZodObject | undefined;
  query?: z.ZodObject | undefined;
  /** Request headers that the route reads itself. Here only for the description. */
  headers?: z.ZodObject | undefined;
  answer: z.ZodType;
  /** Other statuses with the same answer, and what each means. */
  otherStatuses?: Readonly<Record<number, string>>;
  problems: readonly ProblemCode[];
  deprecated?: Deprecation;
  /** Refuses before any of the request is read. */
  guard?: (call: Call) => void;
  /** Requests that must get through when quotes are shed. */
  lane: 'quotes' | 'reserved' | 'free';
  run: (call: Call, body: never, raw: string) => Promise<Reply<unknown>>;
};

/**
 * One route. Its shapes validate the request and make the OpenAPI document (src/contract). The handler is all that it does, and the compiler checks its answer against
 * the answer's shape.
 */
export const endpoint = <B extends z.ZodObject, A extends z.ZodType>(
  spec: Omit<Endpoint, 'run' | 'body' | 'answer'> & {
    body?: B;
    answer: A;
    run: (call: Call, body: z.output<B>, raw: string) => Promise<Reply<z.input<A>>>;
  },
): Endpoint => spec;
