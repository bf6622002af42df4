/**
 * Entering an e-mail proves nothing, yet the provider gives us a connected user's key for any e-mail that we send. So entering an e-mail must not
 * lock its owner out, and if two customers have entered the same e-mail and neither is connected, neither gets the key. A code proves nothing either:
 * it may be sent to a phone that the customer has entered. Each customer can still paste the key from the provider's own dashboard, which only the
 * owner can open.
 */
import type { AccountAdapter, AccountState, Answer, CallContext } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import { Problem } from '../problem.ts';
import { providerOf } from '../upstream/provider-of.ts';
import { accountsOf, callAccount, type AccountCall } from './call-account.ts';

/** How long we remember an e-mail that never led to a connection. */
export const namedMs = 30 * 86_400_000;

/**
 * Returns whether an account was connected at any time. Its e-mail belongs to its customer from then on. The account may be `pending` all the same:
 * if its key was lost, the provider asks the customer for their consent again.
 */
export const wasConnected = ({ status, connectedOn }: Pick<Account, 'status' | 'connectedOn'>): boolean =>
  connectedOn !== undefined || status === 'connected' || status === 'needs_reconnect';

/** An answer about an account, or the fact that the provider does not accept a code. */
type Answered = Answer<AccountState> | { ok: 'code-wrong' | 'code-expired' };

/** Returns the provider's answer about the account, without a key that may belong to another customer. */
export const unlessContested = async <T extends Answered>(gateway: Gateway, account: Account, answer: T): Promise<T | Answer<AccountState>> => {
  if (answer.ok !== true || wasConnected(account)) return answer;
  const { status, userId } = answer.value;
  // The account was never connected, so there is nothing to reconnect.
  if (status === 'needs_reconnect') return { ok: true, value: { ...answer.value, status: account.status } };
  if (status !== 'connected' || !(await isContested(gateway, account, userId === undefined ? undefined : gateway.hash(userId)))) return answer;
  gateway.log('warn', 'account_contested', { provider: account.providerId });
  return { ok: true, value: { status: 'pending' } };
};

/** Makes a call by which the customer continues to set up their account. Throws instead of keeping a key that may belong to another customer. */
export const callUnlessContested = async <T extends Answered>(
  scope: Scope,
  account: Account,
  call: AccountCall,
  attempt: (accounts: AccountAdapter, context: CallContext) => Promise<T>,
): Promise<T | Answer<AccountState>> => {
  let isWithheld = false;
  const answer = await callAccount(scope, account, call, async (accounts, context) => {
    const said = await attempt(accounts, context);
    const kept = await unlessContested(scope.gateway, account, said);
    isWithheld = said.ok === true && said.value.status === 'connected' && kept !== said;
    return kept;
  });
  if (isWithheld) throw contested(scope.gateway, account);
  return answer;
};

/** For an account that was started with an e-mail or destination and never connected: throws if another customer has named or connected its user. */
export const refuseContested = async (gateway: Gateway, account: Account): Promise<void> => {
  if (!wasConnected(account) && (await isContested(gateway, account, account.userHash))) throw contested(gateway, account);
};

/**
 * For an account that was never connected: throws if another customer has connected its user. In that case, the account's credentials must not change
 * anything about that user at the provider.
 */
export const refuseUserOfAnother = async (gateway: Gateway, account: Account): Promise<void> => {
  if (!wasConnected(account) && (await isUserOfAnother(gateway, account, account.userHash))) throw contested(gateway, account);
};

const isContested = async (gateway: Gateway, account: Account, userHash: string | undefined): Promise<boolean> =>
  account.emailHash !== undefined &&
  ((await gateway.stores.accounts.isNamedByOthers(account, gateway.now() - namedMs)) || (await isUserOfAnother(gateway, account, userHash)));

/** Returns whether another customer has connected this user, even if only by a pasted key and without an e-mail. */
const isUserOfAnother = async (gateway: Gateway, account: Account, userHash: string | undefined): Promise<boolean> =>
  userHash !== undefined && (await gateway.stores.accounts.isUserOfAnother(account, userHash));

const words: Record<AccountAdapter['knownBy'], string> = { email: 'e-mail', payout_to: 'payout address' };

/** Returns the problem for an e-mail or address that belongs to another customer here. */
export const claimed = (knownBy: AccountAdapter['knownBy']): Problem =>
  new Problem(
    'customer-conflict',
    `Another customer has already used this ${words[knownBy]} for an account here. If you are that customer, open the session with the node key or recovery secret that you used then.`,
  );

const contested = (gateway: Gateway, { providerId }: Account): Problem => {
  const { knownBy, ...ways } = accountsOf(providerOf(gateway, providerId));
  const next = ways.adoptKey
    ? `Copy a key from the provider's own dashboard and send it as api_key instead of ${knownBy}.`
    : `The operator of this gateway can release the ${words[knownBy]} for its owner.`;
  return new Problem('customer-conflict', `Another customer has also used this ${words[knownBy]} here, so it does not prove who you are. ${next}`, {
    members: { action: 'ask-user' },
  });
};
