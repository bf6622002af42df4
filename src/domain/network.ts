import { groupsOf, parseIp, showIp } from './ip-address.ts';

/**
 * The addresses that one customer may well have, for every limit there is: an IPv4 address, an IPv6 /64. A whole /48 is given out to
 * anybody who asks for it, so it has a budget of its own, 16 times that of one network.
 */
export type Network = { /** `203.0.113.7` or `2001:db8:0:1::/64`. */ own: string; wide: string };

/** Callers whose address is not known share one network. */
export const networkOf = (ip: string | undefined): Network => {
  const address = ip === undefined ? undefined : parseIp(ip);
  if (!address) return { own: 'unknown', wide: 'unknown' };
  if (address.version === 4) return { own: showIp(address), wide: showIp(address) };
  const groups = groupsOf(address.value);
  return { own: `${groups.slice(0, 4).join(':')}::/64`, wide: `${groups.slice(0, 3).join(':')}::/48` };
};
