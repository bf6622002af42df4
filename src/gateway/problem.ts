import type { Json } from '../domain/offer.ts';

/** All problem codes. src/http/problem.ts gives each code its status, title and action; a code that is missing there does not compile. */
export type ProblemCode =
  | 'invalid-request'
  | 'idempotency-key-invalid'
  | 'session-invalid'
  | 'ownership-proof-failed'
  | 'app-key-required'
  | 'app-key-exposed'
  | 'not-found'
  | 'order-not-found'
  | 'quote-not-found'
  | 'account-not-found'
  | 'connection-not-found'
  | 'webhook-not-found'
  | 'method-not-allowed'
  | 'order-changed'
  | 'not-possible-now'
  | 'switch-changed'
  | 'quote-used'
  | 'order-not-withdrawable'
  | 'withdrawal-expired'
  | 'withdrawal-differs'
  | 'order-unpayable'
  | 'order-short'
  | 'price-changed'
  | 'provider-declined'
  | 'session-settled'
  | 'customer-conflict'
  | 'idempotency-in-progress'
  | 'quote-expired'
  | 'payload-too-large'
  | 'unsupported-media-type'
  | 'amount-out-of-range'
  | 'option-unavailable'
  | 'fallback-unsupported'
  | 'address-invalid'
  | 'webhook-url-refused'
  | 'no-offer'
  | 'idempotency-key-reused'
  | 'rate-limited'
  | 'too-many-open-orders'
  | 'internal'
  | 'payout-link-refused'
  | 'provider-unavailable'
  | 'provider-timeout'
  | 'all-providers-failed'
  | 'order-pending'
  | 'claim-outcome-unknown'
  | 'temporary-reduced-capacity'
  | 'storage-unavailable'
  | 'misconfigured'
  | 'account-required'
  | 'account-not-connected'
  | 'connection-required'
  | 'amount-in-use'
  | 'cancel-refused'
  | 'client-ipv4-required'
  | 'connection-name-taken'
  | 'username-taken'
  | 'code-wrong'
  | 'code-expired'
  | 'iban-invalid'
  | 'proof-required'
  | 'peer-not-connected'
  | 'invoice-unsuitable'
  | 'payout-required'
  | 'payout-unsuitable'
  | 'daily-limit-reached';

export type ProblemMore = {
  retryAfterMs?: number;
  errors?: { pointer: string; detail: string }[];
  /** Further members of the problem document, under the API's names: limits, offers, refused, failed, order_id … */
  members?: { [key: string]: Json };
  /** Headers of the response, by lower-case name. */
  headers?: { [name: string]: string };
  cause?: unknown;
};

/** Thrown when a use case refuses. `detail` tells people what is wrong, and often what to do. It must not hold a secret or a provider's free text. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly more: ProblemMore;
  constructor(code: ProblemCode, detail: string, more: ProblemMore = {}) {
    super(`${code}: ${detail}`, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'Problem';
    this.code = code;
    this.detail = detail;
    this.more = more;
  }
}
