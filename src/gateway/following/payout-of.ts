import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { defined } from '../../domain/defined.ts';
import { isDelivered } from '../../domain/order-life.ts';
import type { PayoutTo } from '../../domain/payout.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { defect } from '../../ports/defect.ts';
import type { Facts } from '../../domain/offer.ts';
import type { Order } from '../../ports/orders.ts';
import type { ConnectionState, OrderEvidence } from '../../providers/spec.ts';
import { inputsPlace } from '../places.ts';
import { openState, over } from '../upstream/connection-state.ts';

/**
 * Returns what the customer added to the quote when they ordered. It is sealed; if it cannot be unsealed, that is logged as a defect in `where`, and
 * the order is read and shown without it. Empty once the customer's data was erased.
 */
const addedTo = async (gateway: Gateway, { id, intentId }: Pick<Order, 'id' | 'intentId'>, where: string): Promise<Added | 'unreadable'> => {
  const intent = await gateway.stores.intents.find(intentId);
  if (!intent || intent.inputs === '') return {};
  try {
    return JSON.parse(await gateway.seal.open(intent.inputs, inputsPlace(intent.id))) as Added;
  } catch (error) {
    defect(gateway.log, where, error, { order: id });
    return 'unreadable';
  }
};
type Added = { nodePubkey?: string; order?: { payoutTo?: PayoutTo; connection?: Pick<ConnectionState, 'upstreamId'> } };

/** Returns the node key that the customer had proved when they ordered. */
export const nodeOf = async (gateway: Gateway, order: Pick<Order, 'id' | 'intentId'>): Promise<{ nodePubkey?: string }> => {
  const added = await addedTo(gateway, order, 'open_node_key');
  return added === 'unreadable' ? {} : defined({ nodePubkey: added.nodePubkey });
};

/** Returns the connection through which a sale is paid out. Undefined for an order that names none, and once the customer's data was erased. */
export const connectionOf = async (gateway: Gateway, order: Pick<Order, 'id' | 'intentId'>): Promise<{ upstreamId: string } | 'unreadable' | undefined> => {
  const added = await addedTo(gateway, order, 'open_connection');
  return added === 'unreadable' ? added : added.order?.connection;
};

/**
 * Returns whether it is no longer safe to pay to the connection of a sale: it has failed, for example because it would pay another bank account, or
 * its address has ended. Whoever pays then may lose the sats. Looks at the connection as it is stored for the customer's account, or else for another
 * account of the same user. Connections of removed accounts are no longer read, so they are used only if there is no other.
 */
export const hasLostConnection = async (gateway: Gateway, order: Pick<Order, 'id' | 'intentId'>, accountId: string): Promise<boolean> => {
  const named = await connectionOf(gateway, order);
  if (named === undefined || named === 'unreadable') return false;
  const stored = await gateway.stores.accounts.lastStored(accountId, named.upstreamId);
  const known = stored && (await openState(gateway, stored));
  if (!known) return false;
  return known.failure !== undefined || (over.has(stored.status) && (known.lightningAddress ?? known.depositAddress) !== undefined);
};

/**
 * Returns where the sats of a pushed order go. Undefined for other orders, for one that was found at the provider after a restore, and once the
 * customer's data was erased.
 */
export const payoutOf = async (gateway: Gateway, order: Pick<Order, 'id' | 'terms' | 'intentId'>): Promise<PayoutTo | 'unreadable' | undefined> => {
  const added = order.terms.payout === 'push' ? await addedTo(gateway, order, 'open_payout') : {};
  return added === 'unreadable' ? added : added.order?.payoutTo;
};

/**
 * A pushed payout counts as made only once the provider shows it (shownPayout): for an invoice, by the invoice's payment hash; otherwise by a payment
 * hash, a transaction id or the time of the payout. Until then, the provider's "filled" and "finished" mean no more than that it has the money.
 * Nobody holds the sats for the customer, so an order that counted as filled on the provider's word alone could be lost without a trace. As `paid`,
 * it stays in flight, is listed as late after three days, and counts as never filled after two weeks.
 */
export const withoutUnshownPayout = (
  order: Pick<Order, 'terms' | 'facts' | 'createdOn'>,
  payoutTo: Awaited<ReturnType<typeof payoutOf>>,
  evidence: OrderEvidence,
  now: number,
): OrderEvidence => {
  if (order.terms.payout !== 'push') return evidence;
  const { facts, shown } = splitPayout(evidence.facts);
  const judged = shownPayout(order, payoutTo, shown, now);
  const isShown = [judged, order.facts].some(({ payout_id, payout_on }) => payout_id !== undefined || payout_on !== undefined);
  return { ...evidence, facts: { ...facts, ...judged }, ...(isDelivered(evidence.stage) && !isShown ? { stage: 'paid' } : {}) };
};

type Shown = Pick<Facts, 'payout_id' | 'payout_on'>;

/**
 * Returns the facts without those that show a payout. Only a read of the order can show one. Such facts in an offer, in the answer to an order or in
 * what is found after a restore are not judged, so they are not kept.
 */
export const withoutPayout = (facts: Facts | undefined): Facts => splitPayout(facts).facts;
const splitPayout = ({ payout_id, payout_on, ...facts }: Facts = {}): { facts: Facts; shown: Shown } => ({ facts, shown: defined({ payout_id, payout_on }) });

/** A true payout may seem to be this much earlier than its order, because clocks differ, and a provider may state whole minutes. */
const clockSlackMs = 5 * 60_000;

/**
 * Returns those of the provider's facts about a payout that can be true. For an invoice, they must include its payment hash, which we know. For other
 * destinations, any hash or id will do, or a time between the order and now. If the destination could not be unsealed, returns nothing.
 */
const shownPayout = (
  { terms, createdOn }: Pick<Order, 'terms' | 'createdOn'>,
  payoutTo: Awaited<ReturnType<typeof payoutOf>>,
  shown: Shown,
  now: number,
): Shown => {
  if (payoutTo === 'unreadable') return {};
  const id = /^[0-9a-f]{64}$/i.test(shown.payout_id ?? '') ? shown.payout_id?.toLowerCase() : undefined;
  // An order that was found after a restore is older than its row.
  const on = timeIn(shown.payout_on, terms.adopted === true ? 0 : createdOn - clockSlackMs, now);
  if (payoutTo?.kind !== 'invoice') return defined({ payout_id: id, payout_on: on });
  return id !== undefined && id === decodeInvoice(payoutTo.value)?.paymentHash ? defined({ payout_id: id, payout_on: on }) : {};
};

const timeIn = (text: string | undefined, from: number, to: number): string | undefined => {
  const on = text === undefined ? Number.NaN : Date.parse(text);
  return on >= from && on <= to ? new Date(on).toISOString() : undefined;
};
