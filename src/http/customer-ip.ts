import { Problem } from '../gateway/problem.ts';
import type { Call } from './call.ts';

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** The customer's own IPv4: named by an app that shows its key, else the caller's where it is one. Undefined: not known. */
export const customerIpOf = (call: Call, named: string | undefined): string | undefined => {
  if (named !== undefined) {
    if (!call.app?.allow.includes('customer_ip'))
      throw new Problem('app-key-required', 'customer_ip is taken from an app that is allowed to send it and shows its key.');
    return named;
  }
  const ip = call.ip()?.replace(/^::ffff:/i, '');
  return ip !== undefined && ipv4.test(ip) ? ip : undefined;
};
