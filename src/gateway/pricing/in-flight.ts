/**
 * `max_in_flight_sats`: how much customers may have paid, or may be about to pay, at one provider before it fills. It limits what a provider can
 * take that steals before its first fill shows it. Off by default; only providers with a limit cost a read.
 */
import { isExchange, sides, type Ramp } from '../../domain/ramp.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';
import type { Ask } from './collect-offers.ts';

/** The sats of an offer or an order, on either side. */
const satsOf = (ramp: Ramp, { pay, receive }: { pay: bigint; receive: bigint }): bigint => (isExchange(ramp) && sides[ramp].receive === 'sats' ? receive : pay);

/** One network's unpaid orders count for at most a tenth. Otherwise one address could shut a provider out with unpaid orders. */
const leftAt = async ({ stores, now }: Gateway, { id }: Provider, most: number): Promise<bigint> =>
  BigInt(most) - (await stores.record.inFlight(id, BigInt(most) / 10n, now()));

/** A hash of the order's network, if it counts. The address itself is stored nowhere. */
export const networkKeyOf = ({ gateway, network }: Scope, provider: Provider): string | undefined =>
  network === undefined || provider.core.max_in_flight_sats === undefined ? undefined : gateway.notices.token('network', network.own);

/** The same asks, but none for a provider at its limit, and no offer that would exceed it. */
export const withinLimits = async (gateway: Gateway, ramp: Ramp, asks: Ask[]): Promise<Ask[]> =>
  await Promise.all(
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

/** What stands against one more order, which is counted already. */
export const beyondLimit = async (gateway: Gateway, provider: Provider): Promise<Problem | undefined> => {
  const { max_in_flight_sats: most } = provider.core;
  if (most === undefined || (await leftAt(gateway, provider, most)) >= 0n) return undefined;
  return new Problem('provider-unavailable', 'This provider has as many sats in flight as the operator allows. Nothing was ordered.', { retryAfterMs: 30_000 });
};
