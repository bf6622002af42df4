/**
 * Imports the connections that a newly connected account already has at its provider: they were made before the account was removed here, or outside
 * this gateway. If such a connection was stored here before, for any customer with the same user at the provider, it must still have the bank account
 * and the addresses that were known then. For a connection that was made outside, there is nothing to compare with.
 */
import { defined } from '../../domain/defined.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { ConnectionRequest, ConnectionState } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import { callSeller } from './call-account.ts';
import { connectionRequestPlace, connectionStatePlace } from '../places.ts';
import type { Scope } from '../../ports/scope.ts';
import { openState } from '../upstream/connection-state.ts';

/**
 * For this long after an account was connected, we keep asking for its connections. The provider may have been down at first, or the import may have
 * been cut short. Each read of the account in that time costs one more call.
 */
const freshMs = 10 * 60_000;

/**
 * Imports the connections of a recently connected account that are not stored. If the provider cannot be reached, nothing is imported: the account
 * itself is connected in any case. Two imports at once store each connection once.
 */
export const adoptConnections = async (scope: Scope, account: Account): Promise<void> => {
  const { gateway } = scope;
  const { accounts } = gateway.stores;
  const provider = gateway.providers.find(({ id }) => id === account.providerId);
  if (!provider?.adapter.sell?.connections) return;
  if (account.status !== 'connected' || gateway.now() - account.statusOn > freshMs) return;
  const known = await accounts.connections(account.id);
  // A connection whose id is not known yet may be one of those that the provider lists. refreshConnection finds it there.
  if (known.some(({ upstreamId, status }) => upstreamId === undefined && status === 'initiating')) return;
  for (const told of await listed(scope, account)) {
    if (known.some(({ upstreamId }) => upstreamId === told.upstreamId)) continue;
    const state = await asKnownBefore(scope, account, told);
    if (!state) continue;
    const id = gateway.ids.uuid();
    const now = gateway.now();
    await accounts.createConnection({
      id,
      accountId: account.id,
      nameHash: gateway.hash(state.name.trim().toLowerCase()),
      status: state.status,
      statusOn: now,
      direction: state.direction,
      network: state.network,
      request: await gateway.seal.seal(JSON.stringify(requestOf(state)), connectionRequestPlace(id)),
      state: await gateway.seal.seal(JSON.stringify(state), connectionStatePlace(id)),
      upstreamId: state.upstreamId,
      sequence: 0,
      createdOn: now,
    });
  }
};

/**
 * Returns the listed connection as it should be stored, after comparing it with what was stored about it before. Returns undefined if the comparison
 * needs a read and that read fails; a later import tries again.
 */
const asKnownBefore = async (scope: Scope, account: Account, told: ConnectionState): Promise<ConnectionState | undefined> => {
  const stored = await scope.gateway.stores.accounts.lastStored(account.id, told.upstreamId);
  const before = stored && (await openState(scope.gateway, stored));
  // A failure stays until a read shows that it is over.
  const failure = before?.stillThere ? before.failure : undefined;
  const { lightningAddress, depositAddress } = { ...before, ...before?.withheld };
  const known = { ...told, ...defined({ iban: before?.iban, lightningAddress, depositAddress, failure }) };
  if (JSON.stringify(known) === JSON.stringify(told)) return told;
  try {
    const answer = await callSeller(scope, account, { verb: 'read_connection', idempotent: true }, async (sell, context) => {
      if (!sell.connections) throw new Error(`${account.providerId} has no connections`);
      return await sell.connections.read(context, known);
    });
    return answer.ok ? answer.value : undefined;
  } catch (fault) {
    if (fault instanceof ProviderFault) return undefined;
    throw fault;
  }
};

const listed = async (scope: Scope, account: Account): Promise<ConnectionState[]> => {
  try {
    const answer = await callSeller(scope, account, { verb: 'list_connections', idempotent: true }, async (sell, context) =>
      sell.connections ? await sell.connections.list(context) : { ok: true as const, value: [] },
    );
    return answer.ok ? answer.value : [];
  } catch (fault) {
    if (fault instanceof ProviderFault) return [];
    throw fault;
  }
};

/** Rebuilds the request for a connection as far as the provider reports it. */
const requestOf = ({ name, direction, network, iban, lightningAddress }: ConnectionState): ConnectionRequest => ({
  name,
  direction,
  network,
  ...(iban === undefined ? {} : { iban }),
  ...(lightningAddress === undefined ? {} : { lightningUsername: lightningAddress.slice(0, lightningAddress.lastIndexOf('@')) }),
});

/** Returns whether two requests ask for the same connection. For an imported connection, only what the provider reports can be compared. */
export const isSameRequest = (known: ConnectionRequest, wanted: ConnectionRequest): boolean => {
  if (known.direction === 'buy' || known.bic !== undefined) return JSON.stringify(known) === JSON.stringify(wanted);
  const plain = ({ network, iban = '', lightningUsername = '' }: ConnectionRequest): string =>
    JSON.stringify([network, iban.replace(/\s+/g, '').toUpperCase(), network === 'lightning' ? lightningUsername.toLowerCase() : '']);
  return wanted.direction === 'sell' && plain(known) === plain(wanted);
};
