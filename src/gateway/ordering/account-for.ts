import { notConnected } from '../accounts/accounts.ts';
import { refreshAccount } from '../accounts/refresh-account.ts';
import type { Account } from '../../ports/accounts.ts';
import type { Scope } from '../../ports/scope.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import { refusalProblem } from '../refusal-problem.ts';
import type { OpenSession } from '../sessions/read-session.ts';

/**
 * Returns the customer's connected account at the quote's provider. Returns undefined if they have none, and the offer was made without one and needs
 * none. Throws the problem that tells the customer what is missing.
 */
export const accountFor = async (scope: Scope, session: OpenSession, { offer, providerSessionId }: StoredQuote): Promise<Account | undefined> => {
  const { gateway } = scope;
  const account = (await gateway.stores.accounts.list(session.customerId)).find((one) => one.providerId === offer.providerId);
  if (!account) {
    if (offer.offer.requires.includes('account') || providerSessionId !== undefined) throw refusalProblem({ reason: 'account-required' });
    return undefined;
  }
  const now = account.status === 'connected' ? account : (await refreshAccount(scope, account)).account;
  if (now.status !== 'connected') throw await notConnected(gateway, now);
  return account;
};
