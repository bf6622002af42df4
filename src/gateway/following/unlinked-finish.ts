import { isClaimed } from '../../domain/ramp.ts';
import type { Stage } from '../../domain/order.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import type { OrderEvidence } from '../../providers/spec.ts';

/** `unasked`: no link was ever asked for. `asked`: a link was asked for, but none is stored: the answer is on its way, was lost, or was a refusal. */
export type Unlinked = 'unasked' | 'asked';

/**
 * Bought sats that the customer must withdraw can be gone only if a withdrawal link was made for them, and links are made only when we ask. So while
 * we hold no link, a provider's "finished" counts as `filled`: the provider still has the sats, and the customer can ask for a link. Otherwise one
 * word would end the order, and the sats would be lost without a trace. `known` is the stage that the order has reached. "finished" is believed if
 * the order has already reached it, or if, after a restore, a link may exist that we do not know.
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
