import { defined } from '../../domain/defined.ts';
import { isDispute, judgeFill, linkPaysLess, type FillJudgement } from '../../domain/judge-fill.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';

export const fillWarnings = ['filled-differently', 'link-pays-less'] as const;
export type FillWarning = (typeof fillWarnings)[number];

/** Returns what the customer accepted, with the customer's own limits and the configured slippage. */
export const orderedOf = ({ settings }: Gateway, order: Pick<Order, 'quotedPay' | 'quotedReceive' | 'minReceive' | 'maxPay'>) => ({
  pay: order.quotedPay,
  receive: order.quotedReceive,
  bounds: { slippageBps: settings.routing.slippage_bps, ...defined({ minReceive: order.minReceive, maxPay: order.maxPay }) },
});

/** Judges the fill of a delivered order. Returns undefined for other orders, and for one that was found after a restore: its terms are unknown. */
const fillOf = (gateway: Gateway, order: Order): FillJudgement | undefined => {
  const isDelivered = order.stage === 'filled' || order.stage === 'finished';
  if (!isDelivered || order.terms.adopted === true) return undefined;
  return judgeFill({ ...orderedOf(gateway, order), binding: order.binding }, order);
};

/**
 * Returns why the fill is disputed: too little was delivered, or too much charged. What is missing stays owed, even if the customer takes what was
 * delivered, until the operator closes the dispute.
 */
export const disputeOf = (gateway: Gateway, order: Order): 'short' | 'overcharged' | undefined => {
  const { disputeClosed: closed } = order.watch;
  if (closed && closed.pay === order.pay.toString() && closed.receive === order.receive.toString()) return undefined;
  const judged = fillOf(gateway, order);
  return judged !== undefined && isDispute(judged) ? judged : undefined;
};

export const warningsOf = (gateway: Gateway, order: Order): { warnings?: FillWarning[] } => {
  const fill = fillOf(gateway, order);
  const warnings: FillWarning[] = [
    ...(fill === undefined || fill === 'as-ordered' ? [] : (['filled-differently'] as const)),
    ...(order.linkReceive !== undefined && linkPaysLess(order.receive, order.linkReceive) ? (['link-pays-less'] as const) : []),
  ];
  return warnings.length === 0 ? {} : { warnings };
};
