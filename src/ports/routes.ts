import type { PayoutKind } from '../domain/payout.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { LiquidityProduct } from '../providers/spec.ts';
import type { Json } from './runtime.ts';

/** What we store of a liquidity request. The node's key is not stored: the session that places the order must have proved it. */
export type LiquidityTerms = { product: LiquidityProduct; amountSats: number; payWith: string; leaseBlocks?: number; announce: boolean; firm: boolean };

/** What we store of a request together with its offers and orders, so that it can be shown and priced again. The ids are the API's. */
export type RouteTerms = {
  /** `currencyId` and `paymentOptionId` are 0 for liquidity, which has no payment options. */
  currencyId: number;
  paymentOptionId: number;
  optionName: string;
  /** For buy and sell: the country where the customer says that they live. */
  country?: string;
  /** For buy: the kinds of destination that the customer said they can name with the order. */
  payoutKinds?: PayoutKind[];
  /** For sell: the network by which the customer sends the sats. */
  network?: 'lightning' | 'onchain';
  /** For sell: the providers that pay out only through a connection, whether or not the customer had a connection. */
  needConnection?: string[];
  liquidity?: LiquidityTerms;
};

export type StoredRoute = { id: string; customerId: string; sessionHash: string; ramp: Ramp; requestId: string; createdOn: number; route: Json };
export type RouteStore = {
  insert(route: StoredRoute): Promise<void>;
  /** Finds a route, but only for the customer to whom it belongs. */
  find(id: string, customerId: string): Promise<StoredRoute | undefined>;
};
