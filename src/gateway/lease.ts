import type { Gateway } from '../ports/gateway.ts';
import type { Lease } from '../ports/runtime.ts';

/**
 * Makes a lease that lasts ten seconds longer than a call to a provider may take. So an instance whose lease has expired has usually stopped waiting
 * for its call.
 */
export const leaseFor = (gateway: Gateway, of: string): Lease => ({
  owner: `${gateway.state.instance}/${of.slice(0, 8)}/${gateway.ids.secret(6)}`,
  seconds: Math.ceil(gateway.settings.routing.order_deadline_ms / 1000) + 10,
});
