import type { Action as KnownAction, ProblemCode } from './words.gen.ts';
import type { Offer } from './offer.ts';

/** A word that this version knows, or a word of a later gateway. */
export type Open<Word extends string> = Word | (string & Record<never, never>);

/** What went wrong. The gateway's codes are in its docs/errors.md; the codes below are this client's own. */
export type RampErrorCode = Open<
  | ProblemCode
  /** No answer, or one that is not from the gateway: the outcome of the request is unknown. */
  | 'unreachable'
  /** The gateway's answer lacks a required member. */
  | 'malformed-answer'
  /** The gateway asked for a signature over a token of another gateway. Nothing was signed. */
  | 'unsafe-token'
  /** The store threw, or holds something that this client did not write. The call ordered nothing. */
  | 'store-failed'
  /** `until` waits for a stage or status that this order, account or connection will not reach. */
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
 * The only error that this client throws, with two exceptions: an aborted signal throws its own reason, and an error thrown by `node.sign` passes
 * through. `code` is for your code, `action` says what to do next, `message` is a sentence for people. The error contains no secret, except that
 * `problem` may have `action_url` or `signup_url`: pages of a provider that may show the customer's data. Do not log `problem`.
 */
export class RampError extends Error {
  override readonly name = 'RampError';
  readonly code: RampErrorCode;
  readonly action: Action;
  /** The HTTP status, when the gateway answered. */
  readonly status: number | undefined;
  /** How long to wait before repeating the call, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The gateway's whole problem document (RFC 9457), with members of later versions. */
  readonly problem: Readonly<Record<string, unknown>> | undefined;
  /** What can be ordered instead. Present with `price-changed` and `provider-declined`. */
  offers: Offer[] | undefined;
  /**
   * Whether the offer that was being ordered may have become an order: `open` then lists the request as pending. Order nothing else until the
   * outcome of that request is known or the request has been dropped with `forget`.
   */
  pending = false;

  constructor(init: RampErrorInit) {
    super(init.detail, init);
    ({ code: this.code, action: this.action, status: this.status, retryAfterMs: this.retryAfterMs, problem: this.problem } = init);
  }

  /** The id by which the operator of the gateway finds the request. */
  get requestId(): string | undefined {
    return textOf(this.problem?.['instance']);
  }
  /** The order that the problem is about, for example with `quote-used`. */
  get orderId(): string | undefined {
    return textOf(this.problem?.['order_id']);
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Returns whether the same call may succeed after a while. */
export const isTemporary = (error: unknown): error is RampError => error instanceof RampError && (error.action === 'retry' || error.action === 'wait');

/** Returns the error for input that no gateway accepts. */
export const badInput = (pointer: string, what: string): RampError =>
  new RampError({
    code: 'invalid-request',
    action: 'fix-request',
    detail: `${pointer}: ${what}`,
    problem: { errors: pointer.split(', ').map((name) => ({ pointer: `/${name}`, detail: what })) },
  });

/** Returns `given`. Throws if any of its members in `names` is missing; the error names every missing one. */
export const needs = <T extends object>(given: T | null | undefined, ...names: (keyof T & string)[]): T => {
  const missing = names.filter((name) => (given?.[name] ?? '') === '');
  if (missing.length > 0) throw badInput(missing.join(', '), 'missing');
  return given as T;
};

/** Returns whether the gateway says that this member of the request is wrong. */
export const isAbout = (error: unknown, pointer: string): boolean => {
  const errors = error instanceof RampError && error.problem?.['errors'];
  return Array.isArray(errors) && errors.some((one: { pointer?: unknown }) => one.pointer === pointer);
};

/** Returns the words to wait for. Throws if one is misspelt, because the wait would never end. */
export const oneOf = <Word extends string>(what: string, known: readonly Word[], words: Word | readonly Word[]): readonly Word[] => {
  const wanted = typeof words === 'string' ? [words] : words;
  if (!Array.isArray(wanted) || wanted.length === 0 || wanted.some((word) => !known.includes(word)))
    throw badInput(what, `${String(words)} is not one of ${known.join(', ')}`);
  return wanted;
};

/** Reads an answer. If a required member is missing, throws `malformed-answer`. */
export const readAs = <T>(what: string, read: () => T): T => {
  try {
    return read();
  } catch (cause) {
    throw new RampError({ code: 'malformed-answer', action: 'contact-support', detail: `The gateway's answer is not ${what}.`, cause });
  }
};
/** Returns a required member. For use in `readAs`. */
export const given = <T>(value: T | null | undefined, name: string): T => {
  if (value === undefined || value === null) throw new TypeError(`${name} is missing`);
  return value;
};
