/** Compares what a provider delivered for a paid order with what was ordered. Amounts in the ramp's units. */
import type { Bounds } from './judge-order.ts';

export type Ordered = { pay: bigint; receive: bigint; binding: boolean; bounds: Bounds };

/**
 * `as-ordered`: nothing to say. `differs`: what is there is handed out, and the customer is told. `short`: so little that the customer has to agree to
 * take it; the rest stays owed. `overcharged`: more was to be paid than was agreed, which no fill makes good.
 */
export type FillJudgement = 'as-ordered' | 'differs' | 'short' | 'overcharged';

/** Of what was ordered so much is near enough, in basis points. */
const nearEnoughBps = 9_900n;

/** An estimate may be worse by its slippage. Nothing may go beyond the customer's own limits. */
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

/** What a link pays may be so much less than what its order says, in tenths of a percent: it is evidence, and no proof. */
export const linkPaysLess = (ordered: bigint, link: bigint): boolean => link * 1000n < ordered * 999n;
