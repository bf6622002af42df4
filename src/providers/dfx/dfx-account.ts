/** The blob that the gateway keeps sealed for one customer's account: whose address it is, and the token of the last login. Never the secret. */
import * as z from 'zod';
import type { CallContext } from '../spec.ts';
import type { User } from './dfx-login.ts';

const blob = z.object({ address: z.string(), token: z.string().optional() });

/** Reads the blob. Returns undefined if there is none. Throws on a blob that this adapter cannot have written. */
export const readUserBlob = ({ customer }: Pick<CallContext, 'customer'>): User | undefined => {
  if (customer === undefined || customer === '') return undefined;
  const { address, token } = blob.parse(JSON.parse(customer));
  return token === undefined ? { address } : { address, token };
};
/** Writes the blob: always the same string for the same facts. */
export const writeUserBlob = ({ address, token }: User): string => JSON.stringify({ address, ...(token === undefined ? {} : { token }) });
