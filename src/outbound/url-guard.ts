/**
 * Whom a webhook may reach. Threat: a wallet (or whoever stole its session) names an address inside of our network, a cloud's metadata
 * service, or ourselves, and reads the answer, its timing or its side effects (SSRF). Defence here: the URL's own form and any literal
 * address; on Node every resolved address is checked in the connector as well (entry/guarded-sender.ts), on Workers no private network is
 * reachable; redirects are never followed; nothing of the answer is kept but its class.
 */
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';

const { isValid, parse } = ipaddr;

export type UrlRules = {
  sandbox: boolean;
  allowedPorts: readonly number[];
  /** Our own host names: a webhook to ourselves is refused. */ ownHosts: readonly string[];
};

/** Only addresses of the public internet, in whatever way they are written. */
export const isPublicAddress = (text: string): boolean => {
  if (!isValid(text)) return false;
  const address = parse(text);
  if (address.kind() === 'ipv6') {
    const six = address as IPv6;
    if (six.isIPv4MappedAddress()) return isPublicFour(six.toIPv4Address());
    // ::a.b.c.d, the form of IPv4 addresses before ::ffff:a.b.c.d.
    if (six.parts.slice(0, 6).every((part) => part === 0)) return false;
    // Deprecated site-local fec0::/10 counts as unicast elsewhere.
    return six.range() === 'unicast' && ((six.parts[0] ?? 0) & 0xffc0) !== 0xfec0;
  }
  return isPublicFour(address as IPv4);
};

/** Azure's host of each virtual machine answers there (metadata, DNS, the agent's channel): in a public range, yet never on the internet. */
const azureHost = '168.63.129.16';
const isPublicFour = (four: IPv4): boolean => four.range() === 'unicast' && four.toString() !== azureHost;

export const isLoopback = (text: string): boolean => isValid(text) && parse(text).range() === 'loopback';

const privateNames = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|localdomain|home\.arpa|svc)$/;

export const checkWebhookUrl = (text: string, rules: UrlRules): { ok: true; host: string } | { ok: false; reason: string } => {
  if (text.length > 250) return refuse('at most 250 characters');
  if (!URL.canParse(text)) return refuse('this is not a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return refuse('no user name or password in the URL');
  if (url.hash !== '') return refuse('no fragment');
  const host = url.hostname
    .toLowerCase()
    .replace(/\.+$/, '')
    .replace(/^\[|\]$/g, '');
  if (host === '') return refuse('a host is missing');
  if (rules.sandbox && (host === 'localhost' || isLoopback(host)))
    return url.protocol === 'http:' || url.protocol === 'https:' ? { ok: true, host: url.host } : refuse('http or https only');
  if (url.protocol !== 'https:') return refuse(rules.sandbox ? 'https only (http to loopback is allowed in sandbox mode)' : 'https only');
  const port = url.port === '' ? 443 : Number(url.port);
  if (!rules.allowedPorts.includes(port)) return refuse(`port ${port} is not allowed`);
  if (isValid(host)) return isPublicAddress(host) ? { ok: true, host: url.host } : refuse('this address is not public');
  if (privateNames.test(host) || !host.includes('.')) return refuse('this host is not public');
  if (rules.ownHosts.includes(host)) return refuse('this is the gateway itself');
  return { ok: true, host: url.host };
};

const refuse = (reason: string): { ok: false; reason: string } => ({ ok: false, reason });
