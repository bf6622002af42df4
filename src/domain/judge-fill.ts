/**
 * Compares what a provider delivered for a paid order with what was ordered. Amounts are in the ramp's units. The amount that was paid is the
 * provider's own statement. So a low amount never excuses a short fill: a provider that keeps part of the money could say that less had come.
 * docs/decisions/2026-11-29-more-less-late.md lists the cases.
 */
import type { Bounds } from './judge-order.ts';

export type Ordered = { pay: bigint; receive: bigint; binding: boolean; bounds: Bounds };

/**
 * How a fill is judged. After `short` and `overcharged`, the customer must agree before taking what was delivered, and the provider still owes the
 * difference.
 * - `as-ordered`: there is nothing to report.
 * - `differs`: the customer gets what was delivered and is shown the difference.
 * - `short`: too little was delivered.
 * - `overcharged`: the provider charged more than the customer had accepted, at a worse price.
 */
export type FillJudgement = 'as-ordered' | 'differs' | 'short' | 'overcharged';

/** A fill of less than this share of the ordered amount, in basis points, is short. For an estimate, a larger accepted slippage lowers the share. */
const nearEnoughBps = 9_900;

/** If more was charged, the price still counts as no worse if rounding explains the difference: one unit of each amount, and 10 basis points. */
const roundingBps = 10;

/**
 * Judges a fill. The fill of an estimate may be worse than the estimate by the accepted slippage. It may not be less than the customer's
 * `minReceive`, and may cost more than their `maxPay` only if the price is no worse.
 */
export const judgeFill = ({ pay, receive, binding, bounds }: Ordered, told: { pay: bigint; receive: bigint }): FillJudgement => {
  const slippage = binding ? 0 : bounds.slippageBps;
  if (bounds.minReceive !== undefined && told.receive < bounds.minReceive) return 'short';
  if (told.receive * 10_000n < receive * BigInt(Math.min(nearEnoughBps, 10_000 - slippage))) return 'short';
  const isWithin = (bps: number): boolean => told.receive * pay * 10_000n >= receive * told.pay * BigInt(10_000 - bps);
  const isFair = (bps: number): boolean => (told.receive + 1n) * pay * 10_000n >= receive * (told.pay - 1n) * BigInt(10_000 - bps - roundingBps);
  const isAboveBound = bounds.maxPay !== undefined && told.pay > bounds.maxPay;
  if (isAboveBound || told.pay * 10_000n > pay * BigInt(10_000 + slippage))
    // More was charged. If the price is still fair, the customer has got something for the extra charge, so the fill only differs. If nothing was to be
    // received, nothing can make up for the charge.
    return receive > 0n && isFair(isAboveBound ? 0 : slippage) ? 'differs' : 'overcharged';
  if (told.pay === pay && told.receive === receive) return 'as-ordered';
  return !binding && isWithin(slippage) ? 'as-ordered' : 'differs';
};

/** Returns whether a customer must agree before a fill is handed out, and the operator must look at it. */
export const isDispute = (judged: FillJudgement): judged is 'short' | 'overcharged' => judged === 'short' || judged === 'overcharged';

/** Returns whether less than 99 % of a payment was sent back. A little may be missing, because a refund on chain costs a fee. */
export const isRefundShort = (paid: bigint, refunded: bigint): boolean => refunded * 10_000n < paid * BigInt(nearEnoughBps);

/** Returns whether a withdrawal link pays less than its order states, by more than a tenth of a percent. That is evidence, not proof. */
export const linkPaysLess = (ordered: bigint, link: bigint): boolean => link * 1000n < ordered * 999n;
