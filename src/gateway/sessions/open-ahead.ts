import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';
import { defect } from '../../ports/defect.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { upstreamOf } from '../ramps.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { isHalfLeft } from '../upstream/open-budget.ts';
import { upstreamSession } from '../upstream/upstream-session.ts';

/**
 * Opens the upstream sessions of a new session at the providers that demand no proof, so that the first price takes one request to the provider, like
 * every later one. A price that is asked for meanwhile waits for the same opening. If an opening fails, that price opens the session. Uses at most half
 * of the budget for new sessions. Never throws.
 */
export const openAhead = async (scope: Scope, idHash: string): Promise<void> => {
  const isBought = (one: Provider): boolean => one.core.mode !== 'off' && one.adapter.buy !== undefined && upstreamOf(one, 'buy') === 'session';
  // While a circuit is not closed, the few calls that it lets pass are for prices.
  const isWell = ({ guard }: Provider): boolean => guard.health().circuits.quote === 'closed';
  const ahead = scope.gateway.providers.filter((one) => isBought(one) && !one.demandsProof && isWell(one) && isHalfLeft(scope, one));
  await Promise.all(ahead.map((provider) => openAt(scope, idHash, provider)));
};

const openAt = async (scope: Scope, idHash: string, provider: Provider): Promise<void> => {
  const { gateway, requestId } = scope;
  const deadlineMs = gateway.settings.routing.quote_deadline_ms;
  const options = { operation: 'quote', verb: 'open_session', deadlineMs, idempotent: true, isAhead: true, customerKey: idHash } as const;
  try {
    await callProvider(scope, provider, options, (context) => upstreamSession(scope, idHash, provider, { signal: context.signal, isAhead: true }));
  } catch (fault) {
    // callProvider has already counted and logged a fault of the provider.
    if (!(fault instanceof ProviderFault)) defect(gateway.log, 'open_session', fault, { request_id: requestId, provider: provider.id });
  }
};
