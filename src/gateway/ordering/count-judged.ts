import type { Scope } from '../../ports/scope.ts';

const windowMs = 3_600_000;
const mostKnown = 20_000;

/**
 * Counts whether a provider kept its offer or went back on it. On each instance, an IPv4 address or an IPv6 /48 counts once an hour for each provider
 * and outcome, so that a single customer, or a rival with one address, has little weight. Orders without a network (ports/scope.ts) do not count.
 */
export const countJudged = ({ gateway, network }: Scope, providerId: string, outcome: 'kept' | 'went-back'): void => {
  if (!network) return;
  const { judged } = gateway.state;
  const now = gateway.now();
  const key = `${providerId} ${outcome} ${network.wide}`;
  const since = judged.get(key);
  if (since !== undefined && now >= since && now - since < windowMs) return;
  // The first keys in the map are the oldest.
  if (judged.size >= mostKnown) for (const known of [...judged.keys()].slice(0, mostKnown / 10)) judged.delete(known);
  judged.delete(key);
  judged.set(key, now);
  gateway.count('order_networks_total', { provider: providerId, outcome });
};
