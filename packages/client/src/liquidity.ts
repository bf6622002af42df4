/** `@ramp-gateway/client/liquidity`: channels to receive through, bought from liquidity sellers. */
import { mapped } from './mapped.ts';
import { defined } from '../../../src/domain/defined.ts';
import { contextOf } from './context.ts';
import { given, needs, readAs, type Open } from './error.ts';
import { toUnits, type Amount } from './money.ts';
import { offersOf, type Offer, type Offers } from './offer.ts';
import type { Order } from './order.ts';
import type { OpenOrders } from './ordering.ts';
import type { Ramp } from './ramp.ts';
import type { ProviderRef } from './words.ts';

export type LiquidityQuery = {
  /** recharge: sats to your own invoice. inbound: a channel to receive through. turbo: a channel with balance on both sides. */
  product: 'recharge' | 'inbound' | 'turbo';
  /** The sats of the recharge, of inbound capacity, or of each side of a turbo channel. */
  sats: Amount;
  /** Default: `lightning`. Also `onchain`, `balance`, or any other word in the product's `payWith` (see `products`). */
  payWith?: Open<'lightning' | 'onchain' | 'balance'>;
  /** How many blocks the channel must stay open: 4320 is a month. Default: no minimum. */
  leaseBlocks?: number;
  /** Whether the channel is announced to the network. */
  announce?: boolean;
  /**
   * Asks for binding prices, for the node given to createRamp. Some sellers make an order for each binding price, so the gateway limits their number:
   * ask for them only when the customer is about to buy.
   */
  firm?: boolean;
  /** Where an on-chain payment is refunded to. */
  refundAddress?: string;
  /** How long to wait for sellers, in milliseconds. */
  maxWaitMs?: number;
};
export type LiquidityOffers = Offers & {
  /** How many more firm prices this node may ask for today. Its network's or the seller's limit may refuse them earlier. */ firmQuotesLeft?: number;
};
export type LiquidityProduct = {
  product: Open<'recharge' | 'inbound' | 'turbo'>;
  minSats: bigint;
  maxSats: bigint;
  payWith: string[];
  maxLeaseBlocks?: number;
  /** Nodes to connect to before asking: `pubkey@host:port`. */
  peers: { provider: ProviderRef; uri: string }[];
};
export type LiquidityBounds = {
  /** Do not order anything that costs more than this, in sats. */
  atMost?: Amount;
  /** For a `recharge`: the BOLT11 invoice that is to be paid, for exactly the amount. */
  invoice?: string;
  /** Where an on-chain payment is refunded to. */
  refundAddress?: string;
  /** Only to get a receipt from a seller that sends one. */
  email?: string;
  signal?: AbortSignal;
};

export type Liquidity = ReturnType<typeof createLiquidity>;
export const createLiquidity = (ramp: Ramp) => {
  const { inSession, ordering, webhook } = contextOf(ramp);
  return {
    /** Returns what can be bought, how much of it, and the nodes to connect to. */
    products: async (signal?: AbortSignal): Promise<LiquidityProduct[]> => {
      const { products } = await inSession('/liquidity/products', {}, { signal });
      return readAs('a list of products', () =>
        products.map(({ product, min_amount_sats: min, max_amount_sats: max, pay_with: payWith, max_lease_blocks: maxLeaseBlocks, peers }) => ({
          product: given(product, 'product'),
          minSats: BigInt(min),
          maxSats: BigInt(max),
          payWith,
          ...defined({ maxLeaseBlocks }),
          peers,
        })),
      );
    },
    /**
     * Returns every seller's price, lowest fee first. Without `firm`, the prices are estimates, which cost nothing and are good enough for a slider.
     * If an entry of `not` has `connectTo`, connect to that node and ask again. The reason `price-needs-order` means that the seller gives only firm
     * prices.
     */
    offers: async (query: LiquidityQuery, signal?: AbortSignal): Promise<LiquidityOffers> => {
      const { product, sats, payWith = 'lightning', leaseBlocks, announce, firm, refundAddress, maxWaitMs } = needs(query, 'product', 'sats');
      const body = {
        product,
        amount_sats: toUnits(sats, 'sat', 'sats'),
        pay_with: payWith,
        ...defined({ lease_blocks: leaseBlocks, announce, firm, refund_onchain: refundAddress, max_wait_ms: maxWaitMs }),
      };
      const answer = await inSession('/liquidity/offers', body, { signal });
      const { firm_quotes_left: firmQuotesLeft } = answer;
      return { ...offersOf('liquidity', answer, ''), ...defined({ firmQuotesLeft }) };
    },
    /** Orders an offer. Ordering the same offer again returns the same order. */
    order: async (offer: Pick<Offer, 'id'>, { atMost, invoice, refundAddress, email, signal }: LiquidityBounds = {}): Promise<Order> => {
      const body = {
        ...defined({ max_pay_sats: mapped(atMost, (amount) => toUnits(amount, 'sat', 'atMost', 0n)), invoice, refund_onchain: refundAddress, email }),
      };
      return await ordering.place('liquidity', offer, { ...body, ...webhook }, signal);
    },
    /** Returns the order with this id, for example the id in a webhook. At stage `filled`, `redemption`, if present, opens the channel. */
    find: async (id: string, signal?: AbortSignal): Promise<Order> => await ordering.read('liquidity', id, signal),
    /**
     * Returns the orders that are not final, and the requests whose outcome is unknown. Call it after a restart. Another device of the customer, with
     * the same node, gets the orders but not the requests in this store.
     */
    open: async (signal?: AbortSignal): Promise<OpenOrders> => await ordering.open('liquidity', signal),
  };
};
