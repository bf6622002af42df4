/** Connections link an account to a bank account or a node. We store each one before we request it, so that none is made twice. */
import { ProviderFault } from '../../providers/fault.ts';
import type { ConnectionRequest, ConnectionState, SellAdapter } from '../../providers/spec.ts';
import { mayBePaid } from '../../domain/order-life.ts';
import { paymentDueBy } from '../../domain/record.ts';
import type { Account, Connection } from '../../ports/accounts.ts';
import type { Order } from '../../ports/orders.ts';
import { stepConnection } from './account-steps.ts';
import { isSameRequest } from './adopt-connections.ts';
import { callSeller, providerProblem } from './call-account.ts';
import { leaseFor } from '../lease.ts';
import { providerOf } from '../upstream/provider-of.ts';
import { connectionRequestPlace } from '../places.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { defect } from '../../ports/defect.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { openState, over } from '../upstream/connection-state.ts';
import { askForConnection, refreshConnection } from './refresh-account.ts';
import { countConnectionCode, type CountedStep } from './connection-codes.ts';
import { refusalProblem } from '../refusal-problem.ts';
import { connectedAccount, findAccount } from './accounts.ts';
import { openRequest, showConnection, showConnections, type ShownConnection } from './show-account.ts';
import { isoTime } from '../outward.ts';
import { connectionOf } from '../following/payout-of.ts';
import type { Scope } from '../../ports/scope.ts';

/**
 * Requests a connection. A repeat with the same details returns the same connection. If the provider's answer is lost, the connection stays
 * `initiating` until a later read shows what became of it. The request counts as a request for a code, because the provider sends a code for each
 * connection.
 */
export const createConnection = async (scope: Scope, session: OpenSession, accountId: string, request: ConnectionRequest): Promise<ShownConnection> => {
  const { gateway } = scope;
  const account = await connectedAccount(gateway, accountId, session.customerId);
  const id = gateway.ids.uuid();
  const now = gateway.now();
  const nameHash = gateway.hash(request.name.trim().toLowerCase());
  const known = (await gateway.stores.accounts.connections(account.id)).find((one) => one.nameHash === nameHash && !over.has(one.status));
  if (known) return await sameAgain(scope, account, known, request);
  // The request is counted before the connection is stored, because another call that finds it stored may request it from the provider.
  const takeBack = await countConnectionCode(gateway, account, 'codes');
  const row: Connection = {
    id,
    accountId: account.id,
    nameHash,
    status: 'initiating',
    statusOn: now,
    direction: request.direction,
    network: request.network,
    request: await gateway.seal.seal(JSON.stringify(request), connectionRequestPlace(id)),
    sequence: 0,
    createdOn: now,
  };
  // Until this request is over, no read of the account may request the connection, too.
  const lease = leaseFor(gateway, 'connection');
  const made = await gateway.stores.accounts.createConnection(row, lease);
  if ('existing' in made) {
    await takeBack();
    return await sameAgain(scope, account, made.existing, request);
  }
  try {
    const asked = await askForConnection(scope, account, row, 1);
    if (!('connection' in asked)) {
      await takeBack();
      await gateway.stores.accounts.discardConnection(row.id);
      if ('refused' in asked) throw refusalProblem(asked.refused);
      return await showConnection(gateway, await refreshConnection(scope, account, asked.twin));
    }
    if (asked.connection.status === 'active') await takeBack();
    // The provider is making the connection. Poll soon, so that its next step is reported.
    await gateway.stores.accounts.wake(account.id, now + 1000);
    return await showConnection(gateway, asked.connection);
  } catch (fault) {
    if (!(fault instanceof ProviderFault)) throw fault;
    if (fault.taken === 'no') {
      await takeBack();
      await gateway.stores.accounts.discardConnection(row.id);
      throw providerProblem(fault);
    }
    // The connection may exist. The next read searches for it, and requests it again only if it does not exist.
    await gateway.stores.accounts.wake(account.id, now + 1000);
    return await showConnection(gateway, row);
  } finally {
    await gateway.stores.accounts.releaseConnection(row.id, lease);
  }
};

