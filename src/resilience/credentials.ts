import { ProviderFault } from '../providers/fault.ts';
import { createRecentCallers } from './recent-callers.ts';

/** How long no price is asked for after the provider has refused our credentials. */
const pauseMs = 60_000;

export type CredentialsSettings = {
  /** How many different callers must be refused, with no price served in between, before we conclude that our credentials are refused. */
  callersNeeded: number;
  /** How long a refused caller counts towards `callersNeeded`. */
  windowMs: number;
  /** Called when the provider begins to refuse our credentials, and when it accepts them again. */
  onChange: (state: 'refused' | 'accepted') => void;
};
export type Refused = {
  /** The caller whose call was refused. */
  caller: string;
  /** Whether the call had only our own data, and no text that a caller chose. */
  isOwn: boolean;
  /** The HTTP status. `undefined` if nothing was sent, because we have no credentials. */
  status: number | undefined;
};

/**
 * Watches whether a provider accepts our credentials. A 401 or 403 does not prove that it refuses them: a firewall in front of the provider may
 * dislike a string that a customer chose. So a refusal counts at once only if the call had no such string, or was not sent because we have no
 * credentials. Otherwise it takes refusals of several callers. Then no price is asked for during the next minute. The next price call after that
 * shows whether the credentials are accepted again.
 */
export const createCredentialsWatch = ({ callersNeeded, windowMs, onChange }: CredentialsSettings, now: () => number) => {
  const callers = createRecentCallers(windowMs);
  let refusedOn: number | undefined;
  let pausedUntil = 0;

  const isCertain = ({ caller, isOwn, status }: Refused, at: number): boolean => isOwn || status === undefined || callers.note(caller, at) >= callersNeeded;

  return {
    /** Returns when the provider began to refuse our credentials, in Unix milliseconds. Undefined while it accepts them. */
    refusedSince: (): number | undefined => refusedOn,
    /** Throws `rejected-credentials` during the pause. */
    check: (): void => {
      if (pausedUntil === 0) return;
      // The clock may have been set back since the pause began.
      pausedUntil = Math.min(pausedUntil, now() + pauseMs);
      if (now() < pausedUntil)
        throw new ProviderFault('rejected-credentials', 'the provider refused our credentials; it is asked again within a minute', { taken: 'no' });
    },
    refused: (refused: Refused): void => {
      const at = now();
      if (!isCertain(refused, at)) return;
      callers.clear();
      pausedUntil = at + pauseMs;
      if (refusedOn !== undefined) return;
      refusedOn = at;
      onChange('refused');
    },
    accepted: (): void => {
      callers.clear();
      if (refusedOn === undefined) return;
      refusedOn = undefined;
      pausedUntil = 0;
      onChange('accepted');
    },
  };
};
