import type { Network } from '../domain/network.ts';
import type { Gateway } from './gateway.ts';

/** The gateway, and what it is working on: one request, or one row of the background work. Made where the work begins, and passed down. */
export type Scope = {
  gateway: Gateway;
  /** The id by which the log lines of this work can be found. Adapters get it, too. */
  requestId: string;
  /** The caller's traceparent, if the operator allows it to be passed on to providers. */
  traceparent?: string | undefined;
  /**
   * The caller's network. Calls to providers count towards its limits, and their failures count as its failures. Absent when the address identifies
   * no customer: in calls from an app's backend, and in background work.
   */
  network?: Network | undefined;
};
