/** What the liquidity ramp stores besides quotes and orders. Implemented in store/liquidity-store.ts. */
import type { Json } from './runtime.ts';

export type SeenPrice = { offer: Json; observedOn: number };
/** `day` is a UTC date, `purpose` what we count, `subject` for whom (a hash when it names a person). */
export type Counted = { day: string; purpose: string; subject: string };
export type LiquidityStore = {
  savePrice(providerId: string, asked: string, offer: Json, observedOn: number): Promise<void>;
  findPrice(providerId: string, asked: string): Promise<SeenPrice | undefined>;
  /** Adds `n` and returns the sum before, or undefined if the new sum would exceed `limit`. Exact under any number of callers. */
  take(counted: Counted, n: bigint, limit: bigint): Promise<bigint | undefined>;
  give(counted: Counted, n: bigint): Promise<void>;
  used(counted: Counted): Promise<bigint>;
};
