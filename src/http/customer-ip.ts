import { parseIp } from '../domain/ip-address.ts';
import { isPublicAddress } from '../domain/public-address.ts';
import { Problem } from '../gateway/problem.ts';
import type { Call } from './call.ts';

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
export const isCustomers = (ip: string, mode: 'sandbox' | 'live'): boolean => parseIp(ip)?.version === 4 && (mode === 'sandbox' || isPublicAddress(ip));
