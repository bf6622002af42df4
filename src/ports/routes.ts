import type { Ramp } from '../domain/ramp.ts';
import type { Json } from './runtime.ts';

export type StoredRoute = { id: string; customerId: string; sessionHash: string; ramp: Ramp; requestId: string; createdOn: number; route: Json };
export type RouteStore = {
  insert(route: StoredRoute): Promise<void>;
  /** Only the owner's. */
  find(id: string, customerId: string): Promise<StoredRoute | undefined>;
};
