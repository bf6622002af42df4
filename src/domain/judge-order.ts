/** Checks that the order a provider made matches the quote that the customer accepted. Amounts are in the ramp's units. */
import { divFloor, isSafe } from './money.ts';
import { isExchange, type Ramp } from './ramp.ts';
import { namesDiffer } from './option-name.ts';

export type Accepted = { ramp?: Ramp; pay: bigint; receive: bigint; binding: boolean; currency?: string; option?: string };
export type Made = { pay: bigint; receive: bigint; fee?: bigint; echo?: { currency?: string; option?: string } };
export type Bounds = { minReceive?: bigint; maxPay?: bigint; slippageBps: number };

export type Judgement = 'as-accepted' | 'price-changed' | 'differs';

/** Returns the largest `pay` that the order for a purchase or sale may have. */
export const mostPay = ({ pay, binding }: Pick<Accepted, 'pay' | 'binding'>, { slippageBps, maxPay }: Bounds): bigint => {
  const most = binding ? pay : divFloor(pay * 10_000n, BigInt(10_000 - Math.min(slippageBps, 9_999)));
  return maxPay !== undefined && maxPay < most ? maxPay : most;
};

/**
 * Judges an order. An order in another currency or by another payment option, or with an amount that cannot be stored, does not belong to this quote.
 * No order may go beyond the customer's own limits. Apart from that:
 * - The order for a binding quote must have exactly the accepted amounts.
 * - On the estimate of a purchase or a sale, `receive` per `pay` may be worse by `slippageBps`. `pay` may be higher by about as much, and no
 *   more: an order for ten times the amount is not what the customer accepted, even at the same price.
 * - On a channel's estimate, only `pay` may be worse, by `slippageBps`.
 */
export const judgeOrder = (accepted: Accepted, made: Made, bounds: Bounds): Judgement => {
  if (namesDiffer(made.echo?.currency, accepted.currency) || namesDiffer(made.echo?.option, accepted.option)) return 'differs';
  // Only a channel can be free.
  const leastPay = accepted.ramp === 'liquidity' ? 0n : 1n;
  if (made.pay < leastPay || made.receive < 0n || ![made.pay, made.receive, made.fee ?? 0n].every(isSafe)) return 'differs';
  if (bounds.minReceive !== undefined && made.receive < bounds.minReceive) return 'price-changed';
  if (bounds.maxPay !== undefined && made.pay > bounds.maxPay) return 'price-changed';
  if (accepted.binding) return made.pay === accepted.pay && made.receive === accepted.receive ? 'as-accepted' : 'price-changed';
  // If a channel gives only inbound capacity, nothing is received, so there is no price to compare. So for channels, each amount is compared on its
  // own.
  if (accepted.ramp !== undefined && !isExchange(accepted.ramp))
    return made.receive >= accepted.receive && made.pay * 10_000n <= accepted.pay * BigInt(10_000 + bounds.slippageBps) ? 'as-accepted' : 'price-changed';
  if (made.pay > mostPay(accepted, bounds)) return 'price-changed';
  // made.receive / made.pay ≥ accepted.receive / accepted.pay × (1 − slippage), by exact cross-multiplication.
  return made.receive * accepted.pay * 10_000n >= accepted.receive * made.pay * BigInt(10_000 - bounds.slippageBps) ? 'as-accepted' : 'price-changed';
};

/** The tolerance for clocks that differ. */
const endSlackMs = 15_000;
const minuteMs = 60_000;
/** Returns the latest moment that a stated expiry can mean. A provider that states whole minutes has cut off the seconds. */
const latestEnd = (endsOn: number): number => (endsOn % minuteMs === 0 ? endsOn + minuteMs - 1 : endsOn);

/** Returns whether an order lasts at least as long as its quote. To an order without a stated expiry, the quote's expiry applies. */
export const lastsAsQuoted = (quoted: { expiresOn?: number }, endsOn: number | undefined): boolean =>
  quoted.expiresOn !== undefined && latestEnd(endsOn ?? quoted.expiresOn) >= quoted.expiresOn - endSlackMs;

/**
 * Judges the expiry of an order. `over`: the order has expired or is about to, so the customer's money would come too late. `price-changed`: the
 * order expires before the binding quote does, which is not what the customer accepted. To an order without a stated expiry, the quote's expiry
 * applies.
 */
export const judgeEnd = (
  quoted: { binding: boolean; expiresOn?: number },
  endsOn: number | undefined,
  lastMoment: number,
): 'in-time' | 'over' | 'price-changed' => {
  if ((endsOn ?? quoted.expiresOn ?? Infinity) <= lastMoment) return 'over';
  if (endsOn === undefined) return 'in-time';
  return quoted.binding && quoted.expiresOn !== undefined && !lastsAsQuoted(quoted, endsOn) ? 'price-changed' : 'in-time';
};
