/**
 * Codes that a provider sends to confirm or to end a connection. Some providers count wrong codes per connection only, and whoever makes new
 * connections could try any number of codes. So the gateway itself counts per user of the provider: over all of the user's connections, even if the
 * account is removed and connected again, or if several customers have pasted the user's key. Until the provider has stated the user's id, the
 * gateway counts per customer.
 */
import type { Account } from '../../ports/accounts.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { Problem } from '../problem.ts';

const hourMs = 3_600_000;
/** How often one user may take each of these steps in one hour of the UTC clock. Each of `codes` and `cancels` makes the provider send a code. */
const most = { tries: 20, codes: 10, cancels: 10 } as const;
export type CountedStep = keyof typeof most;
const words: Record<CountedStep, string> = {
  tries: 'codes may be entered',
  codes: 'codes may be requested, by connecting or resending,',
  cancels: 'cancellations may be requested',
};

/**
 * Counts a step before the provider is called, so that parallel calls cannot exceed the limits together. Returns a function that takes the count
 * back, to be called if certainly no code was tried or sent. Throws a Problem once the limit is reached.
 */
export const countConnectionCode = async (
  { stores: { liquidity: counters }, hash, now: clock }: Gateway,
  { providerId, userHash, customerId }: Account,
  what: CountedStep,
): Promise<() => Promise<void>> => {
  const now = clock();
  const hour = new Date(now).toISOString().slice(0, 13);
  const counted = { day: hour, purpose: `connection-${what}`, subject: `${providerId} ${userHash ?? hash(`customer ${customerId}`)}` };
  if ((await counters.take(counted, 1n, BigInt(most[what]))) === undefined)
    throw new Problem(
      'rate-limited',
      `At most ${most[what]} ${words[what]} in one hour for all connections of one user of the provider. Wait before you try again.`,
      { retryAfterMs: hourMs - (now % hourMs) },
    );
  return async () => await counters.give(counted, 1n);
};
