/** Which addresses are on the public internet (IANA's registries of special ranges, as ipaddr.js knows them). */
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';

const { isValid, parse } = ipaddr;

/** True only for addresses of the public internet, however they are written. */
export const isPublicAddress = (text: string): boolean => {
  if (!isValid(text)) return false;
  const address = parse(text);
  if (address.kind() === 'ipv6') {
    const six = address as IPv6;
    if (six.isIPv4MappedAddress()) return isPublicFour(six.toIPv4Address());
    // ::a.b.c.d, the old form of IPv4 addresses before ::ffff:a.b.c.d.
    if (six.parts.slice(0, 6).every((part) => part === 0)) return false;
    // Deprecated site-local fec0::/10 counts as unicast elsewhere.
    return six.range() === 'unicast' && ((six.parts[0] ?? 0) & 0xffc0) !== 0xfec0;
  }
  return isPublicFour(address as IPv4);
};

/** The Azure host answers its virtual machines here (metadata, DNS, agent). The range is public, but the address is never on the internet. */
const azureHost = '168.63.129.16';
const isPublicFour = (four: IPv4): boolean => four.range() === 'unicast' && four.toString() !== azureHost;

export const isAddress = (text: string): boolean => isValid(text);
export const isLoopback = (text: string): boolean => isValid(text) && parse(text).range() === 'loopback';
