/**
 * What the liquidity ramp stores in addition to quotes and orders. Its counters also limit how often a connection's confirmation codes are requested
 * and entered. Implemented in store/liquidity-store.ts.
 */
import type { Json } from './runtime.ts';

export type SeenPrice = { offer: Json; observedOn: number };
/**
 * A counter. `day` is a UTC date, or a date and an hour (`2026-11-30T08`). `purpose` says what is counted. `subject` says for whom: for all, for a
 * provider, or for a network, a node or a user at a provider (as a hash).
 */
export type Counted = { day: string; purpose: string; subject: string };
export type LiquidityStore = {
  savePrice(providerId: string, asked: string, offer: Json, observedOn: number): Promise<void>;
  findPrice(providerId: string, asked: string): Promise<SeenPrice | undefined>;
  /**
   * Adds `n` and returns the previous value. Returns undefined, and adds nothing, if the new value would exceed `limit`. Exact even if many callers
   * add at the same time.
   */
  take(counted: Counted, n: bigint, limit: bigint): Promise<bigint | undefined>;
  give(counted: Counted, n: bigint): Promise<void>;
  used(counted: Counted): Promise<bigint>;
};
