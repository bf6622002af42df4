/** Turns DFX's lists of assets and currencies into payment options. Pure. */
import * as z from 'zod';
import { decimalTimesCeil, decimalTimesFloor, type Decimal } from '../../domain/money.ts';
import type { Json } from '../../domain/offer.ts';
import type { ExchangeRamp } from '../../domain/ramp.ts';
import { ProviderFault } from '../fault.ts';
import type { Catalogue, CatalogueOption } from '../spec.ts';
import type { DfxSettings } from './dfx-settings.ts';
import type { AssetRow, FiatRow } from './dfx-wire.ts';

/** DFX's names of ways to pay. DFX has refused `Card` to everyone since March 2026, so there is no option for cards. */
export type Method = 'Bank' | 'Instant';

const nameOf = (currency: string, method: Method): string => (method === 'Instant' ? 'SEPA Instant' : currency === 'EUR' ? 'SEPA' : 'Bank transfer');

/** What the `upstream` of an option holds: how to pay, and DFX's id of the currency. The id is absent if an earlier release listed the option. */
const notes = z.object({ method: z.enum(['Bank', 'Instant']).catch('Bank'), currency: z.number().optional().catch(undefined) });
export const notesOf = (upstream: Json): z.output<typeof notes> => notes.safeParse(upstream).data ?? { method: 'Bank' };

/** The most options that are kept from DFX's listing, because every customer gets the listings of all providers. DFX has about 10 options. */
const mostOptions = 100;

export const toCatalogue = (ramp: ExchangeRamp, assets: readonly AssetRow[], fiats: readonly FiatRow[], settings: DfxSettings): Catalogue => {
  const bitcoin = assets.find(({ name, blockchain }) => name === 'BTC' && blockchain === 'Lightning');
  if (!bitcoin) throw new ProviderFault('malformed', 'the list of assets has no bitcoin over Lightning');
  if (fiats.length === 0) throw new ProviderFault('malformed', 'the list of currencies is empty');
  const wanted = fiats.filter(({ name }) => settings.currencies?.includes(name.toUpperCase()) ?? true);
  const options = wanted.flatMap((fiat) => methodsOf(ramp, bitcoin, fiat, settings).map((method) => toOption(ramp, fiat, method, settings)));
  return {
    options: options.slice(0, mostOptions),
    features: { quotes: false, estimates: true, on_chain_fallback: false, webhook: settings.webhook_key_env !== undefined },
  };
};

/**
 * A currency's flags take the customer's view: the customer can pay `sellable` money in, and is paid out in `buyable` money. A bank payout has no
 * instant form.
 */
const methodsOf = (ramp: ExchangeRamp, bitcoin: AssetRow, fiat: FiatRow, { instant }: DfxSettings): Method[] => {
  if (ramp === 'sell') return bitcoin.sellable && fiat.buyable ? ['Bank'] : [];
  const isInstant = instant === 'listed' && bitcoin.instantBuyable && fiat.instantSellable && fiat.name.toUpperCase() === 'EUR';
  return [...(bitcoin.buyable && fiat.sellable ? ['Bank' as const] : []), ...(isInstant ? ['Instant' as const] : [])];
};

const toOption = (ramp: ExchangeRamp, fiat: FiatRow, method: Method, settings: DfxSettings): CatalogueOption => {
  const currency = fiat.name.toUpperCase();
  const counts = settings.listed_limits === 'both' || settings.listed_limits === ramp;
  const { minVolume, maxVolume } = (counts ? fiat.limits?.[method] : undefined) ?? {};
  return {
    currency,
    name: nameOf(currency, method),
    upstream: { method, currency: fiat.id },
    feePpm: ramp === 'buy' ? settings.buy_fee_ppm : settings.sell_fee_ppm,
    ...(isPositive(minVolume) ? { minFiat: decimalTimesCeil(minVolume, 100n) } : {}),
    ...(isPositive(maxVolume) ? { maxFiat: decimalTimesFloor(maxVolume, 100n) } : {}),
  };
};

const isPositive = (limit: Decimal | undefined): limit is Decimal => limit !== undefined && limit.digits > 0n;
