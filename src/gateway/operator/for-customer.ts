import type { Stage } from '../../domain/order.ts';
import type { Ramp } from '../../domain/ramp.ts';
import type { Dossier } from '../../ports/operator.ts';

const arrived: { readonly [ramp in Ramp]: string } = {
  buy: 'Your bitcoin is ready: your wallet can withdraw it now.',
  sell: 'The provider has sent your money. A bank may need up to one working day to show it.',
  liquidity: 'What you bought is ready. If your wallet shows a link or a code for it, please use that. Otherwise, the provider delivers it to your node.',
};
const notCollected = {
  review: 'Your bitcoin is ready, but your wallet cannot withdraw it yet. We are checking this with the provider, and will tell you what we find.',
  refused: 'Your bitcoin is ready, but the provider refused your wallet’s withdrawal. Please try it again, and tell us if it is refused again.',
  unlinked: 'The provider says that your bitcoin was collected. If it has not arrived, please tell us.',
};
const pushed = 'Your bitcoin was bought, and the provider is sending it to the destination of your order.';
const texts: { readonly [stage in Stage]: string | undefined } = {
  awaiting_payment: 'Your order is waiting for your payment. Your wallet shows how to pay.',
  underpaid: 'A part of your payment has arrived. The rest is missing.',
  expired: 'Your order ended, because no payment arrived in time. If you have paid, tell us when and how.',
  failed: 'The provider could not carry out your order. If you have paid, tell us when and how.',
  paid: 'Your payment has arrived. The provider is working on your order.',
  filled: undefined,
  finished: 'Your order is complete.',
  refunded: 'The provider has sent your payment back.',
  review: 'We are checking your order with the provider. You need not do anything. We will tell you what we find.',
};

/** Returns what an operator may tell the customer. It names no person, no payment detail and no provider's words. */
export const forCustomer = ({ intent, order, claim }: Pick<Dossier, 'intent' | 'order' | 'claim'>): string => {
  const about = `About your order ${intent.orderId}: `;
  if (order?.disputed === true) return `${about}less arrived than was ordered, or more was charged. We are settling this with the provider.`;
  if (order?.stage === 'filled' && order.terms.finishedUnlinked) return about + notCollected.unlinked;
  if (order?.stage === 'filled' && (claim?.state === 'review' || claim?.state === 'refused')) return about + notCollected[claim.state];
  if (order) return about + (texts[order.stage] ?? (order.terms.payout === 'push' ? pushed : arrived[order.ramp]));
  if (intent.state === 'review') return about + (texts.review ?? '');
  if (intent.state === 'prepared' || intent.state === 'sending' || intent.state === 'unknown')
    return `${about}we are still waiting for the provider's answer. Please do not pay anything until your wallet shows how.`;
  if (intent.state === 'moved') return `${about}it did not work at this provider, so your request went on to another one. Your wallet shows what came of that.`;
  return `${about}it could not be placed. There is nothing to pay.`;
};
