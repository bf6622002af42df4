import { sharesOf } from '../../domain/network.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';

type Window = { windowStart: number; used: number };

const windowMs = 60_000;
const leastOfNetwork = 5;
const mostWindows = 10_000;

/**
 * Limits new upstream sessions per provider and minute, so that a caller cannot flood a provider by opening sessions here. One network can use only a
 * part of the budget. Throws a `gateway-busy` fault when nothing is left, because that is our limit and not the provider's. `half`: the session is
 * opened ahead, so half of the budget must stay for those that somebody waits for.
 */
export const takeFromBudget = (scope: Scope, provider: Provider, from: 'all' | 'half' = 'all'): void => {
  const { gateway } = scope;
  const counters = countersOf(scope, provider, from);
  const spent = counters.find(({ most, window }) => window.used >= most);
  if (spent)
    throw new ProviderFault('gateway-busy', 'the budget for new sessions at this provider is spent for this minute', {
      retryAfterMs: spent.window.windowStart + windowMs - gateway.now(),
      taken: 'no',
    });
  for (const { id, window } of counters) {
    window.used += 1;
    gateway.state.openBudget.set(id, window);
  }
};

/** Returns whether a session may be opened ahead. */
export const isHalfLeft = (scope: Scope, provider: Provider): boolean => countersOf(scope, provider, 'half').every(({ most, window }) => window.used < most);

const countersOf = ({ gateway, network }: Scope, provider: Provider, from: 'all' | 'half'): { id: string; most: number; window: Window }[] => {
  const { openBudget: windows } = gateway.state;
  const total = provider.core.opens_per_minute ?? gateway.settings.sessions.opens_per_minute;
  const now = gateway.now();
  // A clock that was set back starts a new window.
  const isOver = ({ windowStart }: { windowStart: number }): boolean => now < windowStart || now - windowStart >= windowMs;
  if (windows.size > mostWindows) for (const [key, window] of windows) if (isOver(window)) windows.delete(key);
  return [{ key: '', most: total }, ...(network ? sharesOf(network, total, leastOfNetwork) : [])].map(({ key, most }) => {
    const id = `${provider.id} ${key}`;
    const known = windows.get(id);
    return { id, most: from === 'half' ? Math.floor(most / 2) : most, window: known && !isOver(known) ? known : { windowStart: now, used: 0 } };
  });
};
