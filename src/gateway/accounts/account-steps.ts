/** How accounts and connections change. One transaction writes what the provider reported and the webhook that passes it on. */
import { customerLink } from '../../domain/links.ts';
import { jittered } from '../../domain/order-life.ts';
import type { AccountState, ConnectionState } from '../../providers/spec.ts';
import type { Account, AccountChange, Connection, ConnectionChange } from '../../ports/accounts.ts';
import type { NewDelivery } from '../../ports/deliveries.ts';
import { newDelivery, type Tell } from '../deliveries/new-delivery.ts';
import { openState } from '../upstream/connection-state.ts';
import { linkHosts } from '../upstream/provider-of.ts';
import { accountWebhookPlace, connectionStatePlace, signupPlace } from '../places.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { wasConnected } from './contested.ts';
import { openSignup, type Signup } from './show-account.ts';
import { defined } from '../../domain/defined.ts';

const second = 1_000;
const minute = 60 * second;

/**
 * Returns how long to wait before polling an account again. A provider's notice or a wallet's request may cause an earlier read. Some accounts are
 * never connected, because anybody may name any e-mail. So the pause before the next poll grows with the time that the account has waited: it is
 * polled about 50 times in 30 days. An account that was connected before is polled at least every hour.
 */
const accountDelayMs = (
  account: Pick<Account, 'status' | 'statusOn' | 'connectedOn'>,
  connections: Pick<Connection, 'status' | 'statusOn'>[],
  now: number,
): number => {
  if (connections.some((connection) => connection.status === 'initiating')) return 3 * second;
  if (connections.some((connection) => connection.status === 'code_required')) return 30 * second;
  if (account.status === 'connected') return 10 * minute;
  if (account.status === 'needs_reconnect') return 60 * minute;
  const pause = Math.max(15 * second, (now - account.statusOn) / 4);
  return wasConnected(account) ? Math.min(pause, 50 * minute) : pause;
};

const tell = async (gateway: Gateway, account: Account, told: Pick<Tell, 'type' | 'subjectId' | 'sequence' | 'data'>): Promise<NewDelivery[]> => {
  if (account.webhookUrl === undefined || !(account.webhookEvents ?? []).includes(told.type)) return [];
  const url = await gateway.seal.open(account.webhookUrl, accountWebhookPlace(account.id));
  return [await newDelivery(gateway, { ...told, url, ...(account.appId === undefined ? {} : { appId: account.appId }) })];
};

/** Returns the state with only those links that lead to the provider's own hosts. A link may be a bearer secret, so it is never logged. */
const withOwnPages = ({ providers, settings, log }: Gateway, { providerId }: Account, said: AccountState): AccountState => {
  const provider = providers.find(({ id }) => id === providerId);
  if (!provider) return said;
  const hosts = [...linkHosts(provider, provider.core.payment_hosts), ...(provider.adapter.accounts?.pageHosts ?? [])];
  const own = (link: string | undefined): string | undefined => {
    const shown = link === undefined ? undefined : customerLink(link, hosts, settings.mode === 'sandbox');
    if (link !== undefined && shown === undefined) log('warn', 'account_link_dropped', { provider: providerId });
    return shown;
  };
  const { signupUrl, termsUrl, ...rest } = said;
  return { ...rest, ...defined({ signupUrl: own(signupUrl), termsUrl: own(termsUrl) }) };
};

/** Returns what is kept sealed after the provider has reported. What the customer told us is then no longer needed. */
const signupAfter = (kept: Signup, said: AccountState): Signup =>
  defined({
    signupUrl: said.signupUrl ?? kept.signupUrl,
    mailSent: said.mailSent ?? kept.mailSent,
    needs: said.needs,
    termsUrl: said.termsUrl,
    codeSentBy: said.codeSentBy ?? (said.needs?.includes('code') === true ? kept.codeSentBy : undefined),
    codeExpiresOn: said.codeExpiresOn,
    attemptsLeft: said.attemptsLeft,
    codesSince: kept.codesSince,
    codesSent: kept.codesSent,
    codeTries: said.status === 'connected' ? undefined : kept.codeTries,
  });

