import { isClaimed } from '../../domain/ramp.ts';
import type { Stage } from '../../domain/order.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import type { OrderEvidence } from '../../providers/spec.ts';

/** `unasked`: no link was ever asked for. `asked`: one was, and we hold none: the answer is on its way, was lost, or was a refusal. */
export type Unlinked = 'unasked' | 'asked';

/**
 * Bought sats that the customer withdraws can be gone only if a withdrawal link was made for them, and links are made only when we ask. So while we
 * hold none, a provider's "finished" means no more than that it still has the sats: `filled`. Otherwise one word would end the order, and the sats
 * would be lost without a trace. As `filled`, the order can be withdrawn: the provider then gives a link, or refuses, and a person looks at the
 * claim. `known` is the stage that the order has reached. What is final stays so, and after a restore a link may have been given that we no longer
 * know.
 */
export const withoutUnlinkedFinish = async (
  { stores }: Gateway,
  { id, ramp, terms, watch }: Pick<Order, 'id' | 'ramp' | 'terms' | 'watch'>,
  known: Stage | undefined,
  evidence: OrderEvidence,
): Promise<{ evidence: OrderEvidence; unlinked?: Unlinked }> => {
  const isKnown = known === 'finished' || terms.adopted === true || watch.linkUnknown === true;
  if (evidence.stage !== 'finished' || isKnown || !isClaimed(ramp, terms.payout)) return { evidence };
  const claim = await stores.claims.find(id);
  if (claim?.lnurl !== undefined) return { evidence };
  return { evidence: { ...evidence, stage: 'filled' }, unlinked: claim ? 'asked' : 'unasked' };
};
