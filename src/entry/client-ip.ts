import ipaddr from 'ipaddr.js';

const { isValid, parse, parseCIDR } = ipaddr;

/**
 * Who is calling. X-Forwarded-For is believed only as far as it was written by proxies we trust: from the right, the first address that is no
 * trusted proxy.
 */
export const clientIp = (remote: string | undefined, forwarded: string | undefined, trusted: readonly string[]): string | undefined => {
  const hops = [...(forwarded ?? '').split(',').map((hop) => hop.trim()), remote ?? '']
    .filter((hop) => isValid(hop))
    .map((hop) => ipaddr.process(hop).toString());
  let at = hops.pop();
  while (at !== undefined && hops.length > 0 && isTrusted(at, trusted)) at = hops.pop();
  return at;
};

const isTrusted = (ip: string, trusted: readonly string[]): boolean =>
  trusted.some((rule) => {
    const address = parse(ip);
    const [base, bits] = rule.includes('/') ? parseCIDR(rule) : [parse(rule), parse(rule).kind() === 'ipv4' ? 32 : 128];
    return address.kind() === base.kind() && address.match(base, bits);
  });
