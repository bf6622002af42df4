import { blobPlace } from '../places.ts';
import type { Gateway } from '../../ports/gateway.ts';

export const saveBlob = async (gateway: Gateway, accountId: string, blob: string): Promise<void> =>
  await gateway.stores.sessions.saveUpstream(accountId, { blob: await gateway.seal.seal(blob, blobPlace(accountId)), ready: true });

/** Stores a blob, and makes the account due: something about it has changed, so it is read soon. */
export const keepBlob = async (gateway: Gateway, accountId: string, blob: string): Promise<void> => {
  await saveBlob(gateway, accountId, blob);
  await gateway.stores.accounts.wake(accountId, gateway.now());
};

/**
 * Returns the opened blob (the adapter's own credentials) of an upstream session or account. An order is always read with the blob of the session
 * that placed it.
 */
export const upstreamBlob = async (gateway: Gateway, providerSessionId: string | undefined): Promise<string | undefined> => {
  const row = providerSessionId === undefined ? undefined : await gateway.stores.sessions.findUpstreamById(providerSessionId);
  return row?.blob === undefined ? undefined : await gateway.seal.open(row.blob, blobPlace(row.id));
};
