import type { Gateway } from '../ports/gateway.ts';
import { Problem } from './problem.ts';

/**
 * Throws if our keys do not open what the database holds. Then nothing may be served, or done in the background: new values would be sealed under a
 * key that the gateway with the right keys does not have. Paid orders wait until the operator has set the right keys, or has said that they are lost.
 */
export const refuseLostKey = async (gateway: Gateway): Promise<void> => {
  const lost = await gateway.lostKey?.();
  if (lost !== undefined) throw new Problem('misconfigured', lost);
};
