import { Problem } from '../gateway/problem.ts';
import type { Call } from './call.ts';

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** RFC 6890: own, private, shared, link-local, test and multicast addresses. */
const inward =
  /^(?:0|10|127|2(?:2[4-9]|[345]\d))\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\.|^192\.168\.|^192\.0\.[02]\.|^198\.1[89]\.|^198\.51\.100\.|^203\.0\.113\./;

/** The customer's own IPv4: named by an app that shows its key, else the caller's where it is one. Undefined: not known. */
export const customerIpOf = (call: Call, named: string | undefined): string | undefined => {
  if (named !== undefined) {
    if (!call.app?.allow.includes('customer_ip'))
      throw new Problem('app-key-required', 'customer_ip is taken from an app that is allowed to send it and shows its key.');
    return named;
  }
  const ip = call.ip()?.replace(/^::ffff:/i, '');
  return ip !== undefined && isCustomers(ip, call.http.mode) ? ip : undefined;
};

/** Live, what is no public address is a proxy's of ours, not the customer's. */
export const isCustomers = (ip: string, mode: 'sandbox' | 'live'): boolean => ipv4.test(ip) && !(mode === 'live' && inward.test(ip));
