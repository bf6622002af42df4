/** Amounts of a provider in its own units, and in the hundredths that FLS01 has for every currency. */
import { exponentOf } from '../../domain/currency.ts';
import { divCeil, divFloor } from '../../domain/money.ts';
import type { Settings } from './fiat-on-ramp-settings.ts';

export type Units = Pick<Settings, 'minor_units'>;

/** How the block says that amounts of a currency are counted; undefined where it does not say. */
const unitsOf = (currency: string, { minor_units: units }: Units): 'hundredth' | 'iso4217' | undefined =>
  typeof units === 'object' ? Object.entries(units).find(([code]) => code.toUpperCase() === currency.toUpperCase())?.[1] : units;

/** Whether the units of a currency are sure: its exponent is 2, or the block states how this provider counts it. */
export const isCounted = (currency: string, settings: Units): boolean => exponentOf(currency) === 2 || unitsOf(currency, settings) !== undefined;

/** The provider's units per whole unit of the currency. */
const unitsPerWhole = (currency: string, settings: Units): bigint => 10n ** BigInt(unitsOf(currency, settings) === 'iso4217' ? exponentOf(currency) : 2);

/** Hundredths to the provider's units; undefined where that is no whole number. */
export const toUpstream = (hundredths: bigint, currency: string, settings: Units): bigint | undefined => {
  const scaled = hundredths * unitsPerWhole(currency, settings);
  return scaled % 100n === 0n ? scaled / 100n : undefined;
};

/** The nearest amount below, in hundredths, that the provider can be asked for. */
export const floorToUpstream = (hundredths: bigint, currency: string, settings: Units): bigint => {
  const units = unitsPerWhole(currency, settings);
  return units >= 100n ? hundredths : hundredths - (hundredths % (100n / units));
};

/** The provider's units to hundredths: what the customer pays must be exact, so undefined where it is no whole number. */
export const exactly = (amount: bigint, currency: string, settings: Units): bigint | undefined => {
  const units = unitsPerWhole(currency, settings);
  return (amount * 100n) % units === 0n ? (amount * 100n) / units : undefined;
};
export const roundedUp = (amount: bigint, currency: string, settings: Units): bigint => divCeil(amount * 100n, unitsPerWhole(currency, settings));
export const roundedDown = (amount: bigint, currency: string, settings: Units): bigint => divFloor(amount * 100n, unitsPerWhole(currency, settings));