const sameAgain = async (scope: Scope, account: Account, existing: Connection, request: ConnectionRequest): Promise<ShownConnection> => {
  const { gateway } = scope;
  if (!isSameRequest(await openRequest(gateway, existing), request)) throw refusalProblem({ reason: 'declined', note: 'connection-name-taken' });
  return await showConnection(gateway, await refreshConnection(scope, account, existing));
};

type Found = { account: Account; connection: Connection };
const findConnection = async (gateway: Gateway, session: OpenSession, connectionId: string): Promise<Found> => {
  const connection = await gateway.stores.accounts.findConnection(connectionId, session.customerId);
  if (!connection) throw new Problem('connection-not-found', 'This customer has no such connection.');
  return { connection, account: await findAccount(gateway, connection.accountId, session.customerId) };
};

/** Reads one connection, or the newest 50 connections of an account. */
export const readConnections = async (
  scope: Scope,
  session: OpenSession,
  request: { connection_id?: string | undefined; account_id?: string | undefined },
): Promise<({ asked_for: 'connection' } & ShownConnection) | { asked_for: 'account'; account_id: string; connections: ShownConnection[] }> => {
  const { gateway } = scope;
  if (request.connection_id !== undefined) {
    const { account, connection } = await findConnection(gateway, session, request.connection_id);
    return { asked_for: 'connection', ...(await showConnection(gateway, await refreshConnection(scope, account, connection))) };
  }
  if (request.account_id === undefined)
    throw new Problem('invalid-request', 'Send connection_id or account_id.', { errors: [{ pointer: '/connection_id', detail: 'missing' }] });
  const account = await findAccount(gateway, request.account_id, session.customerId);
  const connections = await gateway.stores.accounts.connections(account.id);
  // If one connection cannot be read, the others are still shown.
  const asKnown = (connection: Connection, error: unknown): Connection => {
    defect(gateway.log, 'read_connections', error, { subject: connection.id });
    return connection;
  };
  const reads = connections.map((connection) => refreshConnection(scope, account, connection).catch((error: unknown) => asKnown(connection, error)));
  const fresh = await Promise.all(reads);
  return { asked_for: 'account', account_id: account.id, connections: await showConnections(gateway, fresh) };
};

type Verbs = NonNullable<SellAdapter['connections']>;
type Step = Awaited<ReturnType<Verbs['confirm']>>;

/** `code`: the code that is handed in. */
type Asked = { verb: 'confirm_connection'; code: string } | { verb: 'resend_code' | 'cancel_connection' };
const counted = { confirm_connection: 'tries', resend_code: 'codes', cancel_connection: 'cancels' } as const satisfies Record<Asked['verb'], CountedStep>;

/**
 * Returns whether the provider certainly did not try the code that was handed in or, for the other steps, certainly sent no code. New credentials in
 * the answer (`customer`) mean that a key was refused, perhaps only after the code had been tried, so they leave that uncertain.
 */
const isUnused = (verb: Asked['verb'], answer: Step): boolean =>
  verb === 'confirm_connection'
    ? answer.ok === false && (answer.refusal.note === 'no-code-expected' || (answer.refusal.reason === 'account-required' && answer.customer === undefined))
    : answer.ok === false || (answer.ok === true && answer.value.status !== 'code_required');

