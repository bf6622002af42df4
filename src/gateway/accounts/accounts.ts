/** Reads and removes accounts. An account is a customer's account at one provider, for all of its ramps. Its key is never shown to a wallet. */
import { printableName } from '../../domain/printable.ts';
import type { Account } from '../../ports/accounts.ts';
import { callSeller, providerProblem } from './call-account.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { refreshAccount } from './refresh-account.ts';
import { forCustomer, refusalProblem } from '../refusal-problem.ts';
import { openCounts, openSignup, sealSignup, showAccount, type ShownAccount } from './show-account.ts';
import type { Scope } from '../../ports/scope.ts';
import { isRecent } from '../../domain/is-recent.ts';

/** Finds the customer's own account. Throws `account-not-found` if there is none. */
export const findAccount = async (gateway: Gateway, accountId: string, customerId: string): Promise<Account> => {
  const account = await gateway.stores.accounts.find(accountId, customerId);
  if (!account) throw new Problem('account-not-found', 'This customer has no such account.');
  return account;
};

/** A wallet that asks more often than this gets the stored state. */
const staleMs = 2_000;

export const readAccount = async (scope: Scope, session: OpenSession, accountId: string): Promise<ShownAccount> => {
  const { gateway } = scope;
  const account = await findAccount(gateway, accountId, session.customerId);
  if (isRecent(account.checkedOn ?? 0, gateway.now(), staleMs))
    return await showAccount(gateway, account, await gateway.stores.accounts.connections(account.id));
  const fresh = await refreshAccount(scope, account);
  return await showAccount(gateway, fresh.account, fresh.connections);
};

/** Removes the account here; the account at the provider stays. The key is kept while open orders are followed with it, and is then forgotten. */
export const removeAccount = async (gateway: Gateway, session: OpenSession, accountId: string) => {
  const { accounts } = gateway.stores;
  let account: Account | undefined = await findAccount(gateway, accountId, session.customerId);
  // If another call changes the account in the meantime, for example by counting a code, `remove` does nothing. Then we read the account again, so
  // that the new counts are kept.
  while (account && !(await accounts.remove(account, gateway.now(), await sealSignup(gateway, accountId, await openCounts(gateway, account)))))
    account = await accounts.findAny(accountId);
  return { account_id: accountId, removed: true };
};

/** Finds a connected account, for calls that need its key. Throws a Problem if the account is not connected. */
export const connectedAccount = async (gateway: Gateway, accountId: string, customerId: string): Promise<Account> => {
  const account = await findAccount(gateway, accountId, customerId);
  if (account.status !== 'connected') throw await notConnected(gateway, account);
  return account;
};

/**
 * Returns the problem for an account that is not connected. Waiting helps while the provider verifies the customer, but not after a lost key or a
 * rejection.
 */
export const notConnected = async (gateway: Gateway, account: Account): Promise<Problem> => {
  const { status } = account;
  if (status === 'needs_reconnect') return refusalProblem({ reason: 'account-required', note: 'needs-reconnect' });
  if (status === 'rejected')
    return new Problem('account-not-connected', 'The provider has rejected this customer. Only they can resolve that, directly with the provider.', {
      members: forCustomer,
    });
  const { signupUrl, mailSent } = await openSignup(gateway, account);
  const mail = mailSent === true ? ' The provider has sent the customer an e-mail.' : '';
  return new Problem('account-not-connected', `The account is ${status}, not connected.${mail}`, {
    members: signupUrl === undefined || status !== 'onboarding' ? {} : { signup_url: signupUrl },
  });
};

export const readBalance = async (scope: Scope, session: OpenSession, accountId: string) => {
  const { gateway } = scope;
  const account = await connectedAccount(gateway, accountId, session.customerId);
  const answer = await asked(() => callSeller(scope, account, { verb: 'balance', idempotent: true }, async (sell, context) => await sell.balance(context)));
  if (!answer.ok) throw refusalProblem(answer.refusal);
  return { account_id: account.id, currency_code: answer.value.currency, amount_fiat: Number(answer.value.amountFiat) };
};

export const readTransactions = async (
  scope: Scope,
  session: OpenSession,
  request: { account_id: string; limit?: number | undefined; since?: string | undefined },
) => {
  const { gateway } = scope;
  const account = await connectedAccount(gateway, request.account_id, session.customerId);
  const wanted = { limit: request.limit ?? 50, ...(request.since === undefined ? {} : { since: Date.parse(request.since) }) };
  const answer = await asked(() =>
    callSeller(scope, account, { verb: 'transactions', idempotent: true }, async (sell, context) => await sell.transactions(context, wanted)),
  );
  if (!answer.ok) throw refusalProblem(answer.refusal);
  return {
    account_id: account.id,
    transactions: answer.value.map((row) => ({
      transaction_id: row.upstreamId,
      kind: row.kind,
      status: printableName(row.rawStatus) ?? '',
      ...(row.stage === undefined ? {} : { stage: row.stage }),
      ...(row.pay === undefined ? {} : { amount_sats: Number(row.pay) }),
      ...(row.receive === undefined ? {} : { amount_fiat: Number(row.receive) }),
      created_on: new Date(row.createdOn).toISOString(),
    })),
  };
};

const asked = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (fault) {
    throw providerProblem(fault);
  }
};
