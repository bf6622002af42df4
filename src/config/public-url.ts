import * as z from 'zod';

const isBare = (text: string): boolean => {
  const { username, password, search, hash } = URL.parse(text) ?? {};
  return [username, password, search, hash].every((part) => part === '' || part === undefined);
};

/**
 * The public address of this gateway. Addresses that providers and wallets get begin with it, so it must not contain a user, a password, a query or a
 * fragment.
 */
export const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be an address like https://ramp.wallet.example' })
  .refine(isBare, 'must be an address without user, password, query and fragment, like https://ramp.wallet.example');