const stepAt = async (
  scope: Scope,
  session: OpenSession,
  connectionId: string,
  asked: Asked,
  step: (verbs: Verbs, context: Parameters<Verbs['read']>[0], state: ConnectionState) => Promise<Step>,
): Promise<{ connection: Connection; state: ConnectionState }> => {
  const { gateway } = scope;
  const found = await findConnection(gateway, session, connectionId);
  const { account } = found;
  // A connection that is being made may have moved on since it was last read.
  const connection = found.connection.status === 'initiating' ? await refreshConnection(scope, account, found.connection) : found.connection;
  const state = await openState(gateway, connection);
  if (!state || connection.status === 'initiating') throw stillBeingMade();
  const { verb } = asked;
  const isTypo = 'code' in asked && providerOf(gateway, account.providerId).adapter.sell?.connections?.isCode?.(asked.code) === false;
  const takeBack = isTypo ? undefined : await countConnectionCode(gateway, account, counted[verb]);
  try {
    const answer = await callSeller(scope, account, { verb, idempotent: false }, async (sell, context) => {
      if (!sell.connections) throw new Error(`${account.providerId} has no connections`);
      return await step(sell.connections, context, state);
    });
    if (isUnused(verb, answer)) await takeBack?.();
    if (answer.ok === 'code-wrong') return await codeWrong(gateway, account, connection, state, answer.attemptsLeft);
    if (answer.ok === 'code-expired') throw await codeExpired(gateway, await refreshConnection(scope, account, connection));
    if (!answer.ok) throw refusalProblem(answer.refusal);
    // If a cancellation is requested again, the provider sends no other code, so the answer says no more than a read does.
    const isNewer = verb === 'resend_code' || answer.value.status !== connection.status;
    return { connection: await stepConnection(gateway, account, connection, answer.value, isNewer), state: answer.value };
  } catch (fault) {
    if (fault instanceof ProviderFault) {
      if (fault.taken === 'no') await takeBack?.();
      await gateway.stores.accounts.wake(account.id, gateway.now() + 1000);
    }
    throw providerProblem(fault);
  }
};

/** Returns the problem for a connection that is still being made. The caller repeats the request in a moment. */
const stillBeingMade = (): Problem => refusalProblem({ reason: 'busy', note: 'connection-initiating' });

/**
 * Returns the problem for a code that the provider no longer accepts. What the customer can do depends on what the provider reports about the
 * connection.
 */
const codeExpired = async (gateway: Gateway, connection: Connection): Promise<Problem> => {
  const state = await openState(gateway, connection);
  if (connection.status !== 'code_required' || !state)
    return new Problem(
      'code-expired',
      `The provider no longer accepts this code, and the connection is ${connection.status}.${connection.status === 'active' ? '' : ' Request a new connection with POST /sell/connections.'}`,
    );
  if (state.attemptsLeft === 0) return noTryLeft(state);
  return new Problem(
    'code-expired',
    'The provider no longer accepts this code: it is too old, or too many were wrong. POST /sell/connection-resend sends another, if the provider still accepts one.',
    { members: codeEnd(state) },
  );
};

/** Returns the problem for a connection without any tries left. Any further code would be refused, so the connection must expire first. */
const noTryLeft = (state: ConnectionState): Problem =>
  new Problem(
    'code-expired',
    'Too many wrong codes were entered, so the provider accepts no further code for this connection. Once the connection has expired, request it again with POST /sell/connections.',
    { members: codeEnd(state) },
  );

const codeEnd = ({ codeExpiresOn }: ConnectionState): { code_expires_on?: string } =>
  codeExpiresOn === undefined ? {} : { code_expires_on: isoTime(codeExpiresOn) };

const codeWrong = async (
  gateway: Gateway,
  account: Account,
  connection: Connection,
  state: ConnectionState,
  attemptsLeft: number | undefined,
): Promise<never> => {
  if (attemptsLeft !== undefined) {
    const stored = await stepConnection(gateway, account, connection, { ...state, attemptsLeft });
    // The result of a read or a resend may have been stored meanwhile. The try counts all the same.
    const kept = await openState(gateway, stored);
    if (kept?.attemptsLeft !== undefined && kept.attemptsLeft > attemptsLeft) await stepConnection(gateway, account, stored, { ...kept, attemptsLeft });
  }
  throw new Problem('code-wrong', 'This is not the code that was sent.', { members: attemptsLeft === undefined ? {} : { attempts_left: attemptsLeft } });
};

