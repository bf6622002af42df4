import type { Network } from '../domain/network.ts';
import type { Gateway } from './gateway.ts';

/** The gateway, and for whom it works: one request, or one row of the scheduled work. Made where the work begins, and passed down. */
export type Scope = {
  gateway: Gateway;
  /** Every log line of this work has it, and providers get it. */
  requestId: string;
  /** The caller's, if the operator allows it to reach providers. */
  traceparent?: string | undefined;
  /** Whose rate and whose failures an upstream call counts towards. Absent when the address identifies nobody: an app's backend, a row. */
  network?: Network | undefined;
};
