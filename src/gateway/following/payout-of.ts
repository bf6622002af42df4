import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { defined } from '../../domain/defined.ts';
import type { PayoutTo } from '../../domain/payout.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import type { OrderEvidence } from '../../providers/spec.ts';
import { inputsPlace } from '../places.ts';

/**
 * Returns where the sats of a pushed order go. It is sealed with the rest of what the customer added to the quote. Undefined for other orders, for
 * one that was found at the provider after a restore, and once the customer's data was erased.
 */
export const payoutOf = async (gateway: Gateway, { terms, intentId }: Pick<Order, 'terms' | 'intentId'>): Promise<PayoutTo | undefined> => {
  const intent = terms.payout === 'push' ? await gateway.stores.intents.find(intentId) : undefined;
  // Erasing a customer's data empties this.
  if (!intent || intent.inputs === '') return undefined;
  const { order } = JSON.parse(await gateway.seal.open(intent.inputs, inputsPlace(intent.id))) as { order: { payoutTo?: PayoutTo } };
  return order.payoutTo;
};

/**
 * A pushed payout is finished only if the provider shows that it sent the sats: by the payment's hash or the transaction's id, or by the time. Until
 * then, its "finished" means no more than that the payout has begun: nobody holds the sats for the customer, so an order that ended on the provider's
 * word alone could be lost without a trace. Drops an id and a time that cannot be right; of an invoice, we know the payment's hash.
 */
export const withoutUnshownPayout = (order: Pick<Order, 'terms' | 'facts'>, payoutTo: PayoutTo | undefined, evidence: OrderEvidence): OrderEvidence => {
  if (order.terms.payout !== 'push') return evidence;
  const { payout_id: id, payout_on: on, ...facts } = evidence.facts ?? {};
  const shown = defined({
    payout_id: idOf(id, payoutTo),
    payout_on: on !== undefined && Number.isFinite(Date.parse(on)) ? new Date(on).toISOString() : undefined,
  });
  const isShown = Object.keys(shown).length > 0 || order.facts.payout_id !== undefined || order.facts.payout_on !== undefined;
  return { ...evidence, facts: { ...facts, ...shown }, ...(evidence.stage === 'finished' && !isShown ? { stage: 'filled' } : {}) };
};

const idOf = (id: string | undefined, payoutTo: PayoutTo | undefined): string | undefined => {
  if (id === undefined || !/^[0-9a-f]{64}$/i.test(id)) return undefined;
  const known = payoutTo?.kind === 'invoice' ? decodeInvoice(payoutTo.value)?.paymentHash : undefined;
  return known === undefined || known === id.toLowerCase() ? id.toLowerCase() : undefined;
};
