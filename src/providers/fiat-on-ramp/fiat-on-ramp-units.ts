/** Converts between a provider's own units and the hundredths in which the gateway counts every currency. */
import { exponentOf } from '../../domain/currency.ts';
import { divCeil, divFloor } from '../../domain/money.ts';
import type { Settings } from './fiat-on-ramp-settings.ts';

export type Units = Pick<Settings, 'minor_units'>;

/** Returns the unit that the provider's configuration states for a currency's amounts, if it states one. */
const unitsOf = (currency: string, { minor_units: units }: Units): 'hundredth' | 'iso4217' | undefined =>
  typeof units === 'object' ? Object.entries(units).find(([code]) => code.toUpperCase() === currency.toUpperCase())?.[1] : units;

/** Returns whether a currency's units are known: its exponent is 2, or the configuration states the unit. */
export const isCounted = (currency: string, settings: Units): boolean => exponentOf(currency) === 2 || unitsOf(currency, settings) !== undefined;

/** Returns how many of the provider's units make one whole unit of the currency. */
const unitsPerWhole = (currency: string, settings: Units): bigint => (unitsOf(currency, settings) === 'iso4217' ? 10n ** BigInt(exponentOf(currency)) : 100n);

/** Converts hundredths to the provider's units. Returns undefined if the result is not a whole number. */
export const toUpstream = (hundredths: bigint, currency: string, settings: Units): bigint | undefined => {
  const scaled = hundredths * unitsPerWhole(currency, settings);
  return scaled % 100n === 0n ? scaled / 100n : undefined;
};

/** Rounds an amount in hundredths down to one that we can ask the provider for. */
export const floorToUpstream = (hundredths: bigint, currency: string, settings: Units): bigint => {
  const units = unitsPerWhole(currency, settings);
  return units >= 100n ? hundredths : hundredths - (hundredths % (100n / units));
};

/** Converts the provider's units to hundredths. Returns undefined if the result is not a whole number, because a price must be exact. */
export const exactly = (amount: bigint, currency: string, settings: Units): bigint | undefined => {
  const units = unitsPerWhole(currency, settings);
  return (amount * 100n) % units === 0n ? (amount * 100n) / units : undefined;
};
export const roundedUp = (amount: bigint, currency: string, settings: Units): bigint => divCeil(amount * 100n, unitsPerWhole(currency, settings));
export const roundedDown = (amount: bigint, currency: string, settings: Units): bigint => divFloor(amount * 100n, unitsPerWhole(currency, settings));
