/** What the liquidity ramp keeps beside quotes and orders. Implemented in store/liquidity-store.ts. */
import type { Json } from './runtime.ts';

export type SeenPrice = { offer: Json; observedOn: number };
/** `day` is a UTC date, `purpose` what is counted, `subject` who for (a hash where it names a person). */
export type Counted = { day: string; purpose: string; subject: string };
export type LiquidityStore = {
  savePrice(providerId: string, asked: string, offer: Json, observedOn: number): Promise<void>;
  findPrice(providerId: string, asked: string): Promise<SeenPrice | undefined>;
  /** Adds `n` unless the sum would pass `limit`: what was used before, or undefined when it would. Exact under any number of callers. */
  take(counted: Counted, n: bigint, limit: bigint): Promise<bigint | undefined>;
  give(counted: Counted, n: bigint): Promise<void>;
  used(counted: Counted): Promise<bigint>;
};
