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

/** What is counted for a call, with how much of it there may be, when one network may have `budget`. */
export const countersOf = ({ own, wide }: Network, budget: number): { key: string; most: number }[] =>
  own === wide
    ? [{ key: own, most: budget }]
    : [
        { key: own, most: budget },
        { key: wide, most: budget * 16 },
      ];

/**
 * The same for a budget that all customers share: one network may have a tenth of it (`least` where that is very little), a /48 half of it
 * at most, so that whoever holds many addresses leaves something to the others.
 */
export const sharesOf = (network: Network, total: number, least: number): { key: string; most: number }[] =>
  countersOf(network, Math.max(Math.ceil(total / 10), least)).map(({ key, most }, i) => ({ key, most: i === 0 ? most : Math.min(most, Math.ceil(total / 2)) }));
