import type { Network } from '../domain/network.ts';
import type { Gateway } from './gateway.ts';

/** The gateway and whose work it does: a request's, or that of one row of the scheduled work. Made where the work begins and handed down. */
export type Scope = {
  gateway: Gateway;
  /** Under which all that comes of it is logged, and which providers are told. */
  requestId: string;
  /** The caller's, where the operator lets providers have it. */
  traceparent?: string | undefined;
  /** Whose haste and whose failures a call upstream counts as. Left out where the address says nothing about who is who: an app's backend, a row. */
  network?: Network | undefined;
};
