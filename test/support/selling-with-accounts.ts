import type { ProviderAdapter } from '../../src/providers/spec.ts';

/** Returns the verbs of a seller and those of its customers' accounts as one object. */
export const sellingWithAccounts = ({ sell, accounts }: ProviderAdapter) => {
  const adoptKey = accounts?.adoptKey?.bind(accounts);
  if (!sell?.connections || !accounts || !adoptKey) throw new Error('not a seller with connections, accounts and keys to paste');
  return { ...sell, ...accounts, connections: sell.connections, adoptKey };
};
