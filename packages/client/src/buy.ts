import { mapped } from './mapped.ts';
import { defined } from '../../../src/domain/defined.ts';
import type { Context } from './context.ts';
import { badInput, given, needs, readAs, type Open } from './error.ts';
import { moneyOf, toUnits, type Amount, type Money } from './money.ts';
import { offersOf, type Offer, type Offers } from './offer.ts';
import type { Order } from './order.ts';
import type { OpenOrders } from './ordering.ts';
import type { PayoutKind, PayoutTo } from './words.ts';

export type BuyQuery = {
  /** Fiat, by its ISO 4217 code. */
  currency: string;
  /** The way to pay: `SEPA`, `Credit card` … */
  by: string;
  /** Where the customer lives, ISO 3166. */
  country?: string;
  /**
   * The kinds of destination that you can name when you order. With them, providers that send the sats themselves are asked, too. Without them, the
   * sats of every offer can be withdrawn.
   */
  payoutKinds?: PayoutKind[];
  /** How long to wait for providers, in milliseconds. */
  maxWaitMs?: number;
} & ({ /** Fiat that the customer pays. */ pay: Amount; get?: never } | { /** Sats that the customer gets. */ get: Amount; pay?: never });

export type BuyBounds = {
  /** Do not order anything that gives fewer sats. */
  atLeast?: Amount;
  /** Do not order anything that costs more. */
  atMost?: Amount;
  /**
   * How many other providers (1 to 3) the gateway may try if this one does not take the order. Needs a bound on the amount that differs between
   * offers: `atLeast` for offers that were requested with `pay`, `atMost` for those requested with `get`. The order names the provider that took it.
   */
  failover?: number;
  /** The destination, for a provider that sends the sats itself: exactly one member. Needed if the offer `requires` `payout`. */
  payoutTo?: PayoutTo;
  signal?: AbortSignal;
};

export type WithdrawOptions = {
  /**
   * A bitcoin address that is paid if the link is not used in time. It can be set only in the first call, and only if the order supports it. If the
   * provider refuses it, the next call may name another or none.
   */
  fallback?: string;
  /** Takes what was delivered, although it is less than was ordered or more was charged (problem `order-short`). */
  acceptShort?: boolean;
  /** Never asks the provider for a link: returns the one that the gateway holds, if that link is still valid. */
  onlyHeld?: boolean;
  signal?: AbortSignal;
};
export type Withdrawal = {
  /** LNURL-withdraw (LUD-03). Whoever has it has the money: never log it. */
  lnurl: string;
  expiresOn: Date;
  /** The amount that the link itself states, if the gateway has read it. */
  link: Money | undefined;
  warnings: Open<'filled-differently' | 'link-pays-less'>[];
};
export type BuyOrder = Order & {
  /** Returns the link that pays out a `filled` order: the same link at each call, until it expires. */
  withdraw: (options?: WithdrawOptions) => Promise<Withdrawal>;
};

const events = ['order_status_changed', 'withdrawal_ready'] as const;

export const createBuy = ({ inSession, catalogue, ordering, webhook }: Context) => {
  const withdraw = async (order_id: string, { fallback, acceptShort, onlyHeld, signal }: WithdrawOptions): Promise<Withdrawal> => {
    const asked = defined({ failback_onchain: fallback, accept_short: acceptShort, only_held: onlyHeld });
    const answer = await inSession('/withdrawal', { order_id, ...asked }, { signal });
    const { lnurlw, withdrawal_expiration_date: date, link_sats: link, warnings = [] } = answer;
    return { lnurl: readAs('a withdrawal', () => given(lnurlw, 'lnurlw')), expiresOn: new Date(date), link: moneyOf(link, 'sat'), warnings };
  };
  const withdrawable = (order: Order): BuyOrder => ({ ...order, withdraw: async (options = {}) => await withdraw(order.id, options) });

  return {
    /** The ways to pay. */
    options: async (signal?: AbortSignal) => await catalogue.list('buy', signal),
    /** Returns every provider's price, best first, and the providers that made no offer. Orders nothing. */
    offers: async (query: BuyQuery, signal?: AbortSignal): Promise<Offers> => {
      const { currency, by, pay, get, country, maxWaitMs, payoutKinds } = needs(query, 'currency', 'by');
      if ((pay === undefined) === (get === undefined)) throw badInput('pay', 'give pay (fiat) or get (sats), not both');
      const amount = pay === undefined ? { amount_sats: toUnits(get ?? '', 'sat', 'get') } : { amount_fiat: toUnits(pay, currency.toUpperCase(), 'pay') };
      const { currency_id, payment_option_id } = await catalogue.idsOf('buy', currency, by, signal);
      const body = { ...amount, currency_id, payment_option_id, ...defined({ country, max_wait_ms: maxWaitMs, payout_kinds: payoutKinds }) };
      return offersOf('buy', await inSession('/offers', body, { signal }), currency.toUpperCase());
    },
    /** Orders an offer. Ordering the same offer again returns the same order. `offer` needs only its `id`. */
    buy: async (
      offer: Pick<Offer, 'id'> & Partial<Pick<Offer, 'pays'>>,
      { atLeast, atMost, failover, payoutTo, signal }: BuyBounds = {},
    ): Promise<BuyOrder> => {
      const bounds = defined({
        min_amount_sats: mapped(atLeast, (amount) => toUnits(amount, 'sat', 'atLeast')),
        max_amount_fiat: mapped(atMost, (amount) => toUnits(amount, offer?.pays?.currency ?? 'fiat', 'atMost')),
      });
      const further = failover && { max: failover, ...bounds };
      const webhook_events = webhook.webhook_url && events;
      const body = { ...bounds, ...webhook, ...defined({ failover: further, webhook_events, payout_to: payoutTo }) };
      return withdrawable(await ordering.place('buy', offer, body, signal));
    },
    /** Returns the order with this id, for example the id in a webhook. */
    find: async (id: string, signal?: AbortSignal): Promise<BuyOrder> => withdrawable(await ordering.read('buy', id, signal)),
    /**
     * Returns the orders that are not final, and the requests whose outcome is unknown. Call it after a restart. Another device of the customer, with
     * the same node, gets the orders but not the requests in this store.
     * `andFinal`: of the newest 200 orders, also returns the final ones. Some providers call an order finished as soon as they give its withdrawal
     * link; while the link is valid, `withdraw` returns it.
     */
    open: async (signal?: AbortSignal, andFinal?: boolean): Promise<OpenOrders<BuyOrder>> => {
      const { orders, pending } = await ordering.open('buy', signal, andFinal);
      return {
        orders: orders.map(withdrawable),
        pending: pending.map((one) => ({ ...one, again: async (again) => withdrawable(await one.again(again)) })),
      };
    },
  };
};
