import type { Ramp } from '../domain/ramp.ts';
import type { LiquidityProduct } from '../providers/spec.ts';
import type { Json } from './runtime.ts';

/** What we store of a liquidity request. Not the node's key: whoever orders proves it again. */
export type LiquidityTerms = { product: LiquidityProduct; amountSats: number; payWith: string; leaseBlocks?: number; announce: boolean; firm: boolean };

/** What we store of a request with its offers and orders, to show and price it again. Holds the API's ids. */
export type RouteTerms = {
  /** Both 0 for liquidity, which has no payment options. */
  currencyId: number;
  paymentOptionId: number;
  optionName: string;
  /** buy, sell: where the customer says they live. */
  country?: string;
  /** sell */
  network?: 'lightning' | 'onchain';
  /** sell: the providers that pay out only through a connection, even if the customer already had one. */
  needConnection?: string[];
  liquidity?: LiquidityTerms;
};

export type StoredRoute = { id: string; customerId: string; sessionHash: string; ramp: Ramp; requestId: string; createdOn: number; route: Json };
export type RouteStore = {
  insert(route: StoredRoute): Promise<void>;
  /** Finds it only for its owner. */
  find(id: string, customerId: string): Promise<StoredRoute | undefined>;
};
