import type { Gateway } from '../ports/gateway.ts';
import type { Lease } from '../ports/runtime.ts';

/**
 * Makes a lease that lasts ten seconds longer than the work's calls to a provider (`calls`) may take, one after the other. So an instance whose lease
 * has expired has usually stopped waiting for its calls.
 */
export const leaseFor = (gateway: Gateway, of: string, calls = 1): Lease => ({
  owner: `${gateway.state.instance}/${of.slice(0, 8)}/${gateway.ids.secret(6)}`,
  seconds: Math.ceil((calls * gateway.settings.routing.order_deadline_ms) / 1000) + 10,
});
