/** Recent bitcoin prices. They show when an amount in sats is far outside a limit in fiat, without asking the provider. */
import type { ExchangeAsked } from '../../domain/offer.ts';
import type { RoutedOffer } from '../../domain/route.ts';
import { isFiatFixed } from '../../domain/ramp.ts';
import type { Gateway } from '../../ports/gateway.ts';

const keptMs = 3_600_000;
/** Prices move and providers differ, so we refuse only amounts that are outside a limit by more than this factor. */
const margin = 2n;
const satsOfBitcoin = 100_000_000n;

/**
 * Remembers the lowest and highest price of the accepted offers. Only requests for a fiat amount count, since such an amount was within the limits.
 * The price in an offer for a single sat, for example, is absurd.
 */
export const notePrices = ({ state, now }: Gateway, asked: ExchangeAsked, offers: readonly RoutedOffer[]): void => {
  const prices = offers.flatMap(({ btcPrice }) => btcPrice ?? []);
  if (!isFiatFixed(asked) || prices.length === 0) return;
  const known = lastPrices(state.lastPrices.get(asked.currency), now());
  const all = known ? [...prices, known.lowest, known.highest] : prices;
  const sorted = all.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  state.lastPrices.set(asked.currency, { lowest: sorted[0] ?? 0n, highest: sorted.at(-1) ?? 0n, since: known?.since ?? now() });
};

const lastPrices = (known: { lowest: bigint; highest: bigint; since: number } | undefined, now: number) =>
  known && now >= known.since && now - known.since < keptMs ? known : undefined;

/** Returns the listed limit that an amount in sats breaks by far. Returns undefined if it breaks none, or if we cannot tell. */
export const farOutside = (gateway: Gateway, asked: ExchangeAsked, limits: FiatLimits): Outside => outside(gateway, asked, limits, margin);
/** Returns the listed limit that an amount in sats breaks, without the margin of farOutside, since the provider has already refused the amount. */
export const outsideNow = (gateway: Gateway, asked: ExchangeAsked, limits: FiatLimits): Outside => outside(gateway, asked, limits, 1n);

type FiatLimits = { minFiat?: bigint; maxFiat?: bigint };
type Outside = 'below-minimum' | 'above-maximum' | undefined;
const outside = ({ state, now }: Gateway, asked: ExchangeAsked, { minFiat, maxFiat }: FiatLimits, by: bigint): Outside => {
  const known = isFiatFixed(asked) ? undefined : lastPrices(state.lastPrices.get(asked.currency), now());
  if (!known) return undefined;
  if (maxFiat !== undefined && asked.amount * known.lowest > maxFiat * by * satsOfBitcoin) return 'above-maximum';
  if (minFiat !== undefined && asked.amount * known.highest * by < minFiat * satsOfBitcoin) return 'below-minimum';
  return undefined;
};
