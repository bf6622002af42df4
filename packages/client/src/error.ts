import type { Action as KnownAction, ProblemCode } from './words.gen.ts';
import type { Offer } from './offer.ts';

/** A word of this version, or a later gateway's. */
export type Open<Word extends string> = Word | (string & Record<never, never>);

/** What went wrong. The gateway's codes are in its docs/errors.md; the last lines are this client's own. */
export type RampErrorCode = Open<
  | ProblemCode
  /** No answer, or one that is not the gateway's: nothing is known about what was asked. */
  | 'unreachable'
  /** The gateway's answer lacks what it must have. */
  | 'malformed-answer'
  /** The gateway wants a text signed that is not its own. Nothing was signed. */
  | 'unsafe-token'
  /** The store threw, or holds what this client did not write. Nothing was ordered. */
  | 'store-failed'
  /** `until` waits for what this order, account or connection will not come to. */
  | 'ended'
>;
/** What to do next. */
export type Action = Open<KnownAction>;

export type RampErrorInit = {
  code: RampErrorCode;
  action: Action;
  /** A sentence for people. */
  detail: string;
  status?: number | undefined;
  retryAfterMs?: number | undefined;
  problem?: Readonly<Record<string, unknown>> | undefined;
  cause?: unknown;
};

/**
 * The only error of this client, but for the reason of an aborted signal. `code` is for your code, `action` says what to do next, `message` is a
 * sentence for people. It holds no secret.
 */
export class RampError extends Error {
  override readonly name = 'RampError';
  readonly code: RampErrorCode;
  readonly action: Action;
  /** The HTTP status, when the gateway answered. */
  readonly status: number | undefined;
  /** How long to wait before the same call, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The gateway's whole problem document (RFC 9457), with members of later versions. */
  readonly problem: Readonly<Record<string, unknown>> | undefined;
  /** `price-changed` and `provider-declined`: what can be ordered instead. */
  offers: Offer[] | undefined;

  constructor({ code, action, detail, status, retryAfterMs, problem, cause }: RampErrorInit) {
    super(detail, cause === undefined ? undefined : { cause });
    this.code = code;
    this.action = action;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.problem = problem;
  }

  /** What the operator of the gateway finds the request by. */
  get requestId(): string | undefined {
    return this.member('instance');
  }
  /** The order that the problem is about, as for `quote-used`. */
  get orderId(): string | undefined {
    return this.member('order_id');
  }

  private member(name: string): string | undefined {
    const value = this.problem?.[name];
    return typeof value === 'string' ? value : undefined;
  }
}

/** The caller passed something that no gateway takes. */
export const badInput = (pointer: string, what: string): RampError =>
  new RampError({
    code: 'invalid-request',
    action: 'fix-request',
    detail: `${pointer}: ${what}`,
    problem: { errors: [{ pointer: `/${pointer}`, detail: what }] },
  });

/** Reads an answer. One that lacks what it must have is the gateway's fault. */
export const readAs = <T>(what: string, read: () => T): T => {
  try {
    return read();
  } catch (cause) {
    throw new RampError({ code: 'malformed-answer', action: 'contact-support', detail: `The gateway's answer is not ${what}.`, cause });
  }
};
/** A member that must be there. For use in `readAs`. */
export const given = <T>(value: T | null | undefined, name: string): T => {
  if (value === undefined || value === null) throw new TypeError(`${name} is missing`);
  return value;
};
