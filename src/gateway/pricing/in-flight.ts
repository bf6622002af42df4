/**
 * `max_in_flight_sats`: how much customers may have paid, or may be about to pay, at one provider before it has filled. It bounds what a provider can
 * take that steals faster than its first fill would show. Off unless the operator sets it, and then nothing is read for the others.
 */
import { isExchange, sides, type Ramp } from '../../domain/ramp.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';
import type { Ask } from './collect-offers.ts';

/** The sats of an offer or an order, on whichever side they are. */
const satsOf = (ramp: Ramp, { pay, receive }: { pay: bigint; receive: bigint }): bigint => (isExchange(ramp) && sides[ramp].receive === 'sats' ? receive : pay);

/** Of what nobody paid, one network counts for a tenth at most: else unpaid orders of one address would shut a rival out. */
const leftAt = async ({ stores, now }: Gateway, { id }: Provider, most: number): Promise<bigint> =>
  BigInt(most) - (await stores.record.inFlight(id, BigInt(most) / 10n, now()));

/** Whose order it is, where that is counted; the address itself stands nowhere. */
export const networkKeyOf = ({ gateway, network }: Scope, provider: Provider): string | undefined =>
  network === undefined || provider.core.max_in_flight_sats === undefined ? undefined : gateway.notices.token('network', network.own);

/** The same questions; none to a provider that has all it may have, and no offer of one that would be too much. */
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

/** Once more when the placing is written, which is counted with the others: of many quotes that were asked for together, not all may be ordered. */
export const refuseBeyondLimit = async (gateway: Gateway, provider: Provider): Promise<void> => {
  const { max_in_flight_sats: most } = provider.core;
  if (most === undefined || (await leftAt(gateway, provider, most)) >= 0n) return;
  throw new Problem('provider-unavailable', 'As much is under way at this provider as the operator allows. Nothing was ordered.', { retryAfterMs: 30_000 });
};
