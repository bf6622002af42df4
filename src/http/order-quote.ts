import { placeOrder } from '../gateway/ordering/place-order.ts';
import type { Prepared } from '../gateway/ordering/prepared.ts';
import type { PlacingInputs } from '../gateway/ordering/placing.ts';
import { readSession, type OpenSession } from '../gateway/sessions/read-session.ts';
import { showOffer } from '../gateway/pricing/show-offers.ts';
import { findQuote, type StoredOffers, type StoredQuote } from '../gateway/pricing/store-route.ts';
import type { Call } from './call.ts';
import { idempotencyKeyOf, refuseReusedKey } from './idempotency-key.ts';

/** What every ordering route may answer. */
export const orderProblems = [
  'session-invalid',
  'quote-not-found',
  'quote-expired',
  'quote-used',
  'amount-out-of-range',
  'order-pending',
  'order-unpayable',
  'price-changed',
  'provider-unavailable',
  'too-many-open-orders',
  'webhook-url-refused',
  'idempotency-key-invalid',
  'idempotency-key-reused',
  'rate-limited',
] as const;

export type Ordering = {
  ramp: 'buy' | 'sell' | 'liquidity';
  path: string;
  sessionId: string;
  quoteId: string;
  /** The body as it came, for the Idempotency-Key. */
  raw: string;
  inputs: Omit<PlacingInputs, 'order' | 'nodePubkey'>;
  /** What the ramp adds once the quote is known, or why it cannot be ordered yet. */
  prepare?: (session: OpenSession, quote: StoredQuote) => Promise<Prepared>;
  /** The same request priced anew: what the market says now, for whoever's price changed. */
  reprice: (session: OpenSession, quote: StoredQuote) => Promise<StoredOffers>;
};

/** Orders a quote of any ramp: the same quote again gets the same bytes, and only a new order counts against the session's minute. */
export const orderQuote = async (call: Call, ordering: Ordering): Promise<Response> => {
  const { gateway } = call;
  const { ramp, path, quoteId, prepare } = ordering;
  const idempotencyKey = idempotencyKeyOf(call.request);
  const session = await readSession(gateway, ordering.sessionId, 'price');
  const given = await placeOrder(
    call.scope,
    session,
    {
      quoteId,
      ramp,
      idempotencyKey,
      inputs: { ...ordering.inputs, order: {} },
      count: async () => await call.limit('orders', session.idHash),
      refuseReusedKey: async () => await refuseReusedKey(call, session.customerId, path, idempotencyKey, ordering.raw),
      ...(prepare ? { prepare: async (quote) => await prepare(session, quote) } : {}),
    },
    async () => {
      const stored = await ordering.reprice(session, await findQuote(gateway, quoteId, session.customerId));
      return stored.route.offers.map((_, index) => showOffer(gateway, stored, index));
    },
  );
  call.headers['content-type'] = 'application/json';
  return new Response(given.body, { status: given.status });
};
