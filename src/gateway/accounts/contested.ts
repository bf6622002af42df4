/**
 * To name an e-mail proves nothing, and a provider gives the key of a connected user to whoever asks for that e-mail with our credentials. So
 * naming locks nobody out, and where two customers have named one e-mail it gives the key to neither: each can still paste the key from the
 * provider's own dashboard, which only its owner has.
 */
import type { AccountState, Answer } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { Problem } from '../problem.ts';

/** A name that never led to a connection is forgotten after so long. */
export const namedMs = 30 * 86_400_000;

export const wasConnected = ({ status }: Pick<Account, 'status'>): boolean => status === 'connected' || status === 'needs_reconnect';

/** What the provider said of the account, without a key that may be another customer's. */
export const unlessContested = async (gateway: Gateway, account: Account, answer: Answer<AccountState>): Promise<Answer<AccountState>> => {
  if (!answer.ok || wasConnected(account)) return answer;
  // Without ever having been connected there is nothing to connect again.
  if (answer.value.status === 'needs_reconnect') return { ok: true, value: { ...answer.value, status: account.status } };
  if (answer.value.status !== 'connected' || !(await isContested(gateway, account))) return answer;
  gateway.log('warn', 'account_contested', { provider: account.providerId });
  return { ok: true, value: { status: 'pending' } };
};

const isContested = async (gateway: Gateway, account: Account): Promise<boolean> =>
  account.emailHash !== undefined && (await gateway.stores.accounts.isNamedByOthers(account, gateway.now() - namedMs));

export const contested = (): Problem =>
  new Problem(
    'customer-conflict',
    "Another customer has named this e-mail here, too, so naming it proves nothing. Take a key from the provider's own dashboard and send it as api_key instead of email.",
    { members: { action: 'ask-user' } },
  );
