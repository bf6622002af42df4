import type { Ramp } from '../domain/ramp.ts';
import type { LiquidityProduct } from '../providers/spec.ts';
import type { Json } from './runtime.ts';

/** What of a liquidity request is kept. The node's key is not in it: whoever orders proves it anew. */
export type LiquidityTerms = { product: LiquidityProduct; amountSats: number; payWith: string; leaseBlocks?: number; announce: boolean; firm: boolean };

/** What of a request is kept with its offers and orders, to be shown again and priced again; outward ids. */
export type RouteTerms = {
  /** Both 0 for liquidity, which has no payment options. */
  currencyId: number;
  paymentOptionId: number;
  optionName: string;
  /** buy, sell: where the customer lives, as it was given. */
  country?: string;
  /** sell */
  network?: 'lightning' | 'onchain';
  /** sell: the providers that pay out through a connection only, also where the customer had one already. */
  needConnection?: string[];
  liquidity?: LiquidityTerms;
};

export type StoredRoute = { id: string; customerId: string; sessionHash: string; ramp: Ramp; requestId: string; createdOn: number; route: Json };
export type RouteStore = {
  insert(route: StoredRoute): Promise<void>;
  /** Only the owner's. */
  find(id: string, customerId: string): Promise<StoredRoute | undefined>;
};
