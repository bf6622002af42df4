/**
 * Entering an e-mail proves nothing, yet the provider gives us a connected user's key for any e-mail that we send. So entering an e-mail must not
 * lock its owner out, and if two customers have entered the same e-mail and neither is connected, neither gets the key. Each can still paste the key
 * from the provider's own dashboard, which only the owner can open.
 */
import type { AccountState, Answer } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { Problem } from '../problem.ts';

/** How long we remember an e-mail that never led to a connection. */
export const namedMs = 30 * 86_400_000;

/**
 * Returns whether an account was connected at any time. Its e-mail belongs to its customer from then on. The account may be `pending` all the same:
 * if its key was lost, the provider asks the customer for their consent again.
 */
export const wasConnected = ({ status, connectedOn }: Pick<Account, 'status' | 'connectedOn'>): boolean =>
  connectedOn !== undefined || status === 'connected' || status === 'needs_reconnect';

/** Returns the provider's answer about the account, without a key that may belong to another customer. */
export const unlessContested = async (gateway: Gateway, account: Account, answer: Answer<AccountState>): Promise<Answer<AccountState>> => {
  if (!answer.ok || wasConnected(account)) return answer;
  // The account was never connected, so there is nothing to reconnect.
  if (answer.value.status === 'needs_reconnect') return { ok: true, value: { ...answer.value, status: account.status } };
  if (answer.value.status !== 'connected' || !(await isContested(gateway, account, answer.value))) return answer;
  gateway.log('warn', 'account_contested', { provider: account.providerId });
  return { ok: true, value: { status: 'pending' } };
};

/** The user may be connected here without their e-mail, by a pasted key. */
const isContested = async (gateway: Gateway, account: Account, { userId }: AccountState): Promise<boolean> =>
  account.emailHash !== undefined &&
  ((await gateway.stores.accounts.isNamedByOthers(account, gateway.now() - namedMs)) ||
    (userId !== undefined && (await gateway.stores.accounts.isUserOfAnother(account, gateway.hash(userId)))));

/** Returns the problem for an e-mail or address that is another customer's here. */
export const claimed = (knownBy: 'email' | 'payout_to'): Problem =>
  new Problem(
    'customer-conflict',
    `This ${knownBy === 'email' ? 'e-mail' : 'address'} has an account here that belongs to another customer. Open the session with the node key or recovery secret of that customer.`,
  );

export const contested = (): Problem =>
  new Problem(
    'customer-conflict',
    "Another customer has also used this e-mail here, so it does not prove who you are. Copy a key from the provider's own dashboard and send it as api_key instead of email.",
    { members: { action: 'ask-user' } },
  );