/** Confirms the creation or the cancellation of a connection, whichever is waiting for a code. */
export const confirmConnection = async (scope: Scope, session: OpenSession, connectionId: string, code: string): Promise<ShownConnection> => {
  const { gateway } = scope;
  const { account, connection } = await findConnection(gateway, session, connectionId);
  // If this code confirms a cancellation, it ends the connection, and an order may have been placed since the cancel request. A connection that is
  // still being made has no address yet, so no order can use it.
  await refuseWhileOrdered(gateway, account, connection);
  const confirm = await stepAt(scope, session, connectionId, { verb: 'confirm_connection', code }, (verbs, context, state) =>
    verbs.confirm(context, state, code),
  );
  return await showConnection(gateway, confirm.connection);
};
export const resendCode = async (scope: Scope, session: OpenSession, connectionId: string): Promise<ShownConnection> => {
  const { gateway } = scope;
  const resent = await stepAt(scope, session, connectionId, { verb: 'resend_code' }, (verbs, context, state) => verbs.resend(context, state));
  if (resent.connection.status === 'code_required' && resent.state.attemptsLeft === 0) throw noTryLeft(resent.state);
  return await showConnection(gateway, resent.connection);
};
/** Cancels a connection. Does nothing if the connection is already inactive. */
export const cancelConnection = async (scope: Scope, session: OpenSession, connectionId: string): Promise<ShownConnection> => {
  const { gateway } = scope;
  const { account, connection } = await findConnection(gateway, session, connectionId);
  if (connection.status === 'inactive') return await showConnection(gateway, connection);
  await refuseWhileOrdered(gateway, account, connection);
  const ended = await stepAt(scope, session, connectionId, { verb: 'cancel_connection' }, (verbs, context, state) => verbs.cancel(context, state));
  return await showConnection(gateway, ended.connection);
};

/**
 * Throws while a payment to this connection may be on its way, because cancelling the connection removes the address. An order's end does not stop a
 * payment, and sats that have arrived must still be converted. An order that is being placed may be shown and paid. The orders of other customers
 * with the same user at the provider count, too, because they share the connections. Only the customer's own orders are named.
 */
const refuseWhileOrdered = async (gateway: Gateway, account: Account, connection: Connection): Promise<void> => {
  const { intents, orders } = gateway.stores;
  const state = await openState(gateway, connection);
  // Nobody is told to pay to a connection without an address. A connection that would pay another bank account shows no address, so it should end
  // soon.
  if ((state?.lightningAddress ?? state?.depositAddress) === undefined) return;
  const now = gateway.now();
  // An attempt that ends meanwhile must be seen as an attempt or as an order, so the attempts are read first.
  const placing = (await intents.unsettledSales(account.providerId, account.customerId)).map((intent) => ({
    id: intent.orderId,
    intentId: intent.id,
    customerId: intent.customerId,
    until: 0,
  }));
  // This includes orders of an account that was removed and connected again.
  const paying = (await orders.arrivingSales(account.providerId, account.customerId, now))
    .filter((order) => mayBeArriving(order, now))
    .map((order) => ({ id: order.id, intentId: order.intentId, customerId: order.customerId, until: endOf(order, now) }));
  const all = [...placing, ...paying];
  const named = await Promise.all(all.map((order) => connectionOf(gateway, order)));
  const here = all.filter((_, n) => named[n] === 'unreadable' || named[n]?.upstreamId === state?.upstreamId);
  if (here.length === 0) return;
  const own = here.filter(({ customerId }) => customerId === account.customerId).map(({ id }) => id);
  const until = Math.max(...here.map((order) => order.until));
  throw new Problem(
    'connection-required',
    own.length > 0
      ? 'A payment to this connection may be on its way, or an open order is waiting for one. Pay the order, or let it expire, before you cancel the connection.'
      : 'A payment to this connection may be on its way, or an open order is waiting for one. The order belongs to another customer with the same account at the provider, so order_ids is empty. Try again once that order has ended.',
    { members: { order_ids: [...new Set(own)], ...(until === 0 ? {} : { expires_on: isoTime(until) }) } },
  );
};

const dueBy = ({ terms, ramp, expiresOn }: Order): number | undefined => paymentDueBy({ ...terms, ramp, expiresOn });

/** Returns whether sats for the order may still be on their way to its address, or through the connection. */
const mayBeArriving = (order: Order, now: number): boolean =>
  mayBePaid({ ...order.terms, ...order.watch, ...order }, now) || (order.stage === 'paid' && now < (dueBy(order) ?? 0));

/** Returns when the order expires or, if it has expired, until when a payment for it may still arrive. 0 if that is unknown. */
const endOf = (order: Order, now: number): number => (order.expiresOn !== undefined && order.expiresOn > now ? order.expiresOn : (dueBy(order) ?? 0));
