/** Providers that recognise a payment only roughly by its amount (`amount_tolerance_bps`). Two open orders of a customer must then not be near each other. */
import { asksExchange } from '../../domain/offer.ts';
import type { NearAmounts } from '../../ports/intents.ts';
import { Problem } from '../problem.ts';
import type { StoredQuote } from '../pricing/store-route.ts';

/**
 * Returns the amounts to pay that the provider could not tell from this quote's, or undefined if it tells every two amounts apart. Two amounts are near
 * if they differ by at most the tolerance of the larger, so that it does not matter which order was first.
 */
export const nearAmounts = ({ offer: { offer }, route: { asked } }: StoredQuote): NearAmounts | undefined => {
  const { amount_tolerance_bps: bps } = offer.facts;
  if (bps === undefined || !asksExchange(asked)) return undefined;
  const rest = BigInt(10_000 - Math.min(Math.max(Math.ceil(bps), 0), 9_999));
  return { currency: asked.currency, least: (offer.pay * rest + 9_999n) / 10_000n, most: (offer.pay * 10_000n) / rest };
};

export const amountTooNear = ({ offer: { offer } }: StoredQuote, orderId: string): Problem =>
  new Problem(
    'amount-in-use',
    `A payment for your order ${orderId} at this provider may still be on its way, and the provider could not tell it from this one's: the amounts must differ by more than ${(offer.facts.amount_tolerance_bps ?? 0) / 100} %. Choose another amount, or pay that order if it is still open.`,
    { members: { order_ids: [orderId] } },
  );
