import type { Gateway } from '../ports/gateway.ts';
import type { Lease } from '../ports/runtime.ts';

/** Longer than the call it covers: a sender whose lease expired has certainly stopped waiting. */
export const leaseFor = (gateway: Gateway, of: string): Lease => ({
  owner: `${gateway.state.instance}/${of.slice(0, 8)}/${gateway.ids.secret(6)}`,
  seconds: Math.ceil(gateway.settings.routing.order_deadline_ms / 1000) + 10,
});
