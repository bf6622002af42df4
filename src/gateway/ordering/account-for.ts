import { destinationNames } from '../../bitcoin/destination.ts';
import type { PayoutTo } from '../../domain/payout.ts';
import { notConnected } from '../accounts/accounts.ts';
import { refreshAccount } from '../accounts/refresh-account.ts';
import type { Account } from '../../ports/accounts.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import { upstreamOf } from '../ramps.ts';
import { refusalProblem } from '../refusal-problem.ts';
import { providerOf } from '../upstream/provider-of.ts';
import type { OpenSession } from '../sessions/read-session.ts';

/**
 * Returns the customer's connected account at the quote's provider. Returns undefined if they have none, and the offer was made without one and needs
 * none. In all other cases, throws the problem that tells the customer what is missing.
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

/** Works like paysElsewhere, for a move by failover. In that case the account is the one with which the price was requested. */
export const wouldPayElsewhere = async (gateway: Gateway, quote: StoredQuote, payoutTo: PayoutTo | undefined): Promise<boolean> => {
  const { providerSessionId: id, offer } = quote;
  if (id === undefined || payoutTo === undefined || offer.offer.facts.payout_kinds === undefined) return false;
  return (
    upstreamOf(providerOf(gateway, offer.providerId), 'buy') === 'account' && paysElsewhere(gateway, quote, await gateway.stores.accounts.findAny(id), payoutTo)
  );
};

/**
 * Returns whether the sats would go to a destination other than the one that the order names. A provider that knows its users by their destination
 * pays to the account's own destination. An account that was not started with a destination never counts as having the order's destination.
 */
export const paysElsewhere = (gateway: Gateway, { offer }: StoredQuote, account: Account | undefined, payoutTo: PayoutTo | undefined): boolean => {
  const provider = gateway.providers.find(({ id }) => id === offer.providerId);
  const isByName = provider?.adapter.buy?.byAccount === true && provider.adapter.accounts?.knownBy === 'payout_to';
  if (!isByName || offer.offer.facts.payout_kinds === undefined || payoutTo === undefined || account === undefined) return false;
  return !destinationNames(payoutTo).some((name) => account.emailHash === gateway.hash(name));
};
