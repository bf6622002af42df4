import { parseIp } from '../domain/ip-address.ts';
import { isPublicAddress } from '../domain/public-address.ts';
import { Problem } from '../gateway/problem.ts';
import type { Call } from './call.ts';

/**
 * Returns the customer's IPv4 address: the one that the app states, else the caller's. Undefined if the caller's is not known or cannot be the
 * customer's. Throws a Problem if an address is stated without the key of an app that may state one.
 */
export const customerIpOf = (call: Call, named: string | undefined): string | undefined => {
  if (named !== undefined) {
    if (!call.app?.allow.includes('customer_ip'))
      throw new Problem('app-key-required', 'customer_ip is accepted only with the key of an app that may send it.');
    return named;
  }
  const ip = call.ip()?.replace(/^::ffff:/i, '');
  return ip !== undefined && isCustomers(ip, call.http.mode) ? ip : undefined;
};

/**
 * Returns whether an address is an IPv4 address that can be the customer's. In live mode, an address that is not public probably belongs to our own
 * proxy.
 */
export const isCustomers = (ip: string, mode: 'sandbox' | 'live'): boolean => parseIp(ip)?.version === 4 && (mode === 'sandbox' || isPublicAddress(ip));
