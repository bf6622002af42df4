/**
 * Some providers recognise a payment only roughly, by its amount (`amount_tolerance_bps`). At such a provider, the amounts of a customer's open
 * orders must not be near each other.
 */
import { asksExchange } from '../../domain/offer.ts';
import type { NearAmounts } from '../../ports/intents.ts';
import { Problem } from '../problem.ts';
import type { StoredQuote } from '../pricing/store-route.ts';

/**
 * Returns the amounts to pay that the provider could not tell apart from this quote's, or undefined if it can tell any two amounts apart. Two amounts
 * are near if they differ by at most the tolerance, as a share of the larger one. So it does not matter which order was first. The order for an
 * estimate may differ from the quote by up to the slippage. We allow for that before we order. Afterwards it is too late: even if we withhold the new
 * order, the provider would book the other order's payment to the new one, because that is the newest.
 */
export const nearAmounts = (quote: StoredQuote, slippageBps: number): NearAmounts | undefined => {
  const { offer } = quote.offer;
  const { asked } = quote.route;
  const { amount_tolerance_bps: bps } = offer.facts;
  if (bps === undefined || !asksExchange(asked)) return undefined;
  const rest = restOf(bps) * restOf(slackBps(quote, slippageBps));
  return { currency: asked.currency, slippageBps, least: (offer.pay * rest + whole - 1n) / whole, most: (offer.pay * whole) / rest };
};

const whole = 100_000_000n;
const restOf = (bps: number): bigint => BigInt(10_000 - Math.min(Math.max(Math.ceil(bps), 0), 9_999));

/**
 * Returns by how much the order's amount to pay may differ from the quote's, in basis points. A customer who said how much to pay pays exactly that.
 */
const slackBps = ({ offer: { offer }, route: { asked } }: StoredQuote, slippageBps: number): number =>
  offer.binding || (asksExchange(asked) && asked.fixed === 'pay') ? 0 : slippageBps;

export const amountTooNear = (quote: StoredQuote, orderId: string, slippageBps: number): Problem => {
  const bps = (quote.offer.offer.facts.amount_tolerance_bps ?? 0) + slackBps(quote, slippageBps);
  return new Problem(
    'amount-in-use',
    `A payment for your order ${orderId} at this provider may still be on its way, and the provider could not tell it from the payment for this order: the amounts must differ by more than ${bps / 100} %. Choose another amount, or pay that order if it is still open.`,
    { members: { order_ids: [orderId] } },
  );
};
