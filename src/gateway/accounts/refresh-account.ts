import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { AccountRequest, SellTransaction } from '../../providers/spec.ts';
import type { Account, Connection } from '../../ports/accounts.ts';
import { failConnection, nextCheck, stepAccount, stepConnection, tellSettlement } from './account-steps.ts';
import { namedMs, unlessContested, wasConnected } from './contested.ts';
import { adoptConnections } from './adopt-connections.ts';
import { callAccount, callSeller } from './call-account.ts';
import { refreshOrder } from '../following/follow-orders.ts';
import { leaseFor } from '../lease.ts';
import { workOnDue } from '../work-on-due.ts';
import { upstreamBlob } from '../upstream/blob.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { openRequest, openSignup, toldOf, type Told } from './show-account.ts';
import { openState, over } from '../upstream/connection-state.ts';
import type { Scope } from '../../ports/scope.ts';
import { defect } from '../../ports/defect.ts';
import { noticeUrl } from '../notice-url.ts';

/**
 * How many calls refreshAccount makes one after the other: for the account, the list of its connections, each connection, its open orders and its
 * payments. Calls for several connections or orders are made at the same time.
 */
const callsOfOne = 5;

/**
 * Polls at most `limit` of the accounts that are due: their status, their connections, and payments made directly to their addresses. Returns how
 * many it polled.
 */
export const refreshAccounts = async (gateway: Gateway, limit: number): Promise<number> =>
  await workOnDue(gateway, {
    name: 'refresh_accounts',
    claim: async (share) => await gateway.stores.accounts.claimDue(gateway.now(), leaseFor(gateway, 'accounts', callsOfOne), limit, share),
    providerOf: (account) => account.providerId,
    work: async (account) => void (await refreshAccount({ gateway, requestId: account.id }, account)),
    about: () => ({}),
  });

/**
 * Reads everything about one account. Whatever cannot be read stays as it was, and is read again later. An account that was started with an e-mail
 * address or a payout destination, and was not connected within `namedMs`, is removed instead.
 */
export const refreshAccount = async (scope: Scope, before: Account): Promise<{ account: Account; connections: Connection[] }> => {
  const { gateway } = scope;
  if (!wasConnected(before) && before.emailHash !== undefined && gateway.now() - before.createdOn > namedMs) {
    await gateway.stores.accounts.remove(before, gateway.now());
    return { account: before, connections: [] };
  }
  let account = await readAccount(scope, before);
  await adoptConnections(scope, account);
  let connections = await gateway.stores.accounts.connections(account.id);
  if (account.status === 'connected' && sells(gateway, account)) {
    connections = await Promise.all(
      connections.map(async (connection) => await refreshConnection(scope, account, connection).catch((error: unknown) => unread(gateway, connection, error))),
    );
    await refreshOpenOrders(scope, account);
    await readSettlements(scope, account, connections);
  } else if (account.status === 'connected') await refreshOpenOrders(scope, account);
  account = await stepAccount(gateway, account, undefined, { nextCheckOn: nextCheck(gateway, account, connections) });
  return { account, connections };
};

const sells = ({ providers }: Gateway, { providerId }: Account): boolean =>
  providers.some(({ id, adapter }) => id === providerId && adapter.sell !== undefined);

/**
 * Logs why a connection or order could not be refreshed, or a payment could not be reported. Returns `row` unchanged, so that the account's other
 * rows are handled all the same.
 */
const unread = <T>({ log }: Gateway, row: T, error: unknown): T => {
  defect(log, 'refresh_account', error);
  return row;
};

/**
 * Refreshes up to five open orders of the account, because a notice about the account may be about them. They are matched with their payments before
 * readSettlements searches for payments without an order.
 */
const refreshOpenOrders = async (scope: Scope, account: Account): Promise<void> => {
  const { gateway } = scope;
  const orders = await gateway.stores.orders.list(account.customerId, undefined, 20);
  const open = orders.filter((order) => order.providerSessionId === account.id && !order.final).slice(0, 5);
  await Promise.all(open.map(async (order) => await refreshOrder(scope, order, 'read').catch((error: unknown) => unread(gateway, order, error))));
};

const readAccount = async (scope: Scope, account: Account): Promise<Account> => {
  const { gateway } = scope;
  try {
    const call = { verb: 'read_account', idempotent: true };
    const told = toldOf(await openSignup(gateway, account));
    const isStarted = (await upstreamBlob(gateway, account.id)) !== undefined;
    if (!isStarted && Object.keys(told).length === 0) return account;
    const answer = await callAccount(scope, account, call, async (accounts, context) =>
      unlessContested(
        gateway,
        account,
        isStarted ? await accounts.readAccount(context) : await accounts.startAccount(context, startOf(gateway, account, told)),
      ),
    );
    if (answer.ok) return await stepAccount(gateway, account, answer.value);
    return answer.refusal.note === 'needs-reconnect' ? await stepAccount(gateway, account, { status: 'needs_reconnect' }) : account;
  } catch (fault) {
    if (fault instanceof ProviderFault) return account;
    throw fault;
  }
};

/** Returns the request that starts an account. The request is the same the first time and when it is repeated after a lost answer. */
export const startOf = (gateway: Gateway, account: Pick<Account, 'id' | 'providerId'>, told: Told): AccountRequest => ({
  ...told,
  ref: account.id,
  noticeUrl: noticeUrl(gateway, account.providerId, 'account', account.id),
});

/**
 * Reads one connection, unless it is over. A failed connection that still exists at the provider is not over. If the request to create the connection
 * was never answered, sends that request again; the adapter first checks whether the connection exists, and may refuse a request that has become too
 * old.
 */
