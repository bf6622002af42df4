/**
 * Links a provider gives a customer (payment pages, LNURLs) are followed with his money: only https, only the provider's own hosts or their
 * subdomains, no user info, no bare address. In sandbox mode plain http to loopback is what the simulators have.
 */
export const trustedLink = (link: string, hosts: readonly string[], sandbox: boolean): boolean => {
  const url = URL.canParse(link) ? new URL(link) : undefined;
  if (!url || url.username !== '' || url.password !== '') return false;
  const host = url.hostname.replace(/\.$/, '').toLowerCase();
  if (sandbox && isLoopback(host)) return url.protocol === 'http:' || url.protocol === 'https:';
  if (url.protocol !== 'https:' || /^[\d.]+$/.test(host) || host.startsWith('[')) return false;
  return hosts.some((allowed) => host === allowed.toLowerCase() || host.endsWith(`.${allowed.toLowerCase()}`));
};

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
