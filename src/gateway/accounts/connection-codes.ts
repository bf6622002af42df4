/**
 * Codes that a provider sends to confirm or to end a connection. Some providers count wrong codes for each connection only, so that new connections
 * would allow any number of tries. So the gateway counts for all connections of an account together, whatever the provider allows, and keeps the
 * counts when the account is removed.
 */
import type { Account } from '../../ports/accounts.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { signupPlace } from '../places.ts';
import { Problem } from '../problem.ts';
import { findAccount } from './accounts.ts';
import { openSignup, type LinkCodeCounts } from './show-account.ts';

const hourMs = 3_600_000;
/** The most codes of an account's connections that are handed in, and asked for, within an hour. */
const most = { linkTries: 20, linkSent: 10 } as const;
const why = {
  linkTries: `At most ${most.linkTries} codes an hour are handed in for the connections of one account.`,
  linkSent: `At most ${most.linkSent} codes an hour are asked for, for the connections of one account.`,
} as const;

/** Counts before the provider is called, so that parallel calls cannot exceed the limits together. Throws a Problem once the limit is reached. */
export const countConnectionCode = async (gateway: Gateway, { id, customerId }: Account, what: keyof typeof most): Promise<void> => {
  const { accounts } = gateway.stores;
  // Background work, or another call, may change the account meanwhile.
  for (let time = 0; time < 10; time += 1) {
    const account = await findAccount(gateway, id, customerId);
    const signup = await openSignup(gateway, account);
    const now = gateway.now();
    const { linkSince: since } = signup;
    const isNewHour = since === undefined || now < since || now - since >= hourMs;
    const counts: LinkCodeCounts = isNewHour ? { linkSince: now } : { linkSince: since, linkTries: signup.linkTries ?? 0, linkSent: signup.linkSent ?? 0 };
    const used = (counts[what] ?? 0) + 1;
    if (used > most[what])
      throw new Problem('rate-limited', `${why[what]} Wait before you try again.`, { retryAfterMs: (counts.linkSince ?? now) + hourMs - now });
    const { linkSince: _since, linkTries: _tries, linkSent: _sent, ...others } = signup;
    const sealed = await gateway.seal.seal(JSON.stringify({ ...others, ...counts, [what]: used }), signupPlace(id));
    if (await accounts.change(account, { sequence: account.sequence + 1, signup: sealed }, [])) return;
  }
  throw new Problem('rate-limited', 'Other requests about this account are in progress. Repeat this request.', { retryAfterMs: 1000 });
};
