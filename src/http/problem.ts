import type { Json } from '../domain/offer.ts';
import { Problem, type ProblemCode, type ProblemMore } from '../gateway/problem.ts';

export const actions = ['fix-request', 'reopen-session', 'requote', 'read-order', 'retry', 'wait', 'ask-user', 'contact-support'] as const;
export type Action = (typeof actions)[number];
type Kind = { status: number; title: string; action: Action; retryable: boolean };

const kind = (status: number, title: string, action: Action, retryable = false): Kind => ({ status, title, action, retryable });

/** The only list of problems (RFC 9457). Answers and the OpenAPI document are made from it. */
export const problems: Record<ProblemCode, Kind> = {
  'invalid-request': kind(400, 'The request does not match the API', 'fix-request'),
  'idempotency-key-invalid': kind(400, 'The Idempotency-Key is not valid', 'fix-request'),
  'session-invalid': kind(401, 'The session is not valid', 'reopen-session'),
  'ownership-proof-failed': kind(403, 'The proof of ownership failed', 'fix-request'),
  'app-key-required': kind(403, 'This needs the key of a listed app', 'contact-support'),
  'app-key-exposed': kind(403, 'A secret app key was sent from a browser', 'fix-request'),
  'proof-required': kind(403, 'This needs a proven node key', 'reopen-session'),
  'not-found': kind(404, 'There is nothing at this path', 'fix-request'),
  'order-not-found': kind(404, 'No such order', 'fix-request'),
  'quote-not-found': kind(404, 'No such quote', 'requote'),
  'account-not-found': kind(404, 'No such account', 'fix-request'),
  'connection-not-found': kind(404, 'No such connection', 'fix-request'),
  'webhook-not-found': kind(404, 'No such webhook', 'fix-request'),
  'method-not-allowed': kind(405, 'This path does not accept this method', 'fix-request'),
  'quote-used': kind(409, 'The quote was already ordered', 'read-order'),
  'order-not-withdrawable': kind(409, "The order's bitcoin cannot be withdrawn now", 'wait', true),
  'order-short': kind(409, 'The order was filled with less than was ordered, or more was charged', 'ask-user'),
  'withdrawal-expired': kind(409, 'There is no valid withdrawal link', 'contact-support'),
  'withdrawal-differs': kind(409, 'The withdrawal already has another fallback address', 'fix-request'),
  'order-unpayable': kind(409, 'The order cannot be paid', 'requote'),
  'price-changed': kind(409, 'The price changed', 'ask-user'),
  'provider-declined': kind(409, 'The provider declined the order', 'ask-user'),
  'session-settled': kind(409, 'The session is already open with other credentials', 'reopen-session'),
  'customer-conflict': kind(409, 'This belongs to another customer', 'fix-request'),
  'idempotency-in-progress': kind(409, 'An earlier request is still in progress', 'retry', true),
  'account-required': kind(409, 'An account at the provider is needed', 'ask-user'),
  'account-not-connected': kind(409, 'The account is not connected', 'wait', true),
  'connection-required': kind(409, 'The connection is missing, cannot be used, or is still needed', 'ask-user'),
  'amount-in-use': kind(409, 'Another payment has the same amount, or nearly the same', 'ask-user'),
  'connection-name-taken': kind(409, 'The connection name is taken', 'ask-user'),
  'username-taken': kind(409, 'The user name is taken', 'ask-user'),
  'cancel-refused': kind(409, 'The provider refused to cancel the connection', 'ask-user'),
  'peer-not-connected': kind(409, 'The node is not connected to the seller', 'ask-user', true),
  'order-changed': kind(409, 'The order has changed', 'read-order'),
  'not-possible-now': kind(409, 'This cannot be done in the present state', 'read-order'),
  'quote-expired': kind(410, 'The quote has expired', 'requote'),
  'code-expired': kind(410, 'The code has expired, or no further try or code is allowed', 'ask-user'),
  'switch-changed': kind(412, 'Another operator has changed the switch', 'ask-user'),
  'payload-too-large': kind(413, 'The request body is too large', 'fix-request'),
  'unsupported-media-type': kind(415, 'The request body must be application/json', 'fix-request'),
  'amount-out-of-range': kind(422, 'The amount is out of range', 'ask-user'),
  'option-unavailable': kind(422, 'No provider has this currency and payment option', 'fix-request'),
  'fallback-unsupported': kind(422, 'The provider of this order has no on-chain fallback', 'fix-request'),
  'address-invalid': kind(422, 'The address cannot be used', 'ask-user'),
  'webhook-url-refused': kind(422, 'The webhook URL is not allowed', 'fix-request'),
  'no-offer': kind(422, 'No provider offers this', 'ask-user'),
  'idempotency-key-reused': kind(422, 'The Idempotency-Key was used for another request', 'fix-request'),
  'client-ipv4-required': kind(422, "The provider needs the customer's IPv4 address", 'contact-support'),
  'code-wrong': kind(422, 'The code is wrong', 'ask-user'),
  'iban-invalid': kind(422, 'The IBAN is not valid', 'ask-user'),
  'invoice-unsuitable': kind(422, 'The invoice does not fit the order', 'ask-user'),
  'payout-required': kind(422, 'The order must say where the sats go', 'fix-request'),
  'payout-unsuitable': kind(422, 'The sats cannot be sent to this destination', 'ask-user'),
  'rate-limited': kind(429, 'Too many requests', 'wait', true),
  'too-many-open-orders': kind(429, 'Too many open unpaid orders', 'ask-user'),
  'daily-limit-reached': kind(429, 'The daily limit is reached', 'wait'),
  internal: kind(500, 'The gateway failed', 'contact-support'),
  'payout-link-refused': kind(502, 'The provider gave a link that is not on one of its own hosts', 'contact-support'),
  'provider-unavailable': kind(503, 'The provider cannot be used for this at the moment', 'retry', true),
  'all-providers-failed': kind(503, 'No offer: no provider answered, or not every provider could be asked', 'retry', true),
  'order-pending': kind(503, 'An order is still being placed', 'retry', true),
  'claim-outcome-unknown': kind(503, 'The provider has given no withdrawal link yet', 'retry', true),
  'temporary-reduced-capacity': kind(503, 'The gateway is busy', 'retry', true),
  'storage-unavailable': kind(503, 'The gateway cannot reach its database', 'retry', true),
  misconfigured: kind(503, "The gateway's configuration has a mistake", 'contact-support'),
  'provider-timeout': kind(504, 'The provider did not answer in time', 'retry', true),
};

export const codes = Object.keys(problems) as [ProblemCode, ...ProblemCode[]];

export type ProblemDocument = { [key: string]: Json };

const problemDocument = (code: ProblemCode, detail: string, instance: string, more: ProblemMore = {}): ProblemDocument => {
  const { status, title, action, retryable } = problems[code];
  return {
    type: `urn:ramp-gateway:problem:${code}`,
    title,
    status,
    detail,
    instance,
    code,
    action,
    retryable,
    help: `/docs/errors#${code}`,
    ...(more.retryAfterMs === undefined ? {} : { retry_after_ms: more.retryAfterMs }),
    ...(more.errors === undefined ? {} : { errors: more.errors }),
    ...more.members,
  };
};

export const problemResponse = (problem: Problem, instance: string, headers: Record<string, string> = {}): Response => {
  const { status } = problems[problem.code];
  const retryAfter = problem.more.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(problem.more.retryAfterMs / 1000))) };
  return new Response(JSON.stringify(problemDocument(problem.code, problem.detail, instance, problem.more)), {
    status,
    headers: { ...headers, ...problem.more.headers, ...retryAfter, 'content-type': 'application/problem+json' },
  });
};
