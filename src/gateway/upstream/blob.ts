import { blobPlace } from '../places.ts';
import type { Gateway } from '../../ports/gateway.ts';

/** Stores the blob from a call that was made to get a key. It replaces whatever blob the account has by now, because this key is the newest. */
export const saveBlob = async (gateway: Gateway, accountId: string, blob: string): Promise<void> =>
  await gateway.stores.sessions.saveUpstream(accountId, { blob: await gateway.seal.seal(blob, blobPlace(accountId)), ready: true });

/**
 * Replaces the blob with which a call was made by the blob that the call returned. Returns false if the account has another blob by now: what was
 * stored in the meantime is newer, for example a key that the customer has just pasted.
 */
export const replaceBlob = async (gateway: Gateway, accountId: string, { used, now }: { used: string | undefined; now: string }): Promise<boolean> => {
  const { sessions } = gateway.stores;
  const row = await sessions.findUpstreamById(accountId);
  const known = row?.blob === undefined ? undefined : await gateway.seal.open(row.blob, blobPlace(accountId));
  if (known !== used) return false;
  return await sessions.replaceUpstream(accountId, row?.blob, await gateway.seal.seal(now, blobPlace(accountId)));
};

/** Stores the blob that a call returned, and makes the account due: something about it has changed, so it is read soon. */
export const keepBlob = async (gateway: Gateway, accountId: string, blobs: { used: string | undefined; now: string }): Promise<void> => {
  if (await replaceBlob(gateway, accountId, blobs)) await gateway.stores.accounts.wake(accountId, gateway.now());
};

/**
 * Returns the opened blob (the adapter's own credentials) of an upstream session or account. An order is always read with the blob of the session
 * that placed it.
 */
export const upstreamBlob = async (gateway: Gateway, providerSessionId: string | undefined): Promise<string | undefined> => {
  const row = providerSessionId === undefined ? undefined : await gateway.stores.sessions.findUpstreamById(providerSessionId);
  return row?.blob === undefined ? undefined : await gateway.seal.open(row.blob, blobPlace(row.id));
};
