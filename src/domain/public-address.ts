/** Tells which addresses are on the public internet, by IANA's registries of special ranges as ipaddr.js implements them. */
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';

const { isValid, parse } = ipaddr;

/** Returns whether the text is an address on the public internet, in whatever form it is written. */
export const isPublicAddress = (text: string): boolean => {
  if (!isValid(text)) return false;
  const address = parse(text);
  if (address.kind() === 'ipv6') {
    const six = address as IPv6;
    if (six.isIPv4MappedAddress()) return isPublicFour(six.toIPv4Address());
    // This is the obsolete form ::a.b.c.d of an IPv4 address, which ::ffff:a.b.c.d replaced.
    if (six.parts.slice(0, 6).every((part) => part === 0)) return false;
    // ipaddr.js counts the deprecated site-local range fec0::/10 as unicast.
    return six.range() === 'unicast' && ((six.parts[0] ?? 0) & 0xffc0) !== 0xfec0;
  }
  return isPublicFour(address as IPv4);
};

/** The Azure host serves its virtual machines at this address (metadata, DNS, agent). Its range is public, but the address is not on the internet. */
const azureHost = '168.63.129.16';
const isPublicFour = (four: IPv4): boolean => four.range() === 'unicast' && four.toString() !== azureHost;

export const isAddress = (text: string): boolean => isValid(text);
export const isLoopback = (text: string): boolean => isValid(text) && parse(text).range() === 'loopback';
