import { groupsOf, parseIp, showIp } from './ip-address.ts';

/**
 * The network of a caller. `own`: one IPv4 address or one IPv6 /64, which counts as one customer. `wide`: the IPv6 /48 around it, which has a limit
 * of its own, because anybody can get a whole /48. For IPv4, `wide` is the same as `own`.
 */
export type Network = { /** `203.0.113.7` or `2001:db8:0:1::/64`. */ own: string; wide: string };

/** Returns a caller's network. All callers without a known address share the network `unknown`. */
export const networkOf = (ip: string | undefined): Network => {
  const address = ip === undefined ? undefined : parseIp(ip);
  if (!address) return { own: 'unknown', wide: 'unknown' };
  if (address.version === 4) return { own: showIp(address), wide: showIp(address) };
  const groups = groupsOf(address.value);
  return { own: `${groups.slice(0, 4).join(':')}::/64`, wide: `${groups.slice(0, 3).join(':')}::/48` };
};

/** Returns the counters that a call adds to, each with its limit. `budget` is the limit of one IPv4 address or one /64. */
export const countersOf = ({ own, wide }: Network, budget: number): { key: string; most: number }[] =>
  own === wide
    ? [{ key: own, most: budget }]
    : [
        { key: own, most: budget },
        { key: wide, most: budget * 16 },
      ];

/**
 * Returns the counters and limits for a budget that all customers share. One IPv4 address or /64 may use a tenth of the budget, or `least` if that is
 * more. A /48 may use at most half, so that a caller with many addresses leaves something for others.
 */
export const sharesOf = (network: Network, total: number, least: number): { key: string; most: number }[] =>
  countersOf(network, Math.max(Math.ceil(total / 10), least)).map(({ key, most }, i) => ({ key, most: i === 0 ? most : Math.min(most, Math.ceil(total / 2)) }));
