import { holdMs } from '../../domain/order-life.ts';
import type { ConnectionState } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import { accountWebhookPlace } from '../places.ts';
import { Problem } from '../problem.ts';
import type { Prepared } from './prepared.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { refusalProblem } from '../refusal-problem.ts';
import { accountFor } from './account-for.ts';
import { openState } from '../upstream/connection-state.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import type { Scope } from '../../ports/scope.ts';

/** For a bank payout: the connection to pay into. */
export type SellOrderRequest = { connectionId?: string | undefined };

/**
 * Returns what a sell order needs in addition to the quote: the account through which the money passes and, for a bank payout, the connection. A
 * quote can be made without either. Throws a Problem if something that the offer needs is missing or unsuitable, or if another order has the same
 * amount.
 */
export const prepareSellOrder = async (scope: Scope, session: OpenSession, quote: StoredQuote, request: SellOrderRequest): Promise<Prepared> => {
  const { gateway } = scope;
  const { providerId } = quote.offer;
  const account = await accountFor(scope, session, quote);
  if (!account) return { order: {} };
  const needsConnection = quote.terms.needConnection?.includes(providerId) === true;
  const { connectionId } = request;
  /**
   * Checks what may have changed before the intent was written: another order may have the same amount, or the connection may have been cancelled.
   */
  const recheck = async (): Promise<void> => {
    await refuseSameAmount(gateway, account, quote);
    if (connectionId !== undefined) await activeConnection(gateway, session, account, connectionId);
  };
  await recheck();
  const common = { exclusiveKey: account.id, recheck, webhook: await webhookOf(gateway, account) };
  if (connectionId === undefined) {
    if (needsConnection) throw refusalProblem({ reason: 'declined', note: 'connection-required' });
    return { ...common, order: {} };
  }
  return { ...common, order: { connection: JSON.parse(JSON.stringify(await activeConnection(gateway, session, account, connectionId))) } };
};

const activeConnection = async (gateway: Gateway, session: OpenSession, account: Account, connectionId: string): Promise<ConnectionState> => {
  const connection = await gateway.stores.accounts.findConnection(connectionId, session.customerId);
  if (!connection || connection.accountId !== account.id) throw new Problem('connection-not-found', 'This account has no such connection.');
  const state = await openState(gateway, connection);
  if (!state || connection.status !== 'active') throw new Problem('connection-required', `The connection is ${connection.status}, not active.`);
  return state;
};

/**
 * Throws a Problem if a payment of the same amount on the same network may still come for another order of the account, because only the amount tells
 * which order a payment is for. An order with its own invoice or address is exempt. The problem does not name orders of another customer with the
 * same user at the provider.
 */
const refuseSameAmount = async (gateway: Gateway, account: Account, { offer: { offer }, terms }: StoredQuote): Promise<void> => {
  if (offer.facts.matched_by === 'order_id') return;
  const sameAmount = await gateway.stores.orders.payableByAmount(account.providerId, account.customerId, offer.pay, gateway.now());
  const clashing = sameAmount.filter((order) => order.network === terms.network);
  if (clashing.length === 0) return;
  const own = clashing.filter((order) => order.customerId === account.customerId).map((order) => order.id);
  throw new Problem(
    'amount-in-use',
    `A payment of the same amount may still come for another order of this account, so the two could not be told apart. ${own.length > 0 ? '' : 'That order belongs to another customer with the same account at the provider, so order_ids is empty. '}Change the amount, or order again later: usually, the same amount can be ordered ${holdMs(terms.network) / 60_000} minutes after the other order has expired.`,
    { members: { order_ids: own } },
  );
};

/** Returns the account's webhook, which also gets the events of its orders unless an order has its own webhook. */
const webhookOf = async (gateway: Gateway, account: Account): Promise<NonNullable<Prepared['webhook']>> =>
  account.webhookUrl === undefined
    ? {}
    : { webhookUrl: await gateway.seal.open(account.webhookUrl, accountWebhookPlace(account.id)), webhookEvents: account.webhookEvents ?? [] };