/** Applies what the provider has just reported about the account. Without `said`, only `more` is written. Returns the account as it is stored. */
export const stepAccount = async (gateway: Gateway, account: Account, said: AccountState | undefined, more: AccountChange = {}): Promise<Account> => {
  const now = gateway.now();
  const status = said?.status ?? account.status;
  const moved = status !== account.status;
  const kept = await openSignup(gateway, account);
  const signup = said === undefined ? kept : signupAfter(kept, withOwnPages(gateway, account, said));
  const sequence = account.sequence + (moved ? 1 : 0);
  const change: AccountChange = {
    ...more,
    signup: await gateway.seal.seal(JSON.stringify(signup), signupPlace(account.id)),
    sequence,
    ...(said === undefined ? {} : { checkedOn: now }),
    ...(moved ? { status, statusOn: now } : {}),
    ...(said?.userId === undefined ? {} : { userHash: gateway.hash(said.userId) }),
    ...(account.connectedOn === undefined && (wasConnected(account) || wasConnected({ status })) ? { connectedOn: now } : {}),
  };
  const after = { ...account, ...change };
  const data = { account_id: account.id, account_status: status };
  const deliveries = moved ? await tell(gateway, after, { type: 'account_status', subjectId: account.id, sequence, data }) : [];
  if (await gateway.stores.accounts.change(account, change, deliveries)) {
    if (moved) gateway.count('account_steps_total', { provider: account.providerId, status });
    if (moved && status === 'connected') await wakePlacing(gateway, account.id);
    return after;
  }
  return (await gateway.stores.accounts.findAny(account.id)) ?? after;
};

/**
 * Wakes the account's unresolved order attempt, if there is one: it may be waiting for the account to be connected. Until that attempt is resolved,
 * it blocks the account's other orders.
 */
const wakePlacing = async (gateway: Gateway, accountId: string): Promise<void> => {
  const placing = await gateway.stores.intents.unsettledIn(accountId);
  if (placing) await gateway.stores.intents.wake(placing.id, gateway.now());
};

/**
 * Applies what the provider has reported about the connection. Returns the connection as it is stored. A report says nothing about what was stored
 * after its call began, for example the challenge for a code that was just sent, so it does not replace that. `isNewer`: the report answers a step of
 * the customer, so it replaces any stored state. A report that changes nothing is not stored.
 */
export const stepConnection = async (
  gateway: Gateway,
  account: Account,
  connection: Connection,
  said: ConnectionState,
  isNewer = false,
): Promise<Connection> => {
  const now = gateway.now();
  const asStored = async (): Promise<Connection | undefined> => await gateway.stores.accounts.findConnection(connection.id, account.customerId);
  const moved = said.status !== connection.status;
  if (!moved && JSON.stringify(await openState(gateway, connection)) === JSON.stringify(said)) return (await asStored()) ?? connection;
  const sequence = connection.sequence + (moved ? 1 : 0);
  const change: ConnectionChange = {
    state: await gateway.seal.seal(JSON.stringify(said), connectionStatePlace(connection.id)),
    upstreamId: said.upstreamId,
    sequence,
    ...(moved ? { status: said.status, statusOn: now } : {}),
  };
  const after = { ...connection, ...change };
  const data = { connection_id: connection.id, account_id: account.id, connection_status: said.status };
  const deliveries = moved ? await tell(gateway, account, { type: 'connection_status', subjectId: connection.id, sequence, data }) : [];
  if (await gateway.stores.accounts.changeConnection(connection, change, deliveries, isNewer)) {
    if (moved) gateway.count('connection_steps_total', { provider: account.providerId, status: said.status });
    return after;
  }
  return (await asStored()) ?? after;
};

/** Marks a connection as failed, after its request was repeated and the provider did not create it. */
export const failConnection = async (gateway: Gateway, account: Account, connection: Connection, failure: string): Promise<Connection> =>
  await stepConnection(gateway, account, connection, {
    upstreamId: connection.upstreamId ?? connection.id,
    name: '',
    direction: connection.direction,
    network: connection.network,
    status: 'failed',
    upstream: null,
    failure,
  });

/** Reports a payment that no order explains, once. Each payment is a subject of its own, so a later report never supersedes an earlier one. */
export const tellSettlement = async (gateway: Gateway, account: Account, transactionId: string, connectionId: string | undefined): Promise<void> => {
  const data = { account_id: account.id, ...(connectionId === undefined ? {} : { connection_id: connectionId }), transaction_id: transactionId };
  const deliveries = await tell(gateway, account, { type: 'sell_settled', subjectId: gateway.ids.uuid(), sequence: 1, data });
  if (await gateway.stores.accounts.settle(account.id, transactionId, gateway.now(), deliveries))
    gateway.count('settlements_total', { provider: account.providerId });
};

export const nextCheck = (gateway: Gateway, account: Account, connections: Connection[]): number => {
  const now = gateway.now();
  return now + jittered(accountDelayMs(account, connections, now), gateway.random());
};