export const refreshConnection = async (scope: Scope, account: Account, connection: Connection): Promise<Connection> => {
  const { gateway } = scope;
  if (over.has(connection.status) && connection.status !== 'failed') return connection;
  const state = await openState(gateway, connection);
  if (connection.status === 'failed' && state?.stillThere !== true) return connection;
  try {
    if (state) {
      const read = await callSeller(scope, account, { verb: 'read_connection', idempotent: true }, async (sell, context) => {
        if (!sell.connections) throw new Error(`${account.providerId} has no connections`);
        return await sell.connections.read(context, state);
      });
      return read.ok ? await stepConnection(gateway, account, connection, read.value) : connection;
    }
    const asked = await askAgain(scope, account, connection);
    if ('connection' in asked) return asked.connection;
    if ('twin' in asked) return await failConnection(gateway, account, connection, 'connection-exists');
    const { reason, note } = asked.refused;
    // Without a working key the account cannot be read. That says nothing about the connection.
    return reason === 'account-required' ? connection : await failConnection(gateway, account, connection, note ?? reason);
  } catch (fault) {
    if (fault instanceof ProviderFault) return connection;
    throw fault;
  }
};

/** `twin`: another stored connection that already has the id that the provider returned. */
type Asked = { connection: Connection } | { refused: Refusal } | { twin: Connection };

/**
 * Requests a connection again, because an earlier request may have reached the provider. Returns the connection as it is if another call is
 * requesting it at the moment: otherwise both calls could find no connection at the provider, and both would create one.
 */
const askAgain = async (scope: Scope, account: Account, connection: Connection): Promise<Asked> => {
  const { accounts } = scope.gateway.stores;
  const lease = leaseFor(scope.gateway, 'connection');
  if (!(await accounts.leaseConnection(connection.id, lease))) return { connection };
  try {
    return await askForConnection(scope, account, connection, 2);
  } finally {
    await accounts.releaseConnection(connection.id, lease);
  }
};

/**
 * Requests a connection from the provider. The caller holds its lease. Returns `refused` if the provider refuses. Throws a ProviderFault if there is
 * no usable answer. `attempt`: 2 if an earlier request may have reached the provider.
 */
export const askForConnection = async (scope: Scope, account: Account, connection: Connection, attempt: 1 | 2): Promise<Asked> => {
  const { gateway } = scope;
  const request = await openRequest(gateway, connection);
  const call = { verb: 'create_connection', idempotent: false, attempt, requestedOn: connection.createdOn };
  const answer = await callSeller(scope, account, call, async (sell, context) => {
    if (!sell.connections) return { ok: false, refusal: { reason: 'declined', note: 'network-unsupported' } } as const;
    return await sell.connections.create(context, request);
  });
  if (answer.ok) {
    const rows = await gateway.stores.accounts.connections(account.id);
    const twin = rows.find((one) => one.id !== connection.id && one.upstreamId === answer.value.upstreamId);
    return twin ? { twin } : { connection: await stepConnection(gateway, account, connection, answer.value) };
  }
  // The provider is making another connection, and we cannot tell the two apart yet, so we ask again later.
  return answer.refusal.reason === 'busy' ? { connection } : { refused: answer.refusal };
};

/**
 * Reports payments made directly to an address of the account, each of them once. A payment is not reported if it belongs to an order, or if it may
 * be for an open order of the same amount.
 */
const readSettlements = async (scope: Scope, account: Account, connections: Connection[]): Promise<void> => {
  const { gateway } = scope;
  try {
    const read = await callSeller(
      scope,
      account,
      { verb: 'transactions', idempotent: true },
      async (sell, context) => await sell.transactions(context, { since: account.createdOn, limit: 100 }),
    );
    if (!read.ok) return;
    const settled = read.value.filter((row) => row.kind.startsWith('sell') && (row.stage === 'filled' || row.stage === 'finished'));
    if (settled.length === 0) return;
    // Once the provider links a payment to an order, the payment's id changes, so both ids are compared. The order that the provider names need not
    // be the order that the payment belongs to here.
    const idsOf = ({ upstreamId, paymentId }: SellTransaction): string[] => (paymentId === undefined ? [upstreamId] : [upstreamId, paymentId]);
    const known = await gateway.stores.accounts.knownSettlements(account.id, settled.flatMap(idsOf));
    const { orders } = gateway.stores;
    const told = new Set([...known, ...(await orders.explained(account, settled.flatMap(idsOf)))]);
    const open = await orders.openAmounts(
      account,
      settled.flatMap(({ pay }) => pay ?? []),
      gateway.now(),
    );
    const active = connections.filter((connection) => connection.status === 'active' && connection.direction === 'sell');
    const only = active.length === 1 ? active[0]?.id : undefined;
    for (const row of settled) {
      if (idsOf(row).some((id) => told.has(id))) continue;
      if (row.pay !== undefined && open.includes(row.pay)) continue;
      await tellSettlement(gateway, account, row.upstreamId, only).catch((error: unknown) => unread(gateway, undefined, error));
    }
  } catch (fault) {
    if (!(fault instanceof ProviderFault)) throw fault;
  }
};

/** Handles a provider's notice about this account or something that belongs to it. We believe nothing in the notice, and read everything again. */
export const wakeAccount = async (scope: Scope, accountId: string): Promise<void> => {
  const { gateway } = scope;
  const account = await gateway.stores.accounts.findAny(accountId);
  if (!account || !gateway.providers.some((provider) => provider.id === account.providerId)) return;
  await refreshAccount(scope, account);
};
