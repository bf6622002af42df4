/**
 * Limits the sats in flight at one provider (`max_in_flight_sats`): those that customers have paid or are about to pay, for orders that the provider
 * has not filled yet. This bounds what a provider can steal before its missing fills show. Off by default. Only providers with a limit cost a
 * database read.
 */
import { isExchange, sides, type Ramp } from '../../domain/ramp.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';
import type { Ask } from './collect-offers.ts';

/** Returns the sats of an offer or an order, whichever side they are on. */
const satsOf = (ramp: Ramp, { pay, receive }: { pay: bigint; receive: bigint }): bigint => (isExchange(ramp) && sides[ramp].receive === 'sats' ? receive : pay);

/**
 * Returns how many more sats may be in flight at the provider. The unpaid orders of one network count for at most a tenth of the limit, and those of
 * a /48 for at most half; otherwise a caller with one address, or with one block of addresses, could block a provider with unpaid orders.
 */
const leftAt = async ({ stores, now }: Gateway, { id }: Provider, most: number): Promise<bigint> =>
  BigInt(most) - (await stores.record.inFlight(id, { own: BigInt(most) / 10n, wide: BigInt(most) / 2n }, now()));

/**
 * Returns a keyed hash of the customer's network, for what the network's orders share: the sats in flight, and the polls of unpaid orders. The hash
 * of an IPv6 /64 is followed by a space and the hash of its /48. Returns undefined if the call has no network (ports/scope.ts). The address itself is
 * not stored.
 */
export const networkKeyOf = ({ gateway, network }: Scope): string | undefined =>
  network && [...new Set([network.own, network.wide])].map((one) => gateway.notices.token('network', one)).join(' ');

/**
 * Returns the same list of providers to ask, except that a provider at its limit is not asked, and that an offer that would exceed the limit becomes
 * a fault.
 */
export const withinLimits = async (gateway: Gateway, ramp: Ramp, asks: Ask[]): Promise<Ask[]> => {
  if (asks.every(({ provider }) => provider.core.max_in_flight_sats === undefined)) return asks;
  return await Promise.all(
    asks.map(async (one): Promise<Ask> => {
      const { max_in_flight_sats: most } = one.provider.core;
      if (most === undefined || !('ask' in one)) return one;
      const { provider, terms, ask } = one;
      const left = await leftAt(gateway, provider, most);
      if (left <= 0n) return { provider, terms, fault: 'at-limit' };
      return {
        ...one,
        ask: async (context) => {
          const answer = await ask(context);
          return 'offer' in answer && satsOf(ramp, answer.offer) > left ? { fault: 'at-limit' } : answer;
        },
      };
    }),
  );
};

/** Returns the Problem if the provider is beyond its limit. When this is called for a new order, that order itself already counts. */
export const beyondLimit = async (gateway: Gateway, provider: Provider): Promise<Problem | undefined> => {
  const { max_in_flight_sats: most } = provider.core;
  if (most === undefined || (await leftAt(gateway, provider, most)) >= 0n) return undefined;
  return new Problem('provider-unavailable', 'With this order, the provider would have more sats in flight than the operator allows. Nothing was ordered.', {
    retryAfterMs: 30_000,
  });
};
