import { blobPlace } from '../places.ts';
import type { Gateway } from '../../ports/gateway.ts';

export const saveBlob = async (gateway: Gateway, accountId: string, blob: string): Promise<void> =>
  await gateway.stores.sessions.saveUpstream(accountId, { blob: await gateway.seal.seal(blob, blobPlace(accountId)), ready: true });

/** A blob that came with another call than the account's own. Something about the account has changed, so read it now. */
export const keepBlob = async (gateway: Gateway, accountId: string, blob: string): Promise<void> => {
  await saveBlob(gateway, accountId, blob);
  await gateway.stores.accounts.wake(accountId, gateway.now());
};

/** The blob of the upstream session that placed an order. The order is always read with that one. */
export const upstreamBlob = async (gateway: Gateway, providerSessionId: string | undefined): Promise<string | undefined> => {
  const row = providerSessionId === undefined ? undefined : await gateway.stores.sessions.findUpstreamById(providerSessionId);
  return row?.blob === undefined ? undefined : await gateway.seal.open(row.blob, blobPlace(row.id));
};
