import type { Ramp } from '../domain/ramp.ts';
import type { NewOrder } from '../gateway/following/show-order.ts';
import type { FailoverRequest } from '../gateway/ordering/bounds.ts';
import { placeOrder } from '../gateway/ordering/place-order.ts';
import type { RampRequest } from '../gateway/ordering/prepare.ts';
import type { PlacingInputs } from '../gateway/ordering/placing.ts';
import { readSession } from '../gateway/sessions/read-session.ts';
import { Sent, type Call } from './call.ts';
import { idempotencyKeyOf, refuseReusedKey } from './idempotency-key.ts';

/** The problems that every ordering route may return. */
export const orderProblems = [
  'quote-not-found',
  'quote-expired',
  'quote-used',
  'amount-out-of-range',
  'order-pending',
  'order-unpayable',
  'price-changed',
  'provider-declined',
  'provider-unavailable',
  'misconfigured',
  'too-many-open-orders',
  'webhook-url-refused',
  'rate-limited',
] as const;

export type Ordering = RampRequest & {
  path: string;
  sessionId: string;
  quoteId: string;
  /** The body as sent, for the Idempotency-Key. */
  raw: string;
  inputs: Omit<PlacingInputs, 'order' | 'nodePubkey' | 'failover' | 'movedFrom'>;
  failover?: FailoverRequest | undefined;
};

/** Orders a quote of any ramp. Ordering the same quote again gets the same bytes. Only a new order counts towards the limit of orders. */
export const orderQuote = async <R extends Ramp>(call: Call, ordering: Ordering & { ramp: R }): Promise<Sent<NewOrder[R]>> => {
  const { path, sessionId, quoteId, raw, inputs, failover, ...rampRequest } = ordering;
  const idempotencyKey = idempotencyKeyOf(call.request);
  const session = await readSession(call.gateway, sessionId, 'price');
  const json = await placeOrder(call.scope, session, {
    ...rampRequest,
    quoteId,
    idempotencyKey,
    inputs: { ...inputs, order: {} },
    failover,
    count: async () => await call.limit('orders', session.idHash),
    countPricing: async () => await call.limit('quotes', session.idHash),
    refuseReusedKey: async () => await refuseReusedKey(call, session.customerId, path, idempotencyKey, raw),
  });
  return new Sent(json);
};
