/**
 * Recent bitcoin prices of each provider. They show when an amount in sats is far outside a limit in fiat, without asking the provider. A price says
 * something only about the limits of the provider that stated it: otherwise an absurd price of one provider would switch the others off.
 */
import type { ExchangeAsked } from '../../domain/offer.ts';
import type { RoutedOffer } from '../../domain/route.ts';
import { isFiatFixed } from '../../domain/ramp.ts';
import type { Gateway } from '../../ports/gateway.ts';

const keptMs = 3_600_000;
/** Prices move and providers differ, so we refuse only amounts that are outside a limit by more than this factor. */
const margin = 2n;
const satsOfBitcoin = 100_000_000n;

/**
 * Remembers the lowest and highest price of each provider's offers in a currency. Only requests for a fiat amount count: because the provider made
 * an offer, the amount was within its fiat limits. An amount in sats may be far outside them, and then the price means nothing, as in an offer for a
 * single sat.
 */
export const notePrices = ({ state, now }: Gateway, asked: ExchangeAsked, offers: readonly RoutedOffer[]): void => {
  if (!isFiatFixed(asked)) return;
  for (const { providerId, btcPrice: price } of offers) {
    if (price === undefined) continue;
    const key = keyOf(providerId, asked);
    const { lowest = price, highest = price, since = now() } = lastPrices(state.lastPrices.get(key), now()) ?? {};
    state.lastPrices.set(key, { lowest: price < lowest ? price : lowest, highest: price > highest ? price : highest, since });
  }
};

const keyOf = (providerId: string, { currency }: ExchangeAsked): string => `${providerId} ${currency}`;

const lastPrices = (known: { lowest: bigint; highest: bigint; since: number } | undefined, now: number) =>
  known && now >= known.since && now - known.since < keptMs ? known : undefined;

/** Returns the provider's listed limit that an amount in sats breaks by far. Returns undefined if it breaks none, or if we cannot tell. */
export const farOutside = (gateway: Gateway, asked: ExchangeAsked, listed: Listed): Outside => outside(gateway, asked, listed, margin);
/** Returns the listed limit that an amount in sats breaks, without the margin of farOutside, because the provider has already refused the amount. */
export const outsideNow = (gateway: Gateway, asked: ExchangeAsked, listed: Listed): Outside => outside(gateway, asked, listed, 1n);

type Listed = { providerId: string; option: { minFiat?: bigint; maxFiat?: bigint } };
type Outside = 'below-minimum' | 'above-maximum' | undefined;
const outside = ({ state, now }: Gateway, asked: ExchangeAsked, { providerId, option: { minFiat, maxFiat } }: Listed, by: bigint): Outside => {
  const known = isFiatFixed(asked) ? undefined : lastPrices(state.lastPrices.get(keyOf(providerId, asked)), now());
  if (!known) return undefined;
  if (maxFiat !== undefined && asked.amount * known.lowest > maxFiat * by * satsOfBitcoin) return 'above-maximum';
  if (minFiat !== undefined && asked.amount * known.highest * by < minFiat * satsOfBitcoin) return 'below-minimum';
  return undefined;
};
