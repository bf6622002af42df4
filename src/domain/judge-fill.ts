/** Compares what a provider delivered for a paid order with what was ordered. Amounts are in the ramp's units. */
import type { Bounds } from './judge-order.ts';

export type Ordered = { pay: bigint; receive: bigint; binding: boolean; bounds: Bounds };

/**
 * `as-ordered`: there is nothing to report. `differs`: the customer gets what was delivered and is shown the difference. `short`: so little was
 * delivered that the customer must agree before taking it; the rest stays owed. `overcharged`: the provider charged more than was agreed, and no
 * delivered amount makes up for that.
 */
export type FillJudgement = 'as-ordered' | 'differs' | 'short' | 'overcharged';

/** The share of the ordered amount, in basis points, from which a fill is handed out without asking the customer. */
const nearEnoughBps = 9_900n;

/** Judges a fill. An estimate may be worse by the accepted slippage, but never worse than the customer's own limits. */
export const judgeFill = ({ pay, receive, binding, bounds }: Ordered, told: { pay: bigint; receive: bigint }): FillJudgement => {
  const slippage = binding ? 0 : bounds.slippageBps;
  if (told.pay * 10_000n > pay * BigInt(10_000 + slippage) || (bounds.maxPay !== undefined && told.pay > bounds.maxPay)) return 'overcharged';
  if (bounds.minReceive !== undefined && told.receive < bounds.minReceive) return 'short';
  if (told.pay === pay && told.receive === receive) return 'as-ordered';
  const usual = !binding && told.receive * pay * 10_000n >= receive * told.pay * BigInt(10_000 - slippage);
  if (usual) return 'as-ordered';
  const near = told.receive * 10_000n >= receive * nearEnoughBps;
  const lessAtNoWorsePrice = told.pay < pay && told.receive * pay >= receive * told.pay;
  return near || lessAtNoWorsePrice ? 'differs' : 'short';
};

/** Returns whether a withdrawal link pays less than its order states, by more than a tenth of a percent. That is evidence, not proof. */
export const linkPaysLess = (ordered: bigint, link: bigint): boolean => link * 1000n < ordered * 999n;
