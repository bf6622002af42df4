/**
 * The blob that the gateway keeps sealed for one customer's account: the address, whether the customer has shown that it is theirs, the token of the
 * last login, and the e-mail address while its code is awaited. It never holds the secret.
 */
import * as z from 'zod';
import type { CallContext } from '../spec.ts';

const blob = z.object({ address: z.string(), isProven: z.boolean().optional(), token: z.string().optional(), mail: z.string().optional() });
/** `isProven`: absent in the blobs of earlier releases. */
export type KnownUser = { address: string; isProven?: boolean; token?: string; mail?: string };

/** Reads the blob. Returns undefined if there is none. Throws on a blob that this adapter cannot have written. */
export const readUserBlob = ({ customer }: Pick<CallContext, 'customer'>): KnownUser | undefined =>
  customer === undefined || customer === '' ? undefined : (blob.parse(JSON.parse(customer)) as KnownUser);
/** Writes the blob: always the same string for the same facts. */
export const writeUserBlob = ({ address, isProven, token, mail }: KnownUser): string => JSON.stringify({ address, isProven, token, mail });
