/**
 * Decides which of the URLs that a wallet names may be called: by us, as a webhook, or by a provider that pays to an LNURL or a Lightning address
 * (ordering/payout.ts). Threat: a wallet, or whoever stole its session, names an address inside our network, a cloud's metadata service, or
 * ourselves, and reads the answer, its timing or its side effects (SSRF); a provider could be misused in the same way. Defence: this file checks the
 * URL's form and any literal address. For a webhook, the connector on Node also checks every resolved address (entry/guarded-sender.ts); on Workers
 * no private network is reachable. We never follow redirects, and never keep the body of an answer.
 */
import { isAddress, isLoopback, isPublicAddress } from './public-address.ts';

export type UrlRules = {
  sandbox: boolean;
  allowedPorts: readonly number[];
  /** Our own host names, which are refused. */ ownHosts: readonly string[];
};

const privateNames = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|localdomain|home\.arpa|svc)$/;

export const checkPublicUrl = (text: string, rules: UrlRules): { ok: true; host: string } | { ok: false; reason: string } => {
  if (text.length > 2048) return refuse('a URL may have at most 2048 characters');
  if (!URL.canParse(text)) return refuse('this is not a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return refuse('a URL must not contain a user name or password');
  if (url.hash !== '') return refuse('a URL must not contain a fragment');
  const host = url.hostname
    .toLowerCase()
    .replace(/\.+$/, '')
    .replace(/^\[|\]$/g, '');
  if (host === '') return refuse('the URL has no host');
  if (rules.sandbox && (host === 'localhost' || isLoopback(host)))
    return url.protocol === 'http:' || url.protocol === 'https:' ? { ok: true, host: url.host } : refuse('the URL must begin with http:// or https://');
  if (url.protocol !== 'https:')
    return refuse(
      rules.sandbox ? 'the URL must begin with https:// (in sandbox mode, http:// to loopback is allowed too)' : 'the URL must begin with https://',
    );
  const port = url.port === '' ? 443 : Number(url.port);
  if (!rules.allowedPorts.includes(port)) return refuse(`port ${port} is not allowed`);
  if (isAddress(host)) return isPublicAddress(host) ? { ok: true, host: url.host } : refuse('this address is not public');
  if (privateNames.test(host) || !host.includes('.')) return refuse('this host is not public');
  if (rules.ownHosts.includes(host)) return refuse('this is the gateway itself');
  return { ok: true, host: url.host };
};

const refuse = (reason: string): { ok: false; reason: string } => ({ ok: false, reason });
